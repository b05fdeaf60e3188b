/*
 * The graph: recall on clustered rows, changes, filters, keeping, damaged bytes, memory that runs
 * out.
 */
#include "search/search.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { DIM = 24, K = 10 };

/* --------------------------------------------------------------------------------- fixture ---- */

/* Rows by id: id is the place, have says whether it is there. */
typedef struct table {
	float *rows;
	uint8_t *have;
	size_t n;
} table;

static int table_scan(void *ctx, int (*each)(void *, const int64_t *, const float *, size_t),
	void *user, imgsearch_error *err)
{
	const table *t = ctx;
	(void)err;
	for (int64_t i = 0; i < (int64_t)t->n; i++) {
		int rc = t->have[i] ? each(user, &i, t->rows + (size_t)i * DIM, 1) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

static int table_fetch(void *ctx, const int64_t *ids, size_t n, float *out, uint8_t *found,
	imgsearch_error *err)
{
	const table *t = ctx;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		found[i] = ids[i] >= 0 && (size_t)ids[i] < t->n && t->have[ids[i]];
		if (found[i])
			memcpy(out + i * DIM, t->rows + (size_t)ids[i] * DIM, DIM * sizeof(float));
	}
	return 0;
}

static float normal(uint64_t *seed)
{
	float g = -6;
	for (int i = 0; i < 12; i++)
		g += (float)ims_random_unit(seed);
	return g;
}

/* Points around n / 20 centres, some of them far from all others. */
static void clustered(float *row, size_t i, size_t n, uint64_t *seed)
{
	uint64_t own = 77 + i % (n / 20 + 1);
	float far = i % (n / 20 + 1) % 7 ? 1 : 30;
	for (size_t j = 0; j < DIM; j++)
		row[j] = far * normal(&own) / (1 + (float)j / 4) + 0.3f * normal(seed) / (1 + (float)j / 4);
}

static void table_new(table *t, row_source *source, size_t n, imgsearch_metric metric)
{
	uint64_t seed = 1;
	*t = (table){ ims_alloc(n + 1, DIM * sizeof(float)), ims_alloc(n + 1, 1), n };
	for (size_t i = 0; i < n; i++) {
		float *row = t->rows + i * DIM, length = 0;
		clustered(row, i, n, &seed);
		for (size_t j = 0; j < DIM; j++)
			length += row[j] * row[j];
		for (size_t j = 0; j < DIM && metric == IMGSEARCH_METRIC_COSINE; j++)
			row[j] /= sqrtf(length);
		t->have[i] = 1;
	}
	*source = (row_source){ .ctx = t,
		.n = n,
		.dim = DIM,
		.metric = metric,
		.scan = table_scan,
		.fetch = table_fetch };
}

static void table_free(table *t)
{
	ims_free(t->rows);
	ims_free(t->have);
}

static search_request asked(const float *query, double recall)
{
	return (search_request){ .queries = query,
		.n = 1,
		.k = K,
		.max_distance = INFINITY,
		.filter_count = SIZE_MAX,
		.params = { .recall = recall } };
}

/*
 * Mean recall@K of some rows, a little moved, as queries; distances decide. Checks what every
 * answer must be.
 */
static double recall_with(search_index *x, const row_source *source, search_request q,
	const char **plan)
{
	const table *t = source->ctx;
	topk got, truth;
	search_report report;
	double sum = 0;
	size_t asked_n = 0;
	uint64_t seed = 5;
	assert_int_equal(ims_topk_init(&got, q.k) | ims_topk_init(&truth, q.k), 0);
	for (size_t i = 0; i < t->n; i += t->n / 200 + 1) {
		float query[DIM];
		for (size_t j = 0; j < DIM; j++)
			query[j] = t->rows[i * DIM + j] + 0.05f * normal(&seed) / (1 + (float)j);
		q.queries = query;
		ims_topk_clear(&truth);
		assert_int_equal(ims_search_scan(source, &q, &truth, &report, NULL), 0);
		assert_int_equal(ims_search_query(x, &q, &got, &report, NULL), 0);
		if (plan)
			*plan = report.plan;
		assert_true(got.n <= truth.n);
		size_t hit = 0;
		for (size_t j = 0; j < got.n; j++) {
			assert_true(!j
				|| ims_nearer(got.item[j - 1].distance, got.item[j - 1].id, got.item[j].distance,
					got.item[j].id));
			assert_true(t->have[got.item[j].id]);
			assert_true(got.item[j].distance
				== ims_search_distance(source->metric, query,
					t->rows + (size_t)got.item[j].id * DIM, DIM));
			assert_true(got.item[j].distance <= q.max_distance);
			hit += got.item[j].distance <= truth.item[truth.n - 1].distance;
		}
		sum += truth.n ? (double)hit / (double)truth.n : 1;
		asked_n++;
	}
	ims_topk_free(&got);
	ims_topk_free(&truth);
	if (getenv("SHOW_RECALL"))
		print_message("recall %.4f of %zu\n", sum / (double)asked_n, asked_n);
	return asked_n ? sum / (double)asked_n : 1;
}

static double recall_of(search_index *x, const row_source *source, double wanted)
{
	return recall_with(x, source, asked(NULL, wanted), NULL);
}

/* ----------------------------------------------------------------------------------- tests ---- */

static void finds(void **state)
{
	(void)state;
	for (int metric = IMGSEARCH_METRIC_COSINE; metric <= IMGSEARCH_METRIC_IP; metric++) {
		table t;
		row_source source;
		search_index *x;
		search_params p = { .seed = 3 };
		table_new(&t, &source, 6000, (imgsearch_metric)metric);
		assert_int_equal(ims_search_build(&x, "graph", &source, &p, NULL, NULL), 0);
		/*
		 * Tuning looks at a sample of its own, and 194 queries are few: what is asked for is met to
		 * 0.03.
		 */
		assert_true(recall_of(x, &source, 0.9) > 0.9 - 0.03);
		assert_true(recall_of(x, &source, 0.99) > 0.99 - 0.03);
		search_request q = asked(NULL, 0);
		q.params.ef = 300;
		assert_true(recall_with(x, &source, q, NULL) > 0.93);
		q.k = 200;
		q.params.ef = 1000;
		assert_true(recall_with(x, &source, q, NULL) > 0.88);
		q.k = 5999;
		assert_true(recall_with(x, &source, q, NULL) == 1);
		ims_search_free(x);
		table_free(&t);
	}
}

static void sizes(void **state)
{
	(void)state;
	for (size_t n = 0; n < 140; n += n < 6 ? 1 : 33) {
		table t;
		row_source source;
		search_index *x;
		table_new(&t, &source, n, IMGSEARCH_METRIC_L2);
		assert_int_equal(ims_search_build(&x, "graph", &source, NULL, NULL, NULL), 0);
		assert_true(recall_of(x, &source, 0) == 1);
		ims_search_free(x);
		table_free(&t);
	}
}

/* Thousands of equal rows and some others: all can be found. */
static void duplicates(void **state)
{
	(void)state;
	table t;
	row_source source;
	search_index *x;
	table_new(&t, &source, 4000, IMGSEARCH_METRIC_L2);
	for (size_t i = 0; i < 3000; i++)
		memcpy(t.rows + i * DIM, t.rows, DIM * sizeof(float));
	assert_int_equal(ims_search_build(&x, "graph", &source, NULL, NULL, NULL), 0);
	assert_true(recall_of(x, &source, 0.95) > 0.95);
	for (size_t i = 0; i < 4000 * DIM; i++)
		t.rows[i] = 0;
	ims_search_free(x);
	assert_int_equal(ims_search_build(&x, "graph", &source, NULL, NULL, NULL), 0);
	assert_true(recall_of(x, &source, 0.95) == 1);
	ims_search_free(x);
	table_free(&t);
}

static void threads_do_not_matter(void **state)
{
	(void)state;
	table t;
	row_source source;
	pool *pool;
	search_index *a, *b;
	table_new(&t, &source, 3000, IMGSEARCH_METRIC_L2);
	assert_int_equal(ims_pool_new(&pool, 3, 16, NULL), 0);
	job job = { .pool = pool };
	assert_int_equal(ims_search_build(&a, "graph", &source, NULL, &job, NULL), 0);
	assert_int_equal(ims_search_build(&b, "graph", &source, NULL, NULL, NULL), 0);
	enum { N = 100 };
	topk one[N], other[N];
	for (size_t i = 0; i < N; i++)
		assert_int_equal(ims_topk_init(&one[i], K) | ims_topk_init(&other[i], K), 0);
	search_request q = asked(t.rows, 0);
	q.n = N;
	q.pool = pool;
	assert_int_equal(ims_search_query(a, &q, one, NULL, NULL), 0);
	q.pool = NULL;
	assert_int_equal(ims_search_query(b, &q, other, NULL, NULL), 0);
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(one[i].n, other[i].n);
		for (size_t j = 0; j < one[i].n; j++)
			assert_int_equal(one[i].item[j].id, other[i].item[j].id);
		ims_topk_free(&one[i]);
		ims_topk_free(&other[i]);
	}
	ims_search_free(a);
	ims_search_free(b);
	ims_pool_free(pool);
	table_free(&t);
}

/* A near row of a cluster: all are of the same order, so that 8 bits tell them apart. */
static void put_near(table *t, size_t id, uint64_t *seed)
{
	clustered(t->rows + id * DIM, ims_random(seed) % 30 * 7 + 1, t->n, seed);
	t->have[id] = 1;
}

/*
 * Replacing half of the rows, again and again, costs no recall beside a graph that is built anew.
 */
static void keeps_its_recall(void **state)
{
	(void)state;
	table t;
	row_source source;
	search_index *x, *anew;
	uint64_t seed = 4;
	table_new(&t, &source, 4000, IMGSEARCH_METRIC_L2);
	for (size_t i = 0; i < t.n; i++)
		put_near(&t, i, &seed);
	assert_int_equal(ims_search_build(&x, "graph", &source, NULL, NULL, NULL), 0);
	for (int64_t i = 0; i < 6000; i++) {
		int64_t id = (int64_t)(ims_random(&seed) % t.n);
		put_near(&t, (size_t)id, &seed);
		assert_int_equal(ims_search_add(x, &id, t.rows + id * DIM, 1, NULL), 0);
	}
	assert_int_equal(ims_search_build(&anew, "graph", &source, NULL, NULL, NULL), 0);
	double lost = 0;
	for (uint32_t ef = 12; ef <= 48; ef *= 2) {
		search_request q = asked(NULL, 0);
		q.params.ef = ef;
		lost += recall_with(anew, &source, q, NULL) / 3;
		lost -= recall_with(x, &source, q, NULL) / 3;
	}
	assert_true(lost < 0.005);
	ims_search_free(x);
	ims_search_free(anew);
	table_free(&t);
}

/*
 * Half of the rows are replaced, some twice, some only removed; then all are removed, and some come
 * again.
 */
static void changes(void **state)
{
	(void)state;
	table t;
	row_source source;
	search_index *x;
	uint64_t seed = 9;
	table_new(&t, &source, 6000, IMGSEARCH_METRIC_L2);
	memset(t.have + 4000, 0, 2000);
	source.n = 4000;
	assert_int_equal(ims_search_build(&x, "graph", &source, NULL, NULL, NULL), 0);
	double before = recall_of(x, &source, 0.95);
	uint64_t memory = ims_search_memory(x);
	for (int64_t i = 0; i < 3000; i++) {
		int64_t gone = (int64_t)(ims_random(&seed) % 6000),
				new = (int64_t)(ims_random(&seed) % 6000);
		assert_int_equal(ims_search_remove(x, &gone, 1, NULL), 0);
		source.n -= t.have[gone];
		t.have[gone] = 0;
		clustered(t.rows + new *DIM, (size_t)(i + 5), 6000, &seed);
		assert_int_equal(ims_search_add(x, &new, t.rows + new *DIM, 1, NULL), 0);
		source.n += !t.have[new];
		t.have[new] = 1;
	}
	assert_true(recall_of(x, &source, 0.95) > before - 0.03);
	assert_true(ims_search_memory(x) < memory * 2);
	for (int64_t i = 0; i < 6000; i++) {
		assert_int_equal(ims_search_remove(x, &i, 1, NULL), 0);
		t.have[i] = 0;
	}
	source.n = 0;
	assert_true(recall_of(x, &source, 0.95) == 1);
	for (int64_t i = 0; i < 5000; i++) {
		t.have[i] = 1;
		source.n++;
		assert_int_equal(ims_search_add(x, &i, t.rows + i * DIM, 1, NULL), 0);
	}
	assert_true(recall_of(x, &source, 0.95) > 0.9);
	ims_search_free(x);
	table_free(&t);
}

static int third(void *user, int64_t id)
{
	(void)user;
	return id % 3 == 0;
}

static int few(void *user, int64_t id)
{
	(void)user;
	return id % 700 == 3;
}

static void filters(void **state)
{
	(void)state;
	table t;
	row_source source;
	search_index *x;
	const char *plan;
	int64_t subset[6000];
	search_request q = asked(NULL, 0.95);
	table_new(&t, &source, 12000, IMGSEARCH_METRIC_L2);
	assert_int_equal(ims_search_build(&x, "graph", &source, NULL, NULL, NULL), 0);
	q.filter = third;
	assert_true(recall_with(x, &source, q, &plan) > 0.9);
	assert_string_equal(plan, "graph: filtered beam");
	q.filter = few;
	assert_true(recall_with(x, &source, q, &plan) == 1);
	q.filter = NULL;
	q.subset = subset;
	for (size_t n = 1; n <= 6000; n = n * 7 + 13) {
		for (size_t i = 0; i < n; i++)
			subset[i] = (int64_t)(i * (12000 / n));
		q.filter_count = n;
		assert_true(recall_with(x, &source, q, &plan) > 0.9);
	}
	q.subset = NULL;
	q.filter_count = SIZE_MAX;
	q.max_distance = 0.5f;
	q.k = 50;
	assert_true(recall_with(x, &source, q, &plan) > 0.9);
	ims_search_free(x);
	table_free(&t);
}

/* --------------------------------------------------------------------------------- keeping ---- */

typedef struct kept {
	buf chunk[64];
	uint32_t n;
} kept;

static int keep(void *ctx, uint32_t number, const void *data, size_t size, imgsearch_error *err)
{
	kept *k = ctx;
	(void)err;
	assert_true(number < 64);
	ims_buf_put(&k->chunk[number], data, size);
	k->n = number >= k->n ? number + 1 : k->n;
	return 0;
}

static int give(void *ctx, uint32_t number, buf *out, imgsearch_error *err)
{
	const kept *k = ctx;
	if (number >= k->n)
		return ims_fail(err, IMGSEARCH_EFORMAT, "no chunk %u", number);
	ims_buf_put(out, k->chunk[number].data, k->chunk[number].len);
	return 0;
}

static int reload(search_index **x, const row_source *source, kept *k)
{
	chunk_source from = { k, k->n, give };
	return ims_search_load(x, "graph", source, &from, NULL);
}

static void forget(kept *k)
{
	for (size_t i = 0; i < 64; i++)
		ims_buf_free(&k->chunk[i]);
	k->n = 0;
}

static void same_answers(search_index *a, search_index *b, const row_source *source)
{
	const table *t = source->ctx;
	topk one, other;
	assert_int_equal(ims_topk_init(&one, K) | ims_topk_init(&other, K), 0);
	for (size_t i = 0; i < t->n; i += 37) {
		search_request q = asked(t->rows + i * DIM, 0);
		assert_int_equal(ims_search_query(a, &q, &one, NULL, NULL), 0);
		assert_int_equal(ims_search_query(b, &q, &other, NULL, NULL), 0);
		assert_int_equal(one.n, other.n);
		assert_memory_equal(one.item, other.item, one.n * sizeof(*one.item));
	}
	ims_topk_free(&one);
	ims_topk_free(&other);
}

static void keeps(void **state)
{
	(void)state;
	table t;
	row_source source;
	search_index *a, *b;
	kept k = { 0 };
	chunk_sink sink = { &k, keep };
	table_new(&t, &source, 5000, IMGSEARCH_METRIC_IP);
	assert_int_equal(ims_search_build(&a, "graph", &source, NULL, NULL, NULL), 0);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(ims_search_save(a, &sink, NULL), 0);
		assert_int_equal(reload(&b, &source, &k), 0);
		same_answers(a, b, &source);
		ims_search_free(a);
		a = b;
		forget(&k);
		for (int64_t i = 100; i < 700; i++) { /* with removed ones, and slots that are free again */
			assert_int_equal(ims_search_remove(a, &i, 1, NULL), 0);
			t.have[i] = 0;
			source.n--;
		}
	}
	ims_search_free(a);
	forget(&k);
	table_free(&t);
}

enum { COPIES = 40 };

/* So many of the nearest have an id that is `first` plus a multiple of `step`, and its row. */
static void finds_copies(search_index *x, const table *t, int64_t first, int64_t step, size_t n)
{
	topk got;
	search_request q = asked(t->rows + (size_t)first * DIM, 0.95);
	q.k = COPIES;
	assert_int_equal(ims_topk_init(&got, q.k), 0);
	assert_int_equal(ims_search_query(x, &q, &got, NULL, NULL), 0);
	size_t found = 0;
	for (size_t i = 0; i < got.n; i++)
		found += (got.item[i].id - first) % step == 0 && got.item[i].distance == 0;
	assert_int_equal(found, n);
	ims_topk_free(&got);
}

/* Copies of a row can all be reached: built, kept, added, removed, the first one too. */
/* A graph of before has one class for each recall: the contrast of its points is 0. */
static void graphs_without_classes_load(void **state)
{
	(void)state;
	enum { POINTS_AT = 7 * 4, FIRST_AT = 8 * 4 + 2 * 8 + 5 * 4, POINT = 20, CONTRAST_AT = 16 };
	table t;
	row_source source;
	search_index *a, *b;
	kept k = { 0 };
	chunk_sink sink = { &k, keep };
	const float one = 1;
	uint32_t points;
	table_new(&t, &source, 5000, IMGSEARCH_METRIC_COSINE);
	assert_int_equal(ims_search_build(&a, "graph", &source, NULL, NULL, NULL), 0);
	assert_int_equal(ims_search_save(a, &sink, NULL), 0);
	uint8_t *header = k.chunk[0].data;
	memcpy(&points, header + POINTS_AT, sizeof points);
	assert_in_range(points, 2, 80);
	for (uint32_t i = 0; i < points; i++)
		memset(header + FIRST_AT + i * POINT + CONTRAST_AT, 0, sizeof one);
	assert_int_equal(reload(&b, &source, &k), 0);
	assert_true(recall_of(b, &source, 0.95) > 0.95 - 0.03);
	ims_search_free(b);
	/* a last class that asks for contrast leaves queries without a class */
	memcpy(header + FIRST_AT + (points - 1) * POINT + CONTRAST_AT, &one, sizeof one);
	assert_int_equal(reload(&b, &source, &k), IMGSEARCH_EFORMAT);
	ims_search_free(a);
	forget(&k);
	table_free(&t);
}

/*
 * Rows near to many others, and rows far from all: queries by the first take fewer full rows and
 * narrower beams than the others, and both get their recall.
 */
static void easy_queries_cost_less(void **state)
{
	(void)state;
	enum { EASY = 5000, ALL = 6000 };
	table t;
	row_source source;
	search_index *x;
	uint64_t seed = 9, checked[2] = { 0, 0 };
	char text[300];
	table_new(&t, &source, ALL, IMGSEARCH_METRIC_L2);
	for (size_t i = EASY; i < ALL; i++)
		for (size_t j = 0; j < DIM; j++)
			t.rows[i * DIM + j] = 3 * normal(&seed);
	assert_int_equal(ims_search_build(&x, "graph", &source, NULL, NULL, NULL), 0);
	ims_search_describe(x, text, sizeof text);
	assert_non_null(strstr(text, " to ")); /* several widths for a recall */
	topk got;
	assert_int_equal(ims_topk_init(&got, K), 0);
	for (size_t i = 0; i < ALL; i += 10) {
		search_report report;
		search_request q = asked(t.rows + i * DIM, 0.95);
		assert_int_equal(ims_search_query(x, &q, &got, &report, NULL), 0);
		assert_int_equal(got.n, K);
		checked[i >= EASY] += report.rows_checked;
	}
	assert_true(checked[0] * (ALL - EASY) < checked[1] * EASY);
	ims_topk_free(&got);
	ims_search_free(x);
	table_free(&t);
}

static void copies(void **state)
{
	(void)state;
	enum { N = 5000, STEP = 100 };
	table t;
	row_source source;
	search_index *x, *loaded;
	kept k = { 0 };
	chunk_sink sink = { &k, keep };
	for (int metric = IMGSEARCH_METRIC_COSINE; metric <= IMGSEARCH_METRIC_L2; metric++) {
		table_new(&t, &source, N, (imgsearch_metric)metric);
		for (int64_t first = 0; first < 3; first++)
			for (size_t i = 1; i < COPIES; i++)
				memcpy(t.rows + ((size_t)first + i * STEP) * DIM, t.rows + first * DIM,
					DIM * sizeof(float));
		assert_int_equal(ims_search_build(&x, "graph", &source, NULL, NULL, NULL), 0);
		for (int64_t first = 0; first < 3; first++)
			finds_copies(x, &t, first, STEP, COPIES);
		for (size_t i = 0; i < COPIES; i++) { /* of a fourth row, by replacing others */
			int64_t id = 3 + (int64_t)i * STEP;
			memcpy(t.rows + id * DIM, t.rows + 3 * DIM, DIM * sizeof(float));
			assert_int_equal(ims_search_add(x, &id, t.rows + id * DIM, 1, NULL), 0);
		}
		finds_copies(x, &t, 3, STEP, COPIES);
		for (int64_t i = 0; i < 30; i++) /* the first ones of two chains, and all between */
			for (int64_t first = 1; first < 4; first += 2) {
				int64_t id = first + i * STEP;
				t.have[id] = 0;
				source.n--;
				assert_int_equal(ims_search_remove(x, &id, 1, NULL), 0);
			}
		assert_int_equal(ims_search_save(x, &sink, NULL), 0);
		assert_int_equal(reload(&loaded, &source, &k), 0);
		for (int64_t id = 4500; id < 4900; id++) { /* so many that slots are free again */
			assert_int_equal(ims_search_remove(loaded, &id, 1, NULL), 0);
			assert_int_equal(ims_search_add(loaded, &id, t.rows + id * DIM, 1, NULL), 0);
		}
		for (int64_t first = 0; first < 4; first++) {
			finds_copies(x, &t, first, STEP, first % 2 ? COPIES - 30 : COPIES);
			finds_copies(loaded, &t, first, STEP, first % 2 ? COPIES - 30 : COPIES);
		}
		ims_search_free(x);
		ims_search_free(loaded);
		forget(&k);
		table_free(&t);
	}
}

static int no_third(void *user, int64_t id)
{
	return !third(user, id);
}

/* Recall@K of points between each of the last 200 rows and row 0. */
static double recall_beside(search_index *x, const row_source *source, search_request q)
{
	const table *t = source->ctx;
	topk got, truth;
	search_report report;
	size_t hit = 0, all = 0;
	float query[DIM];
	assert_int_equal(ims_topk_init(&got, K) | ims_topk_init(&truth, K), 0);
	q.queries = query;
	for (size_t i = t->n - 200; i < t->n; i++) {
		for (size_t j = 0; j < DIM; j++)
			query[j] = 0.6f * t->rows[i * DIM + j] + 0.4f * t->rows[j];
		ims_topk_clear(&truth);
		assert_int_equal(ims_search_scan(source, &q, &truth, &report, NULL), 0);
		assert_int_equal(ims_search_query(x, &q, &got, &report, NULL), 0);
		assert_non_null(strstr(report.plan, q.filter ? "filtered beam" : "graph"));
		for (size_t j = 0; j < got.n; j++)
			hit += got.item[j].distance <= truth.item[truth.n - 1].distance;
		all += truth.n;
	}
	ims_topk_free(&got);
	ims_topk_free(&truth);
	return (double)hit / (double)all;
}

/* Copies take no place of other rows: not in the beam, among the candidates, or behind a filter. */
static void copies_hide_nothing(void **state)
{
	(void)state;
	enum { N = 5000, STEP = 100 };
	for (int metric = IMGSEARCH_METRIC_COSINE; metric <= IMGSEARCH_METRIC_IP; metric++) {
		table t;
		row_source source;
		search_index *x;
		uint64_t seed = 3;
		table_new(&t, &source, N, (imgsearch_metric)metric);
		for (size_t i = 0; i < (size_t)N * DIM; i++)
			t.rows[i] = normal(&seed);
		for (size_t i = 0; i < N; i++) {
			float length = 0;
			for (size_t j = 0; j < DIM; j++)
				length += t.rows[i * DIM + j] * t.rows[i * DIM + j];
			for (size_t j = 0; j < DIM && metric == IMGSEARCH_METRIC_COSINE; j++)
				t.rows[i * DIM + j] /= sqrtf(length);
		}
		for (size_t i = 1; i < COPIES; i++)
			memcpy(t.rows + i * STEP * DIM, t.rows, DIM * sizeof(float));
		assert_int_equal(ims_search_build(&x, "graph", &source, NULL, NULL, NULL), 0);
		search_request all = asked(NULL, 0), some;
		all.params.ef = 14;
		some = all;
		some.filter = no_third;
		assert_true(recall_beside(x, &source, all) > 0.91);
		assert_true(recall_beside(x, &source, some) > 0.91);
		for (int64_t id = 1; id < 40; id++) { /* now there are deleted nodes */
			t.have[id] = 0;
			source.n--;
			assert_int_equal(ims_search_remove(x, &id, 1, NULL), 0);
		}
		assert_true(recall_beside(x, &source, all) > 0.91);
		ims_search_free(x);
		table_free(&t);
	}
}

/* Flipped, cut and missing bytes: an error or some answer, never more. */
static void strangers(void **state)
{
	(void)state;
	table t;
	row_source source;
	search_index *x;
	kept k = { 0 };
	chunk_sink sink = { &k, keep };
	uint64_t seed = 4;
	table_new(&t, &source, 1500, IMGSEARCH_METRIC_L2);
	assert_int_equal(ims_search_build(&x, "graph", &source, NULL, NULL, NULL), 0);
	assert_int_equal(ims_search_save(x, &sink, NULL), 0);
	ims_search_free(x);
	for (int round = 0; round < 400; round++) {
		buf *b = &k.chunk[round % 2 ? 0 : ims_random(&seed) % k.n];
		size_t at = ims_random(&seed) % (round % 4 == 1 ? 64 : b->len), len = b->len;
		uint8_t old = b->data[at];
		if (round % 5)
			b->data[at] = round % 3 ? (uint8_t)(old ^ 1 << ims_random(&seed) % 8) : 255;
		else
			b->len = at;
		if (reload(&x, &source, &k) == 0) {
			topk got;
			int64_t id = 3;
			assert_int_equal(ims_topk_init(&got, K), 0);
			search_request q = asked(t.rows, 0);
			assert_int_equal(ims_search_query(x, &q, &got, NULL, NULL), 0);
			assert_int_equal(ims_search_remove(x, &id, 1, NULL), 0);
			assert_int_equal(ims_search_add(x, &id, t.rows, 1, NULL), 0);
			ims_topk_free(&got);
			ims_search_free(x);
		}
		b->data[at] = old;
		b->len = len;
	}
	k.n--;
	assert_int_equal(reload(&x, &source, &k), IMGSEARCH_EFORMAT);
	k.n = 0;
	assert_int_equal(reload(&x, &source, &k), IMGSEARCH_EFORMAT);
	k.n = 64;
	forget(&k);
	table_free(&t);
}

static void without_memory(void **state)
{
	(void)state;
	table t;
	row_source source;
	search_index *x;
	topk got;
	int64_t id = 1;
	table_new(&t, &source, 1200, IMGSEARCH_METRIC_L2);
	assert_int_equal(ims_topk_init(&got, K), 0);
	for (uint64_t fail = 1;; fail++) {
		ims_alloc_fail_after(fail);
		int rc = ims_search_build(&x, "graph", &source, NULL, NULL, NULL);
		ims_alloc_fail_after(0);
		if (!rc)
			break;
		assert_int_equal(rc, IMGSEARCH_ENOMEM);
		fail += fail > 100 ? 7 : 0;
	}
	for (uint64_t fail = 1; fail < 40; fail++) {
		search_request q = asked(t.rows, 0);
		ims_alloc_fail_after(fail);
		int rc = ims_search_query(x, &q, &got, NULL, NULL);
		assert_true(!rc || rc == IMGSEARCH_ENOMEM);
		ims_alloc_fail_after(fail);
		rc = ims_search_remove(x, &id, 1, NULL);
		assert_true(!rc || rc == IMGSEARCH_ENOMEM);
		ims_alloc_fail_after(fail);
		rc = ims_search_add(x, &id, t.rows + id * DIM, 1, NULL);
		assert_true(!rc || rc == IMGSEARCH_ENOMEM);
		ims_alloc_fail_after(0);
		assert_int_equal(ims_search_add(x, &id, t.rows + id * DIM, 1, NULL), 0);
		id++;
	}
	assert_true(recall_of(x, &source, 0.95) > 0.9);
	ims_topk_free(&got);
	ims_search_free(x);
	table_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(sizes),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(threads_do_not_matter),
		cmocka_unit_test(changes),
		cmocka_unit_test(keeps_its_recall),
		cmocka_unit_test(filters),
		cmocka_unit_test(keeps),
		cmocka_unit_test(graphs_without_classes_load),
		cmocka_unit_test(easy_queries_cost_less),
		cmocka_unit_test(copies),
		cmocka_unit_test(copies_hide_nothing),
		cmocka_unit_test(strangers),
		cmocka_unit_test(without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
