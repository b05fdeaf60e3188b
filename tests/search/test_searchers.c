/*
 * The contract of every searcher: what it calls exact is the plain scan's answer, bit for bit,
 * whatever the rows, the metric, the changes since the build, the filter and the largest distance;
 * saved and loaded it answers the same. $IMGSEARCH_ROUNDS: how many random cases (default 12 a
 * searcher); $IMGSEARCH_TEST: only tests of this name.
 */
#include "test.h"
#include "table.h"

typedef struct want {
	uint64_t salt; /* of the filter: which ids pass */
	unsigned one_in;
} want;

static int passes(void *user, int64_t id)
{
	const want *w = user;
	uint64_t s = (uint64_t)id * 31 + w->salt;
	return ims_random(&s) % w->one_in == 0;
}

static void same(const topk *a, const topk *b, const char *what, const char *name)
{
	if (a->n != b->n)
		fail_msg("%s: %s has %zu hits, the scan %zu", name, what, a->n, b->n);
	for (size_t i = 0; i < a->n; i++)
		if (a->item[i].id != b->item[i].id
			|| memcmp(&a->item[i].distance, &b->item[i].distance, sizeof(float)))
			fail_msg("%s: %s: hit %zu is %lld at %.9g, the scan's %lld at %.9g", name, what, i,
				(long long)a->item[i].id, a->item[i].distance, (long long)b->item[i].id,
				b->item[i].distance);
}

/* The scan of each query by itself, into right; that of the batch, by a product, is the same. */
static void scan_both(table *t, const search_request *q, topk *right)
{
	imgsearch_error err = { 0 };
	search_report truth;
	topk *batch = topks(q->n, q->k);
	assert_int_equal(ims_search_scan(&t->source, q, batch, &truth, &err), 0);
	assert_true(truth.exact);
	for (size_t i = 0; i < q->n; i++) {
		search_request one = *q;
		one.queries += i * t->source.dim;
		one.n = 1;
		assert_int_equal(ims_search_scan(&t->source, &one, &right[i], &truth, &err), 0);
		same(&batch[i], &right[i], "batch", "scan");
	}
	topks_free(batch, q->n);
}

static void compare(search_index *x, table *t, const search_request *q, bool approximate,
	const char *what)
{
	imgsearch_error err = { 0 };
	search_report report;
	topk *got = topks(q->n, q->k), *right = topks(q->n, q->k);
	if (ims_search_query(x, q, got, &report, &err))
		fail_msg("%s: %s: %s", ims_search_name(x), what, err.message);
	scan_both(t, q, right);
	assert_non_null(report.plan);
	if (!approximate)
		assert_true(report.exact);
	for (size_t i = 0; i < q->n; i++) {
		if (report.exact)
			same(&got[i], &right[i], what, ims_search_name(x));
		else if (q->max_distance == INFINITY)
			assert_int_equal(got[i].n, right[i].n); /* full k, whenever k exist */
	}
	topks_free(got, q->n);
	topks_free(right, q->n);
}

typedef struct world {
	table t;
	enum kind kind;
	uint64_t random;
	int64_t next_id;
	pool *pool;
	float *row;
} world;

static void ask(world *w, search_index *x, bool approximate, const char *what)
{
	enum { MOST = 48 };
	uint32_t dim = w->t.source.dim;
	float *queries = malloc(MOST * dim * sizeof(float));
	want wanted = { w->random, 1 + (unsigned)below(&w->random, 9) };
	search_request q = { .queries = queries,
		.n = 1 + below(&w->random, below(&w->random, 2) ? MOST : 8),
		.max_distance = INFINITY,
		.filter_count = SIZE_MAX,
		.pool = w->pool };
	size_t ks[] = { 1, 1 + below(&w->random, 10), 1 + below(&w->random, 100), w->t.n + 1 };
	q.k = ks[below(&w->random, 4)];
	for (size_t i = 0; i < q.n; i++) {
		random_row(below(&w->random, 8) ? w->kind : UNIFORM, w->t.source.metric, dim, &w->random,
			queries + i * dim);
		if (w->t.n && below(&w->random, 2))
			memcpy(queries + i * dim, w->t.rows + below(&w->random, w->t.n) * dim,
				dim * sizeof(float));
	}
	compare(x, &w->t, &q, approximate, what);
	if (w->t.n) {
		const float *some = w->t.rows + below(&w->random, w->t.n) * dim;
		q.max_distance = ims_search_distance(w->t.source.metric, queries, some, dim);
		compare(x, &w->t, &q, approximate, "range");
		q.max_distance = INFINITY;
	}
	q.filter = passes;
	q.filter_user = &wanted;
	compare(x, &w->t, &q, approximate, "filter");
	int64_t *subset = malloc((w->t.n + 1) * sizeof(*subset));
	q.filter = NULL;
	q.subset = subset;
	q.filter_count = 0;
	for (size_t i = 0; i < w->t.n; i++)
		if (passes(&wanted, w->t.ids[i]))
			subset[q.filter_count++] = w->t.ids[i];
	compare(x, &w->t, &q, approximate, "subset");
	free(subset);
	free(queries);
}

static void grow(world *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		random_row(w->kind, w->t.source.metric, w->t.source.dim, &w->random, w->row);
		table_put(&w->t, w->next_id, w->row);
		w->next_id += 1 + (int64_t)below(&w->random, 3);
	}
}

/* Adds, replacements and removals, to the table and the index alike. */
static void change(world *w, search_index *x, size_t steps)
{
	imgsearch_error err;
	for (size_t i = 0; i < steps; i++) {
		bool fresh = !w->t.n || below(&w->random, 3) == 0;
		int64_t id = fresh ? w->next_id++ : w->t.ids[below(&w->random, w->t.n)];
		if (!fresh && below(&w->random, 2)) {
			table_drop(&w->t, id);
			assert_int_equal(ims_search_remove(x, &id, 1, &err), 0);
			continue;
		}
		random_row(w->kind, w->t.source.metric, w->t.source.dim, &w->random, w->row);
		table_put(&w->t, id, w->row);
		assert_int_equal(ims_search_add(x, &id, w->row, 1, &err), 0);
	}
}

static void reload(search_index **x, world *w, shelf *kept, chunk_source *source)
{
	imgsearch_error err;
	const char *name = ims_search_name(*x);
	chunk_sink sink = { kept, shelf_put };
	assert_int_equal(ims_search_save(*x, &sink, &err), 0);
	ims_search_free(*x);
	*source = (chunk_source){ kept, kept->n, shelf_get };
	if (ims_search_load(x, name, &w->t.source, source, &err))
		fail_msg("%s: cannot be loaded: %s", name, err.message);
}

static void one_world(const searcher_ops *ops, uint64_t seed)
{
	static const uint32_t dims[] = { 1, 2, 3, 5, 8, 13, 17, 33, 64, 97, 130, 200, 300, 520, 700 };
	static const size_t sizes[] = { 0, 1, 2, 10, 255, 256, 257, 400, 1000, 2500 };
	world w = { .random = seed * 7919 + 13 };
	imgsearch_error err;
	imgsearch_metric metric = (imgsearch_metric)below(&w.random, 3);
	shelf kept = { 0 }, again = { 0 };
	chunk_source source, source2;
	search_index *x;
	w.kind = (enum kind)below(&w.random, KINDS);
	table_init(&w.t, dims[below(&w.random, sizeof(dims) / sizeof(*dims))], metric);
	w.row = malloc(w.t.source.dim * sizeof(float));
	w.next_id = below(&w.random, 4) ? 1 : INT64_MAX - 20000;
	if (below(&w.random, 2))
		assert_int_equal(ims_pool_new(&w.pool, 2, 4, &err), 0);
	size_t n = sizes[below(&w.random, sizeof(sizes) / sizeof(*sizes))];
	grow(&w, w.t.source.dim > 200 && n > 1000 ? 1000 : n);
	search_params p = { .seed = seed };
	job j = { .pool = w.pool };
	if (ims_search_build(&x, ops->name, &w.t.source, &p, &j, &err))
		fail_msg("%s: cannot be built: %s", ops->name, err.message);
	ask(&w, x, ops->approximate, "built");
	change(&w, x, below(&w.random, 40));
	ask(&w, x, ops->approximate, "changed");
	if (ops->add || !below(&w.random, 2)) {
		if (!ops->add) { /* the tail is the engine's to bring back: save what was built */
			ims_search_free(x);
			assert_int_equal(ims_search_build(&x, ops->name, &w.t.source, &p, NULL, &err), 0);
		}
		reload(&x, &w, &kept, &source);
		ask(&w, x, ops->approximate, "loaded");
		change(&w, x, below(&w.random, 60));
		ask(&w, x, ops->approximate, "loaded, changed");
		if (ops->add) {
			reload(&x, &w, &again, &source2);
			ask(&w, x, ops->approximate, "loaded again");
		}
	}
	ims_search_free(x);
	shelf_free(&kept);
	shelf_free(&again);
	ims_pool_free(w.pool);
	table_free(&w.t);
	free(w.row);
}

static void random_worlds(void **state)
{
	(void)state;
	const char *text = getenv("IMGSEARCH_ROUNDS");
	unsigned long rounds = text ? strtoul(text, NULL, 10) : 12;
	const searcher_ops *const *all = ims_search_all();
	for (size_t s = 0; all[s] && !all[s]->needs_near; s++)
		for (uint64_t seed = 0; seed < rounds; seed++)
			one_world(all[s], seed);
}

static void everything_removed(void **state)
{
	(void)state;
	const searcher_ops *const *all = ims_search_all();
	for (size_t s = 0; all[s] && !all[s]->needs_near; s++) {
		world w = { .random = 3, .kind = CLUSTERED, .next_id = 1 };
		imgsearch_error err;
		search_index *x;
		table_init(&w.t, 130, IMGSEARCH_METRIC_L2);
		w.row = malloc(130 * sizeof(float));
		grow(&w, 600);
		assert_int_equal(ims_search_build(&x, all[s]->name, &w.t.source, NULL, NULL, &err), 0);
		while (w.t.n) {
			int64_t id = w.t.ids[0];
			table_drop(&w.t, id);
			assert_int_equal(ims_search_remove(x, &id, 1, &err), 0);
		}
		ask(&w, x, false, "empty");
		assert_true(ims_search_drift(x) >= 0.99);
		change(&w, x, 300);
		ask(&w, x, all[s]->approximate, "filled again");
		ims_search_free(x);
		table_free(&w.t);
		free(w.row);
	}
}

static void bad_numbers(void **state)
{
	(void)state;
	const searcher_ops *const *all = ims_search_all();
	for (size_t s = 0; all[s] && !all[s]->needs_near; s++) {
		world w = { .random = 3, .kind = CLUSTERED, .next_id = 1 };
		imgsearch_error err;
		search_index *x;
		search_report report;
		float row[16];
		table_init(&w.t, 16, IMGSEARCH_METRIC_L2);
		w.row = row;
		grow(&w, 300);
		assert_int_equal(ims_search_build(&x, all[s]->name, &w.t.source, NULL, NULL, &err), 0);
		topk *out = topks(1, 3);
		search_request q = { .queries = row,
			.n = 1,
			.k = 3,
			.max_distance = INFINITY,
			.filter_count = SIZE_MAX };
		int64_t id = 1;
		row[7] = NAN;
		assert_int_equal(ims_search_query(x, &q, out, &report, &err), IMGSEARCH_EINVAL);
		assert_int_equal(ims_search_add(x, &id, row, 1, &err), IMGSEARCH_EINVAL);
		row[7] = -INFINITY;
		assert_int_equal(ims_search_query(x, &q, out, &report, &err), IMGSEARCH_EINVAL);
		row[7] = 0;
		q.max_distance = NAN;
		assert_int_equal(ims_search_query(x, &q, out, &report, &err), IMGSEARCH_EINVAL);
		q.max_distance = INFINITY;
		q.k = 0;
		assert_int_equal(ims_search_query(x, &q, out, &report, &err), 0);
		assert_int_equal(out->n, 0);
		topks_free(out, 1);
		ims_search_free(x);
		table_free(&w.t);
	}
	imgsearch_error err;
	search_index *x;
	table t;
	table_init(&t, 4, IMGSEARCH_METRIC_L2);
	assert_int_equal(ims_search_build(&x, "nonesuch", &t.source, NULL, NULL, &err),
		IMGSEARCH_EINVAL);
	assert_null(x);
	t.source.dim = 0;
	assert_int_equal(ims_search_build(&x, "exact", &t.source, NULL, NULL, &err), IMGSEARCH_EINVAL);
	table_free(&t);
}

/* Build, save, load, add and query with the N-th allocation failing, for every N. */
static int life(const searcher_ops *ops, world *w, shelf *kept, topk *out)
{
	search_index *x = NULL, *y = NULL;
	imgsearch_error err;
	chunk_sink sink = { kept, shelf_put };
	search_report report;
	search_request q = { .queries = w->t.rows,
		.n = 1,
		.k = 5,
		.max_distance = INFINITY,
		.filter_count = SIZE_MAX };
	int64_t id = w->t.ids[3];
	int rc = ims_search_build(&x, ops->name, &w->t.source, NULL, NULL, &err);
	if (!rc)
		rc = ims_search_save(x, &sink, &err);
	chunk_source source = { kept, kept->n, shelf_get };
	if (!rc)
		rc = ims_search_load(&y, ops->name, &w->t.source, &source, &err);
	if (!rc)
		rc = ims_search_query(y, &q, out, &report, &err);
	if (!rc)
		rc = ims_search_add(y, &id, w->t.rows + 3 * w->t.source.dim, 1, &err);
	if (!rc)
		rc = ims_search_remove(y, &id, 1, &err);
	if (!rc)
		rc = ims_search_query(y, &q, out, &report, &err);
	assert_true(rc == 0 || rc == IMGSEARCH_ENOMEM);
	ims_search_free(x);
	ims_search_free(y);
	shelf_free(kept);
	return rc;
}

static void failing_allocations(void **state)
{
	(void)state;
	const searcher_ops *const *all = ims_search_all();
	for (size_t s = 0; all[s] && !all[s]->needs_near; s++) {
		world w = { .random = 3, .kind = CLUSTERED, .next_id = 1 };
		shelf kept = { 0 };
		table_init(&w.t, 130, IMGSEARCH_METRIC_L2);
		w.row = malloc(130 * sizeof(float));
		grow(&w, 300);
		topk *out = topks(1, 5);
		ims_alloc_fail_after(0);
		assert_int_equal(life(all[s], &w, &kept, out), 0);
		uint64_t made = ims_alloc_fail_after(0), step = made / 200 + 1;
		for (uint64_t n = 1; n <= made; n += step) {
			ims_alloc_fail_after(n);
			life(all[s], &w, &kept, out);
		}
		ims_alloc_fail_after(0);
		topks_free(out, 1);
		table_free(&w.t);
		free(w.row);
	}
}

/*
 * Queries on two threads beside a writer: every answer is one that was right at some moment; TSan
 * sees the rest.
 */
typedef struct beside {
	world *w;
	search_index *x;
	atomic_int stop;
} beside;

static void *asking(void *arg)
{
	beside *b = arg;
	uint32_t dim = b->w->t.source.dim;
	float *query = malloc(dim * sizeof(float));
	uint64_t random = (uint64_t)(uintptr_t)query;
	search_report report;
	topk *out = topks(1, 10);
	while (!atomic_load(&b->stop)) {
		random_row(CLUSTERED, IMGSEARCH_METRIC_L2, dim, &random, query);
		search_request q = { .queries = query,
			.n = 1,
			.k = 10,
			.max_distance = INFINITY,
			.filter_count = SIZE_MAX };
		if (ims_search_query(b->x, &q, out, &report, NULL) || out->n != 10)
			atomic_store(&b->stop, 2);
	}
	topks_free(out, 1);
	free(query);
	return NULL;
}

static void queries_beside_changes(void **state)
{
	(void)state;
	const searcher_ops *const *all = ims_search_all();
	for (size_t s = 0; all[s] && !all[s]->needs_near; s++) {
		world w = { .random = 3, .kind = CLUSTERED, .next_id = 1 };
		imgsearch_error err;
		pthread_t thread[2];
		shelf kept = { 0 };
		chunk_source source;
		table_init(&w.t, 130, IMGSEARCH_METRIC_L2);
		w.row = malloc(130 * sizeof(float));
		grow(&w, 800);
		beside b = { .w = &w };
		assert_int_equal(ims_search_build(&b.x, all[s]->name, &w.t.source, NULL, NULL, &err), 0);
		reload(&b.x, &w, &kept, &source); /* so that chunks are read while others search */
		for (int i = 0; i < 2; i++)
			pthread_create(&thread[i], NULL, asking, &b);
		for (int i = 0; i < 100; i++) {
			random_row(CLUSTERED, IMGSEARCH_METRIC_L2, 130, &w.random, w.row);
			int64_t id = 1 + (int64_t)below(&w.random, 2000);
			table_put(&w.t, id, w.row);
			assert_int_equal(ims_search_add(b.x, &id, w.row, 1, &err), 0);
		}
		assert_int_not_equal(atomic_exchange(&b.stop, 1), 2);
		for (int i = 0; i < 2; i++)
			pthread_join(thread[i], NULL);
		ask(&w, b.x, all[s]->approximate, "after changes");
		ims_search_free(b.x);
		shelf_free(&kept);
		table_free(&w.t);
		free(w.row);
	}
}

/* A state of which one run takes several chunks. */
static void large_state(void **state)
{
	(void)state;
	world w = { .random = 3, .kind = CLUSTERED, .next_id = 1 };
	shelf kept = { 0 };
	chunk_source source;
	imgsearch_error err;
	search_index *x;
	table_init(&w.t, 520, IMGSEARCH_METRIC_L2);
	w.row = malloc(520 * sizeof(float));
	grow(&w, 2600);
	assert_int_equal(ims_search_build(&x, "exact", &w.t.source, NULL, NULL, &err), 0);
	reload(&x, &w, &kept, &source);
	bool full = false;
	for (uint32_t i = 0; i < kept.n; i++)
		full |= kept.chunk[i].len == 1 << 20;
	assert_true(full);
	change(&w, x, 20);
	ask(&w, x, false, "large state");
	ims_search_free(x);
	shelf_free(&kept);
	table_free(&w.t);
	free(w.row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_worlds),
		cmocka_unit_test(everything_removed),
		cmocka_unit_test(bad_numbers),
		cmocka_unit_test(failing_allocations),
		cmocka_unit_test(queries_beside_changes),
		cmocka_unit_test(large_state),
	};
	cmocka_set_test_filter(getenv("IMGSEARCH_TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
