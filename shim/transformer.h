/*
 * The executor of vision transformers: Dosovitskiy et al., "An image is worth 16x16 words" (2021).
 * A family is a table of kinds and a layout of names. The feature is the class token behind the
 * last norm, or its projection.
 *
 * A picture is cut into patches, each of which becomes a token. Tokens (n, T, D) are kept as maps
 * (n, D, T, 1), channels last, which is the same memory: linear layers are then 1x1 convolutions.
 */
#ifndef IMS_SHIM_TRANSFORMER_H
#define IMS_SHIM_TRANSFORMER_H

#include "shim/network.h"

namespace ims
{

/* How positions for another grid of patches are made of those in the file. */
enum class positions {
	corners,   /* bicubic, corners on corners: torchvision */
	offset,    /* bicubic, by the factor (side + 0.1) / side of the file: DINOv2 */
	antialias, /* bicubic, antialiased: DINOv2 with registers */
};

struct transformer_kind {
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
struct transformer_layout {
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

std::unique_ptr<network> make_transformer(const transformer_kind &k, const transformer_layout &l);

/* The kind of a name in a family's table; NULL. */
template <typename table>
const transformer_kind *find_kind(const table &kinds, const std::string &name)
{
	for (const transformer_kind &k : kinds)
		if (name == k.name)
			return &k;
	return nullptr;
}

} // namespace ims

#endif
