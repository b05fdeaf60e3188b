/* What describes the whole index: written to all shards, read of the first. */
#include "store/shards/move.h"

#include <string.h>

static const store_settings_table *first_settings(const store *base, store **first)
{
	*first = ims_shards_first((const shard_store *)base);
	return &(*first)->engine->settings;
}

/* --------------------------------------------------------------------------------- values ---- */

int ims_shards_setting_get(store *st, const char *name, buf *out, imgsearch_error *err)
{
	store *first;
	return first_settings(st, &first)->get(first, name, out, err);
}

typedef struct value {
	const char *name;
	const void *data;
	size_t size;
} value;

static int set_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	const value *v = arg;
	(void)i;
	return shard->engine->settings.set(shard, v->name, v->data, v->size, err);
}

int ims_shards_setting_set(store *st, const char *name, const void *data, size_t size,
	imgsearch_error *err)
{
	return ims_shards_each(st, set_one, &(value){ name, data, size }, err);
}

/* --------------------------------------------------------------------------------- models ---- */

int ims_shards_model_get(store *st, store_model *out, bool next, imgsearch_error *err)
{
	store *first;
	return first_settings(st, &first)->model_get(first, out, next, err);
}

typedef struct model_call {
	const store_model *m;
	bool next;
} model_call;

static int model_set_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	const model_call *c = arg;
	(void)i;
	return shard->engine->settings.model_set(shard, c->m, c->next, err);
}

static int model_switch_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	(void)arg, (void)i;
	return shard->engine->settings.model_switch(shard, err);
}

static int drop_next_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	(void)arg, (void)i;
	return shard->engine->settings.model_drop_next(shard, err);
}

int ims_shards_model_set(store *st, const store_model *m, bool next, imgsearch_error *err)
{
	return ims_shards_each(st, model_set_one, &(model_call){ m, next }, err);
}

int ims_shards_model_switch(store *st, imgsearch_error *err)
{
	return ims_shards_each(st, model_switch_one, NULL, err);
}

int ims_shards_model_drop_next(store *st, imgsearch_error *err)
{
	return ims_shards_each(st, drop_next_one, NULL, err);
}

/* ---------------------------------------------------------------------------------- roots ---- */

int ims_shards_roots(store *st, store_roots *out, imgsearch_error *err)
{
	store *first;
	return first_settings(st, &first)->roots(first, out, err);
}

typedef struct root_call {
	const char *path, *to;
	int64_t id, into;
} root_call;

int ims_shards_root_put(store *shard, int64_t id, const char *path, imgsearch_error *err)
{
	store_rows row = { 0 };
	const store_value values[] = {
		{ .kind = VALUE_NUMBER, .number = id },
		{ .kind = VALUE_BYTES, .data = path, .size = strlen(path) },
	};
	ims_store_rows_add(&row, values, sizeof values / sizeof *values);
	int rc = row.data.failed ? ims_nomem(err)
							 : shard->engine->transfer.put(shard, TABLE_ROOT, &row, err);
	ims_buf_free(&row.data);
	return rc;
}

/* The first shard gives the id, and the others take it. */
static int root_add_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	root_call *c = arg;
	store_roots roots = { 0 };
	if (i == 0)
		return shard->engine->settings.root_add(shard, c->path, &c->id, err);
	int rc = shard->engine->settings.roots(shard, &roots, err);
	bool has = !rc && ims_store_roots_lists(&roots, c->id);
	ims_store_roots_free(&roots);
	return rc || has ? rc : ims_shards_root_put(shard, c->id, c->path, err);
}

int ims_shards_root_add(store *st, const char *path, int64_t *id, imgsearch_error *err)
{
	root_call c = { .path = path };
	int rc = ims_shards_each(st, root_add_one, &c, err);
	*id = c.id;
	return rc;
}

static int root_move_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	const root_call *c = arg;
	(void)i;
	return shard->engine->settings.root_move(shard, c->path, c->to, err);
}

int ims_shards_root_move(store *st, const char *from, const char *to, imgsearch_error *err)
{
	return ims_shards_each(st, root_move_one, &(root_call){ .path = from, .to = to }, err);
}

static int root_merge_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	const root_call *c = arg;
	(void)i;
	return shard->engine->settings.root_merge(shard, c->id, c->into, c->path, err);
}

typedef struct place_list {
	int64_t root, into;
	const char *below;
	int64_t *id; /* of the pictures of `root`, and their paths below the other one */
	char **path;
	size_t n, cap, cap_path;
} place_list;

static int add_place(void *user, const store_picture *p, const char *root_path)
{
	place_list *l = user;
	(void)root_path;
	if (p->root != l->root)
		return 0;
	int64_t *ids = ims_grow(l->id, l->n, &l->cap, sizeof *ids);
	l->id = ids ? ids : l->id;
	char **paths = ims_grow(l->path, l->n, &l->cap_path, sizeof *paths);
	l->path = paths ? paths : l->path;
	char *path = ids && paths ? ims_format("%s/%s", l->below, p->path) : NULL;
	if (!path)
		return IMGSEARCH_ENOMEM;
	l->id[l->n] = p->state == IMGSEARCH_STATE_DELETED ? -p->id : p->id;
	l->path[l->n++] = path;
	return 0;
}

/* Of two pictures in different shards that will have one path, one goes, as root_merge says. */
static int settle_place(store *st, const place_list *l, size_t k, imgsearch_error *err)
{
	store_picture p;
	int rc = ims_shards_find(st, &(store_place){ l->into, l->path[k] }, 1, &p, err);
	int64_t mine = l->id[k] < 0 ? -l->id[k] : l->id[k];
	if (!rc && p.path)
		rc = ims_shards_remove(st, p.state == IMGSEARCH_STATE_DELETED ? &mine : &p.id, 1, err);
	ims_store_picture_clear(&p);
	return rc;
}

int ims_shards_root_merge(store *st, int64_t from, int64_t into, const char *below,
	imgsearch_error *err)
{
	place_list l = { .root = from, .into = into, .below = below };
	root_call c = { .path = below, .id = from, .into = into };
	int rc = ims_shards_each_picture(st, 0, add_place, &l, err);
	if (rc == IMGSEARCH_ENOMEM)
		ims_nomem(err);
	for (size_t k = 0; !rc && k < l.n; k++)
		rc = settle_place(st, &l, k, err);
	if (!rc)
		rc = ims_shards_each(st, root_merge_one, &c, err);
	for (size_t k = 0; k < l.n; k++)
		ims_free(l.path[k]);
	ims_free(l.path);
	ims_free(l.id);
	return rc;
}

static int settle_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	(void)arg, (void)i;
	return shard->engine->settings.roots_settle(shard, err);
}

int ims_shards_roots_settle(store *st, imgsearch_error *err)
{
	return ims_shards_each(st, settle_one, NULL, err);
}

typedef struct list_call {
	int64_t root;
	store_list list;
	const text_list *texts;
} list_call;

static int list_set_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	const list_call *c = arg;
	(void)i;
	return shard->engine->settings.list_set(shard, c->root, c->list, c->texts, err);
}

int ims_shards_list_set(store *st, int64_t root, store_list list, const text_list *texts,
	imgsearch_error *err)
{
	return ims_shards_each(st, list_set_one, &(list_call){ root, list, texts }, err);
}

/* -------------------------------------------------------------------- states of searchers ---- */

/*
 * A state is written to every shard, under an id of its own there; that of the first one stands for
 * all. The change up to which a searcher is current is the sum of those of the shards.
 */

typedef struct searcher_call {
	store_searcher *list[SHARDS_MOST];
	size_t n[SHARDS_MOST];
} searcher_call;

static int searchers_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	searcher_call *c = arg;
	return shard->engine->settings.searchers(shard, &c->list[i], &c->n[i], err);
}

/* The sum of the changes of a searcher in all shards. False: one of them has another state. */
static bool sum_changes(shard_store *st, const searcher_call *c, const store_searcher *s,
	shard_changes *out)
{
	*out = (shard_changes){ 0 };
	for (size_t i = 0; i < st->n; i++) {
		const store_searcher *own = NULL;
		for (size_t k = 0; k < c->n[i]; k++)
			if (!strcmp(c->list[i][k].name, s->name))
				own = &c->list[i][k];
		if (!ims_shards_has(st, i))
			continue;
		if (!own || own->version != s->version || own->rows != s->rows)
			return false;
		out->of[i] = own->change;
		out->sum += own->change;
	}
	return true;
}

/* One whose writing was cut off between the shards is none. */
int ims_shards_searchers(store *base, store_searcher **out, size_t *n, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	searcher_call c = { 0 };
	size_t first = 0, kept = 0;
	*out = NULL;
	*n = 0;
	int rc = ims_shards_at_once(base, searchers_one, &c, err);
	while (first + 1 < st->n && !ims_shards_has(st, first))
		first++;
	store_searcher *list = c.list[first];
	for (size_t k = 0; !rc && k < c.n[first]; k++) {
		shard_changes changes;
		store_searcher s = list[k];
		if (sum_changes(st, &c, &s, &changes)) {
			ims_shards_note_changes(st, &changes);
			s.change = changes.sum;
			list[k] = list[kept];
			list[kept++] = s;
		}
	}
	if (!rc && kept) {
		for (size_t k = kept; k < c.n[first]; k++) {
			ims_free(list[k].name);
			ims_free(list[k].params);
		}
		*out = list;
		*n = kept;
		c.list[first] = NULL;
	}
	for (size_t i = 0; i < st->n; i++)
		if (c.list[i])
			ims_store_searchers_free(c.list[i], c.n[i]);
	return rc;
}

typedef struct state_call {
	shard_store *st;
	const char *name;
	uint32_t number, version;
	const void *data;
	size_t size;
	const char *params;
	uint64_t rows;
	const shard_changes *changes;
} state_call;

static int state_begin_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	state_call *c = arg;
	return shard->engine->settings.searcher_begin(shard, c->name, &c->st->state[i], err);
}

int ims_shards_searcher_begin(store *base, const char *name, int64_t *state, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	int rc = ims_shards_each(base, state_begin_one, &(state_call){ .st = st, .name = name }, err);
	*state = st->state[0];
	return rc;
}

/* One is written at a time. */
static int check_state(const state_call *c, int64_t state, imgsearch_error *err)
{
	return state == c->st->state[0] ? 0
									: ims_fail(err, IMGSEARCH_ENOTFOUND,
										"index %s: no state %lld of a searcher is being written",
										c->st->base.label, (long long)state);
}

static int chunk_put_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	const state_call *c = arg;
	return shard->engine->settings.chunk_put(shard, c->st->state[i], c->number, c->data, c->size,
		err);
}

int ims_shards_chunk_put(store *base, int64_t state, uint32_t number, const void *data, size_t size,
	imgsearch_error *err)
{
	state_call c = {
		.st = (shard_store *)base,
		.number = number,
		.data = data,
		.size = size,
	};
	return check_state(&c, state, err) ? IMGSEARCH_ENOTFOUND
									   : ims_shards_each(base, chunk_put_one, &c, err);
}

static int publish_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	const state_call *c = arg;
	return shard->engine->settings.searcher_publish(shard, c->st->state[i], c->params, c->version,
		c->rows, c->changes->of[i], err);
}

int ims_shards_searcher_publish(store *base, int64_t state, const char *params, uint32_t version,
	uint64_t rows, int64_t change, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	shard_changes changes;
	if (check_state(&(state_call){ .st = st }, state, err))
		return IMGSEARCH_ENOTFOUND;
	if (!ims_shards_find_changes(st, change, &changes))
		return ims_fail(err, IMGSEARCH_EBUSY,
			"index %s: it changed too often while the searcher was made", base->label);
	state_call c = {
		.st = st,
		.params = params,
		.version = version,
		.rows = rows,
		.changes = &changes,
	};
	return ims_shards_each(base, publish_one, &c, err);
}

int ims_shards_searcher_bytes(store *st, int64_t state, uint64_t *bytes, imgsearch_error *err)
{
	store *first;
	return first_settings(st, &first)->searcher_bytes(first, state, bytes, err);
}

int ims_shards_chunk_get(store *st, int64_t state, uint32_t number, buf *out, imgsearch_error *err)
{
	store *first;
	return first_settings(st, &first)->chunk_get(first, state, number, out, err);
}

int ims_shards_searcher_keep(store *st, int64_t state, const char *name, imgsearch_error *err)
{
	store *first;
	const store_settings_table *t = first_settings(st, &first);
	return t->searcher_keep ? t->searcher_keep(first, state, name, err) : 0;
}
