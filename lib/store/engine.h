/*
 * What an engine of the store provides: five small tables of functions, one for copies, one for
 * shards, and one for the index as a whole. store.h, record.h and transfer.h say what each function
 * does, by its name. The rest of the library calls those, which know no engine.
 *
 * Every function takes and returns many where a caller can have many, so that an engine on another
 * machine needs one round trip. The library calls none from a callback of another one of the same
 * index. The filter of a query may, since it is the program's: such calls need a connection of
 * their own.
 */
#ifndef IMS_STORE_ENGINE_H
#define IMS_STORE_ENGINE_H

#include "store/record.h"
#include "store/transfer.h"

/* Vectors. */
typedef struct store_rows_table {
	int (*scan)(store *st, bool next, uint32_t dim, store_vectors_each *each, void *user,
		imgsearch_error *err);
	int (*scan_parts)(store *st, uint32_t dim, pool *pool, store_vectors_each *each,
		void *const *users, size_t parts, bool *done, imgsearch_error *err);
	int (*fetch)(store *st, const int64_t *ids, size_t n, uint32_t dim, float *out, uint8_t *found,
		imgsearch_error *err);
	int (*put)(store *st, const int64_t *ids, const float *rows, size_t n, uint32_t dim,
		imgsearch_error *err);
	int (*ids)(store *st, store_id_list list, int64_t **ids, size_t *n, imgsearch_error *err);
	int (*regions_clear)(store *st, imgsearch_error *err);
	int (*regions_scan)(store *st, store_regions_each *each, void *user, imgsearch_error *err);
	int (*regions_fetch)(store *st, const int64_t *ids, size_t n, store_regions_each *each,
		void *user, imgsearch_error *err);
	/* NULL: they are to be read */
	int (*zeros)(store *st, uint64_t *n, int64_t *first, imgsearch_error *err);
	/* NULL, all three: the rows lie in this process's memory or files */
	int (*near)(store *st, const store_near_request *q, store_near **out, size_t *n,
		imgsearch_error *err);
	int (*near_build)(store *st, const store_space *space, bool index, uint32_t degree,
		uint32_t beam, job *j, imgsearch_error *err);
	int (*expect)(store *st, const int64_t *ids, size_t n, imgsearch_error *err);
} store_rows_table;

/*
 * Pictures with all that belongs to them: facts, columns, signatures, stored files, deletions,
 * rejected pairs.
 */
typedef struct store_pictures_table {
	int (*write)(store *st, store_record *r, size_t n, imgsearch_error *err);
	int (*move)(store *st, const store_move *m, size_t n, imgsearch_error *err);
	int (*name_files)(store *st, const store_naming *names, size_t n, imgsearch_error *err);
	int (*remove)(store *st, const int64_t *ids, size_t n, imgsearch_error *err);
	int (*keep_out)(store *st, const int64_t *ids, size_t n, imgsearch_error *err);
	int (*readmit)(store *st, const int64_t *ids, size_t n, imgsearch_error *err);
	int (*columns_put)(store *st, const store_columns *c, size_t n, imgsearch_error *err);
	int (*reject)(store *st, const hash256 *a, const hash256 *b, imgsearch_error *err);
	int (*get)(store *st, const int64_t *ids, size_t n, store_picture *out, imgsearch_error *err);
	int (*find)(store *st, const store_place *at, size_t n, store_picture *out,
		imgsearch_error *err);
	int (*by_hash)(store *st, const hash256 *hashes, size_t n, store_picture *out,
		imgsearch_error *err);
	int (*presences)(store *st, const int64_t *ids, size_t n, uint8_t *presence,
		imgsearch_error *err);
	int (*has_size)(store *st, uint64_t size, bool *has, imgsearch_error *err);
	int (*ids_under)(store *st, const char *folder, int64_t **ids, size_t *n, imgsearch_error *err);
	int (*each)(store *st, uint32_t state, store_picture_each *each, void *user,
		imgsearch_error *err);
	int (*each_single)(store *st, store_picture_each *each, void *user, imgsearch_error *err);
	int (*each_twin)(store *st, store_picture_each *each, void *user, imgsearch_error *err);
	int (*each_described)(store *st, store_described_each *each, void *user, imgsearch_error *err);
	int (*lookup)(store *st, const int64_t *ids, size_t n, store_lookup_each *each, void *user,
		imgsearch_error *err);
	int (*paths_of)(store *st, const int64_t *ids, size_t n, store_path_of *each, void *user,
		imgsearch_error *err);
	int (*other_paths)(store *st, const int64_t *ids, size_t n, store_path_each *each, void *user,
		imgsearch_error *err);
	int (*facts)(store *st, const int64_t *ids, size_t n, store_facts_each *each, void *user,
		imgsearch_error *err);
	int (*columns)(store *st, int64_t id, store_cell **out, size_t *n, imgsearch_error *err);
	int (*signatures)(store *st, store_signature_each *each, void *user, imgsearch_error *err);
	int (*signature_get)(store *st, int64_t picture, const hash256 *hash, buf *out,
		imgsearch_error *err);
	int (
		*file_put)(store *st, int64_t picture, const void *data, size_t size, imgsearch_error *err);
	/* *hash: of the picture's row; zero: it has none, since the picture could not be read */
	int (*file_get)(store *st, int64_t picture, buf *out, hash256 *hash, imgsearch_error *err);
	int (*file_find)(store *st, const hash256 *hash, int64_t *picture, imgsearch_error *err);
	int (*file_bytes)(store *st, uint64_t *bytes, imgsearch_error *err);
	int (*each_rejected)(store *st, store_rejected_each *each, void *user, imgsearch_error *err);
	int (*unconverted)(store *st, uint64_t *n, imgsearch_error *err);
	int (*dated)(store *st, uint64_t *n, imgsearch_error *err);
} store_pictures_table;

/* Small values, models, roots, and the chunks of searchers. */
typedef struct store_settings_table {
	int (*get)(store *st, const char *name, buf *out, imgsearch_error *err);
	int (*set)(store *st, const char *name, const void *data, size_t size, imgsearch_error *err);
	int (*model_get)(store *st, store_model *out, bool next, imgsearch_error *err);
	int (*model_set)(store *st, const store_model *m, bool next, imgsearch_error *err);
	int (*model_switch)(store *st, imgsearch_error *err);
	int (*model_drop_next)(store *st, imgsearch_error *err);
	/* NULL, both: it has no second model */
	int (*model_add)(store *st, const store_model *m, imgsearch_error *err);
	int (*model_exchange)(store *st, imgsearch_error *err);
	int (*models_renew)(store *st, imgsearch_error *err); /* NULL: there is never a second one */
	int (*roots)(store *st, store_roots *out, imgsearch_error *err);
	int (*root_add)(store *st, const char *path, int64_t *id, imgsearch_error *err);
	int (*root_move)(store *st, const char *from, const char *to, imgsearch_error *err);
	int (*root_merge)(store *st, int64_t from, int64_t into, const char *below,
		imgsearch_error *err);
	int (*roots_settle)(store *st, imgsearch_error *err);
	int (*list_set)(store *st, int64_t root, store_list list, const text_list *texts,
		imgsearch_error *err);
	int (*searchers)(store *st, store_searcher **out, size_t *n, imgsearch_error *err);
	int (*searcher_begin)(store *st, const char *name, int64_t *state, imgsearch_error *err);
	int (*chunk_put)(store *st, int64_t state, uint32_t number, const void *data, size_t size,
		imgsearch_error *err);
	int (*searcher_publish)(store *st, int64_t state, const char *params, uint32_t version,
		uint64_t rows, int64_t change, imgsearch_error *err);
	int (*searcher_bytes)(store *st, int64_t state, uint64_t *bytes, imgsearch_error *err);
	int (*chunk_get)(store *st, int64_t state, uint32_t number, buf *out, imgsearch_error *err);
	/* NULL: nothing is kept elsewhere */
	int (*searcher_keep)(store *st, int64_t state, const char *name, imgsearch_error *err);
} store_settings_table;

/* What changed, and how much there is. */
typedef struct store_changes_table {
	int (*state)(store *st, store_state *out, imgsearch_error *err);
	int (*between)(store *st, int64_t after, int64_t last, int64_t **ids, size_t *n,
		imgsearch_error *err);
	int (*trim)(store *st, imgsearch_error *err);
	int (*max_id)(store *st, int64_t *id, imgsearch_error *err);
} store_changes_table;

/* Who writes, and which state is read. */
typedef struct store_leases_table {
	int (*write_begin)(store *st, imgsearch_error *err);
	void (*write_end)(store *st);
	int (*tx_begin)(store *st, imgsearch_error *err);
	int (*tx_commit)(store *st, imgsearch_error *err);
	void (*tx_rollback)(store *st);
	void (*snapshot_begin)(store *st, store_snapshot *snapshot);
	void (*snapshot_end)(store_snapshot *snapshot);
	void (*snapshot_pause)(store *st);
	/*
	 * Reads of this thread are of this snapshot, which another thread has begun and does not use
	 * meanwhile; NULL: of its own again. Returns what was set before. NULL: not of this engine.
	 */
	store_snapshot *(*snapshot_adopt)(store_snapshot *snapshot);
	bool (*snapshot_stale)(store_snapshot *snapshot); /* NULL: never */
	void (*hold_acquire)(store *st, store_hold *h);
	void (*hold_release)(store *st, store_hold *h);
	/* NULL of an engine with one writer at a time, to which nothing happens */
	bool (*may_retry)(store *st);
	int (*lease_begin)(store *st, store_work work, imgsearch_error *err);
	void (*lease_end)(store *st);
	int (*claim)(store *st, store_claim *c, size_t n, bool next, imgsearch_error *err);
	int (*unclaim)(store *st, const store_place *at, size_t n, imgsearch_error *err);
} store_leases_table;

/* Tables of rows. `after` is a key, at most `most` rows follow it. */
typedef struct store_transfer_table {
	int (*each)(store *st, store_table table, const store_value *after, int64_t most,
		store_table_each *each, void *user, imgsearch_error *err);
	int (*begin)(store *st, imgsearch_error *err);
	void (*end)(store *st);
	int (*clear)(store *st, imgsearch_error *err);
	int (*put)(store *st, store_table table, const store_rows *rows, imgsearch_error *err);
	int (*finish)(store *st, int64_t max_id, int64_t change, imgsearch_error *err);
	/* NULL: it is one store, whose transactions are whole */
	int (*cut_off)(store *st, bool *cut, imgsearch_error *err);
} store_transfer_table;

/*
 * What a store does as one of the shards of an index. What is content of a bucket: pictures whose
 * bytes are in it, with all that belongs to them, and by their ids vectors without bytes. All but
 * `items` and `rows` need a transaction. NULL, all: it can be none.
 */
typedef struct store_shard_table {
	int (*items)(store *st, uint32_t bucket, int64_t **ids, size_t *n, imgsearch_error *err);
	/* the rows of a table that belong to these items */
	int (*rows)(store *st, store_table table, const int64_t *ids, size_t n, store_table_each *each,
		void *user, imgsearch_error *err);
	/* rows of these items were put into the tables: they are counted, and their vectors changed */
	int (*arrived)(store *st, const int64_t *ids, size_t n, imgsearch_error *err);
	/* deletes items, which are somewhere else now: nothing is handed on */
	int (*leave)(store *st, const int64_t *ids, size_t n, imgsearch_error *err);
	/* ids are given from `first` on, or behind the largest that was given; at most `last` */
	int (*use_range)(store *st, int64_t first, int64_t last, imgsearch_error *err);
	int (*use_id)(store *st, int64_t id, imgsearch_error *err); /* it is given to nobody later */
	int (*count)(store *st, imgsearch_error *err); /* after a copy: what it has, anew */
	/* two settings, as settings.get, and the largest id that was given (-1: none yet) */
	int (*read)(store *st, const char *const name[2], buf out[2], int64_t *largest,
		imgsearch_error *err);
} store_shard_table;

/* The index as a whole. */
typedef struct store_file_table {
	void (*close)(store *st);
	int64_t (*old_version)(store *st);
	uint64_t (*bytes)(store *st);
	int (*compact)(store *st, imgsearch_error *err);
	int (*backup)(store *st, const char *path, bool replace, job *j, imgsearch_error *err);
	int (*check)(store *st, store_problem_each *each, void *user, imgsearch_error *err);
	/* NULL: it is one store */
	int (*whole)(store *st, imgsearch_error *err);
	/* NULL: there is no server */
	int (*server)(store *st, char **versions, const char **faults, imgsearch_error *err);
} store_file_table;

typedef struct store_engine {
	store_rows_table rows;
	store_pictures_table pictures;
	store_settings_table settings;
	store_changes_table changes;
	store_leases_table leases;
	store_transfer_table transfer;
	store_shard_table shard;
	store_file_table file;
} store_engine;

enum { STORE_PIECE = 1 << 20 }; /* bytes of a stored file that lie in one row */

/* Where this machine has a root with a name: see mounts.h. Owned. */
typedef struct store_mount {
	char *stored; /* "NAME:" */
	char *here;   /* an absolute path */
} store_mount;

/* An open index. That of an engine begins with it. */
struct store {
	const store_engine *engine;
	char *path;               /* absolute, or ":memory:" */
	const char *label, *name; /* of ims_store_label, ims_store_name */
	bool read_only;           /* asked for, or nothing can be written */
	bool denied;              /* the role on the server may not write */
	store_upgrade upgrade;    /* at the opening; 0: none */
	char *repaired;           /* of ims_store_repaired, owned; NULL: nothing */
	store_mount *mount;       /* the engine's callers alone use it */
	size_t n_mounts;
};

/* Each opens an index, as ims_store_open does. */
int ims_sqlite_open(store **out, const char *path, const store_options *o, imgsearch_error *err);
int ims_postgres_open(store **out, const char *address, const store_options *o,
	imgsearch_error *err);
char *ims_postgres_name(const char *address); /* as people may see it, owned; NULL: it is none */

/* By several addresses. */
int ims_shards_open(store **out, char *const *address, size_t n, const store_options *o,
	imgsearch_error *err);
/* EINVAL: the store, opened by itself, is one of several shards. */
int ims_shards_refuse_single(store *st, imgsearch_error *err);

#endif
