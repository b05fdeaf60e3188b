/* Texts as features, by the text tower of a model. */
#ifndef IMS_HANDLE_WORDS_H
#define IMS_HANDLE_WORDS_H

#include "handle/handle.h"

/*
 * The text tower of that identity, which is loaded if necessary; the network of pictures is
 * not. The caller releases *out by ims_tower_free. Errors as ims_tower_load. Any thread.
 */
int ims_words_tower(imgsearch *s, const model_identity *id, tower **out, imgsearch_error *err);

bool ims_words_loaded(imgsearch *s, const model_identity *id); /* whether it is in memory */

/*
 * Raw features of n texts, each in a template (NULL: the model's), by the model of the index into
 * out (n, dim). The texts are as ims_prompt_check wants them. EMODEL and EUNSUPPORTED as
 * ims_identity_decide and ims_tower_load; EFORMAT, EDB, EIO, ENOMEM, ECANCELED, EDEADLINE. Any
 * thread.
 */
int ims_words_features(imgsearch *s, job *j, const model_identity *id, const char *text_template,
	const char *const *texts, size_t n, float *out, imgsearch_error *err);

/*
 * Raw features of ims_common_words by the model of the index: those that the index keeps of this
 * model and its template, else they are made and kept. rows: (n, dim), ims_free. *why has a code
 * where the model's files have no features of texts: then *rows is NULL. The caller holds the
 * writer lock, outside of a transaction. EDB, EIO (the index), ENOMEM, ECANCELED, EDEADLINE.
 */
int ims_words_common(imgsearch *s, job *j, float **rows, size_t *n, uint32_t dim,
	imgsearch_error *why, imgsearch_error *err);

#endif
