/* Lists that are remembered for a root: patterns, and folders of it. */
#include "store/sqlite/sql.h"
#include "store/sqlite/transaction.h"

#include <string.h>

/* The statements of each list; sql.h keeps them by their address. */
typedef struct list_sql {
	const char *remove, *insert;
} list_sql;

#define LIST(table) \
	{ \
		"DELETE FROM " table " WHERE root = ?1", \
			"INSERT INTO " table "(root, number, pattern) VALUES(?1, ?2, ?3)", \
	}

#define FOLDERS(what) \
	{ \
		"DELETE FROM root_folder WHERE root = ?1 AND what = '" what "'", \
			"INSERT INTO root_folder(root, number, path, what) VALUES(?1, ?2, ?3, '" what "')", \
	}

static const list_sql lists[] = {
	[STORE_EXCLUDE] = LIST("root_exclude"),
	[STORE_INCLUDE] = LIST("root_include"),
	[STORE_FOLLOW] = FOLDERS("follow"),
	[STORE_TIFF] = FOLDERS("tiff"),
	[STORE_VIDEO] = FOLDERS("video"),
	[STORE_PART] = FOLDERS("part"),
};

int ims_sqlite_list_set(store *base, int64_t root, store_list list, const text_list *texts,
	imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = ims_sqlite_run(c, err, lists[list].remove, "i", root);
	for (size_t i = 0; !rc && i < texts->n; i++)
		rc = ims_sqlite_run(c, err, lists[list].insert, "iip", root, (int64_t)i, texts->item[i]);
	return rc;
}

/* --------------------------------------------------------------------------------- reading ---- */

static int read_roots(conn *c, store_roots *out, imgsearch_error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = ims_sqlite_query(c, &s, err,
		"SELECT id, whole(path, inside) FROM root WHERE id > 0 ORDER BY 2", "");
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		const char *path = (const char *)sqlite3_column_text(s, 1);
		rc = path ? ims_store_roots_add(out, sqlite3_column_int64(s, 0), path) : IMGSEARCH_ENOMEM;
		rc = rc ? ims_nomem(err) : 0;
	}
	ims_sqlite_done(c, s);
	return rc;
}

static int read_lists(conn *c, store_roots *out, imgsearch_error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = ims_sqlite_query(c, &s, err,
		"SELECT root, ?1, number, pattern FROM root_exclude"
		" UNION ALL SELECT root, ?2, number, pattern FROM root_include"
		" UNION ALL SELECT root, CASE what WHEN 'follow' THEN ?3 WHEN 'tiff' THEN ?4"
		" WHEN 'video' THEN ?5 WHEN 'part' THEN ?6 END, number, path FROM root_folder"
		" ORDER BY 1, 2, 3",
		"iiiiii", (int64_t)STORE_EXCLUDE, (int64_t)STORE_INCLUDE, (int64_t)STORE_FOLLOW,
		(int64_t)STORE_TIFF, (int64_t)STORE_VIDEO, (int64_t)STORE_PART);
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		store_lists *of = ims_store_roots_lists(out, sqlite3_column_int64(s, 0));
		bool failed = false, known = of && sqlite3_column_type(s, 1) != SQLITE_NULL;
		char *text = known ? ims_sqlite_text(s, 3, &failed) : NULL;
		rc = known && ims_texts_add(&of->of[sqlite3_column_int64(s, 1)], text) ? ims_nomem(err) : 0;
	}
	ims_sqlite_done(c, s);
	return rc;
}

int ims_sqlite_roots_get(store *base, store_roots *out, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	*out = (store_roots){ 0 };
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_sqlite_read_begin(c, err);
	if (!rc)
		rc = read_roots(c, out, err);
	if (!rc)
		rc = read_lists(c, out, err);
	ims_sqlite_read_end(c);
	ims_sqlite_release(st, c);
	if (rc)
		ims_store_roots_free(out);
	return rc;
}
