/* The training part of the shim's table. */
#ifndef IMS_SHIM_TRAIN_H
#define IMS_SHIM_TRAIN_H

#include "shim/shim.h"

namespace ims
{

extern const shim_training training;

/* shim_training.fit: the linear maps of a distillation. */
int fit_distillation(const float *teacher, size_t teacher_dim, const float *student, size_t width,
	size_t n, size_t n_fit, size_t n_student, size_t dim, float whiten, float *targets,
	float *weight, float *bias, shim_message *msg) noexcept;

} // namespace ims

#endif
