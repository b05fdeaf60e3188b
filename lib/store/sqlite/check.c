/* Checks the integrity of the file and reports each problem as a sentence. */
#include "store/sqlite/regions.h"
#include "store/sqlite/sql.h"

#include <string.h>

typedef struct report {
	int (*each)(void *user, const char *problem);
	void *user;
	bool any;
} report;

/*
 * Reports each line of a text as a problem, but for the headings of an integrity check and the "ok"
 * of one that finds none.
 */
static int report_lines(report *to, const char *text)
{
	int rc = 0;
	for (size_t n; !rc && *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		char *line = ims_strndup(text, n);
		if (!line)
			return IMGSEARCH_ENOMEM;
		if (n && strcmp(line, "ok") && strncmp(line, "*** in database", 15)) {
			to->any = true;
			rc = to->each(to->user, line);
		}
		ims_free(line);
	}
	return rc;
}

/* Reports the first column of every row. */
static int report_rows(conn *c, report *to, const char *sql, imgsearch_error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = ims_sqlite_query(c, &s, err, sql, "");
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		const char *text = (const char *)sqlite3_column_text(s, 0);
		rc = text ? report_lines(to, text) : IMGSEARCH_ENOMEM;
		if (rc == IMGSEARCH_ENOMEM)
			ims_nomem(err);
	}
	ims_sqlite_done(c, s);
	return rc;
}

static int report_chunk(const report *to, const char *name, int64_t number, imgsearch_error *err)
{
	char *text = ims_format("searcher %s: chunk %lld is damaged", name, (long long)number);
	int rc = text ? to->each(to->user, text) : ims_nomem(err);
	ims_free(text);
	return rc;
}

static int check_chunks(conn *c, const report *to, imgsearch_error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = ims_sqlite_query(c, &s, err,
		"SELECT k.number, k.checksum, k.data, s.name FROM searcher_chunk k JOIN searcher s ON"
		" s.state = k.state",
		"");
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		const void *data = sqlite3_column_blob(s, 2);
		int size = sqlite3_column_bytes(s, 2);
		int64_t number = sqlite3_column_int64(s, 0);
		const char *name = (const char *)sqlite3_column_text(s, 3);
		if (!name || (size && !data))
			rc = ims_nomem(err);
		else if (ims_checksum(data, (size_t)size, (uint64_t)number)
			== (uint64_t)sqlite3_column_int64(s, 1))
			rc = 0;
		else
			rc = report_chunk(to, name, number, err);
	}
	ims_sqlite_done(c, s);
	return rc;
}

/* What must hold: each statement returns a sentence for each fault, at most 100. */
static const char *const rules[] = {
	"PRAGMA integrity_check(100)",
	"SELECT 'table ' || \"table\" || ': row ' || ifnull(rowid, '') || ' refers to a"
	" missing row of ' || parent FROM pragma_foreign_key_check LIMIT 100",
	"SELECT 'picture ' || id || ' is indexed but has no vector' FROM picture"
	" WHERE state = 1 AND id NOT IN (SELECT id FROM vector)"
	" AND id NOT IN (SELECT id FROM vector_next) LIMIT 100", /* a new one in a re-index */
	"SELECT 'picture ' || id || ' is a duplicate of ' || ifnull(same_as, 'nothing') || ',"
	" which is not indexed' FROM picture p"
	" WHERE state = 2 AND NOT EXISTS(SELECT 1 FROM picture q WHERE q.id = p.same_as AND"
	" q.state = 1) LIMIT 100",
	"SELECT 'picture ' || id || ' is another name of ' || ifnull(same_file, 'nothing') ||"
	" ', which is no picture with its bytes' FROM picture p"
	" WHERE state = 9 AND NOT EXISTS(SELECT 1 FROM picture q WHERE q.id = p.same_file AND"
	" q.state IN (1, 2) AND q.hash = p.hash AND ifnull(q.same_as, q.id) = p.same_as)"
	" LIMIT 100",
	"SELECT 'picture ' || id || ' is in state ' || state || ', but another name of ' ||"
	" same_file FROM picture WHERE state NOT IN (8, 9) AND same_file NOTNULL LIMIT 100",
	"SELECT 'picture ' || id || ' is deleted but has a vector' FROM picture"
	" WHERE state = 8 AND id IN (SELECT id FROM vector) LIMIT 100",
	"SELECT 'picture ' || id || ' is a deleted copy of ' || same_as || ', which is not"
	" deleted' FROM picture p WHERE state = 8 AND NOT EXISTS(SELECT 1 FROM picture q"
	" WHERE q.id = p.same_as AND q.state = 8) AND same_as IS NOT NULL LIMIT 100",
	"SELECT 'the vector of ' || id || ' is kept, but it is not deleted' FROM vector_kept k"
	" WHERE EXISTS(SELECT 1 FROM picture p WHERE p.id = k.id AND p.state <> 8)"
	" OR EXISTS(SELECT 1 FROM vector v WHERE v.id = k.id) LIMIT 100",
	"SELECT 'vectors of different lengths: ' || group_concat(DISTINCT length(data)) || '"
	" bytes' FROM (SELECT data FROM vector UNION ALL SELECT data FROM vector_kept)"
	" HAVING count(DISTINCT length(data)) > 1",
	"SELECT 'the count of ' || CASE what WHEN 101 THEN 'vectors' WHEN 102 THEN"
	" 'new vectors' WHEN 103 THEN 'kept vectors' ELSE 'pictures in state ' || what END ||"
	" ' is ' || n || ' instead of ' || is_n FROM (SELECT what, n, CASE what WHEN 101 THEN"
	" (SELECT count(*) FROM vector)"
	" WHEN 102 THEN (SELECT count(*) FROM vector_next)"
	" WHEN 103 THEN (SELECT count(*) FROM vector_kept) ELSE (SELECT count(*) FROM picture"
	" WHERE state = what) END AS is_n FROM tally WHERE what < 104)"
	" WHERE n <> is_n",
};

/* The same, where there are tables of regions. */
static const char *const region_rules[] = {
	"SELECT 'regions of ' || id || ', which has no vector' FROM region WHERE id NOT IN (SELECT id"
	" FROM vector) AND id NOT IN (SELECT id FROM vector_kept) LIMIT 100",
	"SELECT 'new regions of ' || id || ', which has no new vector' FROM region_next WHERE id NOT IN"
	" (SELECT id FROM vector_next) LIMIT 100",
	"SELECT 'regions of different lengths: ' || group_concat(DISTINCT length(data)) || ' bytes'"
	" FROM region HAVING count(DISTINCT length(data)) > 1",
	"SELECT 'the count of regions is ' || n || ' instead of ' || is_n FROM (SELECT ifnull((SELECT n"
	" FROM tally WHERE what = 104), 0) AS n, (SELECT count(*) FROM region) AS is_n) WHERE n <> "
	"is_n",
};

/* A table that cannot be read is a problem, and is told where nothing else was. */
static int report_damage(report *to, int rc, const imgsearch_error *why, imgsearch_error *err)
{
	if (rc == IMGSEARCH_EDB)
		return to->any ? 0 : report_lines(to, why->message);
	if (rc && err && why->code)
		*err = *why;
	return rc;
}

int ims_sqlite_check(store *base, store_problem_each *each, void *user, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	report to = { each, user, false };
	imgsearch_error why = { 0 };
	bool regions = false;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_sqlite_read_begin(c, err);
	for (size_t i = 0; !rc && i < sizeof rules / sizeof *rules; i++)
		rc = report_damage(&to, report_rows(c, &to, rules[i], &why), &why, err);
	if (!rc)
		rc = report_damage(&to, ims_sqlite_regions_exist(c, &regions, &why), &why, err);
	for (size_t i = 0; !rc && regions && i < sizeof region_rules / sizeof *region_rules; i++)
		rc = report_damage(&to, report_rows(c, &to, region_rules[i], &why), &why, err);
	if (!rc)
		rc = report_damage(&to, check_chunks(c, &to, &why), &why, err);
	ims_sqlite_read_end(c);
	ims_sqlite_release(st, c);
	return rc;
}
