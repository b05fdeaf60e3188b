/* A loaded network, which makes features. docs/models.md describes models for users. */
#ifndef IMS_MODEL_MODEL_H
#define IMS_MODEL_MODEL_H

#include "model/identity.h"
#include "model/weights.h"

typedef struct model model;

/*
 * Loads the shim and the network. The model has one owner. EMODEL: no shim or libtorch, or weights
 * that do not fit, by the tensor's name; EFORMAT, EIO, ENOMEM.
 */
int ims_model_load(model **out, const model_identity *id, const model_spec *spec,
	imgsearch_error *err);

/* Whether code of the file may run, should it be a TorchScript program. EMODEL, detail ENOEXEC. */
int ims_model_check_program(const char *path, const char *name, const weights *w,
	imgsearch_error *err);
model *ims_model_acquire(model *m); /* adds an owner; each one calls ims_model_free */
void ims_model_free(model *m);      /* NULL is fine */

/*
 * n pictures (n, inputs, crop, crop, 3), f32, channels last, into n features (n, dim), f32, as the
 * network gives them, not normalised. Any number of threads at once: inputs of several callers go
 * through the network as one batch.
 */
int ims_model_run(model *m, const float *in, size_t n, float *out, imgsearch_error *err);

/*
 * The same on the calling thread. Up to ims_model_concurrency(m) such runs share the CPUs. For many
 * pictures this is faster (docs/speed.md), since no thread waits for others after each layer.
 */
int ims_model_run_inline(model *m, const float *in, size_t n, float *out, imgsearch_error *err);
/*
 * n parts of pictures (n, crop, crop, 3) into features (n, dim), on the calling thread as above. A
 * part is run once, whatever the recipe averages.
 */
int ims_model_run_parts(model *m, const float *in, size_t n, float *out, imgsearch_error *err);
unsigned ims_model_concurrency(const model *m);

size_t ims_model_batch(const model *m); /* the number of inputs at once that it runs best with */
uint32_t ims_model_dim(const model *m);

/* "libtorch 1.13.1, OpenBLAS, cpu, bf16"; lives as long as the model. */
const char *ims_model_describe(const model *m);

#endif
