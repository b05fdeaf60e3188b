/*
 * Networks by name, their weights files, and the shim that runs them. The catalogue and the readers need no libtorch;
 * the shim is loaded (dlopen, never closed) by the first ims_model_load. docs/models.md says it for users.
 */
#ifndef IMS_MODEL_H
#define IMS_MODEL_H

#include "base/base.h"
#include "image/image.h"
#include "shim/shim.h"

/* --------------------------------------------------------------------------------------------- catalogue ---- */

/* A network that the shim has, with torchvision's own recipe (its first ImageNet weights). */
typedef struct model_network {
	const char *name;       /* "resnet50" */
	uint32_t dim, resize, crop, bicubic;
	uint32_t batch;         /* it runs best at, on a CPU */
} model_network;

const model_network *ims_model_find(const char *name); /* NULL: unknown */
const model_network *ims_model_list(size_t *n);
image_recipe ims_network_recipe(const model_network *net); /* NULL: 256, 224 and the means of ImageNet */

/* Each network of the catalogue and the default model, with the weights that are found. */
int ims_model_each(int (*each)(void *user, const imgsearch_model_info *m), void *user);

/*
 * Path of `file` in the first folder that has it: $IMGSEARCH_LIBDIR, the library's own, imgsearch/ in it, and
 * ../lib/imgsearch from it. Caller frees; NULL when nowhere.
 */
char *ims_model_find_file(const char *file);

/* NAME.safetensors, .pth or .pt in those folders or in imgsearch/models of the XDG data folder. Caller frees. */
char *ims_model_find_weights(const char *name);

/* ------------------------------------------------------------------------------------------------- cards ---- */

/* A flat JSON object beside a weights file (x.safetensors: x.json) that says what the file holds. See docs/models.md. */
typedef struct model_card {
	char name[64];          /* what people call it */
	char network[32];       /* catalogue name, or "script" */
	image_recipe recipe;    /* complete: what the file leaves out is the network's own */
	uint32_t dim;           /* of the feature */
	uint32_t projection;    /* 1: a linear layer "project.weight", "project.bias" follows the pooling */
	char descent[512], licence[128], note[512];
} model_card;

/* EFORMAT with the reason. Unknown keys are passed over. */
int ims_card_parse(model_card *out, const void *json, size_t n, imgsearch_error *err);

/* The card of a weights file. ENOTFOUND when it has none. */
int ims_card_read(model_card *out, const char *weights_path, imgsearch_error *err);
int ims_card_text(buf *out, const model_card *card); /* the JSON; 0 or ENOMEM */

/* ----------------------------------------------------------------------------------------- weights files ---- */

/* Named tensors of a file; the file stays mapped. Nothing in it is ever executed. */
typedef struct weights {
	shim_tensor *tensor;    /* in the file's order; data in the mapping, or a copy where strides or alignment need one */
	size_t n;
	uint32_t script;        /* 1: TorchScript, tensor is empty: libtorch reads it */
	struct weights_owner *owner;
} weights;

/*
 * torchvision's .pth (zip or legacy pickle), .safetensors, TorchScript; told apart by content. EFORMAT names tensor or
 * opcode; ENOTFOUND, EIO, ENOMEM.
 */
int ims_weights_open(weights *out, const char *path, imgsearch_error *err);
int ims_weights_parse(weights *out, const void *data, size_t size, imgsearch_error *err); /* of a zeroed *out; borrows data */
void ims_weights_free(weights *w);
int ims_weights_hash(hash256 *out, const char *path, imgsearch_error *err);
size_t ims_dtype_size(uint32_t dtype); /* 0: unknown */

/* Tensors as .safetensors into a new file, written beside it first and renamed: complete or not at all. */
int ims_weights_write(const char *path, const shim_tensor *tensor, size_t n, imgsearch_error *err);

/* ---------------------------------------------------------------------------------------------- identity ---- */

/* What the caller asks for; NULL and 0 mean the default. */
typedef struct model_spec {
	const char *name;    /* catalogue name, or a path of weights that have a card; NULL: the default model */
	const char *weights;
	const char *device;
	uint32_t precision;  /* imgsearch_precision */
	uint32_t threads;
	imgsearch_recipe recipe; /* zero fields: the network's own */
	uint32_t flip;
} model_spec;

/* Who made a vector. Vectors of different identities are never mixed. Strings live as long as the identity's owner. */
typedef struct model_identity {
	char name[64];        /* "resnet50", or the card's name */
	char network[32];     /* catalogue name, or "script" */
	char weights_hash[65]; /* BLAKE2b-256 of the weights file */
	char *weights;        /* path, for people; ims_free */
	uint32_t dim;
	uint32_t precision;   /* IMGSEARCH_F32 or IMGSEARCH_BF16 */
	image_recipe recipe;
	uint32_t flip;        /* 1: the mean of the features of the picture and its mirror image */
} model_identity;

/*
 * Finds the weights and says who would answer, without libtorch: reads the file once for its hash. EMODEL with what to
 * do when the network is unknown or has no weights. precision auto is decided here from the CPU. (Only a TorchScript
 * program without a card is loaded, to ask it for its dimension.)
 */
int ims_model_identify(model_identity *out, const model_spec *spec, imgsearch_error *err);
void ims_model_identity_free(model_identity *id);

/* Same network, weights, recipe and precision class: their vectors may be compared. why receives the difference. */
bool ims_model_same(const model_identity *a, const model_identity *b, char *why, size_t why_size);

/* --------------------------------------------------------------------------------------------- inference ---- */

typedef struct model model;

/* Loads shim and network. Errors: EMODEL (no shim or libtorch, weights that do not fit, naming the tensor), EFORMAT, EIO, ENOMEM. */
int ims_model_load(model **out, const model_identity *id, const model_spec *spec, imgsearch_error *err);
model *ims_model_acquire(model *m); /* one more owner, who frees it, too */
void ims_model_free(model *m);

/*
 * n inputs (n, crop, crop, 3) f32 channels last into n features (n, dim) f32, as the network gives them (not
 * normalised). Any number of threads at once: their inputs go through the network together.
 */
int ims_model_run(model *m, const float *in, size_t n, float *out, imgsearch_error *err);

/*
 * The same on the calling thread, as one of up to `lanes` runs that share the CPUs: the faster way to many pictures (docs/speed.md),
 * since no thread waits for another after each layer.
 */
int ims_model_run_inline(model *m, const float *in, size_t n, float *out, imgsearch_error *err);
unsigned ims_model_concurrency(const model *m);

size_t ims_model_batch(const model *m); /* the batch size it runs best at */
uint32_t ims_model_dim(const model *m);

/* "libtorch 1.13.1, OpenBLAS, cpu, bf16"; lives as long as the model. */
const char *ims_model_describe(const model *m);

/* The shim's table, loaded once a process. EMODEL says what is missing. */
int ims_shim_load(const shim_table **out, imgsearch_error *err);

#endif
