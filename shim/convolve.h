/* Convolution for training, in the type of its input; see convolve.cc. */
#ifndef IMS_SHIM_CONVOLVE_H
#define IMS_SHIM_CONVOLVE_H

#include <ATen/ATen.h>

namespace ims {

/* As at::conv2d with dilation 1. weight and bias (or undefined) in f32; their gradients are f32 too. */
at::Tensor convolve(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, int64_t stride, int64_t padding, int64_t groups);

} // namespace ims

#endif
