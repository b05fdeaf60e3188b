/*
 * What the networks are made of. A network is a row of `conv` units (convolution, batch norm, activation) that its family
 * declares by torchvision's tensor names, and a `features` function that calls them. The same units serve inference, once
 * ims::network::fold has drawn the batch norm into the convolution, and training, where they are called as they are.
 */
#ifndef IMS_SHIM_NN_H
#define IMS_SHIM_NN_H

#include "shim/shim.h"

#include <ATen/ATen.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace ims {

/* As imgsearch_status has them. */
enum { INVALID = -1, NOMEM = -2, FORMAT = -5, MODEL = -7 };

/* What crosses the wall as a status and a sentence. */
struct failure : std::runtime_error {
	int code;
	failure(int status, const std::string &text) : std::runtime_error(text), code(status) {}
};

enum class act { none, relu, relu6, silu, sigmoid };

struct shape {
	int64_t in, out, kernel = 1, stride = 1, groups = 1;
};

/* act(norm(conv(x)) + add), as every block of every family here has it. */
class conv {
public:
	/* norm: name of the batch norm; empty: the convolution has a bias instead. */
	conv(std::string name, std::string norm, shape s, act a, double eps);

	at::Tensor operator()(const at::Tensor &x, const at::Tensor *add = nullptr);

	/* Batch norm into weight and bias; from here on for inference only. */
	void fold(const at::Device &device, at::ScalarType type);

	/* (name, tensor, shape, optional): every tensor of the unit under its name in a weights file. */
	void each_slot(const std::function<void(const std::string &, at::Tensor &, const std::vector<int64_t> &)> &f);

	const std::string name, norm;
	const shape dims;
	const act activation;
	const double eps;
	bool training = false;                 /* batch norm by the batch's own statistics */
	at::Tensor weight, bias;               /* bias: also of a file whose batch norm was folded before */
	at::Tensor gamma, beta, mean, variance; /* of the batch norm; undefined without one */

private:
	at::Tensor packed(const at::Tensor &x, bool relu);

	bool folded = false;
	std::mutex packing;                    /* of what follows: runs at once share the unit */
	int64_t packed_for = 0;                /* the batch that `pack` was made for */
	c10::IValue pack;                      /* oneDNN's own arrangement of weight and bias */
};

class network {
public:
	virtual ~network() = default;

	/* (n, 3, side, side) to maps (n, channels, ...). */
	virtual at::Tensor features(const at::Tensor &x) = 0;

	/*
	 * features, averaged over the picture: (n, channels) f32. With posteriors, each row of length 1 and beside it the roots
	 * of the classes' probabilities, softened by a temperature of 2, which have length 1 too: (n, width()).
	 */
	at::Tensor pooled(const at::Tensor &x);

	/* pooled, through the projection when there is one: (n, dim) f32. */
	at::Tensor operator()(const at::Tensor &x);

	/*
	 * Fills every unit, with tensors that look at the caller's data until fold copies them. Missing, unknown and misshaped
	 * ones throw, by name.
	 */
	void load(const shim_tensor *tensors, size_t n);

	/* After load: makes posteriors of the classifier among the same tensors. Throws when there is none, or a projection. */
	void load_posteriors(const shim_tensor *tensors, size_t n);

	void fold(const at::Device &device, at::ScalarType type);
	int64_t width() const; /* of pooled */
	int64_t dim() const;

	std::deque<conv> units;                /* in the picture's order */
	int64_t channels = 0;                  /* of the maps */
	at::Tensor posterior_weight, posterior_bias; /* (classes, channels), (classes); undefined: none */
	at::Tensor project_weight, project_bias;     /* (dim, width), (dim); undefined: none */

protected:
	conv *unit(std::string name, std::string norm, shape s, act a, double eps = 1e-5);

private:
	std::unique_ptr<conv> posterior, project; /* of the same, folded */
};

/* NULL: not one of the family. */
std::unique_ptr<network> resnet(const std::string &name);
std::unique_ptr<network> mobilenet(const std::string &name);
std::unique_ptr<network> efficientnet(const std::string &name);

/* The catalogue name's network, empty of weights; throws when there is none. */
std::unique_ptr<network> make_network(const std::string &name);

/* A tensor that looks at the caller's data. */
at::Tensor borrow(const shim_tensor &t);

/* y in place: none of them keeps anything for a backward pass. */
at::Tensor &activate_(at::Tensor &y, act a);

/* ---- TorchScript (script.cc) ---- */

class script {
public:
	virtual ~script() = default;
	virtual at::Tensor operator()(const at::Tensor &x) = 0; /* (n, dim) f32; maps are averaged */
};

std::unique_ptr<script> load_script(const char *path, const at::Device &device, at::ScalarType type);

/* Its parameters and buffers, for a network of ours. tensors borrow from `storage` and `names`. */
struct script_tensors {
	std::vector<at::Tensor> storage;
	std::deque<std::string> names;
	std::vector<shim_tensor> tensors;
};
script_tensors read_script(const char *path);

} // namespace ims

#endif
