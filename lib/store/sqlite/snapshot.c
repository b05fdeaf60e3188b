/*
 * Snapshots, and the numbers that say whether the file has changed. PRAGMA data_version tells a
 * connection whether others have committed; until then it keeps the numbers that it has read.
 */
#include "base/callback.h"
#include "store/sqlite/changes.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/tally.h"

static _Thread_local store_snapshot *innermost;

void ims_store_snapshot_begin(store *st, store_snapshot *snapshot)
{
	*snapshot = (store_snapshot){ 0 };
	if (st->memory)
		return;
	*snapshot = (store_snapshot){ .st = st, .depth = ims_call_depth(), .outer = innermost };
	innermost = snapshot;
}

store_snapshot *ims_store_snapshot_get(const store *st)
{
	store_snapshot *s = innermost;
	while (s && (s->st != st || s->depth != ims_call_depth()))
		s = s->outer;
	return s;
}

static void let_go(store_snapshot *snapshot)
{
	conn *c = snapshot->conn;
	snapshot->conn = NULL;
	if (c)
		c->shared = c->state_seen = false;
	ims_store_release(snapshot->st, c);
}

void ims_store_snapshot_pause(store *st)
{
	store_snapshot *snapshot = ims_store_snapshot_get(st);
	if (snapshot)
		let_go(snapshot);
}

void ims_store_snapshot_end(store_snapshot *snapshot)
{
	if (!snapshot->st)
		return;
	let_go(snapshot);
	innermost = snapshot->outer;
}

/* ----------------------------------------------------------------------------------- state ---- */

static int read_epoch(conn *c, uint32_t *epoch, imgsearch_error *err)
{
	sqlite3_stmt *s;
	int rc = ims_store_query(c, &s, err, "SELECT data FROM setting WHERE name = 'epoch'", "");
	if (!rc && (rc = ims_store_step(c, s, err)) > 0) {
		reader r = { .data = sqlite3_column_blob(s, 0), .len = (size_t)sqlite3_column_bytes(s, 0) };
		*epoch = ims_read_u32(&r);
		rc = 0;
	}
	ims_store_done(c, s);
	return rc;
}

static int read_state(conn *c, store_state *out, imgsearch_error *err)
{
	*out = (store_state){ 0 };
	int rc = read_epoch(c, &out->epoch, err);
	if (!rc)
		rc = ims_store_change_newest(c, &out->change, err);
	return rc ? rc : ims_store_tally_read(c, &out->counts, err);
}

int ims_store_state_update(conn *c, imgsearch_error *err)
{
	if (c->shared && c->state_seen)
		return 0;
	int64_t version = atomic_load(&c->st->commits);
	int rc = c->st->memory ? 0 : ims_store_number(c, &version, 0, err, "PRAGMA data_version", "");
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
	int rc = ims_store_read_begin(c, err);
	if (rc)
		return rc;
	rc = ims_store_state_update(c, err);
	*out = c->state;
	ims_store_read_end(c);
	return rc;
}

int ims_store_state_get(store *st, store_state *out, imgsearch_error *err)
{
	conn *c;
	*out = (store_state){ 0 };
	int rc = ims_store_acquire(st, &c, err);
	if (rc)
		return rc;
	bool own = c == st->writer; /* its changes raise no number */
	rc = own ? read_state(c, out, err) : kept_state(c, out, err);
	ims_store_release(st, c);
	if (rc)
		*out = (store_state){ 0 };
	return rc;
}

int ims_store_counts(store *st, store_counts *out, imgsearch_error *err)
{
	store_state state;
	int rc = ims_store_state_get(st, &state, err);
	*out = state.counts;
	return rc;
}

int ims_store_change_last(store *st, int64_t *change, imgsearch_error *err)
{
	store_state state;
	int rc = ims_store_state_get(st, &state, err);
	*change = state.change;
	return rc;
}
