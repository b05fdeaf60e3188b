/*
 * Roots: the folders that pictures are stored relative to. An index that lies in its root, or one
 * folder below it (photos/index.db, photos/.imgsearch/index.db), moves with it. Such a root has
 * beside its absolute path its way from the index ("." or ".."), which is used once the absolute
 * path is no folder any more. The SQL function whole(path, inside) returns the path to be used.
 */
#include "store/sqlite/pictures.h"
#include "store/sqlite/roots.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/transaction.h"

#include <string.h>
#include <sys/stat.h>

/*
 * The folder of the index, or with `outer` the one around it. *out is NULL where that is "/" or
 * there is no file (":memory:").
 */
static int folder_of_index(const char *index, bool outer, char **out)
{
	const char *end = strrchr(index, '/');
	if (end && outer)
		end = memrchr(index, '/', (size_t)(end - index));
	*out = NULL;
	if (!end || end == index)
		return 0;
	*out = ims_strndup(index, (size_t)(end - index));
	return *out ? 0 : IMGSEARCH_ENOMEM;
}

static bool is_folder(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* The SQL function whole(path, inside). */
static void whole(sqlite3_context *context, int n, sqlite3_value **value)
{
	(void)n;
	if (sqlite3_value_type(value[1]) == SQLITE_NULL) {
		sqlite3_result_value(context, value[0]);
		return;
	}
	const char *inside = (const char *)sqlite3_value_text(value[1]),
			   *bytes = sqlite3_value_blob(value[0]);
	char *path = ims_strndup(bytes ? bytes : "", (size_t)sqlite3_value_bytes(value[0])),
		 *moved = NULL;
	const sqlite_store *st = sqlite3_user_data(context);
	int rc = path && inside ? 0 : IMGSEARCH_ENOMEM;
	if (!rc && !is_folder(path))
		rc = folder_of_index(st->base.path, !strcmp(inside, ".."), &moved);
	ims_free(path);
	if (rc)
		sqlite3_result_error_nomem(context);
	else if (moved)
		sqlite3_result_blob(context, moved, (int)strlen(moved), ims_free);
	else
		sqlite3_result_value(context, value[0]);
}

int ims_sqlite_add_functions(conn *c, imgsearch_error *err)
{
	int rc = sqlite3_create_function(c->db, "whole", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY, c->st,
		whole, NULL, NULL);
	return rc ? ims_sqlite_sql_fail(c, rc, err) : 0;
}

int ims_sqlite_way_from_index(const char *index, const char *root, const char **way,
	imgsearch_error *err)
{
	static const char *const ways[] = { ".", ".." };
	*way = NULL;
	for (int outer = 0; outer < 2; outer++) {
		char *folder;
		if (folder_of_index(index, outer, &folder))
			return ims_nomem(err);
		if (folder && !strcmp(folder, root))
			*way = ways[outer];
		ims_free(folder);
	}
	return 0;
}

#define AT_PATH "whole(path, inside) = ?1 AND id > 0"

int ims_sqlite_root_add(store *base, const char *path, int64_t *id, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	const char *inside;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = ims_sqlite_number(c, id, 0, err, "SELECT id FROM root WHERE " AT_PATH, "p", path);
	if (rc || *id)
		return rc;
	rc = ims_sqlite_way_from_index(st->base.path, path, &inside, err);
	if (!rc)
		rc = ims_sqlite_run(c, err, "INSERT INTO root(path, inside) VALUES(?1, ?2)", "pt", path,
			inside);
	*id = sqlite3_last_insert_rowid(c->db);
	return rc;
}

int ims_sqlite_roots_settle(store *base, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	sqlite3_stmt *s = NULL;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = ims_sqlite_query(c, &s, err,
			"SELECT id, path FROM root WHERE id > 0 AND inside IS NULL", "");
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		const char *way, *path = (const char *)sqlite3_column_text(s, 1);
		rc = path ? ims_sqlite_way_from_index(st->base.path, path, &way, err) : ims_nomem(err);
		if (!rc && way)
			rc = ims_sqlite_run(c, err, "UPDATE root SET inside = ?2 WHERE id = ?1", "it",
				sqlite3_column_int64(s, 0), way);
	}
	ims_sqlite_done(c, s);
	return rc;
}

int ims_sqlite_root_move(store *base, const char *from, const char *to, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	const char *inside;
	int64_t there = 0;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = ims_sqlite_number(c, &there, 0, err, "SELECT 1 FROM root WHERE " AT_PATH, "p", from);
	if (!rc && !there)
		return ims_fail(err, IMGSEARCH_ENOTFOUND, "index %s has no root %s", st->base.label, from);
	if (!rc)
		rc = ims_sqlite_number(c, &there, 0, err, "SELECT 1 FROM root WHERE " AT_PATH, "p", to);
	if (!rc && there)
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s: %s is a root already", st->base.label,
			to);
	if (!rc)
		rc = ims_sqlite_way_from_index(st->base.path, to, &inside, err);
	return rc ? rc
			  : ims_sqlite_run(c, err, "UPDATE root SET path = ?2, inside = ?3 WHERE " AT_PATH,
				  "ppt", from, to, inside);
}

/* Removes one of each two pictures that would have one path after the merge. */
static int remove_twice(sqlite_store *st, conn *c, int64_t from, int64_t into, const char *below,
	imgsearch_error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = ims_sqlite_query(c, &s, err,
		"SELECT CASE WHEN o.state = 8 THEN i.id ELSE o.id END FROM picture i CROSS JOIN picture o"
		" ON o.root = ?2 AND o.path = CAST(?3 || '/' || i.path AS BLOB) WHERE i.root = ?1",
		"iip", from, into, below);
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0)
		rc = ims_sqlite_row_remove(st, sqlite3_column_int64(s, 0), err);
	ims_sqlite_done(c, s);
	return rc;
}

int ims_sqlite_root_merge(store *base, int64_t from, int64_t into, const char *below,
	imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = remove_twice(st, c, from, into, below, err);
	if (!rc)
		rc = ims_sqlite_run(c, err,
			"UPDATE picture SET root = ?2, path = CAST(?3 || '/' || path AS BLOB) WHERE root = ?1",
			"iip", from, into, below);
	for (store_list list = 0; !rc && list < STORE_LISTS; list++)
		rc = ims_sqlite_list_set(base, from, list, &(text_list){ 0 }, err);
	return rc ? rc : ims_sqlite_run(c, err, "DELETE FROM root WHERE id = ?1", "i", from);
}
