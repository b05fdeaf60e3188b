/*
 * Dosovitskiy et al., "An image is worth 16x16 words" (2021), with the names of torchvision.
 */
#include "shim/transformer.h"

namespace ims
{
namespace
{

transformer_layout torchvision_layout()
{
	transformer_layout l = {
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

const transformer_kind kinds[] = {
	{ "vit_b_16", 768, 12, 16, 14 },
	{ "vit_b_32", 768, 12, 32, 7 },
	{ "vit_l_16", 1024, 24, 16, 14 },
};

} // namespace

std::unique_ptr<network> vit(const std::string &name)
{
	const transformer_kind *k = find_kind(kinds, name);
	return k ? make_transformer(*k, torchvision_layout()) : nullptr;
}

} // namespace ims
