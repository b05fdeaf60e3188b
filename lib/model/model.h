/*
 * Networks by name, their weights files, and the shim that runs them. The catalogue and the readers need no libtorch;
 * the shim is loaded (dlopen, never closed) by the first ims_model_load.
 */
#ifndef IMS_MODEL_H
#define IMS_MODEL_H

#include "base/base.h"
#include "image/image.h"

/* What the caller asks for; NULL and 0 mean the default. */
typedef struct model_spec {
	const char *name;    /* catalogue name, or a path of weights that have a card; NULL: the default model */
	const char *weights;
	const char *device;
	uint32_t precision;  /* imgsearch_precision */
	uint32_t threads;
	imgsearch_recipe recipe; /* zero fields: the network's own */
} model_spec;

/* Who made a vector. Vectors of different identities are never mixed. Strings live as long as the identity's owner. */
typedef struct model_identity {
	char name[64];        /* "resnet50" */
	char weights_hash[65]; /* BLAKE2b-256 of the weights file */
	char *weights;        /* path, for people; ims_free */
	uint32_t dim;
	uint32_t precision;   /* IMGSEARCH_F32 or IMGSEARCH_BF16 */
	image_recipe recipe;
} model_identity;

/*
 * Finds the weights and says who would answer, without libtorch: reads the file once for its hash. EMODEL with what to
 * do when the network is unknown or has no weights. precision auto is decided here from the CPU.
 */
int ims_model_identify(model_identity *out, const model_spec *spec, imgsearch_error *err);
void ims_model_identity_free(model_identity *id);

/* Same network, weights, recipe and precision class: their vectors may be compared. why receives the difference. */
bool ims_model_same(const model_identity *a, const model_identity *b, char *why, size_t why_size);

typedef struct model model;

/* Loads shim and network. Errors: EMODEL (no shim or libtorch, weights that do not fit, naming the tensor), EFORMAT, EIO, ENOMEM. */
int ims_model_load(model **out, const model_identity *id, const model_spec *spec, imgsearch_error *err);
void ims_model_free(model *m);

/*
 * n inputs (n, crop, crop, 3) f32 channels last into n features (n, dim) f32, as the network gives them (not
 * normalised). Any thread; one at a time inside.
 */
int ims_model_run(model *m, const float *in, size_t n, float *out, imgsearch_error *err);

size_t ims_model_batch(const model *m); /* the batch size it runs best at */

/* "libtorch 1.13.1, OpenBLAS, cpu, bf16"; lives as long as the model. */
const char *ims_model_describe(const model *m);

/* Each network of the catalogue. */
int ims_model_each(int (*each)(void *user, const imgsearch_model_info *m), void *user);

/* The folder with shim and model files: $IMGSEARCH_LIBDIR, beside the library, libdir/imgsearch. Path of `file` in the
   first that has it; caller frees; NULL when nowhere. */
char *ims_model_find_file(const char *file);

#endif
