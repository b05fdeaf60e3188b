/*
 * The conv unit. Inference uses oneDNN's prepacked convolution
 * where libtorch has it (mkldnn_prepacked, on CPUs). It stores the weights in the layout of the
 * kernel, fuses ReLU, and accepts a bias in f32 beside weights in bf16. In f32, 1x1 convolutions
 * were measured to be 2 to 3 times as fast. Training and other devices use plain aten operators.
 */
#include "shim/layer.h"
#include "shim/clip.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/version.h>

#include <limits>

namespace ims
{

/* ------------------------------------------------------------------------------------ conv ---- */

/* The operators, found by name, since not every libtorch has them. */
struct prepacked {
	/* An optional, of c10 or std. */
	using handle = decltype(c10::Dispatcher::singleton().findSchema({ "", "" }));
	handle prepack = find("mkldnn_prepacked::conv2d_prepack", 8),
		   run = find("mkldnn_prepacked::conv2d_run", 2);
	static handle find(const char *name, size_t arguments)
	{
		handle found = c10::Dispatcher::singleton().findSchema({ name, "" });
		/* Another signature than that which packed() calls. */
		if (found && found->schema().arguments().size() != arguments)
			found.reset();
		return found;
	}
};

static const prepacked &ops()
{
	static const prepacked found;
	return found;
}

conv::conv(std::string n, std::string bn, shape s, act a, double e)
	: name(std::move(n)), norm(std::move(bn)), dims(s), activation(a), eps(e)
{
}

void conv::each_slot(const slot_visitor &f)
{
	auto [high, wide] = dims.size();
	std::vector<int64_t> whole = { dims.out, dims.in / dims.groups, high, wide };
	std::vector<int64_t> stored = whole;
	if (dims.flat)
		stored = { dims.out, dims.in * high * wide };
	else if (dims.transposed)
		stored = { dims.in, dims.out };
	f(name + weight_suffix, weight, stored);
	if (weight.defined() && weight.dim() == 2)
		weight = (dims.transposed ? weight.t() : weight).reshape(whole);
	f(name + bias_suffix, bias, { dims.out });
	if (!scale_name.empty())
		f(scale_name, scale, scale_shape);
	if (norm.empty())
		return;
	f(norm + ".weight", gamma, { dims.out });
	f(norm + ".bias", beta, { dims.out });
	f(norm + ".running_mean", mean, { dims.out });
	f(norm + ".running_var", variance, { dims.out });
}

/* All tensors of a batch norm are there, or none and the convolution has a bias. */
void conv::find_missing(std::vector<std::string> &names)
{
	const at::Tensor *norms[] = { &gamma, &beta, &mean, &variance };
	size_t found = 0;
	for (const at::Tensor *t : norms)
		found += t->defined();
	bool merged = !found && bias.defined();
	each_slot([&](const std::string &slot, at::Tensor &t, const std::vector<int64_t> &) {
		bool needed = &t == &bias ? norm.empty() && dims.has_bias
								  : &t == &weight || &t == &scale || !merged;
		if (needed && !t.defined())
			names.push_back(slot);
	});
}

void conv::fold(const at::Device &device, at::ScalarType type)
{
	at::Tensor w = weight.to(at::kFloat), b = bias.defined() ? bias.to(at::kFloat) : at::Tensor();
	if (!b.defined() && !gamma.defined())
		b = at::zeros({ dims.out }, at::TensorOptions(at::kFloat));
	if (gamma.defined()) {
		at::Tensor factor = gamma.to(at::kFloat) * at::rsqrt(variance.to(at::kFloat) + eps);
		at::Tensor offset = beta.to(at::kFloat) - mean.to(at::kFloat) * factor;
		b = b.defined() ? b * factor + offset : offset;
		w = w * factor.reshape({ -1, 1, 1, 1 });
		gamma = beta = mean = variance = at::Tensor();
	}
	if (scale.defined()) {
		at::Tensor s = scale.to(at::kFloat).flatten();
		w = w * s.reshape({ -1, 1, 1, 1 });
		b = b * s;
		scale = at::Tensor();
	}
	/* Both must be copies, since the memory of the file is borrowed. */
	weight = w.to(device, type, false, w.is_alias_of(weight))
				 .contiguous(device.is_cpu() ? at::MemoryFormat::Contiguous
											 : at::MemoryFormat::ChannelsLast);
	bias = b.to(device, device.is_cpu() && ops().prepack && ops().run ? at::kFloat : type, false,
		bias.defined() && b.is_alias_of(bias));
	folded = true;
}

static std::vector<int64_t> pair(int64_t v)
{
	return { v, v };
}

static std::vector<int64_t> pad_of(const shape &s)
{
	auto [high, wide] = s.size();
	return s.pad == padding::none ? pair(0) : std::vector<int64_t>{ high / 2, wide / 2 };
}

/*
 * The kernel for a picture of this size. With stride 2, TensorFlow's "SAME" pads an even size by
 * one less before than behind. Half the kernel on each side says the same once the kernel begins
 * with zeros: cheaper than a padded copy of the maps.
 */
at::Tensor conv::kernel_for(const at::Tensor &x) const
{
	if (dims.pad != padding::same || dims.stride == 1)
		return weight;
	int64_t above = 1 - x.size(2) % 2, left = 1 - x.size(3) % 2;
	return at::constant_pad_nd(weight, { left, 0, above, 0 });
}

/*
 * By mkldnn_prepacked; an undefined tensor where that is not possible. All pictures that a folded
 * unit sees have one size.
 */
at::Tensor conv::packed(const at::Tensor &x, bool relu)
{
	if (!ops().prepack || !ops().run || !x.device().is_cpu())
		return {};
	std::unique_lock<std::mutex> lock(packing);
	/* Packed again only for a larger batch, so that single queries between batches cost nothing. */
	if (x.size(0) > packed_for) {
		torch::jit::Stack stack;
		stack.reserve(8);
		stack.emplace_back(kernel_for(x));
		stack.emplace_back(bias);
		stack.emplace_back(pair(dims.stride));
		stack.emplace_back(pad_of(dims));
		stack.emplace_back(pair(1));
		stack.emplace_back(dims.groups);
		stack.emplace_back(x.sizes().vec());
		stack.emplace_back(std::string(relu ? "relu" : "none"));
		ops().prepack->callBoxed(stack);
		pack = stack.front();
		packed_for = x.size(0);
	}
	torch::jit::Stack stack{ x, pack };
	lock.unlock();
	ops().run->callBoxed(stack);
	return stack.front().toTensor();
}

at::Tensor &activate_(at::Tensor &y, act a)
{
	switch (a) {
	case act::none:
		return y;
	case act::relu:
		return y.relu_();
	case act::relu6:
		return y.clamp_(0, 6);
	case act::silu:
		return at::silu_(y);
	case act::sigmoid:
		return y.sigmoid_();
	case act::gelu:
		return at::gelu_(y);
	case act::gelu_tanh:
		return at::gelu_(y, "tanh");
	case act::quick_gelu:
		return y.mul_(at::sigmoid(y * 1.702));
	case act::hardswish:
		return at::hardswish_(y);
	case act::hardsigmoid:
		return at::hardsigmoid_(y);
	}
	return y;
}

/* With operators that have a backward pass in bfloat16 on every device. */
static at::Tensor activate(const at::Tensor &y, act a)
{
	switch (a) {
	case act::none:
		return y;
	case act::relu:
		return clip(y, std::numeric_limits<double>::infinity());
	case act::relu6:
		return clip(y, 6);
	case act::silu:
		return at::silu(y);
	case act::sigmoid:
		return y.sigmoid();
	case act::gelu:
		return at::gelu(y);
	case act::gelu_tanh:
		return at::gelu(y, "tanh");
	case act::quick_gelu:
		return y * at::sigmoid(y * 1.702);
	case act::hardswish:
		return at::hardswish(y);
	case act::hardsigmoid:
		return at::hardsigmoid(y);
	}
	return y;
}

at::Tensor conv::operator()(const at::Tensor &x, const at::Tensor *add)
{
	if (!folded) {
		auto type = x.scalar_type();
		at::Tensor y = at::conv2d(x, kernel_for(x).to(type), bias.defined() ? bias.to(type) : bias,
			pair(dims.stride), pad_of(dims), pair(1), dims.groups);
		if (gamma.defined())
			y = at::batch_norm(y, gamma, beta, mean, variance, training, 0.1, eps, true);
		return activate(add ? y + *add : y, activation);
	}
	bool relu = activation == act::relu && !add;
	at::Tensor y = packed(x, relu);
	if (y.defined() && relu)
		return y;
	if (!y.defined())
		y = at::conv2d(x, kernel_for(x), bias, pair(dims.stride), pad_of(dims), pair(1),
			dims.groups);
	if (add)
		y.add_(*add);
	return activate_(y, activation);
}

/* ------------------------------------------------------------------------------------ norm ---- */

norm::norm(kind k, std::string n, int64_t c, double e, act a)
	: type(k), name(std::move(n)), channels(c), eps(e), activation(a)
{
}

void norm::each_slot(const slot_visitor &f)
{
	f(name + ".weight", gamma, { channels });
	f(name + ".bias", beta, { channels });
	if (type == kind::layer)
		return;
	f(name + ".running_mean", mean, { channels });
	f(name + ".running_var", variance, { channels });
}

void norm::find_missing(std::vector<std::string> &names)
{
	each_slot([&](const std::string &slot, at::Tensor &t, const std::vector<int64_t> &) {
		if (!t.defined())
			names.push_back(slot);
	});
}

/* On CPUs a layer norm takes f32 beside maps in bf16, as a batch norm does everywhere. */
void norm::fold(const at::Device &device, at::ScalarType scalar)
{
	bool exact = type == kind::batch || device.is_cpu();
	each_slot([&](const std::string &, at::Tensor &t, const std::vector<int64_t> &) {
		t = t.to(device, exact ? at::kFloat : scalar, false, true);
	});
}

/* libtorch 1.13 takes no bf16 beside f32, and alone it has the deviations in bf16 as well. */
static at::Tensor layer_norm(const at::Tensor &x, const at::Tensor &gamma, const at::Tensor &beta,
	double eps)
{
#if TORCH_VERSION_MAJOR >= 2
	return at::layer_norm(x, gamma.sizes(), gamma, beta, eps, false);
#else
	at::Tensor y = x.to(gamma.scalar_type());
	return at::layer_norm(y, gamma.sizes(), gamma, beta, eps, false).to(x.scalar_type());
#endif
}

at::Tensor norm::operator()(const at::Tensor &x) const
{
	at::Tensor y = type == kind::batch
		? at::batch_norm(x, gamma, beta, mean, variance, false, 0, eps, false)
		: layer_norm(x.permute({ 0, 2, 3, 1 }), gamma, beta, eps).permute({ 0, 3, 1, 2 });
	return activate_(y, activation);
}

/* ------------------------------------------------------------------------------- parameter ---- */

lone_tensor::lone_tensor(std::string n, std::vector<int64_t> s)
	: name(std::move(n)), shape(std::move(s))
{
}

void lone_tensor::each_slot(const slot_visitor &f)
{
	f(name, value, shape);
}

void lone_tensor::find_missing(std::vector<std::string> &names)
{
	if (!value.defined())
		names.push_back(name);
}

void lone_tensor::fold(const at::Device &device, at::ScalarType type)
{
	value = value.to(device, type, false, true);
}

} // namespace ims
