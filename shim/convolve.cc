/*
 * Convolution for training. In bfloat16 on the CPU, oneDNN 2.6 takes a kernel for the gradient of 3 x 3 and larger weights that
 * is four to five times slower than its f32 one where maps are small (ResNet-50's last stages) or channels few (every network's
 * first unit): half of a step. So that gradient alone is computed in f32, which also loses nothing by rounding.
 */
#include "shim/convolve.h"

#include <torch/csrc/autograd/custom_function.h>

namespace ims {
namespace {

using at::Tensor;

Tensor plain(const Tensor &x, const Tensor &weight, const Tensor &bias, int64_t stride, int64_t padding, int64_t groups)
{
	auto type = x.scalar_type();
	return at::conv2d(x, weight.to(type), bias.defined() ? bias.to(type) : bias, stride, padding, 1, groups);
}

struct Convolve : torch::autograd::Function<Convolve> {
	static Tensor forward(torch::autograd::AutogradContext *ctx, Tensor x, Tensor weight, c10::optional<Tensor> bias, int64_t stride, int64_t padding)
	{
		ctx->save_for_backward({ x, weight });
		ctx->saved_data["bias"] = bias.has_value();
		ctx->saved_data["stride"] = stride;
		ctx->saved_data["padding"] = padding;
		return plain(x, weight, bias.value_or(Tensor()), stride, padding, 1);
	}

	static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx, torch::autograd::variable_list g)
	{
		auto saved = ctx->get_saved_variables();
		const Tensor &x = saved[0], &weight = saved[1];
		std::vector<int64_t> stride(2, ctx->saved_data["stride"].toInt()), padding(2, ctx->saved_data["padding"].toInt()), one { 1, 1 }, zero { 0, 0 };
		bool bias = ctx->saved_data["bias"].toBool();
		auto gradients = [&](at::ScalarType type, bool of_x) {
			return at::convolution_backward(g[0].to(type), x.to(type), weight.to(type), at::OptionalIntArrayRef({ weight.size(0) }), stride, padding, one,
				false, zero, 1, { of_x, !of_x, !of_x && bias });
		};
		Tensor of_x = ctx->needs_input_grad(0) ? std::get<0>(gradients(x.scalar_type(), true)) : Tensor();
		auto others = gradients(at::kFloat, false);
		return { of_x, std::get<1>(others), std::get<2>(others), Tensor(), Tensor() };
	}
};

} // namespace

Tensor convolve(const Tensor &x, const Tensor &weight, const Tensor &bias, int64_t stride, int64_t padding, int64_t groups)
{
	bool slow = x.scalar_type() == at::kBFloat16 && x.device().is_cpu() && groups == 1 && weight.size(2) > 1;
	if (!slow || !weight.requires_grad())
		return plain(x, weight, bias, stride, padding, groups);
	return Convolve::apply(x, weight, bias.defined() ? c10::optional<Tensor>(bias) : c10::nullopt, stride, padding);
}

} // namespace ims
