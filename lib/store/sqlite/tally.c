/* Counts of pictures by state and of vectors. */
#include "store/sqlite/sql.h"
#include "store/sqlite/tally.h"

#include <string.h>

int ims_sqlite_tally_flush(sqlite_store *st, conn *c, imgsearch_error *err)
{
	for (int i = 1; i < TALLIES; i++) {
		int64_t n = st->tally[i];
		int rc = n ? ims_sqlite_run(c, err,
					 "INSERT INTO tally(what, n) VALUES(?1, ?2)"
					 " ON CONFLICT(what) DO UPDATE SET n = n + ?2",
					 "ii", (int64_t)i, n)
				   : 0;
		if (rc)
			return rc;
		st->tally[i] = 0;
	}
	return 0;
}

int ims_sqlite_tally_read(conn *c, store_counts *out, imgsearch_error *err)
{
	sqlite3_stmt *s = NULL;
	uint64_t tally[TALLIES] = { 0 };
	int rc = c == c->st->writer ? ims_sqlite_tally_flush(c->st, c, err) : 0;
	if (!rc)
		rc = ims_sqlite_query(c, &s, err, "SELECT what, n FROM tally WHERE what BETWEEN 1 AND 104",
			"");
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		tally[sqlite3_column_int64(s, 0)] = (uint64_t)sqlite3_column_int64(s, 1);
		rc = 0;
	}
	ims_sqlite_done(c, s);
	if (rc)
		return rc;
	memcpy(out->by_state, tally, sizeof out->by_state);
	out->vectors = tally[TALLY_VECTOR];
	out->vectors_next = tally[TALLY_NEXT];
	out->vectors_kept = tally[TALLY_KEPT];
	out->regions = tally[TALLY_REGION];
	return 0;
}

/*
 * The sequence knows the ids of rows that went; vectors under ids of the caller's own raise it. In
 * a file of version 1 its 0 stands for none, too.
 */
int ims_sqlite_max_id(store *base, int64_t *id, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
#define LARGEST(seq) \
	"SELECT max((SELECT " seq " FROM sqlite_sequence WHERE name = 'picture')," \
	" ifnull((SELECT max(id) FROM picture), -1), ifnull((SELECT max(id) FROM vector), -1)," \
	" ifnull((SELECT max(id) FROM vector_kept), -1))"
	conn *c;
	*id = -1;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_sqlite_number(c, id, -1, err,
		c->old == 1 ? LARGEST("CASE seq WHEN 0 THEN -1 ELSE seq END") : LARGEST("seq"), "");
	ims_sqlite_release(st, c);
	return rc;
}
