/* imgsearch_eval_run: checks its arguments and delegates. */
#include "collection/eval.h"
#include "engine/options.h"
#include "handle/handle.h"

#include <math.h>

static int check_options(const imgsearch_eval_options *o, imgsearch_error *err)
{
	if (o->duplicates && (o->truth || o->queries))
		return ims_fail(err, IMGSEARCH_EINVAL,
			"eval: duplicates make their own queries; queries and truth do not go with them");
	if (o->duplicates && o->groups)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"eval: duplicates and groups do not go together");
	if (o->groups && (o->truth || o->queries))
		return ims_fail(err, IMGSEARCH_EINVAL,
			"eval: groups go with the pictures of the index alone, not with queries or truth");
	if (o->has_threshold && !isfinite(o->threshold))
		return ims_fail(err, IMGSEARCH_EINVAL, "eval: the threshold is not a number");
	if (o->plain && o->whiten)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"eval: plain leaves out every improvement: whitening does not go with it");
	return 0;
}

int imgsearch_eval_run(imgsearch *s, const imgsearch_eval_options *options, imgsearch_eval_report **out,
	imgsearch_error *err)
{
	imgsearch_eval_options o;
	if (out)
		*out = NULL;
	if (!s || !out)
		return ims_fail(err, IMGSEARCH_EINVAL, "eval: no index, or the report is NULL");
	int rc = ims_options_copy(&o, sizeof o, options, err);
	if (!rc)
		rc = check_options(&o, err);
	if (rc)
		return rc;
	job j = ims_handle_job(s);
	return ims_eval(s, &o, &j, out, err);
}
