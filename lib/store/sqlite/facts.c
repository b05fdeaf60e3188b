/* Facts of pictures: a row for each indexed one whose file was read. */
#include "store/sqlite/facts.h"

#include "store/sqlite/pictures.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/transaction.h"

/* In the order of the enumeration in base/facts.h. */
#define FACT_COLUMNS \
	"f.date, f.zone, f.date_from, f.camera, f.lens, f.latitude, f.longitude, f.rating," \
	" f.keywords, f.title, f.description"

int ims_sqlite_facts_put(sqlite_store *st, int64_t id, const facts *f, uint32_t version,
	uint64_t sidecars, imgsearch_error *err)
{
	conn *c;
	char *const *v = f->value;
	int rc = ims_sqlite_writer(st, &c, err);
	return rc
		? rc
		: ims_sqlite_run(c, err,
			"INSERT OR REPLACE INTO fact(picture, version, sidecars, date, zone, date_from,"
			" camera, lens, latitude, longitude, rating, keywords, title, description)"
			" SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14"
			" FROM picture WHERE id = ?1 AND state = 1",
			"iiittttttttttt", id, (int64_t)version, (int64_t)sidecars, v[FACT_DATE], v[FACT_ZONE],
			v[FACT_DATE_FROM], v[FACT_CAMERA], v[FACT_LENS], v[FACT_LATITUDE], v[FACT_LONGITUDE],
			v[FACT_RATING], v[FACT_KEYWORDS], v[FACT_TITLE], v[FACT_DESCRIPTION]);
}

int ims_sqlite_facts_inherit(conn *c, int64_t from, int64_t to, imgsearch_error *err)
{
	return ims_sqlite_run(c, err,
		"INSERT OR REPLACE INTO fact(picture, version, sidecars, date, zone, date_from, camera,"
		" lens, latitude, longitude, rating, keywords, title, description) SELECT ?2, version,"
		" sidecars, " FACT_COLUMNS " FROM fact f WHERE picture = ?1",
		"ii", from, to);
}

int ims_sqlite_facts_drop(conn *c, int64_t id, imgsearch_error *err)
{
	return ims_sqlite_run(c, err, "DELETE FROM fact WHERE picture = ?1", "i", id);
}

/* Reads the facts from column `from` on. */
static void read_facts(sqlite3_stmt *s, int from, const char *out[FACTS])
{
	for (int i = 0; i < FACTS; i++)
		out[i] = (const char *)sqlite3_column_text(s, from + i);
}

typedef struct facts_lookup {
	store_facts_each *each;
	void *user;
} facts_lookup;

static int report_facts(void *user, sqlite3_stmt *s, imgsearch_error *err)
{
	const facts_lookup *l = user;
	const char *fact[FACTS];
	(void)err;
	read_facts(s, 1, fact);
	return l->each(l->user, (size_t)sqlite3_column_int64(s, 0), fact);
}

int ims_sqlite_facts_lookup(store *base, const int64_t *ids, size_t n, store_facts_each *each,
	void *user, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	return ims_sqlite_rows_of(st, ids, n,
		"SELECT j.key, " FACT_COLUMNS
		" FROM json_each(?1) j JOIN fact f ON f.picture = j.value ORDER BY j.key",
		report_facts, &(facts_lookup){ each, user }, err);
}

int ims_sqlite_each_described(store *base, store_described_each *each, void *user,
	imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	sqlite3_stmt *s = NULL;
	enum { ID, WIDTH, HEIGHT, NAME, VALUE, FIRST_FACT };
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	ims_sqlite_read_ahead(c, true);
	rc = ims_sqlite_query(c, &s, err,
		"SELECT p.id, p.width, p.height, l.name, l.value, " FACT_COLUMNS
		" FROM picture p LEFT JOIN fact f ON f.picture = p.id"
		" LEFT JOIN cell l ON l.picture = p.id WHERE p.state = 1 ORDER BY p.id, l.number",
		"");
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		store_described d = {
			.id = sqlite3_column_int64(s, ID),
			.width = (uint32_t)sqlite3_column_int64(s, WIDTH),
			.height = (uint32_t)sqlite3_column_int64(s, HEIGHT),
			.name = (const char *)sqlite3_column_text(s, NAME),
			.value = (const char *)sqlite3_column_text(s, VALUE),
		};
		read_facts(s, FIRST_FACT, d.fact);
		rc = each(user, &d);
	}
	ims_sqlite_done(c, s);
	ims_sqlite_release(st, c);
	return rc;
}

int ims_sqlite_dated(store *base, uint64_t *n, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	int64_t count = 0;
	int rc = ims_sqlite_read_number(st, &count, 0, err,
		"SELECT CASE WHEN EXISTS(SELECT 1 FROM tally WHERE what = 8 AND n > 0) THEN (SELECT"
		" count(*) FROM fact f JOIN picture p ON p.id = f.picture WHERE f.date IS NOT NULL AND"
		" p.state = 1) ELSE (SELECT count(*) FROM fact WHERE date IS NOT NULL) END + (SELECT "
		"count(DISTINCT l.picture) FROM cell l JOIN picture p"
		" ON p.id = l.picture WHERE l.name = 'date' COLLATE NOCASE AND l.value GLOB"
		" '[0-9][0-9][0-9][0-9]*' AND p.state = 1 AND NOT EXISTS(SELECT 1 FROM fact f WHERE"
		" f.picture = l.picture AND f.date IS NOT NULL))",
		"");
	*n = (uint64_t)count;
	return rc;
}
