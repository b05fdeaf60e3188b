/*
 * AdamW (Loshchilov and Hutter, arXiv:1711.05101, 2017). Weights from a file decay towards their
 * starting values (L2-SP: Li, Grandvalet, Davoine, arXiv:1802.01483, 2018), new ones towards zero.
 */
#ifndef IMS_SHIM_ADAMW_H
#define IMS_SHIM_ADAMW_H

#include <torch/torch.h>

namespace ims
{

struct parameter {
	std::string name;
	at::Tensor value, first, second, start; /* moments; start: undefined for a new layer */
};

struct adamw_settings {
	double rate, anchor, decay; /* of the step; pull to the start; to zero */
	int64_t steps;              /* with this one */
};

/* A step along the gradients of the values. One without a gradient stays. */
void adamw(std::vector<parameter> &params, const adamw_settings &settings);

} // namespace ims

#endif
