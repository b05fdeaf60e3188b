/*
 * A build reads the rows, builds the searcher and publishes its chunks in one step. The mean is
 * fitted first; a new mean makes the searchers of the old one stale.
 */
#include "build/build.h"

#include "build/chance.h"
#include "build/mean.h"
#include "handle/cohort.h"
#include "handle/view.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

/* ----------------------------------------------------------------------------------- build ---- */

typedef struct sink {
	store *store;
	job *job;
	int64_t state;
	uint64_t bytes;
} sink;

static int put_chunk(void *ctx, uint32_t number, const void *data, size_t size,
	imgsearch_error *err)
{
	sink *k = ctx;
	k->bytes += size;
	int rc = ims_job_check(k->job, err);
	return rc ? rc : ims_store_searcher_chunk(k->store, k->state, number, data, size, err);
}

static const char by_name[] = "chosen by name";

/* Makes a searcher the one of the index for rows of a set, and stores its description. */
static int choose(imgsearch *s, const row_set *set, const search_index *index, const char *why,
	imgsearch_error *err)
{
	const char *name = ims_search_name(index);
	char about[512], key[64], state[STATE_NAME];
	ims_search_describe(index, about, sizeof about);
	ims_view_state_name(set, "searcher", key);
	int rc = ims_store_setting_set(s->store, key, name, strlen(name), err);
	ims_view_state_name(set, name, state);
	snprintf(key, sizeof key, "searcher_%s", state);
	if (!rc)
		rc = ims_store_setting_set(s->store, key, about, strlen(about), err);
	ims_view_state_name(set, "searcher_why", key);
	return rc ? rc : ims_store_setting_set(s->store, key, why, strlen(why), err);
}

/* Publishes in one transaction. Queries use the old state until it is committed. */
static int save(imgsearch *s, const view *v, const row_set *set, search_index *index,
	int64_t change, const char *why, uint64_t *bytes, job *j, imgsearch_error *err)
{
	sink k = { .store = s->store, .job = j };
	char name[STATE_NAME];
	ims_view_state_name(set, ims_search_name(index), name);
	char *params = ims_view_params(v, name);
	int rc = params ? ims_store_tx_begin(s->store, err) : ims_nomem(err);
	if (rc) {
		ims_free(params);
		return rc;
	}
	rc = ims_store_searcher_begin(s->store, name, &k.state, err);
	if (!rc)
		rc = ims_search_save(index, &(chunk_sink){ &k, put_chunk }, err);
	if (!rc)
		rc = ims_store_searcher_publish(s->store, k.state, params,
			ims_search_find(ims_search_name(index))->version, set->rows->n, change, err);
	if (!rc)
		rc = choose(s, set, index, *why ? why : by_name, err);
	if (!rc)
		rc = ims_store_changes_trim(s->store, err);
	if (!rc)
		rc = ims_view_renew(s, err);
	rc = ims_handle_tx_end(s, rc, err);
	*bytes += k.bytes;
	ims_free(params);
	return rc;
}

/* Several built searchers are compared, and the fastest stays. */
static int build_best(const row_source *rows, const char *const *name, size_t n,
	const search_facts *facts, const search_params *params, search_index **out, char *why,
	size_t size, job *j, imgsearch_error *err)
{
	search_index *index[SEARCH_CANDIDATES] = { NULL };
	double seconds[SEARCH_CANDIDATES] = { 0 };
	size_t best = 0;
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		rc = ims_search_build(&index[i], name[i], rows, params, j, err);
		if (!rc && n > 1)
			rc = ims_search_time(index[i], facts, &seconds[i], err);
	}
	if (!rc && n > 1)
		best = ims_search_fastest(facts, name, seconds, n, why, size);
	*out = rc ? NULL : index[best];
	for (size_t i = 0; i < n; i++)
		if (rc || i != best)
			ims_search_free(index[i]);
	return rc;
}

/* A build at work: what is asked for. */
typedef struct building {
	imgsearch *s;
	view *view;
	const imgsearch_build_options *options;
	const char *asked; /* searcher; NULL: auto */
	build_result *result;
	job *job;
} building;

/* How many rows of the set can be in an answer. Regions of zeros are few: they are not counted. */
static int count_rows(const building *b, const row_set *set, row_source *rows, imgsearch_error *err)
{
	uint64_t zeros = 0;
	int64_t first;
	int rc = set == &b->view->wholes
		? ims_space_zeros(&b->view->rows_ctx, &zeros, &first, b->job, err)
		: 0;
	*rows = *set->rows;
	rows->n -= (size_t)zeros;
	return rc;
}

/* Builds a searcher over the rows of a set, and publishes it. *name and why become those of it. */
static int build_set(const building *b, const row_set *set, const char **built, char *why,
	size_t size, imgsearch_error *err)
{
	const imgsearch_build_options *o = b->options;
	search_params params = {
		.variance = o->variance,
		.components = o->components,
		.degree = o->degree,
		.beam = o->beam,
		.whiten = o->whiten,
		.seed = o->seed,
	};
	const char *name[SEARCH_CANDIDATES] = { b->asked };
	search_facts facts = { 0 };
	search_index *index = NULL;
	row_source rows;
	int64_t change;
	size_t n = 1;
	int rc = ims_store_change_last(b->s->store, &change, err);
	if (!rc)
		rc = count_rows(b, set, &rows, err);
	if (!rc && !b->asked) {
		rc = ims_search_look(&facts, &rows, err);
		n = ims_search_candidates(&facts, name, why, size);
	}
	if (!rc)
		rc = build_best(&rows, name, n, &facts, &params, &index, why, size, b->job, err);
	if (!rc)
		rc = save(b->s, b->view, set, index, change, why, &b->result->bytes, b->job, err);
	if (!rc)
		*built = ims_search_name(index);
	ims_search_facts_free(&facts);
	ims_search_free(index);
	return rc;
}

/* The searcher that was last chosen by name, which builds that are due keep. NULL: none was. */
static const char *kept_choice(const building *b, const row_set *set)
{
	char key[64];
	buf why = { 0 };
	ims_view_state_name(set, "searcher_why", key);
	bool kept = b->options->if_stale && *set->chosen
		&& !ims_store_setting_get(b->s->store, key, &why, NULL) && why.len == sizeof by_name - 1
		&& !memcmp(why.data, by_name, why.len) && ims_search_takes(set->chosen, set->rows);
	ims_buf_free(&why);
	return kept ? set->chosen : NULL;
}

/*
 * The searcher of that name, or of the rows' own choice, where it is usable: *there is its name.
 * *fresh: it has not drifted too far from the rows.
 */
static int look(const building *b, row_set *set, const char **there, bool *fresh,
	imgsearch_error *err)
{
	double drift;
	const char *name = b->asked                                       ? b->asked
		: ims_search_suits(set->chosen, set->rows->n, set->rows->dim) ? set->chosen
																	  : NULL;
	*fresh = false;
	*there = name ? ims_search_find(name)->name : NULL;
	if (!name || !b->options->if_stale)
		return 0;
	int rc = ims_view_drift(b->s, b->view, set, name, b->job, &drift, err);
	*fresh = !rc && drift <= stale_drift;
	return rc;
}

/* The searcher of the regions is the one that is asked for, if it can be, or suits their number. */
static int build_regions(const building *all, imgsearch_error *err)
{
	view *v = all->view;
	building own = *all;
	const building *b = &own;
	char why[sizeof b->result->why] = "";
	const char *name;
	bool fresh;
	if (own.asked && !ims_search_takes(own.asked, &v->region_rows))
		own.asked = NULL;
	if (!own.asked)
		own.asked = kept_choice(b, &v->regions);
	int rc = look(b, &v->regions, &name, &fresh, err);
	if (!rc && (!fresh || !v->region_chance.has) && v->rows.n >= CHANCE_ROWS)
		rc = ims_chance_fit(b->s, v, &v->region_chance, b->job, err);
	return rc || fresh ? rc : build_set(b, &v->regions, &name, why, sizeof why, err);
}

static int build_wholes(const building *all, imgsearch_error *err)
{
	view *v = all->view;
	building own = *all;
	const building *b = &own;
	build_result *r = b->result;
	bool fresh;
	if (!own.asked)
		own.asked = kept_choice(b, &v->wholes);
	int rc = look(b, &v->wholes, &r->searcher, &fresh, err);
	r->rows = v->rows.n;
	if (!rc && (!fresh || !v->chance.has) && v->rows.n >= CHANCE_ROWS)
		rc = ims_chance_fit(b->s, v, &v->chance, b->job, err);
	if (!rc && !fresh && v->rows.n)
		rc = build_set(b, &v->wholes, &r->searcher, r->why, sizeof r->why, err);
	return rc;
}

/* The current view, after the mean was fitted. */
static int get_view(imgsearch *s, const imgsearch_build_options *o, job *j, view **v,
	imgsearch_error *err)
{
	bool changed = false;
	int rc = ims_view_acquire_counted(s, v, err);
	if (rc)
		return rc;
	if ((*v)->space.dim && o->components > (*v)->space.dim)
		rc = ims_fail(err, IMGSEARCH_EINVAL, "build: components: %u of vectors of %u values",
			o->components, (*v)->space.dim);
	if (!rc)
		rc = ims_mean_fit(s, *v, j, &changed, err);
	if (!rc && !changed)
		return 0;
	ims_view_release(*v);
	*v = NULL;
	return rc ? rc : ims_view_acquire(s, v, err);
}

int ims_build(imgsearch *s, const imgsearch_build_options *o, build_result *result, job *job,
	imgsearch_error *err)
{
	double start = ims_now();
	view *v = NULL;
	const char *name = o->searcher && strcmp(o->searcher, "auto") ? o->searcher
																  : NULL; /* NULL: auto */
	if (name && !ims_search_find(name))
		return ims_fail(err, IMGSEARCH_EINVAL, "there is no searcher named %s", name);
	imgsearch_error why;
	int rc = ims_store_lease_begin(s->store, STORE_BUILDS, &why);
	if (rc == IMGSEARCH_EBUSY && o->if_stale)
		return 0; /* another program builds it */
	if (rc && err)
		*err = why;
	if (!rc)
		rc = get_view(s, o, job, &v, err);
	building b = { s, v, o, name, result, job };
	if (!rc)
		rc = build_wholes(&b, err);
	if (!rc && v->has_regions && v->region_rows.n)
		rc = build_regions(&b, err);
	if (!rc && result->bytes)
		rc = ims_store_compact(s->store, err);
	ims_view_release(v);
	result->seconds = ims_now() - start;
	return rc;
}
