/*
 * An edit: one addition or removal, ready to be written. Pictures are embedded before, so that no
 * network runs while the writer lock is held, but by a transaction of the caller's
 * (ingest/transaction.h), which stages edits and writes them together.
 */
#ifndef IMS_INGEST_EDIT_H
#define IMS_INGEST_EDIT_H

#include "handle/model_choice.h"
#include "ingest/prepare.h"

typedef enum edit_kind {
	EDIT_PICTURE,
	EDIT_VECTORS,
	EDIT_REMOVE,
} edit_kind;

typedef struct edit {
	edit_kind kind;
	size_t n;     /* vectors or removed ids; 1 for a picture */
	int64_t *ids; /* (n), owned; NULL: not numbered yet */
	char **names; /* (n), owned; NULL, or NULL in it: not named */
	/* vectors: (n, dim), owned; picture: its vector, or NULL: the bytes are indexed */
	float *rows;
	uint32_t dim;
	/* of a picture */
	identity identity; /* of the model that made the vector */
	prepared picture;
	timestamp mtime, ctime;
	bool has_ctime;
	bool is_unnamed; /* names[0] was made from its id */
	buf file;        /* the bytes that the index stores; empty: none */
	/* owned: the same picture by the second model of the index; NULL: it is left to a run */
	struct edit *second;
} edit;

void ims_edit_free(edit *e);

/* Memory that the edit takes, in bytes. */
uint64_t ims_edit_size(const edit *e);

/*
 * Whether a picture of these bytes is indexed, or will be by a staged edit: then the new one needs
 * no vector of its own.
 */
typedef bool edit_has_content(void *user, const hash256 *hash);

/*
 * Prepares and embeds a picture. ims_edit_free frees *out, also after an error. EMODEL, ECANCELED,
 * EDEADLINE, EINVAL (the path or name was deleted on purpose), and the errors of reading and
 * decoding.
 */
int ims_edit_picture(edit *out, imgsearch *s, const imgsearch_input *in, const char *name,
	edit_has_content *has_content, void *user, job *j, imgsearch_error *err);

/*
 * Embeds a picture by the second model of the index, too, where there is one whose network can be
 * loaded. What fails is left to the next index run.
 */
void ims_edit_picture_second(edit *e, imgsearch *s, const imgsearch_input *in, const job *j);

/* The picture's bytes are to be stored: copies them. ENOMEM. */
int ims_edit_store_file(edit *e, const void *data, size_t size, imgsearch_error *err);

/*
 * Copies n vectors, their ids (or NULL) and names (or NULL). EINVAL: a value that is not finite, a
 * row of zeros where the index compares by cosine, a negative id, an id or name that comes twice.
 */
int ims_edit_vectors(edit *out, imgsearch *s, const float *rows, size_t n, size_t dim,
	const int64_t *ids, const char *const *names, imgsearch_error *err);

int ims_edit_remove(edit *out, const int64_t *ids, size_t n, imgsearch_error *err);

/*
 * Within a transaction of the store. *again: another model or another set of pictures is in the
 * index than when the picture was embedded; nothing was written, and it must be embedded again.
 * EDB, EIO, ENOMEM, ELIMIT, EINVAL, ENOTFOUND (a removed id does not exist).
 */
int ims_edit_write(edit *e, imgsearch *s, const job *j, bool *again, imgsearch_error *err);

#endif
