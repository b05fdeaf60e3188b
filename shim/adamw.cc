/*
 * On a CPU the whole step goes over each parameter in one pass; as operators on tensors it would
 * pass through memory ten times.
 */
#include "shim/adamw.h"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <cmath>

using at::Tensor;
using ims::parameter;

namespace
{

const double beta1 = 0.9, beta2 = 0.99, epsilon = 1e-8;

struct adamw_step {
	float first, second; /* 1 - beta of the moments */
	float fix, rate;     /* bias correction of the second moment; rate with that of the first */
	float pull, shrink;  /* decay towards the start, towards zero */
};

void adamw_pass(float *p, const float *g, float *first, float *second, const float *start,
	int64_t n, adamw_step s)
{
	at::parallel_for(0, n, 1 << 15, [=](int64_t begin, int64_t end) {
#pragma omp simd
		for (int64_t i = begin; i < end; i++) {
			first[i] += (g[i] - first[i]) * s.first;
			second[i] += (g[i] * g[i] - second[i]) * s.second;
			p[i] -= (p[i] - start[i]) * s.pull + p[i] * s.shrink
				+ s.rate * first[i] / (std::sqrt(second[i] * s.fix) + (float)epsilon);
		}
	});
}

/* The gradient in the memory layout of the value. */
Tensor as_value(const Tensor &g, const Tensor &value)
{
	return g.strides() == value.strides()
		? g
		: at::empty_like(value, value.options().requires_grad(false)).copy_(g);
}

} // namespace

void ims::adamw(std::vector<parameter> &params, const adamw_settings &s)
{
	c10::NoGradGuard none;
	double fix1 = 1 - std::pow(beta1, (double)s.steps), fix2 = 1 - std::pow(beta2, (double)s.steps);
	for (parameter &p : params) {
		Tensor g = p.value.grad();
		if (!g.defined())
			continue;
		if (p.value.is_cpu()) {
			g = as_value(g, p.value);
			float *value = p.value.data_ptr<float>(),
				  *start = p.start.defined() ? p.start.data_ptr<float>() : value;
			adamw_pass(value, g.data_ptr<float>(), p.first.data_ptr<float>(),
				p.second.data_ptr<float>(), start, p.value.numel(),
				{ (float)(1 - beta1), (float)(1 - beta2), (float)(1 / fix2), (float)(s.rate / fix1),
					(float)(s.rate * s.anchor),
					p.start.defined() || p.value.dim() < 2 ? 0 : (float)(s.rate * s.decay) });
			continue;
		}
		p.first.lerp_(g, 1 - beta1);
		p.second.mul_(beta2).addcmul_(g, g, 1 - beta2);
		if (p.start.defined() && s.anchor > 0)
			p.value.sub_((p.value - p.start) * (s.rate * s.anchor));
		else if (!p.start.defined() && s.decay > 0 && p.value.dim() > 1)
			p.value.mul_(1 - s.rate * s.decay);
		p.value.addcdiv_(p.first, (p.second / fix2).sqrt_().add_(epsilon), -s.rate / fix1);
	}
}
