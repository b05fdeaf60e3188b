/* Care: integrity, giving space back, the size of the file, and how to notice that another process wrote. */
#include "store/conn.h"

#include <sys/stat.h>
#include <unistd.h>

typedef struct report {
	int (*each)(void *user, const char *problem);
	void *user;
} report;

/* Every row's first column is a problem, a sentence. `fine` is what SQLite says when there is none. */
static int report_rows(conn *c, const report *to, const char *sql, const char *fine, imgsearch_error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = ims_store_query(c, &s, err, sql, "");
	while (!rc && (rc = ims_store_step(c, s, err)) > 0) {
		const char *text = (const char *)sqlite3_column_text(s, 0);
		rc = !text ? ims_nomem(err) : fine && !sqlite3_stricmp(text, fine) ? 0 : to->each(to->user, text);
	}
	ims_store_done(c, s);
	return rc;
}

static int check_chunks(store *st, conn *c, const report *to, imgsearch_error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = ims_store_query(c, &s, err, "SELECT k.number, k.checksum, k.data, s.name FROM searcher_chunk k JOIN searcher s ON s.state = k.state", "");
	while (!rc && (rc = ims_store_step(c, s, err)) > 0) {
		const void *data = sqlite3_column_blob(s, 2);
		int size = sqlite3_column_bytes(s, 2);
		int64_t number = sqlite3_column_int64(s, 0);
		rc = 0;
		if (size && !data) {
			rc = ims_nomem(err);
		} else if (ims_checksum(data, (size_t)size, (uint64_t)number) != (uint64_t)sqlite3_column_int64(s, 1)) {
			char *text = ims_format("searcher %s: chunk %lld is damaged: build it again", (const char *)sqlite3_column_text(s, 3), (long long)number);
			rc = text ? to->each(to->user, text) : ims_nomem(err);
			ims_free(text);
		}
	}
	ims_store_done(c, s);
	(void)st;
	return rc;
}

int ims_store_check(store *st, int (*each)(void *user, const char *problem), void *user, imgsearch_error *err)
{
	conn *c;
	report to = { each, user };
	int rc = ims_store_lease(st, &c, err);
	if (rc)
		return rc;
	rc = ims_store_read_begin(c, err);
	if (!rc)
		rc = report_rows(c, &to, "PRAGMA integrity_check(100)", "ok", err);
	if (!rc)
		rc = report_rows(c, &to, "SELECT 'table ' || \"table\" || ': row ' || ifnull(rowid, '') || ' refers to a missing row of ' || parent FROM pragma_foreign_key_check LIMIT 100", NULL, err);
	if (!rc)
		rc = report_rows(c, &to, "SELECT 'picture ' || id || ' is indexed but has no vector' FROM picture"
			" WHERE state = 1 AND id NOT IN (SELECT id FROM vector) LIMIT 100", NULL, err);
	if (!rc)
		rc = report_rows(c, &to, "SELECT 'picture ' || id || ' is a duplicate of ' || ifnull(same_as, 'nothing') || ', which is not indexed' FROM picture p"
			" WHERE state = 2 AND NOT EXISTS(SELECT 1 FROM picture q WHERE q.id = p.same_as AND q.state = 1) LIMIT 100", NULL, err);
	if (!rc)
		rc = report_rows(c, &to, "SELECT 'vectors of different lengths: ' || group_concat(DISTINCT length(data)) || ' bytes' FROM vector"
			" HAVING count(DISTINCT length(data)) > 1", NULL, err);
	if (!rc)
		rc = report_rows(c, &to, "SELECT 'the count of ' || CASE what WHEN 8 THEN 'vectors' WHEN 9 THEN 'new vectors' ELSE 'pictures in state ' || what END ||"
			" ' is ' || n || ' instead of ' || is_n FROM (SELECT what, n, CASE what WHEN 8 THEN (SELECT count(*) FROM vector)"
			" WHEN 9 THEN (SELECT count(*) FROM vector_next) ELSE (SELECT count(*) FROM picture WHERE state = what) END AS is_n FROM tally)"
			" WHERE n <> is_n", NULL, err);
	if (!rc)
		rc = check_chunks(st, c, &to, err);
	ims_store_read_end(c);
	ims_store_return(st, c);
	return rc;
}

/* Some 64 MiB a call. The checkpoint does not wait for readers: what they still need stays in the journal. */
int ims_store_compact(store *st, imgsearch_error *err)
{
	conn *c = st->writer;
	int64_t page_size, free_pages;
	if (!atomic_load(&st->writing) || atomic_load(&st->in_tx))
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s: compacted outside of its place", st->path);
	int rc = ims_store_number(c, &page_size, 4096, err, "PRAGMA page_size", "");
	if (!rc)
		rc = ims_store_number(c, &free_pages, 0, err, "PRAGMA freelist_count", "");
	if (!rc && free_pages) {
		char *vacuum = ims_format("PRAGMA incremental_vacuum(%lld)", (long long)(67108864 / page_size));
		rc = vacuum ? ims_store_exec(c, vacuum, err) : ims_nomem(err);
		ims_free(vacuum);
	}
	if (!rc && !st->memory)
		rc = ims_store_exec(c, "PRAGMA wal_checkpoint(PASSIVE)", err);
	return rc;
}

uint64_t ims_store_bytes(store *st)
{
	struct stat info;
	conn *c;
	int64_t bytes = 0;
	if (!st->memory)
		return stat(st->path, &info) == 0 ? (uint64_t)info.st_size : 0;
	if (ims_store_lease(st, &c, NULL))
		return 0;
	ims_store_number(c, &bytes, 0, NULL, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", "");
	ims_store_return(st, c);
	return (uint64_t)bytes;
}

/*
 * A connection that believes that nobody writes sees no change: the file's time and size, and a journal that appears,
 * tell that somebody did. Then all such connections are dropped. Under the mutex.
 */
static void drop_outdated(store *st)
{
	struct stat info;
	if (stat(st->path, &info))
		return;
	int64_t now = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec + info.st_size + (access(st->wal_path, F_OK) == 0);
	if (st->watch && st->watch->immutable && st->watched != now) {
		ims_store_disconnect(st->watch);
		st->watch = NULL;
		while (st->n_idle)
			ims_store_disconnect(st->idle[--st->n_idle]);
		st->epochs++;
	}
	st->watched = now;
}

int ims_store_data_version(store *st, int64_t *version, imgsearch_error *err)
{
	int rc = 0;
	*version = atomic_load(&st->commits);
	if (st->memory)
		return 0;
	pthread_mutex_lock(&st->mutex);
	if (st->read_only)
		drop_outdated(st);
	if (!st->watch)
		rc = ims_store_connect(st, &st->watch, false, err);
	if (!rc)
		rc = ims_store_number(st->watch, version, 0, err, "PRAGMA data_version", "");
	*version += st->epochs << 32;
	pthread_mutex_unlock(&st->mutex);
	return rc;
}
