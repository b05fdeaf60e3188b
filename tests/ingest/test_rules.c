/*
 * Patterns of an index run and what the index remembers of them, and patterns by themselves
 * (files/patterns, files/wildcard, files/system_folders).
 */
#include "files/patterns.h"
#include "files/system_folders.h"
#include "files/wildcard.h"
#include "scene.h"

#include <limits.h>

/* --------------------------------------------------------------------------- by themselves ---- */

static void a_character_is_one_of_utf8(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{ "caf?.jpg", "caf\xc3\xa9.jpg", true },
		{ "caf?.jpg", "cafe.jpg", true },
		{ "caf??.jpg", "caf\xc3\xa9.jpg", false },
		{ "?", "\xf0\x9f\x98\x80", true },
		{ "?", "\xff", true }, /* no UTF-8: a byte */
		{ "??", "\xff\xfe", true },
		{ "?", "\xff\xfe", false },
		{ "?\xff", "\xc3\xa9\xff", true },
		{ "\xe9*", "\xe9t\xe9.jpg", true },
		{ "[\xc3\xa0-\xc3\xbf]", "\xc3\xa9", true },
		{ "[\xc3\xa0-\xc3\xbf]", "e", false },
		{ "[!a]", "\xc3\xa9", true },
		{ "[!a]", "\xff", true },
		{ "[\xff]", "\xff", true },
		{ "[[:alpha:]]", "\xc3\xa9", false },
		{ "\\\xc3\xa9", "\xc3\xa9", true },
		{ "IMG[1", "IMG[1", true }, /* a bracket that is not closed */
		{ "IMG[1*", "IMG[12", true },
		{ "a*b", "a/x/b", true },
		{ "**/b", "b", true },
		{ "**/b", "x/y/b", true },
		{ "**/b", "xb", false },
		{ "", "", true },
		{ "*", "", true },
		{ "?", "", false },
		{ "a\\", "a\\", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (ims_wildcard_matches(cases[i].pattern, cases[i].text, WILDCARD_UTF8)
			!= cases[i].matches)
			fail_msg("%s, %s", cases[i].pattern, cases[i].text);
	assert_false(ims_wildcard_matches("a*b", "a/x/b", WILDCARD_UTF8 | WILDCARD_PATH));
	assert_true(ims_wildcard_matches("a/**/b", "a/x/y/b", WILDCARD_UTF8 | WILDCARD_PATH));
	assert_false(ims_wildcard_matches("a[/]b", "a/b", WILDCARD_UTF8 | WILDCARD_PATH));
}

/* Whether one pattern matches a path, of a file or of a folder. */
static bool pattern_matches(const char *pattern, const char *path, bool folder)
{
	path_patterns p = { 0 };
	bool found;
	assert_int_equal(ims_patterns_add(&p, pattern), 0);
	assert_int_equal(ims_patterns_match(&p, path, folder, &found), 0);
	assert_int_equal(p.item[0].matched, found);
	ims_patterns_free(&p);
	return found;
}

static void parts_of_a_path(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *path;
		bool file, folder;
	} cases[] = {
		{ "private", "private", true, true },
		{ "private", "a/private", true, true },
		{ "private", "private/a", false, false },
		{ "private/", "private", false, true },
		{ "private/", "a/b/private", false, true },
		{ "private//", "private", false, true },
		{ "./private", "private", true, true },
		{ "./private", "a/private", false, false },
		{ ".///private/", "private", false, true },
		{ "././private", "private", true, true },
		{ "./a/*.jpg", "a/b.jpg", true, true },
		{ "./a/*.jpg", "a/b/c.jpg", false, false },
		{ "./a/**/*.jpg", "a/b/c.jpg", true, true },
		{ "a/*.jpg", "a/b/c.jpg", true, true },
		{ "a/b", "a/b", true, true },
		{ "a/b", "c/a/b", false, false },
		{ "**/b", "b", true, true },
		{ "IMG[1].jpg", "x/IMG[1].jpg", true, true },
		{ "IMG[1].jpg", "IMG1.jpg", true, true },
		{ "./IMG[1]", "IMG[1]", true, true },
		{ "", "a", false, false },
		{ "./", "a", false, false },
		{ "/", "a", false, false },
		{ "#x", "#x", true, true },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (int folder = 0; folder < 2; folder++)
			if (pattern_matches(cases[i].pattern, cases[i].path, folder)
				!= (folder ? cases[i].folder : cases[i].file))
				fail_msg("%s, %s, folder %d", cases[i].pattern, cases[i].path, folder);
}

/* One letter in one code point and in two: the same where libutf8proc is there. */
static void spellings(void **state)
{
	(void)state;
	bool same = ims_spelling_works();
	if (!same)
		print_message("# libutf8proc is not there: bytes are compared\n");
	assert_true(pattern_matches("caf\xc3\xa9.jpg", "x/caf\xc3\xa9.jpg", false));
	assert_int_equal(pattern_matches("caf\xc3\xa9.jpg", "x/cafe\xcc\x81.jpg", false), same);
	assert_int_equal(pattern_matches("./cafe\xcc\x81/", "caf\xc3\xa9", true), same);
	assert_int_equal(pattern_matches("caf?.jpg", "cafe\xcc\x81.jpg", false), same);
	assert_true(pattern_matches("caf?.jpg", "caf\xc3\xa9.jpg", false));
	assert_true(pattern_matches("caf?.jpg", "caf\xe9.jpg", false)); /* no UTF-8 */
	assert_false(pattern_matches("caf\xc3\xa9.jpg", "cafe.jpg", false));
	assert_false(pattern_matches("caf\xe9.jpg", "caf\xc3\xa9.jpg", false));
}

static void absolute_is(const char *absolute, const char *root, const char *wanted)
{
	char *got;
	assert_int_equal(ims_pattern_below_root(absolute, root, &got), 0);
	if (!wanted)
		assert_null(got);
	else
		assert_string_equal(got, wanted);
	ims_free(got);
}

static void absolute_patterns(void **state)
{
	scene *sc = *state;
	char path[300], real[200];
	absolute_is("/no/such/root/a", "/no/such/root", "./a");
	absolute_is("/no/such/root/a/", "/no/such/root", "./a/");
	absolute_is("/no/such/root/a/**/b*", "/no/such/root", "./a/**/b*");
	absolute_is("/no/such/root", "/no/such/root", "./");
	absolute_is("/no/such/root///", "/no/such/root", "./");
	absolute_is("/no/such/roots/a", "/no/such/root", NULL);
	absolute_is("/no/such", "/no/such/root", NULL);
	absolute_is("/a", "/", "./a");
	shell("mkdir '%s/a[1]' && ln -s photos '%s/link'", sc->photos, sc->dir);
	snprintf(path, sizeof path, "%s/a[1]", sc->photos);
	absolute_is(path, sc->photos, "./a\\[1]"); /* it is there, so it is no pattern */
	snprintf(path, sizeof path, "%s/b[1]", sc->photos);
	absolute_is(path, sc->photos, "./b[1]");
	assert_non_null(realpath(sc->photos, real));
	snprintf(path, sizeof path, "%s/link/new/*.png", sc->dir);
	absolute_is(path, real, "./new/*.png");
	snprintf(path, sizeof path, "%s/link/../photos/x", sc->dir);
	absolute_is(path, real, "./x");
	/* "." and "..", also within the root and at the end */
	shell("mkdir '%s/c' && ln -s c '%s/to'", sc->photos, sc->photos);
	static const char *const dots[][2] = { { "c/../x/", "./x/" }, { "./c/./../c/*", "./c/*" },
		{ "c/.", "./c" }, { "c/./", "./c/" }, { "c/..", "./" }, { "c/../../x", NULL },
		{ "c/../to", "./to" }, { "none/../x", "./none/../x" } };
	for (size_t i = 0; i < sizeof dots / sizeof *dots; i++) {
		snprintf(path, sizeof path, "%s/%s", real, dots[i][0]);
		absolute_is(path, real, dots[i][1]);
	}
}

static void names_of_system_folders(void **state)
{
	(void)state;
	static const char *const are[] = { "#recycle", "#Recycle", "@Recycle", "@eaDir", "@EADIR",
		".Trash-1000", ".trash-", "$RECYCLE.BIN", "$Recycle.Bin", "RECYCLER", "lost+found",
		"LOST+FOUND", "FOUND.000", "found.999", "#snapshot", ".snapshot", "@tmp", "__MACOSX",
		"__macosx", ".thumbnails", "System Volume Information", "Network Trash Folder", "trashbox",
		"~snapshot" };
	static const char *const not [] = { "recycle", "#recycle2", "a#recycle", "Trash", "FOUND.00",
		"FOUND.0000", "FOUND.abc", "FOUND", "tmp", "@tmp2", "lost", "Snapshot", "", "MACOSX",
		"\xc3\xa9" };
	char longest[300];
	for (size_t i = 0; i < sizeof are / sizeof *are; i++)
		if (!ims_is_system_folder(are[i]))
			fail_msg("%s is none", are[i]);
	for (size_t i = 0; i < sizeof not / sizeof *not ; i++)
		if (ims_is_system_folder(not [i]))
			fail_msg("%s is one", not [i]);
	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = 0;
	assert_false(ims_is_system_folder(longest));
}

/* ------------------------------------------------------------------------------- in a run ---- */

typedef struct run {
	scene_counts counts;
	char unmatched[200]; /* each behind a semicolon */
} run;

static run update(imgsearch *s, const char *path, const imgsearch_index_update_options *o)
{
	imgsearch_index_update_report *report;
	imgsearch_error err = { 0 };
	run r = { 0 };
	if (imgsearch_index_update(s, &path, path ? 1 : 0, o, NULL, &report, &err))
		fail_msg("index: %s", err.message);
	r.counts = scene_counts_of(report);
	for (size_t i = 0; i < report->unmatched->count; i++)
		strcat(strcat(r.unmatched, ";"), report->unmatched->items[i]);
	imgsearch_index_update_report_free(report);
	return r;
}

static imgsearch_index_update_options excluding(const char *const *exclude, size_t n)
{
	imgsearch_index_update_options o = IMGSEARCH_INIT(imgsearch_index_update_options);
	o.exclude = exclude;
	o.n_exclude = n;
	return o;
}

/* What is remembered for the first root: "exclude|include". */
static void remembers(imgsearch *s, const char *wanted)
{
	imgsearch_info *info;
	imgsearch_error err;
	char text[300] = "";
	assert_int_equal(imgsearch_info_get(s, NULL, &info, &err), 0);
	const imgsearch_root *root = info->roots->items[0];
	for (size_t i = 0; i < root->exclude->count; i++)
		strcat(strcat(text, root->exclude->items[i]), ";");
	strcat(text, "|");
	for (size_t i = 0; i < root->include->count; i++)
		strcat(strcat(text, root->include->items[i]), ";");
	assert_string_equal(text, wanted);
	imgsearch_info_free(info);
}

static imgsearch *four_photos(scene *sc)
{
	shell("mkdir '%s/private' '%s/cache'", sc->photos, sc->photos);
	photo(sc, "a.png", 1);
	photo(sc, "private/b.png", 2);
	photo(sc, "private/c.png", 3);
	photo(sc, "cache/d.png", 4);
	return scene_open(sc);
}

static void excludes_are_remembered(void **state)
{
	scene *sc = *state;
	imgsearch *s = four_photos(sc);
	const char *one[] = { "private/" }, *two[] = { "private/", "nothing" }, *three[] = { "cache" };
	imgsearch_index_update_options o = excluding(one, 1);
	assert_int_equal(update(s, sc->photos, NULL).counts.indexed, 4);
	run r = update(s, sc->photos, &o);
	assert_int_equal(r.counts.indexed, 2);
	assert_int_equal(r.counts.removed, 2); /* half of the folder, and not for want of a disk */
	assert_string_equal(r.unmatched, "");
	assert_int_equal(update(s, NULL, NULL).counts.indexed, 2);
	imgsearch_close(s);
	s = scene_open(sc);
	remembers(s, "private/;|");
	o = excluding(two, 2);
	r = update(s, NULL, &o);
	assert_string_equal(r.unmatched, ";nothing");
	assert_int_equal(r.counts.indexed, 2);
	remembers(s, "private/;nothing;|");
	assert_string_equal(update(s, NULL, NULL).unmatched, "");
	o = excluding(three, 1);
	o.forget_exclude = 1;
	assert_int_equal(update(s, NULL, &o).counts.indexed, 3);
	remembers(s, "cache;|");
	o = excluding(three, 0); /* an empty list */
	assert_int_equal(update(s, NULL, &o).counts.indexed, 4);
	remembers(s, "|");
	imgsearch_close(s);
}

/* A pattern with ".." is a path from the root; what lies outside matches nothing. */
static void patterns_with_dots(void **state)
{
	scene *sc = *state;
	imgsearch *s = four_photos(sc);
	const char *given[] = { "cache/../private", "./cache/../cache/*.png", "../cache" };
	imgsearch_index_update_options o = excluding(given, 3);
	run r = update(s, sc->photos, &o);
	assert_int_equal(r.counts.indexed, 1);
	assert_string_equal(r.unmatched, ";../cache");
	remembers(s, "./private;./cache/*.png;|");
	imgsearch_close(s);
}

static void includes_are_remembered(void **state)
{
	scene *sc = *state;
	imgsearch *s = four_photos(sc);
	const char *one[] = { "[ab].png" }, *two[] = { "private/", "*.jpg" };
	imgsearch_index_update_options o = IMGSEARCH_INIT(imgsearch_index_update_options);
	o.include = one;
	o.n_include = 1;
	assert_int_equal(update(s, sc->photos, &o).counts.indexed, 2);
	assert_int_equal(update(s, sc->photos, NULL).counts.indexed, 2);
	remembers(s, "|[ab].png;");
	o.include = two;
	o.n_include = 2;
	run r = update(s, NULL, &o);
	assert_int_equal(r.counts.indexed, 2);
	assert_string_equal(r.unmatched, ";*.jpg");
	remembers(s, "|private/;*.jpg;");
	o.n_include = 0;
	assert_int_equal(update(s, NULL, &o).counts.indexed, 4);
	remembers(s, "|");
	imgsearch_close(s);
}

/* Absolute patterns belong to the root that they lie in; an error stores nothing. */
static void patterns_and_roots(void **state)
{
	scene *sc = *state;
	imgsearch *s = four_photos(sc);
	imgsearch_error err;
	char inside[200], other[200];
	snprintf(inside, sizeof inside, "%s/private", sc->photos);
	snprintf(other, sizeof other, "%s/other", sc->dir);
	shell("mkdir '%s' '%s/private'", other, other);
	const char *absolute[] = { inside }, *outside[] = { "cache", "/nowhere" };
	const char *paths[] = { other, sc->photos };
	imgsearch_index_update_options o = excluding(outside, 2);
	assert_int_equal(imgsearch_index_update(s, paths, 2, &o, NULL, NULL, &err), IMGSEARCH_EINVAL);
	assert_non_null(strstr(err.message, "/nowhere"));
	o = excluding((const char *[]){ sc->photos }, 1);
	assert_int_equal(imgsearch_index_update(s, paths, 2, &o, NULL, NULL, &err), IMGSEARCH_EINVAL);
	o = excluding(absolute, 1);
	imgsearch_index_update_report *report;
	assert_int_equal(imgsearch_index_update(s, paths, 2, &o, NULL, &report, &err), 0);
	assert_int_equal(report->counts->indexed, 2);
	assert_int_equal(report->unmatched->count, 0);
	imgsearch_index_update_report_free(report);
	imgsearch_info *info;
	assert_int_equal(imgsearch_info_get(s, NULL, &info, &err), 0);
	assert_int_equal(info->roots->count, 2);
	assert_string_equal(info->roots->items[0]->path, other);
	assert_int_equal(info->roots->items[0]->exclude->count, 0);
	assert_string_equal(info->roots->items[1]->exclude->items[0], "./private");
	imgsearch_info_free(info);
	shell("mv '%s' '%s/moved'", sc->photos, sc->dir); /* it moves with its root */
	char moved[200];
	snprintf(moved, sizeof moved, "%s/moved", sc->dir);
	assert_int_equal(imgsearch_root_move(s, sc->photos, moved, NULL, &err), 0);
	assert_int_equal(update(s, NULL, NULL).counts.indexed, 2);
	char here[PATH_MAX];
	assert_non_null(getcwd(here, sizeof here));
	assert_int_equal(chdir(sc->dir), 0); /* and relative paths do as well */
	assert_int_equal(imgsearch_root_move(s, "moved", "photos", NULL, &err), 0);
	assert_int_equal(imgsearch_info_get(s, NULL, &info, &err), 0);
	assert_string_equal(info->roots->items[1]->path, sc->photos);
	imgsearch_info_free(info);
	assert_int_equal(chdir(here), 0);
	imgsearch_close(s);
}

/* A pattern of a root, as one of the root above it. */
static void patterns_of_a_folder(void **state)
{
	(void)state;
	static const char *const cases[][3] = {
		{ "./private", "sub", "./sub/private" },
		{ ".//./private/", "sub", "./sub/private/" },
		{ "x", "sub", "./sub/**/x" },
		{ "*.png", "a/b", "./a/b/**/*.png" },
		{ "x/", "sub", "./sub/**/x/" },
		{ "b*/x", "sub", "sub/b*/x" },
		{ "x", "a[1]", "./a\\[1]/**/x" },
		{ "x[1]", "a[1]", "./a\\[1]/**/x[1]" },
		{ "./", "sub", NULL },
		{ "", "sub", NULL },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *got;
		assert_int_equal(ims_pattern_of_folder(cases[i][0], cases[i][1], &got), 0);
		if (cases[i][2])
			assert_string_equal(got, cases[i][2]);
		else
			assert_null(got);
		ims_free(got);
	}
	assert_true(pattern_matches("./a\\[1]/**/x[1]", "a[1]/b/x[1]", false)); /* is itself */
	assert_true(pattern_matches("./a\\[1]/**/x[1]", "a[1]/x1", false));
	assert_false(pattern_matches("./a\\[1]/**/x[1]", "a1/x[1]", false));
	assert_true(pattern_matches("a\\[1]/b[1]/x", "a[1]/b[1]/x", false));
	assert_true(pattern_matches("./sub/**/x", "sub/x", false));
	assert_true(pattern_matches("./sub/**/x", "sub/a/b/x", false));
	assert_false(pattern_matches("./sub/**/x", "x", false));
	assert_false(pattern_matches("./sub/**/x", "a/sub/x", false));
}

static size_t roots_of(imgsearch *s)
{
	imgsearch_info *info;
	imgsearch_error err;
	assert_int_equal(imgsearch_info_get(s, NULL, &info, &err), 0);
	size_t n = info->roots->count;
	imgsearch_info_free(info);
	return n;
}

/* A root below a new one becomes a part of it, which the rules reach. */
static void a_root_around_roots_merges_them(void **state)
{
	scene *sc = *state;
	imgsearch *s = four_photos(sc);
	char private[200];
	snprintf(private, sizeof private, "%s/private", sc->photos);
	photo(sc, "private/x\xff.png", 5);
	const char *c[] = { "c.png", "./no" }, *path[] = { "./private/b.png" }, *sub[] = { "private" };
	const char *outside[] = { "/nowhere" };
	imgsearch_index_update_options o = excluding(c, 2);
	assert_int_equal(update(s, private, &o).counts.indexed, 2);
	int64_t id = id_of(s, sc, "private/x\xff.png");
	o = excluding(outside, 1); /* a run that fails merges nothing */
	const char *photos = sc->photos;
	imgsearch_error err;
	assert_int_equal(imgsearch_index_update(s, &photos, 1, &o, NULL, NULL, &err), IMGSEARCH_EINVAL);
	remembers(s, "c.png;./no;|");
	o = excluding(path, 1);
	run r = update(s, sc->photos, &o);
	assert_string_equal(r.unmatched, "");
	assert_int_equal(r.counts.indexed, 3); /* a.png, cache/d.png, private/x.png */
	assert_int_equal(r.counts.added, 2);
	assert_int_equal(roots_of(s), 1);
	assert_int_equal(id_of(s, sc, "private/x\xff.png"), id);
	remembers(s, "./private/**/c.png;./private/no;./private/b.png;|");
	assert_int_equal(update(s, private, NULL).counts.indexed, 1);
	o = excluding(sub, 1);
	assert_int_equal(update(s, sc->photos, &o).counts.indexed, 2);
	assert_int_equal(id_of(s, sc, "private/x\xff.png"), 0);
	imgsearch_close(s);
}

/* What the walk would lose stays a root of its own. */
static void roots_that_are_not_merged(void **state)
{
	scene *sc = *state;
	imgsearch *s = four_photos(sc);
	char hidden[200], cache[200], private[200];
	shell("mkdir '%s/.hidden'", sc->photos);
	photo(sc, ".hidden/h.png", 6);
	snprintf(hidden, sizeof hidden, "%s/.hidden", sc->photos);
	snprintf(cache, sizeof cache, "%s/cache", sc->photos);
	snprintf(private, sizeof private, "%s/private", sc->photos);
	const char *b[] = { "b.png" };
	imgsearch_index_update_options o = IMGSEARCH_INIT(imgsearch_index_update_options);
	o.include = b;
	o.n_include = 1;
	update(s, hidden, NULL);
	update(s, cache, NULL);
	assert_int_equal(update(s, private, &o).counts.indexed, 1);
	shell("mv '%s' '%s/away' && mkdir '%s'", cache, sc->dir, cache); /* its disk is away */
	assert_int_equal(update(s, sc->photos, NULL).counts.indexed, 3); /* a, b, h */
	assert_int_equal(roots_of(s), 4);
	assert_true(id_of(s, sc, "cache/d.png") > 0);
	assert_true(id_of(s, sc, ".hidden/h.png") > 0);
	shell("rmdir '%s' && mv '%s/away' '%s'", cache, sc->dir, cache);
	assert_int_equal(update(s, NULL, NULL).counts.indexed, 4);
	assert_int_equal(roots_of(s), 3);
	imgsearch_close(s);
}

/* A root that was moved into another one, to where that had a path of the same name. */
static void a_path_of_both_roots(void **state)
{
	scene *sc = *state;
	imgsearch *s = four_photos(sc);
	imgsearch_error err;
	char other[200], moved[200];
	update(s, sc->photos, NULL);
	snprintf(other, sizeof other, "%s/other", sc->dir);
	snprintf(moved, sizeof moved, "%s/cache", sc->photos);
	shell("mkdir '%s' && cp '%s/d.png' '%s'", other, moved, other);
	assert_int_equal(update(s, other, NULL).counts.duplicate, 1);
	shell("rm -r '%s' && mv '%s' '%s'", moved, other, moved);
	assert_int_equal(imgsearch_root_move(s, other, moved, NULL, &err), 0);
	assert_int_equal(roots_of(s), 2);
	run r = update(s, NULL, NULL);
	assert_int_equal(roots_of(s), 1);
	assert_int_equal(r.counts.indexed, 4);
	assert_int_equal(r.counts.duplicate, 0);
	assert_int_equal(r.counts.added, 0);
	assert_true(id_of(s, sc, "cache/d.png") > 0);
	imgsearch_close(s);
}

/* What must not be taken for a pattern, and patterns that would empty the index. */
static void patterns_that_are_refused(void **state)
{
	scene *sc = *state;
	imgsearch *s = four_photos(sc);
	imgsearch_error err;
	const char *photos = sc->photos, *empty[] = { "cache", "" }, *none[] = { "*.jpeg" };
	update(s, sc->photos, NULL);
	imgsearch_index_update_options o = excluding(empty, 2);
	assert_int_equal(imgsearch_index_update(s, &photos, 1, &o, NULL, NULL, &err), IMGSEARCH_EINVAL);
	assert_non_null(strstr(err.message, "exclude 1"));
	o = (imgsearch_index_update_options){ .struct_size = sizeof o,
		.include = empty,
		.n_include = 2 };
	assert_int_equal(imgsearch_index_update(s, &photos, 1, &o, NULL, NULL, &err), IMGSEARCH_EINVAL);
	o.include = none;
	o.n_include = 1;
	assert_int_equal(imgsearch_index_update(s, &photos, 1, &o, NULL, NULL, &err), IMGSEARCH_EINVAL);
	assert_non_null(strstr(err.message, "none of 4 files matches *.jpeg"));
	remembers(s, "|");
	assert_int_equal(update(s, NULL, NULL).counts.indexed, 4);
	o = (imgsearch_index_update_options){ .struct_size = sizeof o,
		.follow_links = 1,
		.no_follow_links = 1 };
	assert_int_equal(imgsearch_index_update(s, &photos, 1, &o, NULL, NULL, &err), IMGSEARCH_EINVAL);
	o = (imgsearch_index_update_options){ .struct_size = sizeof o, .reserved2 = 1 };
	assert_int_equal(imgsearch_index_update(s, &photos, 1, &o, NULL, NULL, &err), IMGSEARCH_EINVAL);
	o = (imgsearch_index_update_options){ .struct_size = sizeof o, .formats = "+tiff,+bmp" };
	assert_int_equal(imgsearch_index_update(s, &photos, 1, &o, NULL, NULL, &err), IMGSEARCH_EINVAL);
	assert_non_null(strstr(err.message, "\"+bmp\""));
	imgsearch_close(s);
}

/* A part of a root that was a root may be away, as it might be then. */
static void a_merged_root_may_be_away(void **state)
{
	scene *sc = *state;
	imgsearch *s = four_photos(sc);
	char private[200];
	snprintf(private, sizeof private, "%s/private", sc->photos);
	update(s, private, NULL);
	update(s, sc->photos, NULL);
	assert_int_equal(roots_of(s), 1);
	shell("mv '%s' '%s/away'", private, sc->dir);
	for (int empty = 0; empty < 2; empty++) {
		run r = update(s, NULL, NULL);
		assert_int_equal(r.counts.removed, 0);
		assert_int_equal(r.counts.offline, 2);
		assert_int_equal(r.counts.indexed, 2);
		imgsearch_info *info;
		imgsearch_item *item;
		imgsearch_error err;
		assert_int_equal(imgsearch_info_get(s, NULL, &info, &err), 0);
		assert_int_equal(info->offline, 2);
		imgsearch_info_free(info);
		assert_int_equal(imgsearch_item_get(s, id_of(s, sc, "private/b.png"), &item, &err), 0);
		assert_int_equal(item->offline, 1);
		imgsearch_item_free(item);
		assert_int_equal(imgsearch_item_get(s, id_of(s, sc, "a.png"), &item, &err), 0);
		assert_int_equal(item->offline, 0);
		imgsearch_item_free(item);
		if (!empty)
			shell("mkdir '%s'", private);
	}
	shell("cp '%s/away/b.png' '%s'", sc->dir, private); /* it is there: c.png went */
	assert_int_equal(update(s, NULL, NULL).counts.removed, 1);
	shell("rm '%s/b.png'", private);
	imgsearch_index_update_options o = { .struct_size = sizeof o, .prune = 1 };
	assert_int_equal(update(s, NULL, &o).counts.removed, 1);
	imgsearch_close(s);
}

int main(void)
{
#define in_scene(test) cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_character_is_one_of_utf8),
		cmocka_unit_test(parts_of_a_path),
		cmocka_unit_test(spellings),
		in_scene(absolute_patterns),
		cmocka_unit_test(names_of_system_folders),
		in_scene(excludes_are_remembered),
		in_scene(patterns_with_dots),
		in_scene(includes_are_remembered),
		in_scene(patterns_and_roots),
		cmocka_unit_test(patterns_of_a_folder),
		in_scene(a_root_around_roots_merges_them),
		in_scene(roots_that_are_not_merged),
		in_scene(a_path_of_both_roots),
		in_scene(patterns_that_are_refused),
		in_scene(a_merged_root_may_be_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
