/*
 * What the library writes and reads does not depend on the program's locale, and stays readable
 * where an older version wrote it with decimal commas. Skipped where no German locale can be made.
 */
#include "german.h"
#include "files/wildcard.h"
#include "scene.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>

static void german(const scene *sc)
{
	if (!speak_german(sc->dir)) {
		print_message("# no de_DE.UTF-8, and localedef cannot make it\n");
		skip();
	}
}

static int plain_again(void **state)
{
	setlocale(LC_ALL, "C");
	return scene_teardown(state);
}

/* ------------------------------------------------------------------------------ the ground ---- */

static void *print_commas(void *stop)
{
	char text[8];
	intptr_t wrong = 0;
	do {
		snprintf(text, sizeof text, "%.1f", 1.5);
		wrong += strcmp(text, "1,5") != 0;
	} while (!atomic_load((atomic_bool *)stop));
	return (void *)wrong;
}

static void text_in_the_c_locale(void **state)
{
	char text[40], *end;
	atomic_bool stop = false;
	pthread_t other;
	void *wrong;
	german(*state);
	assert_int_equal(pthread_create(&other, NULL, print_commas, &stop), 0);
	for (int i = 0; i < 20000; i++) {
		assert_int_equal(ims_print(text, sizeof text, "%.2f %g", 1234.5, 1e-7), 13);
		assert_string_equal(text, "1234.50 1e-07");
		assert_true(ims_parse_f32("0.25x", &end) == 0.25f && *end == 'x');
	}
	atomic_store(&stop, true);
	pthread_join(other, &wrong);
	assert_null(wrong); /* no other thread saw a point */
	snprintf(text, sizeof text, "%.1f", 1.5);
	assert_string_equal(text, "1,5");
	assert_true(ims_parse_f32("0,25", &end) == 0 && *end == ',');
	assert_string_equal(ims_errno_text(ENOENT), "No such file or directory");
	assert_true(ims_wildcard_matches("*.j?g", "a.jpg", 0));
	assert_false(ims_wildcard_matches("[a-z]", "\xc3\xa4", WILDCARD_UTF8));
	errno = 77;
	ims_print(text, sizeof text, "%d", 1);
	assert_int_equal(errno, 77);
}

static void letters_by_ascii(void **state)
{
	scene *sc = *state;
	char url[200];
	imgsearch *s;
	assert_true(ims_same_letters("FILE", "file", 4));
	assert_false(ims_same_letters("FILE", "filf", 4));
	if (!setlocale(LC_ALL, "tr_TR.UTF-8")
		&& !(locale_make(sc->dir, "tr_TR") && setlocale(LC_ALL, "tr_TR.UTF-8")))
		skip();
	assert_true(ims_same_letters("FILE", "file", 4));
	snprintf(url, sizeof url, "FILE://%s", sc->db);
	works(imgsearch_open(url, NULL, NULL, &s, &err));
	imgsearch_close(s);
}

/* ------------------------------------------------------------------------------- the index ---- */

static void fill(const scene *sc)
{
	for (unsigned i = 0; i < 12; i++) {
		char name[20];
		snprintf(name, sizeof name, "%u.png", i);
		photo(sc, name, i);
	}
}

/* The text that the index keeps of its recipe, into text; or sets it, where `set` is not NULL. */
static void recipe_of(const char *db, const char *set, char *text, size_t size)
{
	sqlite3 *c;
	sqlite3_stmt *st;
	assert_int_equal(sqlite3_open(db, &c), SQLITE_OK);
	const char *sql = set ? "UPDATE model SET recipe = ?1" : "SELECT recipe FROM model";
	assert_int_equal(sqlite3_prepare_v2(c, sql, -1, &st, NULL), SQLITE_OK);
	if (set)
		sqlite3_bind_text(st, 1, set, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(st), set ? SQLITE_DONE : SQLITE_ROW);
	if (!set)
		snprintf(text, size, "%s", (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	sqlite3_close(c);
}

/* Asks, adds, builds and updates: all of it needs the recipe. */
static void use(const scene *sc, unsigned picture)
{
	char path[200];
	imgsearch *s = scene_open(sc);
	imgsearch_hits *hits;
	imgsearch_build_report *built;
	snprintf(path, sizeof path, "%s/new%u.png", sc->dir, picture);
	draw(path, picture);
	imgsearch_input in = imgsearch_input_file(path);
	works(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err));
	assert_true(hits->count > 0);
	imgsearch_hits_free(hits);
	works(imgsearch_index_add(s, &in, NULL, NULL, NULL, &err));
	works(imgsearch_build(s, NULL, NULL, &built, &err));
	assert_null(strstr(built->why, "0,"));
	imgsearch_build_report_free(built);
	scene_counts n = scene_index(s, sc->photos);
	assert_int_equal(n.added, 0);
	assert_int_equal(n.unchanged, 12);
	imgsearch_close(s);
}

static void made_in(const scene *sc, char *recipe, size_t size)
{
	imgsearch *s = scene_open(sc);
	assert_int_equal(scene_index(s, sc->photos).added, 12);
	imgsearch_close(s);
	recipe_of(sc->db, NULL, recipe, size);
}

static void an_index_of_each_in_the_other(void **state)
{
	scene *sc = *state;
	char plain[300], comma[300];
	fill(sc);
	made_in(sc, plain, sizeof plain);
	german(sc);
	use(sc, 100);
	shell("rm -f '%s'*", sc->db);
	made_in(sc, comma, sizeof comma);
	assert_string_equal(comma, plain);
	use(sc, 101);
	setlocale(LC_ALL, "C");
	use(sc, 102);
}

/* The locale changes while an index is open. */
static void the_locale_changes(void **state)
{
	scene *sc = *state;
	fill(sc);
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	german(sc);
	assert_int_equal(scene_index(s, sc->photos).unchanged, 12);
	photo(sc, "more.png", 50);
	assert_int_equal(scene_index(s, sc->photos).added, 1);
	imgsearch_close(s);
}

/* Two sentences with numbers: the reason for a searcher, and a limit. */
static void sentences(void **state)
{
	enum { N = 3000, DIM = 32 };
	scene *sc = *state;
	static float rows[N * DIM];
	uint64_t seed = 1;
	imgsearch *s;
	imgsearch_build_report *built;
	german(sc);
	for (size_t i = 0; i < N * DIM; i++)
		rows[i] = (float)(ims_random(&seed) >> 40);
	works(imgsearch_open(":memory:", NULL, NULL, &s, &err));
	works(imgsearch_vectors_add(s, rows, N, DIM, NULL, NULL, NULL, &err));
	imgsearch_build_options o = IMGSEARCH_INIT(imgsearch_build_options);
	o.searcher = "graph";
	works(imgsearch_build(s, &o, NULL, NULL, &err));
	imgsearch_info *info;
	works(imgsearch_info_get(s, NULL, &info, &err));
	const char *note = info->searchers->items[0]->note;
	assert_non_null(strstr(note, "measured 0.9"));
	assert_null(strstr(note, "0,9"));
	imgsearch_info_free(info);
	o.searcher = "auto";
	works(imgsearch_build(s, &o, NULL, &built, &err));
	assert_true(!built->why[0] || !strstr(built->why, ",9 dimensions"));
	imgsearch_build_report_free(built);
	imgsearch_close(s);
}

/* ------------------------------------------------------------------- recipes with commas ---- */

typedef struct reading {
	const char *mean, *std; /* as text */
	float m[3], s[3];
	int rc;
} reading;

static void reads(const scene *sc, const reading *r)
{
	char text[300];
	imgsearch_info *info = NULL;
	imgsearch_error err = { 0 };
	snprintf(text, sizeof text,
		"network=mobilenet_v3_large resize=256 crop=224 mean=%s std=%s bicubic=0", r->mean, r->std);
	recipe_of(sc->db, text, NULL, 0);
	imgsearch *s = scene_open(sc);
	int rc = imgsearch_info_get(s, NULL, &info, &err);
	imgsearch_close(s);
	if (rc != r->rc)
		fail_msg("%s: %d %s", text, rc, err.message);
	if (rc) {
		assert_non_null(strstr(err.message, "recipe"));
		assert_non_null(strstr(err.message, "damaged"));
	}
	for (int k = 0; !rc && k < 3; k++) {
		assert_true(info->recipe->mean[k] == r->m[k]);
		assert_true(info->recipe->std[k] == r->s[k]);
	}
	imgsearch_info_free(info);
}

static void recipes_with_commas(void **state)
{
	enum { BAD = IMGSEARCH_EFORMAT };
	static const reading all[] = {
		{ "0.485000014,0.456,0.406", "0.2,1,1", { .485f, .456f, .406f }, { .2f, 1, 1 }, 0 },
		{ "0,485000014,0,456,0,405999988", "1,1,1", { .485f, .456f, .406f }, { 1, 1, 1 }, 0 },
		/* not as a number is written */
		{ "0,485000014,0,456000,0,405999988", "1,1,1", { 0 }, { 0 }, BAD },
		{ "0,485000014,00,456,0,405999988", "1,1,1", { 0 }, { 0 }, BAD },
		{ "0,485000014,0,456,0,406", "1,1,1", { 0 }, { 0 }, BAD },
		{ "0,5,0,5,0,5", "0,5,0,25,0,125", { .5f, .5f, .5f }, { .5f, .25f, .125f }, 0 },
		/* 0.5 0.5 1, since 5.1 would be 5,0999999 */
		{ "0,5,0,5,1", "1,1,1", { .5f, .5f, 1 }, { 1, 1, 1 }, 0 },
		{ "0,5,1,1", "1,1,1", { .5f, 1, 1 }, { 1, 1, 1 }, 0 },
		{ "0,5,0,25", "1,1,1", { 0 }, { 0 }, BAD }, /* 0.5 0 25 or 0 5 0.25 */
		{ "0,0,0", "1,1,1", { 0 }, { 1, 1, 1 }, 0 },
		{ "0,-0,5,0", "1,1,1", { 0, -.5f, 0 }, { 1, 1, 1 }, 0 },
		{ "1,52587891e-05,0,5,0", "1,1,1", { 1.52587891e-05f, .5f, 0 }, { 1, 1, 1 }, 0 },
		{ "0,485,0", "1,1,1", { 0, 485, 0 }, { 1, 1, 1 }, 0 }, /* three numbers: no commas */
		{ "0,5", "1,1,1", { 0 }, { 0 }, BAD },
		{ "0,5,0,5,0,5,0", "1,1,1", { 0 }, { 0 }, BAD },
		{ "0,5,0,5,0,", "1,1,1", { 0 }, { 0 }, BAD },
		{ "0.5,0,5,0,5", "1,1,1", { 0 }, { 0 }, BAD }, /* both kinds */
		{ "a,b,c", "1,1,1", { 0 }, { 0 }, BAD },
	};
	scene *sc = *state;
	fill(sc);
	char text[300], was[300];
	made_in(sc, was, sizeof was);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		reads(sc, &all[i]);
	/* what the index had, as a German host wrote it */
	snprintf(text, sizeof text, "%s", was);
	for (char *p = text; *p; p++)
		*p = *p == '.' ? ',' : *p;
	assert_string_not_equal(text, was);
	recipe_of(sc->db, text, NULL, 0);
	use(sc, 100);
	german(sc);
	use(sc, 101);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, scene_setup, plain_again)
	const struct CMUnitTest tests[] = {
		test(text_in_the_c_locale),
		test(letters_by_ascii),
		test(an_index_of_each_in_the_other),
		test(the_locale_changes),
		test(sentences),
		test(recipes_with_commas),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
