/*
 * The index of sharded .safetensors, as Hugging Face's programs write it: which of the files beside
 * it has which tensor. Any thread.
 */
#ifndef IMS_MODEL_WEIGHTS_INDEX_H
#define IMS_MODEL_WEIGHTS_INDEX_H

#include "base/base.h"

enum { WEIGHTS_INDEX_MAX_FILES = 1024, WEIGHTS_INDEX_MAX_SIZE = 16 << 20 };

typedef struct weights_index_entry {
	char *tensor;
	size_t shard; /* its number */
	bool found;   /* ims_weights_index_check has seen it */
} weights_index_entry;

typedef struct weights_index {
	char **shard; /* n_shards names of files, in the order of the index */
	size_t n_shards;
	weights_index_entry *entry; /* n, by the name of the tensor */
	size_t n;
} weights_index;

/* Whether a path is that of an index: it ends in ".safetensors.index.json". */
bool ims_weights_index_named(const char *path);

/* The length of the path of a weights file without its ending, whichever that is. */
size_t ims_weights_index_stem(const char *path);

/*
 * EFORMAT: no JSON, no "weight_map", a tensor that is listed twice, a file whose name leaves the
 * folder or does not end in .safetensors; the tensor is named. ELIMIT, ENOMEM. *out is to be freed
 * by ims_weights_index_free, on failure too.
 */
int ims_weights_index_parse(weights_index *out, const void *text, size_t n, imgsearch_error *err);
void ims_weights_index_free(weights_index *x);

/* The path of a shard beside the index; ims_free. NULL: out of memory. */
char *ims_weights_index_path(const weights_index *x, const char *index, size_t shard);

/* A tensor of that name lies in this shard. EFORMAT: the index does not have it there. */
int ims_weights_index_check(weights_index *x, const char *tensor, size_t shard,
	imgsearch_error *err);

/* After all shards: EFORMAT: a tensor of the index is in none. */
int ims_weights_index_complete(const weights_index *x, imgsearch_error *err);

#endif
