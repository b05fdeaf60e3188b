/*
 * In WAL mode a reader needs the -shm file beside the database. If nothing can be written, the file
 * is opened as "immutable": without locks and -shm. That is correct only while nobody writes. It is
 * therefore done only while there is no journal, and ims_sqlite_acquire looks at the file and for a
 * journal each time. A statement under which the file was changed fails.
 *
 * A file of an older version is read as it is, through views, until a writer upgrades it: one of
 * this handle, or of another. A connection with views therefore holds a read transaction from
 * ims_sqlite_acquire to ims_sqlite_release, and is closed where the file is found upgraded.
 *
 * ":memory:" has one handle, which SQLite serialises and all connections share. A connection holds
 * its gate (gate.h) from ims_sqlite_acquire to ims_sqlite_release, so it sees no open transaction.
 */
#include "store/sqlite/conn.h"
#include "store/sqlite/gate.h"
#include "store/sqlite/roots.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/second.h"
#include "store/sqlite/sql.h"

#include <string.h>
#include <sys/stat.h>

char *ims_sqlite_immutable_uri(const char *path)
{
	buf b = { 0 };
	ims_buf_text(&b, "file:");
	for (const char *p = path; *p; p++)
		if (strchr("%?# ", *p) || (unsigned char)*p >= 127)
			ims_buf_text(&b, "%%%02X", (unsigned char)*p);
		else
			ims_buf_u8(&b, (uint8_t)*p);
	ims_buf_text(&b, "?immutable=1");
	ims_buf_u8(&b, 0);
	if (!b.failed)
		return (char *)b.data;
	ims_buf_free(&b);
	return NULL;
}

static int open_handle(conn *c, bool writer, imgsearch_error *err)
{
	sqlite_store *st = c->st;
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	char *uri = NULL;
	c->immutable = st->base.read_only && !ims_sqlite_journal_exists(st);
	c->file_state = c->immutable ? ims_sqlite_file_state(st) : 0;
	if (st->memory)
		flags = SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_READWRITE
			| SQLITE_OPEN_CREATE;
	else if (c->immutable)
		flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
	else if (st->base.read_only)
		flags |= SQLITE_OPEN_READONLY;
	else
		flags |= SQLITE_OPEN_READWRITE | (writer ? SQLITE_OPEN_CREATE : 0);
	if (c->immutable && !(uri = ims_sqlite_immutable_uri(st->base.path)))
		return ims_nomem(err);
	int rc = sqlite3_open_v2(uri ? uri : st->base.path, &c->db, flags, NULL);
	ims_free(uri);
	return rc ? c->db ? ims_sqlite_sql_fail(c, rc, err) : ims_nomem(err) : 0;
}

/* SQLite before 3.35 has no views where those of files are switched off. */
bool ims_sqlite_has_views(void)
{
	return sqlite3_libversion_number() >= 3035000;
}

static int get_version(conn *c, int64_t *version, imgsearch_error *err)
{
	return ims_sqlite_number(c, version, 0, err, "PRAGMA user_version", "");
}

/* A file that can be written is upgraded when it is opened where there are no views. */
static int make_views(conn *c, imgsearch_error *err)
{
	int64_t version;
	int rc = get_version(c, &version, err);
	if (rc || version < 1 || version >= IMS_STORE_VERSION)
		return rc;
	if (!ims_sqlite_has_views() && !c->st->base.read_only)
		return 0;
	if (!ims_sqlite_has_views())
		return ims_fail(err, IMGSEARCH_EVERSION,
			"index %s was made by an older imgsearch, and was not opened since where it can be "
			"written",
			c->st->base.label);
	c->old = version;
	return ims_sqlite_exec(c, ims_sqlite_views[version - 1], err);
}

int ims_sqlite_connect(sqlite_store *st, conn **out, bool writer, imgsearch_error *err)
{
	*out = NULL;
	conn *c = ims_zalloc(1, sizeof *c);
	if (!c)
		return ims_nomem(err);
	c->st = st;
	if (st->memory && !writer) {
		c->db = st->writer->db;
		c->borrowed = true;
		*out = c;
		return 0;
	}
	int rc = open_handle(c, writer, err);
	if (!rc) {
		sqlite3_busy_timeout(c->db, 5000);
		sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(c->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL); /* no code from a file */
		sqlite3_db_config(c->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
		rc = ims_sqlite_exec(c,
			"PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY;"
			"PRAGMA mmap_size=" IMS_STORE_MAP,
			err);
	}
	if (!rc)
		rc = ims_sqlite_add_functions(c, err);
	if (!rc && writer)
		rc = ims_sqlite_exec(c,
			"PRAGMA foreign_keys=ON; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=OFF;"
			"PRAGMA cache_size=-" IMS_STORE_WRITER_KIB
			"; PRAGMA journal_size_limit=67108864; PRAGMA"
			" wal_autocheckpoint=4096",
			err);
	else if (!rc && !writer)
		rc = make_views(c, err);
	if (!rc && st->second)
		rc = ims_sqlite_second_views(c, err);
	if (!rc && !writer)
		rc = ims_sqlite_exec(c, "PRAGMA query_only=ON; PRAGMA cache_size=-8192", err);
	if (rc) {
		ims_sqlite_disconnect(c);
		return rc;
	}
	*out = c;
	return 0;
}

int64_t ims_sqlite_old_version(store *base)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	if (atomic_load(&st->current) || ims_sqlite_acquire(st, &c, NULL))
		return 0;
	int64_t version = c->old;
	ims_sqlite_release(st, c);
	atomic_store(&st->current, !version);
	return version;
}

void ims_sqlite_disconnect(conn *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		sqlite3_finalize(c->cached[i].stmt);
	if (!c->borrowed && c->db /* the journal is another's */
		&& (ims_sqlite_check_path(c->st, NULL) || ims_sqlite_has_other_journal(c)))
		sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (!c->borrowed)
		sqlite3_close_v2(c->db);
	ims_path_cache_clear(&c->paths, &c->st->path_bytes);
	ims_free(c);
}

bool ims_sqlite_own_transaction(sqlite_store *st)
{
	return atomic_load(&st->in_tx) && pthread_equal(atomic_load(&st->tx_thread), pthread_self());
}

/* An idle connection that shows the file as it is, or NULL. */
static conn *take_idle(sqlite_store *st)
{
	pthread_mutex_lock(&st->mutex);
	if (st->base.read_only)
		ims_sqlite_drop_outdated(st);
	conn *c = st->n_idle ? st->idle[--st->n_idle] : NULL;
	pthread_mutex_unlock(&st->mutex);
	return c;
}

/* Whether a connection may be used again. Under the mutex. */
static bool is_fresh(const sqlite_store *st, const conn *c)
{
	return !c->failed && (!c->immutable || c->file_state == st->file_state);
}

/* Begins the transaction of a connection with views; *upgraded: the file needs none any more. */
static int begin_old(conn *c, bool *upgraded, imgsearch_error *err)
{
	int64_t version = c->old;
	*upgraded = false;
	int rc = c->old ? ims_sqlite_run(c, err, "BEGIN", "") : 0;
	if (!rc && c->old)
		rc = get_version(c, &version, err);
	*upgraded = version != c->old;
	return rc;
}

/*
 * Looks at the file and its journal, where the last look was not just now: a query would pay more
 * for looks than for its transaction. *looked: state is that of the file.
 */
static int look(sqlite_store *st, bool *looked, int64_t *state, imgsearch_error *err)
{
	int64_t now = (int64_t)(ims_now() * 1000), last = atomic_load(&st->looked);
	*looked = now != last || st->base.read_only;
	if (!*looked)
		return 0;
	int rc = ims_sqlite_look(st, state, err);
	if (!rc)
		rc = ims_sqlite_check_journal(st, NULL, err);
	if (!rc)
		atomic_store(&st->looked, now);
	return rc;
}

int ims_sqlite_acquire_own(sqlite_store *st, conn **out, imgsearch_error *err)
{
	bool upgraded = true, looked;
	int64_t state = 0;
	*out = NULL;
	int rc = look(st, &looked, &state, err);
	while (!rc && upgraded) {
		*out = take_idle(st);
		if (!*out)
			rc = ims_sqlite_connect(st, out, false, err);
		if (!rc) {
			ims_sqlite_hold_acquire_read(st, &(*out)->hold);
			(*out)->steps = 0;
			rc = begin_old(*out, &upgraded, err);
			if (!rc && !upgraded && looked)
				rc = ims_sqlite_check_content(*out, state, err);
		}
		if (rc || upgraded) {
			ims_sqlite_disconnect(*out);
			*out = NULL;
		}
	}
	return rc;
}

int ims_sqlite_acquire(sqlite_store *st, conn **out, imgsearch_error *err)
{
	if (ims_sqlite_own_transaction(st)) {
		*out = st->writer;
		return 0;
	}
	store_snapshot *snapshot = ims_sqlite_snapshot_get(st);
	if (snapshot && snapshot->conn) {
		*out = snapshot->conn;
		return 0;
	}
	int rc = ims_sqlite_acquire_own(st, out, err);
	if (!rc && !snapshot)
		ims_sqlite_read_ahead(*out, true);
	if (rc || !snapshot)
		return rc;
	rc = ims_sqlite_read_begin(*out, err);
	if (rc) {
		ims_sqlite_release(st, *out);
		*out = NULL;
		return rc;
	}
	snapshot->conn = *out;
	(*out)->shared = true;
	return 0;
}

static void end_read(conn *c)
{
	if (!sqlite3_get_autocommit(c->db))
		ims_sqlite_run(c, NULL, "ROLLBACK", "");
}

void ims_sqlite_release(sqlite_store *st, conn *c)
{
	if (!c || c == st->writer || c->shared)
		return;
	ims_sqlite_remember_journal(c);
	if (!c->borrowed)
		end_read(c);
	ims_sqlite_hold_release(&st->base, &c->hold);
	pthread_mutex_lock(&st->mutex);
	if (st->n_idle < STORE_READERS && is_fresh(st, c)) {
		st->idle[st->n_idle++] = c;
		c = NULL;
	}
	pthread_mutex_unlock(&st->mutex);
	ims_sqlite_disconnect(c);
}

/* ":memory:" stays as it is while its gate is held. */
static bool has_transaction(const conn *c)
{
	return c == c->st->writer || c->borrowed || !sqlite3_get_autocommit(c->db);
}

int ims_sqlite_read_begin(conn *c, imgsearch_error *err)
{
	return has_transaction(c) ? 0 : ims_sqlite_run(c, err, "BEGIN", "");
}

void ims_sqlite_read_end(conn *c)
{
	if (c != c->st->writer && !c->borrowed && !c->old && !c->shared)
		end_read(c);
}
