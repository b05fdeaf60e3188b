/*
 * EfficientNet-B0 to -B7: Tan and Le, "EfficientNet: Rethinking model scaling for convolutional
 * neural networks" (2019), with torchvision's names. A block widens, convolves each channel, weighs
 * the channels by the means over the picture (squeeze and excitation), and narrows.
 */
#include "shim/nn.h"

#include <c10/core/GradMode.h>

#include <cmath>

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

/* Rounded to a multiple of 8, but at most a tenth smaller. */
int64_t scaled_width(int64_t channels, double width)
{
	double v = (double)channels * width;
	int64_t r = std::max<int64_t>(8, (int64_t)(v + 4) / 8 * 8);
	return (double)r < 0.9 * v ? r + 8 : r;
}

class efficientnet_network : public network
{
  public:
	explicit efficientnet_network(const scale &sc) : eps(sc.eps)
	{
		static const struct {
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
		int64_t in = scaled_width(32, sc.width);
		int index = 1;
		stem = unit("features.0.0", "features.0.1", { 3, in, 3, 2 }, act::silu, eps);
		for (auto &s : stages) {
			int64_t out = scaled_width(s.out, sc.width),
					repeat = (int64_t)std::ceil((double)s.repeat * sc.depth);
			std::string name = "features." + std::to_string(index++) + ".";
			for (int64_t i = 0; i < repeat; i++, in = out)
				blocks.push_back(add_block(name + std::to_string(i) + ".block.",
					{ in, out, s.kernel, i ? 1 : s.stride }, s.widen));
		}
		channels = 4 * in;
		last = unit("features.8.0", "features.8.1", { in, channels }, act::silu, eps);
	}

	at::Tensor features(const at::Tensor &input) override
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

} // namespace

std::unique_ptr<network> efficientnet(const std::string &name)
{
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
	static const std::string stem = "efficientnet_b";
	if (name.size() != stem.size() + 1 || name.compare(0, stem.size(), stem) || name.back() < '0'
		|| name.back() > '7')
		return nullptr;
	return std::make_unique<efficientnet_network>(scales[name.back() - '0']);
}

} // namespace ims
