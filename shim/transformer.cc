/* Positions, attention, blocks, and the loading of other layouts. */
#include "shim/transformer.h"

#include <torch/version.h>

#include <cmath>
#include <cstring>

namespace ims
{
namespace
{

struct block {
	norm *before_attention, *before_mlp;
	conv *qkv, *projection, *widen, *narrow;
};

std::string numbered(const char *pattern, int64_t number)
{
	std::string s = pattern;
	size_t at = s.find('#');
	return at == std::string::npos ? s : s.replace(at, 1, std::to_string(number));
}

/* (n, D, T, 1) and (n, T, D) are views of the same memory. */
at::Tensor as_maps(const at::Tensor &tokens)
{
	return tokens.transpose(1, 2).unsqueeze(3);
}

at::Tensor as_tokens(const at::Tensor &maps)
{
	return maps.squeeze(3).transpose(1, 2);
}

/* softmax(q k^T / sqrt(d)) v, each (n, heads, T, d). */
at::Tensor attend(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v)
{
#if TORCH_VERSION_MAJOR >= 2
	return at::scaled_dot_product_attention(q, k, v);
#else
	at::Tensor scores = at::matmul(q * (1 / std::sqrt((double)q.size(3))), k.transpose(2, 3));
	return at::matmul(scores.softmax(3), v);
#endif
}

class transformer : public network
{
  public:
	transformer(const transformer_kind &k, const transformer_layout &l) : shape_of(k), names(l)
	{
		channels = k.width;
		int64_t places = 1 + k.grid * k.grid;
		cls = add_tensor(l.cls, l.flat ? dims{ k.width } : dims{ 1, 1, k.width });
		position = add_tensor(l.positions,
			l.flat ? dims{ places, k.width } : dims{ 1, places, k.width });
		registers = k.registers ? add_tensor(l.registers, { 1, k.registers, k.width }) : nullptr;
		shape cut{ 3, k.width, k.patch, k.patch };
		cut.pad = padding::none;
		cut.has_bias = !*l.first_norm;
		patch = unit(l.patch, "", cut, act::none);
		first = *l.first_norm ? layer_norm(l.first_norm) : nullptr;
		for (int64_t i = 0; i < k.depth; i++)
			blocks.push_back(add_block(i));
		last = layer_norm(l.last);
		joint = nullptr;
		if (k.joint) {
			shape s{ k.width, k.joint };
			s.transposed = true;
			s.has_bias = false;
			joint = unit(l.joint, "", s, act::none);
			joint->weight_suffix = "";
			channels = k.joint;
		}
	}

	void set_side(int64_t side) override
	{
		const transformer_kind &k = shape_of;
		int64_t below = side / k.patch * k.patch;
		if (below != side)
			throw failure(MODEL,
				"the crop, " + std::to_string(side) + ", is no multiple of the patch, "
					+ std::to_string(k.patch) + "; the next ones are " + std::to_string(below)
					+ " and " + std::to_string(below + k.patch));
		at::Tensor all = position->value.view({ 1, -1, k.width });
		position->value = side == k.grid * k.patch ? all
												   : resized(all.to(at::kFloat), side / k.patch);
		cls->value = cls->value.view({ 1, 1, k.width });
	}

	at::Tensor features(const at::Tensor &input, std::vector<at::Tensor> *) override
	{
		int64_t n = input.size(0), width = shape_of.width;
		at::Tensor patches = (*patch)(input).permute({ 0, 2, 3, 1 }).reshape({ n, -1, width });
		at::Tensor tokens =
			at::cat({ cls->value.expand({ n, 1, width }), patches }, 1).add_(position->value);
		if (registers)
			tokens = at::cat({ tokens.narrow(1, 0, 1),
								 registers->value.expand({ n, shape_of.registers, width }),
								 tokens.narrow(1, 1, tokens.size(1) - 1) },
				1);
		at::Tensor x = as_maps(tokens);
		if (first)
			x = (*first)(x);
		for (const block &b : blocks) {
			x = (*b.projection)(attention((*b.qkv)((*b.before_attention)(x))), &x);
			x = (*b.narrow)(gate((*b.widen)((*b.before_mlp)(x))), &x);
		}
		at::Tensor y = (*last)(x.narrow(2, 0, 1));
		return joint ? (*joint)(y) : y;
	}

  protected:
	std::vector<std::string> unused() const override
	{
		return names.unused;
	}

	std::string current_name(const std::string &name) const override
	{
		std::string out = name;
		for (auto &[from, to] : names.other) {
			size_t at = out.find(from);
			if (at != std::string::npos)
				out.replace(at, strlen(from), to);
		}
		return out;
	}

	/* Hugging Face's CLIP has three matrices for one, and the projection the other way round. */
	void convert(tensor_map &file) override
	{
		const std::string part = ".q_proj.", joint_name = "visual_projection.weight";
		tensor_map all = file;
		for (auto &[name, q] : all) {
			size_t at = name.find(part);
			if (at == std::string::npos)
				continue;
			std::string stem = name.substr(0, at + 1), kind = name.substr(at + part.size());
			auto k = file.find(stem + "k_proj." + kind), v = file.find(stem + "v_proj." + kind);
			if (k == file.end() || v == file.end())
				continue;
			at::Tensor whole = at::cat({ borrow(*q), borrow(*k->second), borrow(*v->second) });
			file.erase(k);
			file.erase(v);
			file.erase(name);
			file[stem + "in_proj_" + kind] = make_tensor(whole);
		}
		auto found = file.find(joint_name);
		if (found == file.end() || found->second->ndim != 2)
			return;
		file[names.joint] = make_tensor(borrow(*found->second).t());
		file.erase(joint_name);
	}

  private:
	typedef std::vector<int64_t> dims;

	norm *layer_norm(const std::string &name)
	{
		return lone_norm(norm::kind::layer, name, shape_of.width, names.eps);
	}

	conv *linear(const std::string &name, int64_t in, int64_t out, act a = act::none)
	{
		shape s{ in, out };
		s.flat = true;
		return unit(name, "", s, a);
	}

	void add_scale(conv *c, const char *pattern, int64_t number)
	{
		if (!*pattern)
			return;
		c->scale_name = numbered(pattern, number);
		c->scale_shape = { shape_of.width };
	}

	block add_block(int64_t i)
	{
		block b;
		int64_t width = shape_of.width;
		/* Two thirds, so that three matrices are as large as two, in multiples of 8. */
		int64_t gated = (width * 8 / 3 + 7) / 8 * 8;
		bool g = shape_of.gated;
		b.before_attention = layer_norm(numbered(names.norm1, i));
		b.qkv = linear(numbered(names.qkv, i), width, 3 * width);
		b.qkv->weight_suffix = names.qkv_weight;
		b.qkv->bias_suffix = names.qkv_bias;
		b.projection = linear(numbered(names.projection, i), width, width);
		add_scale(b.projection, names.scale1, i);
		b.before_mlp = layer_norm(numbered(names.norm2, i));
		b.widen = g ? linear(numbered(names.gated_widen, i), width, 2 * gated)
					: linear(numbered(names.widen, i), width, 4 * width, shape_of.gelu);
		b.narrow = g ? linear(numbered(names.gated_narrow, i), gated, width)
					 : linear(numbered(names.narrow, i), 4 * width, width);
		add_scale(b.narrow, names.scale2, i);
		return b;
	}

	at::Tensor attention(const at::Tensor &qkv) const
	{
		int64_t n = qkv.size(0), tokens = qkv.size(2), heads = shape_of.width / 64;
		at::Tensor parts =
			as_tokens(qkv).view({ n, tokens, 3, heads, 64 }).permute({ 2, 0, 3, 1, 4 });
		at::Tensor y = attend(parts[0], parts[1], parts[2]);
		return as_maps(y.transpose(1, 2).reshape({ n, tokens, shape_of.width }));
	}

	/* SwiGLU (Shazeer, "GLU variants improve transformer", 2020). */
	at::Tensor gate(const at::Tensor &y) const
	{
		if (!shape_of.gated)
			return y;
		std::vector<at::Tensor> half = as_tokens(y).chunk(2, 2);
		return as_maps(at::silu(half[0]).mul_(half[1]));
	}

	/* The positions of a grid of `side` patches. */
	at::Tensor resized(const at::Tensor &all, int64_t side) const
	{
		int64_t grid = shape_of.grid, width = shape_of.width;
		at::Tensor maps = all.narrow(1, 1, grid * grid)
							  .reshape({ 1, grid, grid, width })
							  .permute({ 0, 3, 1, 2 })
							  .contiguous();
		double factor = ((double)side + 0.1) / (double)grid;
		switch (shape_of.mode) {
		case positions::corners:
			maps = at::upsample_bicubic2d(maps, { side, side }, true);
			break;
		case positions::offset:
			maps = at::upsample_bicubic2d(maps, { side, side }, false, factor, factor);
			break;
		case positions::antialias:
			maps = at::_upsample_bicubic2d_aa(maps, { side, side }, false);
			break;
		}
		at::Tensor rows = maps.permute({ 0, 2, 3, 1 }).reshape({ 1, side * side, width });
		return at::cat({ all.narrow(1, 0, 1), rows }, 1);
	}

	const transformer_kind shape_of;
	const transformer_layout names;
	lone_tensor *cls, *position, *registers; /* registers: NULL: none */
	conv *patch, *joint;                     /* joint: NULL: none */
	norm *first, *last;                      /* first: NULL: none */
	std::vector<block> blocks;
};

} // namespace

std::unique_ptr<network> make_transformer(const transformer_kind &k, const transformer_layout &l)
{
	return std::make_unique<transformer>(k, l);
}

} // namespace ims
