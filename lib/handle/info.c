/* Totals of an index: counts, model, searchers, roots. */
#include "handle/info.h"

#include "base/path.h"
#include "handle/offline.h"
#include "handle/model_choice.h"
#include "handle/second.h"
#include "handle/view.h"
#include "kernels/kernels.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* An info that is being filled. */
typedef struct info_builder {
	imgsearch *s;
	const view *v;
	imgsearch_info *info;
	imgsearch_info *owner; /* the result that owns everything: info, or that of the first model */
	imgsearch_error *err;
	offline_folders offline;
} info_builder;

static const char *text(info_builder *f, const char *t)
{
	return ims_result_text(f->owner, t);
}

/* The setting of that name, which a build stored; NULL: there is none. */
static const char *setting(info_builder *f, const char *name)
{
	buf stored = { 0 };
	const char *out = NULL;
	if (!ims_store_setting_get(f->s->store, name, &stored, NULL) && stored.len)
		out = ims_result_text_n(f->owner, (const char *)stored.data, stored.len);
	ims_buf_free(&stored);
	return out;
}

/* ----------------------------------------------------------------------------------- roots ---- */

/* What is remembered for a root; a folder that is the root itself is ".". */
static const imgsearch_strings *list_of(info_builder *f, const store_lists *of, store_list list)
{
	const text_list *l = &of->of[list];
	bool folders = list != STORE_EXCLUDE && list != STORE_INCLUDE;
	const char **shown = ims_alloc(l->n + 1, sizeof *shown);
	for (size_t i = 0; shown && i < l->n; i++)
		shown[i] = folders && !*l->item[i] ? "." : l->item[i];
	const imgsearch_strings *out = shown ? ims_result_strings(f->owner, (char *const *)shown, l->n)
										 : NULL;
	ims_free(shown);
	return out;
}

static imgsearch_root *make_root(info_builder *f, const char *path, const store_lists *of)
{
	struct stat st;
	imgsearch_root *root = ims_result_alloc(f->owner, 1, sizeof *root);
	if (!root)
		return NULL;
	*root = (imgsearch_root){
		.path = text(f, path),
		.offline = *path != '/' || stat(path, &st) != 0,
		.exclude = list_of(f, of, STORE_EXCLUDE),
		.include = list_of(f, of, STORE_INCLUDE),
		.follow = list_of(f, of, STORE_FOLLOW),
		.tiff = list_of(f, of, STORE_TIFF),
		.video = list_of(f, of, STORE_VIDEO),
	};
	bool whole = root->path && root->exclude && root->include && root->follow && root->tiff;
	return whole && root->video ? root : NULL;
}

static int add_roots(info_builder *f)
{
	store_roots stored;
	int rc = ims_store_roots_get(f->s->store, &stored, f->err);
	if (rc)
		return rc;
	imgsearch_roots *roots = ims_result_alloc(f->owner, 1, sizeof *roots);
	imgsearch_root **items = ims_result_alloc(f->owner, stored.n + 1, sizeof *items);
	bool made = roots && items;
	for (size_t i = 0; made && i < stored.n; i++)
		made = (items[i] = make_root(f, stored.path[i], &stored.lists[i])) != NULL;
	if (made) {
		*roots = (imgsearch_roots){ stored.n, (const imgsearch_root *const *)items };
		f->info->roots = roots;
	}
	ims_store_roots_free(&stored);
	return made ? 0 : ims_nomem(f->err);
}

/* ------------------------------------------------------------------------------- searchers ---- */

static int fill_searcher(info_builder *f, imgsearch_searcher *out, const store_searcher *stored,
	int64_t last_change)
{
	char key[64], *params = ims_view_params(f->v, stored->name);
	if (!params)
		return ims_nomem(f->err);
	snprintf(key, sizeof key, "searcher_%s", stored->name);
	out->name = text(f, stored->name);
	out->note = setting(f, key);
	out->rows = stored->rows;
	out->changed = last_change > stored->change ? (uint64_t)(last_change - stored->change) : 0;
	out->stale = !stored->params || strcmp(stored->params, params) != 0;
	ims_free(params);
	int rc = ims_store_searcher_bytes(f->s->store, stored->state, &out->bytes, f->err);
	return rc || out->name ? rc : ims_nomem(f->err);
}

static int add_searchers(info_builder *f)
{
	store_searcher *stored;
	size_t n;
	int64_t last;
	int rc = ims_store_searchers(f->s->store, &stored, &n, f->err);
	if (rc)
		return rc;
	imgsearch_searchers *list = ims_result_alloc(f->owner, 1, sizeof *list);
	imgsearch_searcher **items = ims_result_list(f->owner, n, sizeof **items);
	rc = list && items ? ims_store_change_last(f->s->store, &last, f->err) : ims_nomem(f->err);
	for (size_t i = 0; !rc && i < n; i++)
		rc = fill_searcher(f, items[i], &stored[i], last);
	if (!rc) {
		*list = (imgsearch_searchers){ n, (const imgsearch_searcher *const *)items };
		f->info->searchers = list;
	}
	ims_store_searchers_free(stored, n);
	return rc;
}

/* ----------------------------------------------------------------------------------- model ---- */

static const imgsearch_recipe *copy_recipe(info_builder *f, const model_identity *id)
{
	imgsearch_recipe *out = ims_result_alloc(f->owner, 1, sizeof *out);
	if (out)
		*out = ims_identity_recipe(id);
	return out;
}

static int add_model(info_builder *f)
{
	model_identity id;
	imgsearch_info *info = f->info;
	int rc = ims_identity_stored(f->s, false, &id, f->err);
	if (rc)
		return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
	info->model = text(f, id.name);
	info->weights = text(f, id.weights);
	info->weights_hash = text(f, id.weights_hash);
	info->precision = id.precision == IMGSEARCH_PRECISION_BF16 ? "bf16" : "f32";
	info->recipe = copy_recipe(f, &id);
	ims_model_identity_free(&id);
	return info->model && info->weights_hash && info->recipe ? 0 : ims_nomem(f->err);
}

/* The re-index under way, if there is one. */
static int add_reindex(info_builder *f, uint64_t done)
{
	bool second;
	model_identity id;
	int known = ims_store_has_second(f->s->store, &second, f->err);
	if (known || second)
		return known;
	int rc = ims_identity_stored(f->s, true, &id, f->err);
	if (rc)
		return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
	imgsearch_reindex *r = ims_result_alloc(f->owner, 1, sizeof *r);
	if (r) {
		*r = (imgsearch_reindex){
			.model = text(f, id.name),
			.recipe = copy_recipe(f, &id),
			.done = done,
			.total = f->info->vectors,
		};
		f->info->reindex = r;
	}
	ims_model_identity_free(&id);
	return r && r->model && r->recipe ? 0 : ims_nomem(f->err);
}

/* ------------------------------------------------------------------------------------ info ---- */

static int count_away(void *user, const store_picture *p, const char *root)
{
	info_builder *f = user;
	char *path = p->root && p->state != IMGSEARCH_STATE_DELETED ? ims_path_join(root, p->path)
																: NULL;
	f->info->offline += path && ims_offline_has(&f->offline, path, strlen(root));
	ims_free(path);
	return 0;
}

static int count_offline(info_builder *f)
{
	int rc = ims_offline_read(f->s, &f->offline, f->err);
	if (!rc && f->offline.possible)
		rc = ims_store_each_picture(f->s->store, 0, count_away, f, f->err);
	ims_offline_free(&f->offline);
	return rc;
}

static int add_counts(info_builder *f)
{
	imgsearch_counts *c = ims_result_alloc(f->owner, 1, sizeof *c);
	store_counts held;
	if (!c)
		return ims_nomem(f->err);
	int rc = ims_store_counts(f->s->store, &held, f->err);
	for (uint32_t state = 0; state < sizeof held.by_state / sizeof *held.by_state; state++) {
		ims_counts_add(c, state, held.by_state[state]);
		c->seen += held.by_state[state];
	}
	f->info->vectors = held.vectors;
	f->info->counts = c;
	if (!rc)
		rc = count_offline(f);
	f->info->colours = ims_colour_available();
	if (!rc)
		rc = ims_store_unconverted(f->s->store, &f->info->unconverted, f->err);
	if (!rc)
		rc = ims_store_dated(f->s->store, &f->info->dated, f->err);
	const char *regions = setting(f, "regions");
	f->info->regions = regions && *regions ? IMS_REGIONS_PARTS : 0;
	f->info->with_regions = f->info->regions ? held.regions : 0;
	if (!rc)
		rc = ims_store_file_bytes(f->s->store, &f->info->stored_bytes, f->err);
	return rc ? rc : add_reindex(f, held.vectors_next);
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

static int add_server(info_builder *f)
{
	char *versions;
	int rc = ims_store_server(f->s->store, &versions, &f->info->server_faults, f->err);
	if (!rc && versions && !(f->info->server = text(f, versions)))
		rc = ims_nomem(f->err);
	ims_free(versions);
	return rc;
}

/* One that was chosen where a copy comes from may be none of the copy. */
static bool is_built(const info_builder *f, const char *name)
{
	const imgsearch_searchers *list = f->info->searchers;
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i]->name, name))
			return true;
	return false;
}

static int fill(info_builder *f)
{
	imgsearch_info *info = f->info;
	const view *v = f->v;
	info->path = text(f, ims_store_path(f->s->store));
	info->bytes = ims_store_bytes(f->s->store);
	info->dim = v->space.dim ? v->space.dim : future_dim(f->s);
	info->metric = v->space.metric;
	info->words = v->has_words;
	info->kernels = ims_kernels()->name;
	info->read_only = ims_store_read_only(f->s->store);
	info->names_composed = ims_spelling_works();
	info->searcher = text(f, *v->wholes.chosen ? v->wholes.chosen : "scan");
	info->searcher_why = setting(f, "searcher_why");
	int rc = info->path && info->searcher ? add_counts(f) : ims_nomem(f->err);
	if (!rc)
		rc = add_model(f);
	if (!rc)
		rc = add_roots(f);
	if (!rc)
		rc = add_server(f);
	if (!rc)
		rc = add_searchers(f);
	if (!rc && !is_built(f, info->searcher)) {
		info->searcher = "scan";
		info->searcher_why = "no searcher is built: queries scan every vector";
	}
	return rc;
}

/* The second model: all of it as it is seen through its own handle. */
static int add_second(info_builder *f)
{
	imgsearch *second;
	view *v;
	int rc = ims_second_get(f->s, &second, f->err);
	if (rc || !second)
		return rc;
	rc = ims_view_acquire(second, &v, f->err);
	if (rc)
		return rc;
	imgsearch_info *info = ims_result_alloc(f->owner, 1, sizeof *info);
	info_builder of = { .s = second, .v = v, .info = info, .owner = f->owner, .err = f->err };
	rc = info ? fill(&of) : ims_nomem(f->err);
	ims_view_release(v);
	f->info->second = info;
	return rc;
}

int ims_info(imgsearch *s, const job *j, imgsearch_info **out, imgsearch_error *err)
{
	view *v;
	*out = NULL;
	int rc = ims_store_whole(s->store, err);
	if (!rc)
		rc = ims_view_acquire(s, &v, err);
	if (rc)
		return rc;
	info_builder f = { .s = s, .v = v, .info = ims_result_new(sizeof **out), .err = err };
	f.owner = f.info;
	rc = f.info ? fill(&f) : ims_nomem(err);
	if (!rc)
		rc = add_second(&f);
	if (!rc) /* the weights of a network may have been read */
		rc = ims_job_check(j, err);
	ims_view_release(v);
	if (rc)
		ims_result_free(f.info);
	else
		*out = f.info;
	return rc;
}

void imgsearch_info_free(imgsearch_info *info)
{
	ims_result_free(info);
}
