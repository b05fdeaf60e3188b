/* imgsearch_build and imgsearch_vectors_reduce: they check their arguments and delegate. */
#include "build/build.h"
#include "engine/options.h"
#include "handle/handle.h"
#include "query/reduce.h"

#include <string.h>

int imgsearch_build(imgsearch *s, const imgsearch_build_options *options,
	imgsearch_build_report *report, imgsearch_error *err)
{
	imgsearch_build_options o;
	imgsearch_build_report local;
	job j;
	report = report ? report : &local;
	memset(report, 0, sizeof *report);
	if (!s)
		return ims_fail(err, IMGSEARCH_EINVAL, "build: no index");
	int rc = ims_options_copy(&o, sizeof o, options, err);
	if (!rc)
		rc = ims_handle_write_begin(s, err);
	if (rc)
		return rc;
	j = ims_handle_job(s);
	rc = ims_build(s, &o, report, &j, err);
	ims_handle_write_end(s);
	return rc;
}

int imgsearch_vectors_reduce(imgsearch *s, const float *rows, size_t n, size_t dim, float *out, size_t m,
	imgsearch_error *err)
{
	if (!s || (n && (!rows || !out)))
		return ims_fail(err, IMGSEARCH_EINVAL, "reduce: no rows, or out is NULL");
	return ims_reduce(s, rows, n, dim, out, m, err);
}
