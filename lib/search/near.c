/*
 * Rows that their source finds itself, on another machine: its answers are compared again by full
 * rows, so that distances are those of every other searcher.
 *
 * Exact. The source's distances are sums of floats in another order than ours. Both differ from the
 * true one by no more than the error bounds of such a sum (Higham, "Accuracy and Stability of
 * Numerical Algorithms", 2002, chapter 3), so a row that the source did not send is farther than
 * what its last bound less both errors says. Where that is not farther than the k-th row found,
 * twice as many are asked for.
 */
#include "search/internal.h"

#include "base/ids.h"
#include "kernels/kernels.h"

#include <float.h>
#include <math.h>

enum {
	MARGIN = 16,       /* rows asked for beyond k */
	AT_ONCE = 64,      /* queries in one call */
	TIMES = 4,         /* so many times more rows are asked for with a filter of the caller's, */
	FILTERED = 100000, /* but no more than so many */
};

/* The relative error of a sum of dim products in floats, of numbers that are rounded themselves. */
static double sum_error(uint32_t dim)
{
	return (dim + 16) * (double)FLT_EPSILON;
}

/* How far off a component of a row of the source may be, in parts of the row's length. */
static double row_error(const row_source *rows)
{
	return rows->metric == IMGSEARCH_METRIC_COSINE ? 8 * (double)FLT_EPSILON : 0;
}

/* The least distance, as ims_search_distance has it, of a row with such a bound or a larger one. */
static double least_distance(const row_source *rows, double bound)
{
	double error = sum_error(rows->dim);
	if (rows->metric == IMGSEARCH_METRIC_IP)
		return bound; /* the source has taken both errors off */
	double length = bound * (1 - error) - row_error(rows);
	return length > 0 ? length * length * (1 - error) : -1;
}

/* Whether a row that was not sent, whose bound is no smaller, may belong to the answer. */
static bool may_lack(const row_source *rows, const search_request *q, double bound, const topk *out)
{
	double least = least_distance(rows, bound);
	return !(least > ims_topk_worst(out)) && !(least > q->max_distance);
}

/* ------------------------------------------------------------- comparing what was found ---- */

typedef struct near_pass {
	const row_source *rows;
	const search_request *q;
	near_row *found; /* of `queries` queries, those of each together */
	size_t n;
	bool scanned; /* the source has no index */
	int64_t *ids; /* (n_ids), sorted: the distinct ones */
	size_t n_ids;
	float *row;     /* (n_ids, dim) */
	uint8_t *there; /* (n_ids) */
} near_pass;

static void pass_free(near_pass *p)
{
	ims_free(p->found);
	ims_free(p->ids);
	ims_free(p->row);
	ims_free(p->there);
}

/* The full rows of all that was found. */
static int read_rows(near_pass *p, imgsearch_error *err)
{
	p->ids = ims_alloc(p->n, sizeof *p->ids);
	for (size_t i = 0; p->ids && i < p->n; i++)
		p->ids[i] = p->found[i].id;
	p->n_ids = p->ids ? ims_ids_sort(p->ids, p->n) : 0;
	p->row = ims_alloc_aligned(p->n_ids, p->rows->dim * sizeof(float));
	p->there = ims_alloc(p->n_ids, 1);
	return p->ids && p->row && p->there
		? p->rows->fetch(p->rows->ctx, p->ids, p->n_ids, p->row, p->there, err)
		: ims_nomem(err);
}

/* The found rows of a query, from *at on, into its heap; *last: the bound of the last one. */
static size_t compare(const near_pass *p, size_t query, size_t *at, topk *out, double *last)
{
	const row_source *rows = p->rows;
	const float *q = p->q->queries + query * rows->dim;
	size_t n = 0, place;
	for (; *at < p->n && p->found[*at].query == query; ++*at, n++) {
		const near_row *f = &p->found[*at];
		*last = f->bound;
		if (!ims_id_find(p->ids, p->n_ids, f->id, &place) || !p->there[place]
			|| !ims_search_passes(p->q, f->id))
			continue;
		float d = ims_search_distance(rows->metric, q, p->row + place * rows->dim, rows->dim);
		if (d <= p->q->max_distance)
			ims_topk_push(out, d, f->id);
	}
	return n;
}

/* Asks the source for queries [from, from + n), and reads the rows. */
static int ask(near_pass *p, size_t from, size_t n, size_t k, uint32_t ef, size_t sure,
	imgsearch_error *err)
{
	const row_source *rows = p->rows;
	near_request asked = {
		.queries = p->q->queries + from * rows->dim,
		.n = n,
		.k = k,
		.subset = p->q->subset,
		.n_subset = p->q->subset ? p->q->filter_count : 0,
		.ef = ef,
		.slack = (ef ? 4 : 2) * sum_error(rows->dim),
		.sure = sure,
	};
	pass_free(p);
	*p = (near_pass){ .rows = rows, .q = p->q };
	int rc = ims_stop_check(p->q->stop, err);
	if (!rc)
		rc = rows->near(rows->ctx, &asked, &p->found, &p->n, err);
	p->scanned = !rc && p->n && p->found[0].query == NEAR_SCANNED;
	for (size_t i = p->scanned; !rc && i < p->n; i++) {
		p->found[i - p->scanned] = p->found[i];
		p->found[i - p->scanned].query += from;
	}
	p->n -= p->scanned;
	return rc ? rc : read_rows(p, err);
}

/* ----------------------------------------------------------------------------------- exact ---- */

/* One query, whose first answer leaves a doubt: twice as many rows, until there is none. */
static int ask_more(near_pass *p, size_t query, size_t k, topk *out, search_report *report,
	imgsearch_error *err)
{
	size_t n;
	double last = 0;
	do {
		k *= 2;
		size_t at = 0;
		int rc = ask(p, query, 1, k, 0, 0, err);
		if (rc)
			return rc;
		ims_topk_clear(out);
		n = compare(p, query, &at, out, &last);
		report->rows_checked += n;
	} while (n == k && may_lack(p->rows, p->q, last, out));
	return 0;
}

int ims_near_exact(const row_source *rows, const search_request *q, topk *out,
	search_report *report, bool *done, imgsearch_error *err)
{
	near_pass p = { .rows = rows, .q = q }, again = { .rows = rows, .q = q };
	size_t k = q->k + MARGIN;
	int rc = 0;
	*done = !q->filter;
	*report = (search_report){ true, q->subset ? "by the server, filtered" : "by the server", 0 };
	for (size_t from = 0, n; *done && !rc && from < q->n; from += n) {
		size_t at = 0;
		n = q->n - from < AT_ONCE ? q->n - from : AT_ONCE;
		rc = ask(&p, from, n, k, 0, 0, err);
		for (size_t i = from; !rc && i < from + n; i++) {
			double last = 0;
			size_t got = compare(&p, i, &at, &out[i], &last);
			report->rows_checked += got;
			if (got == k && may_lack(rows, q, last, &out[i]))
				rc = ask_more(&again, i, k, &out[i], report, err);
		}
	}
	pass_free(&p);
	pass_free(&again);
	return rc;
}

/* ---------------------------------------------------------------------------- by its index ---- */

/* Whether the answer has all it may have: k rows, or all within the largest distance. */
static bool is_complete(const row_source *rows, const search_request *q, const topk *out,
	double last)
{
	return out->n >= q->k || least_distance(rows, last) > q->max_distance;
}

/*
 * The nearest k by the source's distances are the k of ours but for both errors: four of the sum's,
 * with those of the rows. Under IP they depend on lengths, and of long rows the source compares
 * halves; and where not all that is found counts, nobody knows how many are needed.
 */
static size_t sure_of(const row_source *rows, const search_request *q)
{
	bool all_count = !q->filter && !q->subset && isinf(q->max_distance);
	bool known = rows->metric != IMGSEARCH_METRIC_IP && rows->dim <= 2000;
	return all_count && known ? q->k : 0;
}

int ims_near_index(const row_source *rows, const search_request *q, uint32_t ef, topk *out,
	search_report *report, imgsearch_error *err)
{
	near_pass p = { .rows = rows, .q = q };
	bool few = false;
	int rc = 0;
	size_t more = rows->dim > 2000 ? q->k + MARGIN : 4, k = q->k + more;
	*report = (search_report){ false,
		q->subset || q->filter ? "index of the server, filtered" : "index of the server", 0 };
	if (q->filter)
		k = k * TIMES < FILTERED ? k * TIMES : FILTERED;
	for (size_t from = 0, n; !rc && !few && from < q->n; from += n) {
		size_t at = 0;
		n = q->n - from < AT_ONCE ? q->n - from : AT_ONCE;
		rc = ask(&p, from, n, k, ef, sure_of(rows, q), err);
		for (size_t i = from; !rc && i < from + n; i++) {
			double last = 0;
			report->rows_checked += compare(&p, i, &at, &out[i], &last);
			if (p.scanned)
				report->plan = "the server's index is gone: all rows compared";
			few |= !is_complete(rows, q, &out[i], last);
		}
	}
	pass_free(&p);
	if (rc || !few)
		return rc;
	/* the index ends early where a filter lets little through */
	for (size_t i = 0; i < q->n; i++)
		ims_topk_clear(&out[i]);
	uint64_t checked = report->rows_checked;
	rc = ims_search_scan_into(rows, q, out, report, err);
	report->rows_checked += checked;
	report->plan = "the server's index found too few: all rows compared";
	return rc;
}
