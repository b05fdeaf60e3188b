/*
 * The one SQLite file: models, roots, pictures and their states, vectors, columns, searchers' chunks, changes.
 * docs/storage.md documents every table. The store knows no pictures, networks or distances: plain data in and out.
 *
 * Threads: a store has one writing connection, used by one thread at a time (the engine's writer lock), and a pool of
 * reading connections: every function under "Reading" may run on any thread at once, also beside the writer. Readers
 * see what is committed; the thread that has a transaction open sees its own work.
 */
#ifndef IMS_STORE_H
#define IMS_STORE_H

#include "base/base.h"

#define IMS_STORE_VERSION 1 /* user_version; a newer file is refused, an older one upgraded in one transaction */

typedef struct store store;

typedef struct store_options {
	bool must_exist, read_only;
	uint32_t dim;    /* of a new file, where known (chooses the page size); else 0 */
	uint32_t metric; /* of a new file */
} store_options;

/*
 * A read-only file or disk opens for reading by itself (also without -wal/-shm rights: immutable). EDB: not a
 * database, not ours, damaged; EVERSION: newer; EIO; ENOTFOUND. ":memory:" is shared by all its connections.
 */
int ims_store_open(store **out, const char *path, const store_options *o, imgsearch_error *err);
void ims_store_close(store *st);
bool ims_store_read_only(const store *st);
const char *ims_store_path(const store *st); /* absolute */

/* ------------------------------------------------------------------------------------------------ writing ---- */

/* Takes the writer's right for this process and others: an exclusive lock held until end. EBUSY at once. */
int ims_store_write_begin(store *st, imgsearch_error *err);
void ims_store_write_end(store *st);

/* Within write_begin/end: transactions. Committed work is safe from a kill; on failure the transaction is rolled back. */
int ims_store_tx_begin(store *st, imgsearch_error *err);
int ims_store_tx_commit(store *st, imgsearch_error *err);
void ims_store_tx_rollback(store *st);

/* Small settings by name: "dim", "metric", "centre", "chance" ... A missing one reads as an empty buf. NULL data deletes. */
int ims_store_set(store *st, const char *name, const void *data, size_t size, imgsearch_error *err);

typedef struct store_model {
	int64_t id;
	char *name, *weights, *weights_hash, *recipe; /* recipe: text of the engine's making */
	uint32_t dim, precision;
} store_model;

void ims_store_model_clear(store_model *m); /* frees its strings */

/*
 * The model that vectors are made by. `next` is true while a re-index by another model is under way: its vectors are
 * kept apart until ims_store_model_switch makes it the current one and drops the old vectors, searchers and changes, or
 * ims_store_model_drop_next gives it up with its vectors.
 */
int ims_store_model_set(store *st, const store_model *m, bool next, imgsearch_error *err);
int ims_store_model_switch(store *st, imgsearch_error *err);
int ims_store_model_drop_next(store *st, imgsearch_error *err);

/* Absolute paths in and out; a root that the index lies in moves with it. */
int ims_store_root_add(store *st, const char *path, int64_t *id, imgsearch_error *err); /* finds or adds */
int ims_store_root_move(store *st, const char *from, const char *to, imgsearch_error *err);

typedef struct store_picture {
	int64_t id;              /* 0: new; ids are never used again (AUTOINCREMENT) */
	int64_t root;            /* 0: none; path is then the picture's name */
	const char *path;        /* bytes, relative to the root */
	uint64_t size;
	int64_t mtime_ns;
	uint32_t state;          /* imgsearch_state */
	const char *reason;      /* or NULL */
	uint32_t width, height;
	hash256 hash;            /* zero: unknown */
	int64_t same_as;         /* duplicate: id of the twin, else 0 */
} store_picture;

/* Inserts or replaces by (root, path), keeping the id; p->id receives it. Drops vector and change-logs when it stops being indexed. */
int ims_store_picture_put(store *st, store_picture *p, imgsearch_error *err);
int ims_store_picture_move(store *st, int64_t id, int64_t root, const char *path, int64_t mtime_ns, imgsearch_error *err);
int ims_store_picture_remove(store *st, int64_t id, imgsearch_error *err); /* a twin inherits id's vector if there is one */

/* Vectors (raw f32). `next`: into the re-index under way. Each put and delete is noted as a change. */
int ims_store_vector_put(store *st, int64_t id, const float *v, uint32_t dim, bool next, imgsearch_error *err);
/* Many vectors that belong to no picture row, the fast way; ascending ids are fastest. No later picture gets one of these ids. */
int ims_store_vectors_put(store *st, const int64_t *ids, const float *rows, size_t n, uint32_t dim, imgsearch_error *err);

/* Columns of a CSV: replaces those of a picture. title: index into names/values, or -1. */
int ims_store_columns_put(store *st, int64_t id, const char *const *names, const char *const *values, size_t n, int title, imgsearch_error *err);

/* A searcher's state: put its chunks, then publish them under name in one step; the old ones stay valid until then. */
int ims_store_searcher_begin(store *st, const char *name, int64_t *state, imgsearch_error *err);
int ims_store_searcher_chunk(store *st, int64_t state, uint32_t number, const void *data, size_t size, imgsearch_error *err);
int ims_store_searcher_publish(store *st, int64_t state, const char *params, uint32_t version, uint64_t rows, int64_t change, imgsearch_error *err);
int ims_store_searcher_remove(store *st, const char *name, imgsearch_error *err);
int ims_store_changes_trim(store *st, imgsearch_error *err); /* drops changes that every searcher already has */

/* Pairs said to be different pictures ("dups --reject"), by content. */
int ims_store_reject(store *st, const hash256 *a, const hash256 *b, imgsearch_error *err);

/* What is kept of a picture's pixels, for the bytes with this hash; replaces. */
int ims_store_signature_put(store *st, int64_t picture, const hash256 *hash, const void *data, size_t size, imgsearch_error *err);

/* Gives free pages back to the file system (incremental vacuum), a bounded amount of work a call; checkpoint. */
int ims_store_compact(store *st, imgsearch_error *err);

/* ------------------------------------------------------------------------------------------------ reading ---- */

/* Where "none" is said below, it is an answer: ENOTFOUND is returned, and the error is left alone. */

int ims_store_get(store *st, const char *name, buf *out, imgsearch_error *err);
int ims_store_model_get(store *st, store_model *out, bool next, imgsearch_error *err); /* or none yet */

int ims_store_each_root(store *st, int (*each)(void *user, int64_t id, const char *path), void *user, imgsearch_error *err);

/* Pictures in order of path, with the root's path in full ("" for none), or one state only (0: all). p is valid during the call. */
typedef int store_each_picture(void *user, const store_picture *p, const char *root_path);
int ims_store_each_picture(store *st, uint32_t state, store_each_picture *each, void *user, imgsearch_error *err);

/* One picture; strings of *out are freed by ims_store_picture_clear. ENOTFOUND. */
int ims_store_picture_get(store *st, int64_t id, store_picture *out, char **root_path, imgsearch_error *err);
/* Or none. */
int ims_store_picture_find(store *st, int64_t root, const char *path, store_picture *out, imgsearch_error *err);
/* The indexed picture with these bytes, or none. */
int ims_store_picture_by_hash(store *st, const hash256 *h, store_picture *out, imgsearch_error *err);
/* Is there any picture of this size (a cheap question before hashing a file)? */
int ims_store_size_known(store *st, uint64_t size, bool *known, imgsearch_error *err);
void ims_store_picture_clear(store_picture *p);

typedef struct store_column {
	char *name, *value;
	bool title;
} store_column;
int ims_store_columns_get(store *st, int64_t id, store_column **out, size_t *n, imgsearch_error *err);
void ims_store_columns_free(store_column *c, size_t n);

/* A cell of a CSV's row, borrowed. */
typedef struct store_cell {
	const char *name, *value;
	bool title;
} store_cell;

/*
 * Pictures by n ids in one statement, in the order of ids: each gets the number i of the id, the picture, its root's path
 * ("" for none) and a cell; a picture with more cells comes once for each, one without cells once with NULL. Ids without
 * a picture are passed over. Strings are valid during the call; a result other than 0 ends it and is returned.
 */
typedef int store_lookup_each(void *user, size_t i, const store_picture *p, const char *root_path, const store_cell *cell);
int ims_store_pictures_lookup(store *st, const int64_t *ids, size_t n, store_lookup_each *each, void *user,
	imgsearch_error *err);

/* Ids of indexed pictures below an absolute folder, ascending; ims_free. */
int ims_store_ids_under(store *st, const char *folder, int64_t **ids, size_t *n, imgsearch_error *err);

int ims_store_counts(store *st, uint64_t by_state[8], uint64_t *vectors, uint64_t *vectors_next, int64_t *max_id, imgsearch_error *err);

/* Vectors in id order in blocks of some hundred rows; a consistent snapshot. A row that has not dim values is EDB. */
int ims_store_vectors_scan(store *st, bool next, uint32_t dim, int (*each)(void *user, const int64_t *ids, const float *rows, size_t n), void *user, imgsearch_error *err);
/* By id into out (n, dim); found[i] = 0 where there is none. */
int ims_store_vectors_fetch(store *st, const int64_t *ids, size_t n, uint32_t dim, float *out, uint8_t *found, imgsearch_error *err);
bool ims_store_vector_next_has(store *st, int64_t id);

typedef struct store_searcher {
	int64_t state;
	char *name, *params;
	uint32_t version, chunks;
	uint64_t rows;
	int64_t change; /* it holds every change up to this one */
} store_searcher;
int ims_store_searchers(store *st, store_searcher **out, size_t *n, imgsearch_error *err);
void ims_store_searchers_free(store_searcher *s, size_t n);
/* Of all chunks; touches each one's page. */
int ims_store_searcher_bytes(store *st, int64_t state, uint64_t *bytes, imgsearch_error *err);
/* Appends one chunk, or nothing; EFORMAT when its checksum is wrong or it is missing. */
int ims_store_searcher_read(store *st, int64_t state, uint32_t number, buf *out, imgsearch_error *err);

/*
 * The number of the newest change, and the distinct ids changed after `after` (ascending; ims_free). Changes are only
 * kept while there is a searcher's state to bring up to date: none when the log does not reach back to `after`,
 * so that everything must be read anew.
 */
int ims_store_change_last(store *st, int64_t *change, imgsearch_error *err);
int ims_store_changes(store *st, int64_t after, int64_t **ids, size_t *n, imgsearch_error *err);

int ims_store_rejected(store *st, const hash256 *a, const hash256 *b, bool *rejected, imgsearch_error *err);

int ims_store_each_rejected(store *st, int (*each)(void *user, const hash256 *a, const hash256 *b), void *user, imgsearch_error *err);

/* Signatures of indexed pictures whose bytes are still those that they were made of, in order of id. */
int ims_store_signatures(store *st, int (*each)(void *user, int64_t picture, const void *data, size_t size), void *user, imgsearch_error *err);

/* PRAGMA integrity_check, foreign keys, every chunk's checksum. Problems go to each as sentences. */
int ims_store_check(store *st, int (*each)(void *user, const char *problem), void *user, imgsearch_error *err);

/* Bytes of the file, and what a change by another process looks like (PRAGMA data_version of a reading connection). */
uint64_t ims_store_bytes(store *st);
int ims_store_data_version(store *st, int64_t *version, imgsearch_error *err);

#endif
