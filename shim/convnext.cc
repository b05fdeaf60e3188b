/*
 * ConvNeXt-tiny, -small, -base, -large: Liu, Mao, Wu, Feichtenhofer, Darrell and Xie, "A ConvNet
 * for the 2020s" (2022), with torchvision's names. The feature is the average behind the last layer
 * norm.
 */
#include "shim/network.h"

namespace ims
{
namespace
{

struct block {
	conv *depthwise;
	norm *after;
	conv *widen, *narrow;
};

struct stage {
	norm *before; /* with reduce: NULL in the first stage, where the stem comes before */
	conv *reduce;
	std::vector<block> blocks;
};

class convnext_network : public network
{
  public:
	convnext_network(const std::vector<int> &depths, int64_t width)
	{
		stem = unit("features.0.0", "", patches(3, width, 4), act::none);
		after_stem = layer_norm("features.0.1", width);
		int index = 1;
		for (size_t i = 0; i < depths.size(); i++) {
			stage s{};
			if (i) {
				std::string name = "features." + std::to_string(index++);
				s.before = layer_norm(name + ".0", width);
				s.reduce = unit(name + ".1", "", patches(width, 2 * width, 2), act::none);
				width *= 2;
			}
			std::string name = "features." + std::to_string(index++) + ".";
			for (int k = 0; k < depths[i]; k++)
				s.blocks.push_back(add_block(name + std::to_string(k) + ".", width));
			stages.push_back(s);
		}
		last = layer_norm("classifier.0", channels = width);
	}

	at::Tensor features(const at::Tensor &input, std::vector<at::Tensor> *) override
	{
		at::Tensor x = (*after_stem)((*stem)(input));
		for (stage &s : stages) {
			if (s.reduce)
				x = (*s.reduce)((*s.before)(x));
			for (block &b : s.blocks)
				x = (*b.narrow)((*b.widen)((*b.after)((*b.depthwise)(x))), &x);
		}
		return (*last)(pool_maps(x).to(x.scalar_type()).unsqueeze(2).unsqueeze(3));
	}

  protected:
	std::vector<std::string> unused() const override
	{
		return { "classifier.2." };
	}

  private:
	static shape patches(int64_t in, int64_t out, int64_t side)
	{
		shape s{ in, out, side, side };
		s.pad = padding::none;
		return s;
	}

	static shape linear(int64_t in, int64_t out)
	{
		shape s{ in, out };
		s.flat = true;
		return s;
	}

	norm *layer_norm(const std::string &name, int64_t width)
	{
		return lone_norm(norm::kind::layer, name, width, 1e-6);
	}

	block add_block(const std::string &name, int64_t width)
	{
		block b;
		b.depthwise = unit(name + "block.0", "", { width, width, 7, 1, width }, act::none);
		b.after = layer_norm(name + "block.2", width);
		b.widen = unit(name + "block.3", "", linear(width, 4 * width), act::gelu);
		b.narrow = unit(name + "block.5", "", linear(4 * width, width), act::none);
		b.narrow->scale_name = name + "layer_scale";
		b.narrow->scale_shape = { width, 1, 1 };
		return b;
	}

	conv *stem;
	norm *after_stem, *last;
	std::vector<stage> stages;
};

} // namespace

std::unique_ptr<network> convnext(const std::string &name)
{
	static const struct {
		const char *name;
		std::vector<int> depths;
		int64_t width;
	} sizes[] = {
		{ "convnext_tiny", { 3, 3, 9, 3 }, 96 },
		{ "convnext_small", { 3, 3, 27, 3 }, 96 },
		{ "convnext_base", { 3, 3, 27, 3 }, 128 },
		{ "convnext_large", { 3, 3, 27, 3 }, 192 },
	};
	for (auto &s : sizes)
		if (name == s.name)
			return std::make_unique<convnext_network>(s.depths, s.width);
	return nullptr;
}

} // namespace ims
