/* Transactions of the writing connection. */
#include "store/sqlite/changes.h"
#include "store/sqlite/gate.h"
#include "store/sqlite/second.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/tally.h"
#include "store/sqlite/transaction.h"

#include <string.h>

static int check_files(conn *c, imgsearch_error *err)
{
	int rc = ims_sqlite_check_file(c, err);
	return rc ? rc : ims_sqlite_check_journal(c->st, c, err);
}

int ims_sqlite_tx_begin(store *base, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c = st->writer;
	int64_t searchers = 0;
	if (!atomic_load(&st->writing) || atomic_load(&st->in_tx))
		return ims_fail(err, IMGSEARCH_EINVAL,
			"index %s: a transaction needs the writer lock, and none may be open", st->base.label);
	int rc = ims_sqlite_gate_close(st, err);
	if (rc)
		return rc;
	rc = ims_sqlite_run(c, err, "BEGIN IMMEDIATE", "");
	if (rc) {
		ims_sqlite_gate_open(st);
		return rc;
	}
	atomic_store(&st->tx_thread, pthread_self());
	atomic_store(&st->in_tx, true);
	c->failed = 0;
	st->changed = st->changed_second = false;
	memset(st->tally, 0, sizeof st->tally);
	ims_sqlite_remember_journal(c);
	rc = check_files(c, err);
	if (!rc)
		rc = ims_sqlite_number(c, &searchers, 0, err, "SELECT EXISTS(SELECT 1 FROM searcher)", "");
	st->logging = searchers != 0;
	if (!rc)
		rc = ims_sqlite_second_look(st, c, err);
	if (rc)
		ims_sqlite_tx_rollback(base);
	return rc;
}

int ims_sqlite_tx_commit(store *base, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = check_files(c, err);
	if (!rc)
		rc = ims_sqlite_tally_flush(st, c, err);
	if (!rc)
		rc = ims_sqlite_run(c, err, "COMMIT", "");
	if (rc) {
		ims_sqlite_tx_rollback(base);
		return rc;
	}
	atomic_store(&st->in_tx, false);
	atomic_fetch_add(&st->commits, 1);
	ims_sqlite_gate_open(st);
	return 0;
}

void ims_sqlite_tx_rollback(store *base)
{
	sqlite_store *st = (sqlite_store *)base;
	if (!atomic_load(&st->in_tx))
		return;
	if (!sqlite3_get_autocommit(st->writer->db))
		sqlite3_exec(st->writer->db, "ROLLBACK", NULL, NULL, NULL);
	st->writer->failed = 0;
	atomic_store(&st->in_tx, false);
	ims_sqlite_gate_open(st);
}

int ims_sqlite_writer(sqlite_store *st, conn **out, imgsearch_error *err)
{
	conn *c = *out = st->writer;
	if (!atomic_load(&st->in_tx))
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s: written outside of a transaction",
			st->base.label);
	if (c->failed || sqlite3_get_autocommit(c->db))
		return ims_fail(err, c->failed ? c->failed : IMGSEARCH_EDB,
			"index %s: something failed earlier in this transaction; it is undone", st->base.label);
	return 0;
}
