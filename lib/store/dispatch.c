/* Calls the engine that an index was opened by, and translates the paths of roots on the way. */
#include "store/addresses.h"
#include "store/copy.h"
#include "store/mounts.h"

#include <string.h>

bool ims_store_is_address(const char *path)
{
	return !strncmp(path, "postgresql://", 13) || !strncmp(path, "postgres://", 11);
}

static int open_addresses(store **out, const text_list *list, const store_options *o,
	imgsearch_error *err)
{
	return (list->n > 1 ? ims_shards_open(out, list->item, list->n, o, err)
						: ims_postgres_open(out, list->item[0], o, err));
}

/* What is no index by itself. A server gives all settings of a snapshot at once. */
static int refuse_part(store *st, const store_options *o, imgsearch_error *err)
{
	store_snapshot snapshot;
	ims_store_snapshot_begin(st, &snapshot);
	int rc = ims_shards_refuse_single(st, err);
	if (!rc && !o->incomplete)
		rc = ims_store_refuse_incomplete(st, err);
	ims_store_snapshot_end(&snapshot);
	return rc;
}

static int open_engine(store **out, const char *path, const store_options *o, imgsearch_error *err)
{
	text_list list;
	int rc = ims_addresses_read(&list, path, false, err);
	if (!rc && !list.n) {
		rc = ims_sqlite_open(out, path, o, err);
		if (rc == IMGSEARCH_EDB && !ims_addresses_read(&list, path, true, NULL) && list.n)
			rc = open_addresses(out, &list, o, err);
	} else if (!rc) {
		rc = open_addresses(out, &list, o, err);
	}
	ims_texts_free(&list);
	return rc;
}

int ims_store_open(store **out, const char *path, const store_options *o, imgsearch_error *err)
{
	*out = NULL;
	int rc = open_engine(out, path, o, err);
	if (!rc)
		rc = ims_mounts_set(*out, o->roots, o->n_roots, err);
	if (!rc)
		rc = refuse_part(*out, o, err);
	if (rc) {
		ims_store_close(*out);
		*out = NULL;
	}
	return rc;
}

int ims_store_open_second(store **out, const store *first, imgsearch_error *err)
{
	store_options o = { .must_exist = true, .read_only = first->read_only, .second = true };
	*out = NULL;
	int rc = ims_sqlite_open(out, first->path, &o, err);
	if (!rc)
		rc = ims_mounts_copy(*out, first, err);
	if (rc) {
		ims_store_close(*out);
		*out = NULL;
	}
	return rc;
}

/* ---------------------------------------------------------------------------------- rows ---- */

int ims_store_vectors_scan(store *st, bool next, uint32_t dim, store_vectors_each *each, void *user,
	imgsearch_error *err)
{
	return st->engine->rows.scan(st, next, dim, each, user, err);
}

int ims_store_vectors_scan_parts(store *st, uint32_t dim, pool *pool, store_vectors_each *each,
	void *const *users, size_t parts, bool *done, imgsearch_error *err)
{
	return st->engine->rows.scan_parts(st, dim, pool, each, users, parts, done, err);
}

int ims_store_vectors_fetch(store *st, const int64_t *ids, size_t n, uint32_t dim, float *out,
	uint8_t *found, imgsearch_error *err)
{
	return st->engine->rows.fetch(st, ids, n, dim, out, found, err);
}

int ims_store_vectors_put(store *st, const int64_t *ids, const float *rows, size_t n, uint32_t dim,
	imgsearch_error *err)
{
	return st->engine->rows.put(st, ids, rows, n, dim, err);
}

bool ims_store_finds_near(const store *st)
{
	return st->engine->rows.near != NULL;
}

int ims_store_near(store *st, const store_near_request *q, store_near **out, size_t *n,
	imgsearch_error *err)
{
	return st->engine->rows.near(st, q, out, n, err);
}

int ims_store_near_build(store *st, const store_space *space, bool index, uint32_t degree,
	uint32_t beam, job *j, imgsearch_error *err)
{
	return st->engine->rows.near_build(st, space, index, degree, beam, j, err);
}

bool ims_store_counts_zeros(const store *st)
{
	return st->engine->rows.zeros != NULL;
}

int ims_store_vectors_zeros(store *st, uint64_t *n, int64_t *first, imgsearch_error *err)
{
	return st->engine->rows.zeros(st, n, first, err);
}

int ims_store_expect(store *st, const int64_t *ids, size_t n, imgsearch_error *err)
{
	return st->engine->rows.expect ? st->engine->rows.expect(st, ids, n, err) : 0;
}

int ims_store_regions_clear(store *st, imgsearch_error *err)
{
	return st->engine->rows.regions_clear(st, err);
}

int ims_store_regions_scan(store *st, store_regions_each *each, void *user, imgsearch_error *err)
{
	return st->engine->rows.regions_scan(st, each, user, err);
}

int ims_store_regions_fetch(store *st, const int64_t *ids, size_t n, store_regions_each *each,
	void *user, imgsearch_error *err)
{
	return st->engine->rows.regions_fetch(st, ids, n, each, user, err);
}

int ims_store_ids(store *st, store_id_list list, int64_t **ids, size_t *n, imgsearch_error *err)
{
	return st->engine->rows.ids(st, list, ids, n, err);
}

/* ------------------------------------------------------------------------------ pictures ---- */

int ims_store_write(store *st, store_record *r, size_t n, imgsearch_error *err)
{
	return st->engine->pictures.write(st, r, n, err);
}

int ims_store_move(store *st, const store_move *m, size_t n, imgsearch_error *err)
{
	return st->engine->pictures.move(st, m, n, err);
}

int ims_store_name_files(store *st, const store_naming *names, size_t n, imgsearch_error *err)
{
	return st->engine->pictures.name_files(st, names, n, err);
}

int ims_store_remove(store *st, const int64_t *ids, size_t n, imgsearch_error *err)
{
	return st->engine->pictures.remove(st, ids, n, err);
}

int ims_store_keep_out(store *st, const int64_t *ids, size_t n, imgsearch_error *err)
{
	return st->engine->pictures.keep_out(st, ids, n, err);
}

int ims_store_readmit(store *st, const int64_t *ids, size_t n, imgsearch_error *err)
{
	return st->engine->pictures.readmit(st, ids, n, err);
}

int ims_store_columns_put(store *st, const store_columns *c, size_t n, imgsearch_error *err)
{
	return st->engine->pictures.columns_put(st, c, n, err);
}

int ims_store_reject(store *st, const hash256 *a, const hash256 *b, imgsearch_error *err)
{
	return st->engine->pictures.reject(st, a, b, err);
}

/* Puts the roots of pictures where this machine has them. */
static int here(store *st, store_picture *out, size_t n, imgsearch_error *err)
{
	if (!ims_mounts_translate(st, out, n))
		return 0;
	ims_store_pictures_clear(out, n);
	return ims_nomem(err);
}

int ims_store_get(store *st, const int64_t *ids, size_t n, store_picture *out, imgsearch_error *err)
{
	int rc = st->engine->pictures.get(st, ids, n, out, err);
	return rc ? rc : here(st, out, n, err);
}

int ims_store_find(store *st, const store_place *at, size_t n, store_picture *out,
	imgsearch_error *err)
{
	int rc = st->engine->pictures.find(st, at, n, out, err);
	return rc ? rc : here(st, out, n, err);
}

int ims_store_by_hash(store *st, const hash256 *hashes, size_t n, store_picture *out,
	imgsearch_error *err)
{
	int rc = st->engine->pictures.by_hash(st, hashes, n, out, err);
	return rc ? rc : here(st, out, n, err);
}

int ims_store_presences(store *st, const int64_t *ids, size_t n, uint8_t *presence,
	imgsearch_error *err)
{
	return st->engine->pictures.presences(st, ids, n, presence, err);
}

int ims_store_has_size(store *st, uint64_t size, bool *has, imgsearch_error *err)
{
	return st->engine->pictures.has_size(st, size, has, err);
}

int ims_store_ids_under(store *st, const char *folder, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	return ims_mounts_ids_under(st, folder, ids, n, err);
}

int ims_store_each_picture(store *st, uint32_t state, store_picture_each *each, void *user,
	imgsearch_error *err)
{
	mounts_each e = { .st = st, .picture = each, .user = user };
	return st->engine->pictures.each(st, state, ims_mounts_each_picture, &e, err);
}

int ims_store_each_single(store *st, store_picture_each *each, void *user, imgsearch_error *err)
{
	return st->engine->pictures.each_single(st, each, user, err);
}

int ims_store_each_twin(store *st, store_picture_each *each, void *user, imgsearch_error *err)
{
	mounts_each e = { .st = st, .picture = each, .user = user };
	return st->engine->pictures.each_twin(st, ims_mounts_each_picture, &e, err);
}

int ims_store_each_described(store *st, store_described_each *each, void *user,
	imgsearch_error *err)
{
	return st->engine->pictures.each_described(st, each, user, err);
}

int ims_store_pictures_lookup(store *st, const int64_t *ids, size_t n, store_lookup_each *each,
	void *user, imgsearch_error *err)
{
	mounts_each e = { .st = st, .lookup = each, .user = user };
	return st->engine->pictures.lookup(st, ids, n, ims_mounts_each_lookup, &e, err);
}

int ims_store_paths_of(store *st, const int64_t *ids, size_t n, store_path_of *each, void *user,
	imgsearch_error *err)
{
	mounts_each e = { .st = st, .path = each, .user = user };
	return st->engine->pictures.paths_of(st, ids, n, ims_mounts_each_path, &e, err);
}

int ims_store_paths_lookup(store *st, const int64_t *ids, size_t n, store_path_each *each,
	void *user, imgsearch_error *err)
{
	mounts_each e = { .st = st, .path = each, .user = user };
	return st->engine->pictures.other_paths(st, ids, n, ims_mounts_each_path, &e, err);
}

int ims_store_facts_lookup(store *st, const int64_t *ids, size_t n, store_facts_each *each,
	void *user, imgsearch_error *err)
{
	return st->engine->pictures.facts(st, ids, n, each, user, err);
}

int ims_store_columns_get(store *st, int64_t id, store_cell **out, size_t *n, imgsearch_error *err)
{
	return st->engine->pictures.columns(st, id, out, n, err);
}

int ims_store_signatures(store *st, store_signature_each *each, void *user, imgsearch_error *err)
{
	return st->engine->pictures.signatures(st, each, user, err);
}

int ims_store_signature_get(store *st, int64_t picture, const hash256 *hash, buf *out,
	imgsearch_error *err)
{
	return st->engine->pictures.signature_get(st, picture, hash, out, err);
}

int ims_store_file_put(store *st, int64_t picture, const void *data, size_t size,
	imgsearch_error *err)
{
	return st->engine->pictures.file_put(st, picture, data, size, err);
}

int ims_store_file_get(store *st, int64_t picture, buf *out, imgsearch_error *err)
{
	hash256 hash;
	size_t from = out->len;
	int rc = st->engine->pictures.file_get(st, picture, out, &hash, err);
	if (rc)
		return rc;
	hash256 found = ims_hash(out->data + from, out->len - from);
	return ims_hash_is_zero(&hash) || ims_hash_equal(&found, &hash)
		? 0
		: ims_fail(err, IMGSEARCH_EFORMAT, "index %s: the stored bytes of picture %lld are damaged",
			st->label, (long long)picture);
}

int ims_store_file_find(store *st, const hash256 *hash, int64_t *picture, imgsearch_error *err)
{
	return st->engine->pictures.file_find(st, hash, picture, err);
}

int ims_store_file_bytes(store *st, uint64_t *bytes, imgsearch_error *err)
{
	return st->engine->pictures.file_bytes(st, bytes, err);
}

int ims_store_each_rejected(store *st, store_rejected_each *each, void *user, imgsearch_error *err)
{
	return st->engine->pictures.each_rejected(st, each, user, err);
}

int ims_store_unconverted(store *st, uint64_t *n, imgsearch_error *err)
{
	return st->engine->pictures.unconverted(st, n, err);
}

int ims_store_dated(store *st, uint64_t *n, imgsearch_error *err)
{
	return st->engine->pictures.dated(st, n, err);
}

/* ------------------------------------------------------------------------------ settings ---- */

int ims_store_setting_get(store *st, const char *name, buf *out, imgsearch_error *err)
{
	return st->engine->settings.get(st, name, out, err);
}

int ims_store_setting_set(store *st, const char *name, const void *data, size_t size,
	imgsearch_error *err)
{
	return st->engine->settings.set(st, name, data, size, err);
}

int ims_store_model_get(store *st, store_model *out, bool next, imgsearch_error *err)
{
	return st->engine->settings.model_get(st, out, next, err);
}

int ims_store_model_set(store *st, const store_model *m, bool next, imgsearch_error *err)
{
	return st->engine->settings.model_set(st, m, next, err);
}

int ims_store_model_switch(store *st, imgsearch_error *err)
{
	return st->engine->settings.model_switch(st, err);
}

int ims_store_model_drop_next(store *st, imgsearch_error *err)
{
	return st->engine->settings.model_drop_next(st, err);
}

int ims_store_model_add(store *st, const store_model *m, imgsearch_error *err)
{
	return st->engine->settings.model_add
		? st->engine->settings.model_add(st, m, err)
		: ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			"index %s is on a server: a second model is for an index in a file", st->label);
}

int ims_store_model_exchange(store *st, imgsearch_error *err)
{
	return st->engine->settings.model_exchange
		? st->engine->settings.model_exchange(st, err)
		: ims_fail(err, IMGSEARCH_ENOTFOUND, "index %s has no second model", st->label);
}

int ims_store_models_renew(store *st, imgsearch_error *err)
{
	return st->engine->settings.models_renew ? st->engine->settings.models_renew(st, err) : 0;
}

int ims_store_has_second(store *st, bool *has, imgsearch_error *err)
{
	buf mark = { 0 };
	*has = false;
	int rc = st->engine->settings.model_add ? ims_store_setting_get(st, "second", &mark, err) : 0;
	*has = mark.len > 0;
	ims_buf_free(&mark);
	return rc;
}

int ims_store_roots_get(store *st, store_roots *out, imgsearch_error *err)
{
	int rc = st->engine->settings.roots(st, out, err);
	if (!rc && ims_mounts_translate_roots(st, out)) {
		ims_store_roots_free(out);
		rc = ims_nomem(err);
	}
	return rc;
}

int ims_store_root_add(store *st, const char *path, int64_t *id, imgsearch_error *err)
{
	const char *stored = ims_mounts_stored(st, path);
	if (stored != path) /* it is a root without the name where it is one already */
		st->engine->settings.root_move(st, path, stored, NULL);
	return st->engine->settings.root_add(st, stored, id, err);
}

int ims_store_root_move(store *st, const char *from, const char *to, imgsearch_error *err)
{
	return st->engine->settings.root_move(st, ims_mounts_stored(st, from),
		ims_mounts_stored(st, to), err);
}

int ims_store_root_merge(store *st, int64_t from, int64_t into, const char *below,
	imgsearch_error *err)
{
	return st->engine->settings.root_merge(st, from, into, below, err);
}

int ims_store_roots_settle(store *st, imgsearch_error *err)
{
	return st->engine->settings.roots_settle(st, err);
}

int ims_store_list_set(store *st, int64_t root, store_list list, const text_list *texts,
	imgsearch_error *err)
{
	return st->engine->settings.list_set(st, root, list, texts, err);
}

int ims_store_searchers(store *st, store_searcher **out, size_t *n, imgsearch_error *err)
{
	return st->engine->settings.searchers(st, out, n, err);
}

int ims_store_searcher_begin(store *st, const char *name, int64_t *state, imgsearch_error *err)
{
	return st->engine->settings.searcher_begin(st, name, state, err);
}

int ims_store_searcher_chunk(store *st, int64_t state, uint32_t number, const void *data,
	size_t size, imgsearch_error *err)
{
	return st->engine->settings.chunk_put(st, state, number, data, size, err);
}

int ims_store_searcher_publish(store *st, int64_t state, const char *params, uint32_t version,
	uint64_t rows, int64_t change, imgsearch_error *err)
{
	return st->engine->settings.searcher_publish(st, state, params, version, rows, change, err);
}

int ims_store_searcher_bytes(store *st, int64_t state, uint64_t *bytes, imgsearch_error *err)
{
	return st->engine->settings.searcher_bytes(st, state, bytes, err);
}

int ims_store_searcher_read(store *st, int64_t state, uint32_t number, buf *out,
	imgsearch_error *err)
{
	return st->engine->settings.chunk_get(st, state, number, out, err);
}

int ims_store_searcher_keep(store *st, int64_t state, const char *name, imgsearch_error *err)
{
	const store_settings_table *t = &st->engine->settings;
	return t->searcher_keep ? t->searcher_keep(st, state, name, err) : 0;
}

/* ------------------------------------------------------------------------------- changes ---- */

int ims_store_state_get(store *st, store_state *out, imgsearch_error *err)
{
	return st->engine->changes.state(st, out, err);
}

int ims_store_changes_between(store *st, int64_t after, int64_t last, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	return st->engine->changes.between(st, after, last, ids, n, err);
}

int ims_store_changes_trim(store *st, imgsearch_error *err)
{
	return st->engine->changes.trim(st, err);
}

int ims_store_max_id(store *st, int64_t *id, imgsearch_error *err)
{
	return st->engine->changes.max_id(st, id, err);
}

/* -------------------------------------------------------------------------------- leases ---- */

int ims_store_write_begin(store *st, imgsearch_error *err)
{
	return st->engine->leases.write_begin(st, err);
}

void ims_store_write_end(store *st)
{
	st->engine->leases.write_end(st);
}

int ims_store_tx_begin(store *st, imgsearch_error *err)
{
	return st->engine->leases.tx_begin(st, err);
}

int ims_store_tx_commit(store *st, imgsearch_error *err)
{
	return st->engine->leases.tx_commit(st, err);
}

void ims_store_tx_rollback(store *st)
{
	st->engine->leases.tx_rollback(st);
}

void ims_store_snapshot_begin(store *st, store_snapshot *snapshot)
{
	st->engine->leases.snapshot_begin(st, snapshot);
}

void ims_store_snapshot_end(store_snapshot *snapshot)
{
	if (snapshot->st)
		snapshot->st->engine->leases.snapshot_end(snapshot);
}

bool ims_store_snapshot_stale(store_snapshot *snapshot)
{
	const store *st = snapshot->st;
	return st && st->engine->leases.snapshot_stale && st->engine->leases.snapshot_stale(snapshot);
}

void ims_store_snapshot_pause(store *st)
{
	st->engine->leases.snapshot_pause(st);
}

void ims_store_hold_acquire(store *st, store_hold *h)
{
	st->engine->leases.hold_acquire(st, h);
}

void ims_store_hold_release(store *st, store_hold *h)
{
	st->engine->leases.hold_release(st, h);
}

bool ims_store_is_shared(const store *st)
{
	return st->engine->leases.claim != NULL;
}

bool ims_store_may_retry(store *st)
{
	return st->engine->leases.may_retry && st->engine->leases.may_retry(st);
}

int ims_store_lease_begin(store *st, store_work work, imgsearch_error *err)
{
	return st->engine->leases.lease_begin ? st->engine->leases.lease_begin(st, work, err) : 0;
}

void ims_store_lease_end(store *st)
{
	if (st->engine->leases.lease_end)
		st->engine->leases.lease_end(st);
}

int ims_store_claim(store *st, store_claim *c, size_t n, bool next, imgsearch_error *err)
{
	return st->engine->leases.claim(st, c, n, next, err); /* whose paths nobody reads */
}

int ims_store_unclaim(store *st, const store_place *at, size_t n, imgsearch_error *err)
{
	return st->engine->leases.unclaim(st, at, n, err);
}

/* ---------------------------------------------------------------------------------- file ---- */

void ims_store_close(store *st)
{
	if (!st)
		return;
	ims_mounts_free(st);
	st->engine->file.close(st);
}

int64_t ims_store_old_version(store *st)
{
	return st->engine->file.old_version(st);
}

uint64_t ims_store_bytes(store *st)
{
	return st->engine->file.bytes(st);
}

int ims_store_compact(store *st, imgsearch_error *err)
{
	return st->engine->file.compact(st, err);
}

int ims_store_backup(store *st, const char *path, bool replace, job *j, imgsearch_error *err)
{
	return st->engine->file.backup(st, path, replace, j, err);
}

/* Whether the stored bytes of a picture have its hash. */
static int check_file(store *st, int64_t picture, store_problem_each *each, void *user,
	imgsearch_error *err)
{
	buf bytes = { 0 };
	imgsearch_error why = { 0 };
	int rc = ims_store_file_get(st, picture, &bytes, &why);
	ims_buf_free(&bytes);
	if (rc == IMGSEARCH_EFORMAT || rc == IMGSEARCH_EDB)
		return each(user, why.message);
	if (rc && rc != IMGSEARCH_ENOTFOUND && err)
		*err = why;
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc; /* it was removed meanwhile */
}

int ims_store_check(store *st, store_problem_each *each, void *user, imgsearch_error *err)
{
	int64_t *ids = NULL;
	size_t n = 0;
	int rc = st->engine->file.check(st, each, user, err);
	if (!rc)
		rc = ims_store_ids(st, STORE_FILES, &ids, &n, err);
	for (size_t i = 0; !rc && i < n; i++)
		rc = check_file(st, ids[i], each, user, err);
	ims_free(ids);
	return rc;
}

int ims_store_whole(store *st, imgsearch_error *err)
{
	return st->engine->file.whole ? st->engine->file.whole(st, err) : 0;
}

int ims_store_server(store *st, char **versions, const char **faults, imgsearch_error *err)
{
	*versions = NULL;
	*faults = NULL;
	return st->engine->file.server ? st->engine->file.server(st, versions, faults, err) : 0;
}
