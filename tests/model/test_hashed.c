/* The hashes that a process keeps: of the very file, as it was, and of no newer one. */
#include "model/hashed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

static struct stat old_file(ino_t inode)
{
	struct stat st;
	memset(&st, 0, sizeof st);
	st.st_dev = 1;
	st.st_ino = inode;
	st.st_size = 1000;
	st.st_mtim.tv_sec = st.st_ctim.tv_sec = time(NULL) - 3600;
	return st;
}

static void keep(const struct stat *before, const struct stat *after, uint64_t hash)
{
	ims_hashed_keep(HASHED_CONTENT, before, after, &hash, sizeof hash);
}

/* The hash of a file; 0: it is not known. */
static uint64_t find(const struct stat *st)
{
	uint64_t hash = 0;
	return ims_hashed_find(HASHED_CONTENT, st, &hash, sizeof hash) ? hash : 0;
}

static void finds_the_same_file_alone(void **state)
{
	(void)state;
	struct stat st = old_file(7), other;
	uint64_t hash;
	keep(&st, &st, 77);
	assert_int_equal(find(&st), 77);
	assert_false(ims_hashed_find(HASHED_SHA256, &st, &hash, sizeof hash));
	for (int i = 0; i < 7; i++) {
		other = st;
		other.st_dev += i == 0;
		other.st_ino += i == 1;
		other.st_size += i == 2;
		other.st_mtim.tv_sec += i == 3;
		other.st_mtim.tv_nsec += i == 4;
		other.st_ctim.tv_sec += i == 5;
		other.st_ctim.tv_nsec += i == 6;
		assert_int_equal(find(&other), 0);
	}
}

static void keeps_none_that_may_still_change(void **state)
{
	(void)state;
	struct stat st = old_file(8), later = st;
	later.st_mtim.tv_nsec++; /* it was written to while it was read */
	keep(&st, &later, 88);
	assert_int_equal(find(&st), 0);
	assert_int_equal(find(&later), 0);
	st.st_mtim.tv_sec = time(NULL);
	keep(&st, &st, 88);
	assert_int_equal(find(&st), 0);
	st = old_file(8);
	st.st_ctim.tv_sec = time(NULL);
	keep(&st, &st, 88);
	assert_int_equal(find(&st), 0);
}

static void keeps_the_last_ones(void **state)
{
	(void)state;
	enum { N = 1000, LAST = 30 };
	struct stat st;
	for (unsigned i = 1; i <= N; i++) {
		st = old_file(100 + i);
		keep(&st, &st, i);
	}
	for (unsigned i = N - LAST; i <= N; i++) {
		st = old_file(100 + i);
		assert_int_equal(find(&st), i);
	}
	st = old_file(101);
	assert_int_equal(find(&st), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_same_file_alone),
		cmocka_unit_test(keeps_none_that_may_still_change),
		cmocka_unit_test(keeps_the_last_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
