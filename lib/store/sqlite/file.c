/* The file as a whole: free space, size, and whether it is still the one that was opened. */
#include "store/sqlite/gate.h"
#include "store/sqlite/lock.h"
#include "store/sqlite/sql.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COMPACT_BYTES = 64 << 20 }; /* of free pages that a call returns, at most */

/* The checkpoint does not wait for readers and leaves them their pages. */
int ims_sqlite_compact(store *base, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c = st->writer;
	int64_t page_size, free_pages;
	if (!atomic_load(&st->writing) || atomic_load(&st->in_tx))
		return ims_fail(err, IMGSEARCH_EINVAL,
			"index %s: compacting needs the writer lock and no open transaction", st->base.label);
	if (ims_sqlite_gate_close(st, NULL))
		return 0; /* readers keep ":memory:" as it is: another time */
	int rc = ims_sqlite_number(c, &page_size, 4096, err, "PRAGMA page_size", "");
	if (!rc)
		rc = ims_sqlite_number(c, &free_pages, 0, err, "PRAGMA freelist_count", "");
	if (!rc && free_pages) {
		char *vacuum = ims_format("PRAGMA incremental_vacuum(%lld)",
			(long long)(COMPACT_BYTES / page_size));
		rc = vacuum ? ims_sqlite_exec(c, vacuum, err) : ims_nomem(err);
		ims_free(vacuum);
	}
	if (!rc && !st->memory)
		rc = ims_sqlite_exec(c, "PRAGMA wal_checkpoint(PASSIVE)", err);
	ims_sqlite_gate_open(st);
	return rc;
}

uint64_t ims_sqlite_bytes(store *base)
{
	sqlite_store *st = (sqlite_store *)base;
	struct stat info;
	conn *c;
	int64_t bytes = 0;
	if (!st->memory)
		return stat(st->base.path, &info) == 0 ? (uint64_t)info.st_size : 0;
	if (ims_sqlite_acquire(st, &c, NULL))
		return 0;
	ims_sqlite_number(c, &bytes, 0, NULL,
		"SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", "");
	ims_sqlite_release(st, c);
	return (uint64_t)bytes;
}

static int replaced(const sqlite_store *st, imgsearch_error *err)
{
	return ims_fail(err, IMGSEARCH_EIO, "index %s was replaced by another file while it was open",
		st->base.label);
}

static int read_file_id(conn *c, int64_t *id, imgsearch_error *err)
{
	sqlite3_stmt *s;
	*id = 0;
	int rc = ims_sqlite_query(c, &s, err, "SELECT data FROM setting WHERE name = 'file'", "");
	if (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		rc = 0;
		if (sqlite3_column_bytes(s, 0) >= (int)sizeof *id)
			memcpy(id, sqlite3_column_blob(s, 0), sizeof *id);
	}
	ims_sqlite_done(c, s);
	return rc;
}

int ims_sqlite_learn_file_id(conn *c, imgsearch_error *err)
{
	int64_t id;
	int rc = read_file_id(c, &id, err);
	if (!rc)
		atomic_store(&c->st->file_id, id);
	return rc;
}

int ims_sqlite_file_id_put(conn *c, bool anew, imgsearch_error *err)
{
	return ims_sqlite_run(c, err,
		anew ? "INSERT OR REPLACE INTO setting(name, data) VALUES('file', randomblob(8))"
			 : "INSERT OR IGNORE INTO setting(name, data) VALUES('file', randomblob(8))",
		"");
}

int ims_sqlite_remember_file(sqlite_store *st, imgsearch_error *err)
{
	struct stat info;
	conn *c;
	int64_t id;
	if (st->memory || stat(st->base.path, &info))
		return 0;
	int64_t state = ims_sqlite_file_state(st);
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = read_file_id(c, &id, err);
	ims_sqlite_release(st, c);
	st->device = info.st_dev;
	st->inode = info.st_ino;
	atomic_store(&st->file_id, id);
	atomic_store(&st->checked, state);
	return rc;
}

/* The number in the file itself, without what lies in the journal. 0: none, or it is unreadable. */
static int64_t id_below_journal(const sqlite_store *st)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;
	int64_t id = 0;
	char *uri = ims_sqlite_immutable_uri(st->base.path);
	int rc = uri ? sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL)
				 : SQLITE_NOMEM;
	if (!rc)
		rc = sqlite3_prepare_v2(db, "SELECT data FROM setting WHERE name = 'file'", -1, &s, NULL);
	if (!rc && sqlite3_step(s) == SQLITE_ROW && sqlite3_column_bytes(s, 0) >= (int)sizeof id)
		memcpy(&id, sqlite3_column_blob(s, 0), sizeof id);
	sqlite3_finalize(s);
	sqlite3_close_v2(db);
	ims_free(uri);
	return id;
}

/* Where the file is as it was noted, or has the number. */
static bool is_noted(const sqlite_store *st)
{
	lock_note note, now;
	if (!ims_sqlite_read_note(st, &note) || !ims_sqlite_look_at_file(st, &now))
		return true;
	if (now.state == note.state && now.device == note.device && now.inode == note.inode)
		return true;
	int64_t id = id_below_journal(st);
	return !id || id == note.id;
}

/* Looks twice, since a checkpoint may be writing the page. */
int ims_sqlite_check_journal_owner(const sqlite_store *st, imgsearch_error *err)
{
	if (!ims_sqlite_journal_exists(st) || is_noted(st) || is_noted(st)
		|| !ims_sqlite_journal_exists(st))
		return 0;
	return ims_fail(err, IMGSEARCH_EIO,
		"index %s: the journal %s beside it is of another index, in whose place this file was put: "
		"move the journal away to open this file as it is, or put the other index back",
		st->base.label, st->wal_path);
}

int ims_sqlite_check_content(conn *c, int64_t state, imgsearch_error *err)
{
	sqlite_store *st = c->st;
	int64_t id;
	if (!st->inode || state == atomic_load(&st->checked))
		return 0;
	int rc = read_file_id(c, &id, err);
	if (rc) /* another file may have no such table */
		return rc == IMGSEARCH_EDB && ims_sqlite_is_overwritten(c, err) ? IMGSEARCH_EIO : rc;
	if (atomic_load(&st->file_id) && id != atomic_load(&st->file_id)) {
		atomic_store(&st->overwritten, true);
		return replaced(st, err);
	}
	atomic_store(&st->file_id, id); /* upgraded meanwhile */
	atomic_store(&st->checked, state);
	return 0;
}

bool ims_sqlite_is_overwritten(conn *c, imgsearch_error *err)
{
	sqlite_store *st = c->st;
	if (!st->inode || ims_sqlite_file_state(st) == atomic_load(&st->checked))
		return false;
	atomic_store(&st->overwritten, true);
	replaced(st, err);
	return true;
}

static int64_t state_of(const struct stat *info)
{
	return (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec + info->st_size;
}

int ims_sqlite_look(const sqlite_store *st, int64_t *state, imgsearch_error *err)
{
	struct stat info;
	*state = 0;
	if (!st->inode)
		return 0;
	if (lstat(st->base.path, &info)) /* a link in its place has the journal of another name */
		return ims_fail_errno(err, IMGSEARCH_EIO, "index %s was moved or deleted while it was open",
			st->base.label);
	*state = state_of(&info);
	bool same = info.st_dev == st->device && info.st_ino == st->inode;
	return same && !atomic_load(&st->overwritten) ? 0 : replaced(st, err);
}

int ims_sqlite_check_file(conn *c, imgsearch_error *err)
{
	int64_t state;
	int rc = ims_sqlite_look(c->st, &state, err);
	return rc ? rc : ims_sqlite_check_content(c, state, err);
}

int ims_sqlite_check_path(const sqlite_store *st, imgsearch_error *err)
{
	int64_t state;
	return ims_sqlite_look(st, &state, err);
}

bool ims_sqlite_look_at_file(const sqlite_store *st, lock_note *note)
{
	struct stat info;
	if (stat(st->base.path, &info))
		return false;
	note->state = state_of(&info);
	note->device = info.st_dev;
	note->inode = info.st_ino;
	return true;
}

int64_t ims_sqlite_file_state(const sqlite_store *st)
{
	struct stat info;
	return stat(st->base.path, &info) ? 0 : state_of(&info);
}

/* The journal that is there, with inode 0 where there is none. False: that is not known. */
static bool look_at_journal(const sqlite_store *st, struct stat *info)
{
	*info = (struct stat){ 0 };
	return !stat(st->wal_path, info) || errno == ENOENT;
}

static bool has_journal(const conn *c, const struct stat *info)
{
	return !c->wal_inode || (c->wal_device == info->st_dev && c->wal_inode == info->st_ino);
}

int ims_sqlite_check_journal(sqlite_store *st, const conn *own, imgsearch_error *err)
{
	struct stat info;
	if (st->memory || !look_at_journal(st, &info))
		return 0;
	bool same = !own || has_journal(own, &info);
	pthread_mutex_lock(&st->mutex);
	for (size_t i = 0; same && i < st->n_idle; i++)
		same = has_journal(st->idle[i], &info);
	pthread_mutex_unlock(&st->mutex);
	return same ? 0
				: ims_fail(err, IMGSEARCH_EIO,
					"index %s: its journal %s was moved or deleted while it was open",
					st->base.label, st->wal_path);
}

/*
 * Whether the connection has the -wal open. One that read before another process began it has not,
 * and does not keep it from being deleted.
 */
static bool uses_journal(const conn *c)
{
	sqlite3_stmt *s = NULL;
	bool yes = sqlite3_prepare_v2(c->db, "PRAGMA journal_mode", -1, &s, NULL) == SQLITE_OK
		&& sqlite3_step(s) == SQLITE_ROW && !strcmp((const char *)sqlite3_column_text(s, 0), "wal");
	sqlite3_finalize(s);
	return yes;
}

void ims_sqlite_remember_journal(conn *c)
{
	struct stat info;
	if (c->wal_inode || c->borrowed || c->immutable || c->st->memory)
		return;
	if (!look_at_journal(c->st, &info) || !info.st_ino || !uses_journal(c))
		return;
	c->wal_device = info.st_dev;
	c->wal_inode = info.st_ino;
}

bool ims_sqlite_has_other_journal(const conn *c)
{
	struct stat info;
	return c->wal_inode && look_at_journal(c->st, &info) && info.st_ino && !has_journal(c, &info);
}

bool ims_sqlite_journal_exists(const sqlite_store *st)
{
	struct stat info;
	return st->wal_path && stat(st->wal_path, &info) == 0 && info.st_size > 0;
}

void ims_sqlite_drop_outdated(sqlite_store *st)
{
	int64_t state = ims_sqlite_file_state(st);
	bool journal = ims_sqlite_journal_exists(st);
	if (!state || (state == st->file_state && journal == st->journal))
		return;
	while (st->n_idle)
		ims_sqlite_disconnect(st->idle[--st->n_idle]);
	st->file_state = state;
	st->journal = journal;
}

int ims_sqlite_check_unchanged(conn *c, imgsearch_error *err)
{
	if (!c->immutable || c->file_state == ims_sqlite_file_state(c->st))
		return 0;
	return c->failed = ims_fail(err, IMGSEARCH_EBUSY,
			   "index %s was changed while it was read: ask again", c->st->base.label);
}

int ims_sqlite_read_result(conn *c, int rc, imgsearch_error *err)
{
	bool damaged = rc == IMGSEARCH_EDB || rc == IMGSEARCH_EFORMAT;
	int changed = damaged ? ims_sqlite_check_unchanged(c, err) : 0;
	return changed ? changed : rc;
}
