/*
 * MobileNetV2: Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: Inverted residuals and linear
 * bottlenecks" (2018), with torchvision's names.
 */
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

} // namespace

std::unique_ptr<network> mobilenet(const std::string &name)
{
	return name == "mobilenet_v2" ? std::make_unique<mobilenet_v2>() : nullptr;
}

} // namespace ims
