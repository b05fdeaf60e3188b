/*
 * Features of inputs: the stored vector if the index has the bytes, otherwise decode, fit and the
 * network; of a text by the text tower. text_template is around each text; NULL: the model's.
 */
#ifndef IMS_HANDLE_FEATURE_H
#define IMS_HANDLE_FEATURE_H

#include "handle/model_choice.h"

enum { NO_PICTURE = -1 };

/*
 * The model that a query goes through, whose features have dim values. EBUSY, detail ESTALE: it is
 * another one now, since the two models of the index were exchanged. The caller frees *id.
 */
int ims_feature_identity(imgsearch *s, uint32_t dim, identity *id, imgsearch_error *err);

/*
 * The raw feature of one input of a query into out (dim). *self receives the id of the stored
 * picture that the input is, or NO_PICTURE. Any number of threads. Errors: those of the input,
 * EMODEL, EDB, EIO, ENOMEM.
 */
int ims_feature(imgsearch *s, job *j, const imgsearch_input *in, const char *text_template,
	uint32_t dim, float *out, int64_t *self, imgsearch_error *err);

/*
 * The raw feature of all of a picture, or of its crop, squashed into the network's input: what the
 * regions of pictures are compared with. No item without a crop, no vector, no text. Errors as
 * above.
 */
int ims_feature_of_all(imgsearch *s, job *j, const imgsearch_input *in, uint32_t dim, float *out,
	imgsearch_error *err);

/*
 * As ims_feature for n inputs, out (n, dim), self (n): files are read on the threads of the pool,
 * and pictures that the index does not have go through the network together, as do texts. An input
 * that fails has its reason in errors[i], whose code is otherwise 0. The bytes of all n files are
 * in memory at once. EMODEL, EDB, EIO, ENOMEM, ECANCELED, EDEADLINE.
 */
int ims_feature_batch(imgsearch *s, job *j, const imgsearch_input *in, size_t n,
	const char *text_template, uint32_t dim, float *out, int64_t *self, imgsearch_error *errors,
	imgsearch_error *err);

/*
 * Raw features of n pictures by the network `id` into out (n, id->dim), decoded on the threads of
 * the pool. An input that fails has a row of NaN and its reason in errors[i] (n). j (may be NULL)
 * is the job of the caller: it receives progress, and a cancel stops between batches. EMODEL,
 * ECANCELED, ENOMEM.
 */
int ims_features(imgsearch *s, job *j, const model_identity *id, const imgsearch_input *in,
	size_t n, float *out, imgsearch_error *errors, imgsearch_error *err);

/*
 * Logs a warning where the colour profiles of n > 0 pictures could not be used
 * (ims_image_has_bad_profile). path: of the first of them, or NULL. j may be NULL.
 */
void ims_feature_tell_profiles(job *j, uint64_t n, const char *path);

/* imgsearch_extract. Errors: see there. */
int ims_extract(imgsearch *s, job *j, const imgsearch_input *in, size_t n,
	const imgsearch_extract_options *options, float *out, size_t capacity, imgsearch_error *errors,
	imgsearch_error *err);

#endif
