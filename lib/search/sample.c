/* An even choice of the rows of a source, in order of id. */
#include "search/search.h"

#include <string.h>

typedef struct even_sampler {
	float *out;
	size_t dim, all, room, seen, n;
	const job *job;
	imgsearch_error *err;
} even_sampler;

static int sample_block(void *user, const int64_t *ids, const float *rows, size_t n)
{
	even_sampler *s = user;
	(void)ids;
	for (size_t i = 0; i < n && s->n < s->room; i++, s->seen++)
		if ((uint64_t)(s->seen + 1) * s->room / s->all > s->n)
			memcpy(s->out + s->n++ * s->dim, rows + i * s->dim, s->dim * sizeof(float));
	return ims_job_check(s->job, s->err);
}

int ims_search_sample(const row_source *rows, size_t room, float *out, size_t *n, const job *job,
	imgsearch_error *err)
{
	even_sampler s = { .out = out,
		.job = job,
		.err = err,
		.dim = rows->dim,
		.all = rows->n ? rows->n : 1,
		.room = room < rows->n ? room : rows->n };
	int rc = rows->scan(rows->ctx, sample_block, &s, err);
	*n = s.n;
	return rc;
}
