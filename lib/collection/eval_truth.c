/*
 * Makes the queries of an evaluation and their relevant rows: by folder, by group of
 * near-duplicates, from a CSV, from a folder of query pictures.
 */
#include "base/ids.h"
#include "base/path.h"
#include "collection/eval_state.h"
#include "collection/groups.h"
#include "files/csv.h"
#include "files/names.h"
#include "files/walk.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t row_of(const evaluation *e, int64_t id)
{
	size_t row;
	return ims_id_find(e->ids, e->n, id, &row) ? row : NO_ROW;
}

typedef struct path_reader {
	evaluation *e;
	imgsearch_error *err;
} path_reader;

static int read_path(void *user, const store_picture *p, const char *root)
{
	path_reader *to = user;
	size_t row = row_of(to->e, p->id);
	if (row == NO_ROW)
		return 0;
	to->e->path[row] = ims_path_join(p->root ? root : NULL, p->path);
	return to->e->path[row] ? 0 : ims_nomem(to->err);
}

/* ---------------------------------------------------------------------------------- labels ---- */

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? ims_strndup(path, (size_t)(slash - path)) : NULL;
}

/* Distinct folders, sorted, become the classes; each row's label is its folder's number. */
int ims_eval_label_folders(evaluation *e, imgsearch_error *err)
{
	char **folder = ims_zalloc(e->n, sizeof *folder);
	size_t n = 0;
	int rc = folder ? ims_store_each_picture(e->s->store, IMGSEARCH_STATE_INDEXED, read_path,
				 &(path_reader){ e, err }, err)
					: ims_nomem(err);
	for (size_t i = 0; !rc && i < e->n; i++)
		if (e->path[i] && strchr(e->path[i], '/') && !(folder[n++] = folder_of(e->path[i])))
			rc = ims_nomem(err);
	if (!rc && n)
		qsort(folder, n, sizeof *folder, ims_text_compare);
	size_t kept = 0;
	for (size_t i = 0; folder && i < n; i++)
		if (!rc && (!kept || strcmp(folder[kept - 1], folder[i])))
			folder[kept++] = folder[i];
		else
			ims_free(folder[i]);
	e->class_name = folder;
	e->classes = kept;
	for (size_t i = 0; !rc && i < e->n; i++) {
		char *own = e->path[i] ? folder_of(e->path[i]) : NULL;
		char **found = own ? bsearch(&own, folder, kept, sizeof *folder, ims_text_compare) : NULL;
		e->label[i] = found ? (uint32_t)(found - folder) : NO_LABEL;
		ims_free(own);
	}
	return rc;
}

int ims_eval_label_groups(evaluation *e, imgsearch_error *err)
{
	imgsearch_groups *list = NULL;
	int rc = ims_groups(e->s, &(imgsearch_groups_options){ 0 }, e->job, &list, err);
	/*
	 * A looser kind has one picture of each stricter group, so groups that share a member are
	 * merged.
	 */
	for (size_t g = 0; !rc && g < list->count; g++) {
		uint32_t label = NO_LABEL;
		for (size_t i = 0; i < list->items[g]->count; i++) {
			size_t row = row_of(e, list->items[g]->items[i]);
			if (row == NO_ROW)
				continue;
			if (label == NO_LABEL)
				label = (uint32_t)row;
			uint32_t old = e->label[row];
			for (size_t r = 0; old != NO_LABEL && r < e->n; r++)
				if (e->label[r] == old)
					e->label[r] = label;
			e->label[row] = label;
		}
	}
	imgsearch_groups_free(list);
	return rc;
}

/* --------------------------------------------------------------------------------- queries ---- */

/* Adds a query for every row that shares its label with another one. */
int ims_eval_fill_from_rows(evaluation *e, imgsearch_error *err)
{
	size_t labels = e->n > e->classes ? e->n : e->classes;
	uint32_t *members = ims_zalloc(labels, sizeof *members);
	int rc = members ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < e->n; i++)
		if (e->label[i] != NO_LABEL)
			members[e->label[i]]++;
	for (size_t i = 0; !rc && i < e->n; i++)
		if (e->label[i] != NO_LABEL && members[e->label[i]] > 1)
			rc = ims_eval_add_query(e,
				&(eval_query){ .row = i,
					.label = e->label[i],
					.group = e->classes ? e->label[i] : NO_LABEL },
				err);
	ims_free(members);
	return rc;
}

int ims_eval_add_relevant(evaluation *e, size_t row, imgsearch_error *err)
{
	size_t *grown = ims_grow(e->relevant, e->n_relevant, &e->relevant_cap, sizeof *grown);
	if (!grown)
		return ims_nomem(err);
	e->relevant = grown;
	e->relevant[e->n_relevant++] = row;
	return 0;
}

typedef struct query_files {
	const char *root;
	char **path; /* absolute */
	size_t n, cap;
	imgsearch_error *err;
} query_files;

static int add_file(void *user, const walk_entry *w)
{
	query_files *f = user;
	if (w->kind != WALK_FILE)
		return 0;
	char **grown = ims_grow(f->path, f->n, &f->cap, sizeof *grown);
	if (!grown)
		return ims_nomem(f->err);
	f->path = grown;
	f->path[f->n] = ims_path_join(f->root, w->path);
	return f->path[f->n] ? f->n++, 0 : ims_nomem(f->err);
}

/*
 * Reads the features of all files below options->queries. Files that cannot be used are removed
 * from *f and counted.
 */
static int read_queries(evaluation *e, query_files *f, imgsearch_error *err)
{
	imgsearch_input *in = NULL;
	uint8_t *bad = NULL;
	size_t kept = 0;
	f->root = e->options->queries;
	f->err = err;
	int rc = ims_walk(f->root, "", &(walk_rules){ 0 }, add_file, f, err);
	if (!rc) {
		in = ims_zalloc(f->n, sizeof *in);
		bad = ims_zalloc(f->n, 1);
		e->query_rows = ims_alloc_aligned(f->n, e->dim * sizeof(float));
		rc = in && bad && e->query_rows ? 0 : ims_nomem(err);
	}
	for (size_t i = 0; !rc && i < f->n; i++)
		in[i] = imgsearch_input_file(f->path[i]);
	if (!rc && f->n)
		rc = ims_eval_features(e, in, f->n, e->query_rows, bad, err);
	for (size_t i = 0; !rc && i < f->n; i++) {
		if (bad[i]) {
			ims_free(f->path[i]);
			continue;
		}
		memmove(e->query_rows + kept * e->dim, e->query_rows + i * e->dim, e->dim * sizeof(float));
		f->path[kept++] = f->path[i];
	}
	if (!rc)
		f->n = kept;
	ims_free(in);
	ims_free(bad);
	return rc;
}

static void free_query_files(query_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		ims_free(f->path[i]);
	ims_free(f->path);
}

/* The class whose folder has the same name as that of the path. */
static uint32_t find_class(const evaluation *e, const char *path)
{
	char *folder = folder_of(path);
	uint32_t label = NO_LABEL;
	for (size_t i = 0; folder && i < e->classes && label == NO_LABEL; i++)
		if (!strcmp(ims_path_name(e->class_name[i]), ims_path_name(folder)))
			label = (uint32_t)i;
	ims_free(folder);
	return label;
}

int ims_eval_fill_from_folder(evaluation *e, imgsearch_error *err)
{
	query_files f = { 0 };
	size_t kept = 0;
	int rc = read_queries(e, &f, err);
	for (size_t i = 0; !rc && i < f.n; i++) {
		uint32_t label = find_class(e, f.path[i]);
		if (label == NO_LABEL)
			continue;
		memmove(e->query_rows + kept++ * e->dim, e->query_rows + i * e->dim,
			e->dim * sizeof(float));
		rc = ims_eval_add_query(e, &(eval_query){ .row = NO_ROW, .label = label, .group = label },
			err);
	}
	free_query_files(&f);
	return rc;
}

/* ------------------------------------------------------------------------------------- CSV ---- */

void ims_eval_note_header(csv_doubts *d, const path_names *pictures, char **field, size_t n)
{
	for (size_t f = 1; f < n; f++)
		d->odd_header |= *field[f] && ims_path_names_find(pictures, field[f], NULL);
}

void ims_eval_note_record(csv_doubts *d, const path_names *pictures, size_t line, char **field,
	size_t n)
{
	for (size_t f = 1; f < n; f++) {
		if (!*field[f] || ims_path_names_find(pictures, field[f], NULL))
			continue;
		if (!d->unknown++) {
			d->line = line;
			snprintf(d->name, sizeof d->name, "%s", field[f]);
		}
	}
}

void ims_eval_tell_doubts(evaluation *e, const char *csv, const csv_doubts *d)
{
	if (d->odd_header)
		ims_job_log(e->job, IMGSEARCH_LOG_WARNING,
			"%s: the first line was taken for the header, though it names a picture of the index",
			csv);
	if (d->unknown)
		ims_job_log(e->job, IMGSEARCH_LOG_WARNING,
			"%s: names of no picture of the index: %llu, first %s in line %zu", csv,
			(unsigned long long)d->unknown, d->name, d->line);
}

typedef struct truth_reader {
	evaluation *e;
	path_names pictures; /* of the index, by each of their paths: to row */
	path_names queries;  /* options->queries: path to row of `rows` */
	float *rows;         /* features of the query pictures; NULL: the queries are rows */
	size_t cap;
	bool header;
	csv_doubts doubts;
	imgsearch_error *err;
} truth_reader;

/* Whether a row is the query, or relevant to it already by another of its paths. */
static bool is_counted(const evaluation *e, const eval_query *q, size_t row)
{
	bool counted = row == q->row;
	for (size_t i = q->first; !counted && i < e->n_relevant; i++)
		counted = e->relevant[i] == row;
	return counted;
}

/* Adds the rows of every picture that a field after the first names, each once. */
static int add_relevant(truth_reader *t, char **field, size_t n, eval_query *q)
{
	evaluation *e = t->e;
	int rc = 0;
	q->first = e->n_relevant;
	for (size_t f = 1; f < n; f++)
		for (const path_name *p = NULL;
			 !rc && (p = ims_path_names_find(&t->pictures, field[f], p));)
			if (!is_counted(e, q, (size_t)p->value))
				rc = ims_eval_add_relevant(e, (size_t)p->value, t->err);
	q->n = e->n_relevant - q->first;
	return rc;
}

static int add_record(void *user, size_t line, char **field, size_t n)
{
	truth_reader *t = user;
	evaluation *e = t->e;
	eval_query q = { .row = NO_ROW, .label = NO_LABEL, .group = NO_LABEL };
	if (!t->header) {
		t->header = true;
		ims_eval_note_header(&t->doubts, &t->pictures, field, n);
		return n > 1
			? 0
			: ims_fail(t->err, IMGSEARCH_EFORMAT,
				"line %zu: at least two columns are needed, a query and a relevant picture", line);
	}
	ims_eval_note_record(&t->doubts, &t->pictures, line, field, n);
	const path_name *query = ims_path_names_find(t->rows ? &t->queries : &t->pictures, field[0],
		NULL);
	if (!query)
		return 0;
	if (!t->rows)
		q.row = (size_t)query->value;
	int rc = add_relevant(t, field, n, &q);
	if (rc || !q.n)
		return rc;
	if (t->rows) {
		float *grown = ims_grow(e->query_rows, e->n_queries, &t->cap, e->dim * sizeof *grown);
		if (!grown)
			return ims_nomem(t->err);
		e->query_rows = grown;
		memcpy(e->query_rows + e->n_queries * e->dim, t->rows + (size_t)query->value * e->dim,
			e->dim * sizeof *grown);
	}
	return ims_eval_add_query(e, &q, t->err);
}

static int add_names(path_names *names, char *const *path, size_t n, imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++)
		if (path[i])
			rc = ims_path_names_add(names, ims_strdup(path[i]), (int64_t)i);
	ims_path_names_sort(names);
	return rc ? ims_nomem(err) : 0;
}

typedef struct name_reader {
	evaluation *e;
	path_names *names;
	imgsearch_error *err;
} name_reader;

static int add_path_of_row(void *user, const store_picture *p, const char *root)
{
	name_reader *t = user;
	bool shown = p->state == IMGSEARCH_STATE_INDEXED || p->state == IMGSEARCH_STATE_DUPLICATE
		|| p->state == IMGSEARCH_STATE_LINK;
	size_t row = shown ? row_of(t->e, p->same_as ? p->same_as : p->id) : NO_ROW;
	if (row == NO_ROW)
		return 0;
	char *path = ims_path_join(p->root ? root : NULL, p->path);
	return ims_path_names_add(t->names, path, (int64_t)row) ? ims_nomem(t->err) : 0;
}

int ims_eval_names(evaluation *e, path_names *out, imgsearch_error *err)
{
	name_reader t = { e, out, err };
	int rc = ims_store_each_picture(e->s->store, 0, add_path_of_row, &t, err);
	ims_path_names_sort(out);
	return rc;
}

int ims_eval_fill_from_csv(evaluation *e, imgsearch_error *err)
{
	truth_reader t = { .e = e, .err = err };
	query_files queries = { 0 };
	int rc = ims_eval_names(e, &t.pictures, err);
	if (!rc && e->options->queries) {
		rc = read_queries(e, &queries, err);
		t.rows = e->query_rows;
		e->query_rows = NULL;
		if (!rc)
			rc = add_names(&t.queries, queries.path, queries.n, err);
	}
	if (!rc)
		rc = ims_csv_read(e->options->truth, add_record, &t, err);
	if (!rc)
		ims_eval_tell_doubts(e, e->options->truth, &t.doubts);
	free_query_files(&queries);
	ims_path_names_free(&t.pictures);
	ims_path_names_free(&t.queries);
	ims_free(t.rows);
	return rc;
}
