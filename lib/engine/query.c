/* The queries: they check their arguments and delegate. */
#include "engine/options.h"
#include "query/query.h"
#include "query/vectors.h"

int imgsearch_query(imgsearch *s, const imgsearch_input *in, size_t n,
	const imgsearch_query_options *options, imgsearch_hits **out, imgsearch_error *err)
{
	imgsearch_query_options o;
	if (out)
		*out = NULL;
	if (!s || !in || !n || !out)
		return ims_fail(err, IMGSEARCH_EINVAL, "query: no input");
	int rc = ims_options_copy(&o, sizeof o, options, err);
	return rc ? rc : ims_query(s, in, n, &o, out, err);
}

int imgsearch_range(imgsearch *s, const imgsearch_input *in, float min_score,
	const imgsearch_query_options *options, imgsearch_hits **out, imgsearch_error *err)
{
	imgsearch_query_options o;
	if (out)
		*out = NULL;
	if (!s || !in || !out)
		return ims_fail(err, IMGSEARCH_EINVAL, "query: no input");
	int rc = ims_options_copy(&o, sizeof o, options, err);
	o.min_score = min_score;
	o.has_min_score = 1;
	if (!o.k)
		o.k = UINT32_MAX;
	o.searcher = o.searcher ? o.searcher : "exact";
	return rc ? rc : ims_query(s, in, 1, &o, out, err);
}

int imgsearch_vectors_query(imgsearch *s, const float *queries, size_t n, size_t dim,
	const imgsearch_query_options *options, int64_t *ids, float *scores, imgsearch_error *err)
{
	imgsearch_query_options o;
	if (!s || (n && (!queries || !ids)))
		return ims_fail(err, IMGSEARCH_EINVAL, "query: no vectors, or ids is NULL");
	int rc = ims_options_copy(&o, sizeof o, options, err);
	return rc ? rc : ims_query_vectors(s, queries, n, dim, &o, ids, scores, err);
}
