/* What is the same for every engine. */
#include "store/engine.h"
#include "store/shard.h"

#include <string.h>

bool ims_store_read_only(const store *st)
{
	return st->read_only || st->denied;
}

const char *ims_store_path(const store *st)
{
	return st->path;
}

const char *ims_store_label(const store *st)
{
	return st->label;
}

const char *ims_store_name(const store *st)
{
	return st->name;
}

store_upgrade ims_store_upgraded(const store *st)
{
	return st->upgrade;
}

char *ims_store_repaired(store *st)
{
	char *text = st->repaired;
	st->repaired = NULL;
	return text;
}

size_t ims_store_mounts(const store *st)
{
	return st->n_mounts;
}

const char *ims_store_mount(const store *st, size_t i)
{
	return st->mount[i].here;
}

/* ------------------------------------------------------------------------------- sentences ---- */

const char ims_store_reason_deleted[] = "kept out on purpose";
const char ims_store_reason_deleted_copy[] = "same bytes as a picture that is kept out";

const char *ims_store_as_far(store *st)
{
	char *missing;
	bool some = !ims_store_missing(st, &missing, NULL) && missing;
	ims_free(missing);
	return some ? ", as far as its shards can be reached" : "";
}

int ims_store_no_item(store *st, int64_t id, imgsearch_error *err)
{
	return ims_fail(err, IMGSEARCH_ENOTFOUND, "item %lld is not in index %s%s", (long long)id,
		st->label, ims_store_as_far(st));
}

int ims_store_refuse_deleted(store *st, const char *name, int64_t id, imgsearch_error *err)
{
	return ims_fail(err, IMGSEARCH_EINVAL, "%s is kept out on purpose (item %lld of index %s)",
		name, (long long)id, st->label);
}

/* --------------------------------------------------------------------------------- results ---- */

void ims_store_picture_clear(store_picture *p)
{
	ims_free((void *)p->path);
	ims_free((void *)p->reason);
	ims_free((void *)p->root_path);
	*p = (store_picture){ 0 };
}

void ims_store_pictures_clear(store_picture *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ims_store_picture_clear(&p[i]);
}

int ims_store_picture_get(store *st, int64_t id, store_picture *out, imgsearch_error *err)
{
	int rc = ims_store_get(st, &id, 1, out, err);
	return rc || out->path ? rc : ims_store_no_item(st, id, err);
}

void ims_store_model_clear(store_model *m)
{
	ims_free(m->name);
	ims_free(m->weights);
	ims_free(m->weights_hash);
	ims_free(m->recipe);
	*m = (store_model){ 0 };
}

void ims_store_columns_free(store_cell *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ims_free(c[i].name);
		ims_free(c[i].value);
	}
	ims_free(c);
}

void ims_store_searchers_free(store_searcher *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ims_free(s[i].name);
		ims_free(s[i].params);
	}
	ims_free(s);
}

void ims_store_moved_read(store_moved *out, const void *data, size_t size)
{
	enum { PAIR = 16 };
	reader r = { .data = data, .len = size };
	*out = (store_moved){ .n = (uint32_t)(size / PAIR) };
	out->n = out->n < STORE_SHARDS_MOST ? out->n : STORE_SHARDS_MOST;
	for (uint32_t i = 0; i < out->n; i++) {
		out->from[i] = ims_read_u64(&r);
		out->to[i] = ims_read_u64(&r);
	}
}

int ims_store_counts(store *st, store_counts *out, imgsearch_error *err)
{
	store_state state;
	int rc = ims_store_state_get(st, &state, err);
	*out = state.counts;
	return rc;
}

int ims_store_change_last(store *st, int64_t *change, imgsearch_error *err)
{
	store_state state;
	int rc = ims_store_state_get(st, &state, err);
	*change = state.change;
	return rc;
}

int ims_store_changes(store *st, int64_t after, int64_t **ids, size_t *n, imgsearch_error *err)
{
	return ims_store_changes_between(st, after, INT64_MAX, ids, n, err);
}

/* ----------------------------------------------------------------------------------- roots ---- */

store_lists *ims_store_roots_lists(store_roots *roots, int64_t id)
{
	for (size_t i = 0; i < roots->n; i++)
		if (roots->id[i] == id)
			return &roots->lists[i];
	return id ? NULL : &roots->single;
}

int ims_store_roots_add(store_roots *roots, int64_t id, const char *path)
{
	size_t n = roots->n;
	int64_t *ids = ims_realloc(roots->id, n + 1, sizeof *ids);
	roots->id = ids ? ids : roots->id;
	char **paths = ims_realloc(roots->path, n + 1, sizeof *paths);
	roots->path = paths ? paths : roots->path;
	store_lists *of = ims_realloc(roots->lists, n + 1, sizeof *of);
	roots->lists = of ? of : roots->lists;
	char *copy = ids && paths && of ? ims_strdup(path) : NULL;
	if (!copy)
		return IMGSEARCH_ENOMEM;
	ids[n] = id;
	paths[n] = copy;
	of[n] = (store_lists){ 0 };
	roots->n++;
	return 0;
}

static void free_lists(store_lists *l)
{
	for (store_list list = 0; list < STORE_LISTS; list++)
		ims_texts_free(&l->of[list]);
}

void ims_store_roots_drop(store_roots *roots, size_t i)
{
	size_t after = --roots->n - i;
	ims_free(roots->path[i]);
	free_lists(&roots->lists[i]);
	memmove(roots->id + i, roots->id + i + 1, after * sizeof *roots->id);
	memmove(roots->path + i, roots->path + i + 1, after * sizeof *roots->path);
	memmove(roots->lists + i, roots->lists + i + 1, after * sizeof *roots->lists);
}

void ims_store_roots_free(store_roots *roots)
{
	while (roots->n)
		ims_store_roots_drop(roots, roots->n - 1);
	free_lists(&roots->single);
	ims_free(roots->id);
	ims_free(roots->path);
	ims_free(roots->lists);
	*roots = (store_roots){ 0 };
}
