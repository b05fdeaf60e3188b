/*
 * imgsearch_query and its kin through the public header: kinds of input, options, vectors,
 * building, errors.
 */
#include "scene.h"

#include <math.h>

static imgsearch *ten_pictures(const scene *sc)
{
	for (unsigned i = 0; i < 10; i++) {
		char name[20];
		snprintf(name, sizeof name, "%u.png", i);
		photo(sc, name, i);
	}
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	return s;
}

static void every_kind_of_input_finds_itself_first(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	imgsearch_hits *hits;
	buf bytes = { 0 };
	char path[200];
	float v[48];
	imgsearch *s = ten_pictures(sc);
	int64_t id = id_of(s, sc, "4.png");
	snprintf(path, sizeof path, "%s/4.png", sc->photos);
	assert_int_equal(ims_read_file(&bytes, path, 1 << 20, &err), 0);
	image im = { 0 };
	image_head head;
	assert_int_equal(ims_image_decode(&im, &head, bytes.data, bytes.len, &(image_limits){ 0 }, NULL,
						 &err),
		0);
	imgsearch_input in[5] = {
		imgsearch_input_file(path),
		imgsearch_input_bytes(bytes.data, bytes.len),
		imgsearch_input_item(id),
		imgsearch_input_pixels(im.pixels, (int32_t)im.width, (int32_t)im.height, 0),
	};
	assert_int_equal(imgsearch_extract(s, &in[0], 1, NULL, NULL, v, 48, NULL, &err), 0);
	in[4] = imgsearch_input_vector(v, 48);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(imgsearch_query(s, &in[i], 1, NULL, NULL, &hits, &err), 0);
		assert_int_equal(hits->count, 10);
		assert_int_equal(hits->items[0]->id, id);
		assert_true(hits->items[0]->score > 0.9999f && hits->items[0]->distance < 0.01f);
		assert_true(hits->exact);
		assert_string_equal(hits->items[0]->path, path);
		for (size_t h = 1; h < hits->count; h++)
			assert_true(hits->items[h]->score <= hits->items[h - 1]->score);
		imgsearch_hits_free(hits);
	}
	ims_image_free(&im);
	ims_buf_free(&bytes);
	imgsearch_close(s);
}

static int even(void *user, int64_t id)
{
	++*(int *)user;
	return id % 2 == 0;
}

static void options_narrow_the_answer(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	imgsearch_hits *hits;
	imgsearch *s = ten_pictures(sc);
	imgsearch_input in = imgsearch_input_item(id_of(s, sc, "4.png"));
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	o.k = 3;
	o.no_self = 1;
	assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err), 0);
	assert_int_equal(hits->count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(hits->items[i]->id != in.id);
	float second = hits->items[1]->score;
	imgsearch_hits_free(hits);

	o.min_score = second;
	o.has_min_score = 1;
	o.k = 10;
	assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err), 0);
	assert_int_equal(hits->count, 2);
	imgsearch_hits_free(hits);

	int64_t ids[] = { 7, 3, 3, 99 };
	o = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_filter filter = IMGSEARCH_INIT(imgsearch_filter);
	filter.ids = ids;
	filter.n_ids = 4;
	o.filter = &filter;
	assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err), 0);
	assert_int_equal(hits->count, 2);
	imgsearch_hits_free(hits);

	int calls = 0;
	o = IMGSEARCH_INIT(imgsearch_query_options);
	filter = IMGSEARCH_INIT(imgsearch_filter);
	filter.accept = even;
	filter.user = &calls;
	o.filter = &filter;
	assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err), 0);
	assert_int_equal(hits->count, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(hits->items[i]->id % 2, 0);
	imgsearch_hits_free(hits);

	o = IMGSEARCH_INIT(imgsearch_query_options);
	o.filter = BELOW(sc->photos);
	assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err), 0);
	assert_int_equal(hits->count, 10);
	imgsearch_hits_free(hits);
	fails(IMGSEARCH_EINVAL,
		imgsearch_query(s, &in, 1,
			&(imgsearch_query_options){ .struct_size = sizeof o,
				.filter = BELOW("/photos/../nowhere") },
			NULL, &hits, &err));
	o.filter = BELOW("/nowhere");
	assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err), 0);
	assert_int_equal(hits->count, 0);
	imgsearch_hits_free(hits);

	o = IMGSEARCH_INIT(imgsearch_query_options);
	o.k = 1000000000;
	assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err), 0);
	assert_int_equal(hits->count, 10);
	imgsearch_hits_free(hits);
	assert_int_equal(imgsearch_range(s, &in, second, NULL, NULL, &hits, &err), 0);
	assert_int_equal(hits->count, 3); /* itself and the two above */
	imgsearch_hits_free(hits);
	imgsearch_close(s);
}

static void several_inputs_combine_and_a_negative_one_pushes_away(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	imgsearch_hits *hits;
	imgsearch *s = ten_pictures(sc);
	imgsearch_input in[2] = { imgsearch_input_item(1), imgsearch_input_item(2) };
	assert_int_equal(imgsearch_query(s, in, 2, NULL, NULL, &hits, &err), 0);
	assert_true(hits->items[0]->id + hits->items[1]->id == 3);
	imgsearch_hits_free(hits);
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	o.no_self = 1;
	for (o.k = 1; o.k < 10; o.k += 7) { /* of both, as many as asked for, or as are left */
		assert_int_equal(imgsearch_query(s, in, 2, &o, NULL, &hits, &err), 0);
		assert_int_equal(hits->count, o.k);
		for (size_t i = 0; i < hits->count; i++)
			assert_true(hits->items[i]->id > 2);
		imgsearch_hits_free(hits);
	}
	in[1].weight = -1;
	assert_int_equal(imgsearch_query(s, in, 2, NULL, NULL, &hits, &err), 0);
	assert_int_equal(hits->items[0]->id, 1);
	assert_int_equal(hits->items[9]->id, 2);
	imgsearch_hits_free(hits);
	o.k = 10;
	assert_int_equal(imgsearch_query(s, in, 2, &o, NULL, &hits, &err), 0);
	assert_int_equal(hits->count, 9); /* what is pushed away is not what is asked for */
	assert_int_equal(hits->items[8]->id, 2);
	imgsearch_hits_free(hits);
	imgsearch_close(s);
}

/* 300 vectors in twelve groups. */
static imgsearch *grouped_vectors(const scene *sc, float (*rows)[16])
{
	imgsearch_error err;
	uint64_t random = 5;
	imgsearch_options o = { .struct_size = sizeof o, .dim = 16, .threads = 2 };
	imgsearch *s;
	assert_int_equal(imgsearch_open(sc->db, &o, NULL, &s, &err), 0);
	for (int i = 0; i < 300; i++)
		for (int d = 0; d < 16; d++)
			rows[i][d] = (float)(ims_random_unit(&random) - 0.5 + (d == i % 12 ? 0.9 : 0));
	assert_int_equal(imgsearch_vectors_add(s, &rows[0][0], 300, 16, NULL, NULL, NULL, &err), 0);
	return s;
}

/*
 * Expansion and re-ranking: the same by vector, in a batch, of a stored row; each hit's score stays
 * its own.
 */
static void improved_answers(void **state)
{
	scene *sc = *state;
	static float rows[300][16];
	imgsearch_error err;
	imgsearch_hits *plain, *hits;
	imgsearch *s = grouped_vectors(sc, rows);
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options),
							all = IMGSEARCH_INIT(imgsearch_query_options);
	all.k = 300;
	o.k = 20;
	for (uint32_t kind = 1; kind < 4; kind++) {
		int64_t ids[2 * 20];
		float query[2][16], scores[2 * 20];
		o.expand = kind & 1 ? 4 : 0;
		o.reciprocal = kind & 2 ? 8 : 0;
		for (int d = 0; d < 16; d++)
			query[0][d] = rows[7][d] + 0.1f, query[1][d] = rows[8][d];
		imgsearch_input in = imgsearch_input_vector(query[0], 16);
		assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err), 0);
		assert_int_equal(imgsearch_vectors_query(s, &query[0][0], 2, 16, &o, NULL, ids, scores,
							 2 * o.k, &err),
			0);
		assert_int_equal(hits->count, 20);
		assert_int_equal(hits->reranked, kind > 1);
		size_t falls = 0;
		for (size_t i = 0; i < 20; i++) {
			assert_int_equal(hits->items[i]->id, ids[i]);
			assert_true(hits->items[i]->score == scores[i]);
			falls += i && hits->items[i]->score > hits->items[i - 1]->score;
		}
		assert_int_equal(falls > 0, kind > 1);
		if (kind == 2) {
			assert_int_equal(imgsearch_query(s, &in, 1, &all, NULL, &plain, &err), 0);
			for (size_t i = 0; i < 20; i++)
				for (size_t j = 0; j < plain->count; j++)
					assert_true(
						plain->items[j]->id != ids[i] || plain->items[j]->score == scores[i]);
			imgsearch_hits_free(plain);
		}
		imgsearch_hits_free(hits);
		in = imgsearch_input_item(7);
		/* re-ranked, the query itself stays in front; or it is not there */
		for (o.no_self = 0; o.no_self < 2; o.no_self++) {
			assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err), 0);
			assert_int_equal(hits->count, 20);
			for (size_t i = 0; i < 20; i++)
				assert_true(!o.no_self || hits->items[i]->id != 7);
			assert_true(kind != 2 || o.no_self || hits->items[0]->id == 7);
			imgsearch_hits_free(hits);
		}
		o.no_self = 0;
	}
	imgsearch_close(s);
}

static void improvements_that_cannot_be(void **state)
{
	scene *sc = *state;
	static float rows[300][16];
	static const imgsearch_query_options bad[] = {
		{ .struct_size = sizeof *bad, .plain = 1, .expand = 1 },
		{ .struct_size = sizeof *bad, .plain = 1, .reciprocal = 1 },
		{ .struct_size = sizeof *bad, .plain = 1, .views = 2 },
		{ .struct_size = sizeof *bad, .expand = 10001 },
		{ .struct_size = sizeof *bad, .expand = 1, .expand_power = NAN },
		{ .struct_size = sizeof *bad, .reciprocal = 500 },
		{ .struct_size = sizeof *bad, .views = 7 },
	};
	imgsearch_error err;
	imgsearch_hits *hits;
	imgsearch *s = grouped_vectors(sc, rows);
	imgsearch_input in = imgsearch_input_vector(rows[0], 16);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(imgsearch_query(s, &in, 1, &bad[i], NULL, &hits, &err), IMGSEARCH_EINVAL);
	/* more than there is */
	imgsearch_query_options o = { .struct_size = sizeof o,
		.expand = 10000,
		.reciprocal = 499,
		.k = 1000 };
	assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err), 0);
	assert_int_equal(hits->count, 300);
	imgsearch_hits_free(hits);
	static int64_t ids[2][150];
	o.reciprocal = 0;
	o.k = 1;
	/* large heaps: fewer at a time */
	assert_int_equal(imgsearch_vectors_query(s, rows[0], 150, 16, &o, NULL, ids[0], NULL, 150 * o.k,
						 &err),
		0);
	for (size_t i = 0; i < 150; i++)
		assert_int_equal(imgsearch_vectors_query(s, rows[i], 1, 16, &o, NULL, &ids[1][i], NULL, o.k,
							 &err),
			0);
	assert_memory_equal(ids[0], ids[1], sizeof ids[0]);
	o = (imgsearch_query_options){ .struct_size = sizeof o, .views = 6 };
	in = imgsearch_input_item(3); /* a vector has no views */
	assert_int_not_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err), 0);
	imgsearch_close(s);
}

static void views_are_averaged(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	imgsearch_hits *hits;
	imgsearch *s = ten_pictures(sc);
	char path[200];
	snprintf(path, sizeof path, "%s/4.png", sc->photos);
	imgsearch_input in = imgsearch_input_file(path), view[6] = { in, in, in, in, in, in };
	const int32_t crop[5][4] = { { 6, 6, 36, 36 }, { 0, 0, 36, 36 }, { 12, 0, 36, 36 },
		{ 0, 12, 36, 36 }, { 12, 12, 36, 36 } };
	float score[10] = { 0 };
	for (int i = 0; i < 5; i++)
		memcpy(view[i + 1].crop, crop[i], sizeof crop[i]);
	/* as a combined query of the same crops */
	assert_int_equal(imgsearch_query(s, view, 6, NULL, NULL, &hits, &err), 0);
	for (size_t i = 0; i < 10; i++)
		score[hits->items[i]->id - 1] = hits->items[i]->score;
	imgsearch_hits_free(hits);
	imgsearch_query_options o = { .struct_size = sizeof o, .views = 6 };
	assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err), 0);
	for (size_t i = 0; i < 10; i++)
		assert_true(fabsf(score[hits->items[i]->id - 1] - hits->items[i]->score) < 1e-5f);
	imgsearch_hits_free(hits);
	imgsearch_close(s);
}

typedef struct asker {
	imgsearch *s;
	imgsearch_input in;
	int calls;
} asker;

static int cancel_and_ask(void *user, const imgsearch_progress *p)
{
	asker *a = user;
	imgsearch_hits *hits;
	imgsearch_query_options o = { .struct_size = sizeof o, .views = 6 };
	(void)p;
	if (a->calls++)
		return 0;
	imgsearch_cancel(a->s);
	assert_int_equal(imgsearch_query(a->s, &a->in, 1, &o, NULL, &hits, NULL), 0);
	imgsearch_hits_free(hits);
	return 0;
}

/* It neither stops at one that is meant for longer work, nor forgets it. */
static void a_query_leaves_a_cancel_alone(void **state)
{
	enum { N = 20 };
	scene *sc = *state;
	imgsearch_error err;
	char path[200];
	static float v[N * 48];
	asker a = { 0 };
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	imgsearch_input in[N];
	imgsearch_close(ten_pictures(sc));
	snprintf(path, sizeof path, "%s/4.png", sc->photos);
	a.in = imgsearch_input_file(path);
	for (int i = 0; i < N; i++)
		in[i] = a.in;
	call.user = &a;
	call.progress = cancel_and_ask;
	a.s = scene_open(sc);
	assert_int_equal(imgsearch_extract(a.s, in, N, NULL, &call, v, N * 48, NULL, &err),
		IMGSEARCH_ECANCELED);
	assert_int_equal(a.calls, 1);
	/* that one came too late for it */
	assert_int_equal(imgsearch_extract(a.s, in, N, NULL, &call, v, N * 48, NULL, &err), 0);
	imgsearch_close(a.s);
}

static void bad_questions_are_refused_with_a_reason(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	imgsearch_hits *hits;
	imgsearch *s = ten_pictures(sc);
	float v[48] = { NAN };
	imgsearch_input in = imgsearch_input_vector(v, 48);
	assert_int_equal(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err), IMGSEARCH_EINVAL);
	in = imgsearch_input_vector(v, 47);
	assert_int_equal(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err), IMGSEARCH_EINVAL);
	assert_non_null(strstr(err.message, "47"));
	in = imgsearch_input_item(12345);
	assert_int_equal(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err), IMGSEARCH_ENOTFOUND);
	in = imgsearch_input_file("/nowhere/x.jpg");
	assert_int_equal(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err), IMGSEARCH_ENOTFOUND);
	assert_non_null(strstr(err.message, "/nowhere/x.jpg"));
	in = imgsearch_input_bytes("%PDF-1.7....", 12);
	assert_int_equal(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err), IMGSEARCH_EUNSUPPORTED);
	assert_null(hits);
	assert_int_equal(imgsearch_query(s, &in, 0, NULL, NULL, &hits, &err), IMGSEARCH_EINVAL);
	in = imgsearch_input_item(1);
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	o.searcher = "magic";
	assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err), IMGSEARCH_EINVAL);
	o.struct_size = 3;
	assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err), IMGSEARCH_EINVAL);
	struct {
		imgsearch_query_options o;
		char newer[8];
	} future = { .o = { .struct_size = sizeof future }, .newer = { 1 } };
	assert_int_equal(imgsearch_query(s, &in, 1, &future.o, NULL, &hits, &err), IMGSEARCH_EVERSION);
	future.newer[0] = 0;
	assert_int_equal(imgsearch_query(s, &in, 1, &future.o, NULL, &hits, &err), 0);
	imgsearch_hits_free(hits);
	imgsearch_close(s);
}

static void an_empty_index_answers_with_nothing(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	imgsearch_hits *hits;
	imgsearch *s = scene_open(sc);
	imgsearch_input in = imgsearch_input_file("/nowhere.jpg");
	assert_int_equal(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err), 0);
	assert_int_equal(hits->count, 0);
	imgsearch_hits_free(hits);
	assert_int_equal(imgsearch_build(s, NULL, NULL, NULL, &err), 0);
	int64_t ids[3];
	float scores[3], vector[2] = { 1, 2 };
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	o.k = 3;
	assert_int_equal(imgsearch_vectors_query(s, vector, 1, 2, &o, NULL, ids, scores, o.k, &err), 0);
	for (int i = 0; i < 3; i++)
		assert_true(ids[i] == -1 && isnan(scores[i]));
	imgsearch_close(s);
}

/* n vectors around a few centres, as features are */
static float *clustered(size_t n, size_t dim, uint64_t seed)
{
	float *rows = malloc(n * dim * sizeof *rows);
	for (size_t i = 0; i < n; i++) {
		uint64_t centre = 77 + ims_random(&seed) % 20;
		for (size_t j = 0; j < dim; j++)
			rows[i * dim + j] = (float)(ims_random_unit(&centre) * 2 + ims_random_unit(&seed)
				- 0.5);
	}
	return rows;
}

static void built_searchers_answer_as_the_scan_does(void **state)
{
	enum { N = 3000, DIM = 40, Q = 50, K = 10 };
	scene *sc = *state;
	imgsearch_error err = { 0 };
	imgsearch_build_report *report;
	int64_t want[Q * K], got[Q * K];
	float scores[Q * K], want_scores[Q * K];
	const char *searchers[] = { "exact", "kdtree", "pca" };
	float *rows = clustered(N, DIM, 1), *queries = clustered(Q, DIM, 2);
	imgsearch *s = scene_open(sc);
	assert_int_equal(imgsearch_vectors_add(s, rows, N, DIM, NULL, NULL, NULL, &err), 0);
	imgsearch_build_options b = IMGSEARCH_INIT(imgsearch_build_options);
	imgsearch_query_options q = IMGSEARCH_INIT(imgsearch_query_options);
	for (int which = 0; which < 3; which++) {
		b.searcher = searchers[which];
		assert_int_equal(imgsearch_build(s, &b, NULL, &report, &err), 0);
		assert_string_equal(report->searcher, searchers[which]);
		imgsearch_build_report_free(report);
		q.searcher = "scan";
		assert_int_equal(imgsearch_vectors_query(s, queries, Q, DIM, &q, NULL, want, want_scores,
							 Q * K, &err),
			0);
		q.searcher = searchers[which];
		if (imgsearch_vectors_query(s, queries, Q, DIM, &q, NULL, got, scores, Q * K, &err))
			fail_msg("%s: %s", searchers[which], err.message);
		assert_memory_equal(got, want, sizeof want);
		assert_memory_equal(scores, want_scores, sizeof scores);
	}
	/* what changes after a build is seen by the next query, of every searcher */
	int64_t gone[] = { want[0] }, id = 0;
	imgsearch_input in = imgsearch_input_vector(queries, DIM);
	assert_int_equal(imgsearch_index_remove(s, gone, 1, NULL, NULL, &err), 0);
	assert_int_equal(imgsearch_index_add(s, &in, NAMED("new"), NULL, &id, &err), 0);
	for (int process = 0; process < 2; process++) {
		q.searcher = "scan";
		assert_int_equal(imgsearch_vectors_query(s, queries, 1, DIM, &q, NULL, want, NULL, K, &err),
			0);
		assert_int_equal(want[0], id);
		for (int i = 0; i < K; i++)
			assert_true(want[i] >= 0 && want[i] != gone[0]);
		for (int which = 0; which < 3; which++) {
			q.searcher = searchers[which];
			assert_int_equal(imgsearch_vectors_query(s, queries, 1, DIM, &q, NULL, got, NULL, K,
								 &err),
				0);
			assert_memory_equal(got, want, K * sizeof *got);
		}
		imgsearch_close(s);
		s = scene_open(sc); /* the second time as another process would */
	}
	b.if_stale = 1;
	assert_int_equal(imgsearch_build(s, &b, NULL, &report, &err), 0);
	assert_int_equal(report->bytes, 0); /* one row in 3000 is no reason to build again */
	imgsearch_build_report_free(report);
	imgsearch_close(s);
	free(rows);
	free(queries);
}

static void vectors_keep_their_ids(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	float rows[6] = { 1, 0, 0, 1, -1, 0 };
	int64_t ids[3], own[] = { 5, 9000000000000000000, 7 };
	float q[2] = { 1, 0 };
	imgsearch *s = scene_open(sc);
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	o.k = 3;
	assert_int_equal(imgsearch_vectors_add(s, rows, 3, 2, NULL, NULL, NULL, &err), 0);
	assert_int_equal(imgsearch_vectors_query(s, q, 1, 2, &o, NULL, ids, NULL, o.k, &err), 0);
	assert_int_equal(ids[0], 0);
	assert_int_equal(ids[1], 1);
	assert_int_equal(ids[2], 2);
	assert_int_equal(imgsearch_vectors_add(s, rows, 2, 3, NULL, NULL, NULL, &err),
		IMGSEARCH_EINVAL);
	assert_int_equal(imgsearch_vectors_add(s, rows, 3, 2, WITH_IDS(own), NULL, NULL, &err), 0);
	o.k = 2;
	assert_int_equal(imgsearch_vectors_query(s, q, 1, 2, &o, NULL, ids, NULL, o.k, &err), 0);
	assert_int_equal(ids[0], 0);
	assert_int_equal(ids[1], 5);
	own[0] = -4;
	assert_int_equal(imgsearch_vectors_add(s, rows, 3, 2, WITH_IDS(own), NULL, NULL, &err),
		IMGSEARCH_EINVAL);
	rows[3] = INFINITY;
	assert_int_equal(imgsearch_vectors_add(s, rows, 3, 2, NULL, NULL, NULL, &err),
		IMGSEARCH_EINVAL);
	assert_non_null(strstr(err.message, "row 1"));
	imgsearch_close(s);
}

/*
 * On a circle everything has near neighbours, so that high scores say nothing; but one's own row is
 * no chance.
 */
static void the_query_itself_is_not_found_by_chance(void **state)
{
	scene *sc = *state;
	enum { N = 400 };
	static float rows[N][2];
	imgsearch_error err;
	imgsearch_hits *hits;
	imgsearch *s = scene_open(sc);
	for (int i = 0; i < N; i++) {
		rows[i][0] = (float)cos(i * 2.4);
		rows[i][1] = (float)sin(i * 2.4);
	}
	assert_int_equal(imgsearch_vectors_add(s, rows[0], N, 2, NULL, NULL, NULL, &err), 0);
	assert_int_equal(imgsearch_build(s, NULL, NULL, NULL, &err), 0);
	imgsearch_input in = imgsearch_input_item(14);
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	o.k = 2;
	assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err), 0);
	assert_int_equal(hits->items[0]->id, 14);
	assert_true(hits->items[0]->chance == 0);
	assert_true(hits->items[1]->chance > 1);
	assert_int_equal(hits->better_than_chance, 1);
	imgsearch_hits_free(hits);
	imgsearch_close(s);
}

static void metrics_order_as_they_should(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	float rows[] = { 1, 0, 3, 1, 0, 2 }, q[] = { 1, 0.1f }, scores[3];
	int64_t ids[3];
	const int64_t want[3][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 } };
	imgsearch_query_options qo = IMGSEARCH_INIT(imgsearch_query_options);
	qo.k = 3;
	for (uint32_t metric = IMGSEARCH_METRIC_COSINE; metric <= IMGSEARCH_METRIC_IP; metric++) {
		imgsearch *s;
		imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
		o.metric = metric;
		unlink(sc->db);
		assert_int_equal(imgsearch_open(sc->db, &o, NULL, &s, &err), 0);
		assert_int_equal(imgsearch_vectors_add(s, rows, 3, 2, NULL, NULL, NULL, &err), 0);
		assert_int_equal(imgsearch_vectors_query(s, q, 1, 2, &qo, NULL, ids, scores, qo.k, &err),
			0);
		assert_memory_equal(ids, want[metric], sizeof ids);
		assert_true(scores[0] > scores[1] && scores[1] > scores[2]);
		imgsearch_close(s);
		shell("rm -f '%s'*", sc->db);
	}
}

static void memory_indexes_need_no_file(void **state)
{
	(void)state;
	imgsearch_error err;
	imgsearch *s;
	float v[3] = { 1, 2, 3 };
	imgsearch_input in = imgsearch_input_vector(v, 3);
	imgsearch_hits *hits;
	assert_int_equal(imgsearch_open(":memory:", NULL, NULL, &s, &err), 0);
	assert_int_equal(imgsearch_index_add(s, &in, NAMED("a"), NULL, NULL, &err), 0);
	assert_int_equal(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err), 0);
	assert_int_equal(hits->count, 1);
	assert_string_equal(hits->items[0]->path, "a");
	imgsearch_hits_free(hits);
	imgsearch_close(s);
}

static void added_pictures_replace_those_of_the_same_name(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	imgsearch_info *info;
	char path[200];
	int64_t first = 0, second = 0;
	photo(sc, "a.png", 1);
	snprintf(path, sizeof path, "%s/a.png", sc->photos);
	imgsearch_input in = imgsearch_input_file(path);
	imgsearch *s = scene_open(sc);
	assert_int_equal(imgsearch_index_add(s, &in, NAMED("one"), NULL, &first, &err), 0);
	photo(sc, "a.png", 2);
	assert_int_equal(imgsearch_index_add(s, &in, NAMED("one"), NULL, &second, &err), 0);
	assert_int_equal(first, second);
	imgsearch_item *item;
	assert_int_equal(imgsearch_item_get(s, first, &item, &err), 0);
	assert_int_equal(item->width, 48);
	assert_int_equal(item->height, 48);
	assert_true(item->bytes > 0 && item->mtime_seconds > 0);
	imgsearch_item_free(item);
	in.crop[2] = 20;
	in.crop[3] = 10;
	assert_int_equal(imgsearch_index_add(s, &in, NAMED("part"), NULL, &second, &err), 0);
	assert_int_equal(imgsearch_item_get(s, second, &item, &err), 0);
	assert_int_equal(item->width, 20);
	assert_int_equal(item->height, 10);
	imgsearch_item_free(item);
	assert_int_equal(imgsearch_index_remove(s, &second, 1, NULL, NULL, &err), 0);
	shell("head -c 90 '%s' > '%s.cut'", path, path);
	strcat(path, ".cut");
	in = imgsearch_input_file(path);
	assert_int_equal(imgsearch_index_add(s, &in, NAMED("cut"), NULL, NULL, &err),
		IMGSEARCH_EFORMAT);
	assert_non_null(strstr(err.message, path));
	assert_int_equal(imgsearch_info_get(s, NULL, &info, &err), 0);
	assert_int_equal(info->vectors, 1);
	imgsearch_info_free(info);
	imgsearch_close(s);
}

/* What is looked for and not there, on the way, is no error. */
static void success_leaves_the_error_alone(void **state)
{
	scene *sc = *state;
	imgsearch_error err = { 0 };
	char path[200];
	float v[48] = { 1 };
	int64_t id = 100;
	imgsearch_hits *hits;
	imgsearch_info *info;
	imgsearch_item *item;
	photo(sc, "a.png", 1);
	snprintf(path, sizeof path, "%s/a.png", sc->photos);
	imgsearch_input in = imgsearch_input_file(path), vector = imgsearch_input_vector(v, 48);
	imgsearch *s = scene_open(sc);
	assert_int_equal(imgsearch_info_get(s, NULL, &info, &err), 0);
	imgsearch_info_free(info);
	assert_int_equal(err.code, 0);
	assert_int_equal(imgsearch_extract(s, &in, 1, NULL, NULL, v, 48, NULL, &err), 0);
	assert_int_equal(err.code, 0);
	assert_int_equal(imgsearch_index_add(s, &in, NAMED("first"), NULL, NULL, &err), 0);
	assert_int_equal(imgsearch_index_add(s, &in, NAMED("twin"), NULL, NULL, &err), 0);
	assert_int_equal(imgsearch_index_add(s, &vector, NULL, NULL, &id, &err), 0);
	assert_int_equal(err.code, 0);
	assert_int_equal(imgsearch_item_get(s, id, &item, &err), 0);
	imgsearch_item_free(item);
	assert_int_equal(err.code, 0);
	assert_int_equal(imgsearch_build(s, NULL, NULL, NULL, &err), 0);
	assert_int_equal(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err), 0);
	imgsearch_hits_free(hits);
	assert_int_equal(err.code, 0);
	assert_int_equal(imgsearch_item_get(s, 999, &item, &err), IMGSEARCH_ENOTFOUND);
	assert_int_equal(err.code, IMGSEARCH_ENOTFOUND);
	imgsearch_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_kind_of_input_finds_itself_first),
		TEST(options_narrow_the_answer),
		TEST(several_inputs_combine_and_a_negative_one_pushes_away),
		TEST(improved_answers),
		TEST(improvements_that_cannot_be),
		TEST(views_are_averaged),
		TEST(a_query_leaves_a_cancel_alone),
		TEST(bad_questions_are_refused_with_a_reason),
		TEST(an_empty_index_answers_with_nothing),
		TEST(built_searchers_answer_as_the_scan_does),
		TEST(vectors_keep_their_ids),
		TEST(the_query_itself_is_not_found_by_chance),
		TEST(metrics_order_as_they_should),
		TEST(memory_indexes_need_no_file),
		TEST(added_pictures_replace_those_of_the_same_name),
		TEST(success_leaves_the_error_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
