/*
 * Rows that a server finds itself: the same answers as of a file, bit for bit where they are exact;
 * and how many round trips a query takes. Over the server of IMGSEARCH_TEST_SERVER, else skipped.
 */
#include "imgsearch.h"
#include "common.h"
#include "handle/handle.h"
#include "handle/space.h"
#include "store/postgres/conn.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { DIM = 24, MANY = 3000, FEW = 600, ASKED = 40, K = 10 };

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

/* The answer to a query by a vector, and how it was found. */
static imgsearch_hits *ask(imgsearch *s, const float *row, uint32_t dim, imgsearch_query_options o)
{
	imgsearch_hits *hits;
	imgsearch_input in = imgsearch_input_vector(row, dim);
	WORKS(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
	return hits;
}

static void has_plan(imgsearch *s, const pair *p, imgsearch_query_options o, const char *plan)
{
	imgsearch_hits *hits = ask(s, p->query[0], DIM, o);
	assert_non_null(strstr(hits->plan, plan));
	assert_int_equal(hits->count, o.k);
	imgsearch_hits_free(hits);
}

static void run_sql(const char *sql)
{
	char command[600];
	const char *path = strstr(address, "search_path%3D") + strlen("search_path%3D");
	snprintf(command, sizeof command, "%s -c 'SET search_path = %.*s, public' -c '%s'",
		getenv("IMGSEARCH_TEST_PSQL"), (int)strcspn(path, ","), path, sql);
	assert_int_equal(system(command), 0);
}

/*
 * An index that ends before it has k rows that pass a filter, and one that somebody dropped: all
 * rows are compared, and the plan says so.
 */
static void what_ran_is_told(void **state)
{
	enum { PASS = MANY / 8 };
	if (no_server(state))
		skip();
	pair *p = make(IMGSEARCH_METRIC_L2, MANY);
	char narrow[2100];
	imgsearch *s;
	int64_t far[PASS]; /* of the cluster opposite to that of the query */
	for (int i = 0; i < PASS; i++)
		far[i] = p->ids[8 * i + 4];
	imgsearch_filter f = { .struct_size = sizeof f, .ids = far, .n_ids = PASS };
	imgsearch_query_options o = options("pgvector", K), exact = options("exact", K);
	build(p->server, "pgvector");
	has_plan(p->server, p, o, "index of the server");
	o.filter = exact.filter = &f;
	o.ef = 10;
	snprintf(narrow, sizeof narrow, "%s%%20-chnsw.max_scan_tuples%%3D1", address);
	WORKS(imgsearch_open(narrow, NULL, NULL, &s, &err));
	has_plan(s, p, o, "found too few: all rows compared");
	imgsearch_hits *got = ask(s, p->query[0], DIM, o),
				   *right = ask(p->file, p->query[0], DIM, exact);
	for (uint32_t i = 0; i < K; i++) {
		assert_int_equal(got->items[i]->id, right->items[i]->id);
		assert_memory_equal(&got->items[i]->score, &right->items[i]->score, sizeof(float));
	}
	imgsearch_hits_free(got);
	imgsearch_hits_free(right);
	imgsearch_close(s);
	run_sql("DROP INDEX compared_1_hnsw");
	has_plan(p->server, p, options("pgvector", K), "index is gone: all rows compared");
	end(p);
}

/* n rows of `dim` values in a new index, and the same in memory. */
static void make_wide(imgsearch *s[2], float *rows, size_t n, uint32_t dim)
{
	imgsearch_options o = { .struct_size = sizeof o, .metric = IMGSEARCH_METRIC_COSINE };
	for (size_t i = 0; i < n * dim; i++)
		rows[i] = any();
	snprintf(address, sizeof address, "%s", new_schema());
	for (int side = 0; side < 2; side++) {
		WORKS(imgsearch_open(side ? ":memory:" : address, &o, NULL, &s[side], &err));
		WORKS(imgsearch_vectors_add(s[side], rows, n, dim, NULL, NULL, NULL, &err));
	}
}

/* To 2 000 values an index holds floats, to 4 000 half floats, and above it there is none. */
static void long_vectors(void **state)
{
	enum { N = 300, MOST = 4001 };
	static const uint32_t dims[] = { 2000, 2001, 4000, 4001 };
	static float rows[N * MOST];
	if (no_server(state))
		skip();
	for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
		uint32_t dim = dims[d];
		imgsearch *s[2];
		imgsearch_build_options b = { .struct_size = sizeof b, .searcher = "pgvector" };
		make_wide(s, rows, N, dim);
		int rc = imgsearch_build(s[0], &b, NULL, NULL, &err);
		assert_int_equal(rc, dim <= 4000 ? 0 : IMGSEARCH_EUNSUPPORTED);
		if (rc) {
			assert_non_null(strstr(err.message, "at most 4000 values; the vectors have 4001"));
			build(s[0], "exact");
		}
		imgsearch_query_options o = options(rc ? "exact" : "pgvector", K),
								exact = options("scan", K);
		o.ef = rc ? 0 : N;
		imgsearch_hits *got = ask(s[0], rows, dim, o), *right = ask(s[1], rows, dim, exact);
		if (!rc)
			assert_string_equal(got->plan, "index of the server");
		for (uint32_t i = 0; i < K; i++) {
			assert_int_equal(got->items[i]->id, right->items[i]->id);
			assert_memory_equal(&got->items[i]->score, &right->items[i]->score, sizeof(float));
		}
		imgsearch_hits_free(got);
		imgsearch_hits_free(right);
		imgsearch_close(s[0]);
		imgsearch_close(s[1]);
	}
}

/* Under cosine a vector of zeros is neither stored nor asked for, here as there. */
static void zeros_have_no_direction(void **state)
{
	static const float zeros[DIM];
	if (no_server(state))
		skip();
	pair *p = make(IMGSEARCH_METRIC_COSINE, FEW);
	imgsearch_query_options o = options("exact", K);
	imgsearch_error why[2] = { { 0 } };
	int64_t id[2][K];
	float score[K];
	for (int side = 0; side < 2; side++) {
		imgsearch *s = side ? p->file : p->server;
		assert_int_equal(imgsearch_vectors_add(s, zeros, 1, DIM, NULL, NULL, NULL, &why[side]),
			IMGSEARCH_EINVAL);
		int rc = imgsearch_vectors_query(s, zeros, 1, DIM, &o, NULL, id[side], score, K,
			&why[side]);
		assert_int_equal(rc, IMGSEARCH_EINVAL);
	}
	assert_string_equal(why[0].message, why[1].message);
	/* one that is there, of an older index: it is in no answer */
	run_sql("UPDATE feature SET data = array_fill(0::real, ARRAY[24])::vector WHERE id = 5");
	for (int built = 0; built < 3; built++) {
		o.searcher = built == 2 ? "pgvector" : "exact";
		o.k = FEW;
		imgsearch_hits *hits = ask(p->server, p->query[0], DIM, o);
		assert_true(hits->count < FEW);
		for (uint32_t i = 0; i < hits->count; i++)
			assert_true(hits->items[i]->id != 5 && !isnan(hits->items[i]->score));
		imgsearch_hits_free(hits);
		if (built < 2)
			build(p->server, built ? "pgvector" : "exact");
	}
	end(p);
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
	assert_int_equal(hits->count, o->k);
	imgsearch_hits_free(hits);
	return trips(p) - before;
}

static void a_query_takes_two_round_trips(void **state)
{
	static const char *const searchers[] = { "exact", "pgvector", "graph", "kdtree", "pca" };
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
		for (int q = 0; q < 2 * ASKED; q++) {
			o.k = q < ASKED ? K : 10 * K;
			in = imgsearch_input_vector(p->query[q % ASKED], DIM);
			assert_true(query_trips(p, &in, &o) <= 2);
		}
		o.k = 60 * K;
		query_trips(p, &in, &o);
		assert_true(query_trips(p, &in, &o) <= 2);
		o.k = K;
		bool graph = i == 2; /* which may need rows that it did not ask for */
		assert_true(query_trips(p, &by_item, &o) <= 2 + graph);
	}
	end(p);
}

/* The hits of a query by pgvector; how many round trips it took. */
static imgsearch_hits *find_near(const pair *p, int i, uint32_t fields, long long *n)
{
	imgsearch_query_options o = options("pgvector", K);
	imgsearch_input in = imgsearch_input_vector(p->query[i], DIM);
	imgsearch_hits *hits;
	o.ef = 40;
	o.fields = fields;
	long long before = trips(p);
	WORKS(imgsearch_query(p->server, &in, 1, &o, NULL, &hits, &err));
	*n = trips(p) - before;
	return hits;
}

/* The transaction ends with what is found, where no answer read on lately; else it is redone. */
static void an_answer_that_reads_on_is_right(void **state)
{
	enum { USUAL = 100 };
	if (no_server(state))
		skip();
	pair *p = make(IMGSEARCH_METRIC_COSINE, MANY);
	const pg_store *st = (const pg_store *)p->server->store;
	long long n;
	build(p->server, "pgvector");
	for (int i = 0; i < USUAL; i++)
		imgsearch_hits_free(find_near(p, i % ASKED, IMGSEARCH_FIELDS_PATHS, &n));
	imgsearch_hits *usual = find_near(p, 1, IMGSEARCH_FIELDS_PATHS, &n);
	assert_int_equal(n, 1);
	assert_int_equal(atomic_load(&st->reads_on), 0);
	for (size_t i = 0; i < st->n_idle; i++) /* no COMMIT is waited for */
		assert_false(st->idle[i]->ending);

	imgsearch_hits *all = find_near(p, 1, IMGSEARCH_FIELDS_ALL, &n);
	assert_true(n <= 3 && atomic_load(&st->reads_on) > 0);
	assert_int_equal(all->count, usual->count);
	for (size_t i = 0; i < all->count; i++) {
		assert_int_equal(all->items[i]->id, usual->items[i]->id);
		assert_string_equal(all->items[i]->path, usual->items[i]->path);
		assert_non_null(all->items[i]->columns);
	}
	imgsearch_hits_free(find_near(p, 1, IMGSEARCH_FIELDS_ALL, &n));
	assert_int_equal(n, 1);
	imgsearch_hits_free(usual);
	imgsearch_hits_free(all);
	end(p);
}

/* The index has all the rows that it finds first still, and the table none of them. */
static void the_index_goes_on_behind_deleted_rows(void **state)
{
	enum { GONE = 100 };
	if (no_server(state))
		skip();
	pair *p = make(IMGSEARCH_METRIC_COSINE, MANY);
	imgsearch_query_options o = options("pgvector", GONE);
	int64_t near[GONE];
	long long n;
	build(p->server, "pgvector");
	o.ef = 400;
	WORKS(
		imgsearch_vectors_query(p->server, p->query[3], 1, DIM, &o, NULL, near, NULL, GONE, &err));
	WORKS(imgsearch_index_remove(p->server, near, GONE, NULL, NULL, &err));
	imgsearch_hits *hits = find_near(p, 3, IMGSEARCH_FIELDS_PATHS, &n);
	assert_int_equal(hits->count, K);
	assert_string_equal(hits->plan, "index of the server");
	imgsearch_hits_free(hits);
	end(p);
}

/* Somebody drops the index: all rows are compared, and the first id there is counts as any. */
static void an_index_that_is_dropped(void **state)
{
	static const int64_t zero;
	if (no_server(state))
		skip();
	pair *p = make(IMGSEARCH_METRIC_COSINE, MANY);
	pg_store *st = (pg_store *)p->server->store;
	imgsearch_vectors_add_options o = { .struct_size = sizeof o, .ids = &zero };
	pg_link *l;
	long long n;
	build(p->server, "pgvector");
	WORKS(imgsearch_vectors_add(p->server, p->query[5], 1, DIM, &o, NULL, NULL, &err));
	WORKS(ims_pg_acquire(st, &l, &err));
	WORKS(ims_pg_script(l, "DROP INDEX compared_1_hnsw", &err));
	ims_pg_release(st, l);
	for (int i = 0; i < 2; i++) {
		imgsearch_hits *hits = find_near(p, 5, IMGSEARCH_FIELDS_PATHS, &n);
		assert_int_equal(hits->count, K);
		assert_int_equal(hits->items[0]->id, 0);
		assert_non_null(strstr(hits->plan, "gone"));
		imgsearch_hits_free(hits);
	}
	end(p);
}

/* The server counts vectors of zeros by itself, as a scan does: tiny ones are none. */
static void vectors_of_zeros_are_counted(void **state)
{
	static const float rows[3][DIM] = { { 0 }, { 1e-40f }, { 0 } };
	if (no_server(state))
		skip();
	pair *p = make(IMGSEARCH_METRIC_COSINE, 10);
	const space cosine = { .metric = IMGSEARCH_METRIC_COSINE, .dim = DIM };
	const int64_t ids[] = { p->ids[4], p->ids[5], p->ids[8] };
	for (int side = 0; side < 2; side++) {
		store *st = (side ? p->file : p->server)->store;
		space_rows all = { st, &cosine };
		uint64_t n;
		int64_t first;
		assert_true(ims_store_counts_zeros(st) == !side);
		WORKS(ims_space_zeros(&all, &n, &first, NULL, &err));
		assert_int_equal(n, 0);
		WORKS(ims_store_write_begin(st, &err));
		WORKS(ims_store_tx_begin(st, &err));
		WORKS(ims_store_vectors_put(st, ids, rows[0], 3, DIM, &err));
		WORKS(ims_store_tx_commit(st, &err));
		ims_store_write_end(st);
		WORKS(ims_space_zeros(&all, &n, &first, NULL, &err));
		assert_int_equal(n, 2);
		assert_int_equal(first, ids[0]);
	}
	end(p);
}

/* Opening an index, and its first query: of settings all are read at once. */
static void opening_takes_few_round_trips(void **state)
{
	if (no_server(state))
		skip();
	pair *p = make(IMGSEARCH_METRIC_COSINE, MANY);
	imgsearch_query_options o = options("exact", K);
	imgsearch_input in = imgsearch_input_vector(p->query[0], DIM);
	build(p->server, "exact");
	imgsearch_close(p->server);
	WORKS(imgsearch_open(address, NULL, NULL, &p->server, &err));
	query_trips(p, &in, &o);
	assert_true(trips(p) <= 10);
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

/* All rows are asked for, and one more is there than the handle knows of. */
static void a_query_for_all_gives_all(void **state)
{
	if (no_server(state))
		skip();
	pair *p = make(IMGSEARCH_METRIC_COSINE, MANY);
	imgsearch *other;
	WORKS(imgsearch_open(address, NULL, NULL, &other, &err));
	for (uint32_t n = MANY; n < MANY + 3; n++) {
		imgsearch_query_options o = options("exact", 10 * MANY);
		imgsearch_hits *hits = ask(p->server, p->query[1], DIM, o);
		assert_int_equal(hits->count, n);
		imgsearch_hits_free(hits);
		WORKS(imgsearch_vectors_add(other, p->query[1], 1, DIM, NULL, NULL, NULL, &err));
	}
	imgsearch_close(other);
	end(p);
}

/* ------------------------------------------------------------- states kept on this machine ---- */

static char note[400]; /* the newest warning */

static void on_log(void *user, int level, const char *text)
{
	(void)user;
	if (level <= IMGSEARCH_LOG_WARNING)
		snprintf(note, sizeof note, "%s", text);
}

static imgsearch *open_keeping(const char *cache)
{
	imgsearch_options o = { .struct_size = sizeof o, .cache = cache };
	imgsearch *s;
	WORKS(imgsearch_open(address, &o, NULL, &s, &err));
	return s;
}

/* Asks the graph of a new handle, by the folder for states. How many round trips that took. */
static long long load_graph(const pair *p, const char *cache)
{
	imgsearch_call call = { .struct_size = sizeof call, .log = on_log };
	imgsearch_query_options graph = options("graph", K);
	pair own = { .server = open_keeping(cache) };
	int64_t got[K], same[K];
	long long before = trips(&own);
	note[0] = 0;
	WORKS(imgsearch_vectors_query(own.server, p->query[1], 1, DIM, &graph, &call, got, NULL, K,
		&err));
	long long n = trips(&own) - before;
	WORKS(
		imgsearch_vectors_query(p->server, p->query[1], 1, DIM, &graph, NULL, same, NULL, K, &err));
	assert_memory_equal(got, same, sizeof got);
	imgsearch_close(own.server);
	return n;
}

/* How many files a folder has; path: of one of them. */
static int files(const char *cache, char path[300])
{
	DIR *d = opendir(cache);
	int n = 0;
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.') {
			snprintf(path, 300, "%.100s/%.190s", cache, e->d_name);
			n++;
		}
	if (d)
		closedir(d);
	return n;
}

static void write_at(const char *path, off_t at)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "damaged", 7, at), 7);
	close(fd);
}

typedef struct keeper {
	pair *p;
	char cache[100];
	long long without, first, second; /* round trips: without a folder; with it */
} keeper;

static keeper begin_keeping(void)
{
	keeper k = { .p = make(IMGSEARCH_METRIC_COSINE, FEW) };
	char path[300];
	build(k.p->server, "graph");
	snprintf(k.cache, sizeof k.cache, "%s/states", folder);
	k.without = load_graph(k.p, NULL);
	k.first = load_graph(k.p, k.cache);
	k.second = load_graph(k.p, k.cache);
	assert_int_equal(files(k.cache, path), 1);
	assert_string_equal(note, "");
	return k;
}

static void end_keeping(keeper *k)
{
	char path[300];
	while (files(k->cache, path))
		unlink(path);
	rmdir(k->cache);
	end(k->p);
}

/* A state is fetched once, into a file that is its user's alone. */
static void a_state_is_kept_here(void **state)
{
	char path[300];
	struct stat at;
	if (no_server(state))
		skip();
	keeper k = begin_keeping();
	assert_true(k.second < k.first && k.first < k.without);
	files(k.cache, path);
	assert_false(stat(path, &at));
	assert_int_equal(at.st_mode & 0777, 0600);
	assert_false(stat(k.cache, &at));
	assert_int_equal(at.st_mode & 0777, 0700);

	/* then a query takes one, or another one for rows of its graph */
	int single = 0;
	pair own = { .server = open_keeping(k.cache) };
	imgsearch_query_options graph = options("graph", K);
	imgsearch_input in = imgsearch_input_vector(k.p->query[0], DIM);
	query_trips(&own, &in, &graph);
	for (int q = 0; q < ASKED; q++) {
		in = imgsearch_input_vector(k.p->query[q], DIM);
		long long n = query_trips(&own, &in, &graph);
		assert_true(n <= 2);
		single += n == 1;
	}
	assert_true(single >= ASKED / 2);
	imgsearch_close(own.server);
	end_keeping(&k);
}

/* What is not the state in its whole is noticed. */
static void a_damaged_file_is_noticed(void **state)
{
	char path[300];
	struct stat at;
	if (no_server(state))
		skip();
	keeper k = begin_keeping();
	files(k.cache, path);
	assert_false(stat(path, &at));
	write_at(path, at.st_size / 2);
	assert_int_equal(load_graph(k.p, k.cache), k.second + 1); /* that chunk */
	assert_int_equal(load_graph(k.p, k.cache), k.second);
	assert_false(truncate(path, at.st_size - 1));
	assert_int_equal(load_graph(k.p, k.cache), k.first);
	write_at(path, at.st_size);
	assert_int_equal(load_graph(k.p, k.cache), k.first);
	assert_false(unlink(path));
	assert_false(symlink("/dev/zero", path));
	assert_int_equal(load_graph(k.p, k.cache), k.first);
	assert_int_equal(load_graph(k.p, k.cache), k.second);
	assert_string_equal(note, "");
	end_keeping(&k);
}

/* Where the file cannot be written, the state is read from the server, and a note says why. */
static void a_state_not_kept_is_noted(void **state)
{
	char path[300];
	struct rlimit old, small;
	if (no_server(state))
		skip();
	keeper k = begin_keeping();
	files(k.cache, path);
	assert_false(unlink(path));
	assert_false(getrlimit(RLIMIT_FSIZE, &old));
	small = (struct rlimit){ 100000, old.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_false(setrlimit(RLIMIT_FSIZE, &small)); /* as a full disk */
	assert_true(load_graph(k.p, k.cache) >= k.without);
	assert_false(setrlimit(RLIMIT_FSIZE, &old));
	signal(SIGXFSZ, SIG_DFL);
	assert_non_null(strstr(note, "searcher graph is not kept on this machine ("));
	assert_int_equal(files(k.cache, path), 0);

	assert_false(rmdir(k.cache));
	write_at(k.cache, 0);
	assert_true(load_graph(k.p, k.cache) >= k.without);
	assert_non_null(strstr(note, k.cache));
	unlink(k.cache);
	end_keeping(&k);
}

/* States that another one replaced go, and what a kill left; no other file does. */
static void old_states_go(void **state)
{
	static const char *const there[] = { "photo.jpg", "imgsearch-graph", "imgsearch-" };
	char path[300], old[300], part[320], other[200];
	if (no_server(state))
		skip();
	keeper k = begin_keeping();
	files(k.cache, old);
	snprintf(part, sizeof part, "%s.abc123", old);
	write_at(part, 0);
	for (size_t i = 0; i < sizeof there / sizeof *there; i++) {
		snprintf(other, sizeof other, "%s/%s", k.cache, there[i]);
		write_at(other, 0);
		assert_false(utimensat(AT_FDCWD, other, (struct timespec[2]){ 0 }, 0));
	}
	imgsearch_build_options o = { .struct_size = sizeof o, .searcher = "graph", .seed = 5 };
	WORKS(imgsearch_build(k.p->server, &o, NULL, NULL, &err));
	assert_int_equal(load_graph(k.p, k.cache), k.first);
	assert_int_equal(access(old, F_OK), -1);
	assert_false(access(part, F_OK)); /* another program may be at it */
	assert_int_equal(files(k.cache, path), 5);
	assert_false(utimensat(AT_FDCWD, part, (struct timespec[2]){ 0 }, 0));
	o.seed = 6;
	WORKS(imgsearch_build(k.p->server, &o, NULL, NULL, &err));
	assert_int_equal(load_graph(k.p, k.cache), k.first);
	assert_int_equal(access(part, F_OK), -1);
	assert_int_equal(files(k.cache, path), 4);
	end_keeping(&k);
}

static void *load_at_once(void *cache)
{
	imgsearch_query_options graph = options("graph", 1);
	imgsearch *s = open_keeping(cache);
	float row[DIM] = { 1 };
	int64_t id = -1;
	imgsearch_error why;
	int rc = imgsearch_vectors_query(s, row, 1, DIM, &graph, NULL, &id, NULL, 1, &why);
	imgsearch_close(s);
	return rc || id < 0 ? cache : NULL;
}

static void several_keep_a_state_at_once(void **state)
{
	enum { AT_ONCE = 4 };
	pthread_t thread[AT_ONCE];
	char path[300];
	if (no_server(state))
		skip();
	keeper k = begin_keeping();
	files(k.cache, path);
	assert_false(unlink(path));
	for (int i = 0; i < AT_ONCE; i++)
		assert_false(pthread_create(&thread[i], NULL, load_at_once, k.cache));
	for (int i = 0; i < AT_ONCE; i++) {
		void *failed;
		pthread_join(thread[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(files(k.cache, path), 1);
	assert_int_equal(load_graph(k.p, k.cache), k.second);
	end_keeping(&k);
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

/* Vectors with names are looked up, and counted, in blocks. */
static void names_are_added_in_blocks(void **state)
{
	enum { NAMED = 1000, BLOCK = 256 };
	if (no_server(state))
		skip();
	pair *p = make(IMGSEARCH_METRIC_COSINE, 10);
	store *st = p->server->store;
	char text[NAMED][24];
	const char *names[NAMED];
	imgsearch_vectors_add_options o = { .struct_size = sizeof o, .names = names };
	store_counts held;
	int64_t before, after, ids[2][NAMED];
	for (int i = 0; i < NAMED; i++) {
		snprintf(text[i], sizeof text[i], "name %d", i);
		names[i] = text[i];
	}
	WORKS(ims_store_change_last(st, &before, &err));
	for (int round = 0; round < 2; round++) { /* new ones; then the same names get other rows */
		long long asked = trips(p);
		WORKS(imgsearch_vectors_add(p->server, p->rows[round], NAMED, DIM, &o, NULL, ids[round],
			&err));
		assert_true(trips(p) - asked <= 21);
	}
	assert_memory_equal(ids[0], ids[1], sizeof ids[0]);
	WORKS(ims_store_change_last(st, &after, &err));
	assert_true(after - before <= 2 * (NAMED / BLOCK + 1));
	WORKS(ims_store_counts(st, &held, &err));
	assert_int_equal(held.vectors, NAMED + 10);
	assert_int_equal(held.by_state[IMGSEARCH_STATE_INDEXED], NAMED);
	WORKS(imgsearch_index_remove(p->server, ids[0], NAMED, NULL, NULL, &err));
	WORKS(ims_store_counts(st, &held, &err));
	assert_int_equal(held.vectors, 10);
	assert_int_equal(held.by_state[IMGSEARCH_STATE_INDEXED], 0);
	end(p);
}

static void forget_prepared(const pair *p)
{
	pg_store *st = (pg_store *)p->server->store;
	pg_link *l;
	WORKS(ims_pg_acquire(st, &l, &err));
	WORKS(ims_pg_script(l, "DEALLOCATE ALL", &err));
	ims_pg_release(st, l);
}

/* Behind a pooler the session is another one in each transaction. */
static void prepared_statements_may_be_lost(void **state)
{
	if (no_server(state))
		skip();
	pair *p = make(IMGSEARCH_METRIC_COSINE, MANY);
	const pg_store *st = (const pg_store *)p->server->store;
	for (int i = 0; i < 4; i++) { /* the first one reads the state before it asks */
		compare(p, options("exact", K));
		assert_true(atomic_load(&st->unprepared) == (i > 1));
		forget_prepared(p);
	}
	end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_are_added_in_blocks, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(prepared_statements_may_be_lost, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(cosine_is_exact, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(l2_is_exact, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(ip_is_exact, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(the_index_of_the_server, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(what_ran_is_told, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(long_vectors, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(zeros_have_no_direction, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_query_takes_two_round_trips, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(an_answer_that_reads_on_is_right, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(the_index_goes_on_behind_deleted_rows, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(an_index_that_is_dropped, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(vectors_of_zeros_are_counted, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(opening_takes_few_round_trips, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_query_notices_what_others_write, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(a_query_for_all_gives_all, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_query_may_be_stale, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_state_is_kept_here, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_damaged_file_is_noticed, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_state_not_kept_is_noted, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(old_states_go, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(several_keep_a_state_at_once, make_folder, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
