/*
 * MobileNetV2: Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: Inverted residuals and linear
 * bottlenecks" (2018), with torchvision's names. MobileNetV3-small and -large: Howard et al.,
 * "Searching for MobileNetV3" (2019).
 */
#include "shim/excitation.h"
#include "shim/inverted.h"

namespace ims
{
namespace
{

class mobilenet_v2 : public inverted_network
{
  public:
	mobilenet_v2()
	{
		static const struct {
			int64_t widen, out, repeat, stride;
		} stages[] = {
			{ 1, 16, 1, 1 },
			{ 6, 24, 2, 2 },
			{ 6, 32, 3, 2 },
			{ 6, 64, 4, 2 },
			{ 6, 96, 3, 1 },
			{ 6, 160, 3, 2 },
			{ 6, 320, 1, 1 },
		};
		int64_t in = 32;
		int index = 1;
		stem = unit("features.0.0", "features.0.1", { 3, in, 3, 2 }, act::relu6);
		for (auto &s : stages)
			for (int64_t i = 0; i < s.repeat; i++, in = s.out)
				blocks.push_back(add_block("features." + std::to_string(index++) + ".conv.", in,
					s.out, s.widen, i ? 1 : s.stride));
		channels = 1280;
		last = unit("features.18.0", "features.18.1", { in, channels }, act::relu6);
	}

  private:
	inverted_block add_block(const std::string &name, int64_t in, int64_t out, int64_t widen,
		int64_t stride)
	{
		inverted_block b{ {}, stride == 1 && in == out };
		int64_t wide = in * widen;
		int part = 0;
		auto next = [&] { return name + std::to_string(part++); };
		auto pair = [&](shape s) {
			std::string at = next();
			b.convs.push_back(unit(at + ".0", at + ".1", s, act::relu6));
		};
		if (widen != 1)
			pair({ in, wide });
		pair({ wide, wide, 3, stride, wide });
		std::string narrow = next();
		b.convs.push_back(unit(narrow, next(), { wide, out }, act::none));
		return b;
	}
};

struct v3_block {
	int64_t kernel, wide, out;
	bool weighs; /* by squeeze and excitation */
	bool swish;  /* hard swish, else ReLU */
	int64_t stride;
};

class mobilenet_v3 : public excited_network
{
  public:
	explicit mobilenet_v3(const std::vector<v3_block> &list)
	{
		int64_t in = 16;
		int index = 1;
		stem = unit("features.0.0", "features.0.1", { 3, in, 3, 2 }, act::hardswish, eps);
		for (const v3_block &b : list) {
			blocks.push_back(add_block("features." + std::to_string(index++) + ".block.", in, b));
			in = b.out;
		}
		std::string name = "features." + std::to_string(index);
		channels = 6 * in;
		last = unit(name + ".0", name + ".1", { in, channels }, act::hardswish, eps);
	}

  private:
	static constexpr double eps = 1e-3;

	excited_block add_block(const std::string &name, int64_t in, const v3_block &k)
	{
		excited_block b;
		act a = k.swish ? act::hardswish : act::relu;
		int part = 0;
		auto next = [&] { return name + std::to_string(part++); };
		auto pair = [&](const shape &s, act after) {
			std::string at = next();
			return unit(at + ".0", at + ".1", s, after, eps);
		};
		b.residual = k.stride == 1 && in == k.out;
		if (k.wide != in)
			b.widen = pair({ in, k.wide }, a);
		b.depthwise = pair({ k.wide, k.wide, k.kernel, k.stride, k.wide }, a);
		if (k.weighs) {
			/* A quarter, rounded to a multiple of 8, but at most a tenth smaller. */
			int64_t quarter = k.wide / 4, narrow = std::max<int64_t>(8, (quarter + 4) / 8 * 8);
			narrow += 10 * narrow < 9 * quarter ? 8 : 0;
			std::string weigh = next();
			b.weigh.squeeze = unit(weigh + ".fc1", "", { k.wide, narrow }, act::relu);
			b.weigh.excite = unit(weigh + ".fc2", "", { narrow, k.wide }, act::hardsigmoid);
		}
		b.narrow = pair({ k.wide, k.out }, act::none);
		return b;
	}
};

} // namespace

std::unique_ptr<network> mobilenet(const std::string &name)
{
	static const std::vector<v3_block> large = {
		{ 3, 16, 16, false, false, 1 },
		{ 3, 64, 24, false, false, 2 },
		{ 3, 72, 24, false, false, 1 },
		{ 5, 72, 40, true, false, 2 },
		{ 5, 120, 40, true, false, 1 },
		{ 5, 120, 40, true, false, 1 },
		{ 3, 240, 80, false, true, 2 },
		{ 3, 200, 80, false, true, 1 },
		{ 3, 184, 80, false, true, 1 },
		{ 3, 184, 80, false, true, 1 },
		{ 3, 480, 112, true, true, 1 },
		{ 3, 672, 112, true, true, 1 },
		{ 5, 672, 160, true, true, 2 },
		{ 5, 960, 160, true, true, 1 },
		{ 5, 960, 160, true, true, 1 },
	};
	static const std::vector<v3_block> small = {
		{ 3, 16, 16, true, false, 2 },
		{ 3, 72, 24, false, false, 2 },
		{ 3, 88, 24, false, false, 1 },
		{ 5, 96, 40, true, true, 2 },
		{ 5, 240, 40, true, true, 1 },
		{ 5, 240, 40, true, true, 1 },
		{ 5, 120, 48, true, true, 1 },
		{ 5, 144, 48, true, true, 1 },
		{ 5, 288, 96, true, true, 2 },
		{ 5, 576, 96, true, true, 1 },
		{ 5, 576, 96, true, true, 1 },
	};
	if (name == "mobilenet_v2")
		return std::make_unique<mobilenet_v2>();
	if (name == "mobilenet_v3_large")
		return std::make_unique<mobilenet_v3>(large);
	if (name == "mobilenet_v3_small")
		return std::make_unique<mobilenet_v3>(small);
	return nullptr;
}

} // namespace ims
