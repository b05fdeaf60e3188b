/*
 * Every level of kernels against plain loops in double, and against the scalar level: f32 sums and
 * scores bit for bit.
 */
#include "test.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t seed = 1;

static float number(int kind)
{
	float v = (float)(ims_random_unit(&seed) - 0.5);
	return kind == 0 ? v
		: kind == 1  ? v * 1e-40f
		: kind == 2  ? v * 1e18f
					 : v * powf(10, (float)(ims_random(&seed) % 20) - 10);
}

static const kernels *scalar(void)
{
	const kernels *k = NULL;
	for (size_t i = 0; ims_kernels_level(i); i++)
		k = ims_kernels_level(i);
	return k;
}

static void sums(void **state)
{
	(void)state;
	enum { MOST = 700 };
	float a[MOST + 3], b[MOST + 3];
	for (size_t n = 0; n <= MOST; n += n < 200 ? 1 : 37)
		for (int kind = 0; kind < 4; kind++) {
			size_t off = n % 3;
			double l2 = 0, dot = 0, size = 0, squares = 0;
			for (size_t i = 0; i < n + off; i++) {
				a[i] = number(kind);
				b[i] = number(kind);
			}
			for (size_t i = off; i < n + off; i++) {
				l2 += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
				dot += (double)a[i] * b[i];
				squares += (double)a[i] * (double)a[i];
				size += fabs((double)a[i] * b[i]);
			}
			for (size_t level = 0; ims_kernels_level(level); level++) {
				const kernels *k = ims_kernels_level(level);
				float x = k->l2_f32(a + off, b + off, n), y = k->dot_f32(a + off, b + off, n);
				float sx = scalar()->l2_f32(a + off, b + off, n),
					  sy = scalar()->dot_f32(a + off, b + off, n);
				assert_memory_equal(&x, &sx, sizeof(x));
				assert_memory_equal(&y, &sy, sizeof(y));
				double s = k->squares_f32(a + off, NULL, n),
					   d = k->squares_f32(a + off, b + off, n),
					   ss = scalar()->squares_f32(a + off, NULL, n),
					   sd = scalar()->squares_f32(a + off, b + off, n);
				assert_memory_equal(&s, &ss, sizeof(s));
				assert_memory_equal(&d, &sd, sizeof(d));
				assert_true(fabs(s - squares) <= squares * 1e-13);
				assert_true(fabs(d - l2) <= l2 * 1e-6 + 1e-80);
				if (l2 < 1e38) {
					assert_true(fabs(x - l2) <= l2 * 4e-6 + 1e-38);
					assert_true(fabs(y - dot) <= size * 4e-6 + 1e-38);
				}
			}
		}
}

static void panels(void **state)
{
	(void)state;
	enum { ROWS = 19, MOST = 300 };
	float *x = malloc(ROWS * MOST * sizeof(float)),
		  *w = ims_alloc_aligned(MOST * IMS_PANEL, sizeof(float)), y[ROWS * 40];
	for (size_t n = 1; n <= MOST; n += n < 20 ? 1 : 67)
		for (size_t level = 0; ims_kernels_level(level); level++) {
			for (size_t i = 0; i < ROWS * n; i++)
				x[i] = number(0);
			for (size_t i = 0; i < n * IMS_PANEL; i++)
				w[i] = number(0);
			for (size_t rows = 0; rows <= ROWS; rows += 1 + rows / 3) {
				for (size_t i = 0; i < ROWS * 40; i++)
					y[i] = -1;
				ims_kernels_level(level)->panel_f32(x, rows, n, w, y, 40);
				for (size_t r = 0; r < ROWS; r++)
					for (size_t c = 0; c < 40; c++) {
						double sum = 0;
						for (size_t i = 0; i < n && r < rows && c < IMS_PANEL; i++)
							sum += (double)x[r * n + i] * w[i * IMS_PANEL + c];
						assert_true(
							fabs(y[r * 40 + c] - (r < rows && c < IMS_PANEL ? sum : -1)) < 1e-5);
					}
			}
		}
	free(x);
	ims_free(w);
}

static void query(int16_t *q, int8_t *high, int8_t *low, size_t n, int kind)
{
	for (size_t i = 0; i < n; i++) {
		int k = kind == 0 ? (int)(ims_random(&seed) % 65025) - 32512
			: kind == 1   ? 32512
						  : -32512,
			c = (k + 128) >> 8;
		q[i] = (int16_t)k;
		high[i] = (int8_t)c;
		low[i] = (int8_t)(k - 256 * c);
	}
}

static void scans(void **state)
{
	(void)state;
	enum { BLOCKS = 3, MOST = IMS_SCAN_MAX, STRIDE = 16 * MOST + 192 };
	uint8_t *blocks = ims_alloc_aligned(BLOCKS, STRIDE);
	int16_t q[MOST];
	int8_t high[MOST], low[MOST];
	for (size_t n = 4; n <= MOST; n += 4)
		for (int kind = 0; kind < 3; kind++) {
			size_t stride = 16 * n + 192;
			float before[16 * BLOCKS], out[16 * BLOCKS], right[16 * BLOCKS];
			for (size_t i = 0; i < BLOCKS * stride; i++)
				blocks[i] = kind ? 255 : (uint8_t)ims_random(&seed);
			for (size_t b = 0; b < BLOCKS; b++)
				for (size_t i = 0; i < 48; i++)
					((float *)(void *)(blocks + b * stride + 16 * n))[i] = number(0);
			for (size_t i = 0; i < 16 * BLOCKS; i++)
				before[i] = number(0);
			query(q, high, low, n, kind);
			query_i16 cq = { q, high, low, 1e-7f, 0.3f, -0.2f };
			for (int with = 0; with < 2; with++) {
				scalar()->scan_u8_i16(blocks, stride, BLOCKS, n / 4, &cq, with ? before : NULL,
					right);
				for (size_t level = 0; ims_kernels_level(level); level++) {
					ims_kernels_level(level)->scan_u8_i16(blocks, stride, BLOCKS, n / 4, &cq,
						with ? before : NULL, out);
					assert_memory_equal(out, right, sizeof(out));
				}
				for (size_t r = 0; r < 16 * BLOCKS; r++) {
					const uint8_t *block = blocks + r / 16 * stride;
					const float *f = (const float *)(const void *)(block + 16 * n) + r % 16;
					double sum = 0;
					for (size_t i = 0; i < n; i++)
						sum += q[i] * block[i / 4 * 64 + r % 16 * 4 + i % 4];
					double score = f[0] + 0.3 * f[16] + 1e-7 * sum
						+ (with ? before[r] - 0.2 * f[32] : 0);
					assert_true(fabs(right[r] - score) < 1e-4);
				}
			}
		}
	ims_free(blocks);
}

static void code_sums(void **state)
{
	(void)state;
	enum { MOST = 65536 };
	uint8_t *code = malloc(MOST);
	int16_t *q = malloc(MOST * sizeof(*q));
	int8_t *high = malloc(MOST), *low = malloc(MOST);
	for (size_t n = 64; n <= MOST; n = n < 1024 ? n + 64 : n * 2)
		for (int kind = 0; kind < 3; kind++) {
			int64_t sum = 0;
			query(q, high, low, n, kind);
			for (size_t i = 0; i < n; i++) {
				code[i] = kind ? 255 : (uint8_t)ims_random(&seed);
				sum += q[i] * code[i];
			}
			query_i16 cq = { q, high, low, 0, 0, 0 };
			for (size_t level = 0; ims_kernels_level(level); level++)
				assert_true(ims_kernels_level(level)->dot_u8_i16(code, &cq, n) == sum);
		}
	free(code);
	free(q);
	free(high);
	free(low);
}

static void selections(void **state)
{
	(void)state;
	enum { BLOCKS = 9, LISTED = 5 };
	float e[16 * BLOCKS], limit[LISTED];
	uint32_t list[LISTED];
	uint16_t out[LISTED], right[LISTED];
	for (int turn = 0; turn < 500; turn++) {
		for (size_t i = 0; i < 16 * BLOCKS; i++)
			e[i] = ims_random(&seed) % 10 ? number(0) : ims_random(&seed) % 2 ? INFINITY : NAN;
		for (size_t i = 0; i < LISTED; i++) {
			list[i] = (uint32_t)(ims_random(&seed) % BLOCKS);
			limit[i] = ims_random(&seed) % 4 ? number(0)
				: ims_random(&seed) % 2      ? -INFINITY
											 : e[16 * list[i]];
			right[i] = 0;
			for (size_t r = 0; r < 16; r++)
				right[i] |= (uint16_t)((e[16 * list[i] + r] <= limit[i]) << r);
		}
		for (size_t level = 0; ims_kernels_level(level); level++) {
			ims_kernels_level(level)->below_f32(e, list, limit, LISTED, out);
			assert_memory_equal(out, right, sizeof(out));
		}
	}
}

/* Each row of a block has the distance that the kernels of single rows give. */
static void near(void **state)
{
	(void)state;
	enum { BLOCKS = 3 };
	float rows[16 * BLOCKS][IMS_NEAR_MAX], query[IMS_NEAR_MAX], out[16 * BLOCKS];
	float blocks[16 * BLOCKS * IMS_NEAR_MAX];
	uint16_t mask[BLOCKS];
	for (size_t n = 1; n <= IMS_NEAR_MAX; n++)
		for (int turn = 0; turn < 16; turn++) {
			bool dot = turn % 2;
			for (size_t i = 0; i < n; i++)
				query[i] = turn < 2 ? -0.0f : number(turn / 2 % 4);
			for (size_t r = 0; r < 16 * BLOCKS; r++)
				for (size_t i = 0; i < n; i++) {
					rows[r][i] = number(turn / 2 % 4);
					blocks[16 * (n * (r / 16) + i) + r % 16] = rows[r][i];
				}
			float limit = dot ? -scalar()->dot_f32(query, rows[7], n)
							  : scalar()->l2_f32(query, rows[7], n);
			for (size_t level = 0; ims_kernels_level(level); level++) {
				ims_kernels_level(level)->near_f32(blocks, BLOCKS, query, n, dot, limit, out, mask);
				for (size_t r = 0; r < 16 * BLOCKS; r++) {
					float right = dot ? -scalar()->dot_f32(query, rows[r], n)
									  : scalar()->l2_f32(query, rows[r], n);
					assert_memory_equal(&out[r], &right, sizeof right);
					assert_int_equal(mask[r / 16] >> r % 16 & 1, right <= limit);
				}
			}
		}
}

static void lowered(void **state)
{
	(void)state;
	const char *wanted = getenv("IMGSEARCH_KERNELS");
	bool there = false;
	for (size_t i = 0; wanted && ims_kernels_level(i); i++)
		there |= !strcmp(ims_kernels_level(i)->name, wanted);
	assert_string_equal(ims_kernels()->name, there ? wanted : ims_kernels_level(0)->name);
	assert_string_equal(scalar()->name, "scalar");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums),
		cmocka_unit_test(panels),
		cmocka_unit_test(near),
		cmocka_unit_test(scans),
		cmocka_unit_test(code_sums),
		cmocka_unit_test(selections),
		cmocka_unit_test(lowered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
