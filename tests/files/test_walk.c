/*
 * files/walk: where memory is short the walk fails, and it never passes a folder over; links come
 * after what is there.
 */
#include "test.h"

#include "files/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const everywhere[] = { "" };

static int count(void *user, const walk_entry *e)
{
	assert_string_not_equal(e->reason ? e->reason : "", "visited before");
	*(size_t *)user += e->kind == WALK_FILE;
	return 0;
}

static int walk(const char *root, size_t *files)
{
	path_patterns exclude = { 0 }, include = { 0 };
	walk_rules rules = { .follow = everywhere,
		.n_follow = 1,
		.exclude = &exclude,
		.include = &include };
	imgsearch_error err;
	*files = 0;
	int rc = ims_patterns_add(&exclude, "./3/caf\xc3\xa9/");
	if (!rc)
		rc = ims_patterns_add(&include, "*.jpg");
	if (!rc)
		rc = ims_walk(root, "", &rules, count, files, &err);
	ims_patterns_free(&exclude);
	ims_patterns_free(&include);
	return rc;
}

static void a_failed_allocation_is_told(void **state)
{
	(void)state;
	char root[] = "/tmp/walk-XXXXXX", path[64];
	size_t all, files;
	assert_non_null(mkdtemp(root));
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%d", root, i);
		assert_int_equal(mkdir(path, 0700), 0);
		snprintf(path, sizeof path, "%s/%d/a.jpg", root, i);
		fclose(fopen(path, "w"));
		snprintf(path, sizeof path, "%s/%d/.ignore", root, i);
		FILE *f = fopen(path, "w");
		fputs("b.jpg\n!c/**\n", f);
		fclose(f);
	}
	ims_alloc_fail_after(0);
	assert_int_equal(walk(root, &all), 0);
	assert_int_equal(all, 3);
	uint64_t made = ims_alloc_fail_after(0);
	for (uint64_t n = 1; n <= made; n++) {
		ims_alloc_fail_after(n);
		int rc = walk(root, &files);
		ims_alloc_fail_after(0);
		assert_true(rc == IMGSEARCH_ENOMEM || (!rc && files == all));
	}
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%d/a.jpg", root, i);
		unlink(path);
		snprintf(path, sizeof path, "%s/%d/.ignore", root, i);
		unlink(path);
		snprintf(path, sizeof path, "%s/%d", root, i);
		rmdir(path);
	}
	rmdir(root);
}

typedef struct seen {
	char text[1000];
	uint64_t inode[8];
	size_t n;
} seen;

/* Name, kind, and a star behind what is reached through a link. */
static int note(void *user, const walk_entry *e)
{
	static const char *const kinds[] = { "file", "out", "special", "bad" };
	seen *s = user;
	char line[200];
	snprintf(line, sizeof line, "%s %s%s\n", e->path, kinds[e->kind], e->link ? " *" : "");
	strcat(s->text, line);
	if (e->kind == WALK_FILE)
		s->inode[s->n++] = e->inode;
	return 0;
}

static void sh(const char *root, const char *command)
{
	char whole[1000];
	snprintf(whole, sizeof whole, "cd %s && %s", root, command);
	assert_int_equal(system(whole), 0);
}

static void links_come_last(void **state)
{
	(void)state;
	char root[] = "/tmp/walk-XXXXXX", path[64];
	walk_rules rules = { .follow = everywhere, .n_follow = 1 };
	seen s = { .n = 0 };
	assert_non_null(mkdtemp(root));
	sh(root,
		"mkdir in in/z in/z/deep ext ext/m && cd in && touch z/x.jpg ../ext/m/y.jpg &&"
		" ln -s z a_link && ln -s z/x.jpg b.jpg && ln -s none dangling &&"
		" ln -s ../ext e && ln -s m ../ext/l && ln -s .. z/up && ln -s loop loop &&"
		" ln z/x.jpg z/deep/hard.jpg && ln -s ../b.jpg z/again.jpg");
	snprintf(path, sizeof path, "%s/in", root);
	assert_int_equal(ims_walk(path, "", &rules, note, &s, NULL), 0);
	assert_string_equal(s.text,
		"z/deep/hard.jpg file\nz/x.jpg file\n"
		"a_link out *\nb.jpg file *\ndangling bad *\n"
		"e/m/y.jpg file *\ne/l out *\nloop bad *\n"
		"z/again.jpg file *\nz/up out *\n");
	assert_int_equal(s.n, 5);
	assert_true(s.inode[0] == s.inode[1] && s.inode[2] == s.inode[1] && s.inode[4] == s.inode[1]);
	assert_true(s.inode[3] != s.inode[1]);
	s = (seen){ .n = 0 };
	assert_int_equal(ims_walk(path, "z", &rules, note, &s, NULL), 0);
	assert_string_equal(s.text,
		"z/deep/hard.jpg file\nz/x.jpg file\nz/again.jpg file *\n"
		"z/up/z out *\nz/up/a_link out *\n"
		"z/up/b.jpg file *\nz/up/dangling bad *\nz/up/e/m/y.jpg file *\nz/up/e/l out *\n"
		"z/up/loop bad *\n");
	s = (seen){ .n = 0 };
	rules.n_follow = 0;
	assert_int_equal(ims_walk(path, "z", &rules, note, &s, NULL), 0);
	assert_string_equal(s.text, "z/again.jpg out\nz/deep/hard.jpg file\nz/up out\nz/x.jpg file\n");
	snprintf(path, sizeof path, "rm -r %s", root);
	sh(root, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_allocation_is_told),
		cmocka_unit_test(links_come_last),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
