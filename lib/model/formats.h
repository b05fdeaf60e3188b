/* Inside this room: how the readers of weights files share their parts. */
#ifndef IMS_MODEL_FORMATS_H
#define IMS_MODEL_FORMATS_H

#include "model/model.h"

enum { WEIGHTS_MAX_TENSORS = 65536, WEIGHTS_MAX_NDIM = 8 };

/* An array as a file describes it: nothing of it is believed before ims_weights_add has checked it. */
typedef struct tensor_view {
	const char *name;      /* not terminated */
	size_t name_len;
	uint32_t dtype, ndim;
	int64_t shape[WEIGHTS_MAX_NDIM];
	int64_t stride[WEIGHTS_MAX_NDIM]; /* in elements; only looked at when strided */
	bool strided;
	int64_t offset;        /* of the first element in the storage, in elements */
	const uint8_t *storage;
	uint64_t storage_bytes;
} tensor_view;

/* Checks shape, strides and extent against the storage, then appends. Takes a copy only where the data is not row-major or not aligned. */
int ims_weights_add(weights *w, const tensor_view *v, imgsearch_error *err);

int ims_safetensors_parse(weights *w, const uint8_t *data, size_t size, imgsearch_error *err);
int ims_torch_zip_parse(weights *w, const uint8_t *data, size_t size, imgsearch_error *err);
int ims_torch_legacy_parse(weights *w, const uint8_t *data, size_t size, imgsearch_error *err);

/* ---- zip: stored entries of an archive in memory ---- */

typedef struct zip_entry {
	const char *name;      /* not terminated, in the archive */
	size_t name_len;
	uint64_t header, size; /* where its local header is; bytes */
	uint32_t method;
} zip_entry;

typedef struct zip {
	const uint8_t *data;
	size_t size;
	zip_entry *entry;      /* by name */
	size_t n;
} zip;

int ims_zip_open(zip *out, const uint8_t *data, size_t size, imgsearch_error *err);
void ims_zip_free(zip *z);
const zip_entry *ims_zip_find(const zip *z, const char *name, size_t len);
int ims_zip_data(const zip *z, const zip_entry *e, const uint8_t **data, imgsearch_error *err); /* EFORMAT when not stored or out of bounds */

/* ---- pickle: an interpreter that can only build plain data and descriptions of tensors ---- */

typedef struct pickle pickle;

/* A tensor that a pickle describes: its view, without storage, and the key of the storage that it lies in. */
typedef struct pickle_tensor {
	tensor_view view;
	const char *key;       /* not terminated */
	size_t key_len;
} pickle_tensor;

int ims_pickle_new(pickle **out, imgsearch_error *err);
void ims_pickle_free(pickle *p);

/* Runs one pickle up to its STOP; r stands behind it then. EFORMAT names the opcode or the GLOBAL that is refused. */
int ims_pickle_run(pickle *p, reader *r, imgsearch_error *err);

/* Of the last run: the tensors of the state dict, in order; each() non-zero stops and is returned. EFORMAT: no dict. */
int ims_pickle_tensors(pickle *p, int (*each)(void *user, const pickle_tensor *t, imgsearch_error *err), void *user, imgsearch_error *err);

/* Of the last run, a list of strings: the i-th, or false. */
bool ims_pickle_string(const pickle *p, size_t i, const char **s, size_t *len);

#endif
