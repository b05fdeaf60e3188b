/*
 * VGG-11, -13, -16, -19, with and without batch norm: Simonyan and Zisserman, "Very deep
 * convolutional networks for large-scale image recognition" (2014), with torchvision's names. The
 * feature is that of the last but one linear layer, behind its ReLU.
 */
#include "shim/network.h"

namespace ims
{
namespace
{

class vgg_network : public network
{
  public:
	/* repeats: the convolutions of each of the five stages. */
	vgg_network(const std::vector<int> &repeats, bool has_norms)
	{
		int64_t in = 3, width = 64;
		int index = 0;
		for (int repeat : repeats) {
			stages.emplace_back();
			for (int i = 0; i < repeat; i++, in = width) {
				std::string name = "features." + std::to_string(index++), norm;
				if (has_norms)
					norm = "features." + std::to_string(index++);
				index++; /* ReLU */
				stages.back().push_back(unit(name, norm, { in, width, 3 }, act::relu));
			}
			index++; /* pooling */
			width = std::min<int64_t>(512, width * 2);
		}
		/* Over maps of 7x7 the first linear layer is a convolution without padding. */
		channels = 4096;
		first = unit("classifier.0", "", linear(512, side), act::relu);
		second = unit("classifier.3", "", linear(4096, 1), act::relu);
	}

	at::Tensor features(const at::Tensor &input, std::vector<at::Tensor> *) override
	{
		at::Tensor x = input;
		for (auto &stage : stages) {
			for (conv *c : stage)
				x = (*c)(x);
			x = at::max_pool2d(x, 2, 2);
		}
		if (x.size(2) != side || x.size(3) != side)
			x = at::adaptive_avg_pool2d(x, { side, side });
		return (*second)((*first)(x));
	}

  protected:
	std::vector<uint32_t> poolings() const override
	{
		return {}; /* linear layers follow the maps */
	}

	std::vector<std::string> unused() const override
	{
		return { "classifier.6." };
	}

  private:
	static constexpr int64_t side = 7; /* of the maps that the linear layers see */

	static shape linear(int64_t in, int64_t kernel)
	{
		shape s{ in, 4096, kernel };
		s.pad = padding::none;
		s.flat = true;
		return s;
	}

	std::vector<std::vector<conv *>> stages;
	conv *first, *second;
};

} // namespace

std::unique_ptr<network> vgg(const std::string &name)
{
	static const struct {
		const char *name;
		std::vector<int> repeats;
	} sizes[] = {
		{ "vgg11", { 1, 1, 2, 2, 2 } },
		{ "vgg13", { 2, 2, 2, 2, 2 } },
		{ "vgg16", { 2, 2, 3, 3, 3 } },
		{ "vgg19", { 2, 2, 4, 4, 4 } },
	};
	for (auto &s : sizes)
		for (bool has_norms : { false, true })
			if (name == std::string(s.name) + (has_norms ? "_bn" : ""))
				return std::make_unique<vgg_network>(s.repeats, has_norms);
	return nullptr;
}

} // namespace ims
