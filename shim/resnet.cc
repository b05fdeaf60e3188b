/*
 * ResNet-18, -34, -50, -101, -152: He et al., "Deep Residual Learning for Image Recognition"
 * (2015), with torchvision's names and its place for the stride (the 3x3 convolution of a
 * bottleneck, "ResNet v1.5").
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

class resnet_network : public network
{
  public:
	resnet_network(const std::vector<int> &depths, bool bottleneck)
	{
		stem = unit("conv1", "bn1", { 3, 64, 7, 2 }, act::relu);
		int64_t in = 64, expansion = bottleneck ? 4 : 1;
		for (size_t layer = 0; layer < depths.size(); layer++)
			for (int i = 0; i < depths[layer]; i++) {
				int64_t width = 64 << layer, stride = layer && !i ? 2 : 1;
				std::string name = "layer" + std::to_string(layer + 1) + "." + std::to_string(i)
					+ ".";
				blocks.push_back(add_block(name, in, width, width * expansion, stride, bottleneck));
				in = width * expansion;
			}
		channels = in;
	}

	at::Tensor features(const at::Tensor &input, std::vector<at::Tensor> *) override
	{
		at::Tensor x = at::max_pool2d((*stem)(input), 3, 2, 1);
		for (block &b : blocks) {
			at::Tensor shortcut = b.shortcut ? (*b.shortcut)(x) : x;
			for (conv *c : b.convs)
				x = (*c)(x, c == b.convs.back() ? &shortcut : nullptr);
		}
		return x;
	}

  private:
	block add_block(const std::string &name, int64_t in, int64_t width, int64_t out, int64_t stride,
		bool bottleneck)
	{
		block b{ {}, nullptr };
		if (bottleneck) {
			b.convs.push_back(unit(name + "conv1", name + "bn1", { in, width }, act::relu));
			b.convs.push_back(
				unit(name + "conv2", name + "bn2", { width, width, 3, stride }, act::relu));
			b.convs.push_back(unit(name + "conv3", name + "bn3", { width, out }, act::relu));
		} else {
			b.convs.push_back(
				unit(name + "conv1", name + "bn1", { in, width, 3, stride }, act::relu));
			b.convs.push_back(unit(name + "conv2", name + "bn2", { width, out, 3 }, act::relu));
		}
		if (stride != 1 || in != out)
			b.shortcut = unit(name + "downsample.0", name + "downsample.1", { in, out, 1, stride },
				act::none);
		return b;
	}

	conv *stem;
	std::vector<block> blocks;
};

} // namespace

std::unique_ptr<network> resnet(const std::string &name)
{
	static const struct {
		const char *name;
		std::vector<int> depths;
		bool bottleneck;
	} sizes[] = {
		{ "resnet18", { 2, 2, 2, 2 }, false },
		{ "resnet34", { 3, 4, 6, 3 }, false },
		{ "resnet50", { 3, 4, 6, 3 }, true },
		{ "resnet101", { 3, 4, 23, 3 }, true },
		{ "resnet152", { 3, 8, 36, 3 }, true },
	};
	for (auto &s : sizes)
		if (name == s.name)
			return std::make_unique<resnet_network>(s.depths, s.bottleneck);
	return nullptr;
}

} // namespace ims
