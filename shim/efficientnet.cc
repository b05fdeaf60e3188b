/*
 * EfficientNet-B0 to -B7: Tan and Le, "EfficientNet: Rethinking model scaling for convolutional
 * neural networks" (2019), with torchvision's names. A block widens, convolves each channel, weighs
 * the channels by the means over the picture (squeeze and excitation), and narrows.
 *
 * EfficientNet-Lite0 to -Lite2 (Google, 2020), with the names of timm or of efficientnet_pytorch:
 * the same stages without squeeze and excitation, ReLU6 for SiLU, TensorFlow's padding. Stem, head
 * and the repeats of the first and the last stage are not scaled.
 */
#include "shim/inverted.h"

#include <c10/core/GradMode.h>

#include <cmath>
#include <iterator>

namespace ims
{
namespace
{

struct block {
	conv *widen; /* NULL: the first stage */
	conv *depthwise, *squeeze, *excite, *narrow;
	bool residual;
};

struct scale {
	double width, depth, eps;
};

const struct {
	int64_t widen, kernel, stride, out, repeat;
} stages[] = {
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

class efficientnet_network : public network
{
  public:
	explicit efficientnet_network(const scale &sc) : eps(sc.eps)
	{
		int64_t in = scaled_width(32, sc.width);
		int index = 1;
		stem = unit("features.0.0", "features.0.1", { 3, in, 3, 2 }, act::silu, eps);
		for (auto &s : stages) {
			int64_t out = scaled_width(s.out, sc.width), repeat = scaled_depth(s.repeat, sc.depth);
			std::string name = "features." + std::to_string(index++) + ".";
			for (int64_t i = 0; i < repeat; i++, in = out)
				blocks.push_back(add_block(name + std::to_string(i) + ".block.",
					{ in, out, s.kernel, i ? 1 : s.stride }, s.widen));
		}
		channels = 4 * in;
		last = unit("features.8.0", "features.8.1", { in, channels }, act::silu, eps);
	}

	at::Tensor features(const at::Tensor &input, std::vector<at::Tensor> *) override
	{
		at::Tensor x = (*stem)(input);
		for (block &b : blocks) {
			at::Tensor y = (*b.depthwise)(b.widen ? (*b.widen)(x) : x);
			at::Tensor weight = (*b.excite)((*b.squeeze)(y.mean({ 2, 3 }, true)));
			y = c10::GradMode::is_enabled() ? y * weight : y.mul_(weight);
			x = (*b.narrow)(y, b.residual ? &x : nullptr);
		}
		return (*last)(x);
	}

  private:
	block add_block(const std::string &name, shape s, int64_t widen)
	{
		block b{ nullptr, nullptr, nullptr, nullptr, nullptr, s.stride == 1 && s.in == s.out };
		int64_t wide = s.in * widen, narrow = std::max<int64_t>(1, s.in / 4);
		int part = 0;
		auto next = [&] { return name + std::to_string(part++); };
		auto pair = [&](shape dims, act a) {
			std::string at = next();
			return unit(at + ".0", at + ".1", dims, a, eps);
		};
		if (widen != 1)
			b.widen = pair({ s.in, wide }, act::silu);
		b.depthwise = pair({ wide, wide, s.kernel, s.stride, wide }, act::silu);
		std::string weigh = next();
		b.squeeze = unit(weigh + ".fc1", "", { wide, narrow }, act::silu);
		b.excite = unit(weigh + ".fc2", "", { narrow, wide }, act::sigmoid);
		b.narrow = pair({ wide, s.out }, act::none);
		return b;
	}

	double eps;
	conv *stem, *last;
	std::vector<block> blocks;
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
		s.same = true;
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
	int b = number_of(name, "efficientnet_b", '7'), l = number_of(name, "efficientnet_lite", '2');
	if (l >= 0)
		return std::make_unique<lite_network>(lite[l]);
	return b >= 0 ? std::make_unique<efficientnet_network>(scales[b]) : nullptr;
}

} // namespace ims
