/*
 * One pass over all rows, in order of path, collects the ids of those that pass: of all where they
 * are to be sorted, else of the page. Then the page is read by id, so that no other read is under
 * way when the program is called. The order of given ids needs no pass.
 */
#include "handle/list.h"

#include "base/date.h"
#include "base/ids.h"
#include "base/path.h"
#include "handle/condition.h"
#include "handle/filter.h"
#include "handle/items.h"

#include <stdlib.h>
#include <string.h>

/* The value of the column that the order is by, of a picture. */
typedef struct sort_value {
	int64_t id; /* first, for ims_id_compare */
	double number;
	char date[DATE_SIZE];
} sort_value;

/* An item that passed. */
typedef struct list_entry {
	int64_t id;              /* first, for ims_id_compare */
	size_t place;            /* in order of path */
	const sort_value *value; /* NULL: it has none */
} list_entry;

typedef struct lister {
	imgsearch *s;
	const imgsearch_item_list_options *options;
	imgsearch_item_fn each;
	void *user;
	job *job;
	imgsearch_error *err;
	bool counts;  /* all that pass are counted */
	bool is_full; /* the page is, which ended the pass */
	uint64_t looked_at, passed;
	int64_t *matching; /* owned: what the condition allows; NULL: there is none */
	size_t n_matching;
	int64_t *ids; /* owned: those of the filter, sorted; NULL: it has none */
	size_t n_ids;
	sort_value *value; /* owned, by id */
	size_t n_values, cap_values;
	imgsearch_filter filter; /* with folders widened */
	filter_folders folders;
	list_entry *item; /* owned */
	size_t n, cap;
	offline_folders offline;
} lister;

/* ----------------------------------------------------------------------------------- order ---- */

static int add_value(void *user, int64_t id, const char *text)
{
	lister *l = user;
	sort_value v = { .id = id };
	char zone[ZONE_SIZE];
	bool valid = l->options->sort == IMGSEARCH_SORT_DATE ? ims_date_parse(text, v.date, zone)
														 : ims_parse_number(text, &v.number);
	if (!valid)
		return 0;
	if (l->options->sort == IMGSEARCH_SORT_DATE)
		ims_date_complete(v.date);
	sort_value *grown = ims_grow(l->value, l->n_values, &l->cap_values, sizeof *grown);
	if (!grown)
		return ims_nomem(l->err);
	l->value = grown;
	l->value[l->n_values++] = v;
	return 0;
}

static int read_values(lister *l)
{
	uint32_t sort = l->options->sort;
	int fact = sort == IMGSEARCH_SORT_DATE ? FACT_DATE : FACT_RATING;
	int rc = sort == IMGSEARCH_SORT_DATE || sort == IMGSEARCH_SORT_RATING
		? ims_filter_values(l->s, ims_fact_names[fact], add_value, l, l->err)
		: 0;
	if (!rc && l->n_values)
		qsort(l->value, l->n_values, sizeof *l->value, ims_id_compare);
	return rc;
}

static int by_place(const list_entry *a, const list_entry *b)
{
	return (a->place > b->place) - (a->place < b->place);
}

/* Those without a value come last, whichever the direction. */
static int compare(const list_entry *a, const list_entry *b, int direction)
{
	if (!a->value || !b->value)
		return a->value ? -1 : b->value ? 1 : by_place(a, b);
	int order = strcmp(a->value->date, b->value->date);
	if (!order)
		order = (a->value->number > b->value->number) - (a->value->number < b->value->number);
	return order ? direction * order : by_place(a, b);
}

static int ascending(const void *a, const void *b)
{
	return compare(a, b, 1);
}

static int descending(const void *a, const void *b)
{
	return compare(a, b, -1);
}

static int by_id_descending(const void *a, const void *b)
{
	return ims_id_compare(b, a);
}

static int by_path_descending(const void *a, const void *b)
{
	return by_place(b, a);
}

static void sort(lister *l)
{
	static int (*const orders[][2])(const void *, const void *) = {
		[IMGSEARCH_SORT_PATH] = { NULL, by_path_descending },
		[IMGSEARCH_SORT_DATE] = { ascending, descending },
		[IMGSEARCH_SORT_RATING] = { ascending, descending },
		[IMGSEARCH_SORT_ID] = { ims_id_compare, by_id_descending },
	};
	if (l->n)
		qsort(l->item, l->n, sizeof *l->item,
			orders[l->options->sort][l->options->descending != 0]);
}

/* ------------------------------------------------------------------------------------ pass ---- */

/* Of a duplicate and a link the columns are those of the indexed picture. */
static int64_t described(const store_picture *p)
{
	return p->same_as ? p->same_as : p->id;
}

/* In the folders of the filter; a relative name may begin like one. */
static bool is_below(const imgsearch_filter *f, const store_picture *p, const char *root)
{
	for (size_t i = 0; i < f->n_folders; i++) {
		const char *folder = f->folders[i];
		const char *below = p->root ? ims_path_below(folder, root) : NULL;
		if ((p->root && ims_path_below(root, folder)) /* all of the root */
			|| (below && ims_path_below(p->path, below))
			|| (!p->root && ims_path_below(p->path, folder)))
			return true;
	}
	return false;
}

static bool passes(const lister *l, const store_picture *p, const char *root)
{
	const imgsearch_item_list_options *o = l->options;
	const imgsearch_filter *f = o->filter ? &l->filter : NULL;
	if (o->states && !(o->states >> p->state & 1))
		return false;
	if (!f)
		return true;
	if (l->matching && !ims_id_find(l->matching, l->n_matching, described(p), NULL))
		return false;
	if (l->ids && !ims_id_find(l->ids, l->n_ids, p->id, NULL))
		return false;
	return !f->folders || is_below(f, p, root);
}

static int hand_out(lister *l, const store_picture *p)
{
	imgsearch_item *item;
	int rc = ims_item_make(l->s, p, p->root_path, &l->offline, &item, l->err);
	if (!rc)
		rc = ims_call_item(l->each, l->user, item);
	imgsearch_item_free(item);
	return rc;
}

/* Whether the number-th item that passed is one of the page. */
static bool on_page(const imgsearch_item_list_options *o, uint64_t number)
{
	return number >= o->offset && (!o->limit || number - o->offset < o->limit);
}

static int collect(lister *l, const store_picture *p)
{
	list_entry *grown = ims_grow(l->item, l->n, &l->cap, sizeof *grown);
	size_t at;
	if (!grown)
		return ims_nomem(l->err);
	l->item = grown;
	int64_t id = described(p);
	const sort_value *v = l->n_values
		? bsearch(&id, l->value, l->n_values, sizeof *v, ims_id_compare)
		: NULL;
	at = l->n++;
	l->item[at] = (list_entry){ p->id, at, v };
	return 0;
}

static bool is_sorted(const lister *l)
{
	const imgsearch_item_list_options *o = l->options;
	return o->sort != IMGSEARCH_SORT_GIVEN && (o->sort != IMGSEARCH_SORT_PATH || o->descending);
}

static int take_row(void *user, const store_picture *p, const char *root)
{
	lister *l = user;
	int rc = ++l->looked_at % 256 ? 0 : ims_job_step(l->job, "list", l->looked_at, 0, l->err);
	if (rc || !passes(l, p, root))
		return rc;
	uint64_t number = l->passed++;
	if (is_sorted(l) || on_page(l->options, number))
		return collect(l, p);
	l->is_full = !l->counts && number >= l->options->offset;
	return l->is_full; /* ends the pass */
}

/* --------------------------------------------------------------- vectors without a picture ---- */

/* Whether vectors without a name are indexed: to look for them reads the table of vectors. */
static int has_bare_vectors(lister *l, bool *has)
{
	store_counts c = { 0 };
	int rc = ims_store_counts(l->s->store, &c, l->err);
	*has = c.vectors > c.by_state[IMGSEARCH_STATE_INDEXED];
	return rc;
}

static int take_bare_vectors(lister *l, bool deleted)
{
	int64_t *ids;
	size_t n;
	bool has = true;
	uint32_t state = deleted ? IMGSEARCH_STATE_DELETED : IMGSEARCH_STATE_INDEXED;
	if (l->options->states && !(l->options->states >> state & 1))
		return 0;
	int rc = deleted ? 0 : has_bare_vectors(l, &has);
	if (rc || !has)
		return rc;
	rc = ims_store_ids(l->s->store, deleted ? STORE_BARE_KEPT : STORE_BARE, &ids, &n, l->err);
	for (size_t i = 0; !rc && i < n; i++) {
		store_picture p = { 0 };
		rc = ims_item_vector_row(l->s, ids[i], &p, l->err);
		if (!rc)
			rc = take_row(l, &p, NULL);
		ims_store_picture_clear(&p);
	}
	ims_free(ids);
	return rc;
}

/* ------------------------------------------------------------------------------------ list ---- */

/* Reads the row of an id. *found: it is there. */
static int read_row(lister *l, int64_t id, store_picture *p, bool *found)
{
	imgsearch_error why = { 0 };
	int rc = ims_job_check(l->job, l->err);
	if (rc)
		return rc;
	rc = ims_item_row(l->s, id, p, &why);
	*found = !rc;
	if (rc && rc != IMGSEARCH_ENOTFOUND && l->err)
		*l->err = why;
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
}

/* One that went meanwhile is passed over. */
static int hand_out_id(lister *l, int64_t id)
{
	store_picture p = { 0 };
	bool found = false;
	int rc = read_row(l, id, &p, &found);
	if (!rc && found)
		rc = hand_out(l, &p);
	ims_store_picture_clear(&p);
	return rc;
}

/* What was collected: of a sorted list the page of it. */
static int hand_out_page(lister *l)
{
	bool sorted = is_sorted(l);
	int rc = 0;
	if (sorted)
		sort(l);
	for (uint64_t i = sorted ? l->options->offset : 0; !rc && i < l->n; i++) {
		if (sorted && !on_page(l->options, i))
			break;
		rc = hand_out_id(l, l->item[i].id);
	}
	return rc;
}

/* The ids of the filter, in their order; one that is not there is passed over. */
static int take_given(lister *l)
{
	const imgsearch_filter *f = &l->filter;
	int rc = 0;
	for (size_t i = 0; !rc && i < f->n_ids; i++) {
		store_picture p = { 0 };
		bool found = false;
		rc = read_row(l, f->ids[l->options->descending ? f->n_ids - 1 - i : i], &p, &found);
		if (!rc && found)
			rc = take_row(l, &p, p.root_path);
		ims_store_picture_clear(&p);
	}
	return rc;
}

static int take_all(lister *l)
{
	int rc = ims_store_each_picture(l->s->store, 0, take_row, l, l->err);
	if (!rc)
		rc = take_bare_vectors(l, false);
	if (!rc)
		rc = take_bare_vectors(l, true);
	return rc;
}

static int read_filter(lister *l)
{
	imgsearch_filter *f = &l->filter;
	if (!l->options->filter)
		return 0;
	*f = *l->options->filter;
	int rc = ims_filter_widen(l->s, f, &l->folders, l->err);
	if (!rc && ims_filter_has_condition(f))
		rc = ims_filter_matching(l->s, f, &l->matching, &l->n_matching, l->err);
	if (rc || !f->ids)
		return rc;
	l->ids = ims_alloc(f->n_ids, sizeof *l->ids);
	if (!l->ids)
		return ims_nomem(l->err);
	if (f->n_ids)
		memcpy(l->ids, f->ids, f->n_ids * sizeof *l->ids);
	l->n_ids = ims_ids_sort(l->ids, f->n_ids);
	return 0;
}

int ims_list(imgsearch *s, const imgsearch_item_list_options *o, imgsearch_item_fn each, void *user,
	job *j, uint64_t *total, imgsearch_error *err)
{
	lister l = { .s = s, .options = o, .each = each, .user = user, .job = j, .err = err };
	store_snapshot snapshot;
	l.counts = total != NULL;
	ims_store_snapshot_begin(s->store, &snapshot);
	int rc = read_filter(&l);
	if (!rc)
		rc = ims_offline_read(s, &l.offline, err);
	if (!rc)
		rc = read_values(&l);
	if (!rc)
		rc = o->sort == IMGSEARCH_SORT_GIVEN ? take_given(&l) : take_all(&l);
	ims_store_snapshot_end(&snapshot);
	if (l.is_full)
		rc = 0;
	if (!rc)
		rc = hand_out_page(&l);
	if (total)
		*total = l.passed;
	ims_offline_free(&l.offline);
	ims_filter_folders_free(&l.folders);
	ims_free(l.matching);
	ims_free(l.ids);
	ims_free(l.value);
	ims_free(l.item);
	return rc;
}
