/*
 * The image tower of SigLIP: Zhai et al., "Sigmoid loss for language image pre-training"
 * (2023), and SigLIP 2: Tschannen et al. (2025), with the names of timm, OpenCLIP and Hugging Face.
 * Both have the same networks.
 * There is no class token: a learned token attends to the patches behind the last norm. GELU is by
 * tanh, as the publisher's program has it; timm runs the same weights of some sizes with the exact
 * one: these are the names that end in "_gelu".
 */
#include "shim/words.h"

namespace ims
{
namespace
{

transformer_layout siglip_layout()
{
	transformer_layout l = {
		"",
		"pos_embed",
		"patch_embed.proj",
		"blocks.#.norm1",
		"blocks.#.attn.qkv",
		"blocks.#.attn.proj",
		"blocks.#.norm2",
		"blocks.#.mlp.fc1",
		"blocks.#.mlp.fc2",
		"norm",
		{ "text.", "text_model.", "embeddings.position_ids", "logit_scale", "logit_bias" },
	};
	l.pool = { "attn_pool.latent", "attn_pool.q", "attn_pool.kv", "attn_pool.proj",
		"attn_pool.norm", "attn_pool.mlp.fc1", "attn_pool.mlp.fc2", "attn_pool.in_proj_" };
	l.other = {
		{ "visual.trunk.", "" },
		/* Hugging Face's */
		{ "vision_model.", "" },
		{ "embeddings.patch_embedding.", "patch_embed.proj." },
		{ "embeddings.position_embedding.weight", "pos_embed" },
		{ "encoder.layers.", "blocks." },
		{ ".layer_norm1.", ".norm1." },
		{ ".layer_norm2.", ".norm2." },
		{ ".self_attn.out_proj.", ".attn.proj." },
		{ ".self_attn.", ".attn." },
		{ "post_layernorm.", "norm." },
		{ "head.probe", "attn_pool.latent" },
		{ "head.attention.in_proj_", "attn_pool.in_proj_" },
		{ "head.attention.out_proj.", "attn_pool.proj." },
		{ "head.layernorm.", "attn_pool.norm." },
		{ "head.mlp.", "attn_pool.mlp." },
	};
	l.joinings = { { { ".attn.q_proj.", ".attn.k_proj.", ".attn.v_proj." }, ".attn.qkv." } };
	return l;
}

struct size {
	const char *name;
	int64_t width, depth, heads, hidden, patch, grid;
};

const size sizes[] = {
	{ "siglip_b16_224", 768, 12, 12, 3072, 16, 14 },
	{ "siglip_b16_256", 768, 12, 12, 3072, 16, 16 },
	{ "siglip_b16_384", 768, 12, 12, 3072, 16, 24 },
	{ "siglip_b16_512", 768, 12, 12, 3072, 16, 32 },
	{ "siglip_b32_256", 768, 12, 12, 3072, 32, 8 },
	{ "siglip_l16_256", 1024, 24, 16, 4096, 16, 16 },
	{ "siglip_l16_384", 1024, 24, 16, 4096, 16, 24 },
	{ "siglip_l16_512", 1024, 24, 16, 4096, 16, 32 },
	{ "siglip_so400m14_224", 1152, 27, 16, 4304, 14, 16 },
	{ "siglip_so400m14_384", 1152, 27, 16, 4304, 14, 27 },
	{ "siglip_so400m16_256", 1152, 27, 16, 4304, 16, 16 },
	{ "siglip_so400m16_384", 1152, 27, 16, 4304, 16, 24 },
	{ "siglip_so400m16_512", 1152, 27, 16, 4304, 16, 32 },
};

transformer_kind kind_of(const size &s, act gelu)
{
	transformer_kind k = { s.name, s.width, s.depth, s.patch, s.grid };
	k.mode = positions::bilinear_corners;
	k.gelu = gelu;
	k.heads = k.pool_heads = s.heads;
	k.hidden = s.hidden;
	k.has_class = false;
	k.cuts = true;
	return k;
}

} // namespace

std::unique_ptr<network> siglip(const std::string &name)
{
	for (const size &s : sizes) {
		if (name == s.name)
			return make_transformer(kind_of(s, act::gelu_tanh), siglip_layout());
		if (name == std::string(s.name) + "_gelu")
			return make_transformer(kind_of(s, act::gelu), siglip_layout());
	}
	return nullptr;
}

/*
 * As the image towers: OpenCLIP runs SigLIP's with the exact GELU, but SigLIP 2's, whose
 * vocabulary is larger, by tanh. One of several languages has no projection.
 */
std::unique_ptr<words> siglip_words(const std::string &name)
{
	for (const size &s : sizes) {
		bool exact = name == std::string(s.name) + "_gelu";
		if (name != s.name && !exact)
			continue;
		words_kind w;
		w.gelu = exact ? act::gelu : act::gelu_tanh;
		w.tanh_vocabulary = 256000;
		w.causal = false;
		w.eps = 1e-6;
		w.heads = s.heads;
		w.has_bias = w.may_end_at_norm = true;
		return std::make_unique<words>(w);
	}
	return nullptr;
}

} // namespace ims
