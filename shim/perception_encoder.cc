/*
 * The image tower of Perception Encoder: Bolya et al., "Perception Encoder: The best visual
 * embeddings are not at the output of the network" (2025), PE-Core, with its publisher's names and
 * those of timm and OpenCLIP.
 */
#include "shim/words.h"

namespace ims
{
namespace
{

transformer_layout perception_layout()
{
	transformer_layout l = {
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
		/* The text tower. */
		{ "text.", "transformer.", "token_embedding.", "positional_embedding", "ln_final.",
			"text_projection", "logit_scale", "logit_bias" },
		1e-5,
	};
	l.qkv_weight = "_weight";
	l.qkv_bias = "_bias";
	l.first_norm = "visual.ln_pre";
	l.joint = "visual.proj";
	l.turned_joint = "head.weight";
	l.pool = { "visual.attn_pool.probe", "visual.attn_pool.q", "visual.attn_pool.kv",
		"visual.attn_pool.attn.out_proj", "visual.attn_pool.layernorm", "visual.attn_pool.mlp.c_fc",
		"visual.attn_pool.mlp.c_proj", "visual.attn_pool.attn.in_proj_" };
	l.other = {
		/* timm's */
		{ "visual.trunk.", "" },
		{ "cls_token", "visual.class_embedding" },
		{ "pos_embed", "visual.positional_embedding" },
		{ "patch_embed.proj.", "visual.conv1." },
		{ "norm_pre.", "visual.ln_pre." },
		{ "norm.", "visual.ln_post." },
		{ "head.bias", "visual.proj.bias" },
		{ "blocks.", "visual.transformer.resblocks." },
		{ "attn_pool.latent", "visual.attn_pool.probe" },
		{ "attn_pool.proj.", "visual.attn_pool.attn.out_proj." },
		{ "attn_pool.norm.", "visual.attn_pool.layernorm." },
		{ "attn_pool.", "visual.attn_pool." },
		{ ".norm1.", ".ln_1." },
		{ ".norm2.", ".ln_2." },
		{ ".attn.qkv.", ".attn.in_proj_" },
		{ ".attn.proj.", ".attn.out_proj." },
		{ ".mlp.fc1.", ".mlp.c_fc." },
		{ ".mlp.fc2.", ".mlp.c_proj." },
	};
	return l;
}

struct size {
	const char *name;
	int64_t width, depth, patch, grid, joint;
};

const size sizes[] = {
	{ "pe_core_t16_384", 192, 12, 16, 24, 512 },
	{ "pe_core_s16_384", 384, 12, 16, 24, 512 },
	{ "pe_core_b16_224", 768, 12, 16, 14, 1024 },
	{ "pe_core_l14_336", 1024, 24, 14, 24, 1024 },
};

transformer_kind kind_of(const size &s)
{
	transformer_kind k = { s.name, s.width, s.depth, s.patch, s.grid };
	k.mode = positions::bilinear;
	k.turns = rotation::pairs;
	k.joint = s.joint;
	k.pool_heads = 8;
	return k;
}

} // namespace

std::unique_ptr<network> perception_encoder(const std::string &name)
{
	for (const size &s : sizes)
		if (name == s.name)
			return make_transformer(kind_of(s), perception_layout());
	return nullptr;
}

std::unique_ptr<words> perception_words(const std::string &name)
{
	bool found = std::any_of(std::begin(sizes), std::end(sizes),
		[&](const size &s) { return name == s.name; });
	return found ? std::make_unique<words>(words_kind()) : nullptr;
}

} // namespace ims
