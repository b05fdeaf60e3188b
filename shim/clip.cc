/*
 * In libtorch 1.13 hardtanh has no bfloat16 backward pass on the CPU. That of clamp (two
 * comparisons, a conjunction and a selection, each a pass over memory) takes more than half of
 * MobileNetV2's training step.
 */
#include "shim/clip.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cstring>

namespace ims
{
namespace
{

/*
 * out = g where 0 < y < top, else 0. Bit patterns of positive floats grow with their value, so one
 * unsigned comparison is enough. There is no branch, so that the compiler can vectorise.
 */
template <typename U> void mask_bits(const void *y, const void *g, void *out, int64_t n, U top)
{
	const U *ys = static_cast<const U *>(y), *gs = static_cast<const U *>(g);
	U *to = static_cast<U *>(out);
	at::parallel_for(0, n, 1 << 16, [=](int64_t begin, int64_t end) {
#pragma omp simd
		for (int64_t i = begin; i < end; i++)
			to[i] = gs[i]
				& static_cast<U>(
					-static_cast<int>(static_cast<U>(ys[i] - 1) < static_cast<U>(top - 1)));
	});
}

at::Tensor masked(const at::Tensor &y, at::Tensor g, double top)
{
	auto type = y.scalar_type();
	if (!y.device().is_cpu() || (type != at::kFloat && type != at::kBFloat16)
		|| !y.is_non_overlapping_and_dense())
		return g * ((y > 0) & (y < top));
	if (g.strides() != y.strides())
		g = at::empty_like(y).copy_(g);
	at::Tensor out = at::empty_like(y);
	if (type == at::kBFloat16) {
		mask_bits<uint16_t>(y.data_ptr(), g.data_ptr(), out.data_ptr(), y.numel(),
			c10::BFloat16(static_cast<float>(top)).x);
		return out;
	}
	float limit = static_cast<float>(top);
	uint32_t bits;
	memcpy(&bits, &limit, sizeof bits);
	mask_bits<uint32_t>(y.data_ptr(), g.data_ptr(), out.data_ptr(), y.numel(), bits);
	return out;
}

struct Clip : torch::autograd::Function<Clip> {
	static at::Tensor forward(torch::autograd::AutogradContext *ctx, at::Tensor x, double top)
	{
		x.clamp_(0, top);
		ctx->mark_dirty({ x });
		ctx->save_for_backward({ x });
		ctx->saved_data["top"] = top;
		return x;
	}
	static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx,
		torch::autograd::variable_list g)
	{
		return {
			masked(ctx->get_saved_variables()[0], g[0], ctx->saved_data["top"].toDouble()),
			at::Tensor(),
		};
	}
};

} // namespace

at::Tensor clip(const at::Tensor &x, double top)
{
	return x.requires_grad() ? Clip::apply(x, top) : x.clamp(0, top);
}

} // namespace ims
