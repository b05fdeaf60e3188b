/* imgsearch_build and imgsearch_vectors_reduce: they check their arguments and delegate. */
#include "build/build.h"
#include "engine/arguments.h"
#include "handle/second.h"
#include "query/reduce.h"

#include <math.h>

static int check_options(const imgsearch_build_options *o, imgsearch_error *err)
{
	REQUIRE(o->variance >= 0 && o->variance <= 1, err, "build: variance is not within 0..1");
	REQUIRE(!o->degree || (o->degree >= IMGSEARCH_DEGREE_MIN && o->degree <= IMGSEARCH_DEGREE_MAX),
		err, "build: degree %u is not within %d..%d", o->degree, IMGSEARCH_DEGREE_MIN,
		IMGSEARCH_DEGREE_MAX);
	REQUIRE(!o->beam || (o->beam >= IMGSEARCH_BEAM_MIN && o->beam <= IMGSEARCH_BEAM_MAX), err,
		"build: beam %u is not within %d..%d", o->beam, IMGSEARCH_BEAM_MIN, IMGSEARCH_BEAM_MAX);
	REQUIRE(!o->reserved, err, "build: reserved is %u, not 0", o->reserved);
	REQUIRE(o->whiten <= 1, err, "build: whiten is %u, neither 0 nor 1", o->whiten);
	REQUIRE(o->if_stale <= 1, err, "build: if_stale is %u, neither 0 nor 1", o->if_stale);
	return ims_text_require(o->searcher, "build: searcher", err);
}

static int make_report(const build_result *from, imgsearch_build_report **out, imgsearch_error *err)
{
	imgsearch_build_report *r = ims_result_new(sizeof *r);
	const char *why = ims_result_text(r, from->why);
	if (!why) {
		ims_result_free(r);
		return ims_nomem(err);
	}
	*r = (imgsearch_build_report){
		.searcher = from->searcher ? from->searcher : "",
		.why = why,
		.rows = from->rows,
		.bytes = from->bytes,
		.seconds = from->seconds,
	};
	*out = r;
	return 0;
}

int imgsearch_build(imgsearch *s, const imgsearch_build_options *theirs, const imgsearch_call *call,
	imgsearch_build_report **report, imgsearch_error *err)
{
	imgsearch_build_options options;
	build_result result = { 0 };
	job j;
	if (report)
		*report = NULL;
	REQUIRE_HANDLE(s, "build", err);
	int rc = COPY(options, theirs, err);
	if (!rc)
		rc = check_options(&options, err);
	if (!rc)
		rc = ims_call_begin(s, call, &j, err);
	if (!rc && ims_handle_transaction_is_mine(s))
		rc = ims_fail(err, IMGSEARCH_EINVAL, "build: this thread has a transaction open");
	if (!rc)
		rc = ims_second_choose(s, options.model, &s, err);
	if (!rc)
		rc = ims_handle_write_begin(s, &j, err);
	if (rc)
		return rc;
	rc = ims_build(s, &options, &result, &j, err);
	ims_handle_write_end(s);
	return rc || !report ? rc : make_report(&result, report, err);
}

void imgsearch_build_report_free(imgsearch_build_report *report)
{
	ims_result_free(report);
}

int imgsearch_vectors_reduce(imgsearch *s, const float *rows, size_t n, size_t dim, size_t m,
	const imgsearch_call *call, float *out, size_t capacity, imgsearch_error *err)
{
	job j;
	REQUIRE_HANDLE(s, "vectors_reduce", err);
	REQUIRE(!n || rows, err, "vectors_reduce: rows is NULL");
	REQUIRE(!n || out, err, "vectors_reduce: out is NULL");
	REQUIRE(m, err, "vectors_reduce: m is 0");
	REQUIRE(!dim || n <= SIZE_MAX / sizeof *rows / dim, err, "vectors_reduce: n is %zu", n);
	REQUIRE(n <= capacity / m, err,
		"vectors_reduce: capacity: %zu rows of %zu values do not fit into %zu", n, m, capacity);
	int rc = ims_call_begin(s, call, &j, err);
	if (!rc)
		rc = ims_second_choose(s, NULL, &s, err);
	return rc ? rc : ims_reduce(s, rows, n, dim, out, m, &j, err);
}
