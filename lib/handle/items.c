/* The paths, pictures and vectors that an index holds. */
#include "handle/items.h"

#include "base/path.h"
#include "handle/offline.h"
#include "handle/paths.h"
#include "handle/view.h"
#include "store/shard.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void ims_fact_columns_make(fact_columns *out, imgsearch_column *const *columns, size_t n,
	const char *const *fact)
{
	const char *csv[FACTS] = { 0 };
	*out = (fact_columns){ 0 };
	for (size_t i = 0; i < n; i++) {
		int k = ims_fact_find(columns[i]->name);
		if (k >= 0 && !csv[k]) {
			out->own[k] = columns[i];
			csv[k] = *columns[i]->value ? columns[i]->value : NULL;
		}
	}
	ims_facts_choose(out->shown, csv, fact, out->zone);
}

/* Columns that are being added to an item. */
typedef struct column_list {
	imgsearch_item *item;
	imgsearch_column **items; /* with room for those of a CSV and all facts */
	size_t n;
} column_list;

static int add_column(column_list *l, const char *name, const char *value, bool title)
{
	imgsearch_column *c = l->items[l->n];
	c->name = ims_result_text(l->item, name);
	c->value = ims_result_text(l->item, value);
	if (!c->name || !c->value)
		return IMGSEARCH_ENOMEM;
	if (title && *c->value)
		l->item->title = c->value;
	l->n++;
	return 0;
}

/* Facts come behind the columns of the CSV, or into those of the same name. */
static int add_facts(void *user, size_t i, const char *const *fact)
{
	column_list *l = user;
	fact_columns f;
	int rc = 0;
	(void)i;
	ims_fact_columns_make(&f, l->items, l->n, fact);
	for (int k = 0; !rc && k < FACTS; k++) {
		if (!f.shown[k] || (f.own[k] && f.shown[k] == f.own[k]->value))
			continue;
		rc = add_column(l, ims_fact_names[k], f.shown[k], k == FACT_TITLE && !l->item->title);
		if (!rc && f.own[k])
			f.own[k]->value = l->items[--l->n]->value;
	}
	return rc;
}

/* The columns of a picture, of the CSV and its facts; those of a duplicate are its original's. */
static int add_columns(imgsearch *s, imgsearch_item *item, imgsearch_error *err)
{
	store_cell *stored = NULL;
	size_t n = 0;
	int64_t id = item->same_as ? item->same_as : item->id;
	imgsearch_columns *list = ims_result_alloc(item, 1, sizeof *list);
	int rc = list ? ims_store_columns_get(s->store, id, &stored, &n, err) : ims_nomem(err);
	column_list l = { .item = item };
	if (!rc && !(l.items = ims_result_list(item, n + FACTS, sizeof **l.items)))
		rc = ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++)
		rc = add_column(&l, stored[i].name, stored[i].value, stored[i].title);
	if (!rc)
		rc = ims_store_facts_lookup(s->store, &id, 1, add_facts, &l, err);
	if (rc == IMGSEARCH_ENOMEM)
		ims_nomem(err);
	if (!rc) {
		*list = (imgsearch_columns){ l.n, (const imgsearch_column *const *)l.items };
		item->columns = list;
	}
	ims_store_columns_free(stored, n);
	return rc;
}

static int add_texts(imgsearch_item *item, const store_picture *p, const char *root,
	imgsearch_error *err)
{
	static const hash256 none;
	char hash[65] = "";
	char *path = ims_path_join(p->root ? root : NULL, p->path);
	if (!ims_hash_equal(&p->hash, &none))
		ims_hash_hex(&p->hash, hash);
	item->path = path ? ims_result_text(item, path) : NULL;
	item->reason = ims_result_text(item, p->reason);
	item->hash = ims_result_text(item, hash);
	ims_free(path);
	return item->path && item->hash && (item->reason || !p->reason) ? 0 : ims_nomem(err);
}

/* The path of the picture whose file this is; none where it has gone. */
static int add_file_path(imgsearch *s, imgsearch_item *item, imgsearch_error *err)
{
	store_picture p;
	int rc = ims_store_get(s->store, &item->same_file, 1, &p, err);
	char *path = p.path ? ims_path_join(p.root ? p.root_path : NULL, p.path) : NULL;
	item->same_file_path = path ? ims_result_text(item, path) : NULL;
	if (p.path && !item->same_file_path)
		rc = ims_nomem(err);
	ims_free(path);
	ims_store_picture_clear(&p);
	return rc;
}

int ims_item_make(imgsearch *s, const store_picture *p, const char *root, offline_folders *offline,
	imgsearch_item **out, imgsearch_error *err)
{
	imgsearch_item *item = ims_result_new(sizeof *item);
	*out = NULL;
	if (!item)
		return ims_nomem(err);
	*item = (imgsearch_item){
		.id = p->id,
		.state = p->state,
		.width = p->width,
		.height = p->height,
		.bytes = p->size,
		.mtime_seconds = p->mtime.seconds,
		.mtime_nanoseconds = p->mtime.nanoseconds,
		.same_as = p->same_as,
		.partial = (p->pixels & IMAGE_PARTIAL) != 0,
		.same_file = p->state == IMGSEARCH_STATE_LINK ? p->same_file : 0,
		.has_vector = p->state == IMGSEARCH_STATE_INDEXED,
	};
	int rc = add_texts(item, p, root, err);
	if (!rc && p->root && root)
		item->offline = ims_offline_has(offline, item->path, strlen(root));
	if (!rc)
		rc = add_columns(s, item, err);
	if (!rc && item->same_file)
		rc = add_file_path(s, item, err);
	if (rc)
		ims_result_free(item);
	else
		*out = item;
	return rc;
}

/* The path of the indexed picture, which comes first. ENOTFOUND: it has gone. */
static int add_first_path(imgsearch *s, int64_t id, picture_paths *all, imgsearch_error *err)
{
	store_picture p;
	int rc = ims_store_picture_get(s->store, id, &p, err);
	char *path = rc ? NULL : ims_path_join(p.root ? p.root_path : NULL, p.path);
	if (!rc)
		rc = path ? ims_paths_add(all, path, id) : IMGSEARCH_ENOMEM;
	ims_free(path);
	ims_store_picture_clear(&p);
	return rc;
}

/* The other paths of an item that is indexed, a duplicate or a link. */
static int add_paths(imgsearch *s, imgsearch_item *item, imgsearch_error *err)
{
	int64_t id = item->same_as ? item->same_as : item->id;
	picture_paths *all = ims_zalloc(1, sizeof *all);
	int rc = all ? add_first_path(s, id, all, err) : IMGSEARCH_ENOMEM;
	if (!rc)
		rc = ims_paths_read(s, &id, 1, all, err);
	for (size_t i = 0; !rc && all->n > 1 && i < all->n; i++)
		if (!strcmp(all->item[i].path, item->path)) {
			rc = ims_paths_show(item, all, i, item->path, &item->paths);
			break;
		}
	ims_paths_free(all, 1);
	return rc == IMGSEARCH_ENOMEM ? ims_nomem(err) : rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
}

int ims_item_vector_row(imgsearch *s, int64_t id, store_picture *p, imgsearch_error *err)
{
	uint8_t presence;
	int rc = ims_store_presences(s->store, &id, 1, &presence, err);
	if (!rc && presence == STORE_ABSENT)
		rc = ims_store_no_item(s->store, id, err);
	if (rc)
		return rc;
	bool deleted = presence == STORE_DELETED;
	p->id = id;
	p->state = deleted ? IMGSEARCH_STATE_DELETED : IMGSEARCH_STATE_INDEXED;
	p->path = ims_format("id:%lld", (long long)id);
	p->reason = deleted ? ims_strdup(ims_store_reason_deleted) : NULL;
	return p->path && (p->reason || !deleted) ? 0 : ims_nomem(err);
}

int ims_item_row(imgsearch *s, int64_t id, store_picture *p, imgsearch_error *err)
{
	int rc = ims_store_get(s->store, &id, 1, p, err);
	return rc || p->path ? rc : ims_item_vector_row(s, id, p, err);
}

int ims_item_get(imgsearch *s, int64_t id, imgsearch_item **out, imgsearch_error *err)
{
	store_picture p;
	offline_folders offline = { 0 };
	*out = NULL;
	int rc = ims_item_row(s, id, &p, err);
	if (!rc)
		rc = ims_offline_read(s, &offline, err);
	if (!rc)
		rc = ims_item_make(s, &p, p.root_path, &offline, out, err);
	bool shown = p.state == IMGSEARCH_STATE_INDEXED || p.state == IMGSEARCH_STATE_DUPLICATE
		|| p.state == IMGSEARCH_STATE_LINK;
	imgsearch_error why = { 0 };
	if (!rc && shown && (rc = add_paths(s, *out, &why))) {
		ims_result_free(*out);
		*out = NULL;
		if (err)
			*err = why;
	}
	ims_store_picture_clear(&p);
	ims_offline_free(&offline);
	return rc;
}

void imgsearch_item_free(imgsearch_item *item)
{
	ims_result_free(item);
}

/* ------------------------------------------------------------------------------------ find ---- */

typedef struct finder {
	imgsearch *s;
	const char *path;
	int64_t id;
	imgsearch_error why; /* of a look-up that failed */
} finder;

/*
 * Looks the path up below each root, for a folder may lie in more than one, then without a root. 1:
 * found; 0; or an error.
 */
static int find_by_path(finder *f, const store_roots *roots)
{
	size_t n = 0;
	store_place *at = ims_alloc(roots->n + 1, sizeof *at);
	store_picture *there = ims_alloc(roots->n + 1, sizeof *there);
	bool found = false;
	int rc = at && there ? 0 : ims_nomem(&f->why);
	for (size_t i = 0; !rc && i < roots->n; i++) {
		const char *below = ims_path_below(f->path, roots->path[i]);
		if (below && *below)
			at[n++] = (store_place){ roots->id[i], below };
	}
	if (!rc) {
		at[n++] = (store_place){ 0, f->path };
		rc = ims_store_find(f->s->store, at, n, there, &f->why);
	}
	for (size_t i = 0; !rc && !found && i < n; i++) {
		found = there[i].path;
		f->id = there[i].id;
	}
	if (!rc)
		ims_store_pictures_clear(there, n);
	ims_free(at);
	ims_free(there);
	return rc ? rc : found;
}

/* The item that has no name but "id:" and its id. 1: found; 0; or an error. */
static int find_by_id(finder *f)
{
	imgsearch_item *item;
	if (strncmp(f->path, "id:", 3))
		return 0;
	int rc = ims_item_get(f->s, strtoll(f->path + 3, NULL, 10), &item, &f->why);
	if (rc)
		return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
	bool found = !strcmp(item->path, f->path);
	f->id = item->id;
	imgsearch_item_free(item);
	return found;
}

int ims_items_find(imgsearch *s, const char *path, int64_t *id, imgsearch_error *err)
{
	finder f = { .s = s, .path = path };
	store_roots roots;
	int rc = ims_store_roots_get(s->store, &roots, &f.why);
	if (!rc)
		rc = find_by_path(&f, &roots);
	ims_store_roots_free(&roots);
	if (!rc)
		rc = find_by_id(&f);
	if (rc == 1) {
		*id = f.id;
		return 0;
	}
	if (rc && err)
		*err = f.why;
	if (rc)
		return rc;
	return ims_fail(err, IMGSEARCH_ENOTFOUND, "%s is not in index %s%s", path,
		ims_store_label(s->store), ims_store_as_far(s->store));
}

int ims_items_exist(imgsearch *s, const int64_t *ids, size_t n, uint8_t *exists,
	imgsearch_error *err)
{
	int rc = ims_store_presences(s->store, ids, n, exists, err);
	for (size_t i = 0; !rc && i < n; i++)
		exists[i] = exists[i] != STORE_ABSENT;
	return rc;
}

/* --------------------------------------------------------------------------------- vectors ---- */

typedef struct vector_lister {
	imgsearch_vectors_fn each;
	void *user;
	size_t dim;
	uint64_t done;
	job *job;
	imgsearch_error *err;
} vector_lister;

static int list_vectors(void *user, const int64_t *ids, const float *rows, size_t n)
{
	vector_lister *l = user;
	l->done += n;
	int rc = ims_job_step(l->job, "vectors", l->done, 0, l->err);
	return rc ? rc : ims_call_vectors(l->each, l->user, ids, rows, n, l->dim);
}

/* The dimension of the index; 0: it has none yet. */
static int index_dim(imgsearch *s, uint32_t *dim, imgsearch_error *err)
{
	view *v;
	int rc = ims_view_acquire(s, &v, err);
	*dim = rc ? 0 : v->space.dim;
	if (!rc)
		ims_view_release(v);
	return rc;
}

int ims_items_vectors(imgsearch *s, imgsearch_vectors_fn each, void *user, job *j,
	imgsearch_error *err)
{
	uint32_t dim;
	int rc = index_dim(s, &dim, err);
	vector_lister l = { each, user, dim, 0, j, err };
	return rc || !dim ? rc : ims_store_vectors_scan(s->store, false, dim, list_vectors, &l, err);
}

int ims_items_fetch(imgsearch *s, const int64_t *ids, size_t n, job *j, float *rows,
	size_t capacity, uint8_t *found, imgsearch_error *err)
{
	enum { STEP = 1024 };
	uint8_t there[STEP];
	uint32_t dim;
	int rc = index_dim(s, &dim, err);
	if (!rc && dim && n > capacity / dim)
		rc = ims_fail(err, IMGSEARCH_EINVAL,
			"vectors_get: capacity: %zu rows of %u values need room for more than %zu", n, dim,
			capacity);
	for (size_t at = 0, now; !rc && at < n; at += now) {
		now = n - at < STEP ? n - at : STEP;
		memset(there, 0, sizeof there);
		if (dim)
			rc = ims_store_vectors_fetch(s->store, ids + at, now, dim, rows + at * dim, there, err);
		for (size_t i = 0; !rc && i < now; i++)
			for (size_t k = 0; !there[i] && k < dim; k++)
				rows[(at + i) * dim + k] = NAN;
		if (!rc && found)
			memcpy(found + at, there, now);
		if (!rc)
			rc = ims_job_check(j, err);
	}
	return rc;
}
