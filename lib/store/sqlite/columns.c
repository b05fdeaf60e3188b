/* Columns of a CSV: the values of a picture under the headings. */
#include "store/record.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/transaction.h"

static int put(conn *c, const store_columns *p, imgsearch_error *err)
{
	int rc = ims_sqlite_run(c, err, "DELETE FROM cell WHERE picture = ?1", "i", p->id);
	for (size_t i = 0; !rc && i < p->n; i++)
		rc = ims_sqlite_run(c, err,
			"INSERT INTO cell(picture, number, name, value, title) VALUES(?1, ?2, ?3, ?4, ?5)",
			"iitti", p->id, (int64_t)i, p->name[i], p->value[i], (int64_t)((int)i == p->title));
	return rc;
}

int ims_sqlite_columns_put(store *base, const store_columns *columns, size_t n,
	imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	for (size_t i = 0; !rc && i < n; i++)
		rc = put(c, &columns[i], err);
	return rc;
}

static bool read_column(void *item, sqlite3_stmt *s)
{
	bool failed = false;
	*(store_cell *)item = (store_cell){
		ims_sqlite_text(s, 0, &failed),
		ims_sqlite_text(s, 1, &failed),
		sqlite3_column_int(s, 2) != 0,
	};
	return !failed;
}

int ims_sqlite_columns_get(store *base, int64_t id, store_cell **out, size_t *n,
	imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	sqlite3_stmt *s = NULL;
	void *columns = NULL;
	*out = NULL;
	*n = 0;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_sqlite_query(c, &s, err,
		"SELECT name, value, title FROM cell WHERE picture = ?1 ORDER BY number", "i", id);
	if (!rc)
		rc = ims_sqlite_rows(c, s, &columns, n, sizeof **out, read_column, err);
	ims_sqlite_done(c, s);
	ims_sqlite_release(st, c);
	if (rc) {
		ims_store_columns_free(columns, *n);
		*n = 0;
		return rc;
	}
	*out = columns;
	return 0;
}
