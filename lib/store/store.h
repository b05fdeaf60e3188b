/*
 * What an index holds, whatever keeps it: models, roots, pictures and their states, vectors,
 * columns, chunks of searchers, changes. docs/storage.md describes every table. The store knows no
 * pixels, networks or distances: plain data in and out.
 *
 * Threads: one connection writes, on one thread at a time, which holds the writer lock. Every
 * function under "reading" may run on any number of threads at once, also beside the writer.
 * Readers see committed work, of ":memory:" too; the thread of an open transaction also sees its
 * own.
 *
 * Errors: 0 or a negative status with its sentence in err. Beside those named below, any function
 * may fail with EIO, EDB (damaged), EBUSY (locked by another program, or changed by it under a read
 * of a handle that is open for reading only) and ENOMEM. Callbacks return 0 to go on; another value
 * stops and is returned.
 */
#ifndef IMS_STORE_H
#define IMS_STORE_H

#include "base/base.h"

#include <errno.h>

/* user_version; a newer file is refused, an older one upgraded by its first writer */
#define IMS_STORE_VERSION 4

typedef struct store store;

typedef struct store_options {
	bool must_exist, read_only;
	bool incomplete; /* a copy into it may be incomplete, which is EDB otherwise: store/copy.h */
	uint32_t dim;    /* of a new file: chooses the page size; 0: unknown */
	uint32_t metric; /* of a new file */
	/*
	 * where this machine has roots with a name: n texts NAME=DIR. Such a root is "NAME:" in the
	 * index, and DIR everywhere else; "NAME:" also here, and offline, where no text names it
	 */
	const char *const *roots;
	size_t n_roots;
	const char *cache; /* of a server: a folder for states of searchers; NULL: none */
	double max_stale;  /* of a server: seconds for which a snapshot takes a known state for true */
	bool partial;      /* of shards: those that cannot be reached are left out of what is read */
	bool second;       /* of an index with a second model: see ims_store_model_add */
} store_options;

/*
 * Opens or creates the file; ":memory:" has none. An address is that of an index on a server.
 * Several, one a line, or in a text file of that path, are those of an index of shards
 * (store/shard.h). A file that cannot be written is opened for
 * reading. An older one reads as if it were upgraded, and stays as it is until write_begin. EDB: it
 * is no index or is damaged; EVERSION: it is newer; ENOTFOUND.
 */
int ims_store_open(store **out, const char *path, const store_options *o, imgsearch_error *err);
/* The second model of an open store that has one, in the same place with the same roots. */
int ims_store_open_second(store **out, const store *first, imgsearch_error *err);
void ims_store_close(store *st);
bool ims_store_is_address(const char *path); /* of a server, not the path of a file */
/* It was asked for, or neither the file nor the role on the server allows more. */
bool ims_store_read_only(const store *st);
const char *ims_store_path(const store *st); /* absolute, or ":memory:" */
/* How many roots with a name this machine has; the absolute path of number i. */
size_t ims_store_mounts(const store *st);
const char *ims_store_mount(const store *st, size_t i);
/* The path as a sentence has it: behind the word "index" ("in memory"), and elsewhere. */
const char *ims_store_label(const store *st);
const char *ims_store_name(const store *st); /* "the index in memory" */
/* The version of a file that is older than this code and was not upgraded yet; 0: it is current. */
int64_t ims_store_old_version(store *st);

/* Versions of the tables, before and after. An index on a server is upgraded when it is opened. */
typedef struct store_upgrade {
	int64_t from, to;
} store_upgrade;

store_upgrade ims_store_upgraded(const store *st); /* by the opening; 0: it was not */

/*
 * A sentence on what the opening, or a transaction, repaired and lost by that, owned; NULL:
 * nothing, or it was told already.
 */
char *ims_store_repaired(store *st);

/* --------------------------------------------------------------------------------- writing ---- */

/*
 * Acquires the writer lock, against this process and others, until write_end. An older file is
 * upgraded, in one transaction; where that fails it stays as it was. EBUSY at once; EINVAL: the
 * options asked for reading only; EIO: the file cannot be written.
 */
int ims_store_write_begin(store *st, imgsearch_error *err);
void ims_store_write_end(store *st);

/*
 * Transactions, between write_begin and write_end. Committed work survives a kill. A commit that
 * fails rolls back. tx_begin of ":memory:" waits up to five seconds for threads that read, then
 * EBUSY; at once where this thread reads, in a callback.
 */
int ims_store_tx_begin(store *st, imgsearch_error *err);
int ims_store_tx_commit(store *st, imgsearch_error *err);
void ims_store_tx_rollback(store *st);

/*
 * Whether the transaction or snapshot that failed last on this thread may succeed when it is done
 * again, from its beginning: the server went away, or two transactions waited for each other.
 * Whether a commit that failed so was made is not known; to write the same records again is
 * harmless.
 */
bool ims_store_may_retry(store *st);

/* Returns free pages to the file system and writes a checkpoint; a bounded amount of work. */
int ims_store_compact(store *st, imgsearch_error *err);

/* ---------------------------------------------------------------------------- many writers ---- */

/*
 * An index on a server has many writers at once, whose transactions take turns. What a program does
 * in many transactions is work under a lease, from lease_begin to lease_end; the program renews it
 * by a thread. It ends by itself where nothing was heard of the program for a while (the server's
 * clock decides). From then on, and once another program has switched the model, every transaction
 * of it is refused: EBUSY. So no late commit meets what others did meanwhile. Any number of
 * programs index at a time; one builds: EBUSY. Call it between write_begin and write_end; within a
 * transaction the work begins with the models that this one leaves. write_end ends it too. A file
 * has one writer at a time, whose lock is the lease: nothing.
 */
typedef enum store_work {
	STORE_INDEXES,
	STORE_BUILDS,
} store_work;
int ims_store_lease_begin(store *st, store_work work, imgsearch_error *err);
void ims_store_lease_end(store *st);

/* Whether other programs may write between two transactions of this one. */
bool ims_store_is_shared(const store *st);

/* -------------------------------------------------------------------- within a transaction ---- */

/* Functions of this section that take the store are EINVAL without an open transaction. */

/* Small settings by name: "dim", "metric", "centre", "chance". NULL data deletes. */
int ims_store_setting_set(store *st, const char *name, const void *data, size_t size,
	imgsearch_error *err);

typedef struct store_model {
	int64_t id;
	char *name, *weights, *weights_hash; /* owned, as recipe */
	char *recipe;                        /* text that only the caller reads */
	uint32_t dim, precision;
} store_model;

void ims_store_model_clear(store_model *m); /* frees its strings */

/*
 * The model that makes the vectors. `next` stands for the model of a re-index under way, whose
 * vectors are stored apart. ims_store_model_switch makes it the current one and deletes the old
 * vectors (also kept ones), searchers and changes. ims_store_model_drop_next deletes it with its
 * vectors.
 */
int ims_store_model_set(store *st, const store_model *m, bool next, imgsearch_error *err);
int ims_store_model_switch(store *st, imgsearch_error *err);
int ims_store_model_drop_next(store *st, imgsearch_error *err);

/*
 * A second model, which stays beside the current one: it is the next one, and no re-index is under
 * way. It has vectors (those of the next model), kept vectors, searchers, changes, and settings of
 * its own. A store that is opened with store_options.second shows these in place of those of the
 * current model, and writes settings and searchers there; pictures are written through a store that
 * is not. model_add makes it, without vectors, where there is no next model. model_exchange makes
 * it the current one and keeps the other as the second. ims_store_model_drop_next drops it.
 * EUNSUPPORTED: the store cannot; ENOTFOUND: exchange, and there is none.
 */
int ims_store_model_add(store *st, const store_model *m, imgsearch_error *err);
int ims_store_model_exchange(store *st, imgsearch_error *err);
/*
 * Within a transaction: a setting that two models share changed. Where there is a second one, the
 * setting "epoch" of both gets a number that neither had.
 */
int ims_store_models_renew(store *st, imgsearch_error *err);

/* What is remembered for a root, in order. */
typedef enum store_list {
	STORE_EXCLUDE, /* patterns of what its runs leave out */
	STORE_INCLUDE, /* patterns of all that they take in */
	STORE_FOLLOW,  /* paths of folders (all: "") in which they follow symbolic links */
	STORE_TIFF,    /* the same, of where they read TIFF */
	STORE_VIDEO,   /* ... and video */
	STORE_PART,    /* paths of folders that may be absent as roots may: ingest/parts.h */
	STORE_LISTS
} store_list;

/* Paths of a list are relative to the root. */
typedef struct store_lists {
	text_list of[STORE_LISTS];
} store_lists;

/* All roots, in order of path. */
typedef struct store_roots {
	size_t n;
	int64_t *id;
	char **path;        /* absolute, or "NAME:" */
	store_lists *lists; /* (n) */
	store_lists single; /* of the pictures without a root, by their absolute paths */
} store_roots;

/* The lists of a root by id, 0: the pictures without one; NULL: there is no such root. */
store_lists *ims_store_roots_lists(store_roots *roots, int64_t id);

/* Within a list of roots: appends one without lists, removes number i. ENOMEM. */
int ims_store_roots_add(store_roots *roots, int64_t id, const char *path);
void ims_store_roots_drop(store_roots *roots, size_t i);
void ims_store_roots_free(store_roots *roots); /* leaves none */

/*
 * A root that the index lies in moves with the index. root_add finds the root of an absolute path
 * or adds it; one that has a name on this machine gets it. root_move: ENOTFOUND: `from` is no root;
 * EINVAL: `to` is one already.
 */
int ims_store_root_add(store *st, const char *path, int64_t *id, imgsearch_error *err);
int ims_store_root_move(store *st, const char *from, const char *to, imgsearch_error *err);

/*
 * Moves all pictures of a root to below the folder `below` of another one, and removes the root
 * with its patterns. Ids, times and vectors stay. Of two pictures that would have one path, that of
 * the root `into` goes, unless it was deleted on purpose.
 */
int ims_store_root_merge(store *st, int64_t from, int64_t into, const char *below,
	imgsearch_error *err);

/* Roots that the index lies in now move with it from now on, as after its backup was restored. */
int ims_store_roots_settle(store *st, imgsearch_error *err);

/* Replaces a list of a root. */
int ims_store_list_set(store *st, int64_t root, store_list list, const text_list *texts,
	imgsearch_error *err);

/*
 * The strings are borrowed where a function takes a picture, and during a callback. A picture that
 * a function fills owns them, until ims_store_picture_clear.
 */
typedef struct store_picture {
	int64_t id;            /* 0: new, unless has_id; an id is never used twice */
	int64_t root;          /* 0: none; path is then the picture's name */
	const char *path;      /* bytes, relative to the root */
	const char *root_path; /* of a picture that a function fills: "" for none */
	uint64_t size;
	timestamp mtime;
	timestamp ctime;    /* with has_ctime: the last change of the file's inode */
	uint32_t state;     /* imgsearch_state */
	const char *reason; /* or NULL */
	uint32_t width, height;
	hash256 hash;    /* zero: unknown */
	int64_t same_as; /* of a duplicate or a name: the indexed picture with its bytes; else 0 */
	/* of another name of a picture's file, or of one that was deleted: that picture; else 0 */
	int64_t same_file;
	bool has_id; /* to be written under id, also where that is 0: a vector with a name */
	bool has_ctime;
	uint32_t pixels; /* how they were made (image/image.h), for callers; 0: unknown */
	/* of ims_store_each_picture, _single, _twin and _claim alone: its facts; 0: it has none */
	uint32_t facts_version;
	uint64_t sidecars;
} store_picture;

/* How many pictures have bit 8 of `pixels`, IMAGE_UNCONVERTED. The schema has an index of them. */
int ims_store_unconverted(store *st, uint64_t *n, imgsearch_error *err);

/* EINVAL with the sentence that `name` was deleted on purpose, and what takes item id in again. */
int ims_store_refuse_deleted(store *st, const char *name, int64_t id, imgsearch_error *err);

/* The reason of an item that was deleted on purpose, for people. */
extern const char ims_store_reason_deleted[];

/* The reason of a copy that a run met: state deleted, same_as the deleted picture. */
extern const char ims_store_reason_deleted_copy[];

/*
 * n vectors without a picture: rows (n, dim). Ascending ids are fastest. No picture gets one of
 * these ids later. EINVAL: an item is deleted on purpose.
 */
int ims_store_vectors_put(store *st, const int64_t *ids, const float *rows, size_t n, uint32_t dim,
	imgsearch_error *err);

/*
 * The state of a searcher: begin, its chunks, publish. The old state of that name is valid until
 * publish replaces it in one step.
 */
int ims_store_searcher_begin(store *st, const char *name, int64_t *state, imgsearch_error *err);
int ims_store_searcher_chunk(store *st, int64_t state, uint32_t number, const void *data,
	size_t size, imgsearch_error *err);
int ims_store_searcher_publish(store *st, int64_t state, const char *params, uint32_t version,
	uint64_t rows, int64_t change, imgsearch_error *err);
/* Deletes the changes that every searcher contains. */
int ims_store_changes_trim(store *st, imgsearch_error *err);

/*
 * Deletes the regions of all pictures, also of the next model, and the searchers and settings of
 * them, whose names end in ".regions".
 */
int ims_store_regions_clear(store *st, imgsearch_error *err);

/* Stores that two contents are different pictures, in either order. */
int ims_store_reject(store *st, const hash256 *a, const hash256 *b, imgsearch_error *err);

/*
 * Stores the bytes of a picture that has no file, in place of those it had. They go with its row,
 * and where the row becomes a picture of other bytes, or a vector. The row has their hash.
 */
int ims_store_file_put(store *st, int64_t picture, const void *data, size_t size,
	imgsearch_error *err);

/* --------------------------------------------------------------------------------- reading ---- */

/*
 * A thread that reads ":memory:" waits while another thread has a transaction open. A lock that is
 * also acquired within transactions must not be held during that wait. So a caller that reads under
 * such a lock acquires a hold first, then locks, reads, unlocks, and releases the hold. Acquiring
 * waits; the reads then do not. h is the caller's until it is released, on the same thread.
 */
typedef struct store_hold {
	pthread_t thread;
	struct store_hold *next;
	bool held, one_read;
} store_hold;
void ims_store_hold_acquire(store *st, store_hold *h);
void ims_store_hold_release(store *st, store_hold *h);

/*
 * Between begin and end, reads of this thread share one connection and see one state of the file,
 * in one read transaction. It begins with the first read. Excepted are reads of callbacks of the
 * program, which see what they have written, and ":memory:". pause ends the transaction; the next
 * read begins another. It comes before long work without reads, since the journal cannot be reset
 * while an old state is read.
 */
typedef struct store_snapshot {
	store *st;                    /* NULL: of ":memory:" */
	void *conn;                   /* the engine's own */
	unsigned depth;               /* of callbacks */
	struct store_snapshot *outer; /* of the same thread */
	bool paused, has_epoch;       /* epoch: of the first state that was read in it */
	uint32_t epoch;
} store_snapshot;
void ims_store_snapshot_begin(store *st, store_snapshot *snapshot);
void ims_store_snapshot_end(store_snapshot *snapshot);
void ims_store_snapshot_pause(store *st); /* nothing outside of a snapshot */
/*
 * Before its end: whether the state (ims_store_state_get) was out of date in this snapshot. A store
 * on a server takes the newest that it knows, and compares it in the round trip of a later read. In
 * a file the epoch may be another one after a pause: the searchers, the mean or the model. An
 * answer made meanwhile is of two states: it must be made again.
 */
bool ims_store_snapshot_stale(store_snapshot *snapshot);

/* An empty out where there is no such setting. */
int ims_store_setting_get(store *st, const char *name, buf *out, imgsearch_error *err);

/* ENOTFOUND: there is none; err is left alone. */
int ims_store_model_get(store *st, store_model *out, bool next, imgsearch_error *err);

/* Whether the next model is a second one, which stays. */
int ims_store_has_second(store *st, bool *has, imgsearch_error *err);

/* ims_store_roots_free frees them. On failure there are none. */
int ims_store_roots_get(store *st, store_roots *out, imgsearch_error *err);

/*
 * Pictures of a state (0: all) in order of path, with the path of the root ("" for none). Strings
 * are valid during the call.
 */
typedef int store_picture_each(void *user, const store_picture *p, const char *root_path);
int ims_store_each_picture(store *st, uint32_t state, store_picture_each *each, void *user,
	imgsearch_error *err);
/* The pictures without a root and the vectors with names, all states, in order of path. */
int ims_store_each_single(store *st, store_picture_each *each, void *user, imgsearch_error *err);
/*
 * The paths of the indexed pictures that have several: that of the picture, with its facts, then
 * those of its duplicates and other names in order of path.
 */
int ims_store_each_twin(store *st, store_picture_each *each, void *user, imgsearch_error *err);

/* Where a picture lies. */
typedef struct store_place {
	int64_t root; /* 0: none */
	const char *path;
} store_place;

/*
 * Of a shared index, under a lease of STORE_INDEXES, outside of transactions: claims files for this
 * program, each for one at a time. Nobody is waited for. A claim ends when the file's record is
 * written, or with the lease. `now` is the file's row as it is, which others may have written: with
 * its facts; path NULL: none. The caller clears it. On failure there are none.
 */
typedef struct store_claim {
	store_place at;
	/* out */
	bool ours; /* false: another program reads the file */
	store_picture now;
	bool
		has_vector; /* of the current model, with the regions that are kept; or of the `next` one */
} store_claim;
int ims_store_claim(store *st, store_claim *c, size_t n, bool next, imgsearch_error *err);
/* Ends claims of files for which nothing is written. */
int ims_store_unclaim(store *st, const store_place *at, size_t n, imgsearch_error *err);

/*
 * n pictures by id, by place, or by the hash of their bytes: the indexed one with them, or one that
 * was deleted on purpose, best the one others are copies of. out[i].path is NULL where there
 * is none; ims_store_pictures_clear frees them. On failure there are none.
 */
int ims_store_get(store *st, const int64_t *ids, size_t n, store_picture *out,
	imgsearch_error *err);
int ims_store_find(store *st, const store_place *at, size_t n, store_picture *out,
	imgsearch_error *err);
int ims_store_by_hash(store *st, const hash256 *hashes, size_t n, store_picture *out,
	imgsearch_error *err);
void ims_store_pictures_clear(store_picture *p, size_t n);

/* One picture. ENOTFOUND, with the sentence that says so. */
int ims_store_picture_get(store *st, int64_t id, store_picture *out, imgsearch_error *err);
typedef enum store_presence {
	STORE_ABSENT,
	STORE_PRESENT, /* a picture, or a vector */
	STORE_DELETED, /* on purpose */
} store_presence;

/* presence[i]: that of ids[i], a store_presence. Undefined on failure. */
int ims_store_presences(store *st, const int64_t *ids, size_t n, uint8_t *presence,
	imgsearch_error *err);
/* ENOTFOUND, with the one sentence that says so. */
int ims_store_no_item(store *st, int64_t id, imgsearch_error *err);
/* Ids of vectors, ascending; ims_free. */
typedef enum store_id_list {
	STORE_BARE,         /* without a picture */
	STORE_BARE_KEPT,    /* the same, of those that were deleted on purpose */
	STORE_NEXT,         /* that the re-index under way has made */
	STORE_NOT_NEXT,     /* that it has not made yet */
	STORE_LACKING,      /* not of vectors: of indexed pictures that have none */
	STORE_LACKING_NEXT, /* the same, of the next model */
	STORE_FILES,        /* not of vectors: of pictures whose bytes are stored */
	STORE_WHOLE,        /* of indexed pictures without regions */
	STORE_WHOLE_NEXT,   /* of a second model: with its vector, and without its regions */
} store_id_list;
int ims_store_ids(store *st, store_id_list list, int64_t **ids, size_t *n, imgsearch_error *err);
/*
 * Whether any picture may have this size: a cheap test before a file is hashed. A store on a server
 * says yes, since asking it takes longer than hashing.
 */
int ims_store_has_size(store *st, uint64_t size, bool *has, imgsearch_error *err);
void ims_store_picture_clear(store_picture *p);

/* A cell of a CSV's row: owned in the list of columns_get, borrowed during a callback. */
typedef struct store_cell {
	char *name, *value;
	bool title;
} store_cell;
/* The columns of a picture, in order; ims_store_columns_free frees them. *n is 0 for none. */
int ims_store_columns_get(store *st, int64_t id, store_cell **out, size_t *n, imgsearch_error *err);
void ims_store_columns_free(store_cell *c, size_t n);

/*
 * Looks up pictures by n ids in one statement and calls each, in any order, with the index i of the
 * id, the picture, of which id, root, state and path are set, the path of its root ("" for none)
 * and a cell. A picture with several cells is reported once for each, in a row, one without cells
 * once with NULL. Ids without a picture are skipped. Strings are valid during the call. A result
 * other than 0 stops and is returned.
 */
typedef int store_lookup_each(void *user, size_t i, const store_picture *p, const char *root_path,
	const store_cell *cell);
int ims_store_pictures_lookup(store *st, const int64_t *ids, size_t n, store_lookup_each *each,
	void *user, imgsearch_error *err);

/*
 * Looks up paths by n ids, as above. Of each picture id, root, state, path and its size are set. It
 * is reported once.
 */
typedef int store_path_of(void *user, size_t i, const store_picture *p, const char *root_path);
int ims_store_paths_of(store *st, const int64_t *ids, size_t n, store_path_of *each, void *user,
	imgsearch_error *err);

/*
 * The facts of n pictures, in any order, with the index i of the id; those without facts are
 * skipped. Strings are valid during the call, and NULL where a fact is not known. A result other
 * than 0 stops and is returned.
 */
typedef int store_facts_each(void *user, size_t i, const char *const *fact);
int ims_store_facts_lookup(store *st, const int64_t *ids, size_t n, store_facts_each *each,
	void *user, imgsearch_error *err);

/*
 * What is known of an indexed picture: its size, its facts, and with name a cell of the CSV.
 * Borrowed.
 */
typedef struct store_described {
	int64_t id;
	uint32_t width, height;
	const char *fact[FACTS]; /* NULL: not known */
	const char *name, *value;
} store_described;

/*
 * All indexed pictures, in any order. One with several cells is reported once for each, in a row,
 * with the same facts; one without cells once, with name NULL.
 */
typedef int store_described_each(void *user, const store_described *d);
int ims_store_each_described(store *st, store_described_each *each, void *user,
	imgsearch_error *err);

/* How many indexed pictures have a date: a fact, or a cell of that name that begins with a year. */
int ims_store_dated(store *st, uint64_t *n, imgsearch_error *err);

/*
 * The other paths of n indexed pictures: their duplicates, and other names of files. Calls each for
 * those of one id in a row, in order of path, with the index i of the id and the path of the root
 * ("" for none). Strings are valid during the call. A result other than 0 stops and is returned.
 */
typedef int store_path_each(void *user, size_t i, const store_picture *p, const char *root_path);
int ims_store_paths_lookup(store *st, const int64_t *ids, size_t n, store_path_each *each,
	void *user, imgsearch_error *err);

/*
 * Ids of the indexed pictures that have a path below an absolute folder, their own, a duplicate's
 * or another name's: ascending, each once; ims_free.
 */
int ims_store_ids_under(store *st, const char *folder, int64_t **ids, size_t *n,
	imgsearch_error *err);

enum { STORE_STATES = IMGSEARCH_STATE_LINK + 1 };

typedef struct store_counts {
	uint64_t by_state[STORE_STATES]; /* pictures by imgsearch_state */
	uint64_t vectors;
	uint64_t vectors_next; /* of the re-index under way */
	uint64_t vectors_kept; /* of deleted items */
	uint64_t regions;      /* pictures that have them; also deleted ones */
} store_counts;

/* On failure *out is zero. */
int ims_store_counts(store *st, store_counts *out, imgsearch_error *err);

/*
 * Of a shard: the newest version of the map at which a bucket came from, or went to, each shard of
 * the index (store/shards/move.h): the setting "moved".
 */
enum { STORE_SHARD_AWAY = ENOLINK }; /* detail of an error: one shard cannot be reached */
enum { STORE_SHARDS_MOST = 64 };
typedef struct store_moved {
	uint32_t n; /* shards */
	uint64_t from[STORE_SHARDS_MOST], to[STORE_SHARDS_MOST];
} store_moved;
void ims_store_moved_read(store_moved *out, const void *data, size_t size);

/* What every change of vectors, searchers or pictures changes. On failure *out is zero. */
typedef struct store_state {
	uint32_t epoch;    /* the setting of that name; 0: none */
	store_moved moved; /* of a shard */
	int64_t change;    /* the number of the newest change of a vector */
	store_counts counts;
} store_state;
int ims_store_state_get(store *st, store_state *out, imgsearch_error *err);

/* The largest id that was ever given to a picture or a vector; -1: none yet. */
int ims_store_max_id(store *st, int64_t *id, imgsearch_error *err);

/*
 * All vectors in order of id, from one state of the file, in blocks of some hundred rows (n, dim),
 * valid during the call. EDB: a row has not dim values.
 */
typedef int store_vectors_each(void *user, const int64_t *ids, const float *rows, size_t n);
int ims_store_vectors_scan(store *st, bool next, uint32_t dim, store_vectors_each *each, void *user,
	imgsearch_error *err);

/*
 * The vectors in parts, on the threads of a pool, in no order: each gets users[i] of part i. At
 * most STORE_PARTS parts. All from one state of the file; where that cannot be had (a transaction
 * of this thread, ":memory:", a commit meanwhile), *done is false and nothing was read.
 */
enum { STORE_PARTS = 16 };
int ims_store_vectors_scan_parts(store *st, uint32_t dim, pool *pool, store_vectors_each *each,
	void *const *users, size_t parts, bool *done, imgsearch_error *err);

/* n vectors by id into out (n, dim); found[i] is 0 where there is none. */
int ims_store_vectors_fetch(store *st, const int64_t *ids, size_t n, uint32_t dim, float *out,
	uint8_t *found, imgsearch_error *err);

/*
 * Features of parts of pictures ("regions"), which an index has beside the vectors where the
 * setting "regions" is not 0. The data of a picture is what base/regions.h makes of them. Scan
 * gives those of all indexed pictures that have them in order of id, with their number i, from one
 * state of the file; fetch those of n ids, with the index i of the id. The data is valid during the
 * call. A result other than 0 stops and is returned.
 */
typedef int store_regions_each(void *user, size_t i, int64_t id, const void *data, size_t size);
int ims_store_regions_scan(store *st, store_regions_each *each, void *user, imgsearch_error *err);
int ims_store_regions_fetch(store *st, const int64_t *ids, size_t n, store_regions_each *each,
	void *user, imgsearch_error *err);

/*
 * A store on a server finds near rows where they lie. The rows are those of a space: vectors less a
 * mean, of length 1 under cosine; there, those of zeros are left out.
 */
bool ims_store_finds_near(const store *st);

typedef struct store_space {
	uint32_t metric, dim; /* imgsearch_metric */
	const float *mean;    /* (dim), borrowed; NULL: none is subtracted */
} store_space;

typedef struct store_near_request {
	store_space space;
	const float *queries; /* (n, dim), rows of the space */
	size_t n, k;
	const int64_t *subset; /* (n_subset), sorted: only these; NULL: all */
	size_t n_subset;
	uint32_t ef;  /* 0: all rows are compared; else by the index, as wide as this */
	double slack; /* under ip without the index: see store_near */
	size_t sure;  /* by the index: rows beyond so many may be left out, see store_near; 0: none */
} store_near_request;

/*
 * One of the k rows of a query, in their order. Its distance as the server has it: a length, or the
 * negative dot product. Without the index, under ip, this is less by `slack` times the product of
 * the lengths of row and query. By the index, rows beyond the first `sure` are left out where their
 * distance is larger than that of these by more than `slack`, times itself and as such. Where the
 * index is gone, a first one with the query STORE_SCANNED says that all rows were compared.
 */
#define STORE_SCANNED SIZE_MAX
typedef struct store_near {
	size_t query;
	int64_t id;
	double bound;
} store_near;

/* *out (*n) by ims_free. */
int ims_store_near(store *st, const store_near_request *q, store_near **out, size_t *n,
	imgsearch_error *err);

/*
 * Between write_begin and write_end, outside of a transaction: writes the rows of the space beside
 * the vectors, which makes searches faster, and with `index` a new index over them, of its own
 * degree and beam (0: the default). Vectors that come later are added. EUNSUPPORTED: the server
 * cannot; ECANCELED, EDEADLINE.
 */
int ims_store_near_build(store *st, const store_space *space, bool index, uint32_t degree,
	uint32_t beam, job *j, imgsearch_error *err);

/* How many vectors are of zeros, and the least id of them, where a store counts them itself. */
bool ims_store_counts_zeros(const store *st);
int ims_store_vectors_zeros(store *st, uint64_t *n, int64_t *first, imgsearch_error *err);

/* The rows of an answer are probably among these: of a server, all are read at once. */
int ims_store_expect(store *st, const int64_t *ids, size_t n, imgsearch_error *err);

typedef struct store_searcher {
	int64_t state;
	char *name, *params;
	uint32_t version, chunks;
	uint64_t rows;
	int64_t change; /* the newest one that it contains */
} store_searcher;
/* The published searchers, in order of name; ims_store_searchers_free frees them. */
int ims_store_searchers(store *st, store_searcher **out, size_t *n, imgsearch_error *err);
void ims_store_searchers_free(store_searcher *s, size_t n);
/* Bytes of all chunks; reads a page of each. */
int ims_store_searcher_bytes(store *st, int64_t state, uint64_t *bytes, imgsearch_error *err);
/* Appends one chunk, or nothing on failure. EFORMAT: it is missing or its checksum is wrong. */
int ims_store_searcher_read(store *st, int64_t state, uint32_t number, buf *out,
	imgsearch_error *err);
/*
 * Of a server, with store_options.cache: the chunks of a state are read from a file of that folder
 * from now on. They are fetched now, unless the file is there; other states of the searcher of that
 * name go from the folder. After a failure (EIO: the folder or the file cannot be written) they are
 * read from the server.
 */
int ims_store_searcher_keep(store *st, int64_t state, const char *name, imgsearch_error *err);

/*
 * The number of the newest change, and the distinct ids that changed after `after`, ascending; the
 * caller frees them by ims_free. ENOTFOUND: the log does not reach back to `after`, so all vectors
 * must be read again; err is left alone.
 */
int ims_store_change_last(store *st, int64_t *change, imgsearch_error *err);
int ims_store_changes(store *st, int64_t after, int64_t **ids, size_t *n, imgsearch_error *err);
/* The same, up to change `last`. */
int ims_store_changes_between(store *st, int64_t after, int64_t last, int64_t **ids, size_t *n,
	imgsearch_error *err);

/*
 * Appends the bytes that are stored for a picture, or for another one with the same bytes.
 * ENOTFOUND (err is left as it is): none are; EFORMAT: they are damaged.
 */
int ims_store_file_get(store *st, int64_t picture, buf *out, imgsearch_error *err);

/* The first picture for which these bytes are stored, and that is not deleted; 0: none. */
int ims_store_file_find(store *st, const hash256 *hash, int64_t *picture, imgsearch_error *err);

/* How many bytes are stored for pictures. */
int ims_store_file_bytes(store *st, uint64_t *bytes, imgsearch_error *err);

/* Rejected pairs in order of hash. */
typedef int store_rejected_each(void *user, const hash256 *a, const hash256 *b);
int ims_store_each_rejected(store *st, store_rejected_each *each, void *user, imgsearch_error *err);

/* Signatures of indexed pictures whose bytes have not changed since, in any order. */
typedef int store_signature_each(void *user, int64_t picture, const void *data, size_t size);
int ims_store_signatures(store *st, store_signature_each *each, void *user, imgsearch_error *err);

/* Appends one signature to out. ENOTFOUND (err is left as it is): none of this hash. */
int ims_store_signature_get(store *st, int64_t picture, const hash256 *hash, buf *out,
	imgsearch_error *err);

/*
 * Copies the index, as it is committed when the copy begins, into the file `path`, which opens as
 * an index. Others may read and write meanwhile (":memory:": only read); the journal grows until it
 * ends. Progress stage "backup", in pages; j may be NULL. The file appears when it is complete and
 * synced. On failure what was there stays, and no other file is left (a kill leaves PATH.*.part).
 * EINVAL: the target is the index, or a folder; IMGSEARCH_EEXIST: it exists, without `replace`;
 * EBUSY: it has a journal beside it, or this thread has a transaction of ":memory:" open, or the
 * index, open for reading only, was changed meanwhile; ECANCELED.
 */
int ims_store_backup(store *st, const char *path, bool replace, job *j, imgsearch_error *err);

/*
 * Checks pages, references, counts, checksums of chunks and stored bytes. Problems go to each as
 * sentences.
 */
typedef int store_problem_each(void *user, const char *problem);
int ims_store_check(store *st, store_problem_each *each, void *user, imgsearch_error *err);

/* EDB: a shard of the index was restored from a backup, so its counts are none of the index. */
int ims_store_whole(store *st, imgsearch_error *err);

/*
 * The versions of the server, owned by the caller, and what is known to be wrong with them, or
 * NULL. Both are NULL where the index is a file.
 */
int ims_store_server(store *st, char **versions, const char **faults, imgsearch_error *err);

uint64_t ims_store_bytes(store *st); /* of the file */

#endif
