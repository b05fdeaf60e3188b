/*
 * Vision transformers: Dosovitskiy et al., "An image is worth 16x16 words" (2021), with the names
 * of torchvision; DINOv2: Oquab et al., "DINOv2: Learning robust visual features without
 * supervision" (2023), with its publisher's names, also with registers (Darcet et al., "Vision
 * transformers need registers", 2024); the tower of pictures of CLIP: Radford et al., "Learning
 * transferable visual models from natural language supervision" (2021), with the names of OpenAI's
 * and OpenCLIP's files. The feature is the class token behind the last norm; of CLIP its projection
 * into the space that pictures and words share.
 *
 * A picture is cut into patches, each of which becomes a token. Tokens (n, T, D) are kept as maps
 * (n, D, T, 1), channels last, which is the same memory: linear layers are then 1x1 convolutions.
 */
#include "shim/network.h"

#include <torch/version.h>

#include <cmath>
#include <cstring>

namespace ims
{
namespace
{

/* How positions for another grid of patches are made of those in the file. */
enum class positions {
	corners,   /* bicubic, corners on corners: torchvision */
	offset,    /* bicubic, by the factor (side + 0.1) / side of the file: DINOv2 */
	antialias, /* bicubic, antialiased: DINOv2 with registers */
};

struct kind {
	const char *name;
	int64_t width, depth, patch, grid; /* grid: patches on a side, of the positions in the file */
	int64_t registers;
	positions mode;
	bool gated; /* SwiGLU for GELU */
	act gelu = act::gelu;
	int64_t joint = 0; /* values of CLIP's projection */
};

/* A linear layer whose tensors are not NAME.weight and NAME.bias. */
struct linear_name {
	const char *name, *weight = ".weight", *bias = ".bias";
};

/* A part of a name in a file of another layout, and the same part here. */
typedef std::vector<std::pair<const char *, const char *>> renaming;

/* The names of tensors; "#" stands for the number of the block, "" for what there is not. */
struct layout {
	const char *cls, *positions, *patch;
	const char *norm1, *qkv, *projection, *norm2, *widen, *narrow, *last;
	std::vector<std::string> unused; /* prefixes */
	double eps = 1e-6;
	const char *qkv_weight = ".weight", *qkv_bias = ".bias"; /* behind qkv */
	const char *registers = "", *scale1 = "", *scale2 = "", *gated_widen = "", *gated_narrow = "";
	const char *first_norm = "", *joint = ""; /* before the blocks, behind the last norm */
	bool flat = false; /* the class token is (D) and the positions (T, D), else with a 1 before */
	renaming other = {};
};

layout torchvision_layout()
{
	layout l = {
		"class_token",
		"encoder.pos_embedding",
		"conv_proj",
		"encoder.layers.encoder_layer_#.ln_1",
		"encoder.layers.encoder_layer_#.self_attention.in_proj",
		"encoder.layers.encoder_layer_#.self_attention.out_proj",
		"encoder.layers.encoder_layer_#.ln_2",
		"encoder.layers.encoder_layer_#.mlp.0",
		"encoder.layers.encoder_layer_#.mlp.3",
		"encoder.ln",
		{ "heads." },
	};
	l.qkv_weight = "_weight";
	l.qkv_bias = "_bias";
	l.other = { { ".mlp.linear_1.", ".mlp.0." }, { ".mlp.linear_2.", ".mlp.3." } };
	return l;
}

layout dino_layout()
{
	layout l = {
		"cls_token",
		"pos_embed",
		"patch_embed.proj",
		"blocks.#.norm1",
		"blocks.#.attn.qkv",
		"blocks.#.attn.proj",
		"blocks.#.norm2",
		"blocks.#.mlp.fc1",
		"blocks.#.mlp.fc2",
		"norm",
		{ "mask_token" },
	};
	l.registers = "register_tokens";
	l.scale1 = "blocks.#.ls1.gamma";
	l.scale2 = "blocks.#.ls2.gamma";
	l.gated_widen = "blocks.#.mlp.w12";
	l.gated_narrow = "blocks.#.mlp.w3";
	return l;
}

/* OpenAI's and OpenCLIP's; the other names are Hugging Face's. */
layout clip_layout()
{
	layout l = {
		"visual.class_embedding",
		"visual.positional_embedding",
		"visual.conv1",
		"visual.transformer.resblocks.#.ln_1",
		"visual.transformer.resblocks.#.attn.in_proj",
		"visual.transformer.resblocks.#.attn.out_proj",
		"visual.transformer.resblocks.#.ln_2",
		"visual.transformer.resblocks.#.mlp.c_fc",
		"visual.transformer.resblocks.#.mlp.c_proj",
		"visual.ln_post",
		/* The tower of words, and what OpenAI's programs keep beside it. */
		{ "transformer.", "token_embedding.", "positional_embedding", "ln_final.",
			"text_projection", "text_model.", "vision_model.embeddings.position_ids", "logit_scale",
			"logit_bias", "input_resolution", "context_length", "vocab_size" },
		1e-5,
	};
	l.qkv_weight = "_weight";
	l.qkv_bias = "_bias";
	l.first_norm = "visual.ln_pre";
	l.joint = "visual.proj";
	l.flat = true;
	l.other = {
		{ "vision_model.embeddings.class_embedding", "visual.class_embedding" },
		{ "vision_model.embeddings.position_embedding.weight", "visual.positional_embedding" },
		{ "vision_model.embeddings.patch_embedding.", "visual.conv1." },
		{ "vision_model.pre_layrnorm.", "visual.ln_pre." },
		{ "vision_model.post_layernorm.", "visual.ln_post." },
		{ "vision_model.encoder.layers.", "visual.transformer.resblocks." },
		{ ".layer_norm1.", ".ln_1." },
		{ ".layer_norm2.", ".ln_2." },
		{ ".self_attn.", ".attn." },
		{ ".mlp.fc1.", ".mlp.c_fc." },
		{ ".mlp.fc2.", ".mlp.c_proj." },
	};
	return l;
}

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
	transformer(const kind &k, const layout &l) : shape_of(k), names(l)
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
		const kind &k = shape_of;
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

	const kind shape_of;
	const layout names;
	lone_tensor *cls, *position, *registers; /* registers: NULL: none */
	conv *patch, *joint;                     /* joint: NULL: none */
	norm *first, *last;                      /* first: NULL: none */
	std::vector<block> blocks;
};

/* OpenAI's, with its GELU, and OpenCLIP's. */
const std::vector<kind> &clips()
{
	const positions mode = positions::antialias;
	const act quick = act::quick_gelu;
	static const std::vector<kind> list = {
		{ "clip_vit_b32", 768, 12, 32, 7, 0, mode, false, quick, 512 },
		{ "clip_vit_b16", 768, 12, 16, 14, 0, mode, false, quick, 512 },
		{ "clip_vit_l14", 1024, 24, 14, 16, 0, mode, false, quick, 768 },
		{ "clip_vit_l14_336", 1024, 24, 14, 24, 0, mode, false, quick, 768 },
		{ "openclip_vit_b32", 768, 12, 32, 7, 0, mode, false, act::gelu, 512 },
		{ "openclip_vit_b16", 768, 12, 16, 14, 0, mode, false, act::gelu, 512 },
		{ "openclip_vit_l14", 1024, 24, 14, 16, 0, mode, false, act::gelu, 768 },
	};
	return list;
}

} // namespace

std::unique_ptr<network> vision_transformer(const std::string &name)
{
	static const kind torchvision[] = {
		{ "vit_b_16", 768, 12, 16, 14, 0, positions::corners, false },
		{ "vit_b_32", 768, 12, 32, 7, 0, positions::corners, false },
		{ "vit_l_16", 1024, 24, 16, 14, 0, positions::corners, false },
	};
	static const kind dino[] = {
		{ "dinov2_vits14", 384, 12, 14, 37, 0, positions::offset, false },
		{ "dinov2_vitb14", 768, 12, 14, 37, 0, positions::offset, false },
		{ "dinov2_vitl14", 1024, 24, 14, 37, 0, positions::offset, false },
		{ "dinov2_vitg14", 1536, 40, 14, 37, 0, positions::offset, true },
		{ "dinov2_vits14_reg", 384, 12, 14, 37, 4, positions::antialias, false },
		{ "dinov2_vitb14_reg", 768, 12, 14, 37, 4, positions::antialias, false },
		{ "dinov2_vitl14_reg", 1024, 24, 14, 37, 4, positions::antialias, false },
		{ "dinov2_vitg14_reg", 1536, 40, 14, 37, 4, positions::antialias, true },
	};
	for (const kind &k : clips())
		if (name == k.name)
			return std::make_unique<transformer>(k, clip_layout());
	for (const kind &k : torchvision)
		if (name == k.name)
			return std::make_unique<transformer>(k, torchvision_layout());
	for (const kind &k : dino)
		if (name == k.name)
			return std::make_unique<transformer>(k, dino_layout());
	return nullptr;
}

} // namespace ims
