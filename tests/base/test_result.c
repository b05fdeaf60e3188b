/* base/result: what belongs to a result stays where it is, is aligned, zeroed and freed with it. */
#include "base/result.h"

#include "test.h"

#include <stdalign.h>
#include <stdlib.h>

typedef struct thing {
	double value;
	const char *name;
} thing;

static void assert_aligned(const void *p)
{
	assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
}

static void assert_zero(const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(((const unsigned char *)p)[i], 0);
}

/* Sizes around those of blocks; the bytes of each piece are its own. */
static void pieces_stay_apart(void **state)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 100, 4095, 4096, 4097, 70000, 3, 1 << 20,
		(1 << 20) + 1, 8 };
	enum { SIZES = sizeof sizes / sizeof *sizes, ROUNDS = 20 };
	unsigned char *piece[ROUNDS * SIZES];
	(void)state;
	void *r = ims_result_new(24);
	assert_non_null(r);
	assert_aligned(r);
	assert_zero(r, 24);
	memset(r, 0xff, 24);
	for (size_t i = 0; i < ROUNDS * SIZES; i++) {
		size_t size = sizes[i % SIZES];
		piece[i] = ims_result_alloc(r, size, 1);
		assert_non_null(piece[i]);
		assert_aligned(piece[i]);
		assert_zero(piece[i], size);
		memset(piece[i], (int)(i % 255) + 1, size);
	}
	for (size_t i = 0; i < ROUNDS * SIZES; i++)
		for (size_t at = 0; at < sizes[i % SIZES]; at++)
			assert_int_equal(piece[i][at], i % 255 + 1);
	for (int i = 0; i < 24; i++)
		assert_int_equal(((unsigned char *)r)[i], 0xff);
	ims_result_free(r);
}

static void lists_point_to_their_items(void **state)
{
	enum { N = 1000 };
	(void)state;
	void *r = ims_result_new(1);
	thing **list = ims_result_list(r, N, sizeof **list);
	assert_non_null(list);
	for (size_t i = 0; i < N; i++) {
		assert_aligned(list[i]);
		assert_zero(list[i], sizeof **list);
		*list[i] = (thing){ (double)i, ims_result_text(r, "name") };
	}
	for (size_t i = 0; i < N; i++) {
		assert_true(list[i]->value == (double)i);
		assert_string_equal(list[i]->name, "name");
		assert_true(!i || list[i]->name != list[i - 1]->name);
	}
	assert_non_null(ims_result_list(r, 0, sizeof **list));
	char **odd = ims_result_list(r, 3, 1);
	for (int i = 0; i < 3; i++)
		assert_aligned(odd[i]);
	ims_result_free(r);
}

static void texts_are_copied(void **state)
{
	(void)state;
	char text[] = "some text";
	void *r = ims_result_new(8);
	const char *all = ims_result_text(r, text), *part = ims_result_text_n(r, text, 4),
			   *empty = ims_result_text_n(r, text, 0);
	memset(text, 'x', sizeof text - 1);
	assert_string_equal(all, "some text");
	assert_string_equal(part, "some");
	assert_string_equal(empty, "");
	assert_null(ims_result_text(r, NULL));
	ims_result_free(r);
}

static void nothing_is_fine(void **state)
{
	(void)state;
	ims_result_free(NULL);
	assert_null(ims_result_alloc(NULL, 1, 1));
	assert_null(ims_result_list(NULL, 1, 1));
	assert_null(ims_result_text(NULL, "text"));
	void *r = ims_result_new(0);
	assert_non_null(r);
	ims_result_free(r);
}

static void sizes_do_not_overflow(void **state)
{
	(void)state;
	void *r = ims_result_new(1);
	assert_null(ims_result_new(SIZE_MAX));
	assert_null(ims_result_alloc(r, SIZE_MAX, 1));
	assert_null(ims_result_alloc(r, SIZE_MAX - 8, 1));
	assert_null(ims_result_alloc(r, SIZE_MAX / 2, 3));
	assert_null(ims_result_list(r, SIZE_MAX / 4, 1));
	assert_null(ims_result_list(r, SIZE_MAX, 100));
	assert_null(ims_result_list(r, 1, SIZE_MAX));
	assert_null(ims_result_list(r, 1, SIZE_MAX - 15));
	assert_non_null(ims_result_alloc(r, 100, 1)); /* and it goes on */
	ims_result_free(r);
}

/* Makes a result with some of everything. False: out of memory. */
static bool fill(void **out)
{
	void *r = *out = ims_result_new(16);
	bool ok = r != NULL;
	for (int i = 0; ok && i < 5; i++)
		ok = ims_result_list(r, 300, sizeof(thing)) && ims_result_text(r, "a text")
			&& ims_result_alloc(r, 3000, 1);
	return ok;
}

/* A failure leaves what was there, and frees with it. */
static void any_allocation_may_fail(void **state)
{
	(void)state;
	void *r;
	ims_alloc_fail_after(0);
	assert_true(fill(&r));
	ims_result_free(r);
	uint64_t made = ims_alloc_fail_after(0);
	assert_in_range(made, 3, 100);
	for (uint64_t n = 1; n <= made; n++) {
		ims_alloc_fail_after(n);
		assert_false(fill(&r));
		if (n > 1) {
			assert_non_null(ims_result_alloc(r, 5000, 1)); /* the next one works again */
			ims_result_free(r);
		} else {
			assert_null(r);
		}
	}
	ims_alloc_fail_after(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_stay_apart),
		cmocka_unit_test(lists_point_to_their_items),
		cmocka_unit_test(texts_are_copied),
		cmocka_unit_test(nothing_is_fine),
		cmocka_unit_test(sizes_do_not_overflow),
		cmocka_unit_test(any_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
