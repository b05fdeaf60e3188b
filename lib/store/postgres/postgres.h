/* The functions of the PostgreSQL engine, within it: those of store/engine.h by their names. */
#ifndef IMS_POSTGRES_POSTGRES_H
#define IMS_POSTGRES_POSTGRES_H

#include "store/postgres/conn.h"

extern const store_engine ims_postgres_engine;

int ims_pg_vectors_scan(store *st, bool next, uint32_t dim, store_vectors_each *each, void *user,
	imgsearch_error *err);
int ims_pg_vectors_scan_parts(store *st, uint32_t dim, pool *pool, store_vectors_each *each,
	void *const *users, size_t parts, bool *done, imgsearch_error *err);
int ims_pg_vectors_fetch(store *st, const int64_t *ids, size_t n, uint32_t dim, float *out,
	uint8_t *found, imgsearch_error *err);
int ims_pg_vectors_put(store *st, const int64_t *ids, const float *rows, size_t n, uint32_t dim,
	imgsearch_error *err);
int ims_pg_ids(store *st, store_id_list list, int64_t **ids, size_t *n, imgsearch_error *err);

int ims_pg_regions_clear(store *st, imgsearch_error *err);
int ims_pg_regions_scan(store *st, store_regions_each *each, void *user, imgsearch_error *err);
int ims_pg_regions_fetch(store *st, const int64_t *ids, size_t n, store_regions_each *each,
	void *user, imgsearch_error *err);

int ims_pg_near(store *st, const store_near_request *q, store_near **out, size_t *n,
	imgsearch_error *err);
int ims_pg_near_build(store *st, const store_space *space, bool index, uint32_t degree,
	uint32_t beam, job *j, imgsearch_error *err);
int ims_pg_zeros(store *st, uint64_t *n, int64_t *first, imgsearch_error *err);
int ims_pg_expect(store *st, const int64_t *ids, size_t n, imgsearch_error *err);

int ims_pg_write_records(store *st, store_record *r, size_t n, imgsearch_error *err);
int ims_pg_move(store *st, const store_move *m, size_t n, imgsearch_error *err);
int ims_pg_name_files(store *st, const store_naming *names, size_t n, imgsearch_error *err);
int ims_pg_remove(store *st, const int64_t *ids, size_t n, imgsearch_error *err);
int ims_pg_keep_out(store *st, const int64_t *ids, size_t n, imgsearch_error *err);
int ims_pg_readmit(store *st, const int64_t *ids, size_t n, imgsearch_error *err);
int ims_pg_columns_put(store *st, const store_columns *c, size_t n, imgsearch_error *err);
int ims_pg_reject(store *st, const hash256 *a, const hash256 *b, imgsearch_error *err);
int ims_pg_get(store *st, const int64_t *ids, size_t n, store_picture *out, imgsearch_error *err);
int ims_pg_find(store *st, const store_place *at, size_t n, store_picture *out,
	imgsearch_error *err);
int ims_pg_by_hash(store *st, const hash256 *hashes, size_t n, store_picture *out,
	imgsearch_error *err);
int ims_pg_presences(store *st, const int64_t *ids, size_t n, uint8_t *presence,
	imgsearch_error *err);
int ims_pg_has_size(store *st, uint64_t size, bool *has, imgsearch_error *err);
int ims_pg_ids_under(store *st, const char *folder, int64_t **ids, size_t *n, imgsearch_error *err);
int ims_pg_each_picture(store *st, uint32_t state, store_picture_each *each, void *user,
	imgsearch_error *err);
int ims_pg_each_single(store *st, store_picture_each *each, void *user, imgsearch_error *err);
int ims_pg_each_twin(store *st, store_picture_each *each, void *user, imgsearch_error *err);
int ims_pg_each_described(store *st, store_described_each *each, void *user, imgsearch_error *err);
int ims_pg_pictures_lookup(store *st, const int64_t *ids, size_t n, store_lookup_each *each,
	void *user, imgsearch_error *err);
int ims_pg_paths_of(store *st, const int64_t *ids, size_t n, store_path_of *each, void *user,
	imgsearch_error *err);
int ims_pg_paths_lookup(store *st, const int64_t *ids, size_t n, store_path_each *each, void *user,
	imgsearch_error *err);
int ims_pg_facts_lookup(store *st, const int64_t *ids, size_t n, store_facts_each *each, void *user,
	imgsearch_error *err);
int ims_pg_columns_get(store *st, int64_t id, store_cell **out, size_t *n, imgsearch_error *err);
int ims_pg_signatures(store *st, store_signature_each *each, void *user, imgsearch_error *err);
int ims_pg_signature_get(store *st, int64_t picture, const hash256 *hash, buf *out,
	imgsearch_error *err);
int ims_pg_file_put(store *st, int64_t picture, const void *data, size_t size,
	imgsearch_error *err);
int ims_pg_file_get(store *st, int64_t picture, buf *out, hash256 *hash, imgsearch_error *err);
int ims_pg_file_find(store *st, const hash256 *hash, int64_t *picture, imgsearch_error *err);
int ims_pg_file_bytes(store *st, uint64_t *bytes, imgsearch_error *err);
int ims_pg_each_rejected(store *st, store_rejected_each *each, void *user, imgsearch_error *err);
int ims_pg_unconverted(store *st, uint64_t *n, imgsearch_error *err);
int ims_pg_dated(store *st, uint64_t *n, imgsearch_error *err);

int ims_pg_setting_get(store *st, const char *name, buf *out, imgsearch_error *err);
int ims_pg_setting_set(store *st, const char *name, const void *data, size_t size,
	imgsearch_error *err);
int ims_pg_model_get(store *st, store_model *out, bool next, imgsearch_error *err);
int ims_pg_model_set(store *st, const store_model *m, bool next, imgsearch_error *err);
int ims_pg_model_switch(store *st, imgsearch_error *err);
int ims_pg_model_drop_next(store *st, imgsearch_error *err);
int ims_pg_roots_get(store *st, store_roots *out, imgsearch_error *err);
int ims_pg_root_add(store *st, const char *path, int64_t *id, imgsearch_error *err);
int ims_pg_root_move(store *st, const char *from, const char *to, imgsearch_error *err);
int ims_pg_root_merge(store *st, int64_t from, int64_t into, const char *below,
	imgsearch_error *err);
int ims_pg_roots_settle(store *st, imgsearch_error *err);
int ims_pg_list_set(store *st, int64_t root, store_list list, const text_list *texts,
	imgsearch_error *err);
int ims_pg_searchers(store *st, store_searcher **out, size_t *n, imgsearch_error *err);
int ims_pg_searcher_begin(store *st, const char *name, int64_t *state, imgsearch_error *err);
int ims_pg_searcher_chunk(store *st, int64_t state, uint32_t number, const void *data, size_t size,
	imgsearch_error *err);
int ims_pg_searcher_publish(store *st, int64_t state, const char *params, uint32_t version,
	uint64_t rows, int64_t change, imgsearch_error *err);
int ims_pg_searcher_keep(store *st, int64_t state, const char *name, imgsearch_error *err);
int ims_pg_searcher_bytes(store *st, int64_t state, uint64_t *bytes, imgsearch_error *err);
int ims_pg_searcher_read(store *st, int64_t state, uint32_t number, buf *out, imgsearch_error *err);

int ims_pg_state_get(store *st, store_state *out, imgsearch_error *err);
int ims_pg_changes_between(store *st, int64_t after, int64_t last, int64_t **ids, size_t *n,
	imgsearch_error *err);
int ims_pg_changes_trim(store *st, imgsearch_error *err);
int ims_pg_max_id(store *st, int64_t *id, imgsearch_error *err);

int ims_pg_write_begin(store *st, imgsearch_error *err);
void ims_pg_write_end(store *st);
int ims_pg_tx_begin(store *st, imgsearch_error *err);
int ims_pg_tx_commit(store *st, imgsearch_error *err);
void ims_pg_tx_rollback(store *st);
void ims_pg_snapshot_begin(store *st, store_snapshot *snapshot);
void ims_pg_snapshot_end(store_snapshot *snapshot);
void ims_pg_snapshot_pause(store *st);
store_snapshot *ims_pg_snapshot_adopt(store_snapshot *snapshot);
bool ims_pg_snapshot_stale(store_snapshot *snapshot);
void ims_pg_hold_acquire(store *st, store_hold *h);
void ims_pg_hold_release(store *st, store_hold *h);
bool ims_pg_may_retry(store *st);
int ims_pg_lease_begin(store *st, store_work work, imgsearch_error *err);
void ims_pg_lease_end(store *st);
int ims_pg_claim(store *st, store_claim *c, size_t n, bool next, imgsearch_error *err);
int ims_pg_unclaim(store *st, const store_place *at, size_t n, imgsearch_error *err);

int ims_pg_table_each(store *st, store_table table, const store_value *after, int64_t most,
	store_table_each *each, void *user, imgsearch_error *err);
int ims_pg_transfer_begin(store *st, imgsearch_error *err);
void ims_pg_transfer_end(store *st);
int ims_pg_transfer_clear(store *st, imgsearch_error *err);
int ims_pg_transfer_put(store *st, store_table table, const store_rows *rows, imgsearch_error *err);
int ims_pg_transfer_finish(store *st, int64_t max_id, int64_t change, imgsearch_error *err);

int ims_pg_bucket_items(store *st, uint32_t bucket, int64_t **ids, size_t *n, imgsearch_error *err);
int ims_pg_rows_of(store *st, store_table table, const int64_t *ids, size_t n,
	store_table_each *each, void *user, imgsearch_error *err);
int ims_pg_arrived(store *st, const int64_t *ids, size_t n, imgsearch_error *err);
int ims_pg_leave(store *st, const int64_t *ids, size_t n, imgsearch_error *err);
int ims_pg_use_range(store *st, int64_t first, int64_t last, imgsearch_error *err);
int ims_pg_use_id(store *st, int64_t id, imgsearch_error *err);
int ims_pg_count_all(store *st, imgsearch_error *err);
int ims_pg_read_shard(store *st, const char *const name[2], buf out[2], int64_t *largest,
	imgsearch_error *err);

void ims_pg_close(store *st);
int64_t ims_pg_old_version(store *st);
uint64_t ims_pg_bytes(store *st);
int ims_pg_server(store *st, char **versions, const char **faults, imgsearch_error *err);
int ims_pg_compact(store *st, imgsearch_error *err);
int ims_pg_backup(store *st, const char *path, bool replace, job *j, imgsearch_error *err);
int ims_pg_check(store *st, store_problem_each *each, void *user, imgsearch_error *err);

/* Ids of a query's first column; ims_free. p is freed. */
int ims_pg_read_ids(store *st, int64_t **ids, size_t *n, imgsearch_error *err, const char *sql,
	pg_params *p);

#endif
