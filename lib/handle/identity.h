/*
 * Who makes this index's vectors. Vectors of different identities (network, weights, recipe,
 * precision) are never mixed; one function decides, for every use, which identity a call works
 * with.
 */
#ifndef IMS_HANDLE_IDENTITY_H
#define IMS_HANDLE_IDENTITY_H

#include "handle/handle.h"

typedef enum identity_use {
	IDENTITY_NEW,     /* a new index: the model that the options name, else the default model */
	IDENTITY_EXTRACT, /* features for the caller: any model; by default that of the index, or NEW */
	IDENTITY_QUERY,   /* features that are compared with stored ones: the index's own model */
	IDENTITY_ADD,  /* a single picture: the index's own model, and in an index without one as NEW */
	IDENTITY_TREE, /* an index run: as ADD; but another model that is asked for begins a re-index */
} identity_use;

typedef struct identity {
	model_identity model; /* makes the vectors */
	bool first;           /* the index has no model yet */
	bool sets_dim;        /* `first`, and no vectors: the dimension becomes the model's */
	bool next;       /* a re-index: its vectors are kept beside those of the index's own model */
	bool begins;     /* `next` only: no re-index by this model is under way yet */
	bool drops_next; /* the re-index under way is dropped: the options name the index's own model */
} identity;

/*
 * Reads the store and the handle's options; the network is not loaded. *out is to be freed also on
 * error. Errors: EMODEL (options that name another model than the index's, or a model without
 * weights; an index of the caller's own vectors), EFORMAT (weights or stored recipe), EIO, EDB,
 * ENOMEM.
 */
int ims_identity_decide(imgsearch *s, identity_use use, identity *out, imgsearch_error *err);
void ims_identity_free(identity *id);

/*
 * Within a transaction: writes down what `first`, `begins` and `drops_next` say. EINVAL: the index
 * has vectors of another dimension.
 */
int ims_identity_store(imgsearch *s, const identity *id, imgsearch_error *err);

/* Whether the handle's options name a model, weights, recipe or precision. */
bool ims_identity_requested(const imgsearch *s);

/*
 * The stored identity: the index's own (next false) or that of a re-index under way. ENOTFOUND:
 * none; err is left alone.
 */
int ims_identity_stored(imgsearch *s, bool next, model_identity *out, imgsearch_error *err);

#endif
