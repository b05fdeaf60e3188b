/*
 * Folders become ids by one statement each, and so does the condition; then the sorted lists are
 * intersected.
 */
#include "handle/filter.h"

#include "base/ids.h"
#include "base/path.h"
#include "base/spelling.h"
#include "store/store.h"
#include "where/where.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* ----------------------------------------------------------------------------- folders ---- */

void ims_filter_folders_free(filter_folders *f)
{
	for (size_t i = 0; i < f->n; i++)
		ims_free(f->item[i]);
	ims_free(f->item);
	*f = (filter_folders){ 0 };
}

/* Becomes the owner of the folder, which is freed where it is there already. ENOMEM. */
static int add(filter_folders *f, char *folder)
{
	bool there = false;
	for (size_t i = 0; folder && i < f->n; i++)
		there |= !strcmp(f->item[i], folder);
	char **grown = folder && !there ? ims_grow(f->item, f->n, &f->cap, sizeof *grown) : NULL;
	if (!grown) {
		ims_free(folder);
		return there ? 0 : IMGSEARCH_ENOMEM;
	}
	f->item = grown;
	f->item[f->n++] = folder;
	return 0;
}

typedef struct speller {
	filter_folders *f;
	char *composed; /* of the folder that is looked for, without slashes at its end */
	size_t parts;   /* slashes in it */
} speller;

/* The length of the beginning of a path that has as many parts as the folder; 0: it has fewer. */
static size_t length_of_parts(const char *path, size_t slashes)
{
	size_t n = 0;
	for (; path[n]; n++)
		if (path[n] == '/' && !slashes--)
			return n;
	return 0;
}

/* Adds the folder as a path of the index spells it. ENOMEM. */
static int add_spelling(void *user, const store_picture *p, const char *root)
{
	speller *sp = user;
	char *path = ims_path_join(p->root ? root : NULL, p->path), *composed = NULL;
	size_t n = path ? length_of_parts(path, sp->parts) : 0;
	int rc = path ? 0 : IMGSEARCH_ENOMEM;
	if (n) {
		path[n] = 0;
		bool known = !strcmp(sp->f->item[sp->f->n - 1], path); /* neighbours are often below one */
		rc = known ? 0 : ims_spelling_compose(path, &composed);
		if (!rc && composed && !strcmp(composed, sp->composed)) {
			rc = add(sp->f, path);
			path = NULL;
		}
	}
	ims_free(composed);
	ims_free(path);
	return rc;
}

static int add_spellings(imgsearch *s, filter_folders *f, const char *folder, imgsearch_error *err)
{
	speller sp = { .f = f };
	if (ims_spelling_compose(folder, &sp.composed))
		return ims_nomem(err);
	if (!sp.composed) /* ASCII */
		return 0;
	for (size_t n = strlen(sp.composed); n > 1 && sp.composed[n - 1] == '/'; n--)
		sp.composed[n - 1] = 0;
	for (const char *c = sp.composed; *c; c++)
		sp.parts += *c == '/';
	int rc = ims_store_each_picture(s->store, 0, add_spelling, &sp, err);
	ims_free(sp.composed);
	return rc == IMGSEARCH_ENOMEM ? ims_nomem(err) : rc;
}

int ims_filter_widen(imgsearch *s, imgsearch_filter *filter, filter_folders *owned,
	imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < filter->n_folders; i++) {
		const char *folder = filter->folders[i];
		bool relative = *folder && *folder != '/';
		char *resolved = relative ? ims_path_resolve(folder) : NULL;
		rc = relative && !resolved ? IMGSEARCH_ENOMEM : add(owned, ims_strdup(folder));
		if (!rc && relative)
			rc = add(owned, ims_strdup(resolved));
		if (rc)
			rc = ims_nomem(err);
		if (!rc)
			rc = add_spellings(s, owned, relative ? resolved : folder, err);
		ims_free(resolved);
	}
	if (!rc && filter->folders) {
		filter->folders = (const char *const *)owned->item;
		filter->n_folders = owned->n;
	}
	return rc;
}

void ims_filter_tell_empty(const imgsearch_filter *filter, job *j)
{
	ims_job_log(j, IMGSEARCH_LOG_WARNING, "nothing of the index lies below %s%s",
		filter->folders[0], filter->n_folders > 1 ? ", and the other folders asked for" : "");
}

/* --------------------------------------------------------------------------------- ids ---- */

/* Appends the ids below one folder. */
static int add_folder(imgsearch *s, const char *folder, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	int64_t *below = NULL;
	size_t n_below = 0;
	int rc = ims_store_ids_under(s->store, folder, &below, &n_below, err);
	if (!rc && n_below) {
		int64_t *grown = ims_realloc(*ids, *n + n_below, sizeof *grown);
		rc = grown ? 0 : ims_nomem(err);
		if (!rc) {
			*ids = grown;
			memcpy(grown + *n, below, n_below * sizeof *below);
			*n += n_below;
		}
	}
	ims_free(below);
	return rc;
}

/* ------------------------------------------------------------------------------ conditions ---- */

bool ims_filter_has_condition(const imgsearch_filter *filter)
{
	return filter->since || filter->until || filter->columns;
}

/* Appends a comparison of the date with a wall clock; nothing for 0. */
static void put_bound(buf *text, const char *operator, int64_t seconds)
{
	struct tm t;
	const int64_t first = -62135596800, last = 253402300799; /* of the years 1 and 9999 */
	time_t clock = (time_t)(seconds < first ? first : seconds > last ? last : seconds);
	if (!seconds || !gmtime_r(&clock, &t))
		return;
	ims_buf_text(text, "%sdate %s '%04d-%02d-%02dT%02d:%02d:%02d'",
		text->len ? " and " : "", operator, t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
		t.tm_min, t.tm_sec);
}

static int parse_text(const buf *text, where **w, imgsearch_error *err)
{
	return text->failed ? ims_nomem(err) : ims_where_parse(w, (const char *)text->data, err);
}

/* The condition of a filter. That of the caller is parsed alone first, for the place of a fault. */
static int parse(const imgsearch_filter *filter, where **w, imgsearch_error *err)
{
	buf text = { 0 };
	*w = NULL;
	int rc = filter->columns ? ims_where_parse(w, filter->columns, err) : 0;
	if (rc || (!filter->since && !filter->until))
		return rc;
	ims_where_free(*w);
	*w = NULL;
	if (filter->columns)
		ims_buf_text(&text, "(%s)", filter->columns);
	put_bound(&text, ">=", filter->since);
	put_bound(&text, "<", filter->until);
	rc = parse_text(&text, w, err);
	ims_buf_free(&text);
	return rc;
}

int ims_filter_check(const imgsearch_filter *filter, imgsearch_error *err)
{
	where *w = NULL;
	int rc = ims_filter_has_condition(filter) ? parse(filter, &w, err) : 0;
	ims_where_free(w);
	return rc;
}

/* A column of the condition, with its value of the picture at work. */
typedef struct tested_column {
	int fact; /* that it is; -1: none */
	bool width, height;
	bool seen; /* a CSV has such a column */
	buf value;
} tested_column;

typedef struct tester {
	const where *w;
	tested_column *column;
	const char **value; /* of each: into its buffer; NULL: none */
	int64_t id;         /* of the picture at work, with any */
	bool any;
	int64_t *ids;
	size_t n, cap;
	imgsearch_error *err;
} tester;

static int set_value(tester *t, size_t column, const char *text)
{
	buf *to = &t->column[column].value;
	to->len = 0;
	ims_buf_put(to, text, strlen(text) + 1);
	if (to->failed)
		return ims_nomem(t->err);
	t->value[column] = (const char *)to->data;
	return 0;
}

/* The picture at work has all its values. */
static int finish(tester *t)
{
	if (!t->any || !ims_where_test(t->w, t->value))
		return 0;
	int64_t *grown = ims_grow(t->ids, t->n, &t->cap, sizeof *grown);
	if (!grown)
		return ims_nomem(t->err);
	t->ids = grown;
	t->ids[t->n++] = t->id;
	return 0;
}

static int begin(tester *t, const store_described *d)
{
	char number[16];
	int rc = 0;
	t->any = true;
	t->id = d->id;
	for (size_t i = 0; !rc && i < ims_where_columns(t->w); i++) {
		const tested_column *c = &t->column[i];
		t->value[i] = NULL;
		uint32_t side = c->width ? d->width : c->height ? d->height : 0;
		snprintf(number, sizeof number, "%u", side);
		if (side)
			rc = set_value(t, i, number);
		else if (c->fact >= 0 && d->fact[c->fact])
			rc = set_value(t, i, d->fact[c->fact]);
	}
	return rc;
}

/* A cell wins over a fact, unless it is empty. */
static int take_cell(tester *t, const store_described *d)
{
	int column = ims_where_find(t->w, d->name);
	if (column < 0)
		return 0;
	t->column[column].seen = true;
	return d->value && *d->value ? set_value(t, (size_t)column, d->value) : 0;
}

static int test_row(void *user, const store_described *d)
{
	tester *t = user;
	int rc = 0;
	if (!t->any || t->id != d->id) {
		rc = finish(t);
		if (!rc)
			rc = begin(t, d);
	}
	return rc || !d->name ? rc : take_cell(t, d);
}

static int make_tester(tester *t, const where *w, imgsearch_error *err)
{
	size_t n = ims_where_columns(w);
	*t = (tester){
		.w = w,
		.column = ims_zalloc(n, sizeof *t->column),
		.value = ims_zalloc(n, sizeof *t->value),
		.err = err,
	};
	if (!t->column || !t->value)
		return ims_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const char *name = ims_where_column(w, i);
		t->column[i].fact = ims_fact_find(name);
		t->column[i].width = strlen(name) == 5 && ims_same_letters(name, "width", 5);
		t->column[i].height = strlen(name) == 6 && ims_same_letters(name, "height", 6);
	}
	return 0;
}

/* EINVAL: a column is neither a fact nor one of a CSV. */
static int check_columns(const tester *t)
{
	for (size_t i = 0; i < ims_where_columns(t->w); i++) {
		const tested_column *c = &t->column[i];
		if (c->fact < 0 && !c->width && !c->height && !c->seen)
			return ims_fail(t->err, IMGSEARCH_EINVAL, "condition: no picture has a column \"%s\"",
				ims_where_column(t->w, i));
	}
	return 0;
}

static void free_tester(tester *t)
{
	for (size_t i = 0; t->column && i < ims_where_columns(t->w); i++)
		ims_buf_free(&t->column[i].value);
	ims_free(t->column);
	ims_free(t->value);
	ims_free(t->ids);
}

int ims_filter_matching(imgsearch *s, const imgsearch_filter *filter, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	where *w;
	tester t = { 0 };
	*ids = NULL;
	*n = 0;
	int rc = parse(filter, &w, err);
	if (rc)
		return rc;
	rc = make_tester(&t, w, err);
	if (!rc)
		rc = ims_store_each_described(s->store, test_row, &t, err);
	if (!rc)
		rc = finish(&t);
	if (!rc)
		rc = check_columns(&t);
	if (!rc && !t.ids && !(t.ids = ims_alloc(0, sizeof *t.ids)))
		rc = ims_nomem(err);
	if (!rc) {
		*ids = t.ids;
		*n = t.n;
		t.ids = NULL;
	}
	free_tester(&t);
	ims_where_free(w);
	return rc;
}

/* ------------------------------------------------------------------------------------- ids ---- */

/* The ids below the folders, or (without folders) those of the condition. */
static int first_list(imgsearch *s, const imgsearch_filter *filter, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	int rc = 0;
	if (!filter->folders)
		return ims_filter_has_condition(filter) ? ims_filter_matching(s, filter, ids, n, err) : 0;
	for (size_t i = 0; !rc && i < filter->n_folders; i++)
		rc = add_folder(s, filter->folders[i], ids, n, err);
	*n = *ids ? ims_ids_sort(*ids, *n) : 0;
	return rc;
}

/* Leaves the ids of a list for which the condition is true. */
static int keep_matching(imgsearch *s, const imgsearch_filter *filter, int64_t *ids, size_t *n,
	imgsearch_error *err)
{
	int64_t *matching;
	size_t n_matching, kept = 0;
	int rc = ims_filter_matching(s, filter, &matching, &n_matching, err);
	for (size_t i = 0; !rc && i < *n; i++)
		if (ims_id_find(matching, n_matching, ids[i], NULL))
			ids[kept++] = ids[i];
	*n = rc ? *n : kept;
	ims_free(matching);
	return rc;
}

int ims_filter_ids(imgsearch *s, const imgsearch_filter *filter, job *j, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	int64_t *below = NULL, *out = NULL;
	size_t n_below = 0, kept = 0;
	bool first = filter->folders || ims_filter_has_condition(filter);
	int rc = first_list(s, filter, &below, &n_below, err);
	if (!rc && filter->n_folders && !n_below)
		ims_filter_tell_empty(filter, j);
	if (!rc && filter->folders && ims_filter_has_condition(filter))
		rc = keep_matching(s, filter, below, &n_below, err);
	if (!rc && !filter->ids) {
		out = below;
		kept = n_below;
		below = NULL;
	}
	if (!rc && !out && !(out = ims_alloc(filter->n_ids, sizeof *out)))
		rc = ims_nomem(err);
	if (!rc && filter->ids) {
		if (filter->n_ids)
			memcpy(out, filter->ids, filter->n_ids * sizeof *out);
		size_t distinct = ims_ids_sort(out, filter->n_ids);
		for (size_t i = 0; i < distinct; i++)
			if (!first || ims_id_find(below, n_below, out[i], NULL))
				out[kept++] = out[i];
	}
	ims_free(below);
	if (rc) {
		ims_free(out);
		out = NULL;
	}
	*ids = out;
	*n = kept;
	return rc;
}
