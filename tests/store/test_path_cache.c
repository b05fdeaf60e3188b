/* The paths that a connection keeps: what was put is found, within the budget of the store. */
#include "store/sqlite/path_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void put(path_cache *c, atomic_size_t *used, int64_t id, int64_t root, const char *path)
{
	char root_path[40];
	snprintf(root_path, sizeof root_path, "/pictures/%lld", (long long)root);
	const cached_path p = {
		.root = root,
		.state = (uint32_t)(id & 3),
		.width = (uint32_t)id,
		.height = (uint32_t)root,
		.path = path,
		.root_path = root_path,
	};
	ims_path_cache_put(c, used, id, &p);
}

static void finds_what_was_put(void **state)
{
	(void)state;
	enum { N = 20000, ROOTS = 40 /* more than are kept apart */ };
	path_cache c = { 0 };
	atomic_size_t used = 0;
	cached_path p;
	char path[40], root_path[40];
	assert_false(ims_path_cache_get(&c, 1, &p));
	for (int64_t i = -N; i < N; i++) {
		snprintf(path, sizeof path, "IMG_%lld.jpg", (long long)i);
		put(&c, &used, i * 1000003, i % ROOTS, i % 7 ? path : NULL);
	}
	for (int64_t i = -N; i < N; i++) {
		snprintf(path, sizeof path, "IMG_%lld.jpg", (long long)i);
		snprintf(root_path, sizeof root_path, "/pictures/%lld", (long long)(i % ROOTS));
		assert_true(ims_path_cache_get(&c, i * 1000003, &p));
		assert_false(ims_path_cache_get(&c, i * 1000003 + 1, &p));
		ims_path_cache_get(&c, i * 1000003, &p);
		assert_int_equal(p.root, i % ROOTS);
		assert_int_equal(p.state, i * 1000003 & 3);
		if (i % 7) {
			assert_string_equal(p.path, path);
			assert_string_equal(p.root_path, root_path);
		} else {
			assert_null(p.path); /* there is no such picture */
		}
	}
	ims_path_cache_clear(&c, &used);
	assert_int_equal(used, 0);
	assert_false(ims_path_cache_get(&c, 1000003, &p));
}

/* Three caches share the bytes. The newest entry of a cache that has room is always there. */
static void stays_within_its_budget(void **state)
{
	(void)state;
	enum { CACHES = 3, N = 60000 };
	path_cache c[CACHES] = { { .n = 0 } };
	atomic_size_t used = 0;
	cached_path p;
	char path[1000];
	memset(path, 'x', sizeof path);
	path[sizeof path - 1] = 0;
	for (int64_t i = 0; i < N; i++) {
		path_cache *one = &c[i / (N / CACHES)];
		put(one, &used, i, 1, path);
		assert_true(used <= PATH_CACHE_BYTES);
		if (i < N / CACHES)
			assert_true(ims_path_cache_get(one, i, &p));
	}
	static char large[PATH_CACHE_BYTES + 1];
	memset(large, 'y', PATH_CACHE_BYTES);
	put(&c[0], &used, -1, 1, large); /* not kept */
	assert_false(ims_path_cache_get(&c[0], -1, &p));
	for (int i = 0; i < CACHES; i++)
		ims_path_cache_clear(&c[i], &used);
	assert_int_equal(used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_put),
		cmocka_unit_test(stays_within_its_budget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
