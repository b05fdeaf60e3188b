/* What all networks share: pooling, the layers behind it, loading. */
#include "shim/network.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace ims
{

conv *network::unit(std::string name, std::string norm, shape s, act a, double eps)
{
	units.emplace_back(std::move(name), std::move(norm), s, a, eps);
	return &units.back();
}

norm *network::lone_norm(norm::kind k, std::string name, int64_t channels, double eps, act a)
{
	norms.emplace_back(k, std::move(name), channels, eps, a);
	return &norms.back();
}

/* Once folded a 1x1 convolution, since a BLAS would start threads of its own for little work. */
static at::Tensor linear(const at::Tensor &y, const at::Tensor &weight, const at::Tensor &bias,
	std::unique_ptr<conv> &folded)
{
	return folded ? (*folded)(y.view({ y.size(0), y.size(1), 1, 1 })).flatten(1)
				  : at::linear(y, weight, bias);
}

static std::unique_ptr<conv> fold_linear(const at::Tensor &weight, const at::Tensor &bias,
	const at::Device &device)
{
	if (!weight.defined())
		return nullptr;
	auto c = std::make_unique<conv>("", "", shape{ weight.size(1), weight.size(0) }, act::none, 0);
	c->weight = weight.view({ weight.size(0), weight.size(1), 1, 1 });
	c->bias = bias;
	c->fold(device, at::kFloat);
	return c;
}

static at::Tensor unit_rows(const at::Tensor &y)
{
	return y / y.norm(2, 1, true).clamp_min(1e-12);
}

/*
 * Power normalisation (Perronnin, Sanchez and Mensink 2010): few strong channels count less. What
 * is added keeps the gradient finite at 0.
 */
static at::Tensor raised(const at::Tensor &y, double power)
{
	return power == 1 ? y : y.sign() * (y.abs() + 1e-6).pow(power);
}

/* Generalised mean of power 3 (Radenovic, Tolias and Chum, 2018), in f32. */
at::Tensor generalised_mean(const at::Tensor &x)
{
	return x.to(at::kFloat).clamp_min(1e-6).pow(3).mean({ 2, 3 }).pow(1.0 / 3);
}

at::Tensor network::pool_maps(const at::Tensor &x) const
{
	if (x.size(2) * x.size(3) == 1)
		return x.flatten(1).to(at::kFloat);
	switch (pooling) {
	case SHIM_POOLING_MAX:
		return x.amax({ 2, 3 }).to(at::kFloat);
	case SHIM_POOLING_GEM:
		return generalised_mean(x);
	default:
		return x.mean({ 2, 3 }, false, at::kFloat);
	}
}

at::Tensor network::pooled(const at::Tensor &x)
{
	std::vector<at::Tensor> inner;
	bool wanted = !inner_scale.empty();
	at::Tensor y = pool_maps(features(x, wanted ? &inner : nullptr));
	if (!wanted && !posterior_weight.defined() && power == 1)
		return y;
	std::vector<at::Tensor> parts = { unit_rows(raised(y, power)) };
	for (size_t i = 0; i < inner_scale.size(); i++)
		if (inner_scale[i] > 0)
			parts.push_back(unit_rows(inner[i]) * inner_scale[i]);
	if (posterior_weight.defined()) {
		const double temperature = 2; /* as in lib/train/classifier.c */
		at::Tensor logits = linear(y, posterior_weight, posterior_bias, posterior) / temperature;
		parts.push_back(logits.log_softmax(1).div(2).exp());
	}
	return at::cat(parts, 1);
}

at::Tensor network::operator()(const at::Tensor &x)
{
	at::Tensor y = pooled(x);
	return project_weight.defined() ? linear(y, project_weight, project_bias, project) : y;
}

lone_tensor *network::add_tensor(std::string name, std::vector<int64_t> shape)
{
	lone_tensors.emplace_back(std::move(name), std::move(shape));
	return &lone_tensors.back();
}

void network::fold(const at::Device &device, at::ScalarType type)
{
	for (conv &u : units)
		u.fold(device, type);
	for (norm &u : norms)
		u.fold(device, type);
	for (lone_tensor &u : lone_tensors)
		u.fold(device, type);
	made.clear();
	posterior = fold_linear(posterior_weight, posterior_bias, device);
	project = fold_linear(project_weight, project_bias, device);
	/* The shapes stay, the borrowed data do not. */
	for (at::Tensor *t : { &posterior_weight, &project_weight })
		if (t->defined())
			*t = at::empty(t->sizes(), at::TensorOptions(at::kMeta));
}

int64_t network::width() const
{
	int64_t n = channels + (posterior_weight.defined() ? posterior_weight.size(0) : 0);
	std::vector<int64_t> inner = inner_channels();
	for (size_t i = 0; i < inner_scale.size(); i++)
		n += inner_scale[i] > 0 ? inner[i] : 0;
	return n;
}

/* Copies the weights of the inner means, which may be borrowed. */
void network::set_inner()
{
	inner_weight = inner_weight.to(at::kCPU, at::kFloat, false, true).contiguous();
	const float *w = inner_weight.data_ptr<float>();
	inner_scale.assign(w, w + inner_weight.numel());
}

void network::choose_inner(double weight)
{
	std::vector<int64_t> block = inner_channels();
	if (block.empty())
		throw failure(MODEL, "this network gives no means of inner maps");
	if (project_weight.defined())
		throw failure(MODEL, "the weights have a projection, which was made without inner maps");
	inner_weight = at::zeros({ (int64_t)block.size() }, at::TensorOptions(at::kFloat));
	int stage = 0;
	for (size_t i = 0; i < block.size(); i++)
		if (i + 1 == block.size() || block[i + 1] != block[i]) {
			stage++;
			if (stage >= 3 && stage <= 5)
				inner_weight[(int64_t)i] = weight;
		}
	set_inner();
}

void network::set_power()
{
	power = mean_power.to(at::kCPU, at::kFloat, false, true).item<float>();
	if (!(power > 0 && power <= 1))
		throw failure(MODEL, "mean.power is not in 0..1");
	mean_power = at::full({ 1 }, power, at::TensorOptions(at::kFloat));
}

void network::choose_power(double chosen)
{
	if (project_weight.defined())
		throw failure(MODEL, "the weights have a projection, which was made without a power");
	mean_power = at::full({ 1 }, chosen, at::TensorOptions(at::kFloat));
	set_power();
}

void network::choose_pooling(uint32_t chosen)
{
	static const char *const names[] = { "own", "mean", "max", "gem", "class" };
	std::vector<uint32_t> known = poolings();
	if (!chosen)
		return;
	if (std::find(known.begin(), known.end(), chosen) == known.end())
		throw failure(MODEL, std::string("this network has no pooling \"") + names[chosen] + "\"");
	if (project_weight.defined())
		throw failure(MODEL,
			"the weights have a projection, which was made of the network's own pooling");
	pooling = chosen;
}

int64_t network::dim() const
{
	return project_weight.defined() ? project_weight.size(0) : width();
}

/* --------------------------------------------------------------------------------- weights ---- */

static const std::map<uint32_t, at::ScalarType> &types()
{
	static const std::map<uint32_t, at::ScalarType> list = {
		{ SHIM_F32, at::kFloat },
		{ SHIM_F16, at::kHalf },
		{ SHIM_BF16, at::kBFloat16 },
		{ SHIM_I64, at::kLong },
		{ SHIM_I8, at::kChar },
	};
	return list;
}

at::Tensor borrow(const shim_tensor &t)
{
	auto type = types().find(t.dtype);
	if (type == types().end())
		throw failure(MODEL, std::string("tensor ") + t.name + " has an unknown type");
	at::IntArrayRef shape(t.shape, t.ndim);
	at::TensorOptions options(type->second);
	return t.data ? at::from_blob(const_cast<void *>(t.data), shape, options)
				  : at::empty(shape, options.device(at::kMeta));
}

static std::string shape_text(const int64_t *shape, size_t n)
{
	std::string text = "(";
	for (size_t i = 0; i < n; i++)
		text += (i ? ", " : "") + std::to_string(shape[i]);
	return text + ")";
}

/* "a, b, c and 7 more" */
static std::string some_of(const std::vector<std::string> &names)
{
	std::string text;
	for (size_t i = 0; i < names.size() && i < 3; i++)
		text += (i ? ", " : "") + names[i];
	return names.size() > 3 ? text + " and " + std::to_string(names.size() - 3) + " more" : text;
}

static bool starts_with(const std::string &s, const std::string &prefix)
{
	return s.compare(0, prefix.size(), prefix) == 0;
}

static bool ends_with(const std::string &s, const std::string &suffix)
{
	return s.size() >= suffix.size()
		&& s.compare(s.size() - suffix.size(), suffix.size(), suffix) == 0;
}

/* The tensors of a file that no layer has taken yet, and what did not fit so far. */
struct supply {
	tensor_map left;
	misfit wrong;

	bool has(const std::string &name) const
	{
		return left.count(name) > 0;
	}

	/*
	 * Removes a tensor and checks its shape; undefined where it is not there or does not fit. An
	 * int8 tensor is multiplied by its scales.
	 */
	at::Tensor take(const std::string &name, const std::vector<int64_t> &want)
	{
		auto it = left.find(name);
		if (it == left.end())
			return {};
		const shim_tensor &t = *it->second;
		left.erase(it);
		if (t.ndim != want.size() || !std::equal(want.begin(), want.end(), t.shape)) {
			wrong.misshaped.push_back("tensor " + name + " has shape " + shape_text(t.shape, t.ndim)
				+ ", the network needs " + shape_text(want.data(), want.size()));
			return {};
		}
		return t.dtype == SHIM_I8 ? scaled(borrow(t), name) : borrow(t);
	}

	/* A linear layer of any number of outputs; undefined tensors where there is none. */
	void take_linear(const std::string &name, int64_t in, at::Tensor &weight, at::Tensor &bias)
	{
		auto found = left.find(name + ".weight");
		if (found == left.end() || found->second->ndim != 2)
			return;
		int64_t out = found->second->shape[0];
		if (out < 1)
			wrong.misshaped.push_back("tensor " + name + ".weight has no rows");
		weight = take(name + ".weight", { out, in });
		bias = take(name + ".bias", { out });
		if (!bias.defined())
			wrong.missing.push_back(name + ".bias");
	}

  private:
	at::Tensor scaled(const at::Tensor &y, const std::string &name)
	{
		auto scale = left.find(name + "_scale");
		if (scale == left.end() || scale->second->dtype != SHIM_F32) {
			wrong.misshaped.push_back(
				"tensor " + name + " is int8 and has no " + name + "_scale in f32");
			return {};
		}
		std::vector<int64_t> rows(y.dim(), 1);
		rows[0] = y.size(0);
		at::Tensor s = take(name + "_scale", { y.size(0) });
		return y.is_meta() || !s.defined() ? y : y.to(at::kFloat) * s.view(rows);
	}
};

/* Names the units by their second layout where the file has a weight of such a name. */
static void choose_names(std::deque<conv> &units, const tensor_map &file)
{
	if (std::none_of(units.begin(), units.end(),
			[&](const conv &u) { return file.count(u.other_name + ".weight"); }))
		return;
	for (conv &u : units) {
		u.name.swap(u.other_name);
		u.norm.swap(u.other_norm);
	}
}

/* What wrappers put before all names of a state dict: DataParallel, training code. */
static size_t wrapper_length(const shim_tensor *tensors, size_t n)
{
	size_t length = 0;
	for (const char *prefix : { "module.", "model.", "module." }) {
		auto wrapped = [&](const shim_tensor &t) {
			return starts_with(std::string(t.name).substr(std::min(length, strlen(t.name))),
				prefix);
		};
		if (n && std::all_of(tensors, tensors + n, wrapped))
			length += strlen(prefix);
	}
	return length;
}

/* The tensors by the names of the family; without the classifier and counters of batch norms. */
static tensor_map used(const shim_tensor *tensors, size_t n, const std::vector<std::string> &unused,
	const std::function<std::string(const std::string &)> &current)
{
	tensor_map out;
	size_t wrapper = wrapper_length(tensors, n);
	for (size_t i = 0; i < n; i++) {
		std::string name = current(tensors[i].name + wrapper);
		bool is_unused = ends_with(name, ".num_batches_tracked");
		for (const std::string &prefix : unused)
			is_unused = is_unused || starts_with(name, prefix);
		if (!is_unused)
			out[name] = &tensors[i];
	}
	return out;
}

const shim_tensor *network::make_tensor(const at::Tensor &data)
{
	made.push_back({ data.contiguous(), {} });
	made_tensor &m = made.back();
	for (auto &[number, type] : types())
		if (type == data.scalar_type())
			m.tensor.dtype = number;
	m.tensor.name = "";
	m.tensor.data = m.data.data_ptr();
	m.tensor.ndim = (uint32_t)data.dim();
	std::copy(data.sizes().begin(), data.sizes().end(), m.tensor.shape);
	return &m.tensor;
}

misfit network::fill(const shim_tensor *tensors, size_t n)
{
	supply file = { used(tensors, n, unused(),
						[this](const std::string &name) { return current_name(name); }),
		{} };
	convert(file.left);
	measure(file.left, file.wrong);
	slot_visitor fill = [&](const std::string &name, at::Tensor &t,
							const std::vector<int64_t> &want) { t = file.take(name, want); };
	choose_names(units, file.left);
	auto fill_all = [&](auto &layers) {
		for (auto &u : layers) {
			u.each_slot(fill);
			u.find_missing(file.wrong.missing);
		}
	};
	fill_all(lone_tensors);
	fill_all(norms);
	fill_all(units);
	file.take_linear("posterior", channels, posterior_weight, posterior_bias);
	if (file.has("inner.weight")) {
		inner_weight = file.take("inner.weight", { (int64_t)inner_channels().size() });
		set_inner();
	}
	if (file.has("mean.power")) {
		mean_power = file.take("mean.power", { 1 });
		set_power();
	}
	file.take_linear("project", width(), project_weight, project_bias);
	if ((posterior_weight.defined() || inner_weight.defined() || mean_power.defined())
		&& !project_weight.defined())
		file.wrong.missing.push_back("project.weight");
	for (auto &t : file.left)
		file.wrong.unknown.push_back(t.first);
	return file.wrong;
}

std::string misfit::sentence() const
{
	if (!misshaped.empty())
		return misshaped[0];
	return missing.empty() ? "it has no " + some_of(unknown) : "missing " + some_of(missing);
}

/* Throws where a value is not a number or infinite: features would be, too. */
static void check_finite(const std::string &name, const at::Tensor &t)
{
	const int64_t rows = 1 << 14; /* at once: what is summed is first copied in f32 */
	if (!t.defined() || !t.is_floating_point())
		return;
	for (const at::Tensor &part : t.dim() ? t.split(rows) : std::vector<at::Tensor>{ t })
		if (!std::isfinite(part.sum(at::kFloat).item<float>()))
			throw failure(MODEL, "tensor " + name + " has values that are not finite");
}

void network::load(const shim_tensor *tensors, size_t n)
{
	misfit wrong = fill(tensors, n);
	if (wrong.count())
		throw failure(MODEL,
			wrong.misshaped.empty() ? "the weights belong to another network: " + wrong.sentence()
									: wrong.sentence());
	auto check_all = [](auto &layers) {
		for (auto &u : layers)
			u.each_slot([](const std::string &name, at::Tensor &t, const std::vector<int64_t> &) {
				check_finite(name, t);
			});
	};
	check_all(lone_tensors);
	check_all(norms);
	check_all(units);
	check_finite("project.weight", project_weight);
	check_finite("project.bias", project_bias);
}

void network::load_posteriors(const shim_tensor *tensors, size_t n)
{
	supply all;
	for (size_t i = 0; i < n; i++)
		all.left[tensors[i].name] = &tensors[i];
	for (const char *name : { "fc", "classifier.1", "classifier", "_fc" })
		if (!posterior_weight.defined())
			all.take_linear(name, channels, posterior_weight, posterior_bias);
	if (all.wrong.count())
		throw failure(MODEL, all.wrong.sentence());
	if (!posterior_weight.defined())
		throw failure(MODEL, "the weights have no classifier to take posteriors from");
	if (project_weight.defined())
		throw failure(MODEL, "the weights have a projection, which was made without posteriors");
}

std::unique_ptr<network> make_network(const std::string &name)
{
	for (auto family : { clip_vit, convnext, densenet, dinov2, dinov3, efficientnet, inception,
			 mobilenet, perception_encoder, regnet, resnet, siglip, sscd, vgg, vit })
		if (auto net = family(name))
			return net;
	throw failure(MODEL, "this shim has no network \"" + name + "\"");
}

void find_networks(const char *const *names, size_t n_names, const shim_tensor *tensors, size_t n,
	uint8_t *fits, std::string &nearest)
{
	std::vector<shim_tensor> shapes(tensors, tensors + n);
	std::vector<bool> general(n_names);
	bool special = false;
	size_t least = SIZE_MAX;
	for (shim_tensor &t : shapes)
		if (t.ndim > 1)
			t.data = nullptr; /* what is made of several tensors would be copied */
	for (size_t i = 0; i < n_names; i++) {
		auto net = make_network(names[i]);
		misfit wrong = net->fill(shapes.data(), n);
		fits[i] = wrong.count() == 0;
		general[i] = net->takes_any_shape();
		special = special || (fits[i] && !general[i]);
		if (wrong.count() < least) {
			least = wrong.count();
			nearest = fits[i] ? "" : std::string(names[i]) + ": " + wrong.sentence();
		}
	}
	for (size_t i = 0; i < n_names; i++)
		fits[i] = fits[i] && !(special && general[i]);
}

} // namespace ims
