/*
 * Weights files: named tensors in the formats of torchvision's .pth (zip or legacy pickle),
 * .safetensors, also of several files by an index (model/weights_index.h), and TorchScript, told
 * apart by content, an index by its name. Nothing in a file is executed. The readers need no
 * libtorch. Any thread.
 */
#ifndef IMS_MODEL_WEIGHTS_H
#define IMS_MODEL_WEIGHTS_H

#include "base/base.h"
#include "shim/shim.h"

typedef struct weights {
	shim_tensor *tensor; /* n, in the file's order; data lie in the mapped file or in a copy */
	size_t n;
	uint32_t script; /* 1: a TorchScript program, tensor is empty: libtorch reads it */
	struct weights_owner *owner;
} weights;

/*
 * Maps the file until ims_weights_free. EFORMAT names the tensor or opcode; ELIMIT, ENOTFOUND, EIO,
 * ENOMEM.
 */
int ims_weights_open(weights *out, const char *path, imgsearch_error *err);

/* The same from memory, which is borrowed until ims_weights_free. */
int ims_weights_parse(weights *out, const void *data, size_t size, imgsearch_error *err);
void ims_weights_free(weights *w);

/*
 * The ending of the name of a file, with its dot, borrowed: ".pth", also ".safetensors.index.json",
 * which names the index of a file in shards; "": there is none.
 */
const char *ims_weights_ending(const char *path);
/* The endings of weights, in the order that they are looked for; NULL behind the last. */
extern const char *const ims_weights_endings[];

/*
 * Hashes the whole file; of an index, that and all its shards. ENOTFOUND, EIO, EFORMAT (empty),
 * ENOMEM.
 */
int ims_weights_hash(hash256 *out, const char *path, imgsearch_error *err);
size_t ims_dtype_size(uint32_t dtype);         /* bytes of an element of a shim_dtype; 0: unknown */
size_t ims_tensor_bytes(const shim_tensor *t); /* of its data; the product must not overflow */

/* ---------------------------------------------------------- for the readers of the formats ---- */

enum { WEIGHTS_MAX_TENSORS = 65536 };

/*
 * An array as a file describes it. Nothing of it is trusted before ims_weights_add has checked it.
 */
typedef struct tensor_view {
	const char *name; /* not terminated */
	size_t name_len;
	uint32_t dtype, ndim;
	int64_t shape[SHIM_MAX_NDIM];
	int64_t stride[SHIM_MAX_NDIM]; /* in elements; only read where strided */
	bool strided;
	int64_t offset; /* of the first element in the storage, in elements */
	const uint8_t *storage;
	uint64_t storage_bytes;
} tensor_view;

/*
 * Checks shape, strides and extent against the storage, then appends. Data are copied only where
 * they are not row-major or not aligned. EFORMAT, ELIMIT, ENOMEM.
 */
int ims_weights_add(weights *w, const tensor_view *v, imgsearch_error *err);

#endif
