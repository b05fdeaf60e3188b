/* Lists that are remembered for a root: patterns, and folders of it. */
#include "store/sql.h"
#include "store/transaction.h"

/* The statements of each list; sql.h keeps them by their address. */
typedef struct list_sql {
	const char *remove, *insert, *read;
} list_sql;

#define LIST(table) \
	{ \
		"DELETE FROM " table " WHERE root = ?1", \
			"INSERT INTO " table "(root, number, pattern) VALUES(?1, ?2, ?3)", \
			"SELECT pattern FROM " table " WHERE root = ?1 ORDER BY number" \
	}

#define FOLDERS(what) \
	{ \
		"DELETE FROM root_folder WHERE root = ?1 AND what = '" what "'", \
			"INSERT INTO root_folder(root, number, path, what) VALUES(?1, ?2, ?3, '" what "')", \
			"SELECT path FROM root_folder WHERE root = ?1 AND what = '" what "' ORDER BY number" \
	}

static const list_sql lists[] = {
	[STORE_EXCLUDE] = LIST("root_exclude"),
	[STORE_INCLUDE] = LIST("root_include"),
	[STORE_FOLLOW] = FOLDERS("follow"),
	[STORE_TIFF] = FOLDERS("tiff"),
	[STORE_VIDEO] = FOLDERS("video"),
	[STORE_PART] = FOLDERS("part"),
};

int ims_store_patterns_set(store *st, int64_t root, store_list list, const char *const *pattern,
	size_t n, imgsearch_error *err)
{
	conn *c;
	int rc = ims_store_writer(st, &c, err);
	if (!rc)
		rc = ims_store_run(c, err, lists[list].remove, "i", root);
	for (size_t i = 0; !rc && i < n; i++)
		rc = ims_store_run(c, err, lists[list].insert, "iip", root, (int64_t)i, pattern[i]);
	return rc;
}

void ims_store_patterns_free(char **pattern, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ims_free(pattern[i]);
	ims_free(pattern);
}

static bool read_pattern(void *item, sqlite3_stmt *s)
{
	bool failed = false;
	*(char **)item = ims_store_text(s, 0, &failed);
	return !failed;
}

int ims_store_patterns_get(store *st, int64_t root, store_list list, char ***pattern, size_t *n,
	imgsearch_error *err)
{
	conn *c;
	sqlite3_stmt *s = NULL;
	*pattern = NULL;
	*n = 0;
	int rc = ims_store_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_store_query(c, &s, err, lists[list].read, "i", root);
	if (!rc)
		rc = ims_store_rows(c, s, (void **)pattern, n, sizeof **pattern, read_pattern, err);
	ims_store_done(c, s);
	ims_store_release(st, c);
	if (rc) {
		ims_store_patterns_free(*pattern, *n);
		*pattern = NULL;
		*n = 0;
	}
	return rc;
}
