/* What the tests of lib/collection share: indexes of drawn pictures, and a look into their file. */
#ifndef IMS_TEST_COLLECTION_H
#define IMS_TEST_COLLECTION_H

#include "scene.h"

#include <sqlite3.h>

/* photos/0.png to photos/(n-1).png, each another picture. */
static inline void draw_photos(const scene *sc, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char name[20];
		snprintf(name, sizeof name, "%u.png", i);
		photo(sc, name, i);
	}
}

static inline imgsearch *open_to(const scene *sc, bool read_only)
{
	imgsearch_error err = { 0 };
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	imgsearch *s;
	o.read_only = read_only;
	if (imgsearch_open(sc->db, &o, NULL, &s, &err))
		fail_msg("open: %s", err.message);
	return s;
}

/* Runs one statement on the file; an answer's first number is returned, else 0. */
static inline int64_t sql(const scene *sc, const char *text)
{
	sqlite3 *db;
	sqlite3_stmt *s;
	assert_int_equal(sqlite3_open(sc->db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, text, -1, &s, NULL), SQLITE_OK);
	int rc = sqlite3_step(s);
	int64_t n = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
	assert_true(rc == SQLITE_ROW || rc == SQLITE_DONE);
	sqlite3_finalize(s);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return n;
}

static inline int64_t signatures(const scene *sc)
{
	return sql(sc, "SELECT count(*) FROM signature");
}

static inline void forget_signatures(const scene *sc)
{
	sql(sc, "DELETE FROM signature");
	assert_int_equal(signatures(sc), 0);
}

#endif
