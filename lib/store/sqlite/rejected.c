/* Pairs of contents that the user marked as different pictures. */
#include "store/sqlite/sql.h"
#include "store/sqlite/transaction.h"

#include <string.h>

int ims_sqlite_reject(store *base, const hash256 *a, const hash256 *b, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	bool ordered = memcmp(a->byte, b->byte, sizeof a->byte) <= 0;
	int rc = ims_sqlite_writer(st, &c, err);
	return rc ? rc
			  : ims_sqlite_run(c, err, "INSERT OR IGNORE INTO rejected(a, b) VALUES(?1, ?2)", "bb",
				  (const void *)(ordered ? a : b)->byte, sizeof a->byte,
				  (const void *)(ordered ? b : a)->byte, sizeof a->byte);
}

/* The schema checks the length, but an untrusted file may lack that check. */
static int read_hash(sqlite_store *st, sqlite3_stmt *s, int column, hash256 *out,
	imgsearch_error *err)
{
	const void *data = sqlite3_column_blob(s, column);
	size_t bytes = (size_t)sqlite3_column_bytes(s, column);
	if (bytes && !data)
		return ims_nomem(err);
	if (bytes != sizeof out->byte)
		return ims_fail(err, IMGSEARCH_EDB,
			"index %s is damaged: the hash of a rejected pair has %zu bytes", st->base.label,
			bytes);
	memcpy(out->byte, data, bytes);
	return 0;
}

int ims_sqlite_each_rejected(store *base, store_rejected_each *each, void *user,
	imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	sqlite3_stmt *s = NULL;
	conn *c;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_sqlite_query(c, &s, err, "SELECT a, b FROM rejected ORDER BY a, b", "");
	while (!rc && (rc = ims_sqlite_step(c, s, err)) == 1) {
		hash256 a, b;
		rc = read_hash(st, s, 0, &a, err);
		if (!rc)
			rc = read_hash(st, s, 1, &b, err);
		if (!rc)
			rc = each(user, &a, &b);
	}
	ims_sqlite_done(c, s);
	ims_sqlite_release(st, c);
	return rc;
}
