#include "collection/self_join.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 256 };

/*
 * The graph answers a search with a distance limit by a full scan, so it is searched without one.
 */
static float search_distance(const self_join *j)
{
	return strcmp(ims_search_name(j->index), "graph") ? j->max_distance : INFINITY;
}

static int report_neighbours(const self_join *j, size_t row, int64_t own_id, const topk *best)
{
	int rc = 0;
	size_t rank = 0;
	for (size_t i = 0; i < best->n && rank < j->k && !rc; i++) {
		if (best->item[i].distance > j->max_distance)
			break;
		if (best->item[i].id != own_id)
			rc = j->each(j->user, row, rank++, best->item[i]);
	}
	return rc;
}

static int join_block(const self_join *j, size_t first, const float *rows, const int64_t *ids,
	size_t n, topk *best, job *job, imgsearch_error *err)
{
	search_report report;
	search_request q = {
		.queries = rows,
		.n = n,
		.k = j->k + 1,
		.max_distance = search_distance(j),
		.filter_count = SIZE_MAX,
		.pool = job->pool,
		.stop = &job->stop,
	};
	for (size_t i = 0; i < n; i++)
		ims_topk_clear(&best[i]);
	int rc = ims_search_query(j->index, &q, best, &report, err);
	for (size_t i = 0; i < n && !rc; i++)
		rc = report_neighbours(j, first + i, ids[i], &best[i]);
	return rc;
}

int ims_self_join(self_join *j, const float *rows, const int64_t *ids, size_t n, uint32_t dim,
	job *job, imgsearch_error *err)
{
	topk best[BLOCK] = { { 0 } };
	int rc = 0;
	for (size_t i = 0; i < BLOCK && !rc; i++)
		if (ims_topk_init(&best[i], j->k + 1))
			rc = ims_nomem(err);
	for (size_t at = 0; at < n && !rc; at += BLOCK) {
		size_t block = n - at < BLOCK ? n - at : BLOCK;
		rc = join_block(j, at, rows + at * dim, ids + at, block, best, job, err);
		j->done += block;
		if (!rc)
			rc = ims_job_step(job, "compare", j->done, j->total, err);
	}
	for (size_t i = 0; i < BLOCK; i++)
		ims_topk_free(&best[i]);
	return rc;
}
