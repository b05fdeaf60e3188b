/*
 * imgsearch_batch_query: each answer is that of imgsearch_query for the same input and options, and
 * the pictures share their passes through the network.
 */
#include "scene.h"

#include <math.h>

enum { PHOTOS = 10, DIM = 48, RUN = 4 /* inputs of one pass through the fake network */ };

static atomic_int inputs, runs; /* of the network */

static void on_run(size_t n)
{
	atomic_fetch_add(&inputs, (int)n);
	atomic_fetch_add(&runs, 1);
}

/* The batch at work: an index, and inputs of every kind. */
typedef struct questions {
	imgsearch *s;
	imgsearch_input in[64];
	size_t n;
	char path[64][200];
	buf bytes[64];
	image picture;
	float vector[2][DIM];
} questions;

static imgsearch_input *put(questions *q, imgsearch_input in)
{
	q->in[q->n] = in;
	return &q->in[q->n++];
}

static imgsearch_input *put_file(questions *q, const char *folder, const char *name)
{
	snprintf(q->path[q->n], sizeof *q->path, "%s/%s", folder, name);
	return put(q, imgsearch_input_file(q->path[q->n]));
}

static imgsearch_input *put_bytes(questions *q, const char *folder, const char *name)
{
	buf *b = &q->bytes[q->n];
	char path[200];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	works(ims_read_file(b, path, 1 << 20, &err));
	return put(q, imgsearch_input_bytes(b->data, b->len));
}

static void make_rows(float *rows, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++)
		rows[i] = (float)ims_random_unit(&seed);
}

/* Ten photos, of which 3.png has a copy, and ten vectors around them. */
static void open_index(questions *q, const scene *sc)
{
	char name[20];
	float row[10][DIM];
	for (unsigned i = 0; i < PHOTOS; i++) {
		snprintf(name, sizeof name, "%u.png", i);
		photo(sc, name, i);
	}
	photo(sc, "copy.png", 3);
	q->s = scene_open(sc);
	scene_index(q->s, sc->photos);
	make_rows(row[0], sizeof row / sizeof **row, 7);
	works(imgsearch_vectors_add(q->s, row[0], 10, DIM, NULL, NULL, NULL, &err));
	memcpy(q->vector, row[3], sizeof q->vector);
}

/* Files, bytes, pixels, vectors and items; some of them are no pictures. */
static void ask_everything(questions *q, const scene *sc)
{
	char name[30], path[200];
	for (unsigned i = 0; i < 6; i++) {
		snprintf(name, sizeof name, "new%u.png", i);
		snprintf(path, sizeof path, "%s/%s", sc->dir, name);
		draw(path, 100 + i);
		put_file(q, sc->dir, name);
	}
	put_file(q, sc->photos, "3.png"); /* its bytes are in the index */
	put_bytes(q, sc->photos, "copy.png");
	put_bytes(q, sc->dir, "new0.png");
	put_file(q, sc->dir, "nosuch.png"); /* fails */
	put(q, imgsearch_input_item(2));
	put(q, imgsearch_input_item(999)); /* fails */
	put(q, imgsearch_input_vector(q->vector[0], DIM));
	put(q, imgsearch_input_vector(q->vector[1], DIM));
	put(q, imgsearch_input_vector(q->vector[0], DIM - 1));  /* fails */
	put(q, imgsearch_input_bytes("no picture at all", 17)); /* fails */
	imgsearch_input *part = put_file(q, sc->photos, "5.png");
	part->crop[2] = part->crop[3] = 30;
	image_head head;
	const buf *b = &q->bytes[7];
	works(ims_image_decode(&q->picture, &head, b->data, b->len, &(image_limits){ 0 }, NULL, &err));
	put(q,
		imgsearch_input_pixels(q->picture.pixels, (int32_t)q->picture.width,
			(int32_t)q->picture.height, 0));
	put(q, imgsearch_input_item(4))->weight = -1;
	put_file(q, sc->dir, "new1.png")->weight = -2;
	put(q, imgsearch_input_item(5))->weight = NAN;                      /* fails */
	put(q, imgsearch_input_text("a red balloon"));                      /* fails */
	put(q, (imgsearch_input){ .kind = 77 });                            /* fails */
	put(q, imgsearch_input_file(NULL));                                 /* fails */
	put(q, imgsearch_input_vector(q->vector[0], DIM))->reserved[1] = 1; /* fails */
}

static void close_all(questions *q)
{
	for (size_t i = 0; i < 64; i++)
		ims_buf_free(&q->bytes[i]);
	ims_image_free(&q->picture);
	imgsearch_close(q->s);
}

static void same_text(const char *a, const char *b)
{
	assert_int_equal(!a, !b);
	if (a)
		assert_string_equal(a, b);
}

static void same_number(double a, double b)
{
	assert_true(isnan(a) ? isnan(b) : fabs(a - b) <= 1e-5 * (1 + fabs(a)));
}

static void same_hits(const imgsearch_hits *a, const imgsearch_hits *b)
{
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->better_than_chance, b->better_than_chance);
	assert_string_equal(a->searcher, b->searcher);
	assert_int_equal(a->exact, b->exact);
	assert_int_equal(a->reranked, b->reranked);
	for (size_t i = 0; i < a->count; i++) {
		const imgsearch_hit *x = a->items[i], *y = b->items[i];
		assert_int_equal(x->id, y->id);
		same_number(x->score, y->score);
		same_number(x->distance, y->distance);
		same_number(x->chance, y->chance);
		same_text(x->path, y->path);
		same_text(x->title, y->title);
		assert_int_equal(!x->columns, !y->columns);
	}
}

/* Each answer beside that of the single query. Returns how many inputs failed. */
static size_t compare(const questions *q, const imgsearch_query_options *o)
{
	imgsearch_answers *answers;
	size_t failed = 0;
	works(imgsearch_batch_query(q->s, q->in, q->n, o, NULL, &answers, &err));
	assert_int_equal(answers->count, q->n);
	for (size_t i = 0; i < q->n; i++) {
		const imgsearch_answer *a = answers->items[i];
		imgsearch_error err = { 0 };
		imgsearch_hits *hits;
		int rc = imgsearch_query(q->s, &q->in[i], 1, o, NULL, &hits, &err);
		assert_int_equal(!a->error, !rc);
		assert_int_equal(!a->hits, !!rc);
		if (rc) {
			failed++;
			assert_int_equal(a->error->code, rc);
			assert_true(*a->error->message);
			if (q->in[i].kind == IMGSEARCH_INPUT_KIND_FILE && q->in[i].path)
				assert_non_null(strstr(a->error->message, q->in[i].path));
		} else {
			same_hits(a->hits, hits);
		}
		imgsearch_hits_free(hits);
	}
	imgsearch_answers_free(answers);
	return failed;
}

static void answers_are_those_of_single_queries(void **state)
{
	enum { FAIL = 9 };
	static questions q;
	char folder[200];
	scene *sc = *state;
	q = (questions){ 0 };
	open_index(&q, sc);
	ask_everything(&q, sc);
	assert_int_equal(compare(&q, NULL), FAIL);
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	for (o.fields = IMGSEARCH_FIELDS_ALL; o.fields <= IMGSEARCH_FIELDS_PATHS; o.fields++)
		assert_int_equal(compare(&q, &o), FAIL);
	o.fields = 0;
	o.k = 1000;
	assert_int_equal(compare(&q, &o), FAIL);
	o.k = 5;
	o.no_self = 1;
	assert_int_equal(compare(&q, &o), FAIL);
	o.expand = 3;
	assert_int_equal(compare(&q, &o), FAIL);
	o.reciprocal = 4;
	assert_int_equal(compare(&q, &o), FAIL);
	o.expand = o.no_self = 0;
	assert_int_equal(compare(&q, &o), FAIL);
	o.reciprocal = 0;
	o.has_min_score = 1;
	o.min_score = 0.5f;
	assert_int_equal(compare(&q, &o), FAIL);
	snprintf(folder, sizeof folder, "%s", sc->photos);
	o.filter = BELOW(folder);
	assert_int_equal(compare(&q, &o), FAIL);
	o.no_self = 1;
	assert_int_equal(compare(&q, &o), FAIL);
	close_all(&q);
}

/* A picture's views; an item of the index has its file, a bare vector none. */
static void views_in_a_batch(void **state)
{
	static questions q;
	scene *sc = *state;
	imgsearch_query_options o = { .struct_size = sizeof o, .views = 6 };
	q = (questions){ 0 };
	open_index(&q, sc);
	ask_everything(&q, sc);
	int64_t bare = 14;
	put(&q, imgsearch_input_item(bare));
	assert_int_equal(compare(&q, &o), 10);
	o.no_self = 1;
	o.expand = 2;
	assert_int_equal(compare(&q, &o), 10);
	close_all(&q);
}

/* Built searchers, and the chance that a build makes known. */
static void built_searchers_in_a_batch(void **state)
{
	static const char *const names[] = { "exact", "kdtree", "pca", "graph", "scan" };
	static questions q;
	static float rows[600][DIM];
	scene *sc = *state;
	q = (questions){ 0 };
	open_index(&q, sc);
	ask_everything(&q, sc);
	make_rows(rows[0], sizeof rows / sizeof **rows, 9);
	works(imgsearch_vectors_add(q.s, rows[0], 600, DIM, NULL, NULL, NULL, &err));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		imgsearch_build_options b = { .struct_size = sizeof b, .searcher = names[i] };
		imgsearch_query_options o = { .struct_size = sizeof o, .searcher = names[i] };
		if (strcmp(names[i], "scan"))
			works(imgsearch_build(q.s, &b, NULL, NULL, &err));
		compare(&q, &o);
		o.no_self = 1;
		compare(&q, &o);
		o.max_chance = 0.5;
		compare(&q, &o);
		o.plain = 1;
		o.searcher = NULL;
		compare(&q, &o);
	}
	close_all(&q);
}

static void many_steps(void **state)
{
	enum { N = 1000 };
	static float rows[N][8];
	static imgsearch_input in[N];
	imgsearch_answers *answers;
	imgsearch *s = scene_open(*state);
	make_rows(rows[0], sizeof rows / sizeof **rows, 5);
	works(imgsearch_vectors_add(s, rows[0], N, 8, NULL, NULL, NULL, &err));
	for (size_t i = 0; i < N; i++)
		in[i] = imgsearch_input_vector(rows[i], 8);
	imgsearch_query_options o = { .struct_size = sizeof o, .k = 3 };
	for (int large = 0; large < 2; large++) {
		works(imgsearch_batch_query(s, in, N, &o, NULL, &answers, &err));
		assert_int_equal(answers->count, N);
		for (size_t i = 0; i < N; i++)
			assert_int_equal(answers->items[i]->hits->items[0]->id, i);
		assert_int_equal(answers->items[0]->hits->count, large ? N : 3);
		imgsearch_answers_free(answers);
		o.threads = 3;
		o.k = UINT32_MAX; /* few heaps at a time */
		o.fields = IMGSEARCH_FIELDS_IDS;
	}
	imgsearch_close(s);
}

static void pictures_share_a_pass_through_the_network(void **state)
{
	enum { N = 10 };
	static questions q;
	scene *sc = *state;
	char name[20], path[200];
	imgsearch_answers *answers;
	q = (questions){ 0 };
	open_index(&q, sc);
	for (unsigned i = 0; i < N; i++) {
		snprintf(name, sizeof name, "new%u.png", i);
		snprintf(path, sizeof path, "%s/%s", sc->dir, name);
		draw(path, 200 + i);
		put_file(&q, sc->dir, name);
		put_file(&q, sc->photos, i % 2 ? "1.png" : "nosuch.png"); /* need none */
		put(&q, imgsearch_input_item(1));
	}
	scene_on_run(on_run);
	atomic_store(&inputs, 0);
	atomic_store(&runs, 0);
	works(imgsearch_batch_query(q.s, q.in, q.n, NULL, NULL, &answers, &err));
	assert_int_equal(atomic_load(&inputs), N);
	assert_int_equal(atomic_load(&runs), (N + RUN - 1) / RUN);
	for (size_t i = 0; i < q.n; i++)
		assert_int_equal(!answers->items[i]->error, i % 6 != 1);
	imgsearch_answers_free(answers);
	scene_on_run(NULL);
	close_all(&q);
}

static imgsearch_cancel_token *token;

static void set_token(size_t n)
{
	(void)n;
	imgsearch_cancel_token_set(token);
}

static void sleep_long(size_t n)
{
	(void)n;
	usleep(60000);
}

static void stopped_there_are_no_answers(void **state)
{
	static questions q;
	scene *sc = *state;
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	imgsearch_answers *answers;
	imgsearch_error err = { 0 };
	q = (questions){ 0 };
	open_index(&q, sc);
	ask_everything(&q, sc);
	works(imgsearch_cancel_token_new(&token, &err));
	call.cancel = token;
	scene_on_run(set_token); /* during the call, and then before it */
	for (int i = 0; i < 2; i++) {
		answers = (imgsearch_answers *)&err;
		assert_int_equal(imgsearch_batch_query(q.s, q.in, q.n, NULL, &call, &answers, &err),
			IMGSEARCH_ECANCELED);
		assert_null(answers);
		assert_int_equal(err.code, IMGSEARCH_ECANCELED);
	}
	call.cancel = NULL;
	call.deadline_ms = 50;
	scene_on_run(sleep_long);
	answers = (imgsearch_answers *)&err;
	assert_int_equal(imgsearch_batch_query(q.s, q.in, q.n, NULL, &call, &answers, &err),
		IMGSEARCH_EDEADLINE);
	assert_null(answers);
	scene_on_run(NULL);
	call.deadline_ms = 60000;
	works(imgsearch_batch_query(q.s, q.in, q.n, NULL, &call, &answers, &err));
	imgsearch_answers_free(answers);
	imgsearch_cancel_token_free(token);
	close_all(&q);
}

/* The answers of one query and of a batch of two. */
static void plan_is(imgsearch *s, const float v[2], const imgsearch_query_options *o, size_t count,
	const char *plan)
{
	imgsearch_input in[2] = { imgsearch_input_vector(v, 2), imgsearch_input_vector(v, 2) };
	imgsearch_answers *answers;
	imgsearch_hits *hits;
	works(imgsearch_query(s, in, 1, o, NULL, &hits, &err));
	works(imgsearch_batch_query(s, in, 2, o, NULL, &answers, &err));
	assert_string_equal(hits->plan, plan);
	assert_int_equal(hits->count, count);
	for (size_t i = 0; i < 2; i++) {
		same_hits(hits, answers->items[i]->hits);
		assert_string_equal(answers->items[i]->hits->plan, plan);
	}
	imgsearch_hits_free(hits);
	imgsearch_answers_free(answers);
}

/* Without a dimension, with rows, without rows again; and where rows are too far away. */
static void an_empty_index_is_called_so(void **state)
{
	const float v[2] = { 1, 2 }, away[2] = { -1, -2 };
	int64_t id;
	imgsearch_query_options near = { .struct_size = sizeof near,
		.has_min_score = 1,
		.min_score = 0.5f };
	imgsearch *s = scene_open(*state);
	plan_is(s, v, NULL, 0, "empty index");
	works(imgsearch_vectors_add(s, v, 1, 2, NULL, NULL, &id, &err));
	plan_is(s, v, NULL, 1, "scan");
	plan_is(s, away, &near, 0, "scan");
	works(imgsearch_index_remove(s, &id, 1, NULL, NULL, &err));
	plan_is(s, v, NULL, 0, "empty index");
	works(imgsearch_vectors_add(s, v, 1, 2, NULL, NULL, &id, &err));
	plan_is(s, away, &near, 0, "scan");
	imgsearch_build_options b = { .struct_size = sizeof b, .searcher = "graph" };
	works(imgsearch_build(s, &b, NULL, NULL, &err));
	works(imgsearch_index_remove(s, &id, 1, NULL, NULL, &err));
	plan_is(s, v, NULL, 0, "empty index");
	imgsearch_close(s);
}

static void empty_indexes_and_bad_arguments(void **state)
{
	imgsearch_error err = { 0 };
	float v[2] = { 1, 2 };
	imgsearch_input in[2] = { imgsearch_input_file("/nowhere.jpg"), imgsearch_input_vector(v, 2) };
	imgsearch_query_options o = { .struct_size = sizeof o, .searcher = "magic" };
	imgsearch_answers *answers;
	imgsearch *s = scene_open(*state);
	works(imgsearch_batch_query(s, in, 2, NULL, NULL, &answers, &err));
	assert_int_equal(answers->count, 2);
	assert_int_equal(answers->items[1]->hits->count, 0);
	imgsearch_answers_free(answers);
	works(imgsearch_vectors_add(s, v, 1, 2, NULL, NULL, NULL, &err));
	works(imgsearch_batch_query(s, in, 2, NULL, NULL, &answers, &err));
	assert_int_equal(answers->items[0]->error->code, IMGSEARCH_ENOTFOUND);
	assert_int_equal(answers->items[1]->hits->count, 1);
	imgsearch_answers_free(answers);
	assert_int_equal(imgsearch_batch_query(s, in, 2, &o, NULL, &answers, &err), IMGSEARCH_EINVAL);
	assert_null(answers);
	assert_int_equal(imgsearch_batch_query(s, NULL, 2, NULL, NULL, &answers, &err),
		IMGSEARCH_EINVAL);
	assert_int_equal(imgsearch_batch_query(NULL, in, 2, NULL, NULL, &answers, &err),
		IMGSEARCH_EINVAL);
	assert_int_equal(imgsearch_batch_query(s, in, 2, NULL, NULL, NULL, &err), IMGSEARCH_EINVAL);
	imgsearch_answers_free(NULL);
	imgsearch_close(s);
}

/* Without memory there are no answers, and no leak; or all of them. */
static void any_allocation_may_fail(void **state)
{
	static questions q;
	scene *sc = *state;
	imgsearch_answers *answers;
	unsigned failed = 0;
	imgsearch_query_options o = { .struct_size = sizeof o, .threads = 1 };
	q = (questions){ 0 };
	open_index(&q, sc);
	ask_everything(&q, sc);
	works(imgsearch_batch_query(q.s, q.in, q.n, &o, NULL, &answers, &err));
	imgsearch_answers_free(answers);
	ims_alloc_fail_after(0);
	works(imgsearch_batch_query(q.s, q.in, q.n, &o, NULL, &answers, &err));
	imgsearch_answers_free(answers);
	uint64_t made = ims_alloc_fail_after(0);
	for (uint64_t n = 1; n <= made; n++) {
		imgsearch_error err = { 0 };
		ims_alloc_fail_after(n);
		int rc = imgsearch_batch_query(q.s, q.in, q.n, &o, NULL, &answers, &err);
		ims_alloc_fail_after(0);
		failed += rc != 0;
		if (rc && rc != IMGSEARCH_ENOMEM && rc != IMGSEARCH_EMODEL)
			fail_msg("allocation %d: %s", (int)n, err.message);
		assert_int_equal(!answers, !!rc);
		imgsearch_answers_free(answers);
	}
	assert_true(failed > 5);
	close_all(&q);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_are_those_of_single_queries),
		TEST(views_in_a_batch),
		TEST(built_searchers_in_a_batch),
		TEST(many_steps),
		TEST(pictures_share_a_pass_through_the_network),
		TEST(stopped_there_are_no_answers),
		TEST(an_empty_index_is_called_so),
		TEST(empty_indexes_and_bad_arguments),
		TEST(any_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
