/*
 * Attaches the columns of a CSV: finds the pictures that each row names, and writes the row's cells
 * to them.
 */
#include "ingest/columns.h"

#include "base/path.h"
#include "files/csv.h"
#include "files/names.h"
#include "ingest/content_table.h"
#include "store/record.h"

#include <string.h>

enum { BLOCK = 512 }; /* pictures that are written at once */

typedef struct columns {
	imgsearch *s; /* NULL: only the header is checked */
	const imgsearch_index_update_options *options;
	imgsearch_error *err;
	path_names pictures; /* path to id; of a duplicate and another name, to its twin's, negative */
	content_table own;   /* ids of pictures that a row named by their own paths */
	char **header;
	size_t n;
	int key, title;
	store_columns block[BLOCK]; /* to be written; each owns its values */
	size_t n_block;
	uint64_t rows, matched;
	uint64_t invalid;       /* values of a fact that are none, of rows that name a picture */
	imgsearch_error reason; /* of the first one */
} columns;

/* The columns of a duplicate, and of another name, are those of its twin. */
static int add_picture(void *user, const store_picture *p, const char *root_path)
{
	columns *c = user;
	bool same = p->state == IMGSEARCH_STATE_DUPLICATE || p->state == IMGSEARCH_STATE_LINK;
	if (p->state != IMGSEARCH_STATE_INDEXED && !same)
		return 0;
	char *path = ims_path_join(p->root ? root_path : NULL, p->path);
	int64_t id = same ? -p->same_as : p->id;
	return ims_path_names_add(&c->pictures, path, id) ? ims_nomem(c->err) : 0;
}

static int find_column(char *const *header, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(header[i], name))
			return (int)i;
	return -1;
}

static int read_header(columns *c, char **field, size_t n)
{
	const imgsearch_index_update_options *o = c->options;
	const char *key = o->csv_key ? o->csv_key : "file",
			   *title = o->csv_title ? o->csv_title : "title";
	c->header = ims_zalloc(n, sizeof *c->header);
	for (size_t i = 0; c->header && i < n; i++, c->n++)
		if (!(c->header[i] = ims_strdup(field[i])))
			return ims_nomem(c->err);
	if (!c->header)
		return ims_nomem(c->err);
	c->key = find_column(c->header, n, key);
	c->title = find_column(c->header, n, title);
	if (c->key < 0)
		return ims_fail(c->err, IMGSEARCH_EINVAL,
			"no column \"%s\" for the key; its first one is \"%s\"", key, c->header[0]);
	if (o->csv_title && c->title < 0)
		return ims_fail(c->err, IMGSEARCH_EINVAL, "no column \"%s\" for the title", title);
	return 0;
}

/*
 * Notes values that cannot be compared, and do not count where the picture says something itself. A
 * zone may well be something else in a CSV.
 */
static void check_values(columns *c, size_t line, char *const *field)
{
	for (size_t i = 0; i < c->n; i++) {
		int fact = ims_fact_find(c->header[i]);
		if (fact < 0 || fact == FACT_ZONE || !*field[i] || ims_fact_is_valid(fact, field[i]))
			continue;
		if (!c->invalid++)
			ims_fail(&c->reason, IMGSEARCH_EFORMAT, "line %zu: \"%s\" is no %s", line, field[i],
				ims_fact_names[fact]);
	}
}

static void clear_block(columns *c)
{
	for (size_t i = 0; i < c->n_block; i++) {
		for (size_t k = 0; k < c->n; k++)
			ims_free((char *)c->block[i].value[k]);
		ims_free((void *)c->block[i].value);
	}
	c->n_block = 0;
}

static int write_block(columns *c)
{
	int rc = c->n_block ? ims_store_columns_put(c->s->store, c->block, c->n_block, c->err) : 0;
	clear_block(c);
	return rc;
}

/* Whether a row is for a picture: one that names its own path counts before those of its copies. */
static int is_for(columns *c, int64_t value, bool *is)
{
	content_key key = { { (uint64_t)(value < 0 ? -value : value), 1 } };
	*is = value >= 0 || ims_contents_find(&c->own, key) == CONTENT_NONE;
	return value > 0 && ims_contents_add(&c->own, key, value) ? ims_nomem(c->err) : 0;
}

/* The fields are those of the reader of the file, so they are copied. */
static int add_columns(columns *c, int64_t id, char *const *field)
{
	char **value = ims_zalloc(c->n, sizeof *value);
	bool copied = value;
	for (size_t i = 0; copied && i < c->n; i++)
		copied = (value[i] = ims_strdup(field[i])) != NULL;
	if (value)
		c->block[c->n_block++] = (store_columns){
			.id = id,
			.name = (const char *const *)c->header,
			.value = (const char *const *)value,
			.n = c->n,
			.title = c->title,
		};
	if (!copied)
		return ims_nomem(c->err);
	return c->n_block == BLOCK ? write_block(c) : 0;
}

static int read_record(void *user, size_t line, char **field, size_t n)
{
	columns *c = user;
	if (!c->header)
		return read_header(c, field, n);
	if (!c->s)
		return 1;
	if (n != c->n)
		return ims_fail(c->err, IMGSEARCH_EFORMAT, "line %zu: %zu columns, the header has %zu",
			line, n, c->n);
	const path_name *found = NULL;
	bool matched = false;
	int rc = 0;
	c->rows++;
	while (!rc && (found = ims_path_names_find(&c->pictures, field[c->key], found))) {
		matched = true;
		int64_t id = found->value < 0 ? -found->value : found->value;
		bool is = false;
		rc = is_for(c, found->value, &is);
		if (!rc && is)
			rc = add_columns(c, id, field);
	}
	c->matched += matched;
	if (matched)
		check_values(c, line, field);
	return rc;
}

static int read_file(columns *c)
{
	const char *path = c->options->csv;
	int rc = ims_csv_read(path, read_record, c, c->err);
	if (!rc && !c->header)
		return ims_fail(c->err, IMGSEARCH_EFORMAT, "%s: empty: a header row is needed", path);
	if (!rc)
		rc = write_block(c);
	return rc < 0 ? rc : 0;
}

static void free_columns(columns *c)
{
	clear_block(c);
	ims_contents_free(&c->own);
	for (size_t i = 0; i < c->n; i++)
		ims_free(c->header[i]);
	ims_free(c->header);
	ims_path_names_free(&c->pictures);
}

int ims_columns_check(const imgsearch_index_update_options *options, imgsearch_error *err)
{
	columns c = { .options = options, .err = err };
	ims_contents_init(&c.own);
	int rc = read_file(&c);
	free_columns(&c);
	return rc;
}

int ims_columns_attach(imgsearch *s, const imgsearch_index_update_options *options, job *j,
	imgsearch_error *err)
{
	columns c = { .s = s, .options = options, .err = err };
	int rc = ims_store_tx_begin(s->store, err);
	if (rc)
		return rc;
	ims_contents_init(&c.own);
	rc = ims_store_each_picture(s->store, 0, add_picture, &c, err);
	ims_path_names_sort(&c.pictures);
	if (!rc)
		rc = read_file(&c);
	rc = ims_handle_tx_end(s, rc, err);
	if (!rc)
		ims_job_log(j, c.matched < c.rows ? IMGSEARCH_LOG_WARNING : IMGSEARCH_LOG_INFO,
			"%s: %llu of %llu rows name a picture of the index", options->csv,
			(unsigned long long)c.matched, (unsigned long long)c.rows);
	if (!rc && c.invalid)
		ims_job_log(j, IMGSEARCH_LOG_WARNING,
			"%s: %s%s; where the picture itself has a value, that counts", options->csv,
			c.reason.message, c.invalid > 1 ? ", and others like it" : "");
	free_columns(&c);
	return rc;
}
