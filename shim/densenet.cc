/*
 * DenseNet-121, -161, -169, -201: Huang, Liu, van der Maaten and Weinberger, "Densely connected
 * convolutional networks" (2017), with torchvision's names, also those of its older files
 * ("denselayer1.norm.1"). Each layer sees the maps of all layers before it in its block.
 */
#include "shim/network.h"

namespace ims
{
namespace
{

/* norm, ReLU, 1x1 convolution, norm, ReLU, 3x3 convolution: its maps are appended. */
struct dense_layer {
	norm *before;
	conv *narrow, *grow;
};

struct dense_block {
	std::vector<dense_layer> layers;
	norm *before; /* the transition to the next block; in the last one the final norm */
	conv *transition;
};

class densenet_network : public network
{
  public:
	densenet_network(int64_t growth, int64_t first, const std::vector<int> &depths)
	{
		stem = unit("features.conv0", "features.norm0", { 3, first, 7, 2 }, act::relu);
		channels = first;
		for (size_t i = 0; i < depths.size(); i++)
			blocks.push_back(add_block(i + 1, growth, depths[i], i + 1 == depths.size()));
	}

	at::Tensor features(const at::Tensor &input, std::vector<at::Tensor> *) override
	{
		at::Tensor x = at::max_pool2d((*stem)(input), 3, 2, 1);
		for (dense_block &b : blocks) {
			for (dense_layer &l : b.layers)
				x = at::cat({ x, (*l.grow)((*l.narrow)((*l.before)(x))) }, 1);
			x = (*b.before)(x);
			if (b.transition)
				x = at::avg_pool2d((*b.transition)(x), 2, 2);
		}
		return x;
	}

  protected:
	/* "norm1" and "conv1" for "norm.1" and "conv.1". */
	std::string current_name(const std::string &name) const override
	{
		std::string out = name;
		for (const char *part : { ".norm.1.", ".norm.2.", ".conv.1.", ".conv.2." }) {
			size_t at = name.find(part);
			if (at != std::string::npos)
				out.erase(at + 5, 1);
		}
		return out;
	}

  private:
	static constexpr double eps = 1e-5;

	norm *relu_of_norm(const std::string &name)
	{
		return lone_norm(norm::kind::batch, name, channels, eps, act::relu);
	}

	dense_block add_block(size_t number, int64_t growth, int depth, bool last)
	{
		dense_block b{};
		std::string name = "features.denseblock" + std::to_string(number) + ".denselayer";
		for (int i = 1; i <= depth; i++, channels += growth) {
			std::string layer = name + std::to_string(i) + ".";
			dense_layer l;
			l.before = relu_of_norm(layer + "norm1");
			l.narrow = unit(layer + "conv1", layer + "norm2", { channels, 4 * growth }, act::relu);
			l.grow = bare(layer + "conv2", { 4 * growth, growth, 3 });
			b.layers.push_back(l);
		}
		std::string next = "features.transition" + std::to_string(number) + ".";
		b.before = relu_of_norm(last ? "features.norm5" : next + "norm");
		if (!last) {
			b.transition = bare(next + "conv", { channels, channels / 2 });
			channels /= 2;
		}
		return b;
	}

	/* A convolution with neither bias nor norm. */
	conv *bare(const std::string &name, shape s)
	{
		s.has_bias = false;
		return unit(name, "", s, act::none);
	}

	conv *stem;
	std::vector<dense_block> blocks;
};

} // namespace

std::unique_ptr<network> densenet(const std::string &name)
{
	static const struct {
		const char *name;
		int64_t growth, first;
		std::vector<int> depths;
	} sizes[] = {
		{ "densenet121", 32, 64, { 6, 12, 24, 16 } },
		{ "densenet161", 48, 96, { 6, 12, 36, 24 } },
		{ "densenet169", 32, 64, { 6, 12, 32, 32 } },
		{ "densenet201", 32, 64, { 6, 12, 48, 32 } },
	};
	for (auto &s : sizes)
		if (name == s.name)
			return std::make_unique<densenet_network>(s.growth, s.first, s.depths);
	return nullptr;
}

} // namespace ims
