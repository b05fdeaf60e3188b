/*
 * CLIP: Radford et al., "Learning transferable visual models from natural language supervision"
 * (2021); its image tower with the names of OpenAI's and OpenCLIP's files, and of Hugging
 * Face's.
 */
#include "shim/words.h"

namespace ims
{
namespace
{

/* OpenAI's and OpenCLIP's; the other names are Hugging Face's. */
transformer_layout clip_layout()
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
		/* The text tower, and what OpenAI's programs keep beside it. */
		{ "transformer.", "token_embedding.", "positional_embedding", "ln_final.",
			"text_projection", "text.", "text_model.", "vision_model.embeddings.position_ids",
			"logit_scale", "logit_bias", "input_resolution", "context_length", "vocab_size" },
		1e-5,
	};
	l.qkv_weight = "_weight";
	l.qkv_bias = "_bias";
	l.first_norm = "visual.ln_pre";
	l.joint = "visual.proj";
	l.turned_joint = "visual_projection.weight";
	l.joinings = { { { ".q_proj.", ".k_proj.", ".v_proj." }, ".in_proj_" } };
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

const positions mode = positions::antialias;
const act quick = act::quick_gelu;

/* OpenAI's, with its GELU, and OpenCLIP's. */
const transformer_kind kinds[] = {
	{ "clip_vit_b32", 768, 12, 32, 7, 0, mode, false, quick, 512 },
	{ "clip_vit_b16", 768, 12, 16, 14, 0, mode, false, quick, 512 },
	{ "clip_vit_l14", 1024, 24, 14, 16, 0, mode, false, quick, 768 },
	{ "clip_vit_l14_336", 1024, 24, 14, 24, 0, mode, false, quick, 768 },
	{ "openclip_vit_b32", 768, 12, 32, 7, 0, mode, false, act::gelu, 512 },
	{ "openclip_vit_b16", 768, 12, 16, 14, 0, mode, false, act::gelu, 512 },
	{ "openclip_vit_l14", 1024, 24, 14, 16, 0, mode, false, act::gelu, 768 },
	{ "clip_vit", 0, 0, 0, 0, 0, mode, false, quick },
	{ "openclip_vit", 0, 0, 0, 0, 0, mode, false, act::gelu },
};

} // namespace

std::unique_ptr<network> clip_vit(const std::string &name)
{
	const transformer_kind *k = find_kind(kinds, name);
	return k ? make_transformer(*k, clip_layout()) : nullptr;
}

std::unique_ptr<words> clip_words(const std::string &name)
{
	const transformer_kind *k = find_kind(kinds, name);
	words_kind w;
	if (!k)
		return nullptr;
	w.gelu = k->gelu;
	return std::make_unique<words>(w);
}

} // namespace ims
