/*
 * The layers that networks are made of, by the names of their tensors. A `conv` is a convolution or
 * linear layer with its batch norm and activation. It serves training as it is, and inference after
 * fold merged the batch norm into the convolution.
 */
#ifndef IMS_SHIM_LAYER_H
#define IMS_SHIM_LAYER_H

#include "shim/shim.h"

#include <ATen/ATen.h>

#include <array>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace ims
{

/* Values of imgsearch_status. */
enum { INVALID = -1, NOMEM = -2, FORMAT = -5, MODEL = -7, UNSUPPORTED = -10 };

/* An error that becomes a status and a sentence (guard.h). */
struct failure : std::runtime_error {
	int code;
	failure(int status, const std::string &text) : std::runtime_error(text), code(status) {}
};

enum class act {
	none,
	relu,
	relu6,
	silu,
	sigmoid,
	gelu,
	gelu_tanh,
	quick_gelu,
	hardswish,
	hardsigmoid
};

enum class padding { half /* the kernel, on each side */, none, same /* TensorFlow's "SAME" */ };

struct shape {
	int64_t in, out, kernel = 1, stride = 1, groups = 1;
	padding pad = padding::half;
	int64_t width = 0;       /* of the kernel; 0: as high as wide */
	bool has_bias = true;    /* where there is no norm */
	bool transposed = false; /* a linear layer: (in, out) in weights files */
	bool flat = false;       /* a linear layer: (out, in * kernel * width) in weights files */

	std::array<int64_t, 2> size() const
	{
		return { kernel, width ? width : kernel };
	}
};

/* f(name, tensor, shape) for a tensor of a layer, by its name and shape in a weights file. */
using slot_visitor =
	std::function<void(const std::string &, at::Tensor &, const std::vector<int64_t> &)>;

/* act(norm(conv(x)) + add), which all blocks of all families are made of. */
class conv
{
  public:
	/* norm: name of the batch norm; empty: the convolution has a bias instead, or both. */
	conv(std::string name, std::string norm, shape s, act a, double eps);

	at::Tensor operator()(const at::Tensor &x, const at::Tensor *add = nullptr);

	/* Merges batch norm into weight and bias. From then on the unit is for inference only. */
	void fold(const at::Device &device, at::ScalarType type);

	void each_slot(const slot_visitor &f);

	/* After the slots were filled: appends the names of those that are missing. */
	void find_missing(std::vector<std::string> &names);

	std::string name, norm;
	std::string weight_suffix = ".weight", bias_suffix = ".bias"; /* behind the name */
	std::string other_name, other_norm; /* in a second layout of names; empty: there is none */
	const shape dims;
	const act activation;
	const double eps;
	bool training = false;            /* batch norm by the statistics of the batch */
	std::string scale_name;           /* of the factors of the channels; empty: none */
	std::vector<int64_t> scale_shape; /* theirs in a weights file */
	at::Tensor scale;
	at::Tensor weight, bias;                /* bias: also from a file with a folded batch norm */
	at::Tensor gamma, beta, mean, variance; /* of the batch norm; undefined without one */

  private:
	at::Tensor kernel_for(const at::Tensor &x) const;
	c10::IValue packed_for_input(const at::Tensor &x, act a);
	at::Tensor by_onednn(const at::Tensor &x, const at::Tensor *&add, act &a);

	bool folded = false;
	std::mutex packing;     /* guards what follows: concurrent runs share the unit */
	int64_t packed_for = 0; /* the size of batch that `pack` is for */
	c10::IValue pack;       /* the weights, or weight and bias, in the layout of oneDNN */
};

/* A norm that no convolution precedes: of each channel by fixed statistics, or of each place. */
class norm
{
  public:
	enum class kind { batch, layer };

	norm(kind k, std::string name, int64_t channels, double eps, act a = act::none);
	at::Tensor operator()(const at::Tensor &x) const; /* (n, channels, height, width) */
	void fold(const at::Device &device, at::ScalarType type);
	void each_slot(const slot_visitor &f);
	void find_missing(std::vector<std::string> &names);

  private:
	kind type;
	std::string name;
	int64_t channels;
	double eps;
	act activation;
	at::Tensor gamma, beta, mean, variance; /* the last two: undefined for a layer norm */
};

/* A tensor that stands alone, as positions do. */
class lone_tensor
{
  public:
	lone_tensor(std::string name, std::vector<int64_t> shape);
	void fold(const at::Device &device, at::ScalarType type);
	void each_slot(const slot_visitor &f);
	void find_missing(std::vector<std::string> &names);

	at::Tensor value;
	bool rows = false; /* looked up row by row: a narrower type of the file stays */

  private:
	std::string name;
	std::vector<int64_t> shape;
};

/* In place, without anything for a backward pass. */
at::Tensor &activate_(at::Tensor &y, act a);

} // namespace ims

#endif
