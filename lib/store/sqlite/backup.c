/*
 * A copy of the index while others read and write. The copy is made by SQLite's online backup, in a
 * file beside the target that is renamed when it is complete and synced. The source connection
 * holds one read transaction throughout: otherwise every commit of others would begin the copy
 * anew.
 *
 * A copy of ":memory:" holds its gate, so a transaction waits for it.
 */
#include "store/sqlite/conn.h"
#include "store/sqlite/lock.h"
#include "store/sqlite/roots.h"
#include "store/sqlite/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP_BYTES = 4 << 20 }; /* copied between two looks at the job */

typedef struct backup {
	sqlite_store *st;
	sqlite_store target; /* only its paths are used: `to` names them in errors */
	conn *from, *to;
	char *part;
	bool replace;
	job *job;
	imgsearch_error *err;
} backup;

/* ---------------------------------------------------------------------------------- target ---- */

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;
	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Whether path is the index, or a file that lies or may lie beside it. */
static bool is_source(const sqlite_store *st, const char *path)
{
	static const char *const endings[] = { "", "-wal", "-shm", "-journal", "-lock" };
	const char *rest = st->memory                             ? NULL
		: strncmp(path, st->base.path, strlen(st->base.path)) ? NULL
															  : path + strlen(st->base.path);
	for (size_t i = 0; rest && i < sizeof endings / sizeof *endings; i++)
		if (!strcmp(rest, endings[i]))
			return true;
	return !st->memory && is_same_file(st->base.path, path);
}

static int check_target(const backup *b)
{
	struct stat info;
	const char *path = b->target.base.path;
	if (is_source(b->st, path))
		return ims_fail(b->err, IMGSEARCH_EINVAL, "%s is the index itself", path);
	bool exists = !lstat(path, &info);
	if (exists && S_ISDIR(info.st_mode))
		return ims_fail(b->err, IMGSEARCH_EINVAL, "%s is a folder", path);
	if (exists && !b->replace)
		return ims_fail(b->err, IMGSEARCH_EEXIST, "%s already exists", path);
	if (!stat(b->target.wal_path, &info) && info.st_size) /* would be taken for the copy's own */
		return ims_fail(b->err, IMGSEARCH_EBUSY,
			"%s is there: an index of this name is open, or was not closed", b->target.wal_path);
	return 0;
}

/* A new empty file with a name of its own. */
static int create_part(backup *b)
{
	enum { ENDINGS = 64 }; /* ours and, for remove_part, those of SQLite's files */
	size_t room = strlen(b->target.base.path) + ENDINGS;
	b->part = ims_alloc(room, 1);
	if (!b->part)
		return ims_nomem(b->err);
	for (unsigned i = 0;; i++) {
		snprintf(b->part, room, "%s.%ld-%u.part", b->target.base.path, (long)getpid(), i);
		int fd = open(b->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0)
			return close(fd), 0;
		if (errno != EEXIST) /* of a process that was killed, or another thread's */
			return ims_fail_errno(b->err, IMGSEARCH_EIO, "%s: no file can be made beside it",
				b->target.base.path);
	}
}

static void remove_part(backup *b)
{
	static const char *const endings[] = { "", "-wal", "-shm", "-journal" };
	char *end = b->part + strlen(b->part);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		strcpy(end, endings[i]);
		unlink(b->part);
	}
}

/* ------------------------------------------------------------------------------------ copy ---- */

/* No journal is needed: what fails is removed as a whole. No code of the file runs. */
static int open_part(backup *b)
{
	b->to = ims_zalloc(1, sizeof *b->to);
	if (!b->to)
		return ims_nomem(b->err);
	b->to->st = &b->target;
	int rc = sqlite3_open_v2(b->part, &b->to->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (rc)
		return b->to->db ? ims_sqlite_sql_fail(b->to, rc, b->err) : ims_nomem(b->err);
	sqlite3_db_config(b->to->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(b->to->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	return ims_sqlite_exec(b->to,
		"PRAGMA trusted_schema=OFF; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", b->err);
}

/* A snapshot begins with the first read. */
static int open_source(backup *b, int64_t *page_size)
{
	int64_t roots;
	int rc = ims_sqlite_check_path(b->st, b->err);
	if (!rc)
		rc = ims_sqlite_connect(b->st, &b->from, false, b->err);
	if (!rc)
		rc = ims_sqlite_read_begin(b->from, b->err);
	if (!rc)
		rc = ims_sqlite_check_file(b->from, b->err);
	if (!rc)
		rc = ims_sqlite_check_journal(b->st, NULL, b->err);
	if (!rc)
		rc = ims_sqlite_number(b->from, &roots, 0, b->err, "SELECT count(*) FROM root", "");
	return rc ? rc : ims_sqlite_number(b->from, page_size, 4096, b->err, "PRAGMA page_size", "");
}

/* SQLite does not say which of the two files a step failed on: space and writing are the copy's. */
static int step_failed(backup *b, int sqlite)
{
	bool writing = (sqlite & 0xff) == SQLITE_FULL || sqlite == SQLITE_IOERR_WRITE;
	return ims_sqlite_sql_fail(writing ? b->to : b->from, sqlite, b->err);
}

static int copy_pages(backup *b, int64_t page_size)
{
	int pages = (int)(1 + STEP_BYTES / (page_size ? page_size : 4096));
	int sqlite = SQLITE_OK, rc = ims_job_step(b->job, "backup", 0, 0, b->err);
	if (rc)
		return rc;
	sqlite3_backup *copy = sqlite3_backup_init(b->to->db, "main", b->from->db, "main");
	if (!copy)
		return ims_sqlite_sql_fail(b->to, sqlite3_errcode(b->to->db), b->err);
	while (!rc && sqlite == SQLITE_OK) {
		sqlite = sqlite3_backup_step(copy, pages);
		uint64_t total = (uint64_t)sqlite3_backup_pagecount(copy);
		if (sqlite == SQLITE_OK || sqlite == SQLITE_DONE)
			rc = ims_job_step(b->job, "backup", total - (uint64_t)sqlite3_backup_remaining(copy),
				total, b->err);
	}
	sqlite3_backup_finish(copy);
	if (!rc && sqlite != SQLITE_DONE)
		rc = step_failed(b, sqlite);
	return rc ? rc : ims_sqlite_check_unchanged(b->from, b->err);
}

/* Roots and number as if the index had been made at the target: see docs/storage.md. */
static int place_roots(backup *b)
{
	sqlite3_stmt *s = NULL;
	int rc = ims_sqlite_query(b->from, &s, b->err,
		"SELECT id, whole(path, inside) FROM root WHERE id > 0", "");
	while (!rc && (rc = ims_sqlite_step(b->from, s, b->err)) > 0) {
		const char *way, *path = (const char *)sqlite3_column_text(s, 1);
		rc = path ? ims_sqlite_way_from_index(b->target.base.path, path, &way, b->err)
				  : ims_nomem(b->err);
		if (!rc)
			rc = ims_sqlite_run(b->to, b->err,
				"UPDATE OR IGNORE root SET path = ?2, inside = ?3 WHERE id = ?1", "ipt",
				sqlite3_column_int64(s, 0), path, way);
	}
	ims_sqlite_done(b->from, s);
	return rc ? rc : ims_sqlite_file_id_put(b->to, true, b->err);
}

/* The journal mode of an index; everything is in the file itself afterwards. */
static int settle(backup *b)
{
	int rc = ims_sqlite_exec(b->to, "PRAGMA journal_mode=WAL", b->err);
	if (rc)
		return rc;
	int sqlite = sqlite3_wal_checkpoint_v2(b->to->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return sqlite ? ims_sqlite_sql_fail(b->to, sqlite, b->err) : 0;
}

static int make_copy(backup *b)
{
	store_hold hold;
	int64_t page_size = 0;
	int rc = open_part(b);
	ims_sqlite_hold_acquire(&b->st->base, &hold);
	if (!rc)
		rc = open_source(b, &page_size);
	if (!rc)
		rc = copy_pages(b, page_size);
	if (!rc)
		rc = place_roots(b);
	if (b->from) {
		ims_sqlite_read_end(b->from);
		ims_sqlite_disconnect(b->from);
	}
	ims_sqlite_hold_release(&b->st->base, &hold);
	if (!rc)
		rc = settle(b);
	ims_sqlite_disconnect(b->to);
	return rc;
}

/* --------------------------------------------------------------------------------- publish ---- */

/* name: of the target, which the user knows. */
static int sync_path(const char *path, int flags, const char *name, imgsearch_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	int rc = fd < 0 || (fsync(fd) && errno != EINVAL) /* EINVAL: a folder that needs no sync */
		? ims_fail_errno(err, IMGSEARCH_EIO, "%s", name)
		: 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Gives the file its name unless there is one of that name. 0, or -1 with errno. */
static int rename_new(const char *part, const char *path)
{
	if (!renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (!link(part, path)) /* a file system without that flag */
		return unlink(part);
	if (errno == EEXIST)
		return -1;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); /* nor with links */
	if (fd < 0)
		return -1;
	close(fd);
	return rename(part, path);
}

static int publish(backup *b)
{
	const char *path = b->target.base.path;
	int rc = sync_path(b->part, 0, path, b->err);
	if (!rc)
		rc = check_target(b); /* it may have appeared meanwhile */
	if (rc)
		return rc;
	if (b->replace ? rename(b->part, path) : rename_new(b->part, path))
		return errno == EEXIST ? ims_fail(b->err, IMGSEARCH_EEXIST, "%s already exists", path)
							   : ims_fail_errno(b->err, IMGSEARCH_EIO, "%s", path);
	return sync_path(b->target.folder, O_DIRECTORY, path, b->err);
}

static int run(backup *b)
{
	int rc = check_target(b);
	if (!rc)
		rc = create_part(b);
	if (rc)
		return rc;
	rc = make_copy(b);
	if (!rc)
		rc = publish(b);
	remove_part(b);
	return rc;
}

/* Names the target, for which SQLite and the job have no name or another one. */
static void name_target(const backup *b, int rc, imgsearch_error *why)
{
	bool stopped = rc == IMGSEARCH_ECANCELED || rc == IMGSEARCH_EDEADLINE;
	const char *reason = stopped ? ims_stop_text(rc) : "the disk is full";
	if (b->part && (stopped || (rc == IMGSEARCH_EIO && why->detail == ENOSPC)))
		snprintf(why->message, sizeof why->message, "%s: %s; the copy is removed",
			b->target.base.path, reason);
}

int ims_sqlite_backup(store *base, const char *path, bool replace, job *j, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	imgsearch_error why = { 0 };
	backup b = { .st = st, .replace = replace, .job = j, .err = &why };
	if (!*path || !strcmp(path, ":memory:"))
		return ims_fail(err, IMGSEARCH_EINVAL, "a backup needs the name of a file");
	int rc = ims_sqlite_paths(&b.target, path, &why);
	if (!rc)
		rc = run(&b);
	name_target(&b, rc, &why);
	if (rc && err)
		*err = why;
	ims_free(b.part);
	ims_sqlite_paths_free(&b.target);
	return rc;
}
