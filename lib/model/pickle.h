/*
 * An interpreter of pickles that can only build plain data and descriptions of tensors. Order of
 * calls: ims_pickle_new, ims_pickle_run, ims_pickle_tensors or ims_pickle_string about that run,
 * perhaps the next run, ims_pickle_free. One thread at a time.
 */
#ifndef IMS_MODEL_PICKLE_H
#define IMS_MODEL_PICKLE_H

#include "model/weights.h"

typedef struct pickle pickle;

/*
 * A tensor that a pickle describes: a view without storage, and the key of the storage that it lies
 * in.
 */
typedef struct pickle_tensor {
	tensor_view view;
	const char *key; /* not terminated */
	size_t key_len;
} pickle_tensor;

int ims_pickle_new(pickle **out, imgsearch_error *err); /* ENOMEM */
void ims_pickle_free(pickle *p);

/*
 * Runs one pickle up to its STOP, behind which r then stands. EFORMAT names the opcode or the
 * GLOBAL that is refused.
 */
int ims_pickle_run(pickle *p, reader *r, imgsearch_error *err);

/*
 * The tensors of the state dict in order; non-zero from each stops and is returned. EFORMAT: there
 * is no dict, or no tensor in it.
 */
int ims_pickle_tensors(pickle *p,
	int (*each)(void *user, const pickle_tensor *t, imgsearch_error *err), void *user,
	imgsearch_error *err);

/* The i-th string of a list, borrowed and not terminated; false: there is none. */
bool ims_pickle_string(const pickle *p, size_t i, const char **s, size_t *len);

#endif
