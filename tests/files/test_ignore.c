/*
 * files/ignore and files/walk: what ignore files exclude, beside `git check-ignore` over random
 * trees and patterns, and by itself.
 */
#include "test.h"

#include "base/base.h"
#include "files/walk.h"
#include "files/wildcard.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[32];

/* ----------------------------------------------------------------------------------- files ---- */

static void make_folders(const char *path)
{
	char text[512];
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(text, sizeof text, "%.*s", (int)(slash - path), path);
		mkdir(text, 0700);
	}
}

static void put(const char *path, const void *data, size_t n)
{
	make_folders(path);
	FILE *f = fopen(path, "wb");
	if (!f)
		fail_msg("%s cannot be written", path);
	assert_int_equal(fwrite(data, 1, n, f), n);
	fclose(f);
}

/* An ignore file of ours, and the same as one of git's. */
static void put_rules(const char *folder, const void *data, size_t n)
{
	static const char *const names[] = { ".ignore", ".gitignore" };
	char path[512];
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		put(path, data, n);
	}
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static int make_top(void **state)
{
	(void)state;
	strcpy(top, "/dev/shm/ignore-XXXXXX"); /* a disk is slow with so many small files */
	if (mkdtemp(top))
		return 0;
	strcpy(top, "/tmp/ignore-XXXXXX");
	return mkdtemp(top) ? 0 : -1;
}

static int remove_top(void **state)
{
	(void)state;
	return nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ------------------------------------------------------------------------------ what comes ---- */

typedef struct names {
	buf text; /* each behind a line feed, and with one behind the last */
	const char *prefix;
} names;

static int note(void *user, const walk_entry *e)
{
	names *n = user;
	if (e->kind == WALK_FILE)
		ims_buf_text(&n->text, "%s/%s\n", n->prefix, e->path);
	return 0;
}

static void walk_into(names *out, const char *root, const char *prefix)
{
	walk_rules rules = { 0 };
	imgsearch_error err;
	assert_int_equal(ims_walk(root, prefix, &rules, note, out, &err), 0);
	assert_false(out->text.failed);
}

/* Whether the walk takes in a file of the tree `top`; with prefix: refreshed from there. */
static bool takes(const char *prefix, const char *file)
{
	names got = { .prefix = "" };
	ims_buf_text(&got.text, "\n");
	walk_into(&got, top, prefix);
	ims_buf_u8(&got.text, 0);
	char line[512];
	snprintf(line, sizeof line, "\n/%s\n", file);
	bool found = strstr((char *)got.text.data, line);
	ims_buf_free(&got.text);
	return found;
}

/* Whether one ignore file at the top, given as text, leaves out the file. */
static bool leaves_out(const char *rules, const char *file)
{
	char path[512];
	put_rules(top, rules, strlen(rules));
	snprintf(path, sizeof path, "%s/%s", top, file);
	put(path, "x", 1);
	bool taken = takes("", file);
	assert_int_equal(remove_top(NULL) || make_top(NULL), 0);
	return !taken;
}

/* ---------------------------------------------------------------------------- single rules ---- */

typedef struct rule_case {
	const char *rules, *file;
	bool out;
} rule_case;

static void rules_mean_what_git_says(void **state)
{
	(void)state;
	static const rule_case cases[] = {
		{ "**/cache/*.jpg", "cache/1.jpg", true },
		{ "**/cache/*.jpg", "b/x/cache/1.jpg", true },
		{ "**/cache/*.jpg", "b/cache/x/1.jpg", false },
		{ "**/x/cache", "x/cache/1.jpg", true },
		{ "**/x/cache", "a/b/x/cache/1.jpg", true },
		{ "**/x/cache", "yx/cache/1.jpg", false },
		{ "b/**/2.jpg", "b/2.jpg", true },
		{ "b/**/2.jpg", "b/x/y/2.jpg", true },
		{ "b/**/2.jpg", "a/b/2.jpg", false },
		{ "b/**", "b/x/y/2.jpg", true },
		{ "b/**", "bb/2.jpg", false },
		{ "\xEF\xBB\xBFprivate/", "private/1.jpg", true },
		{ "a\n\xEF\xBB\xBFprivate/", "private/1.jpg", false },
		{ "private/\r\n*.png\r\n", "private/1.jpg", true },
		{ "*.png\r\n", "a/1.png", true },
		{ "private/", "a/private/1.jpg", true },
		{ "private/", "a/private", false },
		{ "/private", "a/private/1.jpg", false },
		{ "a/private", "a/private/1.jpg", true },
		{ "a/private", "b/a/private/1.jpg", false },
		{ "a \n", "a", true },
		{ "a\\ \n", "a ", true },
		{ "a\\ \n", "a", false },
		{ "a\\  \n", "a ", true },
		{ "a\t\n", "a", false },
		{ "\\#a", "#a", true },
		{ "#a", "#a", false },
		{ "\\!a", "!a", true },
		{ "*.jpg\n!1.jpg", "1.jpg", false },
		{ "*.jpg\n!1.jpg", "2.jpg", true },
		{ "a/\n!a/1.jpg", "a/1.jpg", true }, /* nothing comes back into an excluded folder */
		{ "a/*\n!a/1.jpg", "a/1.jpg", false },
		{ "[[:digit:]].jpg", "1.jpg", true },
		{ "[[:digit:]].jpg", "a.jpg", false },
		{ "[!1].jpg", "1.jpg", false },
		{ "[^1].jpg", "2.jpg", true },
		{ "[]a].jpg", "].jpg", true },
		{ "[a-c]x", "bx", true },
		{ "[1.jpg", "[1.jpg", false },
		{ "a?b", "a/b", false },
		{ "caf\xc3?.jpg", "caf\xc3\xa9.jpg", true }, /* git's characters are bytes */
		{ "caf?.jpg", "caf\xc3\xa9.jpg", false },
		{ "a\\", "a\\", false },
		{ "a\\*", "a*", true },
		{ "a\\*", "ab", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (leaves_out(cases[i].rules, cases[i].file) != cases[i].out)
			fail_msg("%s: %s is%s left out", cases[i].rules, cases[i].file,
				cases[i].out ? " not" : "");
}

/* Rules above a folder that is refreshed alone; those above the root are nobody's. */
static void rules_of_folders_above(void **state)
{
	(void)state;
	char path[512], root[128];
	snprintf(path, sizeof path, "%s/a/b/1.jpg", top);
	put(path, "x", 1);
	assert_true(takes("a/b", "a/b/1.jpg"));
	put_rules(top, "*.jpg", 5);
	assert_false(takes("a/b", "a/b/1.jpg"));
	put_rules(top, "/a/b/*.jpg", 10);
	assert_false(takes("a/b", "a/b/1.jpg"));
	put_rules(top, "b/", 2);
	assert_false(takes("a/b", "a/b/1.jpg"));
	assert_false(takes("a", "a/b/1.jpg"));
	snprintf(root, sizeof root, "%s/a", top);
	put_rules(root, "!b/", 3);
	assert_true(takes("a/b", "a/b/1.jpg"));
	put_rules(top, "a/", 2);
	assert_false(takes("a/b", "a/b/1.jpg"));
	names got = { .prefix = "" }; /* as a root of its own */
	walk_into(&got, root, "b");
	ims_buf_u8(&got.text, 0);
	assert_string_equal((char *)got.text.data, "/b/1.jpg\n");
	ims_buf_free(&got.text);
}

static int note_excluded(void *user, const walk_entry *e)
{
	ims_buf_text(user, "%s: %s\n", e->path, e->reason);
	return 0;
}

static int note_unreadable(void *user, const walk_entry *e)
{
	return e->kind == WALK_UNREADABLE ? note_excluded(user, e) : 0;
}

/* What is excluded on the way to the start is the only entry. */
static void an_excluded_start(void **state)
{
	(void)state;
	char path[512];
	buf got = { 0 };
	walk_rules rules = { 0 };
	imgsearch_error err;
	snprintf(path, sizeof path, "%s/a/b/c/1.jpg", top);
	put(path, "x", 1);
	put_rules(top, "b", 1);
	assert_int_equal(ims_walk(top, "a/b/c", &rules, note_excluded, &got, &err), 0);
	ims_buf_u8(&got, 0);
	assert_string_equal((char *)got.data, "a/b: excluded by an ignore file\n");
	ims_buf_free(&got);
	assert_int_equal(ims_walk(top, "a/no/c", &rules, note_excluded, &got, &err), IMGSEARCH_EIO);
	assert_non_null(strstr(err.message, "/a/no/c"));
}

/* What cannot be read is said. A folder of that name is no ignore file. */
static void unread_ignore_files(void **state)
{
	(void)state;
	static const char *const made[] = { "ln -s 1.jpg .ignore", "ln -s nothing .ignore",
		"mkfifo .ignore", "mkdir .ignore", "echo '*.png' >.ignore" };
	static const char *const wanted[] = { ".ignore: a link: its patterns do not count\n",
		".ignore: a link: its patterns do not count\n",
		".ignore: it cannot be read: its patterns do not count\n", "", "" };
	char command[300];
	walk_rules rules = { 0 };
	imgsearch_error err;
	for (int i = 0; i < 5; i++) {
		buf got = { 0 };
		snprintf(command, sizeof command, "cd %s && rm -rf .ignore && echo '*' >1.jpg && %s", top,
			made[i]);
		assert_int_equal(system(command), 0);
		assert_int_equal(ims_walk(top, "", &rules, note_unreadable, &got, &err), 0);
		ims_buf_u8(&got, 0);
		assert_string_equal((char *)got.data, wanted[i]);
		ims_buf_free(&got);
		assert_true(takes("", "1.jpg"));
	}
}

/* A hostile pattern takes no time that grows with the number of its stars. */
static void many_stars(void **state)
{
	(void)state;
	char pattern[600], text[1200];
	for (size_t i = 0; i + 3 < sizeof pattern; i += 3)
		memcpy(pattern + i, i % 2 ? "*a*" : "**/", 4);
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = 0;
	for (size_t i = 7; i < sizeof text - 1; i += 8)
		text[i] = '/';
	strcat(pattern, "b");
	assert_false(ims_wildcard_matches(pattern, text, WILDCARD_PATH));
	assert_false(ims_wildcard_matches(pattern, text, 0));
}

/* -------------------------------------------------------------------------- random and git ---- */

static uint64_t seed;

static unsigned pick(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

#define ONE_OF(list) list[pick(sizeof list / sizeof *list)]

static void random_pattern(buf *out)
{
	static const char *const parts[] = { "a", "b", "c", "ab", "a1", "b.jpg", "a.jpg", "*", "**",
		"**/", "/**", "/**/", "?", "*.jpg", "a*", "*b", "[ab]", "[!a]", "[^b]", "[a-c]", "[]a]",
		"[[:alpha:]]", "[[:digit:]]", "[![:alpha:]]", "[[:nope:]]", "[a", "\\a", "\\*", "\\\\",
		"\\ ", " ", "\xc3\xa9", "\xc3", "#", "*", "*", "a", "b", "a", "b", "?", "!", "/", "/", "/",
		"/", ".", "-", "[a-", "[b-a]", "[[:", "[\\]]", "**\\/", "***", "a**", "1", "[[:alnum:]-]",
		"[[:punct:]]", "[1-3a]" };
	static const char *const begins[] = { "", "", "", "", "/", "!", "!", "!/", "\\!", "\\#", "#",
		"**/", " " };
	static const char *const ends[] = { "", "", "", "", "/", "/", " ", "\\ ", "  ", "/**", "\t",
		"\\", "/ ", "//" };
	ims_buf_text(out, "%s", ONE_OF(begins));
	for (unsigned i = 0, n = 1 + pick(3); i < n; i++)
		ims_buf_text(out, "%s", ONE_OF(parts));
	ims_buf_text(out, "%s%s", ONE_OF(ends), pick(6) ? "\n" : "\r\n");
}

static void random_rules(const char *folder)
{
	buf text = { 0 };
	if (!pick(8))
		ims_buf_text(&text, "\xEF\xBB\xBF");
	for (unsigned i = 0, n = 1 + pick(4); i < n; i++)
		random_pattern(&text);
	if (!pick(4))
		text.len--;
	assert_false(text.failed);
	put_rules(folder, text.data, text.len);
	ims_buf_free(&text);
}

static const char *random_name(void)
{
	static const char *const names[] = { "a", "a", "b", "b", "c", "ab", "ba", "a1", "1", "a.jpg",
		"b.jpg", "ab.jpg", "#a", "!a", "a ", "*", "]", "[a", "\xc3\xa9", "b\xc3\xa9.jpg", "\\", "-",
		"aab", "a*", " b" };
	return ONE_OF(names);
}

/* A path of one to four parts below folder; a part that is a file ends it. */
static void random_path(char *path, size_t size, const char *folder)
{
	struct stat st;
	size_t n = (size_t)snprintf(path, size, "%s", folder);
	for (unsigned i = 0, parts = 1 + pick(4); i < parts; i++) {
		n += (size_t)snprintf(path + n, size - n, "/%s", random_name());
		if (!stat(path, &st) && !S_ISDIR(st.st_mode))
			return;
	}
}

static int is_folder(const char *path)
{
	struct stat st;
	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static void random_tree(const char *tree)
{
	char path[512];
	mkdir(tree, 0700);
	for (unsigned i = 0, n = 3 + pick(6); i < n; i++) {
		random_path(path, sizeof path, tree);
		if (!is_folder(path))
			put(path, "x", 1);
	}
	random_rules(tree);
	for (unsigned i = pick(3); i > 0; i--) {
		random_path(path, sizeof path, tree);
		if (is_folder(path))
			random_rules(path);
	}
}

static FILE *all_files; /* for `git check-ignore --stdin -z` */
static size_t n_files;

static int list_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	if (type == FTW_F && path[at->base] != '.' && !strstr(path, "/.git/")) {
		fprintf(all_files, "%s%c", path + strlen(top) + 1, 0);
		n_files++;
	}
	return 0;
}

/* git, without the configuration of the machine. 127: there is none. */
static int git(const char *arguments)
{
	char command[700];
	snprintf(command, sizeof command,
		"cd %s && GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_SYSTEM=/dev/null GIT_CONFIG_GLOBAL=/dev/null"
		" HOME=%s XDG_CONFIG_HOME=%s git -c core.excludesFile=/dev/null %s",
		top, top, top, arguments);
	int status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t split(char *text, char end, char ***out)
{
	size_t n = 0, cap = 0;
	*out = NULL;
	for (char *stop; *text && (stop = strchr(text, end)); text = stop + 1) {
		*stop = 0;
		*out = ims_grow(*out, n, &cap, sizeof **out);
		(*out)[n++] = text;
	}
	qsort(*out, n, sizeof **out, by_text);
	return n;
}

static void say_rules(const char *file)
{
	char path[600];
	buf text = { 0 };
	snprintf(path, sizeof path, "%s/%s", top, file);
	for (char *slash; strlen(path) > strlen(top) && (slash = strrchr(path, '/'));) {
		strcpy(slash, "/.ignore");
		text.len = 0;
		if (!ims_read_file(&text, path, 1 << 20, NULL))
			print_message("# %s: \"%.*s\"\n", path, (int)text.len, (char *)text.data);
		*slash = 0;
	}
	ims_buf_free(&text);
}

/* Both lists are sorted, and together they are all files, each in one of them. */
static void compare(char **taken, size_t n_taken, char **ignored, size_t n_ignored)
{
	size_t wrong = 0;
	for (size_t i = 0, k = 0; i < n_taken && k < n_ignored && wrong < 5;) {
		int order = strcmp(taken[i], ignored[k]);
		if (!order) {
			print_message("# %s is taken in, and git ignores it\n", taken[i]);
			say_rules(taken[i]);
			wrong++;
		}
		i += order <= 0;
		k += order >= 0;
	}
	assert_int_equal(wrong, 0);
	assert_int_equal(n_taken + n_ignored, n_files);
	print_message("# %zu files, of which git ignores %zu\n", n_files, n_ignored);
}

static void as_git(void **state)
{
	(void)state;
	enum { TREES = 2500 };
	char path[128];
	names taken = { 0 };
	buf ignored = { 0 };
	if (git("--version >out 2>&1")) {
		print_message("# git is not there: nothing to compare with\n");
		skip();
	}
	assert_int_equal(git("init -q . >out 2>&1"), 0);
	seed = 21;
	for (int i = 0; i < TREES; i++) {
		snprintf(path, sizeof path, "%s/t%d", top, i);
		random_tree(path);
		taken.prefix = path + strlen(top) + 1;
		walk_into(&taken, path, "");
	}
	snprintf(path, sizeof path, "%s/files", top);
	remove(path);
	snprintf(path, sizeof path, "%s/out", top);
	remove(path);
	n_files = 0;
	snprintf(path, sizeof path, "%s/.git/files", top);
	all_files = fopen(path, "wb");
	assert_non_null(all_files);
	assert_int_equal(nftw(top, list_file, 16, FTW_PHYS), 0);
	fclose(all_files);
	assert_int_equal(git("check-ignore --no-index --stdin -z <.git/files >.git/ignored"), 0);
	snprintf(path, sizeof path, "%s/.git/ignored", top);
	assert_int_equal(ims_read_file(&ignored, path, 1 << 26, NULL), 0);
	ims_buf_u8(&ignored, 0);
	ims_buf_u8(&taken.text, 0);
	for (size_t i = 0; i + 1 < ignored.len; i++)
		ignored.data[i] = ignored.data[i] ? ignored.data[i] : '\n';
	char **in, **out;
	size_t n_in = split((char *)taken.text.data, '\n', &in);
	size_t n_out = split((char *)ignored.data, '\n', &out);
	compare(in, n_in, out, n_out);
	ims_free(in);
	ims_free(out);
	ims_buf_free(&ignored);
	ims_buf_free(&taken.text);
}

/* A random folder of a random tree, refreshed alone, takes in its part of the whole. */
static void a_part_of_the_whole(void **state)
{
	(void)state;
	char tree[128], path[512];
	seed = 22;
	for (int i = 0; i < 300; i++) {
		names whole = { .prefix = "" }, part = { .prefix = "" };
		snprintf(tree, sizeof tree, "%s/t%d", top, i);
		random_tree(tree);
		snprintf(path, sizeof path, "%s", tree); /* all of it, where no folder is met */
		for (int tries = 0; tries < 50 && (!tries || !is_folder(path)); tries++)
			random_path(path, sizeof path, tree);
		const char *prefix = is_folder(path) ? path + strlen(tree) + 1 : "";
		walk_into(&whole, tree, "");
		walk_into(&part, tree, prefix);
		ims_buf_u8(&whole.text, 0);
		ims_buf_u8(&part.text, 0);
		buf wanted = { 0 };
		for (char *line = strtok((char *)whole.text.data, "\n"); line; line = strtok(NULL, "\n"))
			if (!*prefix || ims_path_below(line + 1, prefix))
				ims_buf_text(&wanted, "%s\n", line);
		ims_buf_u8(&wanted, 0);
		assert_string_equal((char *)part.text.data, (char *)wanted.data);
		ims_buf_free(&whole.text);
		ims_buf_free(&part.text);
		ims_buf_free(&wanted);
	}
}

int main(void)
{
#define in_folder(test) cmocka_unit_test_setup_teardown(test, make_top, remove_top)
	const struct CMUnitTest tests[] = {
		in_folder(rules_mean_what_git_says),
		in_folder(rules_of_folders_above),
		in_folder(an_excluded_start),
		in_folder(unread_ignore_files),
		cmocka_unit_test(many_stars),
		in_folder(as_git),
		in_folder(a_part_of_the_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
