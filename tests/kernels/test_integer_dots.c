/*
 * Integer dot products: every level of kernels gives the sums of plain loops, at the extremes too.
 */
#include "kernels/kernels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { ROWS = 9, SIZE_MAX_ = 1280 };

static void dot_u8_i8(void **state)
{
	(void)state;
	uint8_t *rows = ims_alloc_aligned(ROWS, SIZE_MAX_);
	int8_t *query = ims_alloc_aligned(SIZE_MAX_, 1);
	uint64_t seed = 1;
	for (size_t size = 64; size <= SIZE_MAX_; size += 64)
		for (int kind = 0; kind < 3; kind++) {
			for (size_t i = 0; i < ROWS * size; i++)
				rows[i] = kind ? 255 : (uint8_t)ims_random(&seed);
			for (size_t i = 0; i < size; i++)
				query[i] = kind ? kind == 1 ? 127 : -128 : (int8_t)ims_random(&seed);
			for (size_t n = 0; n <= ROWS; n++)
				for (int listed = 0; listed < 2; listed++) {
					uint32_t list[ROWS];
					for (size_t i = 0; i < n; i++)
						list[i] = (uint32_t)(ims_random(&seed) % ROWS);
					const kernels *k;
					for (size_t level = 0; (k = ims_kernels_level(level)); level++) {
						int32_t out[ROWS + 1];
						memset(out, 0x55, sizeof(out));
						k->dot_u8_i8(rows, size, listed ? list : NULL, n, query, out);
						for (size_t i = 0; i < n; i++) {
							int64_t sum = 0;
							for (size_t j = 0; j < size; j++)
								sum += rows[(listed ? list[i] : i) * size + j] * query[j];
							assert_int_equal(out[i], sum);
						}
						assert_int_equal(out[n], 0x55555555);
					}
				}
		}
	ims_free(rows);
	ims_free(query);
}

static void dot_u2_i8(void **state)
{
	(void)state;
	enum { BLOCKS = 5, STRIDE = 64 * BLOCKS + 4 };
	uint8_t *rows = ims_alloc_aligned(ROWS, STRIDE);
	int8_t *query = ims_alloc_aligned(256 * BLOCKS, 1);
	uint64_t seed = 1;
	for (size_t blocks = 0; blocks <= BLOCKS; blocks++)
		for (int kind = 0; kind < 3; kind++) {
			uint32_t list[ROWS];
			const kernels *k;
			for (size_t i = 0; i < ROWS * STRIDE; i++)
				rows[i] = kind ? 255 : (uint8_t)ims_random(&seed);
			for (size_t i = 0; i < 256 * BLOCKS; i++)
				query[i] = kind ? kind == 1 ? 127 : -128 : (int8_t)ims_random(&seed);
			for (size_t i = 0; i < ROWS; i++)
				list[i] = (uint32_t)(ims_random(&seed) % ROWS);
			for (size_t level = 0; (k = ims_kernels_level(level)); level++) {
				int32_t out[ROWS];
				k->dot_u2_i8(rows, STRIDE, blocks, list, ROWS, query, out);
				for (size_t i = 0; i < ROWS; i++) {
					int32_t sum = 0;
					for (size_t j = 0; j < 256 * blocks; j++)
						sum += (rows[list[i] * STRIDE + j / 256 * 64 + j % 64] >> j % 256 / 64 * 2
								   & 3)
							* query[j];
					assert_int_equal(out[i], sum);
				}
			}
		}
	ims_free(rows);
	ims_free(query);
}

static void scan_u4_i8(void **state)
{
	(void)state;
	enum { BLOCKS = 3, EIGHTS = 37, ALL = BLOCKS * IMS_BLOCK_ROWS };
	uint8_t *block = ims_alloc_aligned(BLOCKS * EIGHTS, 64);
	int8_t query[8 * EIGHTS];
	uint64_t seed = 1;
	for (size_t eights = 0; eights <= EIGHTS; eights++)
		for (int kind = 0; kind < 3; kind++) {
			const kernels *k;
			for (size_t i = 0; i < BLOCKS * EIGHTS * 64; i++)
				block[i] = kind ? 255 : (uint8_t)ims_random(&seed);
			for (size_t i = 0; i < sizeof query; i++)
				query[i] = kind ? kind == 1 ? 127 : -128 : (int8_t)ims_random(&seed);
			for (size_t level = 0; (k = ims_kernels_level(level)); level++) {
				int32_t out[ALL + 1];
				memset(out, 0x55, sizeof out);
				k->scan_u4_i8(block, BLOCKS, eights, query, out);
				for (size_t i = 0; i < ALL; i++) {
					int32_t sum = 0;
					const uint8_t *row = block + i / 16 * 64 * eights + i % 16 * 4;
					for (size_t j = 0; j < 8 * eights; j++)
						sum += (row[j / 8 * 64 + j % 4] >> (j % 8 / 4 * 4) & 15) * query[j];
					assert_int_equal(out[i], sum);
				}
				assert_int_equal(out[ALL], 0x55555555);
			}
		}
	ims_free(block);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dot_u8_i8),
		cmocka_unit_test(dot_u2_i8),
		cmocka_unit_test(scan_u4_i8),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
