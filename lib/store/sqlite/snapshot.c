/*
 * Snapshots, and the numbers that say whether the file has changed. PRAGMA data_version tells a
 * connection whether others have committed; until then it keeps the numbers that it has read.
 */
#include "base/callback.h"
#include "store/sqlite/changes.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/tally.h"

static _Thread_local store_snapshot *innermost;

void ims_sqlite_snapshot_begin(store *base, store_snapshot *snapshot)
{
	sqlite_store *st = (sqlite_store *)base;
	*snapshot = (store_snapshot){ 0 };
	if (st->memory)
		return;
	*snapshot = (store_snapshot){ .st = base, .depth = ims_call_depth(), .outer = innermost };
	innermost = snapshot;
}

store_snapshot *ims_sqlite_snapshot_get(const sqlite_store *st)
{
	store_snapshot *s = innermost;
	while (s && (s->st != &st->base || s->depth != ims_call_depth()))
		s = s->outer;
	return s;
}

static void let_go(store_snapshot *snapshot)
{
	conn *c = snapshot->conn;
	snapshot->conn = NULL;
	if (c)
		c->shared = c->state_seen = false;
	ims_sqlite_release((sqlite_store *)snapshot->st, c);
}

void ims_sqlite_snapshot_pause(store *base)
{
	sqlite_store *st = (sqlite_store *)base;
	store_snapshot *snapshot = ims_sqlite_snapshot_get(st);
	if (!snapshot)
		return;
	snapshot->paused = true;
	let_go(snapshot);
}

void ims_sqlite_snapshot_end(store_snapshot *snapshot)
{
	let_go(snapshot);
	innermost = snapshot->outer;
}

/* ----------------------------------------------------------------------------------- state ---- */

static int read_epoch(conn *c, uint32_t *epoch, imgsearch_error *err)
{
	sqlite3_stmt *s;
	int rc = ims_sqlite_query(c, &s, err, "SELECT data FROM setting WHERE name = 'epoch'", "");
	if (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		reader r = { .data = sqlite3_column_blob(s, 0), .len = (size_t)sqlite3_column_bytes(s, 0) };
		*epoch = ims_read_u32(&r);
		rc = 0;
	}
	ims_sqlite_done(c, s);
	return rc;
}

static int read_state(conn *c, store_state *out, imgsearch_error *err)
{
	*out = (store_state){ 0 };
	int rc = read_epoch(c, &out->epoch, err);
	if (!rc)
		rc = ims_sqlite_change_newest(c, &out->change, err);
	return rc ? rc : ims_sqlite_tally_read(c, &out->counts, err);
}

int ims_sqlite_state_update(conn *c, imgsearch_error *err)
{
	if (c->shared && c->state_seen)
		return 0;
	int64_t version = atomic_load(&c->st->commits);
	int rc = c->st->memory ? 0 : ims_sqlite_number(c, &version, 0, err, "PRAGMA data_version", "");
	if (rc)
		return rc;
	if (!c->has_state || c->data_version != version) {
		ims_path_cache_clear(&c->paths, &c->st->path_bytes);
		rc = read_state(c, &c->state, err);
		c->has_state = !rc;
		c->data_version = version;
	}
	c->state_seen = !rc && c->shared;
	return rc;
}

static int kept_state(conn *c, store_state *out, imgsearch_error *err)
{
	int rc = ims_sqlite_read_begin(c, err);
	if (rc)
		return rc;
	rc = ims_sqlite_state_update(c, err);
	*out = c->state;
	ims_sqlite_read_end(c);
	return rc;
}

int ims_sqlite_state_get(store *base, store_state *out, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	*out = (store_state){ 0 };
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	bool own = c == st->writer; /* its changes raise no number */
	rc = own ? read_state(c, out, err) : kept_state(c, out, err);
	ims_sqlite_release(st, c);
	if (rc)
		*out = (store_state){ 0 };
	store_snapshot *snapshot = rc ? NULL : ims_sqlite_snapshot_get(st);
	if (snapshot && !snapshot->has_epoch) {
		snapshot->has_epoch = true;
		snapshot->epoch = out->epoch;
	}
	return rc;
}

bool ims_sqlite_snapshot_stale(store_snapshot *snapshot)
{
	store_state now;
	return snapshot->paused && snapshot->has_epoch
		&& !ims_sqlite_state_get(snapshot->st, &now, NULL) && now.epoch != snapshot->epoch;
}
