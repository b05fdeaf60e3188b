/* Lists of items: filtered, in an order that is stable, page by page. */
#include "described.h"

/* The names of items, each with a blank behind it. */
typedef struct names {
	char text[4000];
	size_t stop_at, n; /* stop_at: the callback ends the list with 77 */
} names;

static int add_name(void *user, const imgsearch_item *item)
{
	names *all = user;
	const char *slash = strrchr(item->path, '/');
	assert_null(item->paths);
	strcat(strcat(all->text, slash ? slash + 1 : item->path), " ");
	return ++all->n == all->stop_at ? 77 : 0;
}

static void is_list(imgsearch *s, const imgsearch_item_list_options *o, const char *expected,
	uint64_t expected_total)
{
	names all = { 0 }, quick = { 0 };
	uint64_t total;
	works(imgsearch_item_list(s, o, add_name, &all, NULL, &total, &err));
	assert_string_equal(all.text, expected);
	assert_int_equal(total, expected_total);
	works(imgsearch_item_list(s, o, add_name, &quick, NULL, NULL, &err));
	assert_string_equal(quick.text, expected);
}

/*
 * a.png: no date, 5; b.png: 2022, 3; b2.png, a copy of it; c.png: 2021-06-01, 3; d.png: 2022-01-01,
 * no rating; e.txt; a vector without a name. The ids are in another order.
 */
static imgsearch *make_index(const scene *sc)
{
	float row[48] = { 1 };
	photo_xmp(sc, "d.png", 4, XMP("xmp:CreateDate='2022-01-01'", ""));
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	photo_xmp(sc, "a.png", 1, XMP("xmp:Rating='5'", ""));
	photo_xmp(sc, "b.png", 2, XMP("xmp:CreateDate='2022' xmp:Rating='3'", ""));
	photo_xmp(sc, "c.png", 3, XMP("xmp:CreateDate='2021-06-01' xmp:Rating='3'", ""));
	shell("cd '%s' && cp b.png b2.png && echo text >e.txt", sc->photos);
	scene_index(s, NULL);
	works(
		imgsearch_vectors_add(s, row, 1, 48, WITH_IDS((const int64_t[]){ 900 }), NULL, NULL, &err));
	return s;
}

static void orders(void **state)
{
	static const struct {
		uint32_t sort, descending;
		const char *expected;
	} cases[] = {
		{ IMGSEARCH_SORT_PATH, 0, "a.png b.png b2.png c.png d.png e.txt id:900 " },
		{ IMGSEARCH_SORT_PATH, 1, "id:900 e.txt d.png c.png b2.png b.png a.png " },
		/* 2022 counts as its beginning; a copy has the date of its twin; then those without */
		{ IMGSEARCH_SORT_DATE, 0, "c.png b.png b2.png d.png a.png e.txt id:900 " },
		{ IMGSEARCH_SORT_DATE, 1, "b.png b2.png d.png c.png a.png e.txt id:900 " },
		{ IMGSEARCH_SORT_RATING, 0, "b.png b2.png c.png a.png d.png e.txt id:900 " },
		{ IMGSEARCH_SORT_RATING, 1, "a.png b.png b2.png c.png d.png e.txt id:900 " },
		{ IMGSEARCH_SORT_ID, 0, "d.png a.png b.png b2.png c.png e.txt id:900 " },
		{ IMGSEARCH_SORT_ID, 1, "id:900 e.txt c.png b2.png b.png a.png d.png " },
	};
	const scene *sc = *state;
	imgsearch *s = make_index(sc);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		imgsearch_item_list_options o = IMGSEARCH_INIT(imgsearch_item_list_options);
		o.sort = cases[i].sort;
		o.descending = cases[i].descending;
		is_list(s, &o, cases[i].expected, 7);
		/* pages of every length put together are the list */
		for (o.limit = 1; o.limit <= 8; o.limit++) {
			names all = { 0 };
			for (o.offset = 0; o.offset < 9; o.offset += o.limit)
				works(imgsearch_item_list(s, &o, add_name, &all, NULL, NULL, &err));
			assert_string_equal(all.text, cases[i].expected);
		}
	}
	imgsearch_item_list_options o = IMGSEARCH_INIT(imgsearch_item_list_options);
	o.offset = 7;
	is_list(s, &o, "", 7);
	o.offset = UINT64_MAX;
	is_list(s, &o, "", 7);
	o.offset = 6;
	o.limit = UINT64_MAX;
	is_list(s, &o, "id:900 ", 7);
	imgsearch_close(s);
}

/* Those without a value come last, in order of path: also where nothing has one. */
static void an_order_by_what_nobody_has(void **state)
{
	const scene *sc = *state;
	for (unsigned i = 0; i < 3; i++)
		photo(sc, (const char *[]){ "b.png", "a.png", "c.png" }[i], i);
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	for (uint32_t i = 0; i < 4; i++) {
		imgsearch_item_list_options o = IMGSEARCH_INIT(imgsearch_item_list_options);
		o.sort = i / 2 ? IMGSEARCH_SORT_DATE : IMGSEARCH_SORT_RATING;
		o.descending = i % 2;
		is_list(s, &o, "a.png b.png c.png ", 3);
	}
	imgsearch_close(s);
}

static void filters(void **state)
{
	const scene *sc = *state;
	imgsearch *s = make_index(sc);
	imgsearch_filter f = IMGSEARCH_INIT(imgsearch_filter);
	imgsearch_item_list_options o = IMGSEARCH_INIT(imgsearch_item_list_options);
	o.filter = &f;
	is_list(s, &o, "a.png b.png b2.png c.png d.png e.txt id:900 ", 7);
	f.columns = "rating = 3";
	is_list(s, &o, "b.png b2.png c.png ", 3);
	o.sort = IMGSEARCH_SORT_DATE;
	o.limit = 2;
	is_list(s, &o, "c.png b.png ", 3);
	o.states = 1u << IMGSEARCH_STATE_DUPLICATE;
	is_list(s, &o, "b2.png ", 1);
	o.states = 1u << IMGSEARCH_STATE_UNSUPPORTED;
	is_list(s, &o, "", 0);
	f.columns = NULL;
	is_list(s, &o, "e.txt ", 1);
	o.states = 0;
	o.limit = 0;
	o.sort = IMGSEARCH_SORT_PATH;
	const int64_t ids[] = { 900, id_of(s, sc, "c.png"), id_of(s, sc, "c.png"), 77 };
	f.ids = ids;
	f.n_ids = 4;
	is_list(s, &o, "c.png id:900 ", 2);
	f.ids = NULL;
	f.n_ids = 0;
	const char *folders[] = { "/nowhere", sc->photos };
	f.folders = folders;
	f.n_folders = 1;
	is_list(s, &o, "", 0);
	f.n_folders = 2;
	is_list(s, &o, "a.png b.png b2.png c.png d.png e.txt ", 6);
	char path[300];
	snprintf(path, sizeof path, "%s/b.png", sc->photos);
	folders[1] = path;
	is_list(s, &o, "b.png ", 1);
	folders[1] = sc->dir;
	is_list(s, &o, "a.png b.png b2.png c.png d.png e.txt ", 6);
	f.folders = NULL;
	f.n_folders = 0;
	f.columns = "nothing = 1";
	fails(IMGSEARCH_EINVAL, imgsearch_item_list(s, &o, add_name, NULL, NULL, NULL, &err));
	imgsearch_close(s);
}

/* In the given order, an id as often as it is given, and ids without an item left out. */
static void given_ids(void **state)
{
	const scene *sc = *state;
	imgsearch *s = make_index(sc);
	const int64_t c = id_of(s, sc, "c.png"), e = id_of(s, sc, "e.txt"),
				  ids[] = { c, 77, 900, e, c };
	imgsearch_filter f = IMGSEARCH_INIT(imgsearch_filter);
	imgsearch_item_list_options o = IMGSEARCH_INIT(imgsearch_item_list_options);
	o.sort = IMGSEARCH_SORT_GIVEN;
	fails(IMGSEARCH_EINVAL, imgsearch_item_list(s, &o, add_name, NULL, NULL, NULL, &err));
	o.filter = &f;
	fails(IMGSEARCH_EINVAL, imgsearch_item_list(s, &o, add_name, NULL, NULL, NULL, &err));
	f.ids = ids;
	is_list(s, &o, "", 0);
	f.n_ids = 5;
	is_list(s, &o, "c.png id:900 e.txt c.png ", 4);
	o.descending = 1;
	is_list(s, &o, "c.png e.txt id:900 c.png ", 4);
	o.offset = 1;
	o.limit = 2;
	is_list(s, &o, "e.txt id:900 ", 4);
	o.states = 1u << IMGSEARCH_STATE_INDEXED;
	is_list(s, &o, "id:900 c.png ", 3);
	f.columns = "rating = 3";
	is_list(s, &o, "c.png ", 2);
	imgsearch_close(s);
}

/* A callback's number is returned, with and without an order. */
static void stopped(void **state)
{
	const scene *sc = *state;
	imgsearch *s = make_index(sc);
	const int64_t ids[] = { 1, 2, 3 };
	imgsearch_filter f = IMGSEARCH_INIT(imgsearch_filter);
	f.ids = ids;
	f.n_ids = 3;
	for (uint32_t sort = 0; sort <= IMGSEARCH_SORT_GIVEN; sort++) {
		imgsearch_item_list_options o = IMGSEARCH_INIT(imgsearch_item_list_options);
		names all = { .stop_at = 2 };
		o.sort = sort;
		o.filter = &f;
		assert_int_equal(imgsearch_item_list(s, &o, add_name, &all, NULL, NULL, NULL), 77);
		assert_int_equal(all.n, 2);
	}
	imgsearch_info *info;
	works(imgsearch_info_get(s, NULL, &info, &err));
	assert_int_equal(info->dated, 3);
	imgsearch_info_free(info);
	imgsearch_close(s);
}

int main(void)
{
#define on_scene(test) cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		on_scene(orders),
		on_scene(an_order_by_what_nobody_has),
		on_scene(filters),
		on_scene(given_ids),
		on_scene(stopped),
	};
	return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
