/*
 * The layer that networks are made of: convolution, batch norm, activation, by the names of its
 * tensors. It serves training as it is, and inference after fold merged the batch norm into the
 * convolution.
 */
#ifndef IMS_SHIM_LAYER_H
#define IMS_SHIM_LAYER_H

#include "shim/shim.h"

#include <ATen/ATen.h>

#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace ims
{

/* Values of imgsearch_status. */
enum { INVALID = -1, NOMEM = -2, FORMAT = -5, MODEL = -7 };

/* An error that becomes a status and a sentence (guard.h). */
struct failure : std::runtime_error {
	int code;
	failure(int status, const std::string &text) : std::runtime_error(text), code(status) {}
};

enum class act { none, relu, relu6, silu, sigmoid };

struct shape {
	int64_t in, out, kernel = 1, stride = 1, groups = 1;
	bool same = false; /* TensorFlow's padding "SAME"; else half the kernel on each side */
};

/* act(norm(conv(x)) + add), which all blocks of all families are made of. */
class conv
{
  public:
	/* norm: name of the batch norm; empty: the convolution has a bias instead. */
	conv(std::string name, std::string norm, shape s, act a, double eps);

	at::Tensor operator()(const at::Tensor &x, const at::Tensor *add = nullptr);

	/* Merges batch norm into weight and bias. From then on the unit is for inference only. */
	void fold(const at::Device &device, at::ScalarType type);

	/* f(name, tensor, shape) for every tensor of the unit, by its name in a weights file. */
	void each_slot(
		const std::function<void(const std::string &, at::Tensor &, const std::vector<int64_t> &)>
			&f);

	std::string name, norm;
	std::string other_name, other_norm; /* in a second layout of names; empty: there is none */
	const shape dims;
	const act activation;
	const double eps;
	bool training = false;                  /* batch norm by the statistics of the batch */
	at::Tensor weight, bias;                /* bias: also from a file with a folded batch norm */
	at::Tensor gamma, beta, mean, variance; /* of the batch norm; undefined without one */

  private:
	at::Tensor kernel_for(const at::Tensor &x) const;
	at::Tensor packed(const at::Tensor &x, bool relu);

	bool folded = false;
	std::mutex packing;     /* guards what follows: concurrent runs share the unit */
	int64_t packed_for = 0; /* the size of batch that `pack` is for */
	c10::IValue pack;       /* weight and bias in the layout of oneDNN */
};

/* In place, without anything for a backward pass. */
at::Tensor &activate_(at::Tensor &y, act a);

} // namespace ims

#endif
