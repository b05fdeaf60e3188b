/*
 * lib/base: known answers of the hashes, the order of the best k, overflow-proof arrays, buffers,
 * the pool.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void hashes_match_their_specifications(void **state)
{
	(void)state;
	char hex[65];
	hash256 h = ims_hash("abc", 3);
	ims_hash_hex(&h, hex);
	assert_string_equal(hex, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
	h = ims_hash(NULL, 0);
	ims_hash_hex(&h, hex);
	assert_string_equal(hex, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
	assert_true(ims_checksum("", 0, 0) == 0xEF46DB3751D8E999u);
	assert_true(ims_checksum("abc", 3, 0) == 0x44BC2CF5AD770999u);
	uint8_t run[101];
	for (int i = 0; i < 101; i++)
		run[i] = (uint8_t)i;
	uint64_t whole = ims_checksum(run, 101, 0);
	run[100] ^= 1;
	assert_true(ims_checksum(run, 101, 0) != whole);
}

static void topk_keeps_the_nearest_and_breaks_ties_by_id(void **state)
{
	(void)state;
	uint64_t seed = 7;
	topk t;
	assert_int_equal(ims_topk_init(&t, 10), 0);
	for (int round = 0; round < 200; round++) {
		neighbor all[60];
		ims_topk_clear(&t);
		size_t n = ims_random(&seed) % 60;
		for (size_t i = 0; i < n; i++) {
			all[i] = (neighbor){ (float)(ims_random(&seed) % 8),
				(int64_t)(ims_random(&seed) % 1000) * 60 + (int64_t)i };
			ims_topk_push(&t, all[i].distance, all[i].id);
		}
		ims_topk_push(&t, __builtin_nanf(""), 1);
		ims_topk_sort(&t);
		assert_int_equal(t.n, n < 10 ? n : 10);
		for (size_t i = 0; i < t.n; i++) {
			size_t nearer = 0;
			for (size_t j = 0; j < n; j++)
				nearer += ims_nearer(all[j].distance, all[j].id, t.item[i].distance, t.item[i].id);
			assert_int_equal(nearer, i);
		}
	}
	ims_topk_free(&t);
	assert_int_equal(ims_topk_init(&t, 0), 0);
	ims_topk_push(&t, 1, 1);
	assert_int_equal(t.n, 0);
	ims_topk_free(&t);
}

static void arrays_grow_as_they_fill(void **state)
{
	(void)state;
	size_t cap = 0, moves = 0;
	int *a = NULL;
	for (size_t n = 0; n < 1000; n++) {
		size_t before = cap;
		int *more = ims_grow(a, n, &cap, sizeof *more);
		assert_non_null(more);
		assert_true(cap > n);
		moves += cap != before;
		a = more;
		a[n] = (int)n;
	}
	assert_in_range(moves, 2, 10);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(a[i], i);
	size_t full = cap;
	ims_alloc_fail_after(1);
	assert_null(ims_grow(a, full, &cap, sizeof *a));
	ims_alloc_fail_after(0);
	assert_int_equal(cap, full);
	assert_int_equal(a[999], 999);
	ims_free(a);
}

static void arrays_do_not_overflow(void **state)
{
	(void)state;
	assert_null(ims_alloc(SIZE_MAX / 2, 4));
	assert_null(ims_zalloc(SIZE_MAX, 2));
	ims_alloc_fail_after(2);
	void *a = ims_alloc(1, 1), *b = ims_alloc(1, 1), *c = ims_alloc(1, 1);
	assert_non_null(a);
	assert_null(b);
	assert_non_null(c);
	assert_int_equal(ims_alloc_fail_after(0), 3);
	ims_free(a);
	ims_free(c);
}

static void buffers_read_back_and_remember_failure(void **state)
{
	(void)state;
	buf b = { 0 };
	ims_buf_u8(&b, 7);
	ims_buf_u32(&b, 0x01020304);
	ims_buf_u64(&b, 0x0102030405060708);
	ims_buf_f32(&b, 1.5f);
	ims_buf_text(&b, "%d%s", 4, "x");
	assert_int_equal(b.len, 1 + 4 + 8 + 4 + 2);
	assert_int_equal(b.data[1], 4);
	reader r = { .data = b.data, .len = b.len };
	assert_int_equal(ims_read_u8(&r), 7);
	assert_int_equal(ims_read_u32(&r), 0x01020304);
	assert_true(ims_read_u64(&r) == 0x0102030405060708);
	assert_true(ims_read_f32(&r) == 1.5f);
	assert_memory_equal(ims_read_bytes(&r, 2), "4x", 2);
	assert_false(r.failed);
	assert_int_equal(ims_read_u32(&r), 0);
	assert_true(r.failed);
	ims_buf_free(&b);
	ims_alloc_fail_after(1);
	ims_buf_u32(&b, 1);
	ims_alloc_fail_after(0);
	ims_buf_u32(&b, 1);
	assert_true(b.failed);
	assert_int_equal(b.len, 0);
	ims_buf_free(&b);
	uint8_t place[4];
	buf fixed = { .data = place, .cap = 4, .fixed = true };
	ims_buf_u32(&fixed, 0x04030201);
	assert_false(fixed.failed);
	assert_int_equal(place[3], 4);
	ims_buf_u8(&fixed, 5);
	assert_true(fixed.failed);
	assert_ptr_equal(fixed.data, place);
	ims_buf_free(&fixed); /* leaves the caller's memory alone */
}

static void files_are_read_and_odd_ones_refused(void **state)
{
	(void)state;
	imgsearch_error err;
	buf b = { 0 };
	char path[] = "/tmp/imgsearch-test-XXXXXX";
	int fd = mkstemp(path);
	assert_int_equal(write(fd, "hello", 5), 5);
	close(fd);
	assert_int_equal(ims_read_file(&b, path, 5, &err), 0);
	assert_int_equal(b.len, 5);
	assert_int_equal(ims_read_file(&b, path, 4, &err), IMGSEARCH_ELIMIT);
	assert_int_equal(ims_read_file(&b, "/tmp", 100, &err), IMGSEARCH_EUNSUPPORTED);
	assert_non_null(strstr(err.message, "a folder"));
	unlink(path);
	assert_int_equal(ims_read_file(&b, path, 5, &err), IMGSEARCH_ENOTFOUND);
	assert_non_null(strstr(err.message, path));
	ims_buf_free(&b);
}

static void add_one(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

static void square(void *arg, size_t i, unsigned worker)
{
	assert_true(worker < 3);
	((size_t *)arg)[i] = i * i;
}

static void the_pool_does_all_its_work(void **state)
{
	(void)state;
	imgsearch_error err;
	pool *p;
	atomic_int sum = 0;
	assert_int_equal(ims_pool_new(&p, 3, 2, &err), 0);
	for (int i = 0; i < 500; i++)
		ims_pool_run(p, add_one, &sum);
	ims_pool_wait(p);
	assert_int_equal(atomic_load(&sum), 500);
	size_t squares[1000] = { 0 };
	ims_parallel(p, 1000, square, squares);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(squares[i], i * i);
	ims_parallel(NULL, 10, square, squares);
	ims_pool_free(p);
	ims_pool_free(NULL);
}

static void errors_carry_code_and_sentence(void **state)
{
	(void)state;
	imgsearch_error err;
	assert_int_equal(ims_fail(&err, IMGSEARCH_EIO, "row %d", 3), IMGSEARCH_EIO);
	ims_error_prefix(&err, "%s", "x.jpg");
	assert_string_equal(err.message, "x.jpg: row 3");
	assert_int_equal(ims_fail(NULL, IMGSEARCH_EDB, "x"), IMGSEARCH_EDB);
	assert_string_equal(imgsearch_strerror(IMGSEARCH_EBUSY), "busy: another writer is at work");
	assert_string_equal(imgsearch_strerror(77), "unknown status");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_match_their_specifications),
		cmocka_unit_test(topk_keeps_the_nearest_and_breaks_ties_by_id),
		cmocka_unit_test(arrays_grow_as_they_fill),
		cmocka_unit_test(arrays_do_not_overflow),
		cmocka_unit_test(buffers_read_back_and_remember_failure),
		cmocka_unit_test(files_are_read_and_odd_ones_refused),
		cmocka_unit_test(the_pool_does_all_its_work),
		cmocka_unit_test(errors_carry_code_and_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
