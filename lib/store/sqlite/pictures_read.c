/* Reads pictures: one by id, path or content, all in order of path, and those below a folder. */
#include "store/sqlite/pictures.h"
#include "store/sqlite/sql.h"

#include <stdlib.h>
#include <string.h>

int ims_sqlite_picture_row(sqlite3_stmt *s, store_picture *out, imgsearch_error *err)
{
	*out = (store_picture){
		.id = sqlite3_column_int64(s, 0),
		.root = sqlite3_column_int64(s, 1),
		.size = (uint64_t)sqlite3_column_int64(s, 3),
		.mtime = { sqlite3_column_int64(s, 4), sqlite3_column_int64(s, 11) },
		.state = (uint32_t)sqlite3_column_int64(s, 5),
		.width = (uint32_t)sqlite3_column_int64(s, 7),
		.height = (uint32_t)sqlite3_column_int64(s, 8),
		.same_as = sqlite3_column_int64(s, 10),
		.ctime = { sqlite3_column_int64(s, 12), sqlite3_column_int64(s, 13) },
		.has_ctime = sqlite3_column_type(s, 12) != SQLITE_NULL,
		.same_file = sqlite3_column_int64(s, 14),
		.pixels = (uint32_t)sqlite3_column_int64(s, 15),
	};
	bool has_reason = sqlite3_column_type(s, 6) != SQLITE_NULL;
	out->path = (const char *)sqlite3_column_text(s, 2);
	out->reason = has_reason ? (const char *)sqlite3_column_text(s, 6) : NULL;
	if (!out->path || (has_reason && !out->reason))
		return ims_nomem(err);
	const void *hash = sqlite3_column_blob(s, 9);
	if (hash && sqlite3_column_bytes(s, 9) == sizeof out->hash)
		memcpy(&out->hash, hash, sizeof out->hash);
	if (out->state < IMGSEARCH_STATE_INDEXED || out->state > IMGSEARCH_STATE_LINK)
		return ims_fail(err, IMGSEARCH_EDB, "the index is damaged: picture %lld is in state %u",
			(long long)out->id, out->state);
	return 0;
}

#define SELECT_PICTURE \
	"SELECT " PICTURE_COLUMNS \
	", whole(r.path, r.inside) FROM picture p JOIN root r ON r.id = p.root "

/* The picture of the next row of SELECT_PICTURE; zeros where there is none. */
static int copy_row(conn *c, sqlite3_stmt *s, store_picture *out, imgsearch_error *err)
{
	bool failed = false;
	int rc = ims_sqlite_step(c, s, err);
	if (rc <= 0)
		return rc;
	rc = ims_sqlite_picture_row(s, out, err);
	if (rc) {
		*out = (store_picture){ 0 };
		return rc;
	}
	out->path = ims_sqlite_text(s, 2, &failed);
	out->reason = ims_sqlite_text(s, 6, &failed);
	out->root_path = ims_sqlite_text(s, PICTURE_COLUMN_COUNT, &failed);
	return failed ? ims_nomem(err) : 0;
}

/* Binds number i of what is looked up. Returns a result code of SQLite. */
typedef int bind_key(sqlite3_stmt *s, const void *keys, size_t i);

/* One statement for each key is as fast as a list of them. */
static int look_up(sqlite_store *st, const char *sql, bind_key *bind, const void *keys, size_t n,
	store_picture *out, imgsearch_error *err)
{
	conn *c;
	sqlite3_stmt *s = NULL;
	if (n)
		memset(out, 0, n * sizeof *out);
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = n > 1 ? ims_sqlite_read_begin(c, err) : 0;
	if (!rc)
		rc = ims_sqlite_query(c, &s, err, sql, "");
	for (size_t i = 0; !rc && i < n; i++) {
		sqlite3_reset(s);
		int bound = bind(s, keys, i);
		rc = bound ? ims_sqlite_sql_fail(c, bound, err) : copy_row(c, s, &out[i], err);
	}
	ims_sqlite_done(c, s);
	if (n > 1)
		ims_sqlite_read_end(c);
	ims_sqlite_release(st, c);
	if (rc)
		ims_store_pictures_clear(out, n);
	return rc;
}

static int bind_id(sqlite3_stmt *s, const void *keys, size_t i)
{
	return sqlite3_bind_int64(s, 1, ((const int64_t *)keys)[i]);
}

int ims_sqlite_get(store *base, const int64_t *ids, size_t n, store_picture *out,
	imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	return look_up(st, SELECT_PICTURE "WHERE p.id = ?1", bind_id, ids, n, out, err);
}

static int bind_place(sqlite3_stmt *s, const void *keys, size_t i)
{
	const store_place *at = (const store_place *)keys + i;
	int rc = sqlite3_bind_int64(s, 1, at->root);
	return rc ? rc : sqlite3_bind_blob64(s, 2, at->path, strlen(at->path), SQLITE_STATIC);
}

int ims_sqlite_find(store *base, const store_place *at, size_t n, store_picture *out,
	imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	return look_up(st, SELECT_PICTURE "WHERE p.root = ?1 AND p.path = ?2", bind_place, at, n, out,
		err);
}

static int bind_hash(sqlite3_stmt *s, const void *keys, size_t i)
{
	const hash256 *h = (const hash256 *)keys + i;
	return sqlite3_bind_blob64(s, 1, h->byte, sizeof h->byte, SQLITE_STATIC);
}

int ims_sqlite_by_hash(store *base, const hash256 *hashes, size_t n, store_picture *out,
	imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	return look_up(st,
		SELECT_PICTURE "WHERE p.hash = ?1 AND p.state IN (1, 8)"
					   " ORDER BY p.state, p.same_as IS NOT NULL, p.id LIMIT 1",
		bind_hash, hashes, n, out, err);
}

int ims_sqlite_has_size(store *base, uint64_t size, bool *has, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	int64_t there;
	int rc = ims_sqlite_read_number(st, &there, 0, err,
		"SELECT EXISTS(SELECT 1 FROM picture WHERE size = ?1)", "i", (int64_t)size);
	*has = there != 0;
	return rc;
}

/* The picture of a row of PICTURE_COLUMNS and of the two that tell of its facts. */
static int read_known(sqlite3_stmt *s, store_picture *p, imgsearch_error *err)
{
	int rc = ims_sqlite_picture_row(s, p, err);
	p->facts_version = (uint32_t)sqlite3_column_int64(s, PICTURE_COLUMN_COUNT);
	p->sidecars = (uint64_t)sqlite3_column_int64(s, PICTURE_COLUMN_COUNT + 1);
	return rc;
}

static int each_of_root(conn *c, int64_t root, const char *root_path, uint32_t state,
	store_picture_each *each, void *user, imgsearch_error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = ims_sqlite_query(c, &s, err,
		"SELECT " PICTURE_COLUMNS
		", f.version, f.sidecars FROM picture p LEFT JOIN fact f ON f.picture = p.id"
		" WHERE p.root = ?1 AND (?2 = 0 OR p.state = ?2) ORDER BY p.path",
		"ii", root, (int64_t)state);
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		store_picture p;
		rc = read_known(s, &p, err);
		if (!rc)
			rc = each(user, &p, root_path);
	}
	ims_sqlite_done(c, s);
	return rc;
}

int ims_sqlite_each_single(store *base, store_picture_each *each, void *user, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = each_of_root(c, 0, "", 0, each, user, err);
	ims_sqlite_release(st, c);
	return rc;
}

int ims_sqlite_each_twin(store *base, store_picture_each *each, void *user, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	enum { ROOT = PICTURE_COLUMN_COUNT + 2 };
	conn *c;
	sqlite3_stmt *s = NULL;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_sqlite_query(c, &s, err,
		"WITH other(id, twin) AS (SELECT id, same_as FROM picture WHERE same_as IS NOT NULL AND"
		" state IN (2, 9)), path(id, twin) AS (SELECT * FROM other UNION ALL SELECT DISTINCT twin,"
		" twin FROM other) SELECT " PICTURE_COLUMNS ", f.version, f.sidecars, whole(r.path,"
		" r.inside) AS whole FROM path o JOIN picture p ON p.id = o.id JOIN root r ON r.id = p.root"
		" LEFT JOIN fact f ON f.picture = p.id"
		" ORDER BY o.twin, p.state <> 1, CAST(whole AS TEXT) || '/', p.path",
		"");
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		store_picture p;
		const char *root = (const char *)sqlite3_column_text(s, ROOT);
		rc = read_known(s, &p, err);
		if (!rc)
			rc = root ? each(user, &p, root) : ims_nomem(err);
	}
	rc = ims_sqlite_read_result(c, rc, err);
	ims_sqlite_done(c, s);
	ims_sqlite_release(st, c);
	return rc;
}

/* Reads root by root, since the index on (root, path) then provides the order. */
int ims_sqlite_each_picture(store *base, uint32_t state, store_picture_each *each, void *user,
	imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	sqlite3_stmt *s = NULL;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	ims_sqlite_read_ahead(c, true);
	rc = ims_sqlite_read_begin(c, err);
	if (!rc)
		rc = ims_sqlite_query(c, &s, err,
			"SELECT id, whole(path, inside) AS path FROM root ORDER BY CAST(whole(path, inside)"
			" AS TEXT) || '/'",
			"");
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		const char *path = (const char *)sqlite3_column_text(s, 1);
		rc = path ? each_of_root(c, sqlite3_column_int64(s, 0), path, state, each, user, err)
				  : ims_nomem(err);
	}
	rc = ims_sqlite_read_result(c, rc, err);
	ims_sqlite_done(c, s);
	ims_sqlite_read_end(c);
	ims_sqlite_release(st, c);
	return rc;
}

typedef struct folder_ids {
	int64_t *ids;
	size_t n, cap;
} folder_ids;

/* The ids of a root's pictures below folder: all, those below a folder of the root, or none. */
static int ids_of_root(conn *c, folder_ids *f, int64_t root, const char *root_path,
	const char *folder, imgsearch_error *err)
{
	bool all = root && ims_path_below(root_path, folder);
	const char *rest = all ? ""
		: root             ? ims_path_below(folder, root_path)
						   : folder; /* paths without a root are absolute */
	if (!rest)
		return 0;
	int length = (int)strlen(rest);
	while (length && rest[length - 1] == '/')
		length--;
	char *lower = ims_format("%.*s%s", length, rest, all ? "" : "/");
	char *upper = ims_format("%.*s0", length, rest);
	sqlite3_stmt *s = NULL;
	int rc = lower && upper ? 0 : ims_nomem(err);
	if (!rc)
		rc = ims_sqlite_query(c, &s, err,
			"SELECT CASE state WHEN 1 THEN id ELSE same_as END FROM picture WHERE root = ?1"
			" AND path >= ?2 AND (?4 OR path < ?3) AND state IN (1, 2, 9)",
			"ippi", root, lower, upper, (int64_t)all);
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0)
		rc = ims_sqlite_add_id(&f->ids, &f->n, &f->cap, sqlite3_column_int64(s, 0), err);
	ims_sqlite_done(c, s);
	ims_free(lower);
	ims_free(upper);
	return rc;
}

int ims_sqlite_ids_under(store *base, const char *folder, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	sqlite3_stmt *s = NULL;
	folder_ids f = { 0 };
	*ids = NULL;
	*n = 0;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	ims_sqlite_read_ahead(c, true);
	rc = ims_sqlite_read_begin(c, err);
	if (!rc)
		rc = ims_sqlite_query(c, &s, err, "SELECT id, whole(path, inside) FROM root", "");
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		const char *path = (const char *)sqlite3_column_text(s, 1);
		rc = path ? ids_of_root(c, &f, sqlite3_column_int64(s, 0), path, folder, err)
				  : ims_nomem(err);
	}
	ims_sqlite_done(c, s);
	ims_sqlite_read_end(c);
	ims_sqlite_release(st, c);
	if (rc) {
		ims_free(f.ids);
		return rc;
	}
	*ids = f.ids;
	*n = f.n ? ims_ids_sort(f.ids, f.n) : 0;
	return 0;
}

int ims_sqlite_unconverted(store *base, uint64_t *n, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int64_t count = 0;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_sqlite_number(c, &count, 0, err, "SELECT count(*) FROM picture WHERE pixels & 256",
		"");
	ims_sqlite_release(st, c);
	*n = (uint64_t)count;
	return rc;
}
