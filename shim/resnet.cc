/*
 * ResNet-18, -34, -50, -101, -152: He et al., "Deep Residual Learning for Image Recognition"
 * (2015), with torchvision's names and its place for the stride (the 3x3 convolution of a
 * bottleneck, "ResNet v1.5"). ResNeXt (Xie et al., "Aggregated residual transformations for deep
 * neural networks", 2017) has that convolution in groups, Wide ResNet (Zagoruyko and Komodakis,
 * "Wide residual networks", 2016) twice as wide.
 *
 * SSCD: Pizzi et al., "A self-supervised descriptor for image copy detection" (2022), a ResNet-50
 * or ResNeXt-101. Its maps are pooled by the generalised mean of power 3 and projected. Names are
 * those of its publisher's files: torchvision's, or Classy Vision's.
 */
#include "shim/network.h"

namespace ims
{
namespace
{

struct block {
	std::vector<conv *> convs; /* two or three convolutions; the last takes the shortcut */
	conv *shortcut;            /* NULL: the input itself */
};

struct kind {
	const char *name;
	std::vector<int> depths;
	bool bottleneck;
	int64_t groups = 1, group_width = 64; /* in the first stage, of the 3x3 convolution */
	int64_t copies = 0;                   /* values of SSCD's descriptor; 0: it is none */
};

class resnet_network : public network
{
  public:
	explicit resnet_network(const kind &k)
	{
		stem = unit("conv1", "bn1", { 3, 64, 7, 2 }, act::relu);
		set_other_names(stem, "initial_block._module.0", "initial_block._module.1");
		int64_t in = 64, expansion = k.bottleneck ? 4 : 1;
		for (size_t layer = 0; layer < k.depths.size(); layer++)
			for (int i = 0; i < k.depths[layer]; i++) {
				int64_t stride = layer && !i ? 2 : 1, out = (64 << layer) * expansion;
				std::string name = "layer" + std::to_string(layer + 1) + "." + std::to_string(i)
					+ ".";
				shape middle{ in, k.groups * k.group_width << layer, 3, stride, k.groups };
				blocks.push_back(add_block(name, middle, out, k.bottleneck));
				name_otherwise(blocks.back(),
					"blocks." + std::to_string(layer) + "." + std::to_string(i) + "._module.");
				in = out;
			}
		channels = k.copies ? k.copies : in;
		shape s{ in, k.copies };
		s.flat = true;
		descriptor = k.copies ? unit("fc", "", s, act::none) : nullptr;
		set_other_names(descriptor, "embeddings.1", "");
	}

	at::Tensor features(const at::Tensor &input, std::vector<at::Tensor> *) override
	{
		at::Tensor x = at::max_pool2d((*stem)(input), 3, 2, 1);
		for (block &b : blocks) {
			at::Tensor shortcut = b.shortcut ? (*b.shortcut)(x) : x;
			for (conv *c : b.convs)
				x = (*c)(x, c == b.convs.back() ? &shortcut : nullptr);
		}
		if (!descriptor)
			return x;
		at::Tensor mean = generalised_mean(x).to(x.scalar_type());
		return (*descriptor)(mean.unsqueeze(2).unsqueeze(3));
	}

  protected:
	std::vector<uint32_t> poolings() const override
	{
		return descriptor ? std::vector<uint32_t>{ SHIM_POOLING_GEM } : network::poolings();
	}

	std::vector<std::string> unused() const override
	{
		return descriptor ? std::vector<std::string>{} : network::unused();
	}

	std::string current_name(const std::string &name) const override
	{
		static const std::string part = "backbone.";
		return descriptor && !name.compare(0, part.size(), part) ? name.substr(part.size()) : name;
	}

  private:
	static void set_other_names(conv *c, const std::string &name, const std::string &norm)
	{
		if (!c)
			return;
		c->other_name = name;
		c->other_norm = norm;
	}

	/* The names of Classy Vision. */
	static void name_otherwise(const block &b, const std::string &name)
	{
		for (size_t i = 0; i < b.convs.size(); i++) {
			std::string part = name + "convolutional_block.";
			set_other_names(b.convs[i], part + std::to_string(3 * i),
				b.convs[i] == b.convs.back() ? name + "bn" : part + std::to_string(3 * i + 1));
		}
		set_other_names(b.shortcut, name + "downsample.0", name + "downsample.1");
	}

	/* middle: the 3x3 convolution of a bottleneck, or the first of two, for the block's input. */
	block add_block(const std::string &name, const shape &middle, int64_t out, bool bottleneck)
	{
		block b{ {}, nullptr };
		int64_t in = middle.in, width = middle.out, stride = middle.stride;
		if (bottleneck) {
			b.convs.push_back(unit(name + "conv1", name + "bn1", { in, width }, act::relu));
			b.convs.push_back(unit(name + "conv2", name + "bn2",
				{ width, width, 3, stride, middle.groups }, act::relu));
			b.convs.push_back(unit(name + "conv3", name + "bn3", { width, out }, act::relu));
		} else {
			b.convs.push_back(unit(name + "conv1", name + "bn1", middle, act::relu));
			b.convs.push_back(unit(name + "conv2", name + "bn2", { width, out, 3 }, act::relu));
		}
		if (stride != 1 || in != out)
			b.shortcut = unit(name + "downsample.0", name + "downsample.1", { in, out, 1, stride },
				act::none);
		return b;
	}

	conv *stem, *descriptor; /* descriptor: NULL: none */
	std::vector<block> blocks;
};

} // namespace

std::unique_ptr<network> resnet(const std::string &name)
{
	static const kind kinds[] = {
		{ "resnet18", { 2, 2, 2, 2 }, false },
		{ "resnet34", { 3, 4, 6, 3 }, false },
		{ "resnet50", { 3, 4, 6, 3 }, true },
		{ "resnet101", { 3, 4, 23, 3 }, true },
		{ "resnet152", { 3, 8, 36, 3 }, true },
		{ "resnext50_32x4d", { 3, 4, 6, 3 }, true, 32, 4 },
		{ "resnext101_32x8d", { 3, 4, 23, 3 }, true, 32, 8 },
		{ "resnext101_64x4d", { 3, 4, 23, 3 }, true, 64, 4 },
		{ "wide_resnet50_2", { 3, 4, 6, 3 }, true, 1, 128 },
		{ "wide_resnet101_2", { 3, 4, 23, 3 }, true, 1, 128 },
	};
	for (auto &k : kinds)
		if (name == k.name)
			return std::make_unique<resnet_network>(k);
	return nullptr;
}

std::unique_ptr<network> sscd(const std::string &name)
{
	static const kind kinds[] = {
		{ "sscd_resnet50", { 3, 4, 6, 3 }, true, 1, 64, 512 },
		{ "sscd_resnext101_32x4d", { 3, 4, 23, 3 }, true, 32, 4, 1024 },
	};
	for (auto &k : kinds)
		if (name == k.name)
			return std::make_unique<resnet_network>(k);
	return nullptr;
}

} // namespace ims
