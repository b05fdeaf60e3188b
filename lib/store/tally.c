/* Counts of pictures by state and of vectors. */
#include "store/sql.h"
#include "store/tally.h"

#include <string.h>

int ims_store_tally_flush(store *st, conn *c, imgsearch_error *err)
{
	for (int i = 1; i < TALLIES; i++) {
		int64_t n = st->tally[i];
		int rc = n ? ims_store_run(c, err, "UPDATE tally SET n = n + ?2 WHERE what = ?1", "ii",
						 (int64_t)i, n)
				   : 0;
		if (rc)
			return rc;
		st->tally[i] = 0;
	}
	return 0;
}

int ims_store_counts(store *st, store_counts *out, imgsearch_error *err)
{
	conn *c;
	sqlite3_stmt *s = NULL;
	uint64_t tally[TALLIES] = { 0 };
	*out = (store_counts){ 0 };
	int rc = ims_store_acquire(st, &c, err);
	if (rc)
		return rc;
	if (c == st->writer)
		rc = ims_store_tally_flush(st, c, err);
	if (!rc)
		rc =
			ims_store_query(c, &s, err, "SELECT what, n FROM tally WHERE what BETWEEN 1 AND 9", "");
	while (!rc && (rc = ims_store_step(c, s, err)) > 0) {
		tally[sqlite3_column_int64(s, 0)] = (uint64_t)sqlite3_column_int64(s, 1);
		rc = 0;
	}
	ims_store_done(c, s);
	ims_store_release(st, c);
	if (rc)
		return rc;
	memcpy(out->by_state, tally, sizeof out->by_state);
	out->vectors = tally[TALLY_VECTOR];
	out->vectors_next = tally[TALLY_NEXT];
	return 0;
}

int ims_store_max_id(store *st, int64_t *id, imgsearch_error *err)
{
	return ims_store_read_number(st, id, -1, err,
		"SELECT max(ifnull((SELECT max(id) FROM picture), -1), ifnull((SELECT max(id) FROM"
		" vector), -1))",
		"");
}
