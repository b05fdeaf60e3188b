/*
 * Tuning: the recall of beam widths and margins on the finished graph, against a plain scan, for
 * two kinds of queries: stored rows, their own row left out, and points half way between a row and
 * the nearest of a sample of rows, which are as hard as pictures of which nothing is indexed.
 * Queries of both kinds are put into classes by their contrast (beam.c). An operating point is the
 * cheapest pair of width and margin that has the recall in its class. The cost is counted in
 * expanded nodes and full rows read, not in seconds, so that a seed gives one graph. The method is
 * our own.
 */
#include "search/graph/tune.h"

#include "search/graph/query.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	QUERIES = 256,    /* of each kind, at most */
	FEW_ROWS = 50000, /* below, half as many queries do, and cost half */
	K = 10,
	EFS = 19,
	MARGINS = 4,
	FAR = 900, /* one in so many rows is in the sample */
	SAMPLE_MIN = 20,
	SAMPLE_MAX = 350,
};

/* clang-format off */
static const uint32_t efs[EFS] = {
	10, 12, 14, 17, 20, 24, 30, 40, 56, 80, 112, 160, 224, 320, 448, 640, 1000, 1600, 2500
};
static const float margins[MARGINS] = { 0, 0.03f, 0.1f, 0.3f };
static const float wanted[] = {
	0.8f, 0.85f, 0.88f, 0.9f, 0.91f, 0.92f, 0.93f, 0.94f, 0.95f, 0.96f, 0.97f, 0.975f, 0.98f, 0.985f,
	0.99f, 0.995f, 0.999f
};
/* clang-format on */

typedef struct trial {
	float recall[2 * QUERIES];
	double mean[2], cost; /* mean recall of each kind; cost 0: not tried */
} trial;

typedef struct tuner {
	graph *g;
	size_t n;                  /* queries of each kind */
	float *query;              /* (2 * n, dim): stored rows, then points between rows */
	int64_t self[2 * QUERIES]; /* id of a stored row; GRAPH_FREE for a point */
	topk truth[2 * QUERIES], got[2 * QUERIES];
	float contrast[2 * QUERIES];
	uint32_t order[2 * QUERIES]; /* by falling contrast */
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
	int64_t ids[2 * QUERIES];
	uint8_t found[2 * QUERIES] = { 0 };
	int rc = draw(g, rows, &near, &seed, err);
	for (size_t i = 0; i < 2 * t->n; i++)
		ids[i] = g->ids[ims_random(&seed) % g->n];
	if (!rc)
		rc = rows->fetch(rows->ctx, ids, 2 * t->n, t->query, found, err);
	for (size_t i = 0; !rc && i < 2 * t->n; i++) {
		float *q = t->query + i * dim, length = 0;
		const float *other = NULL;
		t->self[i] = i < t->n ? ids[i] : GRAPH_FREE;
		if (!found[i])
			memset(q, 0, dim * sizeof *q);
		else if (i >= t->n)
			other = nearest(&near, rows, q, ids[i]);
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

static search_request request_of(const tuner *t)
{
	return (search_request){
		.queries = t->query,
		.n = 2 * t->n,
		.k = K + 1,
		.max_distance = INFINITY,
		.filter_count = SIZE_MAX,
		.pool = t->pool,
		.stop = t->stop,
	};
}

static int search(tuner *t, const graph_effort *effort, float margin, float *contrast,
	uint64_t *rows_checked, imgsearch_error *err)
{
	search_report report;
	search_request q = request_of(t);
	for (size_t i = 0; i < 2 * t->n; i++)
		ims_topk_clear(&t->got[i]);
	int rc = ims_graph_search_batch(t->g, &q, effort, margin, t->got, contrast, &report, err);
	*rows_checked = rc ? 0 : report.rows_checked;
	return rc;
}

static int try(tuner *t, size_t ef, size_t margin, imgsearch_error *err)
{
	trial *out = &t->trial[ef][margin];
	const graph_effort effort = { .first = efs[ef] < K + 1 ? K + 1 : efs[ef] };
	uint64_t checked;
	int rc = search(t, &effort, margins[margin], NULL, &checked, err);
	for (size_t i = 0; !rc && i < 2 * t->n; i++) {
		ims_topk_sort(&t->got[i]);
		out->recall[i] = (float)recall(&t->truth[i], &t->got[i], t->self[i]);
		out->mean[i / t->n] += (double)out->recall[i] / (double)t->n;
	}
	out->cost = (double)efs[ef]
		+ (double)checked / (2 * (double)t->n) * (t->g->quantiser.dim / 1024. + 0.5);
	return rc;
}

/* ---------------------------------------------------------------------------------- classes --- */

static int by_contrast(const void *a, const void *b)
{
	const float *const *x = a, *const *y = b;
	if (**x != **y)
		return **x < **y ? 1 : -1;
	return (*x > *y) - (*x < *y);
}

/* Orders the queries by their contrast, which a search with classes measures. */
static int measure_contrast(tuner *t, imgsearch_error *err)
{
	const graph_operating_point point = { .ef = K };
	const graph_effort effort = { K + 1, K, &point, 1 };
	const float *sorted[2 * QUERIES];
	uint64_t checked;
	int rc = search(t, &effort, 0, t->contrast, &checked, err);
	for (size_t i = 0; i < 2 * t->n; i++)
		sorted[i] = &t->contrast[i];
	qsort(sorted, 2 * t->n, sizeof *sorted, by_contrast);
	for (size_t i = 0; i < 2 * t->n; i++)
		t->order[i] = (uint32_t)(sorted[i] - t->contrast);
	return rc;
}

static size_t class_end(const tuner *t, size_t class)
{
	return (class + 1) * 2 * t->n / GRAPH_CLASSES;
}

/* The mean recall of a trial in a class: of the kind of queries that has less, or of all. */
static double class_recall(const tuner *t, const trial *one, size_t class)
{
	const double few = (double)t->n / 10; /* so many queries of a kind say too little */
	double sum[2] = { 0, 0 }, n[2] = { 0, 0 };
	for (size_t i = class ? class_end(t, class - 1) : 0; i < class_end(t, class); i++) {
		size_t kind = t->order[i] / t->n;
		sum[kind] += (double)one->recall[t->order[i]];
		n[kind]++;
	}
	if (n[0] < few || n[1] < few)
		return (sum[0] + sum[1]) / (n[0] + n[1]);
	return fmin(sum[0] / n[0], sum[1] / n[1]);
}

/* The number of the cheapest trial with this recall in a class, from a width on; or the last. */
static size_t cheapest(const tuner *t, double recall, size_t class, size_t least_ef)
{
	size_t best = EFS * MARGINS;
	for (size_t i = least_ef * MARGINS; i < EFS * MARGINS; i++) {
		const trial *one = &t->trial[i / MARGINS][i % MARGINS];
		bool cheaper = best == EFS * MARGINS
			|| one->cost < t->trial[best / MARGINS][best % MARGINS].cost;
		if (one->cost > 0 && cheaper && class_recall(t, one, class) >= recall - 1e-6)
			best = i;
	}
	for (size_t i = EFS * MARGINS; best == EFS * MARGINS && i--;)
		if (t->trial[i / MARGINS][i % MARGINS].cost > 0)
			return i;
	return best;
}

/* The points of a recall; a harder class has no narrower beam. Returns their number. */
static uint32_t choose_classes(const tuner *t, double recall,
	graph_operating_point point[GRAPH_CLASSES])
{
	size_t ef = 0;
	uint32_t n = 0;
	double mean[2] = { 0, 0 };
	for (size_t class = 0, at = 0; class < GRAPH_CLASSES; class ++) {
		size_t which = cheapest(t, recall, class, ef);
		const trial *one = &t->trial[which / MARGINS][which % MARGINS];
		ef = which / MARGINS;
		for (; at < class_end(t, class); at++)
			mean[t->order[at] / t->n] += (double)one->recall[t->order[at]] / (double)t->n;
		graph_operating_point p = { .ef = efs[ef], .margin = margins[which % MARGINS] };
		p.contrast = fmaxf(t->contrast[t->order[class_end(t, class) - 1]], 1e-6f);
		if (n && point[n - 1].ef == p.ef && point[n - 1].margin == p.margin)
			n--;
		point[n++] = p;
	}
	point[n - 1].contrast = 0;
	for (uint32_t i = 0; i < n; i++) {
		point[i].recall_in = (float)mean[0];
		point[i].recall_out = (float)mean[1];
	}
	return n;
}

/* The points of each wanted recall. Those of a recall that asks for nothing more are left out. */
static void choose(const tuner *t, graph *g)
{
	graph_operating_point last[GRAPH_CLASSES] = { { .ef = 0 } };
	g->points = 0;
	for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++) {
		graph_operating_point point[GRAPH_CLASSES];
		memset(point, 0, sizeof point);
		uint32_t n = choose_classes(t, (double)wanted[w], point);
		if (!memcmp(point, last, sizeof point))
			continue;
		memcpy(last, point, sizeof last);
		memcpy(&g->point[g->points], point, n * sizeof *point);
		g->points += n;
	}
	const trial *widest = &t->trial[EFS - 1][MARGINS - 1];
	if (widest->cost > 0) /* it comes last, as higher recalls may be asked for */
		g->point[g->points++] = (graph_operating_point){
			(float)widest->mean[0],
			(float)widest->mean[1],
			efs[EFS - 1],
			margins[MARGINS - 1],
			0,
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
	t->n = g->live < FEW_ROWS ? QUERIES / 2 : QUERIES;
	t->pool = job ? job->pool : NULL;
	t->stop = job ? &job->stop : NULL;
	t->query = ims_alloc_aligned(2 * t->n, rows->dim * sizeof(float));
	int rc = t->query ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < 2 * t->n; i++)
		if (ims_topk_init(&t->truth[i], K + 1) || ims_topk_init(&t->got[i], K + 1))
			rc = ims_nomem(err);
	if (!rc)
		rc = pick_queries(t, rows, 7, err);
	search_report report;
	search_request q = request_of(t);
	if (!rc)
		rc = ims_search_scan(rows, &q, t->truth, &report, err);
	if (!rc)
		rc = measure_contrast(t, err);
	for (size_t i = 0; !rc && i < EFS; i++) {
		for (size_t m = 0; !rc && m < MARGINS; m++)
			rc = try(t, i, m, err);
		const double *mean = t->trial[i][MARGINS - 1].mean;
		if (mean[0] >= top && mean[1] >= top)
			break;
	}
	if (!rc)
		choose(t, g);
	for (size_t i = 0; i < 2 * t->n; i++) {
		ims_topk_free(&t->truth[i]);
		ims_topk_free(&t->got[i]);
	}
	ims_free(t->query);
	ims_free(t);
	return rc;
}

/*
 * The points of each recall: from the beam of the easiest class to that of the hardest. Recalls
 * with the same beams are told together.
 */
void ims_graph_describe(const searcher *s, char *out, size_t size)
{
	const graph *g = (const graph *)s;
	const double asked[] = { 0.9, 0.95, 0.99 };
	enum { N = sizeof asked / sizeof *asked };
	int at = 0;
	*out = 0;
	for (size_t i = 0; i < N && at >= 0 && (size_t)at < size; i++) {
		uint32_t n;
		const graph_operating_point *p = ims_graph_points_for(g, asked[i], &n), *next;
		if (!p)
			return;
		for (; i + 1 < N && (next = ims_graph_points_for(g, asked[i + 1], &n)) == p; i++)
			;
		ims_graph_points_for(g, asked[i], &n);
		at += ims_print(out + at, size - (size_t)at,
			"%s recall %g: measured %.3f of stored rows and %.3f between them at ef %u",
			at ? "," : "asked for", asked[i], p->recall_in, p->recall_out, p->ef);
		if (n > 1 && at >= 0 && (size_t)at < size)
			at += ims_print(out + at, size - (size_t)at, " to %u", p[n - 1].ef);
	}
}
