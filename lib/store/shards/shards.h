/*
 * Within the engine of shards: an index that lies on several servers, each a store of its own.
 *
 * What describes the whole index (settings, models, roots, states of searchers, rejected pairs) is
 * the same in every shard; it is read of the first one that is there. Pictures and vectors lie in
 * one shard each. The bytes of a picture choose its bucket, and the map its shard; so equal bytes
 * meet. Every shard gives ids of a range of its own, and a picture keeps its id where it moves. So
 * what has an id is looked for in all shards.
 *
 * A read goes to all shards at once where it costs a round trip, on threads of a pool. A
 * transaction is open in all of them; it is begun in the order of their numbers, so that no two
 * writers wait for each other. It is committed in one after the other. Where that fails in the
 * middle, what was committed is whole for each picture, and may be written again.
 */
#ifndef IMS_SHARDS_SHARDS_H
#define IMS_SHARDS_SHARDS_H

#include "store/engine.h"

enum {
	SHARDS_MOST = STORE_SHARDS_MOST,
	SHARD_BUCKETS = 1024,
	SHARD_RANGE = 40, /* shard i gives the ids from i << SHARD_RANGE on */
};

/* The setting "shards" of each: which one it is, and where content belongs. */
typedef struct shard_map {
	uint64_t index;     /* a number of the whole index */
	uint64_t version;   /* grows with every change */
	uint32_t n, number; /* of the shards; of this one */
	uint8_t of[SHARD_BUCKETS];
} shard_map;

/* The numbers of changes in the shards when their sum was that. */
typedef struct shard_changes {
	int64_t sum, of[SHARDS_MOST];
} shard_changes;

typedef struct shard_store {
	store base;
	size_t n;
	store *shard[SHARDS_MOST]; /* by number; NULL: it could not be opened */
	char *name[SHARDS_MOST];   /* the address as people may see it */
	bool partial;              /* of store_options, as max_stale */
	double max_stale;
	_Atomic(double) lost_at[SHARDS_MOST];
	atomic_bool writing; /* the right to write is held */
	atomic_bool working; /* a lease is held: a run or a build reads what it then writes */
	atomic_bool in_tx;
	_Atomic(pthread_t) tx_thread;
	shard_map map; /* the writer's: as its transaction has it */
	/* the largest id that each has given; -1: none. To be written with the transaction */
	int64_t largest[SHARDS_MOST];
	bool note_largest;
	int64_t state[SHARDS_MOST]; /* the ids of the searcher's state that is written */
	pthread_mutex_t mutex;      /* guards what follows */
	pool *pool;
	shard_changes known[16]; /* the newest that were read */
	size_t n_known;
	double unfit_since, unfit_at; /* shards did not fit at the second moment, since the first */
	size_t unfit;                 /* one that is older than the others know; n: none */
	char *repaired;               /* by the transaction that is open, for ims_store_repaired */
} shard_store;

extern const store_engine ims_shards_engine;

/* ------------------------------------------------------------------------------- calling ---- */

typedef int shard_call(void *arg, size_t i, store *shard, imgsearch_error *err);

/* Calls f for each shard that is there, in their order, until one fails. */
int ims_shards_each(store *st, shard_call *f, void *arg, imgsearch_error *err);

/* The same, all at once: f must not touch what belongs to another shard. */
int ims_shards_at_once(store *st, shard_call *f, void *arg, imgsearch_error *err);

/* One after the other, none left out: of those that write. EIO: one is not there. */
int ims_shards_every(shard_store *st, shard_call *f, void *arg, imgsearch_error *err);

/*
 * Whether an answer will do without shard i, whose call failed: it cannot be reached, and partial
 * answers were asked for. It counts as absent for a while then. Not what a transaction, a run or a
 * build reads.
 */
bool ims_shards_do_without(shard_store *st, size_t i, int rc, const imgsearch_error *err);
bool ims_shards_is_away(int rc, const imgsearch_error *err); /* it cannot be reached */
/* Notes in an error that one shard of several is away, and returns rc. */
int ims_shards_need(imgsearch_error *err, int rc);

/* The first shard that is there. */
store *ims_shards_first(const shard_store *st);
bool ims_shards_has(const shard_store *st, size_t i); /* shard i is there */

/*
 * The snapshot of shard i within that of this thread, for ims_shards_adopt on another thread; NULL:
 * there is none, so reads of this thread are on their own.
 */
store_snapshot *ims_shards_snapshot(const shard_store *st, size_t i);
/*
 * Makes the snapshots of the shards fit each other, before anything else is read in them: while
 * buckets move, they are begun until they do.
 */
int ims_shards_fit(store *st, imgsearch_error *err);
/* EDB: they did not for ten seconds, so one of them was restored from a backup. */
int ims_shards_refuse_unfit(shard_store *st, imgsearch_error *err);
int ims_shards_refuse_old(const shard_store *st, size_t i, imgsearch_error *err); /* the same */
extern const double ims_shards_patience; /* these ten seconds */
/* Notes in an error that addresses are lacking (detail EXDEV), and returns rc. */
int ims_shards_lacking(imgsearch_error *err, int rc);
/* EINVAL: the index has n shards by now; the query is not done again for that. */
int ims_shards_refuse_more(const shard_store *st, size_t n, imgsearch_error *err);
bool ims_shards_in_own_transaction(const shard_store *st);

/* The changes behind a sum that was read. False: not known any more. */
void ims_shards_note_changes(shard_store *st, const shard_changes *c);
bool ims_shards_find_changes(shard_store *st, int64_t sum, shard_changes *out);

/* The call of one shard, which may be done without. */
int ims_shards_one(shard_store *st, size_t i, shard_call *f, void *arg, imgsearch_error *err);

/*
 * Remembers in the snapshot of this thread what shard i has found. of[k]: the shard that has
 * ids[k]; -1: not known. Whether all are known. Then no shard is asked for what another one has.
 */
void ims_shards_remember(shard_store *st, size_t i, const store_near *found, size_t n);
bool ims_shards_recall(const shard_store *st, const int64_t *ids, size_t n, int *of);

/* The ids that shard i is asked for: ids[k] is that of number at[k]. */
typedef struct shard_part {
	int64_t *ids;
	size_t *at, n;
} shard_part;
int ims_shards_part(shard_part *p, const int64_t *ids, size_t n, const int *of, size_t i,
	imgsearch_error *err);
void ims_shards_part_free(shard_part *p);

/* --------------------------------------------------------------------------------- places ---- */

uint32_t ims_shards_bucket(const hash256 *hash);
/* The shard where the map puts a picture, by its bytes, or where they are not known by its path. */
size_t ims_shards_place(const shard_map *map, const hash256 *hash, const char *path);
size_t ims_shards_place_id(const shard_map *map,
	int64_t id); /* ... and a vector without a picture */

/* of[i]: the shard that has ids[i], a picture or a vector; -1: none. presence may be NULL. */
int ims_shards_locate(store *st, const int64_t *ids, size_t n, int *of, uint8_t *presence,
	imgsearch_error *err);

/* No shard gives one of these ids later. Within a transaction. */
int ims_shards_use_ids(shard_store *st, const int64_t *ids, size_t n, imgsearch_error *err);

/* Ids that were given, or are used, so that the other shards know it. Within a transaction. */
void ims_shards_note_ids(shard_store *st, const int64_t *ids, size_t n);

/* Before the commit: two shards write down what was noted. */
int ims_shards_write_ids(shard_store *st, imgsearch_error *err);

/* -------------------------------------------------------------------------------- the map ---- */

/* EINVAL: the store is no shard; EDB: it is damaged. */
int ims_shard_map_read(store *shard, shard_map *out, bool *has, imgsearch_error *err);
int ims_shard_map_write(store *shard, const shard_map *map, imgsearch_error *err);

/*
 * In a transaction: st->map becomes the newest one, a move that was cut off is completed, and a
 * shard that was restored from a backup agrees with the others: see move.h.
 */
int ims_shards_map_renew(shard_store *st, imgsearch_error *err);

/* For those who may not make them agree. EDB: a shard was restored from a backup. */
int ims_shards_require_whole(store *st, imgsearch_error *err);
/* The same as problems; also one that has lost ids, but where the role may not look at those. */
int ims_shards_check_ages(store *st, store_problem_each *each, void *user, imgsearch_error *err);

/* ---------------------------------------------------------------------------- the engine ---- */

int ims_shards_vectors_scan(store *st, bool next, uint32_t dim, store_vectors_each *each,
	void *user, imgsearch_error *err);
int ims_shards_vectors_scan_parts(store *st, uint32_t dim, pool *pool, store_vectors_each *each,
	void *const *users, size_t parts, bool *done, imgsearch_error *err);
int ims_shards_vectors_fetch(store *st, const int64_t *ids, size_t n, uint32_t dim, float *out,
	uint8_t *found, imgsearch_error *err);
int ims_shards_vectors_put(store *st, const int64_t *ids, const float *rows, size_t n, uint32_t dim,
	imgsearch_error *err);
int ims_shards_ids(store *st, store_id_list list, int64_t **ids, size_t *n, imgsearch_error *err);
int ims_shards_regions_clear(store *st, imgsearch_error *err);
int ims_shards_regions_scan(store *st, store_regions_each *each, void *user, imgsearch_error *err);
int ims_shards_regions_fetch(store *st, const int64_t *ids, size_t n, store_regions_each *each,
	void *user, imgsearch_error *err);
int ims_shards_near(store *st, const store_near_request *q, store_near **out, size_t *n,
	imgsearch_error *err);
int ims_shards_near_build(store *st, const store_space *space, bool index, uint32_t degree,
	uint32_t beam, job *j, imgsearch_error *err);
int ims_shards_expect(store *st, const int64_t *ids, size_t n, imgsearch_error *err);

int ims_shards_write(store *st, store_record *r, size_t n, imgsearch_error *err);
int ims_shards_move(store *st, const store_move *m, size_t n, imgsearch_error *err);
int ims_shards_name_files(store *st, const store_naming *names, size_t n, imgsearch_error *err);
int ims_shards_remove(store *st, const int64_t *ids, size_t n, imgsearch_error *err);
int ims_shards_keep_out(store *st, const int64_t *ids, size_t n, imgsearch_error *err);
int ims_shards_readmit(store *st, const int64_t *ids, size_t n, imgsearch_error *err);
int ims_shards_columns_put(store *st, const store_columns *c, size_t n, imgsearch_error *err);
int ims_shards_reject(store *st, const hash256 *a, const hash256 *b, imgsearch_error *err);
int ims_shards_get(store *st, const int64_t *ids, size_t n, store_picture *out,
	imgsearch_error *err);
int ims_shards_find(store *st, const store_place *at, size_t n, store_picture *out,
	imgsearch_error *err);
int ims_shards_by_hash(store *st, const hash256 *hashes, size_t n, store_picture *out,
	imgsearch_error *err);
int ims_shards_presences(store *st, const int64_t *ids, size_t n, uint8_t *presence,
	imgsearch_error *err);
int ims_shards_has_size(store *st, uint64_t size, bool *has, imgsearch_error *err);
int ims_shards_ids_under(store *st, const char *folder, int64_t **ids, size_t *n,
	imgsearch_error *err);
int ims_shards_each_picture(store *st, uint32_t state, store_picture_each *each, void *user,
	imgsearch_error *err);
int ims_shards_each_single(store *st, store_picture_each *each, void *user, imgsearch_error *err);
int ims_shards_each_twin(store *st, store_picture_each *each, void *user, imgsearch_error *err);
int ims_shards_each_described(store *st, store_described_each *each, void *user,
	imgsearch_error *err);
int ims_shards_lookup(store *st, const int64_t *ids, size_t n, store_lookup_each *each, void *user,
	imgsearch_error *err);
int ims_shards_paths_of(store *st, const int64_t *ids, size_t n, store_path_of *each, void *user,
	imgsearch_error *err);
int ims_shards_other_paths(store *st, const int64_t *ids, size_t n, store_path_each *each,
	void *user, imgsearch_error *err);
int ims_shards_facts(store *st, const int64_t *ids, size_t n, store_facts_each *each, void *user,
	imgsearch_error *err);
int ims_shards_columns(store *st, int64_t id, store_cell **out, size_t *n, imgsearch_error *err);
int ims_shards_signatures(store *st, store_signature_each *each, void *user, imgsearch_error *err);
int ims_shards_signature_get(store *st, int64_t picture, const hash256 *hash, buf *out,
	imgsearch_error *err);
int ims_shards_file_put(store *st, int64_t picture, const void *data, size_t size,
	imgsearch_error *err);
int ims_shards_file_get(store *st, int64_t picture, buf *out, hash256 *hash, imgsearch_error *err);
int ims_shards_file_find(store *st, const hash256 *hash, int64_t *picture, imgsearch_error *err);
int ims_shards_file_bytes(store *st, uint64_t *bytes, imgsearch_error *err);
int ims_shards_each_rejected(store *st, store_rejected_each *each, void *user,
	imgsearch_error *err);
int ims_shards_unconverted(store *st, uint64_t *n, imgsearch_error *err);
int ims_shards_dated(store *st, uint64_t *n, imgsearch_error *err);

int ims_shards_setting_get(store *st, const char *name, buf *out, imgsearch_error *err);
int ims_shards_setting_set(store *st, const char *name, const void *data, size_t size,
	imgsearch_error *err);
int ims_shards_model_get(store *st, store_model *out, bool next, imgsearch_error *err);
int ims_shards_model_set(store *st, const store_model *m, bool next, imgsearch_error *err);
int ims_shards_model_switch(store *st, imgsearch_error *err);
int ims_shards_model_drop_next(store *st, imgsearch_error *err);
int ims_shards_roots(store *st, store_roots *out, imgsearch_error *err);
int ims_shards_root_add(store *st, const char *path, int64_t *id, imgsearch_error *err);
int ims_shards_root_move(store *st, const char *from, const char *to, imgsearch_error *err);
int ims_shards_root_merge(store *st, int64_t from, int64_t into, const char *below,
	imgsearch_error *err);
int ims_shards_roots_settle(store *st, imgsearch_error *err);
int ims_shards_list_set(store *st, int64_t root, store_list list, const text_list *texts,
	imgsearch_error *err);
int ims_shards_searchers(store *st, store_searcher **out, size_t *n, imgsearch_error *err);
int ims_shards_searcher_begin(store *st, const char *name, int64_t *state, imgsearch_error *err);
int ims_shards_chunk_put(store *st, int64_t state, uint32_t number, const void *data, size_t size,
	imgsearch_error *err);
int ims_shards_searcher_publish(store *st, int64_t state, const char *params, uint32_t version,
	uint64_t rows, int64_t change, imgsearch_error *err);
int ims_shards_searcher_bytes(store *st, int64_t state, uint64_t *bytes, imgsearch_error *err);
int ims_shards_chunk_get(store *st, int64_t state, uint32_t number, buf *out, imgsearch_error *err);
int ims_shards_searcher_keep(store *st, int64_t state, const char *name, imgsearch_error *err);

int ims_shards_state(store *st, store_state *out, imgsearch_error *err);
int ims_shards_changes_between(store *st, int64_t after, int64_t last, int64_t **ids, size_t *n,
	imgsearch_error *err);
int ims_shards_changes_trim(store *st, imgsearch_error *err);
int ims_shards_max_id(store *st, int64_t *id, imgsearch_error *err);

int ims_shards_write_begin(store *st, imgsearch_error *err);
void ims_shards_write_end(store *st);
int ims_shards_tx_begin(store *st, imgsearch_error *err);
int ims_shards_tx_commit(store *st, imgsearch_error *err);
int ims_shards_commit_one(shard_store *st, size_t i, imgsearch_error *err);
void ims_shards_committed(shard_store *st);
void ims_shards_tx_rollback(store *st);
void ims_shards_snapshot_begin(store *st, store_snapshot *snapshot);
void ims_shards_snapshot_end(store_snapshot *snapshot);
void ims_shards_snapshot_pause(store *st);
bool ims_shards_snapshot_stale(store_snapshot *snapshot);
void ims_shards_hold_acquire(store *st, store_hold *h);
void ims_shards_hold_release(store *st, store_hold *h);
bool ims_shards_may_retry(store *st);
int ims_shards_lease_begin(store *st, store_work work, imgsearch_error *err);
void ims_shards_lease_end(store *st);
int ims_shards_claim(store *st, store_claim *c, size_t n, bool next, imgsearch_error *err);
int ims_shards_unclaim(store *st, const store_place *at, size_t n, imgsearch_error *err);

/* Rows of a table in memory; a store_table_each that adds one. */
typedef struct copied_rows {
	const store_shape *shape;
	store_rows rows;
} copied_rows;
int ims_shards_add_row(void *copied_rows, const store_value *row, imgsearch_error *err);
int ims_shards_transfer_begin(store *st, imgsearch_error *err);
void ims_shards_transfer_end(store *st);
int ims_shards_transfer_clear(store *st, imgsearch_error *err);
int ims_shards_transfer_put(store *st, store_table table, const store_rows *rows,
	imgsearch_error *err);
int ims_shards_transfer_finish(store *st, int64_t max_id, int64_t change, imgsearch_error *err);
int ims_shards_transfer_cut_off(store *st, bool *cut, imgsearch_error *err);
int ims_shards_table_each(store *st, store_table table, const store_value *after, int64_t most,
	store_table_each *each, void *user, imgsearch_error *err);

void ims_shards_close(store *st);
uint64_t ims_shards_bytes(store *st);
int ims_shards_check(store *st, store_problem_each *each, void *user, imgsearch_error *err);
/* Items that lie in two shards, or not where the map says. */
int ims_shards_check_places(store *st, store_problem_each *each, void *user, imgsearch_error *err);
int ims_shards_server(store *st, char **versions, const char **faults, imgsearch_error *err);

#endif
