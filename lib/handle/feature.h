/*
 * Features: the stored vector where a picture's bytes are known, else decode, fit and the network.
 */
#ifndef IMS_HANDLE_FEATURE_H
#define IMS_HANDLE_FEATURE_H

#include "handle/handle.h"

enum { NO_PICTURE = -1 };

/*
 * The raw feature of one input for a query into out (dim). *self receives the id of the stored
 * picture that the input is, or NO_PICTURE. Errors: those of the input, and EMODEL.
 */
int ims_feature(imgsearch *s, const imgsearch_input *in, uint32_t dim, float *out, int64_t *self,
	imgsearch_error *err);

/*
 * Raw features of n inputs by the network `id` into out (n, id->dim), decoded on the pool's
 * threads. An input that fails is a row of NaN, with its reason in errors[i] (n). j (may be NULL)
 * is the call that this is a part of: it reports progress and is cancelled between batches. EMODEL,
 * ECANCELED, ENOMEM.
 */
int ims_features(imgsearch *s, job *j, const model_identity *id, const imgsearch_input *in,
	size_t n, float *out, imgsearch_error *errors, imgsearch_error *err);

/* imgsearch_extract. */
int ims_extract(imgsearch *s, job *j, const imgsearch_input *in, size_t n, bool raw, float *out,
	imgsearch_error *errors, imgsearch_error *err);

#endif
