/* Losses of a batch of features. */
#ifndef IMS_SHIM_LOSSES_H
#define IMS_SHIM_LOSSES_H

#include "shim/shim.h"

#include <torch/torch.h>

namespace ims
{

struct batch_loss {
	at::Tensor loss; /* mean over the counted pictures; undefined: there are none */
	double hits, counted;
};

/* loss: shim_loss; labels (n): -1 for none; centres (classes, width); bias: for cross entropy. */
batch_loss label_loss(uint32_t loss, const at::Tensor &features, const at::Tensor &labels,
	const at::Tensor &centres, const at::Tensor &bias);

/* 1 - cosine to the targets, plus `relational` times the error of all similarities of the batch. */
batch_loss target_loss(const at::Tensor &features, const at::Tensor &targets, double relational);

} // namespace ims

#endif
