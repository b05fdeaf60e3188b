/*
 * Queries of an index with regions: every picture once, by its best part, as brute force has it,
 * whatever searcher is asked, with filters, ties and changes; and the chance of that.
 */
#include "scene.h"

#include "base/regions.h"
#include "handle/handle.h"
#include "handle/regions.h"
#include "handle/view.h"
#include "records.h"

#include <math.h>

enum { N = 600, DIM = 12, PARTS = IMS_REGIONS_PARTS, WIDTH = 300, HEIGHT = 200, K = 20 };

/* What the index holds: rows as they are read. */
typedef struct pictures {
	imgsearch *s;
	float whole[N][DIM], part[N][PARTS][DIM]; /* of id 1 + i */
	bool there[N], parted[N];
} pictures;

static imgsearch_error err;

static void must(int rc)
{
	if (rc)
		fail_msg("%s", err.message);
}

static void begin(imgsearch *s)
{
	must(ims_store_write_begin(s->store, &err));
	must(ims_store_tx_begin(s->store, &err));
}

static void commit(imgsearch *s)
{
	must(ims_store_tx_commit(s->store, &err));
	ims_store_write_end(s->store);
}

static void draw_row(float *row, uint64_t *seed)
{
	for (int k = 0; k < DIM; k++)
		row[k] = (float)(ims_random_unit(seed) - 0.5);
}

/* The parts of a picture, as codes and as they will be read. */
static void draw_parts(float part[PARTS][DIM], buf *data, uint64_t *seed)
{
	for (int p = 0; p < PARTS; p++)
		draw_row(part[p], seed);
	data->len = 0;
	ims_regions_encode(data, part[0], PARTS, DIM);
	for (int p = 0; p < PARTS; p++)
		ims_region_decode(part[p], data->data, (size_t)p, DIM);
}

/* Writes picture i; every tenth has no regions. */
static void write_picture(pictures *all, size_t i, uint64_t *seed)
{
	char path[40];
	buf data = { 0 };
	snprintf(path, sizeof path, "d%zu/%zu.png", i % 7, i);
	draw_row(all->whole[i], seed);
	draw_parts(all->part[i], &data, seed);
	all->there[i] = true;
	all->parted[i] = i % 10 != 9;
	store_record r = {
		.way = STORE_PUT,
		.row = {
			.path = path,
			.size = 1,
			.state = IMGSEARCH_STATE_INDEXED,
			.width = WIDTH,
			.height = HEIGHT,
			.hash = { .byte = { 1, (uint8_t)i, (uint8_t)(i >> 8) } },
		},
		.vector = all->whole[i],
		.dim = DIM,
		.regions = all->parted[i] ? data.data : NULL,
		.regions_size = data.len,
	};
	must(ims_store_write(all->s->store, &r, 1, &err));
	assert_int_equal(r.row.id, i + 1);
	ims_buf_free(&data);
}

static pictures *open_metric(const scene *sc, uint32_t metric)
{
	pictures *all = ims_zalloc(1, sizeof *all);
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	buf one = { 0 };
	uint64_t seed = 5;
	o.dim = DIM;
	o.metric = metric;
	must(imgsearch_open(sc->db, &o, NULL, &all->s, &err));
	ims_buf_u32(&one, IMS_REGIONS_TILES);
	begin(all->s);
	must(ims_store_setting_set(all->s->store, "regions", one.data, one.len, &err));
	must(ims_view_set_dim(all->s, DIM, &err));
	for (size_t i = 0; i < N; i++)
		write_picture(all, i, &seed);
	commit(all->s);
	ims_buf_free(&one);
	return all;
}

static void done(pictures *all, const scene *sc)
{
	imgsearch_close(all->s);
	shell("rm -f '%s'*", sc->db);
	ims_free(all);
}

/* ----------------------------------------------------------------------------- brute force ---- */

static float distance(uint32_t metric, const float *query, const float *row)
{
	const space sp = { (imgsearch_metric)metric, DIM, NULL };
	float a[DIM], b[DIM];
	ims_space_apply(&sp, query, a);
	ims_space_apply(&sp, row, b);
	return ims_search_distance(sp.metric, a, b, DIM);
}

typedef struct best {
	float distance;
	uint32_t part;
	int64_t id;
} best;

static int compare(const void *a, const void *b)
{
	const best *x = a, *y = b;
	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* All pictures that pass, in order of their best part. */
static size_t truth(const pictures *all, uint32_t metric, const float *query,
	bool (*passes)(int64_t id), best *out)
{
	size_t n = 0;
	for (size_t i = 0; i < N; i++) {
		if (!all->there[i] || (passes && !passes((int64_t)i + 1)))
			continue;
		best b = { distance(metric, query, all->whole[i]), 0, (int64_t)i + 1 };
		for (uint32_t p = 0; all->parted[i] && p < PARTS; p++) {
			float d = distance(metric, query, all->part[i][p]);
			if (d < b.distance) {
				b.distance = d;
				b.part = p + 1;
			}
		}
		out[n++] = b;
	}
	qsort(out, n, sizeof *out, compare);
	return n;
}

static void same_region(const imgsearch_hit *hit, uint32_t part)
{
	imgsearch_region at;
	assert_int_equal(hit->region != NULL, part > 0);
	if (!part)
		return;
	assert_true(ims_region_place(part, WIDTH, HEIGHT, &at));
	assert_memory_equal(hit->region, &at, sizeof at);
}

static imgsearch_hits *ask(imgsearch *s, const float *query, const imgsearch_query_options *o)
{
	imgsearch_input in = imgsearch_input_vector(query, DIM);
	imgsearch_hits *hits;
	must(imgsearch_query(s, &in, 1, o, NULL, &hits, &err));
	return hits;
}

/* The first `wanted` of the pictures; share: how many of them must be there. */
static void compare_hits(const pictures *all, uint32_t metric, const float *query,
	const imgsearch_query_options *o, bool (*passes)(int64_t id), size_t wanted, double share)
{
	static best of[N];
	size_t n = truth(all, metric, query, passes, of), found = 0;
	imgsearch_hits *hits = ask(all->s, query, o);
	wanted = wanted < n ? wanted : n;
	assert_int_equal(hits->count, wanted);
	for (size_t i = 0, t = 0; i < hits->count; i++) {
		const imgsearch_hit *hit = hits->items[i];
		while (t < wanted && of[t].id != hit->id)
			t++;
		if (t == wanted)
			break;
		found++;
		assert_true(hit->score == ims_score((imgsearch_metric)metric, of[t].distance));
		same_region(hit, of[t].part);
	}
	assert_true((double)found >= share * (double)wanted);
	assert_true(!hits->exact || found == wanted);
	assert_true(hits->exact || share < 1);
	imgsearch_hits_free(hits);
}

/* ----------------------------------------------------------------------------------- tests ---- */

static bool thirds(int64_t id)
{
	return id % 3 == 0;
}

static int accept_thirds(void *user, int64_t id)
{
	(void)user;
	return thirds(id);
}

static bool in_folder(int64_t id)
{
	return (id - 1) % 7 == 2;
}

static bool few(int64_t id)
{
	return id == 12 || id == 500 || id == 510;
}

static void ask_all(const pictures *all, uint32_t metric, const char *searcher, double share)
{
	const char *folder = "d2";
	const int64_t ids[] = { 510, 12, 500, 5000 };
	uint64_t seed = 99;
	for (int i = 0; i < 6; i++) {
		imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
		imgsearch_filter f = IMGSEARCH_INIT(imgsearch_filter);
		float query[DIM];
		draw_row(query, &seed);
		o.searcher = searcher;
		o.k = K;
		compare_hits(all, metric, query, &o, NULL, K, share);
		o.k = 3 * N;
		compare_hits(all, metric, query, &o, NULL, N, share);
		o.k = K;
		o.filter = &f;
		f.accept = accept_thirds;
		compare_hits(all, metric, query, &o, thirds, K, share);
		f.accept = NULL;
		f.folders = &folder;
		f.n_folders = 1;
		compare_hits(all, metric, query, &o, in_folder, K, share);
		f.n_folders = 0;
		f.ids = ids;
		f.n_ids = 4;
		compare_hits(all, metric, query, &o, few, K, 0.99);
	}
}

static void built(imgsearch *s, const char *searcher)
{
	imgsearch_build_options o = IMGSEARCH_INIT(imgsearch_build_options);
	o.searcher = searcher;
	must(imgsearch_build(s, &o, NULL, NULL, &err));
}

static void every_searcher_finds_the_best_parts(void **state)
{
	const uint32_t metrics[] = { IMGSEARCH_METRIC_COSINE, IMGSEARCH_METRIC_L2,
		IMGSEARCH_METRIC_IP };
	for (int m = 0; m < 3; m++) {
		pictures *all = open_metric(*state, metrics[m]);
		ask_all(all, metrics[m], NULL, 1); /* scans */
		const char *const exact[] = { "exact", "kdtree", "pca" };
		for (int i = 0; i < 3; i++) {
			built(all->s, exact[i]);
			ask_all(all, metrics[m], exact[i], 1);
			ask_all(all, metrics[m], NULL, 1);
		}
		built(all->s, "graph");
		ask_all(all, metrics[m], "graph", 0.5);
		done(all, *state);
	}
}

/* What changes after a build is found as after another one. */
static void changes_are_applied(void **state)
{
	const imgsearch_metric cosine = IMGSEARCH_METRIC_COSINE;
	const char *const searchers[] = { "exact", "graph" };
	for (int i = 0; i < 2; i++) {
		pictures *all = open_metric(*state, cosine);
		uint64_t seed = 77;
		const int64_t gone[] = { 41, 42, 300 };
		built(all->s, searchers[i]);
		ask_all(all, cosine, searchers[i], 0.5);
		begin(all->s);
		for (size_t k = 10; k < 30; k++)
			write_picture(all, k, &seed);
		must(ims_store_remove(all->s->store, gone, 3, &err));
		commit(all->s);
		for (int k = 0; k < 3; k++)
			all->there[gone[k] - 1] = false;
		ask_all(all, cosine, searchers[i], i ? 0.5 : 1);
		done(all, *state);
	}
}

static void ranges_batches_and_stored_pictures(void **state)
{
	enum { QUERIES = 5 };
	const imgsearch_metric cosine = IMGSEARCH_METRIC_COSINE;
	static best of[N];
	pictures *all = open_metric(*state, cosine);
	uint64_t seed = 3;
	float query[QUERIES][DIM];
	imgsearch_input in[QUERIES];
	imgsearch_hits *hits;
	imgsearch_answers *answers;
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	built(all->s, "exact");
	for (int i = 0; i < QUERIES; i++) {
		draw_row(query[i], &seed);
		in[i] = imgsearch_input_vector(query[i], DIM);
		size_t n = truth(all, cosine, query[i], NULL, of), within = 0;
		while (within < n && ims_score(cosine, of[within].distance) >= 0.7F)
			within++;
		must(imgsearch_range(all->s, &in[i], 0.7F, NULL, NULL, &hits, &err));
		assert_int_equal(hits->count, within);
		assert_true(within > 0);
		imgsearch_hits_free(hits);
	}
	must(imgsearch_batch_query(all->s, in, QUERIES, NULL, NULL, &answers, &err));
	for (int i = 0; i < QUERIES; i++) {
		const imgsearch_hits *of_batch = answers->items[i]->hits;
		hits = ask(all->s, query[i], NULL);
		assert_int_equal(hits->count, of_batch->count);
		for (size_t k = 0; k < hits->count; k++) {
			assert_int_equal(hits->items[k]->id, of_batch->items[k]->id);
			assert_true(hits->items[k]->score == of_batch->items[k]->score);
		}
		imgsearch_hits_free(hits);
	}
	imgsearch_answers_free(answers);
	in[0] = imgsearch_input_item(5);
	for (o.no_self = 0; o.no_self < 2; o.no_self++) {
		bool found = false;
		must(imgsearch_query(all->s, in, 1, &o, NULL, &hits, &err));
		assert_int_equal(hits->count, IMGSEARCH_K_DEFAULT);
		for (size_t k = 0; k < hits->count; k++)
			found |= hits->items[k]->id == 5;
		assert_int_equal(found, !o.no_self);
		imgsearch_hits_free(hits);
	}
	o.no_self = 0;
	o.whole = 1; /* wholes alone, in the order of their own scores */
	must(imgsearch_query(all->s, &in[1], 1, &o, NULL, &hits, &err));
	for (size_t k = 0; k < hits->count; k++) {
		float d = distance(cosine, query[1], all->whole[hits->items[k]->id - 1]);
		assert_null(hits->items[k]->region);
		assert_true(hits->items[k]->score == ims_score(cosine, d));
	}
	imgsearch_hits_free(hits);
	done(all, *state);
}

/* Of what a query has nothing to do with, as many pictures score so high as is promised. */
static void chances_are_those_of_the_best_part(void **state)
{
	enum { QUERIES = 300 };
	pictures *all = open_metric(*state, IMGSEARCH_METRIC_COSINE);
	/* wholes alone: 11.4, 1.39 and 0.27, since rows of so few values have no long tail */
	const double promised[] = { 10, 1, 0.1 }, most[] = { 2, 2.5, 6 };
	double seen[3] = { 0 };
	uint64_t seed = 1234;
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	built(all->s, "exact");
	o.k = 60;
	for (int i = 0; i < QUERIES; i++) {
		float query[DIM];
		draw_row(query, &seed);
		imgsearch_hits *hits = ask(all->s, query, &o);
		for (size_t k = 0; k < hits->count; k++)
			for (int p = 0; p < 3; p++)
				seen[p] += hits->items[k]->chance <= promised[p];
		imgsearch_hits_free(hits);
	}
	for (int p = 0; p < 3; p++) {
		seen[p] /= QUERIES;
		print_message("# promised %g, seen %.3f\n", promised[p], seen[p]);
		assert_true(seen[p] < most[p] * promised[p] && seen[p] > promised[p] / 4);
	}
	done(all, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changes_are_applied, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(ranges_batches_and_stored_pictures, scene_setup,
			scene_teardown),
		cmocka_unit_test_setup_teardown(chances_are_those_of_the_best_part, scene_setup,
			scene_teardown),
		cmocka_unit_test_setup_teardown(every_searcher_finds_the_best_parts, scene_setup,
			scene_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
