/*
 * The conv unit. Inference uses oneDNN's convolutions on weights in the layout of their kernels, on
 * CPUs, where libtorch has them: `pointwise` (2.6, 2.14), which fuses the sum with a shortcut and
 * all activations but one, or else `prepacked`, which fuses ReLU alone and accepts a bias in f32
 * beside weights in bf16. In f32, 1x1 convolutions were measured to be 2 to 3 times as fast as
 * aten's. Training and other devices use plain aten operators.
 */
#include "shim/layer.h"
#include "shim/clip.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/version.h>

#include <limits>
#include <map>

namespace ims
{

/* ------------------------------------------------------------------------------------ conv ---- */

/* An optional, of c10 or std. */
using handle = decltype(c10::Dispatcher::singleton().findSchema({ "", "" }));

template <template <typename> class optional, typename T>
optional<at::Scalar> scalar_like(const optional<T> &);
using scalar = decltype(scalar_like(std::declval<handle>()));

/* Undefined where libtorch has none, or one with other arguments than those given here. */
static handle find(const char *name, const char *overload, size_t arguments)
{
	handle found = c10::Dispatcher::singleton().findSchema({ name, overload });
	if (found && found->schema().arguments().size() != arguments)
		found.reset();
	return found;
}

/* The operators, found by name, since not every libtorch has them. */
struct operators {
	handle pack, run, run_sum; /* run_sum: undefined: `run` is of prepacked */
	explicit operator bool() const
	{
		return pack && run;
	}
};

static operators find_operators()
{
	operators pointwise = {
		find("mkldnn::_reorder_convolution_weight", "", 6),
		find("mkldnn::_convolution_pointwise", "", 10),
		find("mkldnn::_convolution_pointwise", "binary", 13),
	};
	if (pointwise && pointwise.run_sum)
		return pointwise;
	return {
		find("mkldnn_prepacked::conv2d_prepack", "", 8),
		find("mkldnn_prepacked::conv2d_run", "", 2),
		{},
	};
}

static const operators &ops()
{
	static const operators found = find_operators();
	return found;
}

/* An activation as the operators take it: name, numbers, algorithm. */
struct fused {
	const char *name;
	std::vector<double> numbers = {};
	const char *algorithm = nullptr;
};

/* NULL: the operators do not have it. */
static const fused *fused_form(act a)
{
	static const std::map<act, fused> pointwise = {
		{ act::none, { "none" } },
		{ act::relu, { "relu" } },
		{ act::relu6, { "hardtanh", { 0, 6 } } },
		{ act::silu, { "swish" } },
		{ act::sigmoid, { "sigmoid" } },
		{ act::gelu, { "gelu", {}, "none" } },
		{ act::gelu_tanh, { "gelu", {}, "tanh" } },
		{ act::hardswish, { "hardswish" } },
		{ act::hardsigmoid, { "hardsigmoid" } },
	};
	auto found = pointwise.find(a);
	bool known = found != pointwise.end() && (ops().run_sum || a == act::none || a == act::relu);
	return known ? &found->second : nullptr;
}

static c10::IValue text_or_none(const char *text)
{
	return text ? c10::IValue(std::string(text)) : c10::IValue();
}

static c10::IValue numbers_of(const fused &f)
{
	c10::List<scalar> list;
	for (double v : f.numbers)
		list.push_back(at::Scalar(v));
	return list;
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
	bool prepacked = device.is_cpu() && ops() && !ops().run_sum;
	bias = b.to(device, prepacked ? at::kFloat : type, false,
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

/* The weights for such inputs in oneDNN's layout, and what else `prepacked` needs. */
c10::IValue conv::packed_for_input(const at::Tensor &x, act a)
{
	std::lock_guard<std::mutex> lock(packing);
	/* Packed again only for a larger batch, so that single queries between batches cost nothing. */
	if (x.size(0) <= packed_for)
		return pack;
	auto stride = pair(dims.stride), dilation = pair(1), pad = pad_of(dims);
	torch::jit::Stack stack;
	if (ops().run_sum)
		stack = { kernel_for(x), pad, stride, dilation, dims.groups, x.sizes().vec() };
	else
		stack = { kernel_for(x), bias, stride, pad, dilation, dims.groups, x.sizes().vec(),
			std::string(fused_form(a)->name) };
	ops().pack->callBoxed(stack);
	pack = stack.front();
	packed_for = x.size(0);
	return pack;
}

/*
 * By oneDNN, all of act(conv(x) + add): what is left to be done of it is set in add and a. An
 * undefined tensor where that is not possible. All pictures that a folded unit sees have one size.
 */
at::Tensor conv::by_onednn(const at::Tensor &x, const at::Tensor *&add, act &a)
{
	if (!ops() || !x.device().is_cpu())
		return {};
	/* That of libtorch 2.6 fails where maps have one place only. */
	bool sums = add && ops().run_sum && add->size(2) * add->size(3) > 1;
	const fused *none = fused_form(act::none), *f = add && !sums ? none : fused_form(a);
	act done = f && f != none ? a : act::none;
	f = f ? f : none;
	c10::IValue weights = packed_for_input(x, done);
	torch::jit::Stack stack = { x, weights };
	if (sums)
		stack = { x, *add, weights, bias, pad_of(dims), pair(dims.stride), pair(1), dims.groups,
			std::string("add"), 1.0, text_or_none(f == none ? nullptr : f->name), numbers_of(*f),
			text_or_none(f->algorithm) };
	else if (ops().run_sum)
		stack = { x, weights, bias, pad_of(dims), pair(dims.stride), pair(1), dims.groups,
			std::string(f->name), numbers_of(*f), text_or_none(f->algorithm) };
	(sums ? ops().run_sum : ops().run)->callBoxed(stack);
	a = done == a ? act::none : a;
	add = sums ? nullptr : add;
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
	act left = activation;
	at::Tensor y = by_onednn(x, add, left);
	if (!y.defined())
		y = at::conv2d(x, kernel_for(x), bias, pair(dims.stride), pad_of(dims), pair(1),
			dims.groups);
	if (add)
		y.add_(*add);
	return activate_(y, left);
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
	bool narrower = c10::elementSize(value.scalar_type()) <= c10::elementSize(type);
	value = value.to(device, rows && narrower ? value.scalar_type() : type, false, true);
}

} // namespace ims
