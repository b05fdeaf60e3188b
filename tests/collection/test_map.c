/* imgsearch_map_compute and imgsearch_map_grid through the public header. */
#include "collection.h"

enum { N = 60, DIM = 8 };

/* Three clouds of bare vectors, of ids 0 to N - 1: i is in cloud i % 3. */
static imgsearch *with_clouds(const scene *sc)
{
	uint64_t seed = 5;
	float rows[N * DIM];
	for (size_t i = 0; i < N * DIM; i++)
		rows[i] = (i % DIM == i / DIM % 3) + 0.1f * (float)ims_random_unit(&seed);
	imgsearch *s = scene_open(sc);
	assert_int_equal(imgsearch_vectors_add(s, rows, N, DIM, NULL, NULL, NULL, NULL), 0);
	return s;
}

static imgsearch_map *map_of(imgsearch *s, imgsearch_map_options o)
{
	imgsearch_error err = { 0 };
	imgsearch_map *points;
	o.struct_size = sizeof o;
	if (imgsearch_map_compute(s, &o, NULL, &points, &err))
		fail_msg("map: %s", err.message);
	return points;
}

/* Every point in 0..1, by id; the longer side of the map has both ends. */
static void assert_in_frame(const imgsearch_map *p)
{
	float low[2] = { 1, 1 }, high[2] = { 0, 0 };
	for (size_t i = 0; i < p->count; i++) {
		const float xy[2] = { p->items[i]->x, p->items[i]->y };
		assert_true(!i || p->items[i]->id > p->items[i - 1]->id);
		for (int c = 0; c < 2; c++) {
			assert_true(xy[c] >= 0 && xy[c] <= 1);
			low[c] = xy[c] < low[c] ? xy[c] : low[c];
			high[c] = xy[c] > high[c] ? xy[c] : high[c];
		}
	}
	assert_true(low[0] == 0 && low[1] == 0);
	assert_true(high[0] == 1 || high[1] == 1);
}

static bool same_points(const imgsearch_map *a, const imgsearch_map *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->items[i]->x != b->items[i]->x || a->items[i]->y != b->items[i]->y)
			return false;
	return a->count == b->count;
}

static void a_seed_gives_one_map(void **state)
{
	imgsearch *s = with_clouds(*state);
	imgsearch_map *first = map_of(s, (imgsearch_map_options){ .seed = 7 });
	imgsearch_map *again = map_of(s, (imgsearch_map_options){ .seed = 7 });
	imgsearch_map *pca = map_of(s, (imgsearch_map_options){ .pca = 1 });
	assert_int_equal(first->count, N);
	assert_true(same_points(first, again));
	assert_false(same_points(first, pca));
	assert_in_frame(first);
	assert_in_frame(pca);
	imgsearch_map_free(first);
	imgsearch_map_free(again);
	imgsearch_map_free(pca);
	imgsearch_close(s);
}

static double distance(const imgsearch_map_point *a, const imgsearch_map_point *b)
{
	return (double)((a->x - b->x) * (a->x - b->x) + (a->y - b->y) * (a->y - b->y));
}

static void like_ones_are_near_each_other(void **state)
{
	imgsearch *s = with_clouds(*state);
	for (uint32_t pca = 0; pca < 2; pca++) {
		imgsearch_map *p = map_of(s, (imgsearch_map_options){ .pca = pca });
		for (size_t i = 0; i < N; i++) {
			size_t nearest = i ? 0 : 1;
			for (size_t j = 0; j < N; j++)
				if (j != i
					&& distance(p->items[i], p->items[j])
						< distance(p->items[i], p->items[nearest]))
					nearest = j;
			assert_int_equal(nearest % 3, i % 3);
		}
		imgsearch_map_free(p);
	}
	imgsearch_close(s);
}

static void large_indexes_are_thinned_evenly(void **state)
{
	imgsearch *s = with_clouds(*state);
	imgsearch_map *p = map_of(s, (imgsearch_map_options){ .max_points = 20 });
	assert_int_equal(p->count, 20);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(p->items[i]->id, 3 * i);
	imgsearch_map_free(p);
	imgsearch_close(s);
}

static void a_folder_has_a_map_of_its_own(void **state)
{
	scene *sc = *state;
	char sub[200];
	shell("mkdir '%s/sub'", sc->photos);
	draw_photos(sc, 3);
	photo(sc, "sub/a.png", 50);
	photo(sc, "sub/b.png", 51);
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	snprintf(sub, sizeof sub, "%s/sub", sc->photos);
	imgsearch_map *p = map_of(s, (imgsearch_map_options){ .filter = BELOW(sub) });
	assert_int_equal(p->count, 2);
	assert_int_equal(p->items[0]->id + p->items[1]->id,
		id_of(s, sc, "sub/a.png") + id_of(s, sc, "sub/b.png"));
	assert_in_frame(p);
	imgsearch_map_free(p);
	imgsearch_close(s);
}

static void few_points_have_a_place(void **state)
{
	const float row[2] = { 1, 0 };
	imgsearch *s = scene_open(*state);
	imgsearch_map *p = map_of(s, (imgsearch_map_options){ 0 });
	assert_int_equal(p->count, 0);
	imgsearch_map_free(p);
	assert_int_equal(imgsearch_vectors_add(s, row, 1, 2, NULL, NULL, NULL, NULL), 0);
	p = map_of(s, (imgsearch_map_options){ 0 });
	assert_int_equal(p->count, 1);
	assert_true(p->items[0]->x == 0.5f && p->items[0]->y == 0.5f);
	imgsearch_map_free(p);
	imgsearch_close(s);
}

static void a_grid_gives_each_a_cell_of_its_own(void **state)
{
	enum { COLUMNS = 10, ROWS = 6 };
	imgsearch *s = with_clouds(*state);
	imgsearch_error err = { 0 };
	uint32_t cell[N];
	bool taken[COLUMNS * ROWS] = { false };
	imgsearch_map *p = map_of(s, (imgsearch_map_options){ 0 });
	assert_int_equal(imgsearch_map_grid(p, COLUMNS, ROWS, NULL, cell, sizeof cell / sizeof *cell,
						 &err),
		0);
	for (size_t i = 0; i < N; i++) {
		assert_in_range(cell[i], 0, COLUMNS * ROWS - 1);
		assert_false(taken[cell[i]]);
		taken[cell[i]] = true;
	}
	assert_int_equal(imgsearch_map_grid(p, COLUMNS, ROWS, NULL, cell, N - 1, &err),
		IMGSEARCH_EINVAL);
	assert_int_equal(imgsearch_map_grid(p, N - 1, 1, NULL, cell, sizeof cell / sizeof *cell, &err),
		IMGSEARCH_EINVAL);
	assert_int_equal(err.code, IMGSEARCH_EINVAL);
	assert_true(*err.message);
	imgsearch_map_free(p);
	imgsearch_close(s);
}

static void a_grid_keeps_places(void **state)
{
	(void)state;
	const imgsearch_map_point point[] = { { 1, 0, 0 }, { 2, 1, 0 }, { 3, 0, 1 }, { 4, 1, 1 },
		{ 5, 0.5f, 0.5f } };
	const imgsearch_map_point *const items[] = { &point[0], &point[1], &point[2], &point[3],
		&point[4] };
	const imgsearch_map points = { 5, items };
	uint32_t cell[5];
	assert_int_equal(imgsearch_map_grid(&points, 3, 3, NULL, cell, sizeof cell / sizeof *cell,
						 NULL),
		0);
	const uint32_t wanted[] = { 0, 2, 6, 8, 4 };
	assert_memory_equal(cell, wanted, sizeof wanted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_seed_gives_one_map),
		TEST(like_ones_are_near_each_other),
		TEST(large_indexes_are_thinned_evenly),
		TEST(a_folder_has_a_map_of_its_own),
		TEST(few_points_have_a_place),
		TEST(a_grid_gives_each_a_cell_of_its_own),
		cmocka_unit_test(a_grid_keeps_places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
