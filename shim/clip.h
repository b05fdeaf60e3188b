/* ReLU and ReLU6 for training, whose backward passes libtorch lacks or has only slowly. */
#ifndef IMS_SHIM_CLIP_H
#define IMS_SHIM_CLIP_H

#include <ATen/ATen.h>

namespace ims
{

/*
 * Clamps to 0..top (infinity: ReLU), in place where x is no leaf; the backward pass is one masking
 * of the gradient.
 */
at::Tensor clip(const at::Tensor &x, double top);

} // namespace ims

#endif
