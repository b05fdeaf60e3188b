/* What an index does as a shard of a larger one: store_shard_table. */
#include "store/postgres/conn.h"
#include "store/postgres/postgres.h"

/* The range of hashes of the bucket, of which it has the first ten bits; "": the last one. */
int ims_pg_bucket_items(store *st, uint32_t bucket, int64_t **ids, size_t *n, imgsearch_error *err)
{
	enum { LAST = 1023 };
	uint8_t low[2] = { (uint8_t)(bucket >> 2), (uint8_t)(bucket << 6) };
	uint8_t high[2] = { (uint8_t)((bucket + 1) >> 2), (uint8_t)((bucket + 1) << 6) };
	pg_params p = { 0 };
	ims_pg_int(&p, bucket);
	ims_pg_blob(&p, low, sizeof low);
	ims_pg_blob(&p, high, bucket < LAST ? sizeof high : 0);
	return ims_pg_read_ids(st, ids, n, err, "SELECT ims_bucket_items($1, $2, $3) ORDER BY 1", &p);
}

int ims_pg_arrived(store *st, const int64_t *ids, size_t n, imgsearch_error *err)
{
	pg_params p = { 0 };
	ims_pg_int8_array(&p, ids, n);
	return ims_pg_write(st, NULL, err, "SELECT ims_arrived($1)", &p);
}

int ims_pg_leave(store *st, const int64_t *ids, size_t n, imgsearch_error *err)
{
	pg_params p = { 0 };
	ims_pg_int8_array(&p, ids, n);
	return ims_pg_write(st, NULL, err, "SELECT ims_leave($1)", &p);
}

/* One that was to be a later shard, and never held anything, may become an earlier one. */
int ims_pg_use_range(store *st, int64_t first, int64_t last, imgsearch_error *err)
{
	pg_params p = { 0 };
	ims_pg_int(&p, last);
	int rc = ims_pg_write(st, NULL, err,
		"SELECT setval('item_id', 1, false) FROM item_id WHERE last_value > $1", &p);
	if (rc)
		return rc;
	p = (pg_params){ 0 };
	ims_pg_int(&p, first);
	ims_pg_int(&p, last);
	return ims_pg_write(st, NULL, err, "SELECT ims_use_range($1, $2)", &p);
}

int ims_pg_use_id(store *st, int64_t id, imgsearch_error *err)
{
	pg_params p = { 0 };
	ims_pg_int(&p, id);
	return ims_pg_write(st, NULL, err, "SELECT ims_use_ids($1)", &p);
}

int ims_pg_count_all(store *st, imgsearch_error *err)
{
	return ims_pg_write(st, NULL, err,
		"INSERT INTO tally SELECT what, (CASE what WHEN 101 THEN (SELECT count(*) FROM feature)"
		" WHEN 102 THEN (SELECT count(*) FROM feature_next)"
		" WHEN 103 THEN (SELECT count(*) FROM feature_kept)"
		" WHEN 105 THEN (SELECT count(*) FROM region)"
		" WHEN 106 THEN (SELECT count(*) FROM region_next)"
		" ELSE (SELECT count(*) FROM picture WHERE state = what) END)"
		" FROM unnest('{1,2,3,4,5,6,7,8,9,101,102,103,105,106}'::integer[]) what"
		" ON CONFLICT (what) DO UPDATE SET n = excluded.n",
		NULL);
}

int ims_pg_read_shard(store *st, const char *const name[2], buf out[2], int64_t *largest,
	imgsearch_error *err)
{
	pg_result *r;
	pg_params p = { 0 };
	ims_pg_text(&p, name[0]);
	ims_pg_text(&p, name[1]);
	int rc = ims_pg_read(st, &r, err,
		"SELECT ims_max_id(), (SELECT data FROM setting WHERE name = $1),"
		" (SELECT data FROM setting WHERE name = $2)",
		&p);
	*largest = rc ? -1 : ims_pg_number(r, 0, 0);
	for (int i = 0; !rc && i < 2; i++) {
		size_t size;
		const char *data = ims_pg_value(r, 0, i + 1, &size);
		ims_buf_put(&out[i], data, size);
		rc = out[i].failed ? ims_nomem(err) : 0;
	}
	ims_pg_clear(r);
	return rc;
}
