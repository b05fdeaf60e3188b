#include "query/reduce.h"
#include "handle/space.h"
#include "handle/view.h"

int ims_reduce(imgsearch *s, const float *rows, size_t n, size_t dim, float *out, size_t m, job *j,
	imgsearch_error *err)
{
	enum { STEP = 256 }; /* rows between two looks at the job */
	view *v = NULL;
	search_index *index = NULL;
	int rc = ims_view_acquire(s, &v, err);
	if (!rc && dim != v->space.dim)
		rc = ims_fail(err, IMGSEARCH_EINVAL, "rows of %zu values; the index has %u", dim,
			v->space.dim);
	if (!rc)
		rc = ims_view_searcher(s, v, &v->wholes, "pca", j, &index, err);
	if (!rc && !index)
		rc = ims_fail(err, IMGSEARCH_ENOTFOUND, "no usable pca searcher is built");
	float *in_space = rc ? NULL : ims_alloc_aligned(STEP, dim * sizeof *in_space);
	if (!rc && !in_space)
		rc = ims_nomem(err);
	for (size_t at = 0, now; !rc && at < n; at += now) {
		now = n - at < STEP ? n - at : STEP;
		for (size_t i = 0; i < now; i++)
			ims_space_apply(&v->space, rows + (at + i) * dim, in_space + i * dim);
		rc = ims_search_reduce(index, in_space, now, out + at * m, m, err);
		if (!rc)
			rc = ims_job_check(j, err);
	}
	ims_free(in_space);
	ims_view_release(v);
	return rc;
}
