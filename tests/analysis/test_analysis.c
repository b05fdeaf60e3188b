/*
 * lib/analysis: t-SNE keeps clusters apart, the grid never shares a cell, signatures know turned
 * pictures.
 */
#include "analysis/components.h"
#include "analysis/grid.h"
#include "analysis/plane.h"
#include "analysis/signature.h"
#include "analysis/tsne.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { POINTS = 300, CLUSTERS = 3, K = 30, DIM = 8 };

/* Three round clusters; the k nearest of each by brute force. */
static void make_points(float *rows, int32_t *neighbour, float *distance2)
{
	uint64_t random = 7;
	for (int i = 0; i < POINTS; i++)
		for (int d = 0; d < DIM; d++)
			rows[i * DIM + d] = (float)ims_random_unit(&random) + (d == i % CLUSTERS ? 5 : 0);
	for (int i = 0; i < POINTS; i++) {
		topk best;
		assert_int_equal(ims_topk_init(&best, K), 0);
		for (int j = 0; j < POINTS; j++) {
			float d2 = 0;
			for (int d = 0; d < DIM; d++)
				d2 += (rows[i * DIM + d] - rows[j * DIM + d])
					* (rows[i * DIM + d] - rows[j * DIM + d]);
			if (j != i)
				ims_topk_push(&best, d2, j);
		}
		ims_topk_sort(&best);
		for (int e = 0; e < K; e++)
			neighbour[i * K + e] = (int32_t)best.item[e].id,
							  distance2[i * K + e] = best.item[e].distance;
		ims_topk_free(&best);
	}
}

/* How many points have most of their ten nearest on the plane in their own cluster. */
static int at_home(const float *xy)
{
	int home = 0;
	for (int i = 0; i < POINTS; i++) {
		topk best;
		assert_int_equal(ims_topk_init(&best, 10), 0);
		for (int j = 0; j < POINTS; j++)
			if (j != i)
				ims_topk_push(&best, hypotf(xy[2 * i] - xy[2 * j], xy[2 * i + 1] - xy[2 * j + 1]),
					j);
		int own = 0;
		for (size_t e = 0; e < best.n; e++)
			own += best.item[e].id % CLUSTERS == i % CLUSTERS;
		home += own > 5;
		ims_topk_free(&best);
	}
	return home;
}

static void test_tsne(void **state)
{
	(void)state;
	static float rows[POINTS * DIM], distance2[POINTS * K], xy[3][2 * POINTS];
	static int32_t neighbour[POINTS * K];
	make_points(rows, neighbour, distance2);
	pool *threads;
	assert_int_equal(ims_pool_new(&threads, 2, 4, NULL), 0);
	tsne_options o = { .iterations = 300 };
	assert_int_equal(ims_analysis_tsne(xy[0], POINTS, K, neighbour, distance2, &o, NULL, NULL), 0);
	assert_true(at_home(xy[0]) > POINTS * 98 / 100);

	job with_pool = { .pool = threads };
	assert_int_equal(ims_analysis_tsne(xy[1], POINTS, K, neighbour, distance2, &o, &with_pool,
						 NULL),
		0);
	assert_memory_equal(xy[0], xy[1], sizeof xy[0]);

	assert_int_equal(ims_analysis_plane(xy[2], rows, POINTS, DIM, threads, NULL), 0);
	assert_true(at_home(xy[2]) > POINTS * 98 / 100);
	ims_pool_free(threads);
}

static void test_tsne_few(void **state)
{
	(void)state;
	float xy[4] = { 0 }, distance2[2] = { 1, 1 };
	int32_t neighbour[2] = { 1, 0 };
	assert_int_equal(ims_analysis_tsne(xy, 0, 0, NULL, NULL, NULL, NULL, NULL), 0);
	assert_int_equal(ims_analysis_tsne(xy, 1, 0, NULL, NULL, NULL, NULL, NULL), 0);
	assert_int_equal(ims_analysis_tsne(xy, 2, 1, neighbour, distance2, NULL, NULL, NULL), 0);
	for (int c = 0; c < 4; c++)
		assert_true(isfinite(xy[c]));

	/* All at one place. */
	enum { SAME = 50 };
	float place[2 * SAME] = { 0 }, zero[SAME * 3] = { 0 };
	int32_t first[SAME * 3];
	for (int e = 0; e < SAME * 3; e++)
		first[e] = e % 3 + (e / 3 <= e % 3);
	assert_int_equal(ims_analysis_tsne(place, SAME, 3, first, zero, NULL, NULL, NULL), 0);
	for (int c = 0; c < 2 * SAME; c++)
		assert_true(isfinite(place[c]));
}

static void test_cancel(void **state)
{
	(void)state;
	float xy[4] = { 0 }, distance2[2] = { 1, 1 };
	int32_t neighbour[2] = { 1, 0 };
	cancel_source stop = { 0 };
	job j = { .stop = ims_stop_token(&stop, NULL) };
	ims_cancel_raise(&stop);
	assert_int_equal(ims_analysis_tsne(xy, 2, 1, neighbour, distance2, NULL, &j, NULL),
		IMGSEARCH_ECANCELED);
}

static void test_grid(void **state)
{
	(void)state;
	enum { N = 500, COLUMNS = 30, ROWS = 20 };
	static float xy[2 * N];
	uint32_t cell[N];
	uint64_t random = 3;
	for (int i = 0; i < N; i++) /* half of them heaped in one corner */
		for (int axis = 0; axis < 2; axis++)
			xy[2 * i + axis] = (float)ims_random_unit(&random) * (i < N / 2 ? 0.05f : 1);
	assert_int_equal(ims_analysis_grid(cell, xy, N, COLUMNS, ROWS, NULL, NULL), 0);
	bool taken[COLUMNS * ROWS] = { false };
	double off = 0;
	for (int i = 0; i < N; i++) {
		assert_true(cell[i] < COLUMNS * ROWS);
		assert_false(taken[cell[i]]);
		taken[cell[i]] = true;
		off += hypot((cell[i] % COLUMNS + 0.5) / COLUMNS - xy[2 * i],
				   (cell[i] / COLUMNS + 0.5) / ROWS - xy[2 * i + 1])
			/ N;
	}
	assert_true(off < 0.4);

	/* Room for all where they are: nobody moves out of the cell. */
	float four[8] = { 0, 0, 1, 0, 0, 1, 1, 1 };
	assert_int_equal(ims_analysis_grid(cell, four, 4, 2, 2, NULL, NULL), 0);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(cell[i], i);
	assert_int_equal(ims_analysis_grid(cell, four, 4, 3, 1, NULL, NULL), IMGSEARCH_EINVAL);
}

/* Vertices fit where they differ by at most the limit. */
static bool are_near(void *user, uint32_t a, uint32_t b)
{
	return (a > b ? a - b : b - a) <= *(uint32_t *)user;
}

static void test_cliques(void **state)
{
	(void)state;
	const uint32_t chain[][2] = { { 1, 2 }, { 3, 4 }, { 2, 3 }, { 0, 1 }, { 4, 5 }, { 3, 2 } };
	uint32_t label[7], limit = 2;
	uint8_t joined[6];
	/* 2-3 would bring 1 and 4 together, 4-5 only makes 3, 4, 5 */
	const uint32_t expected[] = { 0, 0, 0, 3, 3, 3, 6 };
	assert_int_equal(ims_analysis_cliques(label, 7, chain, 6, NULL, 0, are_near, &limit, joined),
		0);
	assert_memory_equal(label, expected, sizeof expected);
	const uint8_t joins[] = { 1, 1, 0, 1, 1, 0 };
	assert_memory_equal(joined, joins, sizeof joins);
	/* everything fits: one component; but for a pair that must not meet */
	const uint32_t all[] = { 0, 0, 0, 0, 0, 0, 6 }, apart[][2] = { { 5, 0 } },
				   parted[] = { 0, 0, 0, 0, 0, 5, 6 };
	limit = 10;
	assert_int_equal(ims_analysis_cliques(label, 7, chain, 6, NULL, 0, are_near, &limit, NULL), 0);
	assert_memory_equal(label, all, sizeof all);
	assert_int_equal(ims_analysis_cliques(label, 7, chain, 6, apart, 1, are_near, &limit, joined),
		0);
	assert_memory_equal(label, parted, sizeof parted);
	assert_int_equal(joined[4], 0);
}

static void test_components(void **state)
{
	(void)state;
	const uint32_t edge[][2] = { { 5, 4 }, { 2, 3 }, { 4, 1 }, { 6, 2 } };
	const uint32_t expected[] = { 0, 1, 2, 2, 1, 1, 2, 7 };
	uint32_t label[8];
	ims_analysis_components(label, 8, edge, 4, NULL, 0, NULL);
	assert_memory_equal(label, expected, sizeof expected);

	/* 1 and 5 must not meet: the edge that would join their components is left out. */
	const uint32_t apart[][2] = { { 1, 5 } }, parted[] = { 0, 1, 2, 2, 4, 4, 2, 7 };
	uint8_t joined[4];
	ims_analysis_components(label, 8, edge, 4, apart, 1, joined);
	assert_memory_equal(label, parted, sizeof parted);
	assert_int_equal(joined[2], 0);
	assert_int_equal(joined[3], 1);
}

/* A picture of some blobs, drawn at any size, in one of eight positions. */
static void draw(uint8_t *rgb, int width, int height, uint64_t seed, int turn)
{
	float blob[12][4];
	for (int b = 0; b < 12; b++)
		for (int v = 0; v < 4; v++)
			blob[b][v] = (float)ims_random_unit(&seed);
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++) {
			float u = ((float)x + 0.5f) / (float)width, v = ((float)y + 0.5f) / (float)height,
				  light = 100, swap = u;
			if (turn & 4)
				u = v, v = swap;
			u = turn & 1 ? 1 - u : u, v = turn & 2 ? 1 - v : v;
			for (int b = 0; b < 12; b++)
				light += (blob[b][2] - 0.5f) * 200
					* expf(-(powf(u - blob[b][0], 2) + powf(v - blob[b][1], 2))
						/ (0.005f + 0.03f * blob[b][3]));
			for (int c = 0; c < 3; c++)
				rgb[3 * (y * width + x) + c] = (uint8_t)fmaxf(0, fminf(255, light));
		}
}

static void test_signature(void **state)
{
	(void)state;
	static uint8_t rgb[3 * 300 * 200];
	full_signature original, copy;
	float a[IMS_INVARIANT_DIM], b[IMS_INVARIANT_DIM];
	draw(rgb, 300, 200, 1, 0);
	ims_signature_make(&original, rgb, 300, 200, NULL);
	ims_signature_invariant(a, &original.coarse);
	for (int turn = 0; turn < 8; turn++) {
		int width = turn & 4 ? 77 : 121, height = turn & 4 ? 121 : 77;
		draw(rgb, width, height, 1, turn);
		ims_signature_make(&copy, rgb, (uint32_t)width, (uint32_t)height, NULL);
		ims_signature_invariant(b, &copy.coarse);
		float distance = 0;
		for (int d = 0; d < IMS_INVARIANT_DIM; d++)
			distance += (a[d] - b[d]) * (a[d] - b[d]);
		assert_true(distance < IMS_INVARIANT_RADIUS);
		int found = ims_signature_turn(&original.coarse, &copy.coarse, 0);
		assert_true(found >= 0);
		assert_int_equal(ims_signature_turn(&original.coarse, &copy.coarse, found + 1), -1);
	}
	for (uint64_t other = 2; other < 40; other++) {
		draw(rgb, 121, 77, other, 0);
		ims_signature_make(&copy, rgb, 121, 77, NULL);
		assert_int_equal(ims_signature_turn(&original.coarse, &copy.coarse, 0), -1);
	}

	/* Without structure nothing can be said. */
	memset(rgb, 200, sizeof rgb);
	ims_signature_make(&copy, rgb, 1, 1, NULL);
	assert_int_equal(copy.coarse.luma[500], 200);
	assert_int_equal(ims_signature_turn(&copy.coarse, &copy.coarse, 0), -1);
	ims_signature_invariant(b, &copy.coarse);
	for (int d = 0; d < IMS_INVARIANT_DIM; d++)
		assert_true(b[d] == 0);
}

/*
 * The middle, an edge and a corner of a picture, mirrored or darker, are laid out as it is; other
 * pictures are not.
 */
static void test_layout(void **state)
{
	(void)state;
	enum { WIDTH = 320, HEIGHT = 200, W = WIDTH * 9 / 10, H = HEIGHT * 9 / 10 };
	static uint8_t rgb[3 * WIDTH * HEIGHT], part[3 * W * H];
	full_signature original, other;
	draw(rgb, WIDTH, HEIGHT, 1, 0);
	ims_signature_make(&original, rgb, WIDTH, HEIGHT, NULL);
	for (int at = 0; at < 9; at++) {
		int x0 = (WIDTH - W) * (at % 3) / 2, y0 = (HEIGHT - H) * (at / 3) / 2;
		for (int y = 0; y < H; y++)
			for (int x = 0; x < 3 * W; x++)
				part[y * 3 * W + x] = (uint8_t)(rgb[(y0 + y) * 3 * WIDTH + 3 * x0 + x] / 2 + 10);
		ims_signature_make(&other, part, W, H, NULL);
		assert_true(ims_signature_correlation(&original.coarse, &other.coarse) > 0.9f
			&& ims_signature_correlation(&other.coarse, &original.coarse) > 0.9f);
	}
	draw(rgb, WIDTH, HEIGHT, 1, 1);
	ims_signature_make(&other, rgb, WIDTH, HEIGHT, NULL);
	assert_true(ims_signature_correlation(&original.coarse, &other.coarse) > 0.99f);
	for (uint64_t seed = 2; seed < 40; seed++) {
		draw(rgb, 121, 77, seed, 0);
		ims_signature_make(&other, rgb, 121, 77, NULL);
		assert_true(ims_signature_correlation(&original.coarse, &other.coarse) < 0.75f);
		assert_float_equal(ims_signature_correlation(&original.coarse, &other.coarse),
			ims_signature_correlation(&other.coarse, &original.coarse), 1e-6);
	}
	memset(other.coarse.luma, 200, sizeof other.coarse.luma);
	assert_true(ims_signature_correlation(&original.coarse, &other.coarse) == 0
		&& ims_signature_correlation(&other.coarse, &other.coarse) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tsne),
		cmocka_unit_test(test_tsne_few),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_grid),
		cmocka_unit_test(test_components),
		cmocka_unit_test(test_cliques),
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_layout),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
