/* Attaches the columns of a CSV: finds the pictures that each row names, and writes the row's cells to them. */
#include "ingest/columns.h"

#include "base/path.h"
#include "files/csv.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 1 << 28 };

typedef struct named {
	char *path; /* absolute */
	const char *base;
	int64_t id;
} named;

typedef struct attach {
	imgsearch *s;
	const imgsearch_index_options *o;
	imgsearch_error *err;
	named *picture; /* by base name */
	size_t n, cap;
	char **header;
	size_t columns;
	int key, title;
	bool only_check;
	uint64_t rows, matched;
} attach;

static int note_picture(void *user, const store_picture *p, const char *root_path)
{
	attach *a = user;
	if (p->state != IMGSEARCH_INDEXED && p->state != IMGSEARCH_DUPLICATE)
		return 0;
	named *grown = ims_grow(a->picture, a->n, &a->cap, sizeof *grown);
	if (!grown)
		return ims_nomem(a->err);
	a->picture = grown;
	named *np = &a->picture[a->n];
	np->path = ims_picture_path(p->root ? root_path : NULL, p->path);
	if (!np->path)
		return ims_nomem(a->err);
	const char *slash = strrchr(np->path, '/');
	np->base = slash ? slash + 1 : np->path;
	np->id = p->state == IMGSEARCH_DUPLICATE ? p->same_as : p->id;
	a->n++;
	return 0;
}

static int by_base(const void *a, const void *b)
{
	return strcmp(((const named *)a)->base, ((const named *)b)->base);
}

/* Does the path end in the key, at a folder's border? */
static bool named_by(const char *path, const char *key)
{
	size_t n = strlen(path), k = strlen(key);
	return k <= n && !strcmp(path + n - k, key) && (k == n || path[n - k - 1] == '/');
}

static int find_column(char *const *header, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(header[i], name))
			return (int)i;
	return -1;
}

static int read_header(attach *a, char **fields, size_t n)
{
	const char *key = a->o->csv_key ? a->o->csv_key : "file", *title = a->o->csv_title ? a->o->csv_title : "title";
	a->header = ims_zalloc(n, sizeof *a->header);
	for (size_t i = 0; a->header && i < n; i++, a->columns++)
		if (!(a->header[i] = ims_strdup(fields[i])))
			return ims_nomem(a->err);
	if (!a->header)
		return ims_nomem(a->err);
	a->key = find_column(a->header, n, key);
	a->title = find_column(a->header, n, title);
	if (a->key < 0)
		return ims_fail(a->err, IMGSEARCH_EINVAL, "no column \"%s\"; its first one is \"%s\" (--key names another)", key, a->header[0]);
	if (a->o->csv_title && a->title < 0)
		return ims_fail(a->err, IMGSEARCH_EINVAL, "no column \"%s\" for the title", title);
	return 0;
}

static int attach_row(void *user, size_t line, char **fields, size_t n)
{
	attach *a = user;
	if (!a->header)
		return read_header(a, fields, n);
	if (a->only_check)
		return 1;
	if (n != a->columns)
		return ims_fail(a->err, IMGSEARCH_EFORMAT, "line %zu: %zu columns, the header has %zu", line, n, a->columns);
	const char *key = fields[a->key], *slash = strrchr(key, '/');
	named probe = { .base = slash ? slash + 1 : key };
	named *hit = *probe.base && a->n ? bsearch(&probe, a->picture, a->n, sizeof probe, by_base) : NULL;
	bool matched = false;
	int rc = 0;
	a->rows++;
	while (hit && hit > a->picture && !strcmp(hit[-1].base, probe.base))
		hit--;
	for (; !rc && hit && hit < a->picture + a->n && !strcmp(hit->base, probe.base); hit++) {
		if (!named_by(hit->path, key))
			continue;
		matched = true;
		rc = ims_store_columns_put(a->s->store, hit->id, (const char *const *)a->header, (const char *const *)fields, n, a->title, a->err);
	}
	a->matched += matched;
	return rc;
}

static int read_csv(attach *a)
{
	buf text = { 0 };
	int rc = ims_read_file(&text, a->o->csv, MAX_CSV, a->err);
	ims_buf_u8(&text, 0);
	if (!rc && text.failed)
		rc = ims_nomem(a->err);
	if (!rc) {
		rc = ims_csv_parse((char *)text.data, text.len - 1, attach_row, a, a->err);
		if (!rc && !a->header)
			rc = ims_fail(a->err, IMGSEARCH_EFORMAT, "empty: a header row is needed");
		if (rc < 0)
			ims_error_prefix(a->err, "%s", a->o->csv);
	}
	ims_buf_free(&text);
	return rc < 0 ? rc : 0;
}

static void free_attach(attach *a)
{
	for (size_t i = 0; i < a->n; i++)
		ims_free(a->picture[i].path);
	for (size_t i = 0; i < a->columns; i++)
		ims_free(a->header[i]);
	ims_free(a->picture);
	ims_free(a->header);
}

int ims_csv_check(imgsearch *s, const imgsearch_index_options *o, imgsearch_error *err)
{
	attach a = { .s = s, .o = o, .err = err, .only_check = true };
	int rc = read_csv(&a);
	free_attach(&a);
	return rc;
}

int ims_csv_attach(imgsearch *s, const imgsearch_index_options *o, job *j, imgsearch_error *err)
{
	attach a = { .s = s, .o = o, .err = err };
	int rc = ims_store_each_picture(s->store, 0, note_picture, &a, err);
	if (!rc && a.n)
		qsort(a.picture, a.n, sizeof *a.picture, by_base);
	if (!rc)
		rc = read_csv(&a);
	if (!rc)
		ims_job_log(j, a.matched < a.rows ? IMGSEARCH_LOG_WARNING : IMGSEARCH_LOG_INFO, "%s: %llu of %llu rows name a picture of the index",
			o->csv, (unsigned long long)a.matched, (unsigned long long)a.rows);
	free_attach(&a);
	return rc;
}
