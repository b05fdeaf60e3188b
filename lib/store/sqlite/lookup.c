/* Looks up pictures by many ids: with their columns, their paths alone, or their other paths. */
#include "store/sqlite/pictures.h"
#include "store/sqlite/sql.h"

typedef struct picture_lookup {
	store_lookup_each *each;
	void *user;
} picture_lookup;

static int report_picture(void *user, sqlite3_stmt *s, imgsearch_error *err)
{
	enum { ROOT = PICTURE_COLUMN_COUNT, KEY, NAME, VALUE, TITLE };
	const picture_lookup *l = user;
	store_picture p;
	store_cell cell = {
		(char *)sqlite3_column_text(s, NAME),
		(char *)sqlite3_column_text(s, VALUE),
		sqlite3_column_int(s, TITLE) != 0,
	};
	const char *root = (const char *)sqlite3_column_text(s, ROOT);
	size_t i = (size_t)sqlite3_column_int64(s, KEY);
	int rc = root ? ims_sqlite_picture_row(s, &p, err) : ims_nomem(err);
	return rc ? rc : l->each(l->user, i, &p, root, cell.name ? &cell : NULL);
}

int ims_sqlite_pictures_lookup(store *base, const int64_t *ids, size_t n, store_lookup_each *each,
	void *user, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	return ims_sqlite_rows_of(st, ids, n,
		"SELECT " PICTURE_COLUMNS
		", whole(r.path, r.inside), j.key, cell.name, cell.value, cell.title"
		" FROM json_each(?1) j JOIN picture p ON p.id = j.value JOIN root r ON r.id = p.root"
		" LEFT JOIN cell ON cell.picture = p.id ORDER BY j.key, cell.number",
		report_picture, &(picture_lookup){ each, user }, err);
}

static int report_cached(const cached_path *p, int64_t id, size_t i, store_path_of *each,
	void *user)
{
	const store_picture picture = {
		.id = id,
		.root = p->root,
		.state = p->state,
		.path = p->path,
		.width = p->width,
		.height = p->height,
	};
	return p->path ? each(user, i, &picture, p->root_path) : 0;
}

/* Reads a path; keep: into the cache. */
static int read_path(conn *c, sqlite3_stmt *s, int64_t id, size_t i, bool keep, store_path_of *each,
	void *user, imgsearch_error *err)
{
	cached_path p = { 0 };
	sqlite3_reset(s);
	sqlite3_bind_int64(s, 1, id);
	int rc = ims_sqlite_step(c, s, err);
	if (rc < 0)
		return rc;
	if (rc) {
		p = (cached_path){
			.root = sqlite3_column_int64(s, 0),
			.state = (uint32_t)sqlite3_column_int64(s, 1),
			.path = (const char *)sqlite3_column_text(s, 2),
			.root_path = (const char *)sqlite3_column_text(s, 3),
			.width = (uint32_t)sqlite3_column_int64(s, 4),
			.height = (uint32_t)sqlite3_column_int64(s, 5),
		};
		if (!p.path || !p.root_path)
			return ims_nomem(err);
	}
	if (keep)
		ims_path_cache_put(&c->paths, &c->st->path_bytes, id, &p);
	return report_cached(&p, id, i, each, user);
}

/* One statement for each id is faster than a list of them. */
static int paths_of(conn *c, const int64_t *ids, size_t n, store_path_of *each, void *user,
	imgsearch_error *err)
{
	bool keep = c != c->st->writer;
	cached_path known;
	sqlite3_stmt *s = NULL;
	int rc = keep ? ims_sqlite_state_update(c, err) : 0;
	for (size_t i = 0; !rc && i < n; i++) {
		if (keep && ims_path_cache_get(&c->paths, ids[i], &known)) {
			rc = report_cached(&known, ids[i], i, each, user);
			continue;
		}
		if (!s)
			rc = ims_sqlite_query(c, &s, err,
				"SELECT p.root, p.state, p.path, whole(r.path, r.inside), p.width, p.height"
				" FROM picture p JOIN root r ON r.id = p.root WHERE p.id = ?1",
				"i", ids[i]);
		if (!rc)
			rc = read_path(c, s, ids[i], i, keep, each, user, err);
	}
	ims_sqlite_done(c, s);
	return rc;
}

int ims_sqlite_paths_of(store *base, const int64_t *ids, size_t n, store_path_of *each, void *user,
	imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_sqlite_read_begin(c, err);
	if (!rc)
		rc = paths_of(c, ids, n, each, user, err);
	ims_sqlite_read_end(c);
	ims_sqlite_release(st, c);
	return rc;
}

typedef struct path_lookup {
	store_path_each *each;
	void *user;
} path_lookup;

static int report_path(void *user, sqlite3_stmt *s, imgsearch_error *err)
{
	enum { ROOT = PICTURE_COLUMN_COUNT, KEY };
	const path_lookup *l = user;
	store_picture p;
	const char *root = (const char *)sqlite3_column_text(s, ROOT);
	size_t i = (size_t)sqlite3_column_int64(s, KEY);
	int rc = root ? ims_sqlite_picture_row(s, &p, err) : ims_nomem(err);
	return rc ? rc : l->each(l->user, i, &p, root);
}

int ims_sqlite_paths_lookup(store *base, const int64_t *ids, size_t n, store_path_each *each,
	void *user, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	return ims_sqlite_rows_of(st, ids, n,
		"SELECT " PICTURE_COLUMNS ", whole(r.path, r.inside) AS whole, j.key FROM json_each(?1) j"
		" JOIN picture p ON p.same_as = j.value JOIN root r ON r.id = p.root"
		" WHERE p.state IN (2, 9) ORDER BY j.key, CAST(whole AS TEXT) || '/', p.path",
		report_path, &(path_lookup){ each, user }, err);
}
