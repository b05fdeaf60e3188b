/*
 * Opens a file: its path, whether it can be written, whether it is an index and of which version. A
 * new file is created under the writer lock, so two programs that open the same name at once get
 * one index. An older one is upgraded by the first writer, also under that lock.
 */
#include "store/sqlite/fork.h"
#include "store/sqlite/gate.h"
#include "store/sqlite/lock.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sql.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

static int no_path(const char *path, imgsearch_error *err)
{
	if (errno == ENOMEM)
		return ims_nomem(err);
	if (errno == ENOENT)
		return ims_fail(err, IMGSEARCH_ENOTFOUND, "%s: its folder does not exist", path);
	return ims_fail_errno(err, IMGSEARCH_EIO, "%s: its folder cannot be entered", path);
}

/* The folder of a path, "." where it names none; NULL: no memory. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return ims_strdup(".");
	return ims_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* What a symbolic link says, as a path from here; NULL: no memory. False: it is no link. */
static bool read_link(char **out, const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof target - 1);
	*out = NULL;
	if (n < 0)
		return false;
	target[n] = 0;
	char *folder = *target == '/' ? NULL : folder_of(path);
	*out = *target == '/' ? ims_strdup(target) : folder ? ims_path_join(folder, target) : NULL;
	ims_free(folder);
	return true;
}

/* Of a file that is not there yet: its folder, with the name behind it. */
static int resolve_new(char **out, const char *path, imgsearch_error *err)
{
	const char *slash = strrchr(path, '/');
	char *folder = folder_of(path), *full = folder ? realpath(folder, NULL) : NULL;
	int rc = full || !folder ? 0 : no_path(path, err);
	ims_free(folder);
	*out = full ? ims_path_join(full, slash ? slash + 1 : path) : NULL;
	free(full);
	return rc || *out ? rc : ims_nomem(err);
}

/*
 * The absolute path of the file, or of what shall be made. SQLite names its journal by the end of
 * links, so ours must, too, also where a link leads to nothing yet.
 */
static int resolve(char **out, const char *path, imgsearch_error *err)
{
	char *full = realpath(path, NULL), *target;
	if (full) {
		*out = ims_strdup(full);
		free(full);
		return *out ? 0 : ims_nomem(err);
	}
	if (errno != ENOENT)
		return no_path(path, err);
	if (!read_link(&target, path))
		return resolve_new(out, path, err);
	int rc = target ? resolve(out, target, err) : ims_nomem(err);
	ims_free(target);
	return rc;
}

int ims_sqlite_paths(sqlite_store *st, const char *path, imgsearch_error *err)
{
	int rc = resolve(&st->base.path, path, err);
	if (rc)
		return rc;
	st->base.label = st->base.name = st->base.path;
	const char *slash = strrchr(st->base.path, '/');
	st->folder = ims_strndup(st->base.path,
		slash == st->base.path ? 1 : (size_t)(slash - st->base.path));
	st->lock_path = ims_format("%s-lock", st->base.path);
	st->wal_path = ims_format("%s-wal", st->base.path);
	return st->folder && st->lock_path && st->wal_path ? 0 : ims_nomem(err);
}

void ims_sqlite_paths_free(sqlite_store *st)
{
	ims_free(st->base.path);
	ims_free(st->folder);
	ims_free(st->lock_path);
	ims_free(st->wal_path);
}

bool ims_sqlite_folder_writable(const sqlite_store *st)
{
	return access(st->folder, W_OK) == 0;
}

enum { FILE_EMPTY, FILE_OLDER, FILE_CURRENT };

/* Whether the file is an index; *kind is its version relative to this code. */
static int examine(conn *c, int *kind, imgsearch_error *err)
{
	const char *path = c->st->base.path;
	int64_t application, version, tables, utf8;
	int rc = ims_sqlite_number(c, &application, 0, err, "PRAGMA application_id", "");
	if (!rc)
		rc = ims_sqlite_number(c, &version, 0, err, "PRAGMA user_version", "");
	if (!rc)
		rc = ims_sqlite_number(c, &tables, 0, err, "SELECT count(*) FROM sqlite_schema", "");
	if (!rc)
		rc = ims_sqlite_number(c, &utf8, 0, err, "SELECT encoding = 'UTF-8' FROM pragma_encoding",
			"");
	if (rc)
		return rc;
	if (!application && !version && !tables)
		return *kind = FILE_EMPTY, 0;
	if (application != STORE_APPLICATION_ID || version < 1 || !utf8)
		return ims_fail(err, IMGSEARCH_EDB,
			"%s is not an imgsearch index: it is a database of another program", path);
	if (version > IMS_STORE_VERSION)
		return ims_fail(err, IMGSEARCH_EVERSION,
			"index %s was made by a newer imgsearch (format %d, this one knows up to %d)", path,
			(int)version, IMS_STORE_VERSION);
	*kind = version < IMS_STORE_VERSION ? FILE_OLDER : FILE_CURRENT;
	return 0;
}

/*
 * Pragmas that a new file needs before its first table. They change nothing in one with tables.
 * SQLite counts the pages of its cache when the size is set, by the size that they have then.
 */
static int prepare_new(conn *c, uint32_t dim, imgsearch_error *err)
{
	char *pragma =
		ims_format("PRAGMA page_size=%u; PRAGMA cache_size=-%s; PRAGMA auto_vacuum=INCREMENTAL;"
				   " PRAGMA journal_mode=WAL",
			ims_sqlite_page_size(dim), IMS_STORE_WRITER_KIB);
	if (!pragma)
		return ims_nomem(err);
	int rc = ims_sqlite_exec(c, pragma, err);
	ims_free(pragma);
	return rc;
}

static int new_settings(conn *c, const store_options *o, imgsearch_error *err)
{
	buf number = { 0 };
	ims_buf_u32(&number, o->metric);
	ims_buf_u32(&number, o->dim);
	int rc = number.failed ? ims_nomem(err) : 0;
	static const char insert[] = "INSERT OR IGNORE INTO setting(name, data) VALUES(?1, ?2)";
	if (!rc)
		rc = ims_sqlite_run(c, err, insert, "tb", "metric", number.data, (size_t)4);
	if (!rc && o->dim)
		rc = ims_sqlite_run(c, err, insert, "tb", "dim", number.data + 4, (size_t)4);
	ims_buf_free(&number);
	return rc;
}

/* Waits up to five seconds for another program that creates or upgrades the same file. */
static int lock_waiting(sqlite_store *st, imgsearch_error *err)
{
	int rc = IMGSEARCH_EBUSY;
	for (int i = 0; i < 500 && rc == IMGSEARCH_EBUSY; i++) {
		if (i)
			nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
		rc = ims_sqlite_lock(st, err);
	}
	return rc;
}

/* EIO where the disk has no room for an upgrade: the step to version 2 copies the pictures. */
static int check_room(sqlite_store *st, imgsearch_error *err)
{
	enum { A_PATH = 350 /* bytes in the file and its journal, see docs/storage.md */ };
	int64_t version, paths = 0;
	struct statvfs disk;
	int rc = ims_sqlite_number(st->writer, &version, 0, err, "PRAGMA user_version", "");
	if (rc || version != 1 || statvfs(st->base.path, &disk))
		return rc;
	rc = ims_sqlite_number(st->writer, &paths, 0, err, "SELECT count(*) FROM picture", "");
	double need = (double)paths * A_PATH, room = (double)disk.f_bavail * (double)disk.f_frsize;
	if (!rc && need > room)
		rc = ims_fail(err, IMGSEARCH_EIO,
			"index %s: its upgrade needs about %.1f MB of the disk, which has %.1f MB free",
			st->base.label, need / 1e6, room / 1e6);
	return rc;
}

/* Creates the tables, or upgrades them where there are no views that show them as they are. */
static int make(sqlite_store *st, const store_options *o, imgsearch_error *err)
{
	struct stat info;
	int rc = lock_waiting(st, err);
	if (rc)
		return rc;
	bool absent = !st->memory && stat(st->base.path, &info) != 0;
	int kind = FILE_EMPTY;
	rc = ims_sqlite_connect(st, &st->writer, true, err);
	if (!rc)
		rc = examine(st->writer, &kind, err);
	if (!rc && kind == FILE_EMPTY)
		rc = prepare_new(st->writer, o->dim, err);
	if (!rc && kind == FILE_OLDER)
		rc = check_room(st, err);
	if (!rc)
		rc = ims_sqlite_upgrade(st->writer, ims_sqlite_steps, IMS_STORE_VERSION, err);
	if (!rc && kind == FILE_EMPTY)
		rc = new_settings(st->writer, o, err);
	if (!rc && !st->memory)
		rc = ims_sqlite_learn_file_id(st->writer, err);
	if (rc) {
		ims_sqlite_disconnect(st->writer);
		st->writer = NULL;
		if (absent)
			unlink(st->base.path);
	}
	ims_sqlite_unlock(st);
	return rc;
}

int ims_sqlite_open_writer(sqlite_store *st, imgsearch_error *err)
{
	int kind = FILE_CURRENT;
	int rc = ims_sqlite_connect(st, &st->writer, true, err);
	if (!rc)
		rc = examine(st->writer, &kind, err);
	if (!rc && kind == FILE_OLDER)
		rc = check_room(st, err);
	if (!rc && kind == FILE_OLDER)
		rc = ims_sqlite_upgrade(st->writer, ims_sqlite_steps, IMS_STORE_VERSION, err);
	if (rc) {
		ims_sqlite_disconnect(st->writer);
		st->writer = NULL;
	}
	return rc;
}

static int open_file(sqlite_store *st, const store_options *o, imgsearch_error *err)
{
	struct stat info;
	if (stat(st->base.path, &info) != 0) {
		if (errno != ENOENT)
			return ims_fail_errno(err, IMGSEARCH_EIO, "index %s", st->base.label);
		if (o->must_exist || o->read_only)
			return ims_fail(err, IMGSEARCH_ENOTFOUND, "there is no index %s", st->base.label);
		return make(st, o, err);
	}
	if (!S_ISREG(info.st_mode))
		return ims_fail(err, IMGSEARCH_EDB, "%s is not an imgsearch index: it is no regular file",
			st->base.path);
	if (access(st->base.path, R_OK) != 0)
		return ims_fail_errno(err, IMGSEARCH_EIO, "index %s cannot be read", st->base.label);
	st->asked_read_only = o->read_only;
	st->base.read_only = o->read_only || access(st->base.path, W_OK) != 0
		|| !ims_sqlite_folder_writable(st);
	conn *c;
	int kind;
	int rc = ims_sqlite_check_journal_owner(st, err);
	if (!rc)
		rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = examine(c, &kind, err);
	bool readable = !rc && (kind == FILE_CURRENT || (kind == FILE_OLDER && ims_sqlite_has_views()));
	if (readable)
		ims_sqlite_release(st, c);
	else
		ims_sqlite_disconnect(c);
	if (rc || readable)
		return rc;
	if (kind == FILE_EMPTY && (o->must_exist || st->base.read_only))
		return ims_fail(err, IMGSEARCH_EDB, "%s is not an imgsearch index: it is empty",
			st->base.path);
	return make(st, o, err);
}

/* The program may have set SQLite up for one thread alone: then all its mutexes are one dummy. */
static int check_threads(imgsearch_error *err)
{
	sqlite3_mutex *a = sqlite3_mutex_alloc(SQLITE_MUTEX_FAST);
	sqlite3_mutex *b = sqlite3_mutex_alloc(SQLITE_MUTEX_FAST);
	bool dummies = a && a == b;
	if (!dummies) {
		sqlite3_mutex_free(a);
		sqlite3_mutex_free(b);
	}
	return dummies ? ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			   "SQLite is set up for one thread alone (SQLITE_CONFIG_SINGLETHREAD)")
				   : 0;
}

int ims_sqlite_open(store **out, const char *path, const store_options *o, imgsearch_error *err)
{
	*out = NULL;
	int rc = check_threads(err);
	if (rc)
		return rc;
	sqlite_store *st = ims_zalloc(1, sizeof *st);
	if (!st)
		return ims_nomem(err);
	ims_sqlite_fork_set_up();
	pthread_mutex_init(&st->mutex, NULL);
	ims_sqlite_gate_init(st);
	st->lock_fd = -1;
	st->memory = strcmp(path, ":memory:") == 0;
	st->second = o->second;
	st->base.engine = &ims_sqlite_engine;
	st->base.label = "in memory";
	st->base.name = "the index in memory";
	if (st->memory)
		rc = (st->base.path = ims_strdup(path)) ? 0 : ims_nomem(err);
	else
		rc = ims_sqlite_paths(st, path, err);
	if (!rc)
		rc = st->memory ? make(st, o, err) : open_file(st, o, err);
	if (!rc)
		rc = ims_sqlite_remember_file(st, err);
	if (rc) {
		ims_sqlite_close(&st->base);
		return rc;
	}
	*out = &st->base;
	return 0;
}

void ims_sqlite_close(store *base)
{
	sqlite_store *st = (sqlite_store *)base;
	if (!st)
		return;
	ims_sqlite_write_end(base);
	for (size_t i = 0; i < st->n_idle; i++)
		ims_sqlite_disconnect(st->idle[i]);
	ims_sqlite_disconnect(
		st->writer); /* last: the others borrow the handle of ":memory:" from it */
	ims_sqlite_remove_lock_file(st);
	ims_sqlite_gate_destroy(st);
	pthread_mutex_destroy(&st->mutex);
	ims_sqlite_paths_free(st);
	ims_free(st);
}
