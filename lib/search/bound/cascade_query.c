/*
 * Whole requests over coded rows: groups of queries that share the passes, a scan for those that bounds cannot help, and
 * the pool of idle cascades.
 */
#include "search/bound/cascade.h"

#include "search/internal.h"

#include <math.h>

void ims_cascade_pool_init(cascade_pool *p)
{
	pthread_mutex_init(&p->lock, NULL);
	p->idle = NULL;
}

static void cascade_free(cascade *x)
{
	ims_topk_free(&x->seed);
	ims_topk_free(&x->high);
	ims_free(x->found);
	ims_free(x->score);
	ims_free(x->memory);
	ims_free(x);
}

void ims_cascade_pool_free(cascade_pool *p)
{
	for (cascade *x = p->idle, *next; x; x = next) {
		next = x->next;
		cascade_free(x);
	}
	pthread_mutex_destroy(&p->lock);
}

cascade *ims_cascade_take(cascade_pool *p)
{
	pthread_mutex_lock(&p->lock);
	cascade *x = p->idle;
	if (x)
		p->idle = x->next;
	pthread_mutex_unlock(&p->lock);
	return x ? x : ims_zalloc(1, sizeof(*x));
}

void ims_cascade_give(cascade_pool *p, cascade *x)
{
	if (!x)
		return;
	pthread_mutex_lock(&p->lock);
	x->next = p->idle;
	p->idle = x;
	pthread_mutex_unlock(&p->lock);
}

typedef struct batch {
	cascade_pool *pool;
	const codes *c;
	const row_source *rows;
	const search_request *q;
	size_t group, checks;
	topk *out;
	bool *scan;         /* queries for which bounds are of no use */
	struct part {
		search_report report;
		imgsearch_error err;
		int rc;
	} *part;            /* a group each */
} batch;

/* Components of n queries at once: the axes are read once. NULL: no memory, or one query, which does it for itself. */
static float *project_group(const batch *b, size_t from, size_t n, size_t stride)
{
	const codes *c = b->c;
	float *v = n > 1 && stride ? ims_alloc_aligned(n * (c->dim + stride), sizeof(float)) : NULL;
	for (size_t i = 0; v && i < n; i++)
		for (size_t j = 0; j < c->dim; j++)
			v[n * stride + i * c->dim + j] = b->q->queries[(from + i) * c->dim + j] - (c->metric == IMGSEARCH_METRIC_IP ? 0 : c->mean[j]);
	if (v)
		ims_codes_project(c, v + n * stride, n, v, stride);
	return v;
}

static void run_group(void *arg, size_t g, unsigned worker)
{
	batch *b = arg;
	struct part *part = &b->part[g];
	cascade *taken[CASCADE_GROUP], *passing[CASCADE_GROUP];
	size_t from = g * b->group, n = b->q->n - from < b->group ? b->q->n - from : b->group, taking = 0, going = 0;
	size_t stride = (b->c->components + IMS_PANEL - 1) / IMS_PANEL * IMS_PANEL;
	float *y = project_group(b, from, n, stride);
	(void)worker;
	part->report.exact = true;
	for (; taking < n && !part->rc; taking++) {
		cascade *x = taken[taking] = ims_cascade_take(b->pool);
		if (!x) {
			part->rc = ims_nomem(&part->err);
			break;
		}
		b->scan[from + taking] = !ims_cascade_begin(x, b->c, b->rows, b->q, from + taking, y ? y + taking * stride : NULL, &part->err) ||
			ims_cascade_crowded(x);
		part->rc = x->rc;
		if (!b->scan[from + taking])
			passing[going++] = x;
	}
	if (!part->rc && ims_cancelled(b->q->cancel))
		part->rc = ims_fail(&part->err, IMGSEARCH_ECANCELED, "the search was cancelled");
	if (!part->rc && going)
		ims_cascade_pass(passing, going);
	for (size_t i = 0; i < taking; i++) {
		if (!part->rc)
			part->rc = taken[i]->rc;
		if (!part->rc && !b->scan[from + i]) {
			b->scan[from + i] = !ims_cascade_finish(taken[i], b->checks, &b->out[from + i], &part->report);
			part->rc = taken[i]->rc;
		}
	}
	for (size_t i = 0; i < taking; i++)
		ims_cascade_give(b->pool, taken[i]);
	ims_free(y);
}

/* One scan for all queries that want one. */
static int scan_rest(const batch *b, search_report *report, imgsearch_error *err)
{
	size_t n = 0, dim = b->rows->dim;
	for (size_t i = 0; i < b->q->n; i++)
		n += b->scan[i];
	if (!n)
		return 0;
	search_request q = *b->q;
	search_report part;
	float *queries = ims_alloc(n * dim, sizeof(float));
	topk *out = ims_alloc(n, sizeof(*out));
	int rc = queries && out ? 0 : ims_nomem(err);
	for (size_t i = 0, j = 0; !rc && i < b->q->n; i++)
		if (b->scan[i]) {
			memcpy(queries + j * dim, b->q->queries + i * dim, dim * sizeof(float));
			ims_topk_clear(&b->out[i]);
			out[j++] = b->out[i];
		}
	q.queries = queries;
	q.n = n;
	if (!rc)
		rc = ims_search_scan_into(b->rows, &q, out, &part, err);
	for (size_t i = 0, j = 0; !rc && i < b->q->n; i++)
		if (b->scan[i])
			b->out[i] = out[j++];
	if (!rc) {
		report->rows_checked += part.rows_checked;
		report->plan = n == b->q->n ? part.plan : "codes; where they exclude too little, scan";
	}
	ims_free(queries);
	ims_free(out);
	return rc;
}

/* Queries that share a pass: their level 0 takes 64 MiB at most, and every thread has some. */
static size_t group_size(const codes *c, const search_request *q)
{
	enum { FEWEST = 8 };
	size_t most = ((size_t)1 << 24) / (c->n + 1), threads = ims_pool_threads(q->pool), each = (q->n + threads - 1) / threads;
	size_t group = each < FEWEST ? FEWEST : each > CASCADE_GROUP ? CASCADE_GROUP : each;
	return most < 1 ? 1 : most < group ? most : group;
}

int ims_cascade_query(cascade_pool *pool, const codes *c, const row_source *rows, const search_request *q, size_t checks,
	topk *out, search_report *report, imgsearch_error *err)
{
	size_t group = group_size(c, q), groups = (q->n + group - 1) / group;
	batch b = { .pool = pool, .c = c, .rows = rows, .q = q, .group = group, .checks = checks, .out = out };
	b.scan = ims_zalloc(q->n, sizeof(*b.scan));
	b.part = ims_zalloc(groups, sizeof(*b.part));
	int rc = b.scan && b.part ? 0 : ims_nomem(err);
	if (!rc)
		ims_parallel(groups > 1 ? q->pool : NULL, groups, run_group, &b);
	*report = (search_report){ true, q->filter || q->subset ? "codes, filtered" : "codes", 0 };
	for (size_t g = 0; !rc && g < groups; g++) {
		rc = b.part[g].rc;
		if (rc && err)
			*err = b.part[g].err;
		report->rows_checked += b.part[g].report.rows_checked;
		report->exact &= b.part[g].report.exact;
	}
	if (!rc)
		rc = scan_rest(&b, report, err);
	ims_free(b.scan);
	ims_free(b.part);
	return rc;
}
