#include "collection/self_join.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 256 };

static int join_block(self_join *j, size_t first, const float *rows, const int64_t *ids, size_t n, topk *best, job *job, imgsearch_error *err)
{
	search_report report;
	bool graph = !strcmp(ims_search_name(j->index), "graph"); /* which would scan for what lies within a distance */
	search_request q = { .queries = rows, .n = n, .k = j->k + 1, .max_distance = graph ? INFINITY : j->max_distance,
		.filter_count = SIZE_MAX, .pool = job->pool, .cancel = &job->cancel };
	for (size_t i = 0; i < n; i++)
		ims_topk_clear(&best[i]);
	int rc = ims_search_query(j->index, &q, best, &report, err);
	for (size_t i = 0; i < n && !rc; i++)
		for (size_t e = 0, rank = 0; e < best[i].n && rank < j->k && !rc && best[i].item[e].distance <= j->max_distance; e++)
			if (best[i].item[e].id != ids[i])
				rc = j->each(j->user, first + i, rank++, best[i].item[e]);
	return rc;
}

int ims_self_join(self_join *j, const float *rows, const int64_t *ids, size_t n, uint32_t dim, job *job, imgsearch_error *err)
{
	topk best[BLOCK] = { { 0 } };
	int rc = 0;
	for (size_t i = 0; i < BLOCK && !rc; i++)
		if (ims_topk_init(&best[i], j->k + 1))
			rc = ims_nomem(err);
	for (size_t at = 0; at < n && !rc; at += BLOCK) {
		size_t now = n - at < BLOCK ? n - at : BLOCK;
		rc = join_block(j, at, rows + at * dim, ids + at, now, best, job, err);
		j->done += now;
		if (!rc)
			rc = ims_job_step(job, "compare", j->done, j->total, err);
	}
	for (size_t i = 0; i < BLOCK; i++)
		ims_topk_free(&best[i]);
	return rc;
}
