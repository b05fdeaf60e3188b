/* The blocks of a transformer, and what is made of tensors of another layout. */
#include "shim/tower.h"

#include <torch/version.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace ims
{

at::Tensor as_maps(const at::Tensor &tokens)
{
	return tokens.transpose(1, 2).unsqueeze(3);
}

at::Tensor as_tokens(const at::Tensor &maps)
{
	return maps.squeeze(3).transpose(1, 2);
}

#if TORCH_VERSION_MAJOR < 2
/* (T, T): what is added to the scores, for each query 0 or, behind it, minus infinity. */
static at::Tensor hidden_keys(int64_t tokens)
{
	const double none = -std::numeric_limits<double>::infinity();
	return at::full({ tokens, tokens }, none, at::TensorOptions(at::kFloat)).triu(1);
}
#endif

at::Tensor attend(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, bool causal)
{
#if TORCH_VERSION_MAJOR >= 2
	return at::scaled_dot_product_attention(q, k, v, {}, 0, causal);
#else
	at::Tensor scores = at::matmul(q * (1 / std::sqrt((double)q.size(3))), k.transpose(2, 3));
	if (causal)
		scores.add_(hidden_keys(q.size(2)).to(scores.options()));
	return at::matmul(scores.softmax(3), v);
#endif
}

at::Tensor split_heads(const at::Tensor &maps, int64_t parts, int64_t heads)
{
	int64_t n = maps.size(0), tokens = maps.size(2), size = maps.size(1) / parts / heads;
	return as_tokens(maps).view({ n, tokens, parts, heads, size }).permute({ 2, 0, 3, 1, 4 });
}

at::Tensor join_heads(const at::Tensor &y)
{
	return as_maps(y.transpose(1, 2).reshape({ y.size(0), y.size(2), y.size(1) * y.size(3) }));
}

/* ---------------------------------------------------------------------------------- layers ---- */

static std::string numbered(const char *pattern, int64_t number)
{
	std::string s = pattern;
	size_t at = s.find('#');
	return at == std::string::npos ? s : s.replace(at, 1, std::to_string(number));
}

int64_t tower::extent(const tensor_map &file, const std::string &name, uint32_t dimension)
{
	auto found = file.find(name);
	bool has = found != file.end() && dimension < found->second->ndim;
	return has ? found->second->shape[dimension] : 0;
}

void tower::measure_blocks(const tensor_map &file, const std::string &by, misfit &wrong)
{
	transformer_kind &k = shape_of;
	while (file.count(numbered(names.norm1, k.depth) + ".weight"))
		k.depth++;
	k.hidden = extent(file, numbered(names.widen, 0) + ".weight", 0);
	int64_t size = k.heads ? k.heads : 64;
	if (file.count(by) && (k.width < 1 || k.width % size))
		wrong.misshaped.push_back("tensor " + by + " is for a width of " + std::to_string(k.width)
			+ ", which is no multiple of " + std::to_string(size));
}

norm *tower::layer_norm(const std::string &name)
{
	return lone_norm(norm::kind::layer, name, shape_of.width, names.eps);
}

conv *tower::linear(const std::string &name, int64_t in, int64_t out, act a)
{
	shape s{ in, out };
	s.flat = true;
	return unit(name, "", s, a);
}

void tower::add_scale(conv *c, const char *pattern, int64_t number)
{
	if (!*pattern)
		return;
	c->scale_name = numbered(pattern, number);
	c->scale_shape = { shape_of.width };
}

tower::block tower::add_block(int64_t i)
{
	block b;
	const transformer_kind &k = shape_of;
	int64_t width = k.width, hidden = k.hidden;
	if (!hidden) /* gated: three matrices are as large as two, in multiples of 8 */
		hidden = k.gated ? (width * 8 / 3 + 7) / 8 * 8 : 4 * width;
	b.before_attention = layer_norm(numbered(names.norm1, i));
	b.qkv = linear(numbered(names.qkv, i), width, 3 * width);
	b.qkv->weight_suffix = names.qkv_weight;
	b.qkv->bias_suffix = names.qkv_bias;
	b.projection = linear(numbered(names.projection, i), width, width);
	add_scale(b.projection, names.scale1, i);
	b.before_mlp = layer_norm(numbered(names.norm2, i));
	b.widen = k.gated ? linear(numbered(names.gated_widen, i), width, 2 * hidden)
					  : linear(numbered(names.widen, i), width, hidden, k.gelu);
	b.narrow = linear(numbered(k.gated ? names.gated_narrow : names.narrow, i), hidden, width);
	add_scale(b.narrow, names.scale2, i);
	return b;
}

void tower::add_blocks()
{
	heads = shape_of.heads ? shape_of.heads : shape_of.width / 64;
	for (int64_t i = 0; i < shape_of.depth; i++)
		blocks.push_back(add_block(i));
}

/* SwiGLU (Shazeer, "GLU variants improve transformer", 2020). */
at::Tensor tower::gate(const at::Tensor &y) const
{
	if (!shape_of.gated)
		return y;
	std::vector<at::Tensor> half = as_tokens(y).chunk(2, 2);
	return as_maps(at::silu(half[0]).mul_(half[1]));
}

at::Tensor tower::run_blocks(at::Tensor x) const
{
	for (const block &b : blocks) {
		x = (*b.projection)(attention((*b.qkv)((*b.before_attention)(x))), &x);
		x = (*b.narrow)(gate((*b.widen)((*b.before_mlp)(x))), &x);
	}
	return x;
}

/* --------------------------------------------------------------------------- other layouts ---- */

std::vector<std::string> tower::unused() const
{
	return names.unused;
}

std::string tower::current_name(const std::string &name) const
{
	std::string out = name;
	for (auto &[from, to] : names.other) {
		size_t at = out.find(from);
		if (at != std::string::npos && (!at || *from == '.'))
			out.replace(at, strlen(from), to);
	}
	return out;
}

/* NULL: the tensors that are to be joined are not all there, or do not fit. */
const shim_tensor *tower::joined(const tensor_map &file, const joining &j, const std::string &stem,
	const std::string &end)
{
	std::vector<at::Tensor> parts;
	for (const char *part : j.parts) {
		auto found = file.find(stem + part + end);
		if (found != file.end())
			parts.push_back(borrow(*found->second));
		else if (!parts.empty() && names.no_key_bias && end == "bias")
			parts.push_back(at::zeros_like(parts[0]));
		else
			return nullptr;
		if (!parts.back().dim() || parts.back().sizes() != parts[0].sizes())
			return nullptr;
	}
	return make_tensor(at::cat(parts));
}

void tower::join(tensor_map &file, const joining &j)
{
	const tensor_map all = file;
	for (auto &[name, tensor] : all) {
		size_t at = name.find(j.parts[0]);
		if (at == std::string::npos)
			continue;
		std::string stem = name.substr(0, at), end = name.substr(at + strlen(j.parts[0]));
		const shim_tensor *whole = joined(all, j, stem, end);
		if (!whole)
			continue;
		for (const char *part : j.parts)
			file.erase(stem + part + end);
		file[stem + j.whole + end] = whole;
	}
}

/* The keys' part of the bias counts as 0, whatever mask stands beside it. */
void tower::drop_key_biases(tensor_map &file)
{
	for (int64_t i = 0; i < shape_of.depth; i++) {
		std::string name = numbered(names.qkv, i) + names.qkv_bias;
		file.erase(name + "_mask");
		auto found = file.find(name);
		if (found == file.end() || found->second->ndim != 1)
			continue;
		at::Tensor bias = borrow(*found->second).clone();
		bias.narrow(0, bias.size(0) / 3, bias.size(0) / 3).zero_();
		found->second = make_tensor(bias);
	}
}

void tower::convert(tensor_map &file)
{
	for (const joining &j : names.joinings)
		join(file, j);
	if (names.no_key_bias)
		drop_key_biases(file);
}

} // namespace ims
