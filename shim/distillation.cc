/*
 * The linear maps of a distillation. The targets are the teachers' features without their mean, on
 * their principal axes, each over a power of its variance. A layer predicts these from what the
 * student sees, by ridge regression.
 */
#include "shim/guard.h"
#include "shim/train.h"

#include <c10/core/GradMode.h>

using at::Tensor;

/* Times the mean variance; the best of 1e-4 to 3e-2 on held-out photos. */
static const double ridge = 3e-2;

int ims::fit_distillation(const float *teacher, size_t teacher_dim, const float *student,
	size_t width, size_t n, size_t n_fit, size_t n_student, size_t dim, float whiten,
	float *targets, float *weight, float *bias, shim_message *msg) noexcept
{
	return ims::guard(msg, [&] {
		c10::NoGradGuard none;
		auto rows = [](const float *p, size_t r, size_t c) {
			return at::from_blob(const_cast<float *>(p), { (int64_t)r, (int64_t)c },
				at::TensorOptions(at::kFloat));
		};
		int64_t k = (int64_t)dim, learn_from = (int64_t)n_fit;
		if (dim > teacher_dim)
			throw ims::failure(ims::INVALID,
				"the teachers' features have " + std::to_string(teacher_dim)
					+ " values, which is less than " + std::to_string(dim));
		Tensor t = rows(teacher, n, teacher_dim), mean = t.slice(0, 0, learn_from).mean(0);
		Tensor centred = t.slice(0, 0, learn_from) - mean;
		auto eigen = at::linalg_eigh(at::mm(centred.t(), centred).to(at::kDouble) / (double)n_fit);
		Tensor values = std::get<0>(eigen).slice(0, -k).flip(0),
			   vectors = std::get<1>(eigen).slice(1, -k).flip(1);
		values = values.clamp_min(values[0].item<double>() * 1e-9 + 1e-30);
		Tensor basis = (vectors * values.pow(-whiten)).to(at::kFloat);
		Tensor y = at::mm(t - mean, basis);
		rows(targets, n, dim).copy_(y);

		Tensor s = rows(student, n_student, width).to(at::kDouble), middle = s.mean(0),
			   fitted = y.slice(0, 0, (int64_t)n_student).to(at::kDouble);
		s.sub_(middle);
		Tensor gram = at::mm(s.t(), s);
		gram.diagonal().add_(gram.trace() * (ridge / (double)width));
		Tensor w = at::linalg_solve(gram, at::mm(s.t(), fitted));
		rows(weight, dim, width).copy_(w.t());
		rows(bias, 1, dim).copy_((fitted.mean(0) - at::mv(w.t(), middle)).unsqueeze(0));
	});
}
