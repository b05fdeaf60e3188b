/* The refine step. */
#include "search/bound/refine.h"

#include "search/internal.h"

#include <stdlib.h>

enum { FETCH = 64 /* full rows read at once */ };

static int by_lower_bound(const void *a, const void *b)
{
	const candidate *x = a, *y = b;
	if (x->lower != y->lower)
		return x->lower < y->lower ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Full rows of n candidates into out. *gone: one is no longer in the source. */
static int fetch(const bound_query *q, const candidate *from, size_t n, float *rows, topk *out,
	bool *gone)
{
	const row_source *source = q->rows;
	int64_t ids[FETCH];
	uint8_t found[FETCH];
	for (size_t i = 0; i < n; i++)
		ids[i] = from[i].id;
	int rc = source->fetch(source->ctx, ids, n, rows, found, q->err);
	for (size_t i = 0; !rc && i < n; i++) {
		if (!found[i]) {
			*gone = true;
			return 0;
		}
		float d = ims_search_distance(source->metric, q->vector, rows + i * source->dim,
			source->dim);
		if (d <= q->request->max_distance)
			ims_topk_push(out, d, ids[i]);
	}
	return rc;
}

/*
 * Asks for the rows that the next steps may read, where each call takes a round trip: first for k,
 * then for those that their distances do not exclude. *end: behind them.
 */
static int expect(const bound_query *q, size_t done, size_t n, const topk *out, size_t *end)
{
	enum { LATER = 256 };
	int64_t ids[EXPECT_MOST];
	size_t first = (out->k + FETCH - 1) / FETCH * FETCH, want = 0;
	size_t most = done ? LATER : first < EXPECT_MOST ? first : EXPECT_MOST;
	float worst = ims_topk_worst(out);
	if (!q->rows->expect)
		return 0;
	for (; want < most && done + want < n && !(q->candidate[done + want].lower > worst); want++)
		ids[want] = q->candidate[done + want].id;
	*end = done + want;
	return q->rows->expect(q->rows->ctx, ids, want, q->err);
}

/* Drops the candidates that the final limit of the filter step excludes. */
static size_t drop_excluded(bound_query *q)
{
	size_t kept = 0;
	for (size_t i = 0; i < q->candidates; i++)
		if (q->candidate[i].lower <= q->limit)
			q->candidate[kept++] = q->candidate[i];
	return q->candidates = kept;
}

bool ims_refine(bound_query *q, size_t checks, topk *out, search_report *report)
{
	size_t n = drop_excluded(q), done = 0, expected = 0, eighth = q->codes->live / 8;
	bool gone = false;
	if (n > eighth + FETCH && (!checks || checks > eighth))
		return false;
	if (!n)
		return true;
	qsort(q->candidate, n, sizeof *q->candidate, by_lower_bound);
	if (checks && checks < n) {
		n = checks;
		report->exact = false;
	}
	size_t step = n < FETCH ? n : FETCH;
	float *rows = ims_alloc_aligned(step * q->codes->dim, sizeof(float));
	if (!rows)
		q->rc = ims_nomem(q->err);
	while (!q->rc && !gone && done < n && !(q->candidate[done].lower > ims_topk_worst(out))) {
		size_t some = n - done < step ? n - done : step;
		if (done + some > expected)
			q->rc = expect(q, done, n, out, &expected);
		if (!q->rc)
			q->rc = fetch(q, q->candidate + done, some, rows, out, &gone);
		done += some;
	}
	ims_free(rows);
	report->rows_checked += done;
	if (gone)
		ims_topk_clear(out);
	return !q->rc && !gone;
}
