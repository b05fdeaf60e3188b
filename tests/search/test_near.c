/*
 * Searchers over a source that finds near rows itself, as a server does: its sums differ from ours
 * in their last bits, and the answers must not.
 */
#include "search/internal.h"
#include "table.h"
#include "test.h"

enum { DIM = 40, ROWS = 900, ASKED = 30 };

/* A table that finds near rows, and what it was asked for. */
typedef struct server {
	table t;
	bool has_index;
	size_t asked, built; /* how often */
	size_t least;        /* the index gives up after so many rows */
	size_t scans, fetches;
	uint32_t widest; /* of the index, that was asked for */
} server;

typedef struct found {
	double bound;
	int64_t id;
} found;

static int by_bound(const void *a, const void *b)
{
	const found *x = a, *y = b;
	return x->bound < y->bound ? -1 : x->bound > y->bound ? 1 : x->id < y->id ? 1 : -1;
}

/* Summed from the end, in floats: other bits than ours. */
static double bound_of(const row_source *s, const float *a, const float *b, double slack)
{
	float sum = 0, aa = 0, bb = 0;
	for (uint32_t j = s->dim; j-- > 0;) {
		sum += s->metric == IMGSEARCH_METRIC_IP ? a[j] * b[j] : (a[j] - b[j]) * (a[j] - b[j]);
		aa += a[j] * a[j];
		bb += b[j] * b[j];
	}
	return s->metric == IMGSEARCH_METRIC_IP
		? -(double)sum - slack * sqrt((double)aa) * sqrt((double)bb)
		: sqrt((double)sum);
}

static int near(void *ctx, const near_request *q, near_row **out, size_t *n, imgsearch_error *err)
{
	server *s = ctx;
	found *all = malloc(s->t.n * sizeof *all);
	bool scanned = q->ef && !s->has_index;
	(void)err;
	s->asked++;
	s->widest = q->ef > s->widest ? q->ef : s->widest;
	assert_true(!q->sure || q->sure < q->k);
	*out = ims_alloc(q->n * q->k + 1, sizeof **out);
	assert_true(all && *out);
	*n = 0;
	if (scanned)
		(*out)[(*n)++] = (near_row){ NEAR_SCANNED, 0, 0 };
	for (size_t i = 0; i < q->n; i++) {
		size_t rows = 0;
		for (size_t r = 0; r < s->t.n; r++) {
			bool wanted = !q->subset;
			for (size_t k = 0; k < q->n_subset; k++)
				wanted |= q->subset[k] == s->t.ids[r];
			if (!wanted || (q->ef && !scanned && s->t.ids[r] % 50 == 7)) /* it misses some */
				continue;
			all[rows++] = (found){ bound_of(&s->t.source, q->queries + i * DIM, s->t.rows + r * DIM,
									   q->ef ? 0 : q->slack),
				s->t.ids[r] };
		}
		qsort(all, rows, sizeof *all, by_bound);
		size_t most = q->ef && s->least < q->k ? s->least : q->k;
		for (size_t r = 0; r < rows && r < most; r++)
			(*out)[(*n)++] = (near_row){ i, all[r].id, all[r].bound };
	}
	free(all);
	return 0;
}

static int near_build(void *ctx, bool index, uint32_t degree, uint32_t beam, job *j,
	imgsearch_error *err)
{
	server *s = ctx;
	(void)degree, (void)beam, (void)j, (void)err;
	s->built++;
	s->has_index |= index;
	return 0;
}

static server *make(imgsearch_metric metric, uint64_t seed)
{
	server *s = calloc(1, sizeof *s);
	float row[DIM];
	table_init(&s->t, DIM, metric);
	for (int64_t id = 0; id < ROWS; id++) {
		random_row(CLUSTERED, metric, DIM, &seed, row);
		table_put(&s->t, id, row);
		if (id % 100 < 30) /* many equal ones */
			table_put(&s->t, id, s->t.rows);
	}
	s->least = SIZE_MAX;
	s->t.source.near = near;
	s->t.source.far = true;
	s->t.source.near_build = near_build;
	return s;
}

static void end(server *s)
{
	table_free(&s->t);
	free(s);
}

/* The answers of a searcher, or of a scan (NULL), and of a scan by this process are the same. */
static void compare(server *s, search_index *x, search_request q)
{
	topk got[ASKED], truth[ASKED];
	float queries[ASKED * DIM];
	uint64_t seed = 5;
	search_report report;
	row_source plain = s->t.source;
	plain.near = NULL;
	for (int i = 0; i < ASKED; i++) {
		random_row(CLUSTERED, s->t.source.metric, DIM, &seed, queries + i * DIM);
		assert_int_equal(ims_topk_init(&got[i], q.k) | ims_topk_init(&truth[i], q.k), 0);
	}
	memcpy(queries, s->t.rows, DIM * sizeof *queries); /* of the equal rows */
	q.queries = queries;
	q.n = ASKED;
	assert_int_equal(x ? ims_search_query(x, &q, got, &report, NULL)
					   : ims_search_scan(&s->t.source, &q, got, &report, NULL),
		0);
	assert_int_equal(ims_search_scan(&plain, &q, truth, NULL, NULL), 0);
	for (int i = 0; i < ASKED; i++) {
		assert_int_equal(got[i].n, truth[i].n);
		for (size_t r = 0; r < truth[i].n; r++) {
			assert_int_equal(got[i].item[r].id, truth[i].item[r].id);
			assert_memory_equal(&got[i].item[r].distance, &truth[i].item[r].distance,
				sizeof(float));
		}
		ims_topk_free(&got[i]);
		ims_topk_free(&truth[i]);
	}
}

static int odd(void *user, int64_t id)
{
	(void)user;
	return id % 2;
}

static void compare_all(server *s, search_index *x)
{
	static const size_t ks[] = { 1, 10, 60, ROWS + 5 };
	int64_t some[] = { 3, 4, 30, 31, 77, 500 };
	for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
		search_request q = { .k = ks[i], .max_distance = INFINITY, .filter_count = SIZE_MAX };
		compare(s, x, q);
		q.max_distance = s->t.source.metric == IMGSEARCH_METRIC_IP ? -0.5f : 0.7f;
		compare(s, x, q);
		q.max_distance = INFINITY;
		q.filter = odd;
		compare(s, x, q);
		q.filter = NULL;
		q.subset = some;
		q.filter_count = 6;
		compare(s, x, q);
	}
}

static void exact_equals_the_scan(void **state)
{
	(void)state;
	for (int metric = 0; metric <= IMGSEARCH_METRIC_IP; metric++) {
		server *s = make((imgsearch_metric)metric, 9);
		search_index *x;
		compare_all(s, NULL);
		assert_true(s->asked > 0);
		assert_int_equal(ims_search_build(&x, "exact", &s->t.source, NULL, NULL, NULL), 0);
		assert_int_equal(s->built, 1);
		assert_false(s->has_index);
		compare_all(s, x);
		assert_false(ims_search_follows("exact", &s->t.source));
		ims_search_free(x);
		end(s);
	}
}

/* Few rows, all asked for at once: one call. */
static void one_call_is_enough(void **state)
{
	(void)state;
	server *s = make(IMGSEARCH_METRIC_L2, 4);
	float query[DIM];
	uint64_t seed = 77;
	topk out;
	search_request q = { .queries = query,
		.n = 1,
		.k = 10,
		.max_distance = INFINITY,
		.filter_count = SIZE_MAX };
	random_row(CLUSTERED, IMGSEARCH_METRIC_L2, DIM, &seed, query);
	query[0] += 0.3f; /* no row lies twice as far as the tenth */
	assert_int_equal(ims_topk_init(&out, 10), 0);
	assert_int_equal(ims_search_scan(&s->t.source, &q, &out, NULL, NULL), 0);
	assert_true(s->asked <= 2);
	ims_topk_free(&out);
	end(s);
}

/* An index that finds too few, and one that is gone: all rows are compared. */
static void an_index_that_ends_early(void **state)
{
	(void)state;
	server *s = make(IMGSEARCH_METRIC_COSINE, 3);
	search_index *x;
	search_report report;
	topk out;
	search_request q = { .queries = s->t.rows,
		.n = 1,
		.k = 10,
		.max_distance = INFINITY,
		.filter_count = SIZE_MAX };
	assert_int_equal(ims_topk_init(&out, 10), 0);
	assert_int_equal(ims_search_build(&x, "pgvector", &s->t.source, NULL, NULL, NULL), 0);
	assert_true(s->has_index);
	assert_int_equal(ims_search_query(x, &q, &out, &report, NULL), 0);
	assert_int_equal(out.n, 10);
	assert_false(report.exact);
	assert_string_equal(report.plan, "index of the server");

	s->least = 4;
	assert_int_equal(ims_search_query(x, &q, &out, &report, NULL), 0);
	assert_int_equal(out.n, 10);
	assert_non_null(strstr(report.plan, "too few"));

	s->least = SIZE_MAX;
	s->has_index = false;
	assert_int_equal(ims_search_query(x, &q, &out, &report, NULL), 0);
	assert_int_equal(out.n, 10);
	assert_non_null(strstr(report.plan, "gone"));
	ims_topk_free(&out);
	ims_search_free(x);
	end(s);
}

/* What building measured is kept; a state that is cut off is not used. */
static void the_state_is_kept(void **state)
{
	(void)state;
	server *s = make(IMGSEARCH_METRIC_L2, 8);
	search_index *x, *y;
	shelf kept = { 0 };
	char before[400], after[400];
	chunk_sink sink = { &kept, shelf_put };
	assert_int_equal(ims_search_build(&x, "pgvector", &s->t.source, NULL, NULL, NULL), 0);
	assert_int_equal(ims_search_save(x, &sink, NULL), 0);
	chunk_source source = { &kept, kept.n, shelf_get };
	assert_int_equal(ims_search_load(&y, "pgvector", &s->t.source, &source, NULL), 0);
	ims_search_describe(x, before, sizeof before);
	ims_search_describe(y, after, sizeof after);
	assert_non_null(strstr(before, "recall at ef"));
	assert_string_equal(before, after);
	ims_search_free(y);
	kept.chunk[0].len--;
	assert_int_equal(ims_search_load(&y, "pgvector", &s->t.source, &source, NULL),
		IMGSEARCH_EFORMAT);
	ims_search_free(x);
	free(kept.chunk[0].data);
	free(kept.chunk);

	table plain;
	table_init(&plain, DIM, IMGSEARCH_METRIC_L2);
	assert_int_equal(ims_search_build(&x, "pgvector", &plain.source, NULL, NULL, NULL),
		IMGSEARCH_EUNSUPPORTED);
	table_free(&plain);
	end(s);
}

static int counted_scan(void *ctx, int (*each)(void *, const int64_t *, const float *, size_t),
	void *user, imgsearch_error *err)
{
	((server *)ctx)->scans++;
	return table_scan(ctx, each, user, err);
}

static int counted_fetch(void *ctx, const int64_t *ids, size_t n, float *out, uint8_t *found,
	imgsearch_error *err)
{
	((server *)ctx)->fetches++;
	return table_fetch(ctx, ids, n, out, found, err);
}

/* Each row crosses the network once; what is built is the same as of rows of this machine. */
static void a_build_reads_the_rows_once(void **state)
{
	static const char *const names[] = { "graph", "kdtree", "pca", "pgvector" };
	enum { MORE = 2000 };
	(void)state;
	server *s = make(IMGSEARCH_METRIC_COSINE, 8);
	float row[DIM];
	uint64_t seed = 3;
	for (int64_t id = ROWS; id < MORE; id++) {
		random_row(CLUSTERED, IMGSEARCH_METRIC_COSINE, DIM, &seed, row);
		table_put(&s->t, id, row);
	}
	s->t.source.n = s->t.n;
	s->t.source.scan = counted_scan;
	s->t.source.fetch = counted_fetch;
	row_source plain = s->t.source;
	plain.near = NULL;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		search_index *x, *y;
		char text[2][600];
		bool server_finds = i == 3;
		s->scans = s->fetches = s->widest = 0;
		assert_int_equal(ims_search_build(&x, names[i], &s->t.source, NULL, NULL, NULL), 0);
		assert_int_equal(s->scans, 1);
		assert_true(server_finds ? s->widest > 0 : !s->fetches && !s->widest);
		if (!server_finds) {
			assert_int_equal(ims_search_build(&y, names[i], &plain, NULL, NULL, NULL), 0);
			ims_search_describe(x, text[0], sizeof text[0]);
			ims_search_describe(y, text[1], sizeof text[1]);
			assert_string_equal(text[0], text[1]);
			assert_int_equal(ims_search_memory(x), ims_search_memory(y));
			ims_search_free(y);
		}
		search_request q = { .queries = s->t.rows,
			.n = 1,
			.k = 10,
			.max_distance = INFINITY,
			.filter_count = SIZE_MAX };
		topk out;
		assert_int_equal(ims_topk_init(&out, 10), 0);
		assert_int_equal(ims_search_query(x, &q, &out, &(search_report){ 0 }, NULL), 0);
		assert_int_equal(out.n, 10);
		ims_topk_free(&out);
		ims_search_free(x);
	}
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_equals_the_scan),
		cmocka_unit_test(one_call_is_enough),
		cmocka_unit_test(an_index_that_ends_early),
		cmocka_unit_test(the_state_is_kept),
		cmocka_unit_test(a_build_reads_the_rows_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
