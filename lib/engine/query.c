/* The queries: they check their arguments and delegate. */
#include "engine/arguments.h"
#include "handle/second.h"
#include "query/batch.h"
#include "query/query.h"
#include "query/request.h"
#include "query/vectors.h"
#include "words/prompt.h"

#include <math.h>

/* A checked copy of the options, and of the filter that they point to. */
typedef struct checked_options {
	imgsearch_query_options options;
	imgsearch_filter filter;
} checked_options;

static int copy_options(checked_options *c, const imgsearch_query_options *theirs,
	imgsearch_error *err)
{
	imgsearch_query_options options;
	int rc = COPY(options, theirs, err);
	c->options = options;
	if (!rc && options.filter) {
		rc = ims_filter_copy(&c->filter, options.filter, err);
		c->options.filter = &c->filter;
	}
	if (!rc)
		rc = ims_text_require(options.searcher, "query: searcher", err);
	if (!rc)
		rc = ims_text_require(options.model, "query: model", err);
	if (!rc)
		rc = ims_prompt_check_template(options.text_template, err);
	if (rc)
		return rc;
	REQUIRE(options.fields <= IMGSEARCH_FIELDS_PATHS, err, "query: fields %u is unknown",
		options.fields);
	REQUIRE(!options.reserved, err, "query: reserved is %u, not 0", options.reserved);
	REQUIRE(!options.reserved2, err, "query: reserved2 is %u, not 0", options.reserved2);
	REQUIRE(options.whole <= 1, err, "query: whole is %u, neither 0 nor 1", options.whole);
	REQUIRE(options.no_self <= 1, err, "query: no_self is %u, neither 0 nor 1", options.no_self);
	REQUIRE(options.plain <= 1, err, "query: plain is %u, neither 0 nor 1", options.plain);
	REQUIRE(options.max_chance >= 0, err, "query: max_chance is negative or not a number");
	REQUIRE(options.threads <= IMGSEARCH_THREADS_MAX, err, "query: threads %u is over %d",
		options.threads, IMGSEARCH_THREADS_MAX);
	return 0;
}

static int check_inputs(const imgsearch_input *inputs, size_t n, const char *function,
	imgsearch_error *err)
{
	REQUIRE(inputs, err, "%s: inputs is NULL", function);
	REQUIRE(n, err, "%s: n is 0", function);
	REQUIRE(n <= SIZE_MAX / sizeof *inputs, err, "%s: n is %zu", function, n);
	return 0;
}

/* rc, with its sentence in the caller's err. */
static int told(int rc, const imgsearch_error *why, imgsearch_error *err)
{
	if (rc && err)
		*err = *why;
	return rc;
}

int imgsearch_query(imgsearch *s, const imgsearch_input *inputs, size_t n,
	const imgsearch_query_options *theirs, const imgsearch_call *call, imgsearch_hits **out,
	imgsearch_error *err)
{
	checked_options checked;
	job j;
	imgsearch *by;
	imgsearch_error why;
	REQUIRE(out, err, "query: out is NULL");
	*out = NULL;
	REQUIRE_HANDLE(s, "query", err);
	int rc = check_inputs(inputs, n, "query", err);
	for (size_t i = 0; !rc && i < n; i++)
		rc = ims_input_require(&inputs[i], "query", err);
	if (!rc)
		rc = copy_options(&checked, theirs, err);
	if (!rc)
		rc = ims_call_begin(s, call, &j, err);
	if (rc)
		return rc;
	do {
		rc = ims_second_choose(s, checked.options.model, &by, &why);
		if (!rc)
			rc = ims_query(by, inputs, n, &checked.options, &j, out, &why);
	} while (ims_second_is_exchanged(rc, &why));
	return told(rc, &why, err);
}

int imgsearch_range(imgsearch *s, const imgsearch_input *in, float min_score,
	const imgsearch_query_options *theirs, const imgsearch_call *call, imgsearch_hits **out,
	imgsearch_error *err)
{
	checked_options checked;
	imgsearch_query_options *o = &checked.options;
	job j;
	imgsearch *by;
	imgsearch_error why;
	REQUIRE(out, err, "range: out is NULL");
	*out = NULL;
	REQUIRE_HANDLE(s, "range", err);
	REQUIRE(min_score == min_score, err, "range: min_score is not a number");
	int rc = ims_input_require(in, "range", err);
	if (!rc)
		rc = copy_options(&checked, theirs, err);
	if (!rc)
		rc = ims_call_begin(s, call, &j, err);
	if (rc)
		return rc;
	o->min_score = min_score;
	o->has_min_score = 1;
	o->k = o->k ? o->k : UINT32_MAX;
	o->searcher = o->searcher ? o->searcher : "exact";
	do {
		rc = ims_second_choose(s, o->model, &by, &why);
		if (!rc)
			rc = ims_query(by, in, 1, o, &j, out, &why);
	} while (ims_second_is_exchanged(rc, &why));
	return told(rc, &why, err);
}

int imgsearch_batch_query(imgsearch *s, const imgsearch_input *inputs, size_t n,
	const imgsearch_query_options *theirs, const imgsearch_call *call, imgsearch_answers **out,
	imgsearch_error *err)
{
	checked_options checked;
	job j;
	imgsearch *by;
	imgsearch_error why;
	REQUIRE(out, err, "batch_query: out is NULL");
	*out = NULL;
	REQUIRE_HANDLE(s, "batch_query", err);
	int rc = check_inputs(inputs, n, "batch_query", err);
	if (!rc)
		rc = copy_options(&checked, theirs, err);
	if (!rc)
		rc = ims_call_begin(s, call, &j, err);
	if (rc)
		return rc;
	do {
		rc = ims_second_choose(s, checked.options.model, &by, &why);
		if (!rc)
			rc = ims_batch_query(by, inputs, n, &checked.options, &j, out, &why);
	} while (ims_second_is_exchanged(rc, &why));
	return told(rc, &why, err);
}

int imgsearch_vectors_query(imgsearch *s, const float *rows, size_t n, size_t dim,
	const imgsearch_query_options *theirs, const imgsearch_call *call, int64_t *ids, float *scores,
	size_t capacity, imgsearch_error *err)
{
	checked_options checked;
	job j;
	imgsearch *by;
	imgsearch_error why;
	REQUIRE_HANDLE(s, "vectors_query", err);
	REQUIRE(!n || rows, err, "vectors_query: rows is NULL");
	REQUIRE(!n || ids, err, "vectors_query: ids is NULL");
	REQUIRE(!n || (dim && n <= SIZE_MAX / sizeof *rows / dim), err, "vectors_query: n or dim");
	int rc = copy_options(&checked, theirs, err);
	if (rc)
		return rc;
	size_t k = checked.options.k ? checked.options.k : IMGSEARCH_K_DEFAULT;
	REQUIRE(n <= capacity / k, err,
		"vectors_query: capacity: %zu answers of k = %zu do not fit into %zu", n, k, capacity);
	rc = ims_call_begin(s, call, &j, err);
	if (rc)
		return rc;
	do {
		rc = ims_second_choose(s, checked.options.model, &by, &why);
		if (!rc)
			rc = ims_query_vectors(by, rows, n, dim, &checked.options, &j, ids, scores, &why);
	} while (ims_second_is_exchanged(rc, &why));
	return told(rc, &why, err);
}
