/* imgsearch_extract: checks its arguments and delegates. */
#include "engine/arguments.h"
#include "handle/feature.h"
#include "handle/second.h"
#include "words/prompt.h"

int imgsearch_extract(imgsearch *s, const imgsearch_input *inputs, size_t n,
	const imgsearch_extract_options *theirs, const imgsearch_call *call, float *rows,
	size_t capacity, imgsearch_error *errors, imgsearch_error *err)
{
	imgsearch_extract_options options;
	job j;
	REQUIRE_HANDLE(s, "extract", err);
	REQUIRE(!n || inputs, err, "extract: inputs is NULL");
	REQUIRE(!n || rows, err, "extract: rows is NULL");
	REQUIRE(n <= SIZE_MAX / sizeof *inputs, err, "extract: n is %zu", n);
	int rc = COPY(options, theirs, err);
	if (!rc)
		rc = ims_call_begin(s, call, &j, err);
	if (rc)
		return rc;
	REQUIRE(!options.reserved, err, "extract: reserved is %u, not 0", options.reserved);
	REQUIRE(options.raw <= 1, err, "extract: raw is %u, neither 0 nor 1", options.raw);
	rc = ims_prompt_check_template(options.text_template, err);
	if (!rc)
		rc = ims_second_choose(s, options.model, &s, err);
	return rc ? rc : ims_extract(s, &j, inputs, n, &options, rows, capacity, errors, err);
}
