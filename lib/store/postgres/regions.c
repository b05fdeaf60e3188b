/* Features of parts of pictures. What hands them on and drops them is in functions.sql. */
#include "store/postgres/postgres.h"

typedef struct regions_reader {
	store_regions_each *each;
	void *user;
	size_t next; /* the number of the next row of a scan */
} regions_reader;

int ims_pg_regions_clear(store *st, imgsearch_error *err)
{
	return ims_pg_write(st, NULL, err, "SELECT ims_clear_regions()", NULL);
}

/* A row of an id, its data, and perhaps the number of the id. */
static int report(const regions_reader *reader, const pg_result *r, int row, size_t i)
{
	size_t size;
	const char *data = ims_pg_value(r, row, 1, &size);
	return reader->each(reader->user, i, ims_pg_number(r, row, 0), data, size);
}

static int read_scanned(void *user, const pg_result *r, int row, imgsearch_error *err)
{
	regions_reader *reader = user;
	(void)err;
	return report(reader, r, row, reader->next++);
}

static int read_fetched(void *user, const pg_result *r, int row, imgsearch_error *err)
{
	(void)err;
	return report(user, r, row, (size_t)ims_pg_number(r, row, 2) - 1);
}

int ims_pg_regions_scan(store *st, store_regions_each *each, void *user, imgsearch_error *err)
{
	regions_reader reader = { each, user, 0 };
	return ims_pg_read_each(st,
		"SELECT id, data FROM region r WHERE NOT EXISTS (SELECT FROM feature_kept k WHERE k.id ="
		" r.id) ORDER BY id",
		NULL, read_scanned, &reader, err);
}

int ims_pg_regions_fetch(store *st, const int64_t *ids, size_t n, store_regions_each *each,
	void *user, imgsearch_error *err)
{
	regions_reader reader = { each, user, 0 };
	pg_params p = { 0 };
	ims_pg_int8_array(&p, ids, n);
	return ims_pg_read_each(st,
		"SELECT r.id, r.data, i.number FROM unnest($1) WITH ORDINALITY AS i (id, number) JOIN"
		" region r ON r.id = i.id WHERE NOT EXISTS (SELECT FROM feature_kept k WHERE k.id = r.id)"
		" ORDER BY i.number",
		&p, read_fetched, &reader, err);
}
