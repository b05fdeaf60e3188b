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

/* Makes a searcher the one of the index, and stores its description. */
static int choose(imgsearch *s, const search_index *index, const char *why, imgsearch_error *err)
{
	const char *name = ims_search_name(index);
	char about[512], key[64];
	ims_search_describe(index, about, sizeof about);
	snprintf(key, sizeof key, "searcher_%s", name);
	int rc = ims_store_setting_set(s->store, "searcher", name, strlen(name), err);
	if (!rc)
		rc = ims_store_setting_set(s->store, key, about, strlen(about), err);
	return rc ? rc : ims_store_setting_set(s->store, "searcher_why", why, strlen(why), err);
}

/* Publishes in one transaction. Queries use the old state until it is committed. */
static int save(imgsearch *s, const view *v, search_index *index, int64_t change,
	build_result *result, job *j, imgsearch_error *err)
{
	sink k = { .store = s->store, .job = j };
	const char *name = ims_search_name(index);
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
		rc = ims_store_searcher_publish(s->store, k.state, params, ims_search_find(name)->version,
			v->rows.n, change, err);
	if (!rc)
		rc = choose(s, index, *result->why ? result->why : "chosen by name", err);
	if (!rc)
		rc = ims_store_changes_trim(s->store, err);
	if (!rc)
		rc = ims_view_renew(s, err);
	rc = ims_handle_tx_end(s, rc, err);
	result->bytes = k.bytes;
	ims_free(params);
	return rc;
}

/* Several built searchers are compared, and the fastest stays. */
static int build_best(const row_source *rows, const char *const *name, size_t n,
	const search_facts *facts, const search_params *params, search_index **out,
	build_result *result, job *j, imgsearch_error *err)
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
		best = ims_search_fastest(facts, name, seconds, n, result->why, sizeof result->why);
	*out = rc ? NULL : index[best];
	for (size_t i = 0; i < n; i++)
		if (rc || i != best)
			ims_search_free(index[i]);
	return rc;
}

static int build_now(imgsearch *s, view *v, const imgsearch_build_options *o, const char *asked,
	build_result *result, job *j, imgsearch_error *err)
{
	search_params params = {
		.variance = o->variance,
		.components = o->components,
		.degree = o->degree,
		.beam = o->beam,
		.whiten = o->whiten,
		.seed = o->seed,
	};
	const char *name[SEARCH_CANDIDATES] = { asked };
	search_facts facts = { 0 };
	search_index *index = NULL;
	row_source rows = v->rows;
	uint64_t zeros;
	int64_t change, first;
	size_t n = 1;
	int rc = ims_store_change_last(s->store, &change, err);
	if (!rc)
		rc = ims_space_zeros(&v->rows_ctx, &zeros, &first, j, err);
	if (!rc)
		rows.n -= (size_t)zeros;
	if (!rc && !asked) {
		rc = ims_search_look(&facts, &rows, err);
		n = ims_search_candidates(&facts, name, result->why, sizeof result->why);
	}
	if (!rc)
		rc = build_best(&rows, name, n, &facts, &params, &index, result, j, err);
	if (!rc)
		rc = save(s, v, index, change, result, j, err);
	if (!rc) {
		result->searcher = ims_search_name(index);
		rc = ims_store_compact(s->store, err);
	}
	ims_search_facts_free(&facts);
	ims_search_free(index);
	return rc;
}

/* Whether the searcher exists, is usable, and has not drifted too far from the rows. */
static int is_fresh(imgsearch *s, view *v, const char *name, job *j, bool *fresh,
	imgsearch_error *err)
{
	double drift;
	int rc = ims_view_drift(s, v, name, j, &drift, err);
	*fresh = !rc && drift <= stale_drift;
	return rc;
}

int ims_build(imgsearch *s, const imgsearch_build_options *o, build_result *result, job *job,
	imgsearch_error *err)
{
	double start = ims_now();
	view *v;
	bool changed = false, fresh = false;
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
		rc = ims_view_acquire_counted(s, &v, err);
	if (rc)
		return rc;
	if (v->space.dim && o->components > v->space.dim)
		rc = ims_fail(err, IMGSEARCH_EINVAL, "build: components: %u of vectors of %u values",
			o->components, v->space.dim);
	if (!rc)
		rc = ims_mean_fit(s, v, job, &changed, err);
	if (!rc && changed) {
		ims_view_release(v);
		rc = ims_view_acquire(s, &v, err);
		if (rc)
			return rc;
	}
	result->rows = v->rows.n;
	const char *there = name                                   ? name
		: ims_search_suits(v->chosen, v->rows.n, v->space.dim) ? v->chosen
															   : NULL;
	if (there)
		result->searcher = ims_search_find(there)->name;
	if (!rc && o->if_stale && there)
		rc = is_fresh(s, v, there, job, &fresh, err);
	if (!rc && (!fresh || !v->has_chance) && v->rows.n >= CHANCE_ROWS)
		rc = ims_chance_fit(s, v, job, err);
	if (!rc && !fresh && v->rows.n)
		rc = build_now(s, v, o, name, result, job, err);
	ims_view_release(v);
	result->seconds = ims_now() - start;
	return rc;
}
