/*
 * Oquab et al., "DINOv2: Learning robust visual features without supervision" (2023), with its
 * publisher's names, also with registers (Darcet et al., "Vision transformers need registers",
 * 2024).
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
		"pos_embed",
		"patch_embed.proj",
		"blocks.#.norm1",
		"blocks.#.attn.qkv",
		"blocks.#.attn.proj",
		"blocks.#.norm2",
		"blocks.#.mlp.fc1",
		"blocks.#.mlp.fc2",
		"norm",
		{ "mask_token", "classifier." },
	};
	l.registers = "register_tokens";
	l.scale1 = "blocks.#.ls1.gamma";
	l.scale2 = "blocks.#.ls2.gamma";
	l.gated_widen = "blocks.#.mlp.w12";
	l.gated_narrow = "blocks.#.mlp.w3";
	l.other = {
		/* Hugging Face's names, of several ages. */
		{ "dinov2.", "" },
		{ "embeddings.cls_token", "cls_token" },
		{ "embeddings.mask_token", "mask_token" },
		{ "embeddings.position_embeddings", "pos_embed" },
		{ "embeddings.register_tokens", "register_tokens" },
		{ "embeddings.patch_embeddings.projection.", "patch_embed.proj." },
		{ "layernorm.", "norm." },
		{ "encoder.layer.", "blocks." },
		{ ".attention.attention.query.", ".attn.q_proj." },
		{ ".attention.attention.key.", ".attn.k_proj." },
		{ ".attention.attention.value.", ".attn.v_proj." },
		{ ".attention.output.dense.", ".attn.proj." },
		{ ".attention.o_proj.", ".attn.proj." },
		{ ".attention.", ".attn." },
		{ ".layer_scale1.lambda1", ".ls1.gamma" },
		{ ".layer_scale2.lambda1", ".ls2.gamma" },
		{ ".mlp.weights_in.", ".mlp.w12." },
		{ ".mlp.weights_out.", ".mlp.w3." },
		{ ".mlp.gate_proj.", ".mlp.w1." },
		{ ".mlp.up_proj.", ".mlp.w2." },
		{ ".mlp.down_proj.", ".mlp.w3." },
	};
	l.joinings = {
		{ { ".attn.q_proj.", ".attn.k_proj.", ".attn.v_proj." }, ".attn.qkv." },
		{ { ".mlp.w1.", ".mlp.w2." }, ".mlp.w12." },
	};
	return l;
}

const transformer_kind kinds[] = {
	{ "dinov2_vits14", 384, 12, 14, 37, 0, positions::offset, false },
	{ "dinov2_vitb14", 768, 12, 14, 37, 0, positions::offset, false },
	{ "dinov2_vitl14", 1024, 24, 14, 37, 0, positions::offset, false },
	{ "dinov2_vitg14", 1536, 40, 14, 37, 0, positions::offset, true },
	{ "dinov2_vits14_reg", 384, 12, 14, 37, 4, positions::antialias, false },
	{ "dinov2_vitb14_reg", 768, 12, 14, 37, 4, positions::antialias, false },
	{ "dinov2_vitl14_reg", 1024, 24, 14, 37, 4, positions::antialias, false },
	{ "dinov2_vitg14_reg", 1536, 40, 14, 37, 4, positions::antialias, true },
};

} // namespace

std::unique_ptr<network> dinov2(const std::string &name)
{
	const transformer_kind *k = find_kind(kinds, name);
	return k ? make_transformer(*k, dino_layout()) : nullptr;
}

} // namespace ims
