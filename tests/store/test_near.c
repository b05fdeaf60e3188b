/*
 * Rows that a server finds itself: the same answers as of a file, bit for bit where they are exact;
 * and how many round trips a query takes. Over the server of IMGSEARCH_TEST_SERVER, else skipped.
 */
#include "imgsearch.h"
#include "common.h"
#include "handle/handle.h"
#include "store/postgres/conn.h"

#include <math.h>

enum { DIM = 24, MANY = 3000, ASKED = 40, K = 10 };

typedef struct pair {
	imgsearch *server, *file;
	float rows[MANY][DIM], query[ASKED][DIM];
	int64_t ids[MANY];
} pair;

static imgsearch_error err;
static char address[2000]; /* of the index that was made last */

#define WORKS(call) \
	do { \
		if (call) \
			fail_msg("%s", err.message); \
	} while (0)

static uint64_t seed;

static float any(void)
{
	return (float)((double)(ims_random(&seed) % 2000001) / 1e6 - 1);
}

/* Rows in clusters; some are there twice, and one is of zeros where it may be. */
static void draw(pair *p, imgsearch_metric metric)
{
	float centre[8][DIM];
	seed = 7;
	for (int c = 0; c < 8; c++)
		for (int j = 0; j < DIM; j++)
			centre[c][j] = any();
	for (int i = 0; i < MANY; i++)
		for (int j = 0; j < DIM; j++)
			p->rows[i][j] = centre[i % 8][j] + 0.3f * any();
	for (int i = 100; i < 140; i++)
		memcpy(p->rows[i], p->rows[7], sizeof p->rows[i]);
	if (metric != IMGSEARCH_METRIC_COSINE)
		memset(p->rows[50], 0, sizeof p->rows[50]);
	for (int i = 0; i < ASKED; i++)
		for (int j = 0; j < DIM; j++)
			p->query[i][j] = i == 0 ? p->rows[7][j] : centre[i % 8][j] + 0.4f * any();
}

static pair *make(imgsearch_metric metric, size_t n)
{
	imgsearch_options o = { .struct_size = sizeof o, .metric = metric };
	pair *p = calloc(1, sizeof *p);
	assert_non_null(p);
	draw(p, metric);
	snprintf(address, sizeof address, "%s", new_schema());
	WORKS(imgsearch_open(address, &o, NULL, &p->server, &err));
	WORKS(imgsearch_open(":memory:", &o, NULL, &p->file, &err));
	WORKS(imgsearch_vectors_add(p->server, p->rows[0], n, DIM, NULL, NULL, p->ids, &err));
	WORKS(imgsearch_vectors_add(p->file, p->rows[0], n, DIM, NULL, NULL, p->ids, &err));
	return p;
}

static void end(pair *p)
{
	imgsearch_close(p->server);
	imgsearch_close(p->file);
	free(p);
}

static void build(imgsearch *s, const char *searcher)
{
	imgsearch_build_options o = { .struct_size = sizeof o, .searcher = searcher };
	WORKS(imgsearch_build(s, &o, NULL, NULL, &err));
}

static imgsearch_query_options options(const char *searcher, uint32_t k)
{
	return (imgsearch_query_options){ .struct_size = sizeof(imgsearch_query_options),
		.searcher = searcher,
		.k = k };
}

/* The answers of both to all queries are the same. */
static void compare(const pair *p, imgsearch_query_options o)
{
	size_t all = ASKED * (size_t)o.k;
	int64_t *id[2] = { malloc(all * sizeof(int64_t)), malloc(all * sizeof(int64_t)) };
	float *score[2] = { malloc(all * sizeof(float)), malloc(all * sizeof(float)) };
	assert_true(id[0] && id[1] && score[0] && score[1]);
	for (int side = 0; side < 2; side++)
		WORKS(imgsearch_vectors_query(side ? p->file : p->server, p->query[0], ASKED, DIM, &o, NULL,
			id[side], score[side], all, &err));
	assert_memory_equal(id[0], id[1], all * sizeof(int64_t));
	assert_memory_equal(score[0], score[1], all * sizeof(float));
	for (int side = 0; side < 2; side++) {
		free(id[side]);
		free(score[side]);
	}
}

static int no_server(void **state)
{
	(void)state;
	return !getenv("IMGSEARCH_TEST_SERVER");
}

static void each_exact(imgsearch_metric metric)
{
	pair *p = make(metric, MANY);
	int64_t some[] = { 3, 7, 101, 120, 900, 901, 902, 1500, 2999, 100000 };
	imgsearch_filter few = { .struct_size = sizeof few, .ids = some, .n_ids = 10 };
	for (int built = 0; built < 2; built++) {
		imgsearch_query_options o = options("exact", K);
		compare(p, o);
		o.k = 1;
		compare(p, o);
		o.k = 45; /* ends among equal rows */
		compare(p, o);
		o.k = MANY + 10;
		compare(p, o);
		o = options("exact", K);
		o.filter = &few;
		compare(p, o);
		o = options("exact", K);
		o.has_min_score = 1;
		o.min_score = metric == IMGSEARCH_METRIC_L2 ? -1.4f : 0.95f;
		compare(p, o);
		if (!built)
			build(p->server, "exact");
	}
	/* a built comparison follows what is added, replaced and removed */
	float row[DIM];
	for (int j = 0; j < DIM; j++)
		row[j] = p->query[3][j] + 0.01f;
	for (int side = 0; side < 2; side++) {
		imgsearch *s = side ? p->file : p->server;
		imgsearch_vectors_add_options replace = { .struct_size = sizeof replace,
			.ids = &p->ids[9] };
		WORKS(imgsearch_vectors_add(s, row, 1, DIM, NULL, NULL, NULL, &err));
		WORKS(imgsearch_vectors_add(s, row, 1, DIM, &replace, NULL, NULL, &err));
		WORKS(imgsearch_index_remove(s, &p->ids[7], 3, NULL, NULL, &err));
	}
	compare(p, options("exact", K));
	end(p);
}

static void cosine_is_exact(void **state)
{
	if (no_server(state))
		skip();
	each_exact(IMGSEARCH_METRIC_COSINE);
}

static void l2_is_exact(void **state)
{
	if (no_server(state))
		skip();
	each_exact(IMGSEARCH_METRIC_L2);
}

static void ip_is_exact(void **state)
{
	if (no_server(state))
		skip();
	each_exact(IMGSEARCH_METRIC_IP);
}

/* How many of the k nearest are found. */
static double recall(const pair *p, imgsearch_query_options o)
{
	int64_t got[ASKED][K], truth[ASKED][K];
	float score[ASKED][K], best[ASKED][K];
	imgsearch_query_options exact = options("exact", K);
	int hit = 0;
	o.k = K;
	WORKS(imgsearch_vectors_query(p->server, p->query[0], ASKED, DIM, &o, NULL, got[0], score[0],
		ASKED * K, &err));
	WORKS(imgsearch_vectors_query(p->file, p->query[0], ASKED, DIM, &exact, NULL, truth[0], best[0],
		ASKED * K, &err));
	for (int i = 0; i < ASKED; i++)
		for (int j = 0; j < K; j++)
			hit += score[i][j] >= best[i][K - 1];
	return (double)hit / (ASKED * K);
}

static void the_index_of_the_server(void **state)
{
	static const imgsearch_metric metrics[] = { IMGSEARCH_METRIC_COSINE, IMGSEARCH_METRIC_L2,
		IMGSEARCH_METRIC_IP };
	if (no_server(state))
		skip();
	for (int m = 0; m < 3; m++) {
		pair *p = make(metrics[m], MANY);
		imgsearch_query_options o = options("pgvector", K);
		int64_t id;
		assert_int_equal(imgsearch_vectors_query(p->server, p->query[0], 1, DIM, &o, NULL, &id,
							 NULL, 1 * K, &err),
			IMGSEARCH_ENOTFOUND);
		build(p->server, "pgvector");
		o.recall = 0.99;
		assert_true(recall(p, o) >= 0.9); /* pgvector's index is another one at each build */
		o = options(NULL, K);             /* it is the index's */
		assert_true(recall(p, o) >= 0.8);

		/* where the filter lets little through, k is k */
		int64_t few[30], got[ASKED][K];
		for (int i = 0; i < 30; i++)
			few[i] = p->ids[i * 99 + 5];
		imgsearch_filter f = { .struct_size = sizeof f, .ids = few, .n_ids = 30 };
		o.filter = &f;
		WORKS(imgsearch_vectors_query(p->server, p->query[0], ASKED, DIM, &o, NULL, got[0], NULL,
			ASKED * K, &err));
		for (int i = 0; i < ASKED; i++)
			assert_true(got[i][K - 1] >= 0);
		end(p);
	}
}

/* ---------------------------------------------------------------------------- round trips ---- */

static long long trips(const pair *p)
{
	return atomic_load(&((pg_store *)p->server->store)->trips);
}

static long long query_trips(const pair *p, const imgsearch_input *in,
	const imgsearch_query_options *o)
{
	imgsearch_hits *hits;
	long long before = trips(p);
	WORKS(imgsearch_query(p->server, in, 1, o, NULL, &hits, &err));
	assert_int_equal(hits->count, K);
	imgsearch_hits_free(hits);
	return trips(p) - before;
}

static void a_query_takes_two_round_trips(void **state)
{
	static const char *const searchers[] = { "exact", "pgvector", "graph" };
	if (no_server(state))
		skip();
	pair *p = make(IMGSEARCH_METRIC_COSINE, MANY);
	imgsearch_input by_item = imgsearch_input_item(p->ids[11]);
	for (size_t i = 0; i < sizeof searchers / sizeof *searchers; i++) {
		build(p->server, searchers[i]);
		imgsearch_query_options o = options(searchers[i], K);
		o.ef = i == 1 ? 400 : 0; /* of pgvector: it finds enough, however it was built */
		imgsearch_input in = imgsearch_input_vector(p->query[i], DIM);
		query_trips(p, &in, &o); /* the view and the searcher are loaded */
		for (int q = 0; q < ASKED; q++) {
			in = imgsearch_input_vector(p->query[q], DIM);
			assert_true(query_trips(p, &in, &o) <= 2);
		}
		assert_true(query_trips(p, &by_item, &o) <= 2);
	}
	end(p);
}

/* Another program adds a row, or builds: the next answer knows. */
static void a_query_notices_what_others_write(void **state)
{
	static const char *const searchers[] = { "exact", "pgvector", "graph" };
	if (no_server(state))
		skip();
	pair *p = make(IMGSEARCH_METRIC_COSINE, MANY);
	imgsearch *other;
	int64_t got[K], added;
	WORKS(imgsearch_open(address, NULL, NULL, &other, &err));
	for (int i = 0; i < 3; i++) {
		imgsearch_query_options o = options(searchers[i], K);
		o.ef = 400;
		build(other, searchers[i]);
		WORKS(imgsearch_vectors_query(p->server, p->query[i + 1], 1, DIM, &o, NULL, got, NULL, K,
			&err));
		WORKS(imgsearch_vectors_add(other, p->query[i + 1], 1, DIM, NULL, NULL, &added, &err));
		WORKS(imgsearch_vectors_query(p->server, p->query[i + 1], 1, DIM, &o, NULL, got, NULL, K,
			&err));
		assert_int_equal(got[0], added);
		WORKS(imgsearch_index_remove(other, &added, 1, NULL, NULL, &err));
		WORKS(imgsearch_vectors_query(p->server, p->query[i + 1], 1, DIM, &o, NULL, got, NULL, K,
			&err));
		assert_int_not_equal(got[0], added);
	}
	imgsearch_close(other);
	end(p);
}

/* With max_stale a handle goes by what it knows. */
static void a_query_may_be_stale(void **state)
{
	if (no_server(state))
		skip();
	pair *p = make(IMGSEARCH_METRIC_COSINE, MANY);
	imgsearch_options o = { .struct_size = sizeof o, .max_stale = 3600 };
	imgsearch *stale;
	imgsearch_query_options graph = options("graph", K);
	int64_t got[K], added = -1;
	build(p->server, "graph");
	WORKS(imgsearch_open(address, &o, NULL, &stale, &err));
	for (int round = 0; round < 2; round++) { /* the graph of the state that is known */
		WORKS(
			imgsearch_vectors_query(stale, p->query[2], 1, DIM, &graph, NULL, got, NULL, K, &err));
		if (!round)
			WORKS(imgsearch_vectors_add(p->server, p->query[2], 1, DIM, NULL, NULL, &added, &err));
		assert_int_not_equal(got[0], added);
	}
	WORKS(
		imgsearch_vectors_query(p->server, p->query[2], 1, DIM, &graph, NULL, got, NULL, K, &err));
	assert_int_equal(got[0], added);
	imgsearch_close(stale);
	end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(cosine_is_exact, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(l2_is_exact, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(ip_is_exact, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(the_index_of_the_server, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_query_takes_two_round_trips, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_query_notices_what_others_write, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(a_query_may_be_stale, make_folder, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
