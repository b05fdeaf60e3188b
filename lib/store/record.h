/*
 * Records: all that is written of a picture, in one piece. Many are written at once.
 *
 * Of files with the same bytes one is indexed and has the vector. The others are its duplicates,
 * and it is their twin. Where one was deleted on purpose, the others are deleted copies of it. The
 * store decides which of these a picture is, since it alone sees what another program wrote.
 */
#ifndef IMS_STORE_RECORD_H
#define IMS_STORE_RECORD_H

#include "store/store.h"

typedef enum store_way {
	STORE_TOUCH, /* the row of row.id keeps what the record does not have */
	STORE_PUT,   /* the row is as it stands */
	STORE_ADMIT, /* the row of a picture with these bytes; row.state and row.same_as follow */
} store_way;

typedef enum store_outcome {
	STORE_WRITTEN,   /* not of STORE_ADMIT */
	STORE_INDEXED,   /* the row has its own vector */
	STORE_UNCHANGED, /* the row had these bytes; it keeps its vector, unless there is a new one */
	STORE_DUPLICATE, /* another picture has these bytes */
	/* the picture with these bytes (perhaps a deleted one) was moved here, over what was there */
	STORE_MOVED,
	STORE_KEPT_OUT,   /* a picture with these bytes was deleted on purpose: so is this row */
	STORE_REFUSED,    /* it has no feature: the row is damaged */
	STORE_UNPREPARED, /* no row has these bytes, and there is no vector: nothing was written */
} store_outcome;

/* Borrowed. */
typedef struct store_record {
	store_way way;
	store_picture row;     /* with has_ctime its change time is written; id and state are set */
	bool has_pixels;       /* STORE_TOUCH: row.pixels is written */
	bool is_undecoded;     /* STORE_ADMIT: size and pixels of an unchanged row stay */
	const void *signature; /* of row.hash; NULL: none */
	size_t signature_size;
	const facts *facts; /* NULL: none */
	uint32_t facts_version;
	uint64_t sidecars;
	const float *vector; /* NULL: none */
	uint32_t dim;
	bool next;           /* the vector is that of the re-index under way, as are the regions */
	const void *regions; /* with the vector, or of the one that is there; NULL: none */
	size_t regions_size;
	/* of STORE_ADMIT */
	const char *no_feature; /* the network gives none: the reason of the row; else NULL */
	int64_t gone; /* the file of this twin is gone: the row is that picture, moved; 0: none */
	bool refuses_deleted;  /* EINVAL instead of STORE_KEPT_OUT */
	store_outcome outcome; /* out */
} store_record;

/*
 * The functions of this header need a transaction, else EINVAL. They write n items in order: each
 * sees what those before it have written.
 *
 * A row is inserted, or replaced by (root, path) under the same id. A picture that is no longer
 * indexed loses its vector, to its first duplicate where there is one, and its facts. A name that
 * is put as a duplicate with the bytes that it has stays a name; row.state says so. row.same_file
 * is not read. A vector is inserted or replaced, with its regions: a new vector without regions has
 * none. One of the current model is logged as a change, as are new regions. Facts are kept of
 * indexed pictures alone; a duplicate that takes the place of one inherits them. EINVAL: a path, or
 * a vector's id, is that of an item that was deleted on purpose; ELIMIT: no id is left.
 */
int ims_store_write(store *st, store_record *r, size_t n, imgsearch_error *err);

/* A picture and its other path. */
typedef struct store_move {
	int64_t id;
	store_place to;
	timestamp mtime;
} store_move;

/*
 * The change times are not known then. A picture that has such a path already is removed; EINVAL:
 * that is deleted.
 */
int ims_store_move(store *st, const store_move *m, size_t n, imgsearch_error *err);

/*
 * Other names of a file. NAME_SET makes a duplicate or a name another name of the file of `other`,
 * an indexed picture or a duplicate with the same bytes; its own names become names of it, too.
 * NAME_CLEAR makes a name a duplicate again. PATHS_SWAP exchanges the paths of two pictures, with
 * their times. EINVAL: a picture is in another state.
 */
typedef struct store_naming {
	enum { NAME_SET, NAME_CLEAR, PATHS_SWAP } what;
	int64_t id, other;
} store_naming;
int ims_store_name_files(store *st, const store_naming *names, size_t n, imgsearch_error *err);

/*
 * Removes items: pictures, or vectors without one. The first duplicate of a picture, or copy of a
 * deleted one, receives its vector. ENOTFOUND.
 */
int ims_store_remove(store *st, const int64_t *ids, size_t n, imgsearch_error *err);

/*
 * Marks items as deleted on purpose, with all pictures of the same bytes. Their vectors are kept
 * where no other function sees them. Nothing for an item that is deleted already. ENOTFOUND.
 */
int ims_store_keep_out(store *st, const int64_t *ids, size_t n, imgsearch_error *err);

/*
 * Takes items and all pictures of the same bytes in again. The one whose vector was kept is
 * indexed, the others are duplicates of it. Where no vector was kept (ims_store_model_switch drops
 * them; a damaged picture has none) the pictures are unreadable, which makes the next run read
 * them. Nothing for an item that is not deleted. ENOTFOUND.
 */
int ims_store_readmit(store *st, const int64_t *ids, size_t n, imgsearch_error *err);

/* The columns of a picture. title: the number of the one that is its title, or -1. */
typedef struct store_columns {
	int64_t id;
	const char *const *name, *const *value; /* (n) */
	size_t n;
	int title;
} store_columns;

/* Replaces them. */
int ims_store_columns_put(store *st, const store_columns *c, size_t n, imgsearch_error *err);

#endif
