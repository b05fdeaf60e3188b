/* What MobileNetV2 and EfficientNet-Lite share: a chain of inverted residuals. */
#ifndef IMS_SHIM_INVERTED_H
#define IMS_SHIM_INVERTED_H

#include "shim/network.h"

namespace ims
{

/* The convolutions of a block: widen (except in the first block), depthwise, narrow. */
struct inverted_block {
	std::vector<conv *> convs;
	bool residual;
};

class inverted_network : public network
{
  public:
	at::Tensor features(const at::Tensor &input, std::vector<at::Tensor> *inner) override
	{
		at::Tensor x = (*stem)(input);
		for (inverted_block &b : blocks) {
			at::Tensor shortcut = x;
			for (conv *c : b.convs)
				x = (*c)(x, b.residual && c == b.convs.back() ? &shortcut : nullptr);
			if (inner)
				inner->push_back(x.mean({ 2, 3 }, false, at::kFloat));
		}
		return (*last)(x);
	}

	std::vector<int64_t> inner_channels() const override
	{
		std::vector<int64_t> out;
		for (const inverted_block &b : blocks)
			out.push_back(b.convs.back()->dims.out);
		return out;
	}

  protected:
	conv *stem, *last;
	std::vector<inverted_block> blocks;
};

} // namespace ims

#endif
