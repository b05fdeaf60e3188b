/*
 * Tuning: the recall of beam widths and margins on the finished graph, against a plain scan, for
 * two kinds of queries: stored rows, their own row left out, and points half way between a row and
 * the nearest of a sample of rows, which are as hard as pictures of which nothing is indexed. An
 * operating point is the cheapest pair of width and margin that has both recalls. The cost is
 * counted in expanded nodes and full rows read, not in seconds, so that a seed gives one graph. The
 * method is our own.
 */
#include "search/graph/tune.h"

#include "search/graph/query.h"

#include <math.h>
#include <stdio.h>

enum {
	QUERIES = 128,
	K = 10,
	EFS = 17,
	MARGINS = 4,
	FAR = 600, /* one in so many rows is in the sample */
	SAMPLE_MIN = 20,
	SAMPLE_MAX = 350,
};

static const uint32_t efs[EFS] = {
	10,
	14,
	20,
	28,
	40,
	56,
	80,
	112,
	160,
	224,
	320,
	448,
	640,
	1000,
	1600,
	2500,
	4000,
};
static const float margins[MARGINS] = { 0, 0.03f, 0.1f, 0.3f };
static const float wanted[] = { 0.8f, 0.9f, 0.95f, 0.97f, 0.98f, 0.99f, 0.995f, 0.999f };

typedef struct trial {
	double recall[2], cost;
} trial;

typedef struct tuner {
	graph *g;
	float *query;              /* 2 * QUERIES rows: stored ones, then points between rows */
	int64_t self[2 * QUERIES]; /* id of a stored row; GRAPH_FREE for a point */
	topk truth[2 * QUERIES], got[2 * QUERIES];
	pool *pool;
	const stop_token *stop;
	trial trial[EFS][MARGINS];
} tuner;

/* Random rows, without those of free slots. */
typedef struct sample {
	float *row;
	int64_t *id;
	size_t n;
} sample;

static int draw(const graph *g, const row_source *rows, sample *out, uint64_t *seed,
	imgsearch_error *err)
{
	size_t want = g->live / FAR, dim = rows->dim;
	want = want < SAMPLE_MIN ? SAMPLE_MIN : want > SAMPLE_MAX ? SAMPLE_MAX : want;
	uint8_t *found = ims_alloc(want, sizeof *found);
	*out = (sample){ ims_alloc(want, dim * sizeof(float)), ims_alloc(want, sizeof(int64_t)), 0 };
	int rc = found && out->row && out->id ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < want; i++)
		out->id[i] = g->ids[ims_random(seed) % g->n];
	if (!rc)
		rc = ims_search_fetch(rows, out->id, &want, out->row, found, err);
	out->n = rc ? 0 : want;
	ims_free(found);
	return rc;
}

/* The nearest row of the sample that has another id. NULL: there is none. */
static const float *nearest(const sample *s, const row_source *rows, const float *row, int64_t id)
{
	const float *best = NULL;
	float least = INFINITY;
	for (size_t i = 0; i < s->n; i++) {
		float d = ims_search_distance(rows->metric, row, s->row + i * rows->dim, rows->dim);
		if (s->id[i] != id && d < least) {
			least = d;
			best = s->row + i * rows->dim;
		}
	}
	return best;
}

static int pick_queries(tuner *t, const row_source *rows, uint64_t seed, imgsearch_error *err)
{
	graph *g = t->g;
	size_t dim = rows->dim;
	sample near = { 0 };
	int rc = draw(g, rows, &near, &seed, err);
	for (size_t i = 0; !rc && i < 2 * QUERIES; i++) {
		float *q = t->query + i * dim, length = 0;
		const float *other = NULL;
		uint8_t found = 0;
		int64_t id = g->ids[ims_random(&seed) % g->n];
		t->self[i] = i < QUERIES ? id : GRAPH_FREE;
		rc = rows->fetch(rows->ctx, &id, 1, q, &found, err);
		if (!found)
			memset(q, 0, dim * sizeof *q);
		else if (i >= QUERIES)
			other = nearest(&near, rows, q, id);
		for (size_t j = 0; j < dim && other; j++) {
			q[j] = (q[j] + other[j]) / 2;
			length += q[j] * q[j];
		}
		for (size_t j = 0; j < dim && length > 0 && rows->metric == IMGSEARCH_METRIC_COSINE; j++)
			q[j] /= sqrtf(length);
	}
	ims_free(near.row);
	ims_free(near.id);
	return rc;
}

/*
 * The share of the k nearest other rows that was found. Distances decide: equal rows count alike.
 */
static double recall(const topk *truth, const topk *got, int64_t self)
{
	size_t n = 0, hit = 0;
	float last = -INFINITY;
	for (size_t i = 0; i < truth->n && n < K; i++)
		if (truth->item[i].id != self) {
			last = truth->item[i].distance;
			n++;
		}
	for (size_t i = 0; i < got->n; i++)
		hit += got->item[i].id != self && got->item[i].distance <= last;
	return n ? (double)(hit < n ? hit : n) / (double)n : 1;
}

static int try(tuner *t, size_t ef, size_t margin, imgsearch_error *err)
{
	trial *out = &t->trial[ef][margin];
	for (int kind = 0; kind < 2; kind++) {
		search_report report;
		search_request q = {
			.queries = t->query + (size_t)kind * QUERIES * t->g->quantiser.dim,
			.n = QUERIES,
			.k = K + 1,
			.max_distance = INFINITY,
			.filter_count = SIZE_MAX,
			.pool = t->pool,
			.stop = t->stop,
		};
		for (size_t i = 0; i < 2 * QUERIES; i++)
			ims_topk_clear(&t->got[i]);
		int rc = ims_graph_search_batch(t->g, &q, efs[ef], margins[margin], t->got + kind * QUERIES,
			&report, err);
		if (rc)
			return rc;
		out->recall[kind] = 0;
		for (size_t i = 0; i < QUERIES; i++) {
			size_t at = (size_t)kind * QUERIES + i;
			ims_topk_sort(&t->got[at]);
			out->recall[kind] += recall(&t->truth[at], &t->got[at], t->self[at]) / QUERIES;
		}
		out->cost += (double)efs[ef]
			+ (double)report.rows_checked / QUERIES * (t->g->quantiser.dim / 1024. + 0.5);
	}
	return 0;
}

/* For each wanted recall the cheapest trial that has both recalls. */
static void choose(tuner *t, graph *g)
{
	g->points = 0;
	for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++) {
		const trial *best = NULL;
		graph_operating_point point = { 0 };
		for (size_t i = 0; i < EFS * MARGINS; i++) {
			const trial *one = &t->trial[i / MARGINS][i % MARGINS];
			double worse = one->recall[0] < one->recall[1] ? one->recall[0] : one->recall[1];
			if (!(one->cost > 0) || worse < (double)wanted[w] - 1e-6
				|| (best && best->cost <= one->cost))
				continue;
			best = one;
			point = (graph_operating_point){
				(float)one->recall[0],
				(float)one->recall[1],
				efs[i / MARGINS],
				margins[i % MARGINS],
			};
		}
		if (best && (!g->points || memcmp(&g->point[g->points - 1], &point, sizeof point)))
			g->point[g->points++] = point;
	}
	const trial *last = &t->trial[EFS - 1][MARGINS - 1];
	if (last->cost > 0) /* the widest trial comes last, as higher recalls may be asked for */
		g->point[g->points++] = (graph_operating_point){
			(float)last->recall[0],
			(float)last->recall[1],
			efs[EFS - 1],
			margins[MARGINS - 1],
		};
}

int ims_graph_tune(graph *g, const row_source *rows, job *job, imgsearch_error *err)
{
	tuner *t;
	double top = wanted[sizeof wanted / sizeof *wanted - 1];
	if (g->live < 1000)
		return 0; /* scanned anyway */
	if (!(t = ims_zalloc(1, sizeof *t)))
		return ims_nomem(err);
	t->g = g;
	t->pool = job ? job->pool : NULL;
	t->stop = job ? &job->stop : NULL;
	t->query = ims_alloc_aligned(2 * QUERIES, rows->dim * sizeof(float));
	int rc = t->query ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < 2 * QUERIES; i++)
		if (ims_topk_init(&t->truth[i], K + 1) || ims_topk_init(&t->got[i], K + 1))
			rc = ims_nomem(err);
	if (!rc)
		rc = pick_queries(t, rows, 7, err);
	search_report report;
	search_request q = {
		.queries = t->query,
		.n = 2 * QUERIES,
		.k = K + 1,
		.max_distance = INFINITY,
		.filter_count = SIZE_MAX,
		.pool = t->pool,
		.stop = t->stop,
	};
	if (!rc)
		rc = ims_search_scan(rows, &q, t->truth, &report, err);
	for (size_t i = 0; !rc && i < EFS; i++) {
		for (size_t m = 0; !rc && m < MARGINS; m++)
			rc = try(t, i, m, err);
		if (t->trial[i][MARGINS - 1].recall[0] >= top && t->trial[i][MARGINS - 1].recall[1] >= top)
			break;
	}
	if (!rc)
		choose(t, g);
	for (size_t i = 0; i < 2 * QUERIES; i++) {
		ims_topk_free(&t->truth[i]);
		ims_topk_free(&t->got[i]);
	}
	ims_free(t->query);
	ims_free(t);
	return rc;
}

/* The first operating point with each recall. */
void ims_graph_describe(const searcher *s, char *out, size_t size)
{
	const graph *g = (const graph *)s;
	const float asked[] = { 0.9f, 0.95f, 0.99f };
	uint32_t l = 0;
	int at = 0;
	*out = 0;
	for (size_t i = 0; i < sizeof asked / sizeof *asked && at >= 0 && (size_t)at < size; i++) {
		while (l < g->points
			&& fminf(g->point[l].recall_in, g->point[l].recall_out) < asked[i] - 1e-6f)
			l++;
		if (l < g->points)
			at += ims_print(out + at, size - (size_t)at,
				"%s %.3f of stored rows and %.3f between them at ef %u",
				at ? "," : "recall@10 measured:", g->point[l].recall_in, g->point[l].recall_out,
				g->point[l].ef);
	}
}
