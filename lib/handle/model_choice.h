/*
 * The choice of the model that a call works with: one function decides it for every use.
 * model/identity.h says what identifies a model.
 */
#ifndef IMS_HANDLE_MODEL_CHOICE_H
#define IMS_HANDLE_MODEL_CHOICE_H

#include "handle/handle.h"

typedef enum identity_use {
	IDENTITY_NEW,     /* a new index: the model that the options name, else the default model */
	IDENTITY_EXTRACT, /* features for the caller: any model; by default that of the index, or NEW */
	IDENTITY_QUERY,   /* features to compare with stored ones: the model of the index */
	IDENTITY_ADD,     /* a single picture: the model of the index, or NEW if it has none */
	IDENTITY_RUN,     /* an index run: as ADD, but another model begins a re-index */
	IDENTITY_RUN_OWN, /* one that adds a second model: that of the index, whatever is named */
} identity_use;

typedef struct identity {
	model_identity model; /* makes the vectors */
	bool first;           /* the index has no model yet */
	bool next;            /* a re-index, whose vectors are stored beside those of the index */
	bool begins;          /* `next` only: no re-index by this model is under way yet */
	bool second;          /* `next` only: it is the second model of the index, which stays */
	bool drops_next; /* the re-index under way is dropped: the options name the index's model */
} identity;

/*
 * Reads the store and the options of the handle; the network is not loaded. ims_identity_free is
 * needed also on error. EMODEL: the options name another model than the index's, or a model without
 * weights, or the index has vectors of the caller's own. EFORMAT (weights or stored recipe), EIO,
 * EDB, ENOMEM.
 */
int ims_identity_decide(imgsearch *s, identity_use use, identity *out, imgsearch_error *err);
void ims_identity_free(identity *id);

/*
 * The second model of the index: the stored one, or with `adds` the one that the options name,
 * which `begins` where the index has none yet. EINVAL: the index has no model, has two others, or
 * is being indexed anew; the named model is its own, or has its name. Errors else as above.
 */
int ims_identity_decide_second(imgsearch *s, bool adds, identity *out, imgsearch_error *err);

/*
 * Within a transaction: stores what `first`, `begins` and `drops_next` say. EINVAL: the index has
 * vectors of another dimension. EDB, EIO, ENOMEM.
 */
int ims_identity_store(imgsearch *s, const identity *id, imgsearch_error *err);

/* Whether the handle's options name a model, weights, recipe or precision. */
bool ims_identity_requested(const imgsearch *s);

/* The recipe of a model in its public form. */
imgsearch_recipe ims_identity_recipe(const model_identity *id);

/*
 * The stored identity: that of the index (next false) or of a re-index under way (next true).
 * ims_model_identity_free frees *out. ENOTFOUND: none; err is left alone. EFORMAT, EDB, EIO,
 * ENOMEM.
 */
int ims_identity_stored(imgsearch *s, bool next, model_identity *out, imgsearch_error *err);

/*
 * The score from which two pictures show one scene, by the features of the stored model. NULL: the
 * vectors are the caller's own.
 */
float ims_identity_scene_score(const store_model *m);

/* Whether texts can be compared with its features: its network's family has a text tower. */
bool ims_identity_has_words(const store_model *m);

#endif
