/*
 * The text towers, with the names of OpenAI's and OpenCLIP's files, and of Hugging Face's.
 */
#include "shim/words.h"

#include <algorithm>

namespace ims
{
namespace
{

const char token_embedding[] = "token_embedding.weight";

/* OpenCLIP's; the other names are Hugging Face's. */
transformer_layout words_layout(double eps)
{
	transformer_layout l = {
		"",
		"positional_embedding",
		"",
		"transformer.resblocks.#.ln_1",
		"transformer.resblocks.#.attn.in_proj",
		"transformer.resblocks.#.attn.out_proj",
		"transformer.resblocks.#.ln_2",
		"transformer.resblocks.#.mlp.c_fc",
		"transformer.resblocks.#.mlp.c_proj",
		"ln_final",
		/* The image tower, and what stands beside both. */
		{ "visual.", "vision_model.", "visual_projection.", "embeddings.position_ids",
			"logit_scale", "logit_bias", "input_resolution", "context_length", "vocab_size" },
		eps,
	};
	l.qkv_weight = "_weight";
	l.qkv_bias = "_bias";
	l.joint = "text_projection";
	l.joinings = { { { ".q_proj.", ".k_proj.", ".v_proj." }, ".in_proj_" } };
	l.other = {
		{ "text.", "" },
		{ "text_model.", "" },
		{ "embeddings.token_embedding.", "token_embedding." },
		{ "embeddings.position_embedding.weight", "positional_embedding" },
		{ "encoder.layers.", "transformer.resblocks." },
		{ "final_layer_norm.", "ln_final." },
		{ "head.", "text_projection." },
		{ ".layer_norm1.", ".ln_1." },
		{ ".layer_norm2.", ".ln_2." },
		{ ".self_attn.", ".attn." },
		{ ".mlp.fc1.", ".mlp.c_fc." },
		{ ".mlp.fc2.", ".mlp.c_proj." },
	};
	return l;
}

void check_token(int32_t token, int64_t vocabulary)
{
	if (token < 0 || token >= vocabulary)
		throw failure(INVALID,
			"token " + std::to_string(token) + " is not among the " + std::to_string(vocabulary)
				+ " of the text tower");
}

} // namespace

words::words(const words_kind &k) : tower({ "", 0, 0, 0, 0 }, words_layout(k.eps)), kind(k) {}

/* CLIP's projection has no name behind its own, and is (in, out). */
void words::convert(tensor_map &file)
{
	tower::convert(file);
	auto found = file.find(names.joint);
	if (found == file.end() || found->second->ndim != 2)
		return;
	file[std::string(names.joint) + ".weight"] = make_tensor(borrow(*found->second).t());
	file.erase(found);
}

void words::measure(const tensor_map &file, misfit &wrong)
{
	const std::string projection = std::string(names.joint) + ".weight";
	if (!file.count(token_embedding))
		throw failure(UNSUPPORTED, "the weights have no text tower");
	vocabulary = extent(file, token_embedding, 0);
	context = extent(file, names.positions, 0);
	channels = shape_of.width = extent(file, token_embedding, 1);
	shape_of.gelu = vocabulary == kind.tanh_vocabulary ? act::gelu_tanh : kind.gelu;
	shape_of.heads = kind.heads;
	measure_blocks(file, token_embedding, wrong);
	embedding = add_tensor(token_embedding, { vocabulary, shape_of.width });
	embedding->rows = true;
	position = add_tensor(names.positions, { context, shape_of.width });
	add_blocks();
	last = layer_norm(names.last);
	if (kind.may_end_at_norm && !file.count(projection))
		return;
	channels = extent(file, projection, 0);
	shape s{ shape_of.width, channels };
	s.flat = true;
	s.has_bias = kind.has_bias;
	joint = unit(names.joint, "", s, act::none);
}

at::Tensor words::input(const int32_t *tokens, const uint32_t *used, size_t n) const
{
	uint32_t longest = 1;
	for (size_t i = 0; i < n; i++) {
		if (!used[i] || used[i] > context)
			throw failure(INVALID,
				"a text of " + std::to_string(used[i]) + " tokens; the text tower takes 1 to "
					+ std::to_string(context));
		longest = std::max(longest, used[i]);
	}
	int64_t length = kind.causal ? longest : context;
	at::Tensor ids = at::full({ (int64_t)n, length }, -1, at::TensorOptions(at::kLong));
	int64_t *to = ids.data_ptr<int64_t>();
	for (size_t i = 0; i < n; i++)
		for (int64_t j = 0; j < context; j++) {
			int32_t token = tokens[(int64_t)i * context + j];
			check_token(token, vocabulary);
			if (j < (kind.causal ? used[i] : context))
				to[(int64_t)i * length + j] = token;
		}
	return ids;
}

at::Tensor words::attention(const at::Tensor &qkv) const
{
	at::Tensor parts = split_heads(qkv, 3, heads);
	return join_heads(attend(parts[0], parts[1], parts[2], kind.causal));
}

at::Tensor words::features(const at::Tensor &ids, std::vector<at::Tensor> *)
{
	int64_t n = ids.size(0), length = ids.size(1), width = shape_of.width;
	const at::Tensor &places = position->value;
	at::Tensor rows = embedding->value.index_select(0, ids.clamp_min(0).flatten());
	at::Tensor x = rows.to(places.scalar_type()).view({ n, length, width })
		+ places.narrow(0, 0, length);
	x = as_tokens(run_blocks(as_maps(x)));
	at::Tensor ends = ids.ge(0).sum(1) - 1;
	at::Tensor y = x.index({ at::arange(n, ends.options()), ends }).view({ n, width, 1, 1 });
	y = (*last)(y);
	return joint ? (*joint)(y) : y;
}

std::unique_ptr<words> make_words(const std::string &name)
{
	for (auto family : { clip_words, perception_words, siglip_words })
		if (auto net = family(name))
			return net;
	throw failure(UNSUPPORTED, "the network \"" + name + "\" has no text tower");
}

} // namespace ims
