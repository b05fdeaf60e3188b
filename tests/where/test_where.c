/* Conditions: what parses, what is true of which values, and logic of three values. */
#include "where/where.h"

#include "test.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* The answer for columns given as "name=value" texts; those that are not given have no value. */
static bool test(const char *text, const char *const *given, size_t n)
{
	const char *values[16] = { 0 };
	imgsearch_error err = { 0 };
	where *w;
	if (ims_where_parse(&w, text, &err))
		fail_msg("%s: %s", text, err.message);
	assert_true(ims_where_columns(w) <= COUNT(values));
	for (size_t i = 0; i < n; i++) {
		char name[100] = "";
		const char *equals = strchr(given[i], '=');
		memcpy(name, given[i], (size_t)(equals - given[i]));
		int column = ims_where_find(w, name);
		if (column >= 0)
			values[column] = equals + 1;
	}
	bool yes = ims_where_test(w, values);
	ims_where_free(w);
	return yes;
}

#define HOLDS(text, ...) \
	if (!test(text, (const char *const[]){ __VA_ARGS__ }, \
			sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))) \
	fail_msg("does not hold: %s", text)
#define FAILS(text, ...) \
	if (test(text, (const char *const[]){ __VA_ARGS__ }, \
			sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))) \
	fail_msg("holds: %s", text)

static void numbers(void **state)
{
	static const struct {
		const char *text;
		bool below, equal, above; /* for 3, 4, 4.5 */
	} cases[] = {
		{ "rating = 4", false, true, false }, { "rating == 4.0", false, true, false },
		{ "rating != 4", true, false, true }, { "rating <> 4", true, false, true },
		{ "rating < 4", true, false, false }, { "rating <= 4", true, true, false },
		{ "rating > 4", false, false, true }, { "rating >= 4", false, true, true },
		{ "RATING>='4'", false, true, true },
		{ "rating >= -1 and rating < 4e0", true, false, false },
		{ "mine >= 4", false, true, true }, /* a column of the CSV, with a number */
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *value[] = { "rating=3", "mine=3" };
		assert_int_equal(test(cases[i].text, value, 2), cases[i].below);
		value[0] = "rating=4", value[1] = "mine=4";
		assert_int_equal(test(cases[i].text, value, 2), cases[i].equal);
		value[0] = "rating=4.5", value[1] = "mine=4.5";
		assert_int_equal(test(cases[i].text, value, 2), cases[i].above);
	}
	FAILS("rating >= 4", "rating=many");
	FAILS("not rating >= 4", "rating=many");
	FAILS("mine < 10", "mine=");
}

static void dates(void **state)
{
	static const struct {
		const char *condition;
		bool april_end, may_begin, may_end, june_begin;
	} cases[] = {
		{ "date = 2024-05", false, true, true, false },
		{ "date != 2024-05", true, false, false, true },
		{ "date < 2024-05", true, false, false, false },
		{ "date <= 2024-05", true, true, true, false },
		{ "date > 2024-05", false, false, false, true },
		{ "date >= 2024-05", false, true, true, true },
		{ "date >= 2024-05 and date < 2024-06", false, true, true, false },
		{ "date = 2024", true, true, true, true },
		{ "date > 2024", false, false, false, false },
		{ "date = 2024-05-31", false, false, true, false },
		{ "date = '2024-05-31 23:59'", false, false, true, false },
		{ "date = 2024-05-31T23:59:58", false, false, false, false },
		{ "date >= 2024-05-31T23:59:59", false, false, true, true },
		{ "date > 2024-05-31T23:59:59", false, false, false, true }, /* .5 s lies in that second */
		{ "date >= '2024:05:01'", false, true, true, true },
	};
	static const char *const when[] = { "date=2024-04-30T23:59:59", "date=2024-05-01T00:00:00",
		"date=2024-05-31T23:59:59.5", "date=2024-06-01" };
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const bool expected[] = { cases[i].april_end, cases[i].may_begin, cases[i].may_end,
			cases[i].june_begin };
		for (size_t k = 0; k < 4; k++)
			if (test(cases[i].condition, &when[k], 1) != expected[k])
				fail_msg("%s: %s", cases[i].condition, when[k]);
	}
	HOLDS("date >= 2024-05", "date=2024-05"); /* a partial date counts as its beginning */
	FAILS("date > 2024-05-01", "date=2024-05");
	HOLDS("date < 2024-05-02", "date=2024-05");
	HOLDS("date = 2024-05-01T00:00:00", "date=2024-05");
	HOLDS("date >= 2024-01-01T00:00:00", "date=2024");
	FAILS("date > 2024-01-01T00:00:00", "date=2024");
	HOLDS("date = 2020", "date=2020:01:02 00:00:00"); /* as a CSV may write it */
	FAILS("date = 2020", "date=in 2020");
	FAILS("not date = 2020", "date=in 2020");
	HOLDS("shot > 2023-05-05", "shot=2023-05-06");
	FAILS("shot > 2023-05-05", "shot=2023-05-05");
}

static void texts(void **state)
{
	(void)state;
	HOLDS("camera = 'canon EOS 5d'", "camera=Canon EOS 5D");
	FAILS("camera = 'canon'", "camera=Canon EOS 5D");
	HOLDS("camera ~ 'eos'", "camera=Canon EOS 5D");
	HOLDS("camera ~ ''", "camera=Canon EOS 5D");
	FAILS("camera ~ 'eos 6'", "camera=Canon EOS 5D");
	HOLDS("artist < 'b'", "artist=Albers");
	FAILS("artist < 'b'", "artist=Beckmann");
	HOLDS("artist = 'O''Keeffe'", "artist=O'Keeffe");
	HOLDS("artist = \"O'Keeffe\"", "artist=O'Keeffe");
	HOLDS("\"shot \"\"by\"\"\" = 'me'", "shot \"by\"=me");
	HOLDS("title = '\xC3\x96STERREICH'", "title=\xC3\xB6sterreich");
	HOLDS("title = '\xCE\xA3\xCE\x91\xCE\xA3'", "title=\xCF\x83\xCE\xB1\xCF\x82");
	HOLDS("title = '\xD0\x9C\xD0\x98\xD0\xA0'", "title=\xD0\xBC\xD0\xB8\xD1\x80");
	HOLDS("title = '\xC5\x81\xC3\x93\xC5\xB9'", "title=\xC5\x82\xC3\xB3\xC5\xBA");
	FAILS("title = 'a'", "title=\xFF");
	HOLDS("title = 5", "title=5");
	FAILS("mine = '5'", "mine=5.0"); /* text in quotes is compared as text */
	HOLDS("mine = 5", "mine=5.0");
}

/* The sharp s and ligatures. */
static void letters_that_fold_to_several(void **state)
{
	(void)state;
	HOLDS("keywords = 'strasse'", "keywords=boat; Straße");
	HOLDS("keywords = 'STRAẞE'", "keywords=Straße");
	HOLDS("camera = 'straße'", "camera=STRASSE");
	FAILS("camera = 'stras'", "camera=Straß");
	HOLDS("camera ~ 'tras'", "camera=Straße");
	HOLDS("camera ~ 'se'", "camera=Straße"); /* from within the letter */
	FAILS("camera ~ 'sse'", "camera=Strase");
	HOLDS("camera ~ 'office'", "camera=my oﬃce");
	HOLDS("camera = 's'", "camera=ſ");
	HOLDS("camera < 'sst'", "camera=ß");
}

static void lists(void **state)
{
	(void)state;
	HOLDS("keywords = 'sea'", "keywords=boat; Sea; sand");
	FAILS("keywords = 'se'", "keywords=boat; Sea; sand");
	HOLDS("keywords ~ 'se'", "keywords=boat; Sea; sand");
	FAILS("keywords != 'sea'", "keywords=boat; Sea; sand");
	HOLDS("keywords != 'sea'", "keywords=boat; sand");
	HOLDS("keywords = 'sand'", "keywords=boat,sand");
	HOLDS("keywords = 'Paris, France'", "keywords=boat; Paris, France");
	FAILS("keywords = 'sea; sand'", "keywords=sea; sand");
	HOLDS("keywords = 'sea; sand'", "keywords=boat; \"Sea; sand\"");
	HOLDS("keywords = 'sea; sand'", "keywords=\"Sea; sand\"");
	FAILS("keywords = 'sand'", "keywords=\"sea; sand\"");
	HOLDS("keywords = 'boat'", "keywords=\"sea; sand\" ; boat");
	HOLDS("keywords = 'a \"b\"; c'", "keywords=\"a \"\"b\"\"; c\"; d");
	HOLDS("keywords = '\"a'", "keywords=\"a; b"); /* no quoted text */
	HOLDS("keywords = 'b'", "keywords=\"a; b");
	HOLDS("keywords = 'b'", "keywords=\"a\" x; b");
	HOLDS("keywords = 'Paris, France'", "keywords=Paris, France");
	HOLDS("keywords = 'Paris'", "keywords=Paris, France"); /* of a CSV */
}

static void places(void **state)
{
	(void)state;
	/* Munich to Augsburg: 57 km; across the antimeridian; at a pole */
	HOLDS("near(48.137, 11.575, 60)", "latitude=48.3717", "longitude=10.8983");
	FAILS("near(48.137, 11.575, 55)", "latitude=48.3717", "longitude=10.8983");
	HOLDS("near(0, 179.9, 23)", "latitude=0", "longitude=-179.9");
	FAILS("near(0, 179.9, 22)", "latitude=0", "longitude=-179.9");
	HOLDS("near(90, 0, 1)", "latitude=90", "longitude=77");
	HOLDS("near(-12.5, +3, 0)", "latitude=-12.5", "longitude=3");
	FAILS("near(48, 11, 20000)", "latitude=48");
	FAILS("not near(48, 11, 1)", "latitude=48");
	HOLDS("not near(48, 11, 1)", "latitude=40", "longitude=11");
}

/* a is true, b false, u unknown. */
static void three_values(void **state)
{
	static const struct {
		const char *text;
		bool yes;
	} cases[] = {
		{ "a = 1", true },
		{ "a = 2", false },
		{ "u = 1", false },
		{ "not u = 1", false },
		{ "u != 1", false },
		{ "not not u = 1", false },
		{ "a = 1 or u = 1", true },
		{ "u = 1 or a = 1", true },
		{ "a = 2 or u = 1", false },
		{ "not (a = 2 or u = 1)", false },
		{ "a = 1 and u = 1", false },
		{ "not (a = 1 and u = 1)", false },
		{ "not (a = 2 and u = 1)", true },
		{ "not (u = 1 and a = 2)", true },
		{ "u = 1 or u != 1", false },
		{ "has(u)", false },
		{ "not has(u)", true },
		{ "has(a) and not has(u)", true },
		{ "has(empty)", false },
		{ "a = 1 or a = 2 and a = 3", true }, /* "and" binds stronger */
		{ "(a = 1 or a = 2) and a = 3", false },
		{ "not a = 2 and a = 1", true }, /* and "not" stronger than that */
		{ "NOT a = 2 AND A = 1", true },
		{ "has = 7", true }, /* a column that is called as a function is */
		{ "near = 8", true },
	};
	static const char *const given[] = { "a=1", "empty=", "has=7", "near=8" };
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (test(cases[i].text, given, COUNT(given)) != cases[i].yes)
			fail_msg("%s", cases[i].text);
}

static void faults(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "", "at its end: a column is missing" },
		{ "rating", "at its end: an operator is missing" },
		{ "rating =", "at its end: a value is" },
		{ "rating = four", "at byte 10, \"four\": a value is" },
		{ "rating = 'four'", "rating: \"four\" is no number" },
		{ "date > 'May'", "date: \"May\" is not a date (YYYY, YYYY-MM," },
		{ "date > 2024-05-03T14:05+02:00", "\"2024-05-03T14:05+02:00\" has a zone, and wall" },
		{ "date > 2024-05-03T14:05Z", "has a zone" },
		{ "date > '2024-05-03 14:05 -0200'", "has a zone" },
		{ "x = 2024-05-03T14:05-2", "has a zone" },
		{ "date > 2024-13", "date: \"2024-13\" is not a date" },
		{ "date ~ 2024", "date: ~ compares texts alone" },
		{ "keywords < 'a'", "keywords is a list" },
		{ "x = 12abc", "at byte 5, \"12abc\"" },
		{ "x = 1-2", "x: \"1-2\" is not a date" },
		{ "camera = 'a", "the quote is not closed" },
		{ "a = 1 a = 2", "at byte 7, \"a = 2\": \"and\", \"or\" or the end is missing" },
		{ "(a = 1", "at its end: \")\" is missing" },
		{ "a = 1)", "at byte 6, \")\"" },
		{ "has date", "an operator is missing" },
		{ "has(date", "\")\" is missing" },
		{ "near(1, 2)", "is cut off" },
		{ "near(91, 2, 3)", "is no place" },
		{ "near(1, 181, 3)", "is no place" },
		{ "near(1, 2, -3)", "the distance is negative" },
		{ "near(1, x, 3)", "a number is missing" },
		{ "1 = 1", "a column is missing" },
		{ "a = 1; drop table picture", "at byte 6" },
		{ "a = '\xFF'", "not UTF-8" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		imgsearch_error err = { 0 };
		where *w;
		assert_int_equal(ims_where_parse(&w, cases[i].text, &err), IMGSEARCH_EINVAL);
		assert_null(w);
		if (!strstr(err.message, cases[i].said))
			fail_msg("%s: %s", cases[i].text, err.message);
	}
}

/* Long chains need no stack; nesting has a limit. */
static void sizes(void **state)
{
	enum { DEEP = 99 };
	char text[1000];
	buf b = { 0 };
	where *w;
	(void)state;
	ims_buf_text(&b, "a = 1");
	while (b.len < 60000)
		ims_buf_text(&b, " and a = 1");
	assert_int_equal(ims_where_parse(&w, (char *)b.data, NULL), 0);
	assert_true(ims_where_test(w, (const char *const[]){ "1" }));
	assert_int_equal(ims_where_columns(w), 1);
	ims_where_free(w);
	while (b.len < 70000)
		ims_buf_text(&b, " and a = 1");
	assert_int_equal(ims_where_parse(&w, (char *)b.data, NULL), IMGSEARCH_EINVAL);
	ims_buf_free(&b);
	for (int n = DEEP; n <= DEEP + 1; n++) {
		*text = 0;
		for (int i = 0; i < n; i++)
			strcat(text, i % 2 ? "(" : "not ");
		strcat(text, "a = 1 or a = 1 and a = 1");
		for (int i = 0; i < n / 2; i++)
			strcat(text, ")");
		assert_int_equal(ims_where_parse(&w, text, NULL), n > DEEP ? IMGSEARCH_EINVAL : 0);
		ims_where_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(dates),
		cmocka_unit_test(texts),
		cmocka_unit_test(letters_that_fold_to_several),
		cmocka_unit_test(lists),
		cmocka_unit_test(places),
		cmocka_unit_test(three_values),
		cmocka_unit_test(faults),
		cmocka_unit_test(sizes),
	};
	return cmocka_run_group_tests_name("where", tests, NULL, NULL);
}
