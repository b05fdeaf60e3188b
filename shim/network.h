/*
 * A network is a list of layers, which its family declares by the names of tensors, and a function
 * `features` that calls them.
 */
#ifndef IMS_SHIM_NETWORK_H
#define IMS_SHIM_NETWORK_H

#include "shim/layer.h"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ims
{

/* The tensors of a file by their names; borrowed. */
typedef std::map<std::string, const shim_tensor *> tensor_map;

/* Why the tensors of a file are not those of a network. */
struct misfit {
	std::vector<std::string> missing, unknown; /* names */
	std::vector<std::string> misshaped;        /* sentences */

	size_t count() const
	{
		return missing.size() + unknown.size() + misshaped.size();
	}
	std::string sentence() const; /* only where count() is not 0 */
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

	/* Whether the shapes are those of the tensors: then a network of fixed ones is preferred. */
	virtual bool takes_any_shape() const
	{
		return false;
	}

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
	 * After load, before fold: the side of the inputs. Throws where the network cannot take it, and
	 * says which sides are next to it.
	 */
	virtual void set_side(int64_t side)
	{
		(void)side;
	}

	/*
	 * Fills every unit with tensors that borrow the caller's data until fold copies them, and names
	 * the units as these tensors are named. Throws where tensors are missing, unknown, misshaped or
	 * not finite, by name.
	 */
	void load(const shim_tensor *tensors, size_t n);

	/*
	 * Likewise, but says what does not fit instead of throwing. Tensors may have no data where they
	 * have more than one dimension, if nothing but names and shapes is wanted.
	 */
	misfit fill(const shim_tensor *tensors, size_t n);

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

	/* After load. Throws where the network has no such pooling, or a projection. */
	void choose_pooling(uint32_t chosen);

	void fold(const at::Device &device, at::ScalarType type);
	int64_t width() const; /* of pooled */
	int64_t dim() const;

	std::deque<conv> units; /* in the picture's order */
	std::deque<norm> norms; /* likewise */
	std::deque<lone_tensor> lone_tensors;
	int64_t channels = 0;                        /* of the maps */
	at::Tensor inner_weight;                     /* (blocks) f32; or undefined */
	at::Tensor mean_power;                       /* (1) f32; or undefined */
	at::Tensor posterior_weight, posterior_bias; /* (classes, channels), (classes); or undefined */
	at::Tensor project_weight, project_bias;     /* (dim, width), (dim); or undefined */

  protected:
	/* The poolings that features() serves, but for its own; the last maps of most have three. */
	virtual std::vector<uint32_t> poolings() const
	{
		return { SHIM_POOLING_MEAN, SHIM_POOLING_MAX, SHIM_POOLING_GEM };
	}

	/* (n, channels, height, width) to (n, channels), f32, by the pooling that was chosen. */
	at::Tensor pool_maps(const at::Tensor &x) const;

	uint32_t pooling = SHIM_POOLING_OWN;

	conv *unit(std::string name, std::string norm, shape s, act a, double eps = 1e-5);
	norm *lone_norm(norm::kind k, std::string name, int64_t channels, double eps,
		act a = act::none);
	lone_tensor *add_tensor(std::string name, std::vector<int64_t> shape);

	/* The prefixes of tensors that are not part of the feature: a classifier. */
	virtual std::vector<std::string> unused() const
	{
		return { "fc.", "_fc.", "classifier." };
	}

	/* The name as the family declares it, of one in a file of another layout. */
	virtual std::string current_name(const std::string &name) const
	{
		return name;
	}

	/* Replaces tensors of another layout, by make_tensor, that renaming alone does not fit. */
	virtual void convert(tensor_map &file)
	{
		(void)file;
	}

	/*
	 * Declares the layers whose shapes the tensors tell, in the names of the family. What they
	 * cannot be is added to wrong.
	 */
	virtual void measure(const tensor_map &file, misfit &wrong)
	{
		(void)file, (void)wrong;
	}

	/* Lives until fold. */
	const shim_tensor *make_tensor(const at::Tensor &data);

  private:
	/* Tensors made of several in the file; in use until fold. */
	struct made_tensor {
		at::Tensor data;
		shim_tensor tensor;
	};
	std::deque<made_tensor> made;
	std::unique_ptr<conv> posterior, project; /* both, folded */
	std::vector<float> inner_scale;           /* inner_weight; empty: none */
	double power = 1;                         /* mean_power */
	void set_inner();
	void set_power();
};

/* NULL: the name is not one of the family. */
std::unique_ptr<network> clip_vit(const std::string &name);
std::unique_ptr<network> convnext(const std::string &name);
std::unique_ptr<network> densenet(const std::string &name);
std::unique_ptr<network> dinov2(const std::string &name);
std::unique_ptr<network> dinov3(const std::string &name);
std::unique_ptr<network> efficientnet(const std::string &name);
std::unique_ptr<network> inception(const std::string &name);
std::unique_ptr<network> mobilenet(const std::string &name);
std::unique_ptr<network> perception_encoder(const std::string &name);
std::unique_ptr<network> regnet(const std::string &name);
std::unique_ptr<network> resnet(const std::string &name);
std::unique_ptr<network> siglip(const std::string &name);
std::unique_ptr<network> sscd(const std::string &name);
std::unique_ptr<network> vgg(const std::string &name);
std::unique_ptr<network> vit(const std::string &name);

/* The network of a name in the catalogue, without weights; throws where there is none. */
std::unique_ptr<network> make_network(const std::string &name);

/*
 * fits[i] becomes 1 where the tensors, by names and shapes, are those of the network names[i],
 * otherwise 0; one that takes any shape fits only where no other one does. nearest: where none
 * fits, the network that lacks the fewest, and what it lacks.
 */
void find_networks(const char *const *names, size_t n_names, const shim_tensor *tensors, size_t n,
	uint8_t *fits, std::string &nearest);

/* (n, channels) f32 of maps (n, channels, height, width): the cube roots of their mean cubes. */
at::Tensor generalised_mean(const at::Tensor &x);

/* A tensor that borrows the caller's data; one without data has names and shapes alone (kMeta). */
at::Tensor borrow(const shim_tensor &t);

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
