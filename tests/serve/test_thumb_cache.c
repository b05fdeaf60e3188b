/* The folder of thumbnails: what it has, its bound, what goes first. And numbers of requests. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "cli/base/file.c"
#include "cli/base/message.c"
#include "cli/serve/number.c"
#include "cli/serve/thumb_cache.c"

#include "test.h"

#include <math.h>

/* What messages and other files would need. */
char *path_absolute(const char *path)
{
	return strdup(path);
}

void text_write_escaped(FILE *f, const char *text_of)
{
	fputs(text_of, f);
}

enum { SIZE = 256, BYTES = 1000 };

static char folder[64];
static const char text[BYTES];

/* The hash of a picture with this number. */
static const char *hash_of(unsigned n)
{
	static char hash[2][HASH_DIGITS + 1];
	static int turn;
	char *h = hash[turn = !turn];
	snprintf(h, HASH_DIGITS + 1, "%02x%062x", n * 37 % 256, n);
	return h;
}

static bool has(thumb_cache *c, unsigned n)
{
	int fd = thumb_cache_open(c, hash_of(n), SIZE);
	struct stat st = { 0 };
	if (fd < 0)
		return false;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, BYTES);
	close(fd);
	return true;
}

static void put(thumb_cache *c, unsigned n)
{
	thumb_cache_put(c, hash_of(n), SIZE, text, BYTES);
}

/* As if it was last used so many seconds ago. */
static void age(unsigned n, time_t seconds)
{
	char path[200];
	struct timespec t[2] = { { .tv_sec = time(NULL) - seconds },
		{ .tv_sec = time(NULL) - seconds } };
	const char *hash = hash_of(n);
	snprintf(path, sizeof path, "%s/%.2s/%s-%u.jpg", folder, hash, hash, SIZE);
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/thumbs.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[100];
	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

static void keeps(void **state)
{
	(void)state;
	thumb_cache *c = thumb_cache_new(folder, 100 * BYTES);
	assert_false(has(c, 1));
	put(c, 1);
	put(c, 2);
	assert_true(has(c, 1) && has(c, 2));
	assert_int_equal(thumb_cache_open(c, hash_of(1), 512), -1); /* another size */
	thumb_cache_put(c, hash_of(1), 512, text, BYTES);
	thumb_cache_drop(c, hash_of(1));
	assert_false(has(c, 1));
	assert_int_equal(thumb_cache_open(c, hash_of(1), 512), -1);
	assert_true(has(c, 2));
	thumb_cache_free(c);
	c = thumb_cache_new(folder, 100 * BYTES); /* as the next server finds it */
	assert_true(has(c, 2));
	thumb_cache_free(c);
}

/* Neither names that lead elsewhere nor too large files; no cache at all is fine. */
static void refuses(void **state)
{
	static const char *const names[] = { "", "ab", "../../etc/passwd",
		"zz00000000000000000000000000000000000000000000000000000000000000" };
	(void)state;
	thumb_cache *c = thumb_cache_new(folder, BYTES);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		thumb_cache_put(c, names[i], SIZE, text, BYTES);
		assert_int_equal(thumb_cache_open(c, names[i], SIZE), -1);
		thumb_cache_drop(c, names[i]);
	}
	thumb_cache_free(c);
	c = thumb_cache_new(folder, BYTES - 1);
	put(c, 2);
	assert_false(has(c, 2));
	thumb_cache_free(c);
	thumb_cache_put(NULL, hash_of(1), SIZE, text, BYTES);
	assert_int_equal(thumb_cache_open(NULL, hash_of(1), SIZE), -1);
	thumb_cache_drop(NULL, hash_of(1));
	thumb_cache_free(NULL);
}

/* At the bound the ones that were not used for longest go, and a tenth more. */
static void bounded(void **state)
{
	(void)state;
	thumb_cache *c = thumb_cache_new(folder, 10 * BYTES);
	for (unsigned n = 0; n < 10; n++) {
		put(c, n);
		age(n, 1000 - n);
	}
	assert_true(has(c, 0)); /* is used now */
	put(c, 10);
	assert_true(has(c, 0) && has(c, 10));
	assert_false(has(c, 1) || has(c, 2));
	for (unsigned n = 3; n < 10; n++)
		assert_true(has(c, n));
	thumb_cache_free(c);
	c = thumb_cache_new(folder, 5 * BYTES); /* a smaller bound holds from the next one on */
	put(c, 11);
	unsigned left = 0;
	for (unsigned n = 0; n <= 11; n++)
		left += has(c, n);
	assert_in_range(left, 1, 5);
	assert_true(has(c, 11));
	thumb_cache_free(c);
}

static void numbers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool good;
		int64_t value;
	} whole[] = { { "0", true, 0 }, { "-5", true, -5 }, { "007", true, 7 }, { "100", true, 100 },
		{ "101", false, 0 }, { "-6", false, 0 }, { "", false, 0 }, { NULL, false, 0 },
		{ " 1", false, 0 }, { "1 ", false, 0 }, { "+1", false, 0 }, { "1.0", false, 0 },
		{ "0x1", false, 0 }, { "-", false, 0 }, { "99999999999999999999", false, 0 },
		{ "-99999999999999999999", false, 0 } };
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
		char why[100] = "";
		int64_t v = 77;
		assert_int_equal(number_whole("n", whole[i].text, -5, 100, &v, why, sizeof why),
			whole[i].good);
		assert_int_equal(v, whole[i].good ? whole[i].value : 77);
		assert_string_equal(why, whole[i].good ? "" : "n: a whole number from -5 to 100 is needed");
	}
	static const struct {
		const char *text;
		double value; /* NAN: refused */
	} real[] = { { "0.5", 0.5 }, { "-1.5e1", -15 }, { "3", 3 }, { "1E1", 10 }, { "nan", NAN },
		{ "inf", NAN }, { "1e999", NAN }, { "0x1p3", NAN }, { ".5", NAN }, { "1,5", NAN },
		{ "1e", NAN }, { "", NAN }, { NULL, NAN }, { "20.1", NAN }, { " 1", NAN } };
	for (size_t i = 0; i < sizeof real / sizeof *real; i++) {
		char why[100] = "";
		double v = 77;
		bool good = !isnan(real[i].value);
		assert_int_equal(number_real("r", real[i].text, -20, 20, &v, why, sizeof why), good);
		assert_true(v == (good ? real[i].value : 77));
		assert_string_equal(why, good ? "" : "r: a number from -20 to 20 is needed");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(bounded, setup, teardown),
		cmocka_unit_test(numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
