/*
 * Near rows are found by the server: by a scan, or by an HNSW index of pgvector (Malkov and
 * Yashunin, "Efficient and robust approximate nearest neighbor search using hierarchical navigable
 * small world graphs", 2016). What an answer shows of them comes in the same round trip.
 */
#include "store/postgres/items.h"
#include "store/postgres/long_statement.h"
#include "store/postgres/postgres.h"

#include <stdio.h>

/* An array of rows (n, dim). */
static void put_rows(pg_params *p, const pg_store *st, const float *rows, size_t n, uint32_t dim)
{
	ims_pg_array_begin(p, st->vector_array, st->vector, n);
	for (size_t i = 0; i < n; i++)
		ims_pg_put_vector(&p->data, rows + i * dim, dim);
	ims_pg_array_end(p);
}

static void put_mean(pg_params *p, const pg_store *st, const store_space *space)
{
	ims_pg_vector(p, st->vector, space->mean, space->dim);
}

static void put_subset(pg_params *p, const store_near_request *q)
{
	if (q->subset)
		ims_pg_int8_array(p, q->subset, q->n_subset);
	else
		ims_pg_null(p, PG_INT8_ARRAY);
}

static int take_near(const pg_result *r, store_near **out, size_t *n, imgsearch_error *err)
{
	size_t count = (size_t)ims_pg_count(r);
	*out = ims_alloc(count, sizeof **out);
	if (!*out)
		return ims_nomem(err);
	for (size_t i = 0; i < count; i++)
		(*out)[i] = (store_near){
			(size_t)ims_pg_number(r, (int)i, 0),
			ims_pg_number(r, (int)i, 1),
			ims_pg_double(r, (int)i, 2),
		};
	*n = count;
	return 0;
}

static void put_space(pg_params *p, const pg_store *st, const store_space *space)
{
	ims_pg_int(p, space->metric);
	put_mean(p, st, space);
}

/* Near rows of many queries, or of some rows; in a snapshot with what an answer shows of them. */
static int find_near(pg_store *st, pg_snapshot *snapshot, const store_near_request *q,
	store_near **out, size_t *n, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_statement s = {
		.sql = q->ef ? "SELECT * FROM ims_near_index($1, $2, $3, $4, $5, $6)"
					 : "SELECT * FROM ims_near($1, $2, $3, $4, $5, $6)",
		.stays = true,
		.p = &p,
	};
	const pg_items_ask ask = { .parts = ims_pg_items_parts(st) };
	put_rows(&p, st, q->queries, q->n, q->space.dim);
	ims_pg_int(&p, (int64_t)q->k);
	put_subset(&p, q);
	if (q->ef)
		ims_pg_int(&p, q->ef);
	else
		ims_pg_double_param(&p, q->slack);
	put_space(&p, st, &q->space);
	int rc = snapshot ? ims_pg_items_run(st, snapshot, &s, 1, &ask, err)
					  : ims_pg_read(&st->base, &s.out, err, s.sql, &p);
	if (!rc)
		rc = take_near(s.out, out, n, err);
	ims_pg_clear(s.out);
	return rc;
}

/* Items, as the server's function gives them with their distance. */
static int take_items(const pg_result *r, store_near **out, size_t *n, imgsearch_error *err)
{
	size_t count = (size_t)ims_pg_count(r);
	*out = ims_alloc(count, sizeof **out);
	if (!*out)
		return ims_nomem(err);
	for (size_t i = 0; i < count; i++)
		(*out)[i] = (store_near){
			0,
			ims_pg_number(r, (int)i, 0),
			ims_pg_double(r, (int)i, PG_ITEM_END),
		};
	*n = count;
	return 0;
}

/* The near rows of a query come with their items. *scanned: the index is gone. */
static int find_items(pg_store *st, pg_snapshot *snapshot, const store_near_request *q,
	store_near **out, size_t *n, bool *scanned, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_statement s = {
		.sql = "SELECT * FROM ims_near_items($1, $2, $3, $4, $5, $6, $7, $8)",
		.stays = true,
		.p = &p,
	};
	const pg_items_ask ask = {
		.parts = ims_pg_items_parts(st) & ~PG_ITEM_ALONE,
		.given = true,
		.last = true,
	};
	ims_pg_vector(&p, st->vector, q->queries, q->space.dim);
	ims_pg_int(&p, (int64_t)q->k);
	ims_pg_int(&p, q->ef);
	put_space(&p, st, &q->space);
	ims_pg_int(&p, (int64_t)(q->sure ? q->sure : q->k));
	ims_pg_double_param(&p, q->slack);
	ims_pg_int(&p, ask.parts != 0);
	int rc = ims_pg_items_run(st, snapshot, &s, 1, &ask, err);
	*scanned = !rc && ims_pg_count(s.out) && ims_pg_is_null(s.out, 0, 0);
	return rc || *scanned ? rc : take_items(s.out, out, n, err);
}

int ims_pg_near(store *base, const store_near_request *q, store_near **out, size_t *n,
	imgsearch_error *err)
{
	pg_store *st = (pg_store *)base;
	pg_snapshot *snapshot = ims_pg_snapshot_get(st);
	bool scanned = true;
	int rc = 0;
	*out = NULL;
	*n = 0;
	if (snapshot && q->n == 1 && q->ef && !q->subset && q->k <= PG_ITEMS)
		rc = find_items(st, snapshot, q, out, n, &scanned, err);
	return rc || !scanned ? rc : find_near(st, snapshot, q, out, n, err);
}

int ims_pg_expect(store *st, const int64_t *ids, size_t n, imgsearch_error *err)
{
	pg_snapshot *snapshot;
	return ims_pg_items_have(st, ids, n < PG_ITEMS ? n : PG_ITEMS, PG_OF_ITEM, true, &snapshot,
		err);
}

/* -------------------------------------------------------------------------------- building ---- */

static int begin(store *st, const store_space *space, int64_t *number, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r = NULL;
	ims_pg_int(&p, space->metric);
	put_mean(&p, (pg_store *)st, space);
	ims_pg_int(&p, space->dim);
	int rc = ims_store_tx_begin(st, err);
	if (rc) {
		ims_pg_params_free(&p);
		return rc;
	}
	rc = ims_pg_write(st, &r, err, "SELECT ims_comparison_begin($1, $2, $3)", &p);
	*number = rc ? 0 : ims_pg_number(r, 0, 0);
	ims_pg_clear(r);
	if (!rc)
		return ims_store_tx_commit(st, err);
	ims_store_tx_rollback(st);
	return rc;
}

/* A part of the rows, in a transaction of its own: other writers wait for no more than that. */
static int fill_part(store *st, int64_t number, int64_t *last, bool *end, imgsearch_error *err)
{
	enum { ROWS = 5000 };
	pg_params p = { 0 };
	pg_result *r = NULL;
	int rc = ims_store_tx_begin(st, err);
	if (rc)
		return rc;
	ims_pg_int(&p, number);
	ims_pg_int(&p, *last);
	ims_pg_int(&p, ROWS);
	rc = ims_pg_write(st, &r, err, "SELECT ims_comparison_fill($1, $2, $3)", &p);
	*end = !rc && ims_pg_is_null(r, 0, 0);
	*last = rc ? *last : ims_pg_number(r, 0, 0);
	ims_pg_clear(r);
	if (!rc)
		return ims_store_tx_commit(st, err);
	ims_store_tx_rollback(st);
	return rc;
}

static int is_filled(store *st, int64_t number, bool *filled, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r;
	ims_pg_int(&p, number);
	int rc = ims_pg_read(st, &r, err, "SELECT filled FROM comparison WHERE number = $1", &p);
	*filled = !rc && ims_pg_count(r) && ims_pg_number(r, 0, 0);
	ims_pg_clear(r);
	return rc;
}

static int fill(store *st, int64_t number, job *j, imgsearch_error *err)
{
	int64_t last = INT64_MIN;
	bool end = false;
	int rc = is_filled(st, number, &end, err);
	while (!rc && !end) {
		rc = fill_part(st, number, &last, &end, err);
		if (!rc)
			rc = ims_job_check(j, err);
	}
	return rc;
}

/* A new index under a name of its own takes the place of the old one when it is complete. */
static int make_index(store *base, const store_space *space, int64_t number, uint32_t degree,
	uint32_t beam, job *j, imgsearch_error *err)
{
	pg_store *st = (pg_store *)base;
	pg_link *l;
	char sql[600], column[60] = "data", type[] = "vector";
	if (space->dim > 2000)
		snprintf(column, sizeof column, "(data::halfvec(%u))", space->dim);
	int rc = ims_pg_connect(st, &l, err);
	if (rc)
		return rc;
	rc = ims_pg_prepare_build(l, err);
	snprintf(sql, sizeof sql, "DROP INDEX CONCURRENTLY IF EXISTS compared_%lld_next",
		(long long)number);
	if (!rc)
		rc = ims_pg_run(l, NULL, err, sql, NULL);
	snprintf(sql, sizeof sql,
		"CREATE INDEX CONCURRENTLY compared_%lld_next ON compared_%lld USING hnsw (%s %s_%s_ops)"
		" WITH (m = %u, ef_construction = %u)",
		(long long)number, (long long)number, column, space->dim > 2000 ? "halfvec" : type,
		space->metric == IMGSEARCH_METRIC_IP ? "ip" : "l2", degree, beam);
	if (!rc)
		rc = ims_pg_run_long(l, sql, "build", j, err);
	snprintf(sql, sizeof sql,
		"DROP INDEX IF EXISTS compared_%lld_hnsw; ALTER INDEX compared_%lld_next RENAME TO"
		" compared_%lld_hnsw; ANALYZE compared_%lld",
		(long long)number, (long long)number, (long long)number, (long long)number);
	if (!rc)
		rc = ims_pg_script(l, sql, err);
	ims_pg_disconnect(l);
	return rc;
}

int ims_pg_near_build(store *st, const store_space *space, bool index, uint32_t degree,
	uint32_t beam, job *j, imgsearch_error *err)
{
	enum { DEGREE = 16, BEAM = 100, MOST_HALF = 4000 };
	int64_t number;
	if (index && space->dim > MOST_HALF)
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			"index %s: pgvector indexes at most %d values; the vectors have %u", st->label,
			MOST_HALF, space->dim);
	int rc = begin(st, space, &number, err);
	if (!rc && !number) /* without the rows beside them, the vectors themselves are compared */
		return index ? ims_fail(err, IMGSEARCH_EIO,
				   "index %s: only the role that owns the tables can build an index", st->label)
					 : 0;
	if (!rc)
		rc = fill(st, number, j, err);
	if (!rc && index)
		rc = make_index(st, space, number, degree ? degree : DEGREE, beam ? beam : BEAM, j, err);
	return rc;
}
