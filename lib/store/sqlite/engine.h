/* The functions of the SQLite engine, within it: those of store/engine.h by their names. */
#ifndef IMS_SQLITE_ENGINE_H
#define IMS_SQLITE_ENGINE_H

#include "store/engine.h"

extern const store_engine ims_sqlite_engine;

int ims_sqlite_vectors_scan(store *st, bool next, uint32_t dim, store_vectors_each *each,
	void *user, imgsearch_error *err);
int ims_sqlite_vectors_scan_parts(store *st, uint32_t dim, pool *pool, store_vectors_each *each,
	void *const *users, size_t parts, bool *done, imgsearch_error *err);
int ims_sqlite_vectors_fetch(store *st, const int64_t *ids, size_t n, uint32_t dim, float *out,
	uint8_t *found, imgsearch_error *err);
int ims_sqlite_vectors_put(store *st, const int64_t *ids, const float *rows, size_t n, uint32_t dim,
	imgsearch_error *err);
int ims_sqlite_ids(store *st, store_id_list list, int64_t **ids, size_t *n, imgsearch_error *err);

int ims_sqlite_write(store *st, store_record *r, size_t n, imgsearch_error *err);
int ims_sqlite_move(store *st, const store_move *m, size_t n, imgsearch_error *err);
int ims_sqlite_name_files(store *st, const store_naming *names, size_t n, imgsearch_error *err);
int ims_sqlite_remove(store *st, const int64_t *ids, size_t n, imgsearch_error *err);
int ims_sqlite_keep_out(store *st, const int64_t *ids, size_t n, imgsearch_error *err);
int ims_sqlite_readmit(store *st, const int64_t *ids, size_t n, imgsearch_error *err);
int ims_sqlite_columns_put(store *st, const store_columns *c, size_t n, imgsearch_error *err);
int ims_sqlite_reject(store *st, const hash256 *a, const hash256 *b, imgsearch_error *err);
int ims_sqlite_get(store *st, const int64_t *ids, size_t n, store_picture *out,
	imgsearch_error *err);
int ims_sqlite_find(store *st, const store_place *at, size_t n, store_picture *out,
	imgsearch_error *err);
int ims_sqlite_by_hash(store *st, const hash256 *hashes, size_t n, store_picture *out,
	imgsearch_error *err);
int ims_sqlite_presences(store *st, const int64_t *ids, size_t n, uint8_t *presence,
	imgsearch_error *err);
int ims_sqlite_has_size(store *st, uint64_t size, bool *has, imgsearch_error *err);
int ims_sqlite_ids_under(store *st, const char *folder, int64_t **ids, size_t *n,
	imgsearch_error *err);
int ims_sqlite_each_picture(store *st, uint32_t state, store_picture_each *each, void *user,
	imgsearch_error *err);
int ims_sqlite_each_single(store *st, store_picture_each *each, void *user, imgsearch_error *err);
int ims_sqlite_each_twin(store *st, store_picture_each *each, void *user, imgsearch_error *err);
int ims_sqlite_each_described(store *st, store_described_each *each, void *user,
	imgsearch_error *err);
int ims_sqlite_pictures_lookup(store *st, const int64_t *ids, size_t n, store_lookup_each *each,
	void *user, imgsearch_error *err);
int ims_sqlite_paths_of(store *st, const int64_t *ids, size_t n, store_path_of *each, void *user,
	imgsearch_error *err);
int ims_sqlite_paths_lookup(store *st, const int64_t *ids, size_t n, store_path_each *each,
	void *user, imgsearch_error *err);
int ims_sqlite_facts_lookup(store *st, const int64_t *ids, size_t n, store_facts_each *each,
	void *user, imgsearch_error *err);
int ims_sqlite_columns_get(store *st, int64_t id, store_cell **out, size_t *n,
	imgsearch_error *err);
int ims_sqlite_signatures(store *st, store_signature_each *each, void *user, imgsearch_error *err);
int ims_sqlite_signature_get(store *st, int64_t picture, const hash256 *hash, buf *out,
	imgsearch_error *err);
int ims_sqlite_file_put(store *st, int64_t picture, const void *data, size_t size,
	imgsearch_error *err);
int ims_sqlite_file_get(store *st, int64_t picture, buf *out, hash256 *hash, imgsearch_error *err);
int ims_sqlite_file_find(store *st, const hash256 *hash, int64_t *picture, imgsearch_error *err);
int ims_sqlite_file_bytes(store *st, uint64_t *bytes, imgsearch_error *err);
int ims_sqlite_regions_clear(store *st, imgsearch_error *err);
int ims_sqlite_regions_scan(store *st, store_regions_each *each, void *user, imgsearch_error *err);
int ims_sqlite_regions_fetch(store *st, const int64_t *ids, size_t n, store_regions_each *each,
	void *user, imgsearch_error *err);
int ims_sqlite_each_rejected(store *st, store_rejected_each *each, void *user,
	imgsearch_error *err);
int ims_sqlite_unconverted(store *st, uint64_t *n, imgsearch_error *err);
int ims_sqlite_dated(store *st, uint64_t *n, imgsearch_error *err);

int ims_sqlite_setting_get(store *st, const char *name, buf *out, imgsearch_error *err);
int ims_sqlite_setting_set(store *st, const char *name, const void *data, size_t size,
	imgsearch_error *err);
int ims_sqlite_model_get(store *st, store_model *out, bool next, imgsearch_error *err);
int ims_sqlite_model_set(store *st, const store_model *m, bool next, imgsearch_error *err);
int ims_sqlite_model_switch(store *st, imgsearch_error *err);
int ims_sqlite_model_drop_next(store *st, imgsearch_error *err);
int ims_sqlite_model_add(store *st, const store_model *m, imgsearch_error *err);
int ims_sqlite_model_exchange(store *st, imgsearch_error *err);
int ims_sqlite_models_renew(store *st, imgsearch_error *err);
int ims_sqlite_roots_get(store *st, store_roots *out, imgsearch_error *err);
int ims_sqlite_root_add(store *st, const char *path, int64_t *id, imgsearch_error *err);
int ims_sqlite_root_move(store *st, const char *from, const char *to, imgsearch_error *err);
int ims_sqlite_root_merge(store *st, int64_t from, int64_t into, const char *below,
	imgsearch_error *err);
int ims_sqlite_roots_settle(store *st, imgsearch_error *err);
int ims_sqlite_list_set(store *st, int64_t root, store_list list, const text_list *texts,
	imgsearch_error *err);
int ims_sqlite_searchers(store *st, store_searcher **out, size_t *n, imgsearch_error *err);
int ims_sqlite_searcher_begin(store *st, const char *name, int64_t *state, imgsearch_error *err);
int ims_sqlite_searcher_chunk(store *st, int64_t state, uint32_t number, const void *data,
	size_t size, imgsearch_error *err);
int ims_sqlite_searcher_publish(store *st, int64_t state, const char *params, uint32_t version,
	uint64_t rows, int64_t change, imgsearch_error *err);
int ims_sqlite_searcher_bytes(store *st, int64_t state, uint64_t *bytes, imgsearch_error *err);
int ims_sqlite_searcher_read(store *st, int64_t state, uint32_t number, buf *out,
	imgsearch_error *err);

int ims_sqlite_state_get(store *st, store_state *out, imgsearch_error *err);
int ims_sqlite_changes_between(store *st, int64_t after, int64_t last, int64_t **ids, size_t *n,
	imgsearch_error *err);
int ims_sqlite_changes_trim(store *st, imgsearch_error *err);
int ims_sqlite_max_id(store *st, int64_t *id, imgsearch_error *err);

int ims_sqlite_write_begin(store *st, imgsearch_error *err);
void ims_sqlite_write_end(store *st);
int ims_sqlite_tx_begin(store *st, imgsearch_error *err);
int ims_sqlite_tx_commit(store *st, imgsearch_error *err);
void ims_sqlite_tx_rollback(store *st);
void ims_sqlite_snapshot_begin(store *st, store_snapshot *snapshot);
void ims_sqlite_snapshot_end(store_snapshot *snapshot);
void ims_sqlite_snapshot_pause(store *st);
bool ims_sqlite_snapshot_stale(store_snapshot *snapshot);
void ims_sqlite_hold_acquire(store *st, store_hold *h);
void ims_sqlite_hold_release(store *st, store_hold *h);

int ims_sqlite_table_each(store *st, store_table table, const store_value *after, int64_t most,
	store_table_each *each, void *user, imgsearch_error *err);
int ims_sqlite_transfer_begin(store *st, imgsearch_error *err);
void ims_sqlite_transfer_end(store *st);
int ims_sqlite_transfer_clear(store *st, imgsearch_error *err);
int ims_sqlite_transfer_put(store *st, store_table table, const store_rows *rows,
	imgsearch_error *err);
int ims_sqlite_transfer_finish(store *st, int64_t max_id, int64_t change, imgsearch_error *err);

void ims_sqlite_close(store *st);
int64_t ims_sqlite_old_version(store *st);
uint64_t ims_sqlite_bytes(store *st);
int ims_sqlite_compact(store *st, imgsearch_error *err);
int ims_sqlite_backup(store *st, const char *path, bool replace, job *j, imgsearch_error *err);
int ims_sqlite_check(store *st, store_problem_each *each, void *user, imgsearch_error *err);

#endif
