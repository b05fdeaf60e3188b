/*
 * The executor of vision transformers: Dosovitskiy et al., "An image is worth 16x16 words" (2021).
 * A family is a table of kinds and a layout of names. The feature is the class token behind the
 * last norm, or what a learned token attends to, or the projection of one of both.
 *
 * A picture is cut into patches, each of which becomes a token.
 */
#ifndef IMS_SHIM_TRANSFORMER_H
#define IMS_SHIM_TRANSFORMER_H

#include "shim/network.h"

namespace ims
{

/* How positions for another grid of patches are made of those in the file. */
enum class positions {
	corners,          /* bicubic, corners on corners: torchvision */
	offset,           /* bicubic, by the factor (side + 0.1) / side of the file: DINOv2 */
	antialias,        /* bicubic, antialiased: DINOv2 with registers */
	bilinear,         /* Perception Encoder */
	bilinear_corners, /* bilinear, corners on corners: SigLIP */
};

/*
 * Rotary positions (Su et al., "RoFormer", 2021) of two axes: queries and keys of patches are
 * turned, value by value, by angles that grow with the place of the patch.
 */
enum class rotation {
	none,
	halves, /* value i with value i + half a head: DINOv3 */
	pairs,  /* value 2 i with value 2 i + 1: Perception Encoder */
};

struct transformer_kind {
	const char *name;
	/*
	 * width 0: these four, hidden and joint are those of the tensors. grid: patches on a side, of
	 * the positions; 0: none.
	 */
	int64_t width, depth, patch, grid;
	int64_t registers = 0;
	positions mode = positions::corners;
	bool gated = false; /* SwiGLU for GELU */
	act gelu = act::gelu;
	int64_t joint = 0;      /* values of the projection; 0: none */
	int64_t heads = 0;      /* 0: one for 64 values */
	int64_t hidden = 0;     /* of the MLP; 0: four times the width, gated two thirds of that */
	int64_t pool_heads = 0; /* of the attention that pools; 0: the class token is the feature */
	bool has_class = true;
	rotation turns = rotation::none;
	bool cuts = false; /* what a crop has beyond whole patches is left out */
};

/*
 * Parts of names in a file of another layout, and what they are called here. A part that begins
 * with a dot is replaced wherever it stands, another one only at the beginning of a name.
 */
typedef std::vector<std::pair<const char *, const char *>> renaming;

/* Tensors of another layout that are one here, by the parts of their names. */
struct joining {
	std::vector<const char *> parts;
	const char *whole;
};

/* The names of the attention that pools; its MLP is never gated. */
struct pool_layout {
	const char *latent = "", *q = "", *kv = "", *projection = "", *norm = "", *widen = "",
			   *narrow = "";
	const char *whole = ""; /* q and kv as one in a file of another layout */
};

/* The names of tensors; "#" stands for the number of the block, "" for what there is not. */
struct transformer_layout {
	const char *cls, *positions, *patch;
	const char *norm1, *qkv, *projection, *norm2, *widen, *narrow, *last;
	std::vector<std::string> unused; /* prefixes */
	double eps = 1e-6;
	const char *qkv_weight = ".weight", *qkv_bias = ".bias"; /* behind qkv */
	const char *registers = "", *scale1 = "", *scale2 = "", *gated_widen = "", *gated_narrow = "";
	const char *first_norm = "", *joint = ""; /* before the blocks, behind the last norm */
	const char *turned_joint = "";            /* the projection, (out, in), of another layout */
	const char *periods = "";                 /* of rotary positions; may be missing in a file */
	bool no_key_bias = false;                 /* what a file has for one is not used */
	pool_layout pool = {};
	renaming other = {};
	std::vector<joining> joinings = {};
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
