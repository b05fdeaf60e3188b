/* What an index holds: totals, items, vectors, networks. Nothing here writes. */
#include "handle/handle.h"

#include "kernels/kernels.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ------------------------------------------------------------------------------------------------- info ---- */

/* An info with what its pointers point to: strings are kept one by one, in `own`. */
typedef struct info_block {
	imgsearch_info info; /* first: the caller's pointer */
	char **own;
	size_t n_own;
	const char **roots;
	uint8_t *offline;
	const char **searchers;
	imgsearch_error *err;
} info_block;

static const char *keep(info_block *b, char *text)
{
	char **grown = text ? ims_realloc(b->own, b->n_own + 1, sizeof *grown) : NULL;
	if (!grown) {
		ims_free(text);
		return NULL;
	}
	b->own = grown;
	return b->own[b->n_own++] = text;
}

void imgsearch_info_free(imgsearch_info *info)
{
	info_block *b = (info_block *)info;
	if (!b)
		return;
	for (size_t i = 0; i < b->n_own; i++)
		ims_free(b->own[i]);
	ims_free(b->own);
	ims_free(b->roots);
	ims_free(b->offline);
	ims_free(b->searchers);
	ims_free(b);
}

static int add_root(void *user, int64_t id, const char *path)
{
	info_block *b = user;
	struct stat st;
	size_t n = b->info.n_roots;
	(void)id;
	const char **roots = ims_realloc(b->roots, n + 1, sizeof *roots);
	if (roots)
		b->roots = roots;
	uint8_t *offline = roots ? ims_realloc(b->offline, n + 1, 1) : NULL;
	if (offline)
		b->offline = offline;
	if (!roots || !offline || !(b->roots[n] = keep(b, ims_strdup(path))))
		return ims_nomem(b->err);
	b->offline[n] = stat(path, &st) != 0;
	b->info.n_roots++;
	return 0;
}

/* What a build left under that name, or NULL. */
static const char *text(imgsearch *s, info_block *b, const char *name)
{
	buf said = { 0 };
	const char *kept = NULL;
	if (!ims_store_get(s->store, name, &said, NULL) && said.len)
		kept = keep(b, ims_strndup((const char *)said.data, said.len));
	ims_buf_free(&said);
	return kept;
}

static int add_searchers(imgsearch *s, const view *v, info_block *b)
{
	store_searcher *all;
	size_t n;
	int64_t last;
	int rc = ims_store_searchers(s->store, &all, &n, b->err);
	if (rc)
		return rc;
	char *params = ims_view_params(v);
	rc = ims_store_change_last(s->store, &last, b->err);
	b->searchers = ims_zalloc(n, sizeof *b->searchers);
	if (!params || !b->searchers)
		rc = ims_nomem(b->err);
	for (size_t i = 0; !rc && i < n; i++) {
		bool same = all[i].params && !strcmp(all[i].params, params);
		char key[64];
		snprintf(key, sizeof key, "searcher_%s", all[i].name);
		const char *about = text(s, b, key);
		uint64_t bytes = 0;
		if ((rc = ims_store_searcher_bytes(s->store, all[i].state, &bytes, b->err)))
			break;
		b->searchers[i] = keep(b, ims_format("%s: %llu rows, %.1f MB, %s%s%s", all[i].name, (unsigned long long)all[i].rows,
			(double)bytes / 1e6, !same ? "stale: build again" : last > all[i].change ? "catches up with changes" : "fresh",
			about ? "; " : "", about ? about : ""));
		if (!b->searchers[i])
			rc = ims_nomem(b->err);
		b->info.n_searchers += !rc;
	}
	ims_free(params);
	ims_store_searchers_free(all, n);
	return rc;
}

static int add_model(imgsearch *s, info_block *b)
{
	model_identity id;
	imgsearch_info *info = &b->info;
	int rc = ims_engine_identity_stored(s, false, &id, b->err);
	if (rc)
		return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
	info->model = keep(b, ims_strdup(id.name));
	info->weights = id.weights ? keep(b, ims_strdup(id.weights)) : NULL;
	info->weights_hash = keep(b, ims_strdup(id.weights_hash));
	info->precision = id.precision == IMGSEARCH_BF16 ? "bf16" : "f32";
	info->flip = id.flip;
	info->recipe = (imgsearch_recipe){ .resize = id.recipe.resize, .crop = id.recipe.crop,
		.interpolation = id.recipe.bicubic ? IMGSEARCH_BICUBIC : IMGSEARCH_BILINEAR };
	memcpy(info->recipe.mean, id.recipe.mean, sizeof id.recipe.mean);
	memcpy(info->recipe.std, id.recipe.std, sizeof id.recipe.std);
	ims_model_identity_free(&id);
	return info->model && info->weights_hash ? 0 : ims_nomem(b->err);
}

/* The re-index under way, if there is one, and how far it is. */
static int add_next(imgsearch *s, info_block *b, uint64_t vectors)
{
	model_identity id;
	int rc = ims_engine_identity_stored(s, true, &id, b->err);
	if (rc)
		return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
	b->info.next = keep(b, ims_format("%s, resize %u, crop %u%s: %llu of %llu vectors", id.name, id.recipe.resize, id.recipe.crop,
		id.flip ? ", averaged with the mirror image" : "", (unsigned long long)vectors, (unsigned long long)b->info.vectors));
	ims_model_identity_free(&id);
	return b->info.next ? 0 : ims_nomem(b->err);
}

static int add_counts(imgsearch *s, info_block *b)
{
	imgsearch_info *info = &b->info;
	uint64_t n[8] = { 0 }, next;
	int64_t max_id;
	imgsearch_counts *c = &info->counts;
	int rc = ims_store_counts(s->store, n, &info->vectors, &next, &max_id, b->err);
	c->indexed = n[IMGSEARCH_INDEXED];
	c->duplicate = n[IMGSEARCH_DUPLICATE];
	c->unsupported = n[IMGSEARCH_UNSUPPORTED];
	c->damaged = n[IMGSEARCH_DAMAGED];
	c->too_big = n[IMGSEARCH_TOO_BIG];
	c->excluded = n[IMGSEARCH_EXCLUDED];
	c->unreadable = n[IMGSEARCH_UNREADABLE];
	c->seen = c->indexed + c->duplicate + c->unsupported + c->damaged + c->too_big + c->excluded + c->unreadable;
	return rc ? rc : add_next(s, b, next);
}

/* An index that has no vectors yet gives the dimension of the network that its options name. */
static uint32_t future_dim(imgsearch *s)
{
	model_identity id;
	uint32_t dim = ims_engine_identify(s, NULL, &id, NULL) ? 0 : id.dim;
	ims_model_identity_free(&id);
	return dim;
}

static int fill(imgsearch *s, const view *v, info_block *b)
{
	imgsearch_info *info = &b->info;
	info->path = keep(b, ims_strdup(ims_store_path(s->store)));
	info->bytes = ims_store_bytes(s->store);
	info->dim = v->space.dim ? v->space.dim : future_dim(s);
	info->metric = v->space.metric;
	info->kernels = ims_kernels()->name;
	info->searcher = keep(b, ims_strdup(*v->chosen ? v->chosen : "scan"));
	info->searcher_why = text(s, b, "searcher_why");
	if (!info->searcher_why)
		info->searcher_why = "no searcher is built: queries scan every vector (run build)";
	int rc = info->path && info->searcher ? add_counts(s, b) : ims_nomem(b->err);
	if (!rc)
		rc = add_model(s, b);
	if (!rc)
		rc = ims_store_each_root(s->store, add_root, b, b->err);
	if (!rc)
		rc = add_searchers(s, v, b);
	pthread_mutex_lock(&s->model_lock);
	if (!rc && s->model && !(info->network = keep(b, ims_strdup(ims_model_describe(s->model)))))
		rc = ims_nomem(b->err);
	pthread_mutex_unlock(&s->model_lock);
	info->roots = b->roots;
	info->root_offline = b->offline;
	info->searchers = b->searchers;
	return rc;
}

int imgsearch_info_get(imgsearch *s, imgsearch_info **out, imgsearch_error *err)
{
	view *v;
	if (out)
		*out = NULL;
	if (!s || !out)
		return ims_fail(err, IMGSEARCH_EINVAL, "info: no index");
	int rc = ims_view_get(s, &v, err);
	if (rc)
		return rc;
	info_block *b = ims_zalloc(1, sizeof *b);
	if (b)
		b->err = err;
	rc = b ? fill(s, v, b) : ims_nomem(err);
	ims_view_release(v);
	if (rc)
		imgsearch_info_free(b ? &b->info : NULL);
	else
		*out = &b->info;
	return rc;
}

/* ------------------------------------------------------------------------------------------------ items ---- */

typedef struct lister {
	imgsearch *s;
	int (*each)(void *user, const imgsearch_item *item);
	void *user;
	imgsearch_error *err;
} lister;

/* An item and what it points to; freed as one by imgsearch_item_free. */
typedef struct item_block {
	imgsearch_item item; /* first: the caller's pointer */
	char *path, *reason;
	store_column *column;
	imgsearch_column *columns;
} item_block;

static void clear_block(item_block *b)
{
	ims_free(b->path);
	ims_free(b->reason);
	ims_store_columns_free(b->column, b->item.n_columns);
	ims_free(b->columns);
}

static int fill_item(imgsearch *s, item_block *b, const store_picture *p, const char *root, imgsearch_error *err)
{
	static const hash256 none;
	struct stat st;
	imgsearch_item *it = &b->item;
	*it = (imgsearch_item){ .id = p->id, .state = p->state, .width = p->width, .height = p->height, .size = p->size,
		.mtime_ns = p->mtime_ns, .same_as = p->same_as };
	it->path = b->path = ims_path_join(p->root ? root : NULL, p->path);
	it->reason = b->reason = p->reason ? ims_strdup(p->reason) : NULL;
	if (!b->path || (p->reason && !b->reason))
		return ims_nomem(err);
	it->offline = p->root && root && stat(root, &st) != 0;
	if (!ims_hash_equal(&p->hash, &none))
		ims_hash_hex(&p->hash, it->hash);
	int rc = ims_store_columns_get(s->store, p->same_as ? p->same_as : p->id, &b->column, &it->n_columns, err);
	if (rc)
		return rc;
	it->columns = b->columns = ims_alloc(it->n_columns, sizeof *b->columns);
	if (!b->columns)
		return ims_nomem(err);
	for (size_t i = 0; i < it->n_columns; i++) {
		b->columns[i] = (imgsearch_column){ b->column[i].name, b->column[i].value };
		if (b->column[i].title && *b->column[i].value)
			it->title = b->column[i].value;
	}
	return 0;
}

static int list_one(void *user, const store_picture *p, const char *root)
{
	lister *l = user;
	item_block b = { 0 };
	int rc = fill_item(l->s, &b, p, root, l->err);
	if (!rc)
		rc = l->each(l->user, &b.item);
	clear_block(&b);
	return rc;
}

int imgsearch_list(imgsearch *s, uint32_t state, int (*each)(void *user, const imgsearch_item *item), void *user, imgsearch_error *err)
{
	if (!s || !each || state > IMGSEARCH_UNREADABLE)
		return ims_fail(err, IMGSEARCH_EINVAL, "list: no callback, or no such state");
	lister l = { s, each, user, err };
	return ims_store_each_picture(s->store, state, list_one, &l, err);
}

/* A vector without a picture is known by its id alone. */
static int vector_item(imgsearch *s, int64_t id, store_picture *p)
{
	imgsearch_error none;
	uint8_t found = 0;
	view *v;
	if (ims_view_get(s, &v, &none))
		return IMGSEARCH_ENOTFOUND;
	uint32_t dim = v->space.dim;
	ims_view_release(v);
	float *row = dim ? ims_alloc(dim, sizeof(float)) : NULL;
	if (row && !ims_store_vectors_fetch(s->store, &id, 1, dim, row, &found, &none) && found) {
		p->id = id;
		p->state = IMGSEARCH_INDEXED;
		p->path = ims_format("id:%lld", (long long)id);
	}
	ims_free(row);
	return p->path ? 0 : IMGSEARCH_ENOTFOUND;
}

int imgsearch_item_get(imgsearch *s, int64_t id, imgsearch_item **out, imgsearch_error *err)
{
	store_picture p = { 0 };
	char *root = NULL;
	imgsearch_error why;
	if (out)
		*out = NULL;
	if (!s || !out)
		return ims_fail(err, IMGSEARCH_EINVAL, "item: no index");
	int rc = ims_store_picture_get(s->store, id, &p, &root, &why);
	if (rc == IMGSEARCH_ENOTFOUND)
		rc = vector_item(s, id, &p);
	if (rc && err)
		*err = why;
	if (rc)
		return rc;
	item_block *b = ims_zalloc(1, sizeof *b);
	rc = b ? fill_item(s, b, &p, root, err) : ims_nomem(err);
	ims_store_picture_clear(&p);
	ims_free(root);
	if (rc)
		imgsearch_item_free(b ? &b->item : NULL);
	else
		*out = &b->item;
	return rc;
}

void imgsearch_item_free(imgsearch_item *item)
{
	if (!item)
		return;
	clear_block((item_block *)item);
	ims_free(item);
}

typedef struct finder {
	imgsearch *s;
	const char *path;
	int64_t id;
} finder;

/* Roots are few: each is tried as the beginning of the path. Folders may lie in more than one. 1: found. */
static int find_below(void *user, int64_t root, const char *root_path)
{
	finder *f = user;
	store_picture p = { 0 };
	size_t n = strlen(root_path);
	n -= n && root_path[n - 1] == '/';
	if (root && (strncmp(f->path, root_path, n) || f->path[n] != '/'))
		return 0;
	int rc = ims_store_picture_find(f->s->store, root, root ? f->path + n + 1 : f->path, &p, NULL);
	f->id = p.id;
	ims_store_picture_clear(&p);
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc ? rc : 1;
}

int imgsearch_find(imgsearch *s, const char *path, int64_t *id, imgsearch_error *err)
{
	if (!s || !path || !id)
		return ims_fail(err, IMGSEARCH_EINVAL, "find: no path");
	finder f = { .s = s, .path = path };
	int rc = ims_store_each_root(s->store, find_below, &f, err);
	if (!rc)
		rc = find_below(&f, 0, "");
	if (rc == 1)
		*id = f.id;
	return rc == 1 ? 0 : rc ? rc : ims_fail(err, IMGSEARCH_ENOTFOUND, "%s: not in the index", path);
}

typedef struct vector_lister {
	int (*each)(void *user, const int64_t *ids, const float *rows, size_t n, size_t dim);
	void *user;
	size_t dim;
} vector_lister;

static int list_vectors(void *user, const int64_t *ids, const float *rows, size_t n)
{
	vector_lister *l = user;
	return l->each(l->user, ids, rows, n, l->dim);
}

int imgsearch_vectors(imgsearch *s, int (*each)(void *user, const int64_t *ids, const float *rows, size_t n, size_t dim), void *user, imgsearch_error *err)
{
	view *v;
	if (!s || !each)
		return ims_fail(err, IMGSEARCH_EINVAL, "vectors: no callback");
	int rc = ims_view_get(s, &v, err);
	if (rc)
		return rc;
	vector_lister l = { each, user, v->space.dim };
	ims_view_release(v);
	return l.dim ? ims_store_vectors_scan(s->store, false, (uint32_t)l.dim, list_vectors, &l, err) : 0;
}

int imgsearch_models(int (*each)(void *user, const imgsearch_model_info *m), void *user, imgsearch_error *err)
{
	return each ? ims_model_each(each, user) : ims_fail(err, IMGSEARCH_EINVAL, "models: no callback");
}
