/*
 * What the image towers and of words share: the blocks of a transformer, and the reading of
 * files with other names.
 *
 * Tokens (n, T, D) are kept as maps (n, D, T, 1), channels last, which is the same memory: linear
 * layers are then 1x1 convolutions.
 */
#ifndef IMS_SHIM_TOWER_H
#define IMS_SHIM_TOWER_H

#include "shim/transformer.h"

namespace ims
{

/* (n, D, T, 1) and (n, T, D) are views of the same memory. */
at::Tensor as_maps(const at::Tensor &tokens);
at::Tensor as_tokens(const at::Tensor &maps);

/* softmax(q k^T / sqrt(d)) v, each (n, heads, T, d); causal: by no key behind the query. */
at::Tensor attend(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v,
	bool causal = false);

/* (n, D, T, 1) as `parts` times (n, heads, T, D / parts / heads). */
at::Tensor split_heads(const at::Tensor &maps, int64_t parts, int64_t heads);
at::Tensor join_heads(const at::Tensor &y);

class tower : public network
{
  protected:
	tower(const transformer_kind &k, const transformer_layout &l) : shape_of(k), names(l) {}

	std::vector<std::string> unused() const override;
	std::string current_name(const std::string &name) const override;

	/* Makes one of the tensors that the layout joins. */
	void convert(tensor_map &file) override;

	/* The size of a tensor along a dimension; 0: it has none. */
	static int64_t extent(const tensor_map &file, const std::string &name, uint32_t dimension);

	/* The depth and the MLP of the kind, whose width is that of the tensor `by`. */
	void measure_blocks(const tensor_map &file, const std::string &by, misfit &wrong);

	norm *layer_norm(const std::string &name);
	conv *linear(const std::string &name, int64_t in, int64_t out, act a = act::none);
	void add_blocks();
	at::Tensor run_blocks(at::Tensor x) const;

	/* Of queries, keys and values (n, 3 D, T, 1). */
	virtual at::Tensor attention(const at::Tensor &qkv) const = 0;

	transformer_kind shape_of;
	const transformer_layout names;
	int64_t heads = 0;

  private:
	struct block {
		norm *before_attention, *before_mlp;
		conv *qkv, *projection, *widen, *narrow;
	};

	block add_block(int64_t i);
	void add_scale(conv *c, const char *pattern, int64_t number);
	at::Tensor gate(const at::Tensor &y) const;
	const shim_tensor *joined(const tensor_map &file, const joining &j, const std::string &stem,
		const std::string &end);
	void join(tensor_map &file, const joining &j);
	void drop_key_biases(tensor_map &file);

	std::vector<block> blocks;
};

} // namespace ims

#endif
