/*
 * Filters by what pictures say of themselves: query, range, batch, vectors, near-duplicates, map
 * and evaluation have those that match, and as many as were asked for where so many match.
 */
#include "described.h"

#include "imgsearch/eval.h"

enum { N = 300 };

static imgsearch_filter where(const char *text)
{
	imgsearch_filter f = IMGSEARCH_INIT(imgsearch_filter);
	f.columns = text;
	return f;
}

/*
 * photos/000.png ...: number i was taken on day i % 28 + 1 of month i / 28 + 1 of 2020 (each
 * tenth has no date), has the rating i % 6, and every third one was taken with a
 * camera "Canon".
 */
static imgsearch *make_index(const scene *sc)
{
	char name[20], xmp[2000];
	for (unsigned i = 0; i < N; i++) {
		snprintf(name, sizeof name, "%03u.png", i);
		snprintf(xmp, sizeof xmp, "%s%s xmp:Rating='%u' %s/>%s", XMP_HEAD, "", i % 6,
			i % 3 ? "" : "tiff:Make='Canon' tiff:Model='EOS'", "</rdf:RDF></x:xmpmeta>");
		if (i % 10)
			snprintf(xmp, sizeof xmp, "%s xmp:CreateDate='2020-%02u-%02u' xmp:Rating='%u' %s/>%s",
				XMP_HEAD, i / 28 + 1, i % 28 + 1, i % 6,
				i % 3 ? "" : "tiff:Make='Canon' tiff:Model='EOS'", "</rdf:RDF></x:xmpmeta>");
		photo_xmp(sc, name, i, xmp);
	}
	imgsearch *s = scene_open(sc);
	assert_int_equal(scene_index(s, sc->photos).indexed, N);
	return s;
}

/* What the conditions below say of number i. */
static bool is_rated(unsigned i)
{
	return i % 6 >= 4;
}

static bool is_of_may(unsigned i)
{
	return i % 10 && i / 28 + 1 == 5;
}

static bool is_none(unsigned i)
{
	(void)i;
	return false;
}

static bool is_any(unsigned i)
{
	(void)i;
	return true;
}

static bool is_one(unsigned i)
{
	return i == 137;
}

static bool is_undated(unsigned i)
{
	return !(i % 10);
}

static bool is_not_of_may(unsigned i)
{
	return i % 10 && !is_of_may(i);
}

static bool is_canon_from_june(unsigned i)
{
	return !(i % 3) && i % 10 && i / 28 + 1 >= 6;
}

static const struct {
	const char *text;
	bool (*holds)(unsigned i);
} conditions[] = {
	{ "rating >= 4", is_rated },
	{ "date = 2020-05", is_of_may },
	{ "not date = 2020-05", is_not_of_may }, /* those without a date are in neither */
	{ "not has(date)", is_undated },
	{ "rating > 5", is_none },
	{ "has(rating)", is_any },
	{ "date = 2020-05-26", is_one },
	{ "date >= 2020-06 and camera ~ 'canon'", is_canon_from_june },
};

static unsigned number_of(const char *path)
{
	return (unsigned)atoi(strrchr(path, '/') + 1);
}

static void check_hits(const imgsearch_hits *hits, size_t c, size_t k)
{
	size_t matching = 0;
	for (unsigned i = 0; i < N; i++)
		matching += conditions[c].holds(i);
	if (hits->count != (matching < k ? matching : k))
		fail_msg("%s: %zu hits of %zu, k %zu (%s)", conditions[c].text, hits->count, matching, k,
			hits->plan);
	for (size_t i = 0; i < hits->count; i++)
		if (!conditions[c].holds(number_of(hits->items[i]->path)))
			fail_msg("%s: %s", conditions[c].text, hits->items[i]->path);
}

/* Every searcher, and k below and above what matches. */
static void queries(void **state)
{
	static const char *const searchers[] = { "scan", "exact", "kdtree", "pca", "graph" };
	static const uint32_t ks[] = { 1, 10, 100, 1000 };
	const scene *sc = *state;
	imgsearch *s = make_index(sc);
	imgsearch_input in = imgsearch_input_item(id_of(s, sc, "050.png"));
	for (size_t b = 0; b < 5; b++) {
		imgsearch_build_options build = IMGSEARCH_INIT(imgsearch_build_options);
		build.searcher = searchers[b];
		if (b)
			works(imgsearch_build(s, &build, NULL, NULL, &err));
		for (size_t c = 0; c < sizeof conditions / sizeof *conditions; c++)
			for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
				imgsearch_hits *hits;
				imgsearch_answers *answers;
				imgsearch_filter f = where(conditions[c].text);
				imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
				o.k = ks[i];
				o.filter = &f;
				o.searcher = searchers[b];
				works(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
				check_hits(hits, c, ks[i]);
				imgsearch_hits_free(hits);
				works(imgsearch_batch_query(s, &in, 1, &o, NULL, &answers, &err));
				check_hits(answers->items[0]->hits, c, ks[i]);
				imgsearch_answers_free(answers);
			}
	}
	imgsearch_close(s);
}

/* With folders, ids and a function; since and until are wall clocks. */
static void combined(void **state)
{
	const scene *sc = *state;
	imgsearch *s = make_index(sc);
	int64_t ids[] = { id_of(s, sc, "011.png"), id_of(s, sc, "010.png"), id_of(s, sc, "017.png") };
	imgsearch_input in = imgsearch_input_item(ids[0]);
	imgsearch_filter f = where("rating >= 4"); /* 10, 11, 16, 17, 22 ... */
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_hits *hits;
	o.k = 100;
	o.filter = &f;
	f.ids = ids;
	f.n_ids = 3;
	works(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
	assert_int_equal(hits->count, 3);
	imgsearch_hits_free(hits);
	f.since = 1578787200; /* 12 January 2020 */
	works(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
	assert_int_equal(hits->count, 2); /* 11 and 17; 10 has no date */
	imgsearch_hits_free(hits);
	f.since++;
	works(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
	assert_int_equal(hits->count, 1); /* a day without a clock is its beginning */
	imgsearch_hits_free(hits);
	f.since = 0;
	f.until = 1578787200;
	works(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
	assert_int_equal(hits->count, 0);
	imgsearch_hits_free(hits);
	f.until++;
	f.columns = NULL;
	works(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
	assert_int_equal(hits->count, 1);
	imgsearch_hits_free(hits);
	f = where("rating >= 4");
	const char *elsewhere = "/nowhere";
	f.folders = &elsewhere;
	f.n_folders = 1;
	works(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
	assert_int_equal(hits->count, 0);
	imgsearch_hits_free(hits);
	elsewhere = sc->photos;
	works(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
	assert_int_equal(hits->count, 100);
	imgsearch_hits_free(hits);
	imgsearch_close(s);
}

/* Columns of a CSV, which win over those of the file; a column that no picture has. */
static void columns_of_a_csv(void **state)
{
	static const char table[] = "file,Artist,rating\n000.png,Albers,5\n001.png,,\n002.png,Klee,1\n";
	static const struct {
		const char *text;
		size_t n;
	} cases[] = {
		{ "artist = 'albers'", 1 },
		{ "has(artist)", 2 },
		{ "not artist = 'albers'", 1 },
		{ "rating = 5", 1 + N / 6 }, /* 000 by the CSV, and 5, 11 ... by the file */
		{ "rating = 1", 1 + N / 6 }, /* 001, whose cell is empty, 7, 13 ..., and 002 */
		{ "width = 48 and height = 48", N },
		{ "width > 48", 0 },
	};
	static const struct {
		const char *text, *said;
	} bad[] = {
		{ "rating >= 4 and ratng < 5", "no picture has a column \"ratng\"" },
		{ "file", "an operator is missing" },
		{ "path = 'x'", "no picture has a column \"path\"" },
	};
	const scene *sc = *state;
	char csv[200];
	imgsearch *s = make_index(sc);
	imgsearch_input in = imgsearch_input_item(id_of(s, sc, "000.png"));
	write_file(sc, "../c.csv", table, sizeof table - 1);
	snprintf(csv, sizeof csv, "%s/c.csv", sc->dir);
	imgsearch_index_update_options o = IMGSEARCH_INIT(imgsearch_index_update_options);
	o.csv = csv;
	scene_update(s, NULL, 0, &o);
	imgsearch_query_options q = IMGSEARCH_INIT(imgsearch_query_options);
	q.k = 1000;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		imgsearch_filter f = where(cases[i].text);
		imgsearch_hits *hits;
		q.filter = &f;
		works(imgsearch_query(s, &in, 1, &q, NULL, &hits, &err));
		if (hits->count != cases[i].n)
			fail_msg("%s: %zu", cases[i].text, hits->count);
		imgsearch_hits_free(hits);
	}
	has_columns(s, sc, "001.png",
		"file=001.png Artist= rating=1 date=2020-01-02 date_from=xmp:CreateDate");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		imgsearch_filter f = where(bad[i].text);
		imgsearch_hits *hits;
		imgsearch_error err;
		q.filter = &f;
		assert_int_equal(imgsearch_query(s, &in, 1, &q, NULL, &hits, &err), IMGSEARCH_EINVAL);
		if (!strstr(err.message, bad[i].said))
			fail_msg("%s: %s", bad[i].text, err.message);
	}
	imgsearch_close(s);
}

/* Copies match where the picture does that they are copies of. */
static void near_duplicates(void **state)
{
	const scene *sc = *state;
	imgsearch_groups *groups;
	photo_xmp(sc, "a.png", 1, XMP("xmp:Rating='1'", ""));
	photo_xmp(sc, "b.png", 2, XMP("xmp:Rating='2'", ""));
	photo(sc, "c.png", 3);
	shell("cd '%s' && cp a.png a2.png && cp b.png b2.png && cp c.png c2.png", sc->photos);
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	static const struct {
		const char *text;
		size_t n;
	} cases[] = { { NULL, 3 }, { "rating = 1", 1 }, { "rating >= 1", 2 }, { "not rating = 1", 1 },
		{ "rating = 9", 0 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		imgsearch_filter f = where(cases[i].text);
		imgsearch_groups_options o = IMGSEARCH_INIT(imgsearch_groups_options);
		o.filter = &f;
		o.kinds = 1u << IMGSEARCH_SAMENESS_BYTES;
		works(imgsearch_groups_find(s, &o, NULL, &groups, &err));
		assert_int_equal(groups->count, cases[i].n);
		for (size_t g = 0; g < groups->count; g++)
			assert_int_equal(groups->items[g]->count, 2);
		imgsearch_groups_free(groups);
	}
	imgsearch_close(s);
}

static void map_and_evaluation(void **state)
{
	const scene *sc = *state;
	imgsearch *s = make_index(sc);
	imgsearch_filter f = where("rating = 5");
	imgsearch_map_options o = IMGSEARCH_INIT(imgsearch_map_options);
	imgsearch_map *map;
	o.filter = &f;
	o.pca = 1;
	works(imgsearch_map_compute(s, &o, NULL, &map, &err));
	assert_int_equal(map->count, N / 6);
	imgsearch_map_free(map);
	imgsearch_eval_options e = IMGSEARCH_INIT(imgsearch_eval_options);
	imgsearch_eval_report *report;
	works(imgsearch_eval_run(s, &e, NULL, &report, &err));
	assert_int_equal(report->pictures, N);
	imgsearch_eval_report_free(report);
	e.filter = &f;
	works(imgsearch_eval_run(s, &e, NULL, &report, &err));
	assert_int_equal(report->pictures, N / 6);
	assert_int_equal(report->all->queries, N / 6);
	imgsearch_eval_report_free(report);
	f = where("rating > 5");
	fails(IMGSEARCH_ENOTFOUND, imgsearch_eval_run(s, &e, NULL, &report, &err));
	f = where("rating >");
	fails(IMGSEARCH_EINVAL, imgsearch_eval_run(s, &e, NULL, &report, &err));
	imgsearch_close(s);
}

int main(void)
{
#define on_scene(test) cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		on_scene(queries),
		on_scene(combined),
		on_scene(columns_of_a_csv),
		on_scene(near_duplicates),
		on_scene(map_and_evaluation),
	};
	return cmocka_run_group_tests_name("conditions", tests, NULL, NULL);
}
