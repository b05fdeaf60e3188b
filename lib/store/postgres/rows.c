/* Vectors, and what changed of them. A vector is pgvector's: values in network order. */
#include "store/postgres/conn.h"
#include "store/postgres/items.h"
#include "store/postgres/postgres.h"

#include <string.h>

/* Copies a row's values into out (dim). EDB where it has another number of them. */
static int copy_vector(const store *st, const pg_result *r, int row, int column, int64_t id,
	uint32_t dim, float *out, imgsearch_error *err)
{
	size_t size;
	const uint8_t *data = (const uint8_t *)ims_pg_value(r, row, column, &size);
	if (size != 4 + 4 * (size_t)dim)
		return ims_fail(err, IMGSEARCH_EDB,
			"index %s is damaged: vector %lld has %zu bytes instead of %zu", st->label,
			(long long)id, size > 4 ? size - 4 : 0, 4 * (size_t)dim);
	for (uint32_t i = 0; i < dim; i++) {
		uint32_t bits;
		memcpy(&bits, data + 4 + 4 * (size_t)i, sizeof bits);
		bits = __builtin_bswap32(bits);
		memcpy(&out[i], &bits, sizeof bits);
	}
	return 0;
}

typedef struct row_scan {
	store *st;
	uint32_t dim;
	store_vectors_each *each;
	void *user;
	int64_t *ids;
	float *rows;
	size_t n, block;
} row_scan;

static int scan_row(void *user, const pg_result *r, int row, imgsearch_error *err)
{
	row_scan *s = user;
	int64_t id = ims_pg_number(r, row, 0);
	int rc = copy_vector(s->st, r, row, 1, id, s->dim, s->rows + s->n * s->dim, err);
	s->ids[s->n++] = id;
	if (!rc && s->n == s->block) {
		rc = s->each(s->user, s->ids, s->rows, s->n);
		s->n = 0;
	}
	return rc;
}

int ims_pg_vectors_scan(store *st, bool next, uint32_t dim, store_vectors_each *each, void *user,
	imgsearch_error *err)
{
	size_t block = dim ? 262144 / dim : 1; /* 1 MiB */
	row_scan s = {
		.st = st,
		.dim = dim,
		.each = each,
		.user = user,
		.block = block < 16 ? 16
			: block > 1024  ? 1024
							: block,
	};
	s.ids = ims_alloc(s.block, sizeof *s.ids);
	s.rows = ims_alloc_aligned(s.block, (dim ? dim : 1) * sizeof *s.rows);
	int rc = s.ids && s.rows ? 0 : ims_nomem(err);
	if (!rc)
		rc = ims_pg_read_each(st,
			next ? "SELECT id, data FROM feature_next ORDER BY id"
				 : "SELECT id, data FROM feature ORDER BY id",
			NULL, scan_row, &s, err);
	if (!rc && s.n)
		rc = each(user, s.ids, s.rows, s.n);
	ims_free(s.ids);
	ims_free(s.rows);
	return rc;
}

/* One connection reads as fast as several: the network is what it waits for. */
int ims_pg_vectors_scan_parts(store *st, uint32_t dim, pool *pool, store_vectors_each *each,
	void *const *users, size_t parts, bool *done, imgsearch_error *err)
{
	(void)st, (void)dim, (void)pool, (void)each, (void)users, (void)parts, (void)err;
	*done = false;
	return 0;
}

int ims_pg_vectors_fetch(store *st, const int64_t *ids, size_t n, uint32_t dim, float *out,
	uint8_t *found, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r;
	pg_snapshot *snapshot;
	if (n)
		memset(found, 0, n);
	int rc = ims_pg_items_have(st, ids, n, PG_OF_ITEM, true, &snapshot, err);
	for (size_t i = 0; !rc && snapshot && i < n; i++) {
		pg_item item = ims_pg_item(snapshot, ids[i], PG_OF_ITEM);
		if (ims_pg_is_null(item.r, item.row, PG_ITEM_VECTOR))
			continue;
		rc = copy_vector(st, item.r, item.row, PG_ITEM_VECTOR, ids[i], dim, out + i * dim, err);
		found[i] = !rc;
	}
	if (rc || snapshot)
		return rc;
	ims_pg_int8_array(&p, ids, n);
	rc = ims_pg_read(st, &r, err,
		"SELECT i.number - 1, f.id, f.data FROM unnest($1) WITH ORDINALITY AS i (id, number)"
		" JOIN feature f ON f.id = i.id",
		&p);
	for (int row = 0; !rc && row < ims_pg_count(r); row++) {
		size_t i = (size_t)ims_pg_number(r, row, 0);
		rc = copy_vector(st, r, row, 2, ims_pg_number(r, row, 1), dim, out + i * dim, err);
		found[i] = !rc;
	}
	ims_pg_clear(r);
	return rc;
}

/* One round trip. */
static int put_few(store *st, const int64_t *ids, const float *rows, size_t n, uint32_t dim,
	imgsearch_error *err)
{
	const pg_store *own = (const pg_store *)st;
	pg_params p = { 0 };
	ims_pg_int8_array(&p, ids, n);
	ims_pg_array_begin(&p, own->vector_array, own->vector, n);
	for (size_t i = 0; i < n; i++)
		ims_pg_put_vector(&p.data, rows + i * dim, dim);
	ims_pg_array_end(&p);
	return ims_pg_write(st, NULL, err, "SELECT ims_put_vectors($1, $2)", &p);
}

/* Three round trips: rows of these ids go, and their number is counted; then all rows come. */
static int put_many(store *st, const int64_t *ids, const float *rows, size_t n, uint32_t dim,
	imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_copy c = { 0 };
	pg_link *l;
	ims_pg_int8_array(&p, ids, n);
	int rc = ims_pg_write(st, NULL, err, "SELECT ims_make_room($1)", &p);
	if (!rc)
		rc = ims_pg_writer(st, &l, err);
	if (!rc)
		rc = ims_pg_copy_begin(&c, l, "COPY feature (id, data) FROM STDIN (FORMAT binary)", err);
	for (size_t i = 0; !rc && i < n; i++) {
		rc = ims_pg_copy_row(&c, 2, err);
		ims_pg_put_int8(&c.rows, ids[i]);
		ims_pg_put_vector(&c.rows, rows + i * dim, dim);
	}
	return ims_pg_copy_end(&c, rc, err);
}

int ims_pg_vectors_put(store *st, const int64_t *ids, const float *rows, size_t n, uint32_t dim,
	imgsearch_error *err)
{
	enum { FEW = 64 };
	return (n <= FEW ? put_few : put_many)(st, ids, rows, n, dim, err);
}

/* The ids of a result's first column; ims_free. */
static int take_ids(pg_result *r, int64_t **ids, size_t *n, imgsearch_error *err)
{
	size_t count = (size_t)ims_pg_count(r);
	*ids = ims_alloc(count, sizeof **ids);
	for (size_t i = 0; *ids && i < count; i++)
		(*ids)[i] = ims_pg_number(r, (int)i, 0);
	*n = *ids ? count : 0;
	return *ids ? 0 : ims_nomem(err);
}

int ims_pg_read_ids(store *st, int64_t **ids, size_t *n, imgsearch_error *err, const char *sql,
	pg_params *p)
{
	pg_result *r;
	*ids = NULL;
	*n = 0;
	int rc = ims_pg_read(st, &r, err, sql, p);
	if (!rc)
		rc = take_ids(r, ids, n, err);
	ims_pg_clear(r);
	return rc;
}

int ims_pg_ids(store *st, store_id_list list, int64_t **ids, size_t *n, imgsearch_error *err)
{
	static const char *const sql[] = {
		[STORE_BARE] = "SELECT id FROM feature f WHERE NOT EXISTS (SELECT FROM picture p WHERE"
					   " p.id = f.id) ORDER BY id",
		[STORE_BARE_KEPT] = "SELECT id FROM feature_kept f WHERE NOT EXISTS (SELECT FROM picture p"
							" WHERE p.id = f.id) ORDER BY id",
		[STORE_NEXT] = "SELECT id FROM feature_next ORDER BY id",
		[STORE_NOT_NEXT] = "SELECT id FROM feature f WHERE NOT EXISTS (SELECT FROM feature_next n"
						   " WHERE n.id = f.id) ORDER BY id",
		[STORE_LACKING] = "SELECT id FROM picture p WHERE state = 1 AND NOT EXISTS (SELECT FROM"
						  " feature f WHERE f.id = p.id) ORDER BY id",
		[STORE_LACKING_NEXT] = "SELECT id FROM picture p WHERE state = 1 AND NOT EXISTS (SELECT"
							   " FROM feature_next f WHERE f.id = p.id) ORDER BY id",
		[STORE_FILES] = "SELECT DISTINCT picture FROM stored_file ORDER BY picture",
		[STORE_WHOLE] = "SELECT p.id FROM picture p JOIN feature f ON f.id = p.id WHERE p.state = 1"
						" AND NOT EXISTS (SELECT FROM region g WHERE g.id = p.id) ORDER BY p.id",
	};
	return ims_pg_read_ids(st, ids, n, err, sql[list], NULL);
}

/* The squares are summed as doubles, so a sum of 0 is of zeros. */
int ims_pg_zeros(store *st, uint64_t *n, int64_t *first, imgsearch_error *err)
{
	pg_result *r;
	int rc = ims_pg_read(st, &r, err,
		"SELECT count(*), min(id) FROM feature WHERE vector_norm(data) = 0", NULL);
	*n = rc ? 0 : (uint64_t)ims_pg_number(r, 0, 0);
	*first = rc ? 0 : ims_pg_number(r, 0, 1);
	ims_pg_clear(r);
	return rc;
}

/* ------------------------------------------------------------------------------ changes ---- */

/* The counts are one value: of each what it counts, and how many. */
static const char state_sql[] =
	"SELECT change, (SELECT data FROM setting WHERE name = 'epoch'), (SELECT data FROM setting"
	" WHERE name = 'moved'), (SELECT string_agg(int4send(what) || int8send(n), '') FROM tally) FROM"
	" newest";

static void take_counts(const char *data, size_t size, store_counts *out)
{
	enum { WHAT = 4, COUNT = 8 };
	for (size_t at = 0; at + WHAT + COUNT <= size; at += WHAT + COUNT) {
		uint64_t what = ims_pg_big_endian(data + at, WHAT);
		uint64_t n = ims_pg_big_endian(data + at + WHAT, COUNT);
		if (what > 0 && what < STORE_STATES)
			out->by_state[what] = n;
		out->vectors = what == 101 ? n : out->vectors;
		out->vectors_next = what == 102 ? n : out->vectors_next;
		out->vectors_kept = what == 103 ? n : out->vectors_kept;
		out->regions = what == 105 ? n : out->regions;
	}
}

static void take_state(const pg_result *r, store_state *out)
{
	enum { CHANGE, EPOCH, MOVED, COUNTS };
	size_t size;
	*out = (store_state){ 0 };
	if (!ims_pg_count(r))
		return;
	out->change = ims_pg_number(r, 0, CHANGE);
	const char *data = ims_pg_value(r, 0, EPOCH, &size);
	reader read = { .data = (const uint8_t *)data, .len = size };
	out->epoch = size ? ims_read_u32(&read) : 0;
	data = ims_pg_value(r, 0, MOVED, &size);
	ims_store_moved_read(&out->moved, data, size);
	data = ims_pg_value(r, 0, COUNTS, &size);
	take_counts(data, size, &out->counts);
}

static void set_known(pg_store *st, const store_state *state)
{
	pthread_mutex_lock(&st->mutex);
	if (!st->has_known || state->change >= st->known.change)
		st->known = *state;
	st->known_at = ims_now();
	st->has_known = true;
	pthread_mutex_unlock(&st->mutex);
}

void ims_pg_forget_state(pg_store *st)
{
	pthread_mutex_lock(&st->mutex);
	st->has_known = false;
	pthread_mutex_unlock(&st->mutex);
}

/* *fresh: it need not be compared. */
static bool get_known(pg_store *st, store_state *out, bool *fresh)
{
	pthread_mutex_lock(&st->mutex);
	bool has = st->has_known;
	*out = st->known;
	*fresh = st->max_stale > 0 && ims_now() - st->known_at < st->max_stale;
	pthread_mutex_unlock(&st->mutex);
	return has;
}

static int read_state(pg_store *st, store_state *out, imgsearch_error *err)
{
	pg_result *r;
	*out = (store_state){ 0 };
	int rc = ims_pg_read(&st->base, &r, err, state_sql, NULL);
	if (!rc)
		take_state(r, out);
	if (!rc && !ims_pg_in_own_transaction(st))
		set_known(st, out);
	ims_pg_clear(r);
	return rc;
}

int ims_pg_state_get(store *base, store_state *out, imgsearch_error *err)
{
	pg_store *st = (pg_store *)base;
	pg_snapshot *snapshot = ims_pg_snapshot_get(st);
	int rc = 0;
	if (!snapshot)
		return read_state(st, out, err);
	bool fresh;
	if (!snapshot->has_state && !snapshot->link && get_known(st, &snapshot->state, &fresh)) {
		snapshot->has_state = true;
		snapshot->assumed = !fresh;
	}
	if (!snapshot->has_state) {
		rc = read_state(st, &snapshot->state, err);
		snapshot->has_state = !rc;
	}
	*out = snapshot->state;
	return rc;
}

pg_statement ims_pg_state_ask(void)
{
	return (pg_statement){ .sql = state_sql, .stays = true };
}

/* What is taken of a state follows from what was read by it: of the rows of a server, the space. */
static bool is_same(const store_state *a, const store_state *b, bool changes)
{
	return a->epoch == b->epoch && (!changes || a->change == b->change);
}

int ims_pg_state_compare(pg_store *st, pg_snapshot *snapshot, pg_result *r, bool changes,
	imgsearch_error *err)
{
	store_state now;
	take_state(r, &now);
	snapshot->stale = !is_same(&snapshot->state, &now, changes);
	if (snapshot->stale)
		ims_pg_forget_state(st); /* the next try reads it first, and is not stale again */
	else
		set_known(st, &now);
	snapshot->assumed = false;
	snapshot->state = now;
	return snapshot->stale
		? ims_fail(err, IMGSEARCH_EBUSY, "index %s: it was changed meanwhile", st->base.label)
		: 0;
}

bool ims_pg_snapshot_stale(store_snapshot *outer)
{
	pg_store *st = (pg_store *)outer->st;
	pg_snapshot *snapshot = outer->conn;
	store_state now, before;
	if (!snapshot || !snapshot->assumed)
		return snapshot && snapshot->stale;
	before = snapshot->state;
	snapshot->assumed = false;
	bool stale = !read_state(st, &now, NULL) && !is_same(&before, &now, true);
	if (stale)
		ims_pg_forget_state(st);
	return stale;
}

int ims_pg_changes_between(store *st, int64_t after, int64_t last, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r;
	*ids = NULL;
	*n = 0;
	ims_pg_int(&p, after);
	ims_pg_int(&p, last);
	/* Numbers have no gaps: the oldest one tells how far the log reaches back. */
	int rc = ims_pg_read(st, &r, err,
		"SELECT NULL::bigint, change, coalesce((SELECT min(number) FROM change), change + 1) FROM"
		" newest UNION ALL SELECT DISTINCT id, NULL::bigint, NULL::bigint FROM change WHERE number"
		" > $1 AND number <= $2 ORDER BY 1 NULLS FIRST",
		&p);
	if (rc)
		return rc;
	int64_t newest = ims_pg_number(r, 0, 1), oldest = ims_pg_number(r, 0, 2);
	size_t count = (size_t)ims_pg_count(r) - 1;
	if (after < oldest - 1 || after > newest) {
		rc = IMGSEARCH_ENOTFOUND;
	} else if (!(*ids = ims_alloc(count, sizeof **ids))) {
		rc = ims_nomem(err);
	} else {
		for (size_t i = 0; i < count; i++)
			(*ids)[(*n)++] = ims_pg_number(r, (int)i + 1, 0);
	}
	ims_pg_clear(r);
	return rc;
}

int ims_pg_max_id(store *st, int64_t *id, imgsearch_error *err)
{
	pg_result *r;
	*id = -1;
	int rc = ims_pg_read(st, &r, err, "SELECT ims_max_id()", NULL);
	if (!rc)
		*id = ims_pg_number(r, 0, 0);
	ims_pg_clear(r);
	return rc;
}
