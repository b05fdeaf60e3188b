/* Patterns that are remembered for a root. */
#include "store/sql.h"
#include "store/transaction.h"

int ims_store_patterns_set(store *st, int64_t root, bool include, const char *const *pattern,
	size_t n, imgsearch_error *err)
{
	conn *c;
	int rc = ims_store_writer(st, &c, err);
	if (!rc)
		rc = ims_store_run(c, err,
			include ? "DELETE FROM root_include WHERE root = ?1"
					: "DELETE FROM root_exclude WHERE root = ?1",
			"i", root);
	for (size_t i = 0; !rc && i < n; i++)
		rc = ims_store_run(c, err,
			include ? "INSERT INTO root_include(root, number, pattern) VALUES(?1, ?2, ?3)"
					: "INSERT INTO root_exclude(root, number, pattern) VALUES(?1, ?2, ?3)",
			"iip", root, (int64_t)i, pattern[i]);
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

int ims_store_patterns_get(store *st, int64_t root, bool include, char ***pattern, size_t *n,
	imgsearch_error *err)
{
	conn *c;
	sqlite3_stmt *s = NULL;
	*pattern = NULL;
	*n = 0;
	int rc = ims_store_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_store_query(c, &s, err,
		include ? "SELECT pattern FROM root_include WHERE root = ?1 ORDER BY number"
				: "SELECT pattern FROM root_exclude WHERE root = ?1 ORDER BY number",
		"i", root);
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
