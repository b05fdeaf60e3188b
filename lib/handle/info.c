/* Totals of an index: counts, model, searchers, roots. */
#include "handle/info.h"

#include "handle/model_choice.h"
#include "handle/view.h"
#include "kernels/kernels.h"
#include "model/catalog.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* An info and the memory of its pointers. Each string is an allocation, listed in `owned`. */
typedef struct info_block {
	imgsearch_info info; /* first: the caller's pointer */
	char **owned;
	size_t n_owned;
	const char **roots;
	uint8_t *offline;
	const char **searchers;
	imgsearch_error *err;
} info_block;

/* Appends a text to `owned`. NULL, with the text freed, where that fails. */
static const char *own(info_block *b, char *text)
{
	char **grown = text ? ims_realloc(b->owned, b->n_owned + 1, sizeof *grown) : NULL;
	if (!grown) {
		ims_free(text);
		return NULL;
	}
	b->owned = grown;
	return b->owned[b->n_owned++] = text;
}

void imgsearch_info_free(imgsearch_info *info)
{
	info_block *b = (info_block *)info;
	if (!b)
		return;
	for (size_t i = 0; i < b->n_owned; i++)
		ims_free(b->owned[i]);
	ims_free(b->owned);
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
	if (!roots || !offline || !(b->roots[n] = own(b, ims_strdup(path))))
		return ims_nomem(b->err);
	b->offline[n] = stat(path, &st) != 0;
	b->info.n_roots++;
	return 0;
}

/* The setting of that name, which a build stored; NULL: there is none. */
static const char *setting(imgsearch *s, info_block *b, const char *name)
{
	buf text = { 0 };
	const char *owned = NULL;
	if (!ims_store_setting_get(s->store, name, &text, NULL) && text.len)
		owned = own(b, ims_strndup((const char *)text.data, text.len));
	ims_buf_free(&text);
	return owned;
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
		const char *about = setting(s, b, key);
		uint64_t bytes = 0;
		if ((rc = ims_store_searcher_bytes(s->store, all[i].state, &bytes, b->err)))
			break;
		b->searchers[i] = own(b,
			ims_format("%s: %llu rows, %.1f MB, %s%s%s", all[i].name,
				(unsigned long long)all[i].rows, (double)bytes / 1e6,
				!same                      ? "stale: build again"
					: last > all[i].change ? "catches up with changes"
										   : "fresh",
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
	int rc = ims_identity_stored(s, false, &id, b->err);
	if (rc)
		return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
	info->model = own(b, ims_strdup(id.name));
	info->weights = id.weights ? own(b, ims_strdup(id.weights)) : NULL;
	info->weights_hash = own(b, ims_strdup(id.weights_hash));
	info->precision = id.precision == IMGSEARCH_BF16 ? "bf16" : "f32";
	info->flip = id.flip;
	info->recipe = (imgsearch_recipe){
		.resize = id.recipe.resize,
		.crop = id.recipe.crop,
		.interpolation = id.recipe.bicubic ? IMGSEARCH_BICUBIC : IMGSEARCH_BILINEAR,
	};
	memcpy(info->recipe.mean, id.recipe.mean, sizeof id.recipe.mean);
	memcpy(info->recipe.std, id.recipe.std, sizeof id.recipe.std);
	ims_model_identity_free(&id);
	return info->model && info->weights_hash ? 0 : ims_nomem(b->err);
}

/* Describes the re-index under way, if there is one, and its progress. */
static int add_next(imgsearch *s, info_block *b, uint64_t vectors)
{
	model_identity id;
	int rc = ims_identity_stored(s, true, &id, b->err);
	if (rc)
		return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
	b->info.next = own(b,
		ims_format("%s, resize %u, crop %u%s: %llu of %llu vectors", id.name, id.recipe.resize,
			id.recipe.crop, id.flip ? ", averaged with the mirror image" : "",
			(unsigned long long)vectors, (unsigned long long)b->info.vectors));
	ims_model_identity_free(&id);
	return b->info.next ? 0 : ims_nomem(b->err);
}

static int add_counts(imgsearch *s, info_block *b)
{
	imgsearch_info *info = &b->info;
	imgsearch_counts *c = &info->counts;
	store_counts held;
	int rc = ims_store_counts(s->store, &held, b->err);
	const uint64_t *n = held.by_state;
	info->vectors = held.vectors;
	c->indexed = n[IMGSEARCH_INDEXED];
	c->duplicate = n[IMGSEARCH_DUPLICATE];
	c->unsupported = n[IMGSEARCH_UNSUPPORTED];
	c->damaged = n[IMGSEARCH_DAMAGED];
	c->too_big = n[IMGSEARCH_TOO_BIG];
	c->excluded = n[IMGSEARCH_EXCLUDED];
	c->unreadable = n[IMGSEARCH_UNREADABLE];
	c->seen = c->indexed + c->duplicate + c->unsupported + c->damaged + c->too_big + c->excluded
		+ c->unreadable;
	return rc ? rc : add_next(s, b, held.vectors_next);
}

/*
 * The dimension that an index without vectors will have: that of the network its options name; 0:
 * unknown.
 */
static uint32_t future_dim(imgsearch *s)
{
	identity id;
	uint32_t dim = ims_identity_decide(s, IDENTITY_NEW, &id, NULL) ? 0 : id.model.dim;
	ims_identity_free(&id);
	return dim;
}

static int fill(imgsearch *s, const view *v, info_block *b)
{
	imgsearch_info *info = &b->info;
	info->path = own(b, ims_strdup(ims_store_path(s->store)));
	info->bytes = ims_store_bytes(s->store);
	info->dim = v->space.dim ? v->space.dim : future_dim(s);
	info->metric = v->space.metric;
	info->kernels = ims_kernels()->name;
	info->searcher = own(b, ims_strdup(*v->chosen ? v->chosen : "scan"));
	info->searcher_why = setting(s, b, "searcher_why");
	if (!info->searcher_why)
		info->searcher_why = "no searcher is built: queries scan every vector (run build)";
	int rc = info->path && info->searcher ? add_counts(s, b) : ims_nomem(b->err);
	if (!rc)
		rc = add_model(s, b);
	if (!rc)
		rc = ims_store_each_root(s->store, add_root, b, b->err);
	if (!rc)
		rc = add_searchers(s, v, b);
	pthread_mutex_lock(&s->network_lock);
	if (!rc && s->network && !(info->network = own(b, ims_strdup(ims_model_describe(s->network)))))
		rc = ims_nomem(b->err);
	pthread_mutex_unlock(&s->network_lock);
	info->roots = b->roots;
	info->root_offline = b->offline;
	info->searchers = b->searchers;
	return rc;
}

int ims_info(imgsearch *s, imgsearch_info **out, imgsearch_error *err)
{
	view *v;
	*out = NULL;
	int rc = ims_view_acquire(s, &v, err);
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
