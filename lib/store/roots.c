/*
 * Roots: the folders that pictures are stored relative to. An index that lies in its root, or one folder below it
 * (photos/index.db, photos/.imgsearch/index.db), moves with it: beside the absolute path such a root has its way from
 * the index ("." or ".."), which counts once the absolute path is no folder any more. The SQL function whole(path,
 * inside) gives the path that counts.
 */
#include "store/roots.h"
#include "store/sql.h"
#include "store/transaction.h"

#include <string.h>
#include <sys/stat.h>

/* The index's folder, or the one that it lies in; NULL: there is none. */
static char *folder_of_index(const store *st, bool outer)
{
	char *folder = st->memory ? NULL : ims_strdup(st->path);
	for (int up = 0; folder && up <= outer; up++) {
		char *slash = strrchr(folder, '/');
		if (!slash || slash == folder) {
			ims_free(folder);
			return NULL;
		}
		*slash = 0;
	}
	return folder;
}

static void whole(sqlite3_context *context, int n, sqlite3_value **value)
{
	const store *st = sqlite3_user_data(context);
	const char *inside = (const char *)sqlite3_value_text(value[1]), *bytes = sqlite3_value_blob(value[0]);
	struct stat info;
	char *path = inside && bytes ? ims_strndup(bytes, (size_t)sqlite3_value_bytes(value[0])) : NULL, *moved = NULL;
	(void)n;
	if (path && (stat(path, &info) || !S_ISDIR(info.st_mode)))
		moved = folder_of_index(st, !strcmp(inside, ".."));
	ims_free(path);
	if (moved)
		sqlite3_result_blob(context, moved, (int)strlen(moved), ims_free);
	else
		sqlite3_result_value(context, value[0]);
}

int ims_store_add_functions(conn *c, imgsearch_error *err)
{
	int rc = sqlite3_create_function(c->db, "whole", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY, c->st, whole, NULL, NULL);
	return rc ? ims_store_sql_fail(c, rc, err) : 0;
}

/* How a root is found from the index that lies in it; NULL: it does not. A static string. */
static const char *way_from_index(const store *st, const char *path)
{
	static const char *const ways[] = { ".", ".." };
	const char *way = NULL;
	for (int up = 0; up < 2; up++) {
		char *folder = folder_of_index(st, up);
		if (folder && !strcmp(folder, path))
			way = ways[up];
		ims_free(folder);
	}
	return way;
}

#define AT_PATH "whole(path, inside) = ?1 AND id > 0"

int ims_store_root_add(store *st, const char *path, int64_t *id, imgsearch_error *err)
{
	conn *c;
	int rc = ims_store_writer(st, &c, err);
	if (!rc)
		rc = ims_store_number(c, id, 0, err, "SELECT id FROM root WHERE " AT_PATH, "p", path);
	if (rc || *id)
		return rc;
	rc = ims_store_run(c, err, "INSERT INTO root(path, inside) VALUES(?1, ?2)", "pt", path, way_from_index(st, path));
	*id = sqlite3_last_insert_rowid(c->db);
	return rc;
}

int ims_store_root_move(store *st, const char *from, const char *to, imgsearch_error *err)
{
	conn *c;
	int64_t there = 0;
	int rc = ims_store_writer(st, &c, err);
	if (!rc)
		rc = ims_store_number(c, &there, 0, err, "SELECT 1 FROM root WHERE " AT_PATH, "p", from);
	if (!rc && !there)
		return ims_fail(err, IMGSEARCH_ENOTFOUND, "index %s has no root %s", st->path, from);
	if (!rc)
		rc = ims_store_number(c, &there, 0, err, "SELECT 1 FROM root WHERE " AT_PATH, "p", to);
	if (!rc && there)
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s: %s is a root already", st->path, to);
	return rc ? rc : ims_store_run(c, err, "UPDATE root SET path = ?2, inside = ?3 WHERE " AT_PATH, "ppt", from, to, way_from_index(st, to));
}
