/*
 * Training. The units of a network have f32 weights that take gradients, and are computed in the
 * type asked for. Behind them come the pooled feature, class posteriors and a linear layer where
 * asked for, and class centres where there are labels. Steps are those of adamw.h. A batch norm
 * that was folded stays a bias, and `fold` folds all; others are trained and update their
 * statistics.
 */
#include "shim/train.h"
#include "shim/adamw.h"
#include "shim/device.h"
#include "shim/guard.h"
#include "shim/losses.h"

#include <c10/core/GradMode.h>

#include <cmath>
#include <cstring>
#include <map>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace
{

using at::Tensor;

struct statistic {
	std::string name;
	Tensor value, start;
};

/*
 * Keeps freed memory in the process. Activations of a step are megabytes each; returning and
 * mapping them again costs more than the arithmetic.
 */
void keep_freed_memory()
{
#if defined(__GLIBC__)
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 2147483647);
	mallopt(M_TOP_PAD, 64 << 20);
#endif
}

} // namespace

struct shim_train {
	shim_train_config config;
	std::unique_ptr<ims::network> net;
	at::Device device = at::kCPU;
	at::ScalarType type = at::kFloat;
	std::vector<ims::parameter> params;
	std::vector<statistic> buffers; /* running statistics of norms */
	std::vector<Tensor> aside;      /* trained values during a blend */
	Tensor centres, centre_bias;
	int64_t steps = 0;
};

namespace
{

/* -------------------------------------------------------------------------------- building ---- */

/* A folded norm is the identity with a bias; norms of an untrained network have no bias yet. */
bool was_folded(const ims::conv &u)
{
	auto all = [](const Tensor &t, double v) {
		return (t.to(at::kFloat) - v).abs().lt(1e-4).all().item<bool>();
	};
	return u.gamma.defined() && all(u.gamma, 1) && all(u.variance, 1) && all(u.mean, 0)
		&& u.beta.ne(0).any().item<bool>();
}

void copy_unit(shim_train &t, ims::conv &u)
{
	if (was_folded(u) || (t.config.fold && u.gamma.defined())) {
		Tensor scale = u.gamma.to(at::kFloat) * at::rsqrt(u.variance.to(at::kFloat) + u.eps);
		u.weight = u.weight.to(at::kFloat) * scale.view({ -1, 1, 1, 1 });
		u.bias = u.beta.to(at::kFloat) - u.mean.to(at::kFloat) * scale;
		u.gamma = u.beta = u.mean = u.variance = Tensor();
	}
	u.each_slot([&](const std::string &, Tensor &v, const std::vector<int64_t> &) {
		if (v.defined())
			v = v.to(t.device, at::kFloat, false, true);
	});
	u.weight = u.weight.contiguous(at::MemoryFormat::ChannelsLast);
}

void add_parameter(shim_train &t, const std::string &name, Tensor &v, bool fresh)
{
	v.requires_grad_(true);
	Tensor zero = at::zeros_like(v, at::TensorOptions().requires_grad(false));
	t.params.push_back({ name, v, zero, zero.clone(), fresh ? Tensor() : v.detach().clone() });
}

void add_units(shim_train &t)
{
	size_t n = t.net->units.size(),
		   first = t.config.layers && t.config.layers < n ? n - t.config.layers : 0;
	for (size_t i = 0; i < n; i++) {
		ims::conv &u = t.net->units[i];
		copy_unit(t, u);
		if (i < first)
			continue;
		u.each_slot([&](const std::string &name, Tensor &v, const std::vector<int64_t> &) {
			if (v.defined() && &v != &u.mean && &v != &u.variance)
				add_parameter(t, name, v, false);
			else if (v.defined())
				t.buffers.push_back({ name, v, v.clone() });
		});
	}
}

/* The layers behind the pooling. Centres start as random directions. */
void add_head(shim_train &t)
{
	bool had = t.net->project_weight.defined();
	auto &c = t.config;
	torch::manual_seed(c.seed);
	for (Tensor *v : { &t.net->posterior_weight, &t.net->posterior_bias, &t.net->project_weight,
			 &t.net->project_bias })
		if (v->defined())
			*v = v->to(t.device, at::kFloat, false, true);
	if (t.net->posterior_weight.defined()) {
		add_parameter(t, "posterior.weight", t.net->posterior_weight, false);
		add_parameter(t, "posterior.bias", t.net->posterior_bias, false);
	}
	if (c.dim && had && t.net->project_weight.size(0) != (int64_t)c.dim)
		throw ims::failure(ims::MODEL,
			"the weights have a projection to " + std::to_string(t.net->project_weight.size(0))
				+ " values, not to " + std::to_string(c.dim));
	if (c.dim && !had) {
		t.net->project_weight = (at::randn({ (int64_t)c.dim, t.net->width() })
			/ std::sqrt((double)t.net->width()))
									.to(t.device);
		t.net->project_bias = at::zeros({ (int64_t)c.dim }, at::TensorOptions(t.device));
	}
	if (t.net->project_weight.defined()) {
		add_parameter(t, "project.weight", t.net->project_weight, !had);
		add_parameter(t, "project.bias", t.net->project_bias, !had);
	}
	if (!c.classes || c.loss == SHIM_LOSS_SUPCON)
		return;
	t.centres = (at::randn({ (int64_t)c.classes, t.net->dim() }) * 0.01).to(t.device);
	add_parameter(t, "centres.weight", t.centres, true);
	if (c.loss == SHIM_LOSS_CROSS_ENTROPY) {
		t.centre_bias = at::zeros({ (int64_t)c.classes }, t.centres.options().requires_grad(false));
		add_parameter(t, "centres.bias", t.centre_bias, true);
	}
}

/* --------------------------------------------------------------------------------- running ---- */

void use_threads(const shim_train &t)
{
	if (t.config.threads > 0 && at::get_num_threads() != (int)t.config.threads)
		at::set_num_threads((int)t.config.threads);
}

Tensor input(const shim_train &t, const float *in, size_t n)
{
	int64_t side = t.config.crop;
	Tensor x = at::from_blob(const_cast<float *>(in), { (int64_t)n, side, side, 3 },
		at::TensorOptions(at::kFloat))
				   .permute({ 0, 3, 1, 2 });
	return x.to(t.device, t.type);
}

void set_training(shim_train &t, bool on)
{
	for (ims::conv &u : t.net->units)
		u.training = on && u.gamma.defined() && u.gamma.requires_grad();
}

ims::batch_loss forward(shim_train &t, const shim_batch &b)
{
	int64_t n = (int64_t)b.n;
	Tensor z = (*t.net)(input(t, b.in, b.n));
	ims::batch_loss labels{ Tensor(), 0, 0 }, targets{ Tensor(), 0, 0 };
	if (b.labels && t.config.classes)
		labels = ims::label_loss(t.config.loss, z,
			at::from_blob(const_cast<int64_t *>(b.labels), { n }, at::kLong).to(t.device),
			t.centres, t.centre_bias);
	if (!b.targets)
		return labels;
	targets = ims::target_loss(z,
		at::from_blob(const_cast<float *>(b.targets), { n, (int64_t)t.config.target_dim })
			.to(t.device),
		t.config.relational);
	if (labels.loss.defined() && t.config.label_weight > 0)
		targets.loss = targets.loss + labels.loss * t.config.label_weight;
	return targets;
}

void report(shim_score *score, const ims::batch_loss &j)
{
	double loss = j.loss.defined() ? j.loss.item<double>() : 0;
	*score = { loss * j.counted, j.hits, j.counted };
	if (!std::isfinite(loss))
		throw ims::failure(ims::FORMAT,
			"the loss is not a number any more: a lower learning rate may help");
}

void check_gradients(const shim_train &t)
{
	Tensor sum = at::zeros({}, at::TensorOptions(t.device));
	for (const ims::parameter &p : t.params)
		if (p.value.grad().defined())
			sum += p.value.grad().sum();
	if (!std::isfinite(sum.item<double>()))
		throw ims::failure(ims::FORMAT,
			"the gradient is not a number any more: a lower learning rate may help");
}

/* ------------------------------------------------------------------- the table's functions ---- */

int train_new(shim_train **out, const shim_train_config *c, const shim_tensor *tensors, size_t n,
	shim_message *msg) noexcept
{
	*out = nullptr;
	return ims::guard(msg, [&] {
		keep_freed_memory();
		auto t = std::make_unique<shim_train>();
		t->config = *c;
		t->device = ims::choose_device(c->device);
		t->type = c->bf16 ? at::kBFloat16 : at::kFloat;
		use_threads(*t);
		t->net = ims::make_network(c->network);
		t->net->load(tensors, n);
		if (!t->net->norms.empty())
			throw ims::failure(ims::MODEL,
				std::string(c->network) + " cannot be trained, only run");
		if (c->posteriors && !t->net->posterior_weight.defined())
			t->net->load_posteriors(tensors, n);
		if (c->inner > 0 && !t->net->inner_weight.defined())
			t->net->choose_inner(c->inner);
		if (c->power > 0 && c->power < 1 && !t->net->mean_power.defined())
			t->net->choose_power(c->power);
		add_units(*t);
		add_head(*t);
		t->config.network = t->config.device = nullptr;
		*out = t.release();
	});
}

void train_free(shim_train *t) noexcept
{
	shim_message msg;
	ims::guard(&msg, [&] { delete t; });
}

uint32_t train_width(const shim_train *t) noexcept
{
	return (uint32_t)t->net->width();
}

int train_step(shim_train *t, const shim_batch *b, float rate, shim_score *score,
	shim_message *msg) noexcept
{
	return ims::guard(msg, [&] {
		use_threads(*t);
		set_training(*t, true);
		ims::batch_loss j = forward(*t, *b);
		report(score, j);
		if (!j.loss.defined())
			return;
		for (ims::parameter &p : t->params)
			p.value.mutable_grad() = Tensor();
		j.loss.backward();
		check_gradients(*t);
		ims::adamw(t->params, { rate, t->config.anchor, t->config.decay, ++t->steps });
	});
}

int train_score(shim_train *t, const shim_batch *b, shim_score *score, shim_message *msg) noexcept
{
	return ims::guard(msg, [&] {
		c10::NoGradGuard none;
		use_threads(*t);
		set_training(*t, false);
		report(score, forward(*t, *b));
	});
}

int train_features(shim_train *t, const float *in, size_t n, uint32_t project, float *out,
	shim_message *msg) noexcept
{
	return ims::guard(msg, [&] {
		c10::NoGradGuard none;
		use_threads(*t);
		set_training(*t, false);
		Tensor x = input(*t, in, n), y = project ? (*t->net)(x) : t->net->pooled(x);
		at::from_blob(out, y.sizes(), at::TensorOptions(at::kFloat)).copy_(y);
	});
}

int train_project(shim_train *t, const float *weight, const float *bias, shim_message *msg) noexcept
{
	return ims::guard(msg, [&] {
		c10::NoGradGuard none;
		for (ims::parameter &p : t->params) {
			const float *from = p.name == "project.weight" ? weight
				: p.name == "project.bias"                 ? bias
														   : nullptr;
			if (from)
				p.value.copy_(at::from_blob(const_cast<float *>(from), p.value.sizes(),
					at::TensorOptions(at::kFloat)));
		}
	});
}

/* WiSE-FT (Wortsman et al., arXiv:2109.01903, 2021). Undoes the last blend first. */
int train_blend(shim_train *t, float share, shim_message *msg) noexcept
{
	return ims::guard(msg, [&] {
		c10::NoGradGuard none;
		std::vector<std::pair<Tensor, Tensor>> all; /* value, start */
		for (ims::parameter &p : t->params)
			if (p.start.defined())
				all.push_back({ p.value, p.start });
		for (statistic &b : t->buffers)
			all.push_back({ b.value, b.start });
		for (size_t i = 0; i < t->aside.size(); i++)
			all[i].first.copy_(t->aside[i]);
		t->aside.clear();
		for (size_t i = 0; share > 0 && i < all.size(); i++) {
			t->aside.push_back(all[i].first.detach().clone());
			all[i].first.lerp_(all[i].second, share);
		}
	});
}

/* ---------------------------------------------------------------------- tensors out and in ---- */

typedef int (*tensor_callback)(void *, const shim_tensor *);

const int64_t least_int8 = 16384; /* elements; smaller matrices would save little */

int emit(const std::string &name, const Tensor &t, uint32_t type, tensor_callback each, void *user)
{
	Tensor v = t.detach()
				   .to(at::kCPU,
					   type == SHIM_F16      ? at::kHalf
						   : type == SHIM_I8 ? at::kChar
											 : at::kFloat)
				   .contiguous();
	shim_tensor s = { name.c_str(), v.data_ptr(), type, (uint32_t)v.dim(), {} };
	for (int64_t i = 0; i < v.dim(); i++)
		s.shape[i] = v.size(i);
	return each(user, &s);
}

/* Rows of integers up to 127, and the scale of each row. */
int emit_int8(const std::string &name, const Tensor &t, tensor_callback each, void *user)
{
	Tensor rows = t.detach().to(at::kCPU, at::kFloat).flatten(1),
		   scale = (rows.abs().amax(1) / 127).clamp_min(1e-30);
	int rc = emit(name, (rows / scale.unsqueeze(1)).round().view(t.sizes()), SHIM_I8, each, user);
	return rc ? rc : emit(name + "_scale", scale, SHIM_F32, each, user);
}

int emit_network(shim_train &t, uint32_t part, tensor_callback each, void *user)
{
	int rc = 0;
	auto one = [&](const std::string &name, const Tensor &v) {
		if (rc || !v.defined())
			return;
		if (part == SHIM_PART_INT8 && v.dim() > 1 && v.numel() >= least_int8)
			rc = emit_int8(name, v, each, user);
		else
			rc = emit(name, v, part != SHIM_PART_NETWORK && v.dim() > 1 ? SHIM_F16 : SHIM_F32, each,
				user);
	};
	for (ims::conv &u : t.net->units)
		u.each_slot([&](const std::string &name, Tensor &v, const std::vector<int64_t> &shape) {
			one(name, v.defined() ? v.reshape(shape) : v);
		});
	one("inner.weight", t.net->inner_weight);
	one("mean.power", t.net->mean_power);
	one("posterior.weight", t.net->posterior_weight);
	one("posterior.bias", t.net->posterior_bias);
	one("project.weight", t.net->project_weight);
	one("project.bias", t.net->project_bias);
	return rc;
}

/* Everything that a step changes, under its name in a checkpoint. */
std::map<std::string, Tensor> step_state(shim_train &t)
{
	std::map<std::string, Tensor> out;
	for (ims::parameter &p : t.params) {
		out["value." + p.name] = p.value;
		out["first." + p.name] = p.first;
		out["second." + p.name] = p.second;
	}
	for (auto &b : t.buffers)
		out["buffer." + b.name] = b.value;
	return out;
}

int train_each(shim_train *t, uint32_t part, tensor_callback each, void *user,
	shim_message *msg) noexcept
{
	int stopped = 0;
	int rc = ims::guard(msg, [&] {
		c10::NoGradGuard none;
		if (part != SHIM_PART_TRAINING) {
			stopped = emit_network(*t, part, each, user);
			return;
		}
		for (auto &v : step_state(*t))
			if ((stopped = emit(v.first, v.second, SHIM_F32, each, user)))
				return;
		stopped = emit("steps", at::full({ 1 }, (double)t->steps), SHIM_F32, each, user);
	});
	return rc ? rc : stopped;
}

int train_restore(shim_train *t, const shim_tensor *tensors, size_t n, shim_message *msg) noexcept
{
	return ims::guard(msg, [&] {
		c10::NoGradGuard none;
		std::map<std::string, const shim_tensor *> have;
		for (size_t i = 0; i < n; i++)
			have[tensors[i].name] = &tensors[i];
		auto all = step_state(*t);
		Tensor steps = at::zeros({ 1 });
		all["steps"] = steps;
		for (auto &v : all) {
			auto it = have.find(v.first);
			if (it == have.end() || it->second->ndim != v.second.dim()
				|| !std::equal(v.second.sizes().begin(), v.second.sizes().end(), it->second->shape))
				throw ims::failure(ims::FORMAT,
					"tensor " + v.first + " is missing or has another shape");
			v.second.copy_(ims::borrow(*it->second));
		}
		t->steps = steps.item<int64_t>();
	});
}

} // namespace

namespace ims
{
const shim_training training = {
	train_new,
	train_free,
	train_width,
	train_step,
	train_score,
	train_features,
	train_project,
	train_blend,
	train_each,
	train_restore,
	fit_distillation,
};
}
