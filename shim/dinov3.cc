/*
 * Siméoni et al., "DINOv3" (2025), with its publisher's names and Hugging Face's. Patches have no
 * positions but rotary ones; the keys have no bias.
 */
#include "shim/transformer.h"

namespace ims
{
namespace
{

transformer_layout dino_layout()
{
	transformer_layout l = {
		"cls_token",
		"",
		"patch_embed.proj",
		"blocks.#.norm1",
		"blocks.#.attn.qkv",
		"blocks.#.attn.proj",
		"blocks.#.norm2",
		"blocks.#.mlp.fc1",
		"blocks.#.mlp.fc2",
		"norm",
		{ "mask_token", "local_cls_norm." },
		1e-5,
	};
	l.registers = "storage_tokens";
	l.scale1 = "blocks.#.ls1.gamma";
	l.scale2 = "blocks.#.ls2.gamma";
	l.gated_widen = "blocks.#.mlp.w12";
	l.gated_narrow = "blocks.#.mlp.w3";
	l.periods = "rope_embed.periods";
	l.no_key_bias = true;
	l.other = {
		/* Hugging Face's, of several ages. */
		{ "embeddings.cls_token", "cls_token" },
		{ "embeddings.mask_token", "mask_token" },
		{ "embeddings.register_tokens", "storage_tokens" },
		{ "embeddings.patch_embeddings.", "patch_embed.proj." },
		{ "model.layer.", "blocks." },
		{ "layer.", "blocks." },
		{ ".attention.o_proj.", ".attn.proj." },
		{ ".attention.", ".attn." },
		{ ".layer_scale1.lambda1", ".ls1.gamma" },
		{ ".layer_scale2.lambda1", ".ls2.gamma" },
		{ ".mlp.gate_proj.", ".mlp.w1." },
	};
	l.joinings = {
		{ { ".attn.q_proj.", ".attn.k_proj.", ".attn.v_proj." }, ".attn.qkv." },
		{ { ".mlp.w1.", ".mlp.w2." }, ".mlp.w12." },
	};
	return l;
}

/* Hugging Face has the same names for the MLP with a gate and for that without one. */
transformer_layout layout_for(bool gated)
{
	transformer_layout l = dino_layout();
	l.other.push_back({ ".mlp.up_proj.", gated ? ".mlp.w2." : ".mlp.fc1." });
	l.other.push_back({ ".mlp.down_proj.", gated ? ".mlp.w3." : ".mlp.fc2." });
	return l;
}

struct size {
	const char *name;
	int64_t width, depth;
	int64_t gated; /* values in the MLP with a gate; 0: it has none */
};

const size sizes[] = {
	{ "dinov3_vits16", 384, 12, 0 },
	{ "dinov3_vits16plus", 384, 12, 1536 },
	{ "dinov3_vitb16", 768, 12, 0 },
	{ "dinov3_vitl16", 1024, 24, 0 },
	{ "dinov3_vith16plus", 1280, 32, 5120 },
};

transformer_kind kind_of(const size &s)
{
	transformer_kind k = { s.name, s.width, s.depth, 16, 0 };
	k.registers = 4;
	k.turns = rotation::halves;
	k.gated = s.gated;
	k.hidden = s.gated;
	return k;
}

} // namespace

std::unique_ptr<network> dinov3(const std::string &name)
{
	for (const size &s : sizes)
		if (name == s.name)
			return make_transformer(kind_of(s), layout_for(s.gated));
	return nullptr;
}

} // namespace ims
