/*
 * EfficientNet-B0 to -B7: Tan and Le, "EfficientNet: Rethinking model scaling for convolutional
 * neural networks" (2019), with torchvision's names. A block widens, convolves each channel, weighs
 * the channels by the means over the picture (squeeze and excitation), and narrows.
 *
 * EfficientNetV2-S, -M, -L: Tan and Le, "EfficientNetV2: Smaller models and faster training"
 * (2021). In the first stages one convolution widens and sees the neighbours, without weighing.
 *
 * EfficientNet-Lite0 to -Lite2 (Google, 2020), with the names of timm or of efficientnet_pytorch:
 * the same stages without squeeze and excitation, ReLU6 for SiLU, TensorFlow's padding. Stem, head
 * and the repeats of the first and the last stage are not scaled.
 */
#include "shim/excitation.h"
#include "shim/inverted.h"

#include <cmath>
#include <iterator>

namespace ims
{
namespace
{

struct scale {
	double width, depth, eps;
};

struct stage {
	int64_t widen, kernel, stride, out, repeat;
	bool fused = false; /* one convolution widens and takes the place of that of each channel */
};

const stage stages[] = {
	{ 1, 3, 1, 16, 1 },
	{ 6, 3, 2, 24, 2 },
	{ 6, 5, 2, 40, 2 },
	{ 6, 3, 2, 80, 3 },
	{ 6, 5, 1, 112, 3 },
	{ 6, 5, 2, 192, 4 },
	{ 6, 3, 1, 320, 1 },
};

/* Rounded to a multiple of 8, but at most a tenth smaller. */
int64_t scaled_width(int64_t channels, double width)
{
	double v = (double)channels * width;
	int64_t r = std::max<int64_t>(8, (int64_t)(v + 4) / 8 * 8);
	return (double)r < 0.9 * v ? r + 8 : r;
}

int64_t scaled_depth(int64_t repeat, double depth)
{
	return (int64_t)std::ceil((double)repeat * depth);
}

std::vector<stage> scaled(const scale &sc)
{
	std::vector<stage> out(std::begin(stages), std::end(stages));
	for (stage &s : out) {
		s.out = scaled_width(s.out, sc.width);
		s.repeat = scaled_depth(s.repeat, sc.depth);
	}
	return out;
}

class efficientnet_network : public excited_network
{
  public:
	/* first, last: the channels of the stem and of the last maps. */
	efficientnet_network(const std::vector<stage> &list, int64_t first, int64_t latest, double e)
		: eps(e)
	{
		int64_t in = first;
		int index = 1;
		stem = unit("features.0.0", "features.0.1", { 3, in, 3, 2 }, act::silu, eps);
		for (const stage &s : list) {
			std::string name = "features." + std::to_string(index++) + ".";
			for (int64_t i = 0; i < s.repeat; i++, in = s.out)
				blocks.push_back(add_block(name + std::to_string(i) + ".block.",
					{ in, s.out, s.kernel, i ? 1 : s.stride }, s.widen, s.fused));
		}
		std::string name = "features." + std::to_string(index);
		channels = latest;
		last = unit(name + ".0", name + ".1", { in, channels }, act::silu, eps);
	}

  private:
	excited_block add_block(const std::string &name, const shape &s, int64_t widen, bool fused)
	{
		excited_block b;
		b.residual = s.stride == 1 && s.in == s.out;
		int64_t wide = s.in * widen, narrow = std::max<int64_t>(1, s.in / 4);
		int part = 0;
		auto next = [&] { return name + std::to_string(part++); };
		auto pair = [&](const shape &dims, act a) {
			std::string at = next();
			return unit(at + ".0", at + ".1", dims, a, eps);
		};
		if (fused && widen == 1) {
			b.widen = pair(s, act::silu);
			return b;
		}
		if (fused)
			b.widen = pair({ s.in, wide, s.kernel, s.stride }, act::silu);
		else if (widen != 1)
			b.widen = pair({ s.in, wide }, act::silu);
		if (!fused) {
			b.depthwise = pair({ wide, wide, s.kernel, s.stride, wide }, act::silu);
			std::string weigh = next();
			b.weigh.squeeze = unit(weigh + ".fc1", "", { wide, narrow }, act::silu);
			b.weigh.excite = unit(weigh + ".fc2", "", { narrow, wide }, act::sigmoid);
		}
		b.narrow = pair({ wide, s.out }, act::none);
		return b;
	}

	double eps;
};

/* The module of a convolution and that of its norm. */
struct names {
	std::string conv, norm;
};

class lite_network : public inverted_network
{
  public:
	explicit lite_network(const scale &sc) : eps(sc.eps)
	{
		int64_t in = 32, stage = 0, index = 0;
		const int64_t latest = std::size(stages) - 1;
		stem = add({ "conv_stem", "bn1" }, { "_conv_stem", "_bn0" }, { 3, in, 3, 2 }, act::relu6);
		for (auto &s : stages) {
			int64_t out = scaled_width(s.out, sc.width),
					repeat = stage == 0 || stage == latest ? s.repeat
														   : scaled_depth(s.repeat, sc.depth);
			for (int64_t i = 0; i < repeat; i++, in = out)
				blocks.push_back(
					add_block("blocks." + std::to_string(stage) + "." + std::to_string(i),
						"_blocks." + std::to_string(index++),
						{ in, out, s.kernel, i ? 1 : s.stride }, s.widen));
			stage++;
		}
		channels = 1280;
		last = add({ "conv_head", "bn2" }, { "_conv_head", "_bn1" }, { in, channels }, act::relu6);
	}

  private:
	conv *add(const names &timm, const names &pytorch, shape s, act a)
	{
		s.pad = padding::same;
		conv *u = unit(timm.conv, timm.norm, s, a, eps);
		u->other_name = pytorch.conv;
		u->other_norm = pytorch.norm;
		return u;
	}

	inverted_block add_block(const std::string &timm, const std::string &pytorch, shape s,
		int64_t widen)
	{
		inverted_block b{ {}, s.stride == 1 && s.in == s.out };
		int64_t wide = s.in * widen;
		auto part = [&](const char *ours, const char *theirs, int norm, shape dims, act a) {
			/* timm counts the norms of a block from 1, the other layout from that of widening. */
			int first = widen == 1 ? 0 : 1;
			b.convs.push_back(
				add({ timm + "." + ours, timm + ".bn" + std::to_string(norm + first) },
					{ pytorch + "." + theirs, pytorch + "._bn" + std::to_string(norm) }, dims, a));
		};
		if (widen != 1)
			part("conv_pw", "_expand_conv", 0, { s.in, wide }, act::relu6);
		part("conv_dw", "_depthwise_conv", 1, { wide, wide, s.kernel, s.stride, wide }, act::relu6);
		part(widen == 1 ? "conv_pw" : "conv_pwl", "_project_conv", 2, { wide, s.out }, act::none);
		return b;
	}

	double eps;
};

/* The number at the end of a name of this stem, from 0 to most; -1: another name. */
int number_of(const std::string &name, const std::string &stem, char most)
{
	bool ours = name.size() == stem.size() + 1 && name.compare(0, stem.size(), stem) == 0
		&& name.back() >= '0' && name.back() <= most;
	return ours ? name.back() - '0' : -1;
}

} // namespace

std::unique_ptr<network> efficientnet(const std::string &name)
{
	static const scale lite[] = {
		{ 1.0, 1.0, 1e-3 },
		{ 1.0, 1.1, 1e-3 },
		{ 1.1, 1.2, 1e-3 },
	};
	static const scale scales[] = {
		{ 1.0, 1.0, 1e-5 },
		{ 1.0, 1.1, 1e-5 },
		{ 1.1, 1.2, 1e-5 },
		{ 1.2, 1.4, 1e-5 },
		{ 1.4, 1.8, 1e-5 },
		{ 1.6, 2.2, 1e-3 },
		{ 1.8, 2.6, 1e-3 },
		{ 2.0, 3.1, 1e-3 },
	};
	static const struct {
		const char *name;
		int64_t first;
		std::vector<stage> stages;
	} second[] = {
		{ "efficientnet_v2_s", 24,
			{ { 1, 3, 1, 24, 2, true }, { 4, 3, 2, 48, 4, true }, { 4, 3, 2, 64, 4, true },
				{ 4, 3, 2, 128, 6 }, { 6, 3, 1, 160, 9 }, { 6, 3, 2, 256, 15 } } },
		{ "efficientnet_v2_m", 24,
			{ { 1, 3, 1, 24, 3, true }, { 4, 3, 2, 48, 5, true }, { 4, 3, 2, 80, 5, true },
				{ 4, 3, 2, 160, 7 }, { 6, 3, 1, 176, 14 }, { 6, 3, 2, 304, 18 },
				{ 6, 3, 1, 512, 5 } } },
		{ "efficientnet_v2_l", 32,
			{ { 1, 3, 1, 32, 4, true }, { 4, 3, 2, 64, 7, true }, { 4, 3, 2, 96, 7, true },
				{ 4, 3, 2, 192, 10 }, { 6, 3, 1, 224, 19 }, { 6, 3, 2, 384, 25 },
				{ 6, 3, 1, 640, 7 } } },
	};
	int b = number_of(name, "efficientnet_b", '7'), l = number_of(name, "efficientnet_lite", '2');
	for (auto &s : second)
		if (name == s.name)
			return std::make_unique<efficientnet_network>(s.stages, s.first, 1280, 1e-3);
	if (l >= 0)
		return std::make_unique<lite_network>(lite[l]);
	if (b < 0)
		return nullptr;
	std::vector<stage> list = scaled(scales[b]);
	return std::make_unique<efficientnet_network>(list, scaled_width(32, scales[b].width),
		4 * list.back().out, scales[b].eps);
}

} // namespace ims
