/*
 * A model's text tower: the part of its network that makes features of texts, in the space of
 * the pictures' features, with the tokenizer that its texts are cut with.
 */
#ifndef IMS_WORDS_TOWER_H
#define IMS_WORDS_TOWER_H

#include "model/identity.h"
#include "model/published.h"

typedef struct tower tower;

/*
 * Whether the network's family has a text tower. EUNSUPPORTED, detail EOPNOTSUPP: it has none;
 * the sentence names models that have.
 */
int ims_tower_check(const model_identity *id, imgsearch_error *err);

/*
 * Loads tokenizer, shim and network. The tower has one owner. EUNSUPPORTED: as above, or the
 * weights have no tower; EMODEL: no shim or libtorch, weights that do not fit, no vocabulary beside
 * them (detail ENOENT), or one of more tokens than the network has; EFORMAT, EIO, ENOMEM.
 */
int ims_tower_load(tower **out, const model_identity *id, const model_spec *spec,
	imgsearch_error *err);
tower *ims_tower_acquire(tower *t); /* adds an owner; each one calls ims_tower_free */
void ims_tower_free(tower *t);      /* NULL is fine */

/* Whether the family of a model has a tower, and none of its files is a vocabulary. */
bool ims_tower_lacks_vocabulary(const published *p);

/* Which vocabularies lie beside the weights: another number when one of them changes. ENOMEM */
int ims_tower_vocabulary_key(uint64_t *key, const char *weights, imgsearch_error *err);

enum { TEMPLATE_ROOM = 128 };

/* The template of a model whose family has a tower: that of its card, else of the family. ENOMEM */
int ims_tower_template(char text[TEMPLATE_ROOM], const model_identity *id, imgsearch_error *err);

/*
 * n texts, each in the place of "{}" in the template (NULL: the tower's), into n features (n, dim),
 * f32, as the network gives them, not normalised. Texts as ims_prompt_check wants them. Any number
 * of threads; one runs, the others wait. EMODEL: a feature that is not finite, or all zeros.
 */
int ims_tower_run(tower *t, const char *text_template, const char *const *texts, size_t n,
	float *out, imgsearch_error *err);

#endif
