/* What a batch of features should be. Sums, not means: the caller divides. */
#ifndef IMS_SHIM_LOSSES_H
#define IMS_SHIM_LOSSES_H

#include "shim/shim.h"

#include <torch/torch.h>

namespace ims {

struct batch_loss {
	at::Tensor loss;         /* mean over what counted; undefined when nothing did */
	double hits, counted;
};

/* centres: (classes, width); bias: cross entropy's. labels: -1 for none. */
batch_loss label_loss(uint32_t loss, const at::Tensor &features, const at::Tensor &labels, const at::Tensor &centres, const at::Tensor &bias);

/* 1 - cosine to the targets, and how far the batch's similarities are from the targets' own (Park et al. 2019). */
batch_loss target_loss(const at::Tensor &features, const at::Tensor &targets, double relational);

} // namespace ims

#endif
