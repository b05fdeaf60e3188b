/*
 * The parts of the networks. A network is a list of `conv` units (convolution, batch norm,
 * activation), which its family declares by the names of tensors, and a function `features` that
 * calls them. The units serve training as they are, and inference after network::fold merged
 * the batch norm into the convolution.
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

class network
{
  public:
	virtual ~network() = default;

	/*
	 * (n, 3, side, side) to maps (n, channels, ...). inner, where it is not NULL, receives the mean
	 * of each block's maps: (n, its channels), as inner_channels() says.
	 */
	virtual at::Tensor features(const at::Tensor &x, std::vector<at::Tensor> *inner) = 0;

	/* The channels of each block whose mean can be had; empty: this family gives none. */
	virtual std::vector<int64_t> inner_channels() const
	{
		return {};
	}

	/*
	 * features, averaged over the picture: (n, channels) f32. With inner weights, posteriors or a
	 * power each row, raised to that power, has length 1; beside it stand the mean of each block of
	 * a weight above 0, of that length, and the square roots of the class probabilities, softened
	 * by a temperature of 2, which have length 1 too: (n, width()).
	 */
	at::Tensor pooled(const at::Tensor &x);

	/* pooled, and the projection where there is one: (n, dim) f32. */
	at::Tensor operator()(const at::Tensor &x);

	/*
	 * Fills every unit with tensors that borrow the caller's data until fold copies them, and names
	 * the units as these tensors are named. Throws where tensors are missing, unknown or misshaped,
	 * by name.
	 */
	void load(const shim_tensor *tensors, size_t n);

	/*
	 * After load: makes posteriors from the classifier among the same tensors. Throws where there
	 * is none, or where there is a projection.
	 */
	void load_posteriors(const shim_tensor *tensors, size_t n);

	/*
	 * After load: this weight for the last blocks of the third, fourth and fifth stage. Earlier
	 * maps say little else than colour and texture, later ones what the last maps say. Throws where
	 * the family gives no inner means, or where there is a projection.
	 */
	void choose_inner(double weight);

	/* After load. Throws where there is a projection. */
	void choose_power(double power);

	void fold(const at::Device &device, at::ScalarType type);
	int64_t width() const; /* of pooled */
	int64_t dim() const;

	std::deque<conv> units;                      /* in the picture's order */
	int64_t channels = 0;                        /* of the maps */
	at::Tensor inner_weight;                     /* (blocks) f32; or undefined */
	at::Tensor mean_power;                       /* (1) f32; or undefined */
	at::Tensor posterior_weight, posterior_bias; /* (classes, channels), (classes); or undefined */
	at::Tensor project_weight, project_bias;     /* (dim, width), (dim); or undefined */

  protected:
	conv *unit(std::string name, std::string norm, shape s, act a, double eps = 1e-5);

  private:
	std::unique_ptr<conv> posterior, project; /* both, folded */
	std::vector<float> inner_scale;           /* inner_weight; empty: none */
	double power = 1;                         /* mean_power */
	void set_inner();
	void set_power();
};

/* NULL: the name is not one of the family. */
std::unique_ptr<network> resnet(const std::string &name);
std::unique_ptr<network> mobilenet(const std::string &name);
std::unique_ptr<network> efficientnet(const std::string &name);

/* The network of a name in the catalogue, without weights; throws where there is none. */
std::unique_ptr<network> make_network(const std::string &name);

/* A tensor that borrows the caller's data. */
at::Tensor borrow(const shim_tensor &t);

/* In place, without anything for a backward pass. */
at::Tensor &activate_(at::Tensor &y, act a);

/* ----------------------------------------------------------------- TorchScript (script.cc) ---- */

class script
{
  public:
	virtual ~script() = default;
	virtual at::Tensor operator()(const at::Tensor &x) = 0; /* (n, dim) f32; maps are averaged */
};

std::unique_ptr<script> load_script(const char *path, const at::Device &device,
	at::ScalarType type);

/* Its parameters and buffers, for a network of ours. tensors borrow from `storage` and `names`. */
struct script_tensors {
	std::vector<at::Tensor> storage;
	std::deque<std::string> names;
	std::vector<shim_tensor> tensors;
};
script_tensors read_script(const char *path);

} // namespace ims

#endif
