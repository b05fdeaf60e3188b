/* Looks the ids up, and copies what it finds into the result. */
#include "query/hits.h"

#include "base/path.h"
#include "base/result.h"
#include "handle/items.h"
#include "handle/paths.h"
#include "handle/regions.h"
#include "handle/space.h"
#include "store/store.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* One neighbour while it is looked up. */
typedef struct hit_row {
	imgsearch_hit *hit;
	uint32_t part; /* that matched */
	bool gone;     /* the picture is no longer indexed */
	imgsearch_columns *columns;
	imgsearch_column **column; /* the array of columns->items, with room for `cap` */
	size_t cap;
} hit_row;

typedef struct lookup {
	void *result;
	hit_row *row;
	bool columns; /* are asked for */
} lookup;

/* Appends a pointer to the list of columns; the old array stays in the result, unused. */
static int add_column(void *result, hit_row *r, imgsearch_column *column)
{
	if (r->columns->count == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 8;
		imgsearch_column **grown = ims_result_alloc(result, cap, sizeof *grown);
		if (!grown)
			return IMGSEARCH_ENOMEM;
		if (r->cap)
			memcpy(grown, r->column, r->cap * sizeof *grown);
		r->column = grown;
		r->cap = cap;
		r->columns->items = (const imgsearch_column *const *)grown;
	}
	r->column[r->columns->count++] = column;
	return 0;
}

static int add_value(void *result, hit_row *r, const char *name, const char *value, bool title)
{
	imgsearch_column *column = ims_result_alloc(result, 1, sizeof *column);
	if (!column)
		return IMGSEARCH_ENOMEM;
	column->name = ims_result_text(result, name);
	column->value = ims_result_text(result, value ? value : "");
	if (!column->name || !column->value)
		return IMGSEARCH_ENOMEM;
	if (title && *column->value)
		r->hit->title = column->value;
	return add_column(result, r, column);
}

/* Facts come behind the columns of the CSV, or into those of the same name. */
static int add_facts(void *user, size_t i, const char *const *fact)
{
	lookup *l = user;
	hit_row *r = &l->row[i];
	fact_columns f;
	int rc = 0;
	ims_fact_columns_make(&f, r->column, r->columns->count, fact);
	for (int k = 0; !rc && k < FACTS; k++) {
		if (!f.shown[k] || (f.own[k] && f.shown[k] == f.own[k]->value))
			continue;
		rc = add_value(l->result, r, ims_fact_names[k], f.shown[k],
			k == FACT_TITLE && !r->hit->title);
		if (!rc && f.own[k])
			f.own[k]->value = r->column[--r->columns->count]->value;
	}
	return rc;
}

/* The rectangle of the part that matched, unless the size of the picture is not known. */
static int add_region(void *result, hit_row *r, const store_picture *p)
{
	imgsearch_region place;
	if (!r->part || r->hit->region || !ims_region_place(r->part, p->width, p->height, &place))
		return 0;
	imgsearch_region *region = ims_result_alloc(result, 1, sizeof *region);
	if (!region)
		return IMGSEARCH_ENOMEM;
	*region = place;
	r->hit->region = region;
	return 0;
}

static int fill_path(void *user, size_t i, const store_picture *p, const char *root_path)
{
	lookup *l = user;
	hit_row *r = &l->row[i];
	r->gone = p->state != IMGSEARCH_STATE_INDEXED;
	if (add_region(l->result, r, p))
		return IMGSEARCH_ENOMEM;
	if (!r->hit->path) {
		char *path = ims_path_join(p->root ? root_path : NULL, p->path);
		r->hit->path = path ? ims_result_text(l->result, path) : NULL;
		ims_free(path);
		if (!r->hit->path)
			return IMGSEARCH_ENOMEM;
	}
	return 0;
}

static int fill_row(void *user, size_t i, const store_picture *p, const char *root_path,
	const store_cell *cell)
{
	lookup *l = user;
	int rc = fill_path(l, i, p, root_path);
	return rc || !cell ? rc
					   : add_value(l->result, &l->row[i], cell->name, cell->value, cell->title);
}

/* A vector without a row in the table of pictures is named by its id. */
static int name_by_id(void *result, imgsearch_hit *hit)
{
	char name[40];
	snprintf(name, sizeof name, "id:%lld", (long long)hit->id);
	hit->path = ims_result_text(result, name);
	return hit->path ? 0 : IMGSEARCH_ENOMEM;
}

static int look_up(lookup *l, imgsearch *s, size_t n, imgsearch_error *err)
{
	int rc = 0;
	int64_t *ids = ims_alloc(n, sizeof *ids);
	for (size_t i = 0; ids && i < n; i++) {
		ids[i] = l->row[i].hit->id;
		if (!l->columns)
			continue;
		l->row[i].columns = ims_result_alloc(l->result, 1, sizeof *l->row[i].columns);
		l->row[i].hit->columns = l->row[i].columns;
		rc = l->row[i].columns ? rc : IMGSEARCH_ENOMEM;
	}
	if (!rc && !ids)
		rc = IMGSEARCH_ENOMEM;
	if (!rc && l->columns) {
		rc = ims_store_pictures_lookup(s->store, ids, n, fill_row, l, err);
		if (!rc)
			rc = ims_store_facts_lookup(s->store, ids, n, add_facts, l, err);
	} else if (!rc) {
		rc = ims_store_paths_of(s->store, ids, n, fill_path, l, err);
	}
	for (size_t i = 0; !rc && i < n; i++)
		if (!l->row[i].hit->path)
			rc = name_by_id(l->result, l->row[i].hit);
	ims_free(ids);
	return rc == IMGSEARCH_ENOMEM ? ims_nomem(err) : rc;
}

/* Adds the other paths of the hits, and shows those that lie in the folders asked for. */
static int add_paths(lookup *l, imgsearch *s, size_t n, const imgsearch_filter *filter,
	imgsearch_error *err)
{
	store_counts counts;
	int rc = ims_store_counts(s->store, &counts, err);
	if (rc || !(counts.by_state[IMGSEARCH_STATE_DUPLICATE] + counts.by_state[IMGSEARCH_STATE_LINK]))
		return rc;
	int64_t *ids = ims_alloc(n, sizeof *ids);
	picture_paths *p = ims_zalloc(n, sizeof *p);
	rc = ids && p ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++) {
		ids[i] = l->row[i].hit->id;
		rc = ims_paths_add(&p[i], l->row[i].hit->path, ids[i]);
	}
	if (!rc)
		rc = ims_paths_read(s, ids, n, p, err);
	for (size_t i = 0; !rc && i < n; i++) {
		imgsearch_hit *hit = l->row[i].hit;
		size_t shown = filter->folders ? ims_paths_below(&p[i], filter->folders, filter->n_folders)
									   : 0;
		if (shown && !(hit->path = ims_result_text(l->result, p[i].item[shown].path)))
			rc = IMGSEARCH_ENOMEM;
		if (!rc && p[i].n > 1)
			rc = ims_paths_show(l->result, &p[i], shown, hit->path, &hit->paths);
	}
	ims_free(ids);
	ims_paths_free(p, n);
	return rc == IMGSEARCH_ENOMEM ? ims_nomem(err) : rc;
}

/* Takes the rows that are gone out of the list. */
static size_t drop_gone(imgsearch_hit **items, const hit_row *row, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (!row[i].gone)
			items[kept++] = items[i];
	return kept;
}

int ims_hits_make(void *result, imgsearch *s, imgsearch_metric metric, uint32_t fields,
	const imgsearch_filter *filter, const topk *found, imgsearch_hits **out, imgsearch_error *err)
{
	size_t n = found->n;
	bool owns = !result;
	imgsearch_hits *hits = owns ? ims_result_new(sizeof *hits)
								: ims_result_alloc(result, 1, sizeof *hits);
	result = owns ? hits : result;
	imgsearch_hit **items = hits ? ims_result_list(result, n, sizeof **items) : NULL;
	hit_row *row = ims_zalloc(n, sizeof *row);
	int rc = items && row ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++) {
		float distance = found->item[i].distance;
		*items[i] = (imgsearch_hit){
			.id = found->item[i].id,
			.score = ims_score(metric, distance),
			.distance = metric == IMGSEARCH_METRIC_IP ? NAN : sqrtf(distance),
			.chance = NAN,
		};
		row[i].hit = items[i];
		row[i].part = found->item[i].part;
	}
	if (!rc && fields != IMGSEARCH_FIELDS_IDS) {
		lookup l = { result, row, fields == IMGSEARCH_FIELDS_ALL };
		rc = look_up(&l, s, n, err);
		if (!rc)
			rc = add_paths(&l, s, n, filter, err);
	}
	if (!rc) {
		hits->count = hits->better_than_chance = drop_gone(items, row, n);
		hits->items = (const imgsearch_hit *const *)items;
	} else if (owns) {
		ims_result_free(hits);
	}
	*out = rc ? NULL : hits;
	ims_free(row);
	return rc;
}

void imgsearch_hits_free(imgsearch_hits *hits)
{
	ims_result_free(hits);
}
