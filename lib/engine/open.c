/* imgsearch_open, imgsearch_close and imgsearch_cancel: they check their arguments and delegate. */
#include "base/ending.h"
#include "engine/arguments.h"
#include "engine/location.h"
#include "handle/handle.h"

#include <stdlib.h>
#include <string.h>

static int check_recipe(const imgsearch_recipe *r, imgsearch_error *err)
{
	REQUIRE(r->interpolation <= IMGSEARCH_INTERPOLATION_BICUBIC, err,
		"recipe: interpolation %u is unknown", r->interpolation);
	REQUIRE(r->flip <= 1, err, "recipe: flip is %u, neither 0 nor 1", r->flip);
	REQUIRE(r->squash <= 1, err, "recipe: squash is %u, neither 0 nor 1", r->squash);
	REQUIRE(!r->squash || !r->resize || !r->crop || r->resize == r->crop, err,
		"recipe: squash resizes to the crop, %u, not to the resize, %u", r->crop, r->resize);
	REQUIRE(r->crops <= 1 || r->crops == 5, err, "recipe: crops is %u, neither 1 nor 5", r->crops);
	REQUIRE(r->pooling <= IMGSEARCH_POOLING_CLASS, err, "recipe: pooling %u is unknown",
		r->pooling);
	return 0;
}

/* "auto", "cpu", "cuda" or "cuda:" and a number below 128. */
static bool is_device(const char *name)
{
	static const char *const names[] = { "auto", "cpu", "cuda" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(name, names[i]))
			return true;
	const char *number = strncmp(name, "cuda:", 5) ? "" : name + 5;
	size_t digits = strspn(number, "0123456789");
	return digits && digits <= 3 && !number[digits] && atoi(number) < 128;
}

static int check_options(const imgsearch_options *o, imgsearch_error *err)
{
	REQUIRE(o->metric <= IMGSEARCH_METRIC_IP, err, "options: metric %u is unknown", o->metric);
	REQUIRE(o->precision <= IMGSEARCH_PRECISION_BF16, err, "options: precision %u is unknown",
		o->precision);
	REQUIRE(o->dim <= IMGSEARCH_DIM_MAX, err, "options: dim %u is over %d", o->dim,
		IMGSEARCH_DIM_MAX);
	REQUIRE(o->threads <= IMGSEARCH_THREADS_MAX, err, "options: threads %u is over %d", o->threads,
		IMGSEARCH_THREADS_MAX);
	REQUIRE(!o->decoder || *o->decoder, err, "options: decoder is empty");
	REQUIRE(o->partial <= 1, err, "options: partial is %u, neither 0 nor 1", o->partial);
	REQUIRE(!o->cache || *o->cache, err, "options: cache is empty");
	REQUIRE(o->max_stale >= 0, err, "options: max_stale is below 0, or no number");
	REQUIRE(!o->n_roots || o->roots, err, "options: roots is NULL");
	for (size_t i = 0; i < o->n_roots; i++)
		REQUIRE(o->roots[i], err, "options: roots[%zu] is NULL", i);
	int rc = ims_text_require(o->device, "options: device", err);
	if (rc)
		return rc;
	REQUIRE(!o->device || is_device(o->device), err,
		"options: device \"%s\" is none of auto, cpu, cuda and cuda:0 to cuda:127", o->device);
	return 0;
}

int imgsearch_open(const char *location, const imgsearch_options *theirs,
	const imgsearch_call *call, imgsearch **out, imgsearch_error *err)
{
	imgsearch_options options;
	imgsearch_recipe recipe;
	imgsearch_call checked;
	char *path = NULL;
	REQUIRE(out, err, "open: out is NULL");
	*out = NULL;
	REQUIRE(location && *location, err, "open: location is NULL or empty");
	int rc = COPY(options, theirs, err);
	if (!rc)
		rc = COPY(recipe, options.recipe, err);
	if (!rc)
		rc = check_recipe(&recipe, err);
	options.recipe = &recipe;
	if (!rc)
		rc = check_options(&options, err);
	if (!rc)
		rc = ims_struct_copy(&checked, sizeof checked, call, "call", err);
	if (!rc)
		rc = ims_location_path(location, &path, err);
	if (!rc) {
		stop_token stop = ims_stop_token(NULL, &checked);
		rc = ims_stop_check(&stop, err);
	}
	if (!rc)
		rc = ims_handle_open(out, path, &options, err);
	if (!rc) {
		job j = { .call = checked };
		ims_handle_tell_upgrade(*out, ims_store_upgraded((*out)->store), &j);
		ims_handle_tell_repair(*out, &j);
	}
	ims_free(path);
	ims_ending_watch_main();
	return rc;
}

void imgsearch_close(imgsearch *s)
{
	if (s && ims_handle_is_own(s))
		ims_handle_close(s);
}

void imgsearch_cancel(imgsearch *s)
{
	if (s && ims_handle_is_own(s))
		ims_cancel_raise(&s->cancel);
}
