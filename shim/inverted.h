/* What MobileNetV2 and EfficientNet-Lite share: a chain of inverted residuals. */
#ifndef IMS_SHIM_INVERTED_H
#define IMS_SHIM_INVERTED_H

#include "shim/nn.h"

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
	at::Tensor features(const at::Tensor &input) override
	{
		at::Tensor x = (*stem)(input);
		for (inverted_block &b : blocks) {
			at::Tensor shortcut = x;
			for (conv *c : b.convs)
				x = (*c)(x, b.residual && c == b.convs.back() ? &shortcut : nullptr);
		}
		return (*last)(x);
	}

  protected:
	conv *stem, *last;
	std::vector<inverted_block> blocks;
};

} // namespace ims

#endif
