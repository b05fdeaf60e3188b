/* One pass over all pictures with their columns, in order of id. */
#include "handle/condition.h"

#include "where/where.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

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

/* A column of the condition, with its value of the picture at work where that is no fact. */
typedef struct tested_column {
	int fact; /* that it is; -1: none */
	bool width, height;
	bool seen; /* a CSV has such a column */
	buf value;
} tested_column;

/* What the CSV and the picture say of one fact, where the condition needs it. */
typedef struct tested_fact {
	bool needed;
	buf csv, own; /* empty: nothing */
} tested_fact;

typedef struct tester {
	const where *w;
	tested_column *column;
	tested_fact fact[FACTS];
	const char **value; /* of each column; NULL: none */
	int64_t id;         /* of the picture at work, with any */
	bool any;
	filter_value_each *each; /* called where the condition holds, with the first value */
	void *user;
	imgsearch_error *err;
} tester;

static int copy_text(buf *to, const char *text, imgsearch_error *err)
{
	to->len = 0;
	if (text && *text)
		ims_buf_put(to, text, strlen(text) + 1);
	return to->failed ? ims_nomem(err) : 0;
}

static const char *text_of(const buf *b)
{
	return b->len ? (const char *)b->data : NULL;
}

/* What the CSV and the picture say together of each fact that is needed. */
static void choose_facts(const tester *t, const char *out[FACTS], char zone[ZONE_SIZE])
{
	const char *csv[FACTS], *own[FACTS];
	for (int k = 0; k < FACTS; k++) {
		csv[k] = text_of(&t->fact[k].csv);
		own[k] = text_of(&t->fact[k].own);
	}
	ims_facts_choose(out, csv, own, zone);
}

/* The picture at work has all its values. */
static int finish(tester *t)
{
	const char *fact[FACTS];
	char zone[ZONE_SIZE];
	if (!t->any)
		return 0;
	choose_facts(t, fact, zone);
	for (size_t i = 0; i < ims_where_columns(t->w); i++) {
		const tested_column *c = &t->column[i];
		t->value[i] = c->fact >= 0 ? fact[c->fact] : text_of(&c->value);
	}
	return ims_where_test(t->w, t->value) ? t->each(t->user, t->id, t->value[0]) : 0;
}

static int begin(tester *t, const store_described *d)
{
	char number[16];
	int rc = 0;
	t->any = true;
	t->id = d->id;
	for (size_t i = 0; !rc && i < ims_where_columns(t->w); i++) {
		const tested_column *c = &t->column[i];
		uint32_t side = c->width ? d->width : c->height ? d->height : 0;
		snprintf(number, sizeof number, "%u", side);
		rc = copy_text(&t->column[i].value, side ? number : NULL, t->err);
	}
	for (int k = 0; !rc && k < FACTS; k++) {
		t->fact[k].csv.len = 0;
		if (t->fact[k].needed)
			rc = copy_text(&t->fact[k].own, d->fact[k], t->err);
	}
	return rc;
}

/* The first that is not empty counts. That of a side wins over the header. */
static int take_cell(tester *t, const store_described *d)
{
	int column = ims_where_find(t->w, d->name), fact = ims_fact_find(d->name);
	if (column >= 0)
		t->column[column].seen = true;
	if (fact >= 0 && t->fact[fact].needed && !t->fact[fact].csv.len)
		return copy_text(&t->fact[fact].csv, d->value, t->err);
	bool counts = fact < 0 && column >= 0 && d->value && *d->value;
	return counts ? copy_text(&t->column[column].value, d->value, t->err) : 0;
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

/* A date, its zone and its origin need each other, as do latitude and longitude. */
static void need_fact(tester *t, int fact)
{
	static const int first[] = { FACT_DATE, FACT_LATITUDE },
					 last[] = { FACT_DATE_FROM, FACT_LONGITUDE };
	t->fact[fact].needed = true;
	for (int group = 0; group < 2; group++)
		for (int k = first[group]; fact >= first[group] && fact <= last[group] && k <= last[group];
			 k++)
			t->fact[k].needed = true;
}

static int make_tester(tester *t, const where *w, filter_value_each *each, void *user,
	imgsearch_error *err)
{
	size_t n = ims_where_columns(w);
	*t = (tester){
		.w = w,
		.each = each,
		.user = user,
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
		if (t->column[i].fact >= 0)
			need_fact(t, t->column[i].fact);
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
	for (int k = 0; k < FACTS; k++) {
		ims_buf_free(&t->fact[k].csv);
		ims_buf_free(&t->fact[k].own);
	}
	ims_free(t->column);
	ims_free(t->value);
}

/* Calls each for the pictures for which a condition holds. */
static int each_match(imgsearch *s, const where *w, filter_value_each *each, void *user,
	imgsearch_error *err)
{
	tester t;
	int rc = make_tester(&t, w, each, user, err);
	if (!rc)
		rc = ims_store_each_described(s->store, test_row, &t, err);
	if (!rc)
		rc = finish(&t);
	if (!rc)
		rc = check_columns(&t);
	free_tester(&t);
	return rc;
}

int ims_filter_values(imgsearch *s, const char *column, filter_value_each *each, void *user,
	imgsearch_error *err)
{
	where *w = NULL;
	char *text = ims_format("has(\"%s\")", column);
	int rc = text ? ims_where_parse(&w, text, err) : ims_nomem(err);
	if (!rc)
		rc = each_match(s, w, each, user, err);
	ims_where_free(w);
	ims_free(text);
	return rc;
}

typedef struct id_list {
	int64_t *ids;
	size_t n, cap;
	imgsearch_error *err;
} id_list;

static int add_id(void *user, int64_t id, const char *value)
{
	id_list *l = user;
	(void)value;
	int64_t *grown = ims_grow(l->ids, l->n, &l->cap, sizeof *grown);
	if (!grown)
		return ims_nomem(l->err);
	l->ids = grown;
	l->ids[l->n++] = id;
	return 0;
}

int ims_filter_matching(imgsearch *s, const imgsearch_filter *filter, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	where *w;
	id_list l = { .err = err };
	*ids = NULL;
	*n = 0;
	int rc = parse(filter, &w, err);
	if (!rc)
		rc = each_match(s, w, add_id, &l, err);
	if (!rc && !l.ids && !(l.ids = ims_alloc(0, sizeof *l.ids)))
		rc = ims_nomem(err);
	if (rc) {
		ims_free(l.ids);
	} else {
		*ids = l.ids;
		*n = ims_ids_sort(l.ids, l.n);
	}
	ims_where_free(w);
	return rc;
}
