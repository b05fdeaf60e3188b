/*
 * Squeeze and excitation: Hu, Shen and Sun, "Squeeze-and-excitation networks" (2018). Each channel
 * is multiplied by a factor in 0..1 that the means of all channels over the picture give.
 */
#ifndef IMS_SHIM_EXCITATION_H
#define IMS_SHIM_EXCITATION_H

#include "shim/network.h"

#include <c10/core/GradMode.h>

namespace ims
{

struct excitation {
	conv *squeeze = nullptr, *excite = nullptr; /* NULL: the maps stay as they are */

	at::Tensor operator()(at::Tensor y) const
	{
		if (!squeeze)
			return y;
		bool trains = c10::GradMode::is_enabled();
		/* The pooling reads bfloat16 in one pass; the mean makes a copy in f32 first. */
		at::Tensor means = trains ? y.mean({ 2, 3 }, true)
								  : at::avg_pool2d(y, { y.size(2), y.size(3) });
		at::Tensor factor = (*excite)((*squeeze)(means));
		return trains ? y * factor : y.mul_(factor);
	}
};

/* An inverted residual with such factors; NULL: the block has no such layer. */
struct excited_block {
	conv *widen = nullptr, *depthwise = nullptr;
	excitation weigh;
	conv *narrow = nullptr;
	bool residual = false;

	at::Tensor operator()(const at::Tensor &x) const
	{
		at::Tensor y = widen ? (*widen)(x) : x;
		if (!narrow)
			return residual ? y + x : y;
		if (depthwise)
			y = (*depthwise)(y);
		return (*narrow)(weigh(y), residual ? &x : nullptr);
	}
};

/* What EfficientNet and MobileNetV3 share: a chain of them. */
class excited_network : public network
{
  public:
	at::Tensor features(const at::Tensor &input, std::vector<at::Tensor> *) override
	{
		at::Tensor x = (*stem)(input);
		for (const excited_block &b : blocks)
			x = b(x);
		return (*last)(x);
	}

  protected:
	conv *stem, *last;
	std::vector<excited_block> blocks;
};

} // namespace ims

#endif
