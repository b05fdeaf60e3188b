/* imgsearch_eval_run: checks its arguments and delegates. */
#include "collection/eval.h"
#include "engine/arguments.h"
#include "handle/handle.h"
#include "handle/second.h"
#include "words/prompt.h"

#include <math.h>

static int check_options(const imgsearch_eval_options *o, imgsearch_error *err)
{
	REQUIRE(!o->duplicates || !(o->truth || o->queries), err,
		"eval_run: with duplicates, truth and queries must be left out");
	REQUIRE(!o->duplicates || !o->groups, err,
		"eval_run: duplicates and groups are two different truths");
	REQUIRE(!o->groups || !(o->truth || o->queries), err,
		"eval_run: groups are a truth for the pictures of the index alone");
	REQUIRE(!o->has_threshold || isfinite(o->threshold), err,
		"eval_run: threshold is not a finite number");
	REQUIRE(!o->reserved, err, "eval_run: reserved is %u, not 0", o->reserved);
	REQUIRE(!o->plain || !o->whiten, err, "eval_run: plain and whiten exclude each other");
	REQUIRE(!o->texts || !(o->truth || o->queries || o->groups || o->duplicates), err,
		"eval_run: with texts, truth, queries, groups and duplicates must be left out");
	REQUIRE(!o->texts || !o->whiten, err, "eval_run: texts and whiten exclude each other");
	return ims_prompt_check_template(o->text_template, err);
}

int imgsearch_eval_run(imgsearch *s, const imgsearch_eval_options *theirs,
	const imgsearch_call *call, imgsearch_eval_report **report, imgsearch_error *err)
{
	imgsearch_eval_options options;
	imgsearch_filter filter;
	job j;
	REQUIRE(report, err, "eval_run: report is NULL");
	*report = NULL;
	REQUIRE_HANDLE(s, "eval_run", err);
	int rc = COPY(options, theirs, err);
	if (!rc)
		rc = check_options(&options, err);
	if (!rc)
		rc = ims_filter_copy_plain(&options.filter, &filter, "eval_run", err);
	if (!rc)
		rc = ims_call_begin(s, call, &j, err);
	if (!rc)
		rc = ims_second_choose(s, options.model, &s, err);
	return rc ? rc : ims_eval(s, &options, &j, report, err);
}
