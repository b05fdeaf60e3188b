/*
 * Transactions and snapshots. Writers take turns, a transaction each: the first statement of one
 * locks the row of `newest`. A program that is killed loses its connection, and with it its turn;
 * of one whose network vanishes, the server ends the transaction after a while.
 */
#include "store/postgres/conn.h"
#include "store/postgres/items.h"
#include "store/postgres/postgres.h"

#include <stdio.h>

/* Every indexer writes in short transactions, so there is no right to wait for. */
int ims_pg_write_begin(store *base, imgsearch_error *err)
{
	pg_store *st = (pg_store *)base;
	if (base->read_only)
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s is open for reading only", base->label);
	if (atomic_exchange(&st->writing, true))
		return ims_fail(err, IMGSEARCH_EBUSY, "index %s: this program is writing to it already",
			base->label);
	return 0;
}

void ims_pg_write_end(store *base)
{
	pg_store *st = (pg_store *)base;
	ims_pg_tx_rollback(base);
	ims_pg_lease_end(base);
	atomic_store(&st->writing, false);
}

/* One round trip. */
static int begin(pg_store *st, imgsearch_error *err)
{
	char sql[64];
	ims_pg_forget_failure();
	snprintf(sql, sizeof sql, "BEGIN; SELECT ims_begin(%lld)", (long long)atomic_load(&st->work));
	int rc = st->writer ? 0 : ims_pg_connect(st, &st->writer, err);
	if (!rc)
		rc = ims_pg_script(st->writer, sql, err);
	if (rc) {
		ims_pg_disconnect(st->writer);
		st->writer = NULL;
	}
	return rc;
}

int ims_pg_tx_begin(store *base, imgsearch_error *err)
{
	pg_store *st = (pg_store *)base;
	if (!atomic_load(&st->writing) || atomic_load(&st->in_tx))
		return ims_fail(err, IMGSEARCH_EINVAL,
			"index %s: a transaction needs the right to write, and none may be open", base->label);
	retry retry = { 0 };
	imgsearch_error why = { 0 };
	int rc;
	do
		rc = begin(st, &why);
	while (rc && ims_pg_try_again(st, &retry));
	if (rc) {
		if (err)
			*err = why;
		return rc;
	}
	atomic_store(&st->tx_thread, pthread_self());
	atomic_store(&st->in_tx, true);
	return 0;
}

int ims_pg_tx_commit(store *base, imgsearch_error *err)
{
	pg_store *st = (pg_store *)base;
	pg_link *l;
	int rc = ims_pg_writer(base, &l, err);
	if (!rc)
		rc = ims_pg_run(l, NULL, err, "COMMIT", NULL);
	if (rc) {
		ims_pg_tx_rollback(base);
		return rc;
	}
	atomic_store(&st->in_tx, false);
	ims_pg_forget_state(st);
	return 0;
}

void ims_pg_tx_rollback(store *base)
{
	pg_store *st = (pg_store *)base;
	if (!atomic_load(&st->in_tx))
		return;
	atomic_store(&st->in_tx, false);
	if (ims_pg_run(st->writer, NULL, NULL, "ROLLBACK", NULL)) {
		ims_pg_disconnect(st->writer);
		st->writer = NULL;
	} else {
		ims_pg_clear_failure(st->writer);
	}
}

/* ---------------------------------------------------------------------------- snapshots ---- */

static _Thread_local store_snapshot *innermost;

void ims_pg_snapshot_begin(store *st, store_snapshot *snapshot)
{
	ims_pg_forget_failure();
	*snapshot = (store_snapshot){ .st = st, .depth = ims_call_depth(), .outer = innermost };
	innermost = snapshot;
}

static _Thread_local store_snapshot *adopted;

store_snapshot *ims_pg_snapshot_adopt(store_snapshot *snapshot)
{
	store_snapshot *was = adopted;
	adopted = snapshot;
	return was;
}

static store_snapshot *find_snapshot(const pg_store *st)
{
	store_snapshot *s = innermost;
	if (adopted && adopted->st == &st->base)
		return adopted;
	while (s && (s->st != &st->base || s->depth != ims_call_depth()))
		s = s->outer;
	return s;
}

pg_snapshot *ims_pg_snapshot_get(const pg_store *st)
{
	store_snapshot *s = ims_pg_in_own_transaction(st) ? NULL : find_snapshot(st);
	if (s && !s->conn)
		s->conn = ims_zalloc(1, sizeof(pg_snapshot));
	return s ? s->conn : NULL;
}

/* After an answer that has read on, so many are waited for that do not. */
enum { WARY = 64 };

bool ims_pg_snapshot_may_end(const pg_store *st)
{
	return !atomic_load(&st->reads_on);
}

void ims_pg_snapshot_found(pg_store *st, pg_snapshot *snapshot, bool over)
{
	pg_link *l = snapshot->link;
	snapshot->found = true;
	snapshot->over = over;
	if (!over)
		return;
	snapshot->link = NULL;
	l->shared = false;
	ims_pg_release(st, l);
}

int ims_pg_snapshot_read_on(pg_store *st, pg_snapshot *snapshot, imgsearch_error *err)
{
	snapshot->read_on |= snapshot->found;
	if (!snapshot->over)
		return 0;
	atomic_store(&st->reads_on, WARY);
	snapshot->stale = true;
	return ims_fail(err, IMGSEARCH_EBUSY, "index %s: its state was read to the end",
		st->base.label);
}

static void learn(pg_store *st, const pg_snapshot *own)
{
	int before = atomic_load(&st->reads_on);
	ims_pg_items_learn(st, own);
	if (own->read_on)
		atomic_store(&st->reads_on, WARY);
	else if (own->found && before)
		atomic_compare_exchange_strong(&st->reads_on, &before, before - 1);
}

/* Ends the read transaction; the connection goes back. */
static void let_go(pg_store *st, pg_snapshot *own)
{
	learn(st, own);
	own->shown = 0;
	own->found = own->read_on = own->over = false;
	ims_pg_items_free(own->items);
	own->items = NULL;
	ims_pg_clear(own->settings);
	own->settings = NULL;
	if (own->link)
		ims_pg_end_read(st, own->link);
	own->link = NULL;
}

void ims_pg_snapshot_end(store_snapshot *snapshot)
{
	pg_snapshot *own = snapshot->conn;
	if (own)
		let_go((pg_store *)snapshot->st, own);
	ims_free(own);
	innermost = snapshot->outer;
}

/* A state that is only assumed is still to be compared. */
void ims_pg_snapshot_pause(store *st)
{
	store_snapshot *snapshot = find_snapshot((pg_store *)st);
	pg_snapshot *own = snapshot ? snapshot->conn : NULL;
	if (!own)
		return;
	let_go((pg_store *)st, own);
	own->has_state = own->assumed;
}

/* Readers never wait for a writer. */
void ims_pg_hold_acquire(store *st, store_hold *h)
{
	(void)st;
	*h = (store_hold){ 0 };
}

void ims_pg_hold_release(store *st, store_hold *h)
{
	(void)st, (void)h;
}
