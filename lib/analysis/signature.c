/*
 * The invariant consists of the 8 x 8 lowest terms of the two-dimensional cosine transform. A
 * reflection changes signs of terms and a transposition swaps (i, j) with (j, i). The eight
 * positions of a square are made of these, so the lengths of the pairs (i, j), (j, i) stay the
 * same. The 35 of them without the mean, scaled to length 1, do not depend on brightness and
 * contrast either. They only propose candidates; ims_signature_same compares pixels.
 *
 * The correlation is for pictures that are not copies but may show the same scene: windows of one
 * signature are compared with the whole of the other.
 */
#include "analysis/signature.h"

#include <math.h>

#define SIDE IMS_SIGNATURE_SIDE
#define TERMS 8

/* Adds v at place i of n to the cells that it overlaps when n places are scaled to SIDE. */
static inline void squeeze(float *cell, uint32_t i, uint32_t n, float v)
{
	float scale = (float)SIDE / (float)n, from = (float)i * scale, to = from + scale;
	for (uint32_t c = (uint32_t)from; c < SIDE && (float)c < to; c++)
		cell[c] += v * (fminf(to, (float)(c + 1)) - fmaxf(from, (float)c));
}

/* SIDE sums of luminance of a row: differences of the running sum at the borders of the cells. */
static void squeeze_row(float out[SIDE], const uint8_t *rgb, uint32_t width)
{
	uint64_t sum = 0;
	uint32_t x = 0;
	double before = 0;
	for (uint32_t c = 0; c < SIDE; c++) {
		double border = (double)(c + 1) * width / SIDE;
		uint32_t whole = border < width ? (uint32_t)border : width - 1;
		for (; x < whole; x++)
			sum += 77u * rgb[3 * x] + 150u * rgb[3 * x + 1] + 29u * rgb[3 * x + 2];
		const uint8_t *p = rgb + 3 * (size_t)x;
		double here = (double)sum + (border - x) * (77 * p[0] + 150 * p[1] + 29 * p[2]);
		out[c] = (float)(here - before);
		before = here;
	}
}

void ims_signature_make(signature *out, const uint8_t *rgb, uint32_t width, uint32_t height)
{
	float sum[SIDE][SIDE] = { { 0 } }, row[SIDE]; /* sum: column, row */
	for (uint32_t y = 0; y < height; y++) {
		squeeze_row(row, rgb + 3 * (size_t)width * y, width);
		for (uint32_t x = 0; x < SIDE; x++)
			squeeze(sum[x], y, height, row[x]);
	}
	float scale = SIDE / (256 * (float)width);
	for (int i = 0; i < SIDE * SIDE; i++)
		out->luma[i] = (uint8_t)fminf(sum[i % SIDE][i / SIDE] * scale + 0.5f, 255);
}

void ims_signature_invariant(float out[IMS_INVARIANT_DIM], const signature *s)
{
	float wave[TERMS][SIDE], half[TERMS][SIDE], term[TERMS][TERMS];
	for (int i = 0; i < TERMS; i++)
		for (int x = 0; x < SIDE; x++)
			wave[i][x] = cosf((float)M_PI * (float)i * ((float)x + 0.5f) / SIDE)
				* (i ? 1 : (float)M_SQRT1_2);
	for (int i = 0; i < TERMS; i++)
		for (int x = 0; x < SIDE; x++) {
			half[i][x] = 0;
			for (int y = 0; y < SIDE; y++)
				half[i][x] += wave[i][y] * s->luma[y * SIDE + x];
		}
	for (int i = 0; i < TERMS; i++)
		for (int j = 0; j < TERMS; j++) {
			term[i][j] = 0;
			for (int x = 0; x < SIDE; x++)
				term[i][j] += half[i][x] * wave[j][x];
		}
	int n = 0;
	float length = 0;
	for (int i = 0; i < TERMS; i++)
		for (int j = i ? i : 1; j < TERMS; j++) {
			out[n] = i == j ? fabsf(term[i][i]) : hypotf(term[i][j], term[j][i]);
			length += out[n] * out[n];
			n++;
		}
	/*
	 * sqrt(length) is SIDE / 2 times the standard deviation; below two grey levels: no structure.
	 */
	for (n = 0; n < IMS_INVARIANT_DIM; n++)
		out[n] = sqrtf(length) < 2 * SIDE / 2 ? 0 : out[n] / sqrtf(length);
}

/* Mean and standard deviation; the latter is at least one grey level. */
static void mean_and_spread(const signature *s, float *mean, float *spread)
{
	double sum = 0, square = 0;
	for (int i = 0; i < SIDE * SIDE; i++)
		sum += s->luma[i], square += (double)s->luma[i] * s->luma[i];
	*mean = (float)(sum / (SIDE * SIDE));
	*spread = (float)sqrt(fmax(square / (SIDE * SIDE) - (double)*mean * *mean, 1));
}

bool ims_signature_same(const signature *a, const signature *b, int *turn)
{
	float mean_a, mean_b, spread_a, spread_b;
	mean_and_spread(a, &mean_a, &spread_a);
	mean_and_spread(b, &mean_b, &spread_b);
	if (spread_a < 2 || spread_b < 2)
		return false;
	for (int t = 0; t < 8; t++) {
		double off = 0;
		int outliers = 0;
		for (int y = 0; y < SIDE; y++)
			for (int x = 0; x < SIDE; x++) {
				int u = t & 1 ? SIDE - 1 - x : x, v = t & 2 ? SIDE - 1 - y : y;
				int at = t & 4 ? u * SIDE + v : v * SIDE + u;
				float d = ((float)a->luma[y * SIDE + x] - mean_a) / spread_a
					- ((float)b->luma[at] - mean_b) / spread_b;
				off += (double)d * d;
				outliers += fabsf(d) > 0.5f;
			}
		/* off / pixels = 2 (1 - correlation) */
		if (off / (SIDE * SIDE) < 0.02 && outliers < 8) {
			if (turn)
				*turn = t;
			return true;
		}
	}
	return false;
}

/* ------------------------------------------------------------------ correlation of windows ---- */

enum {
	GRID = 16,
	CELLS = GRID * GRID
}; /* half the resolution: every other row, means of two columns */

typedef struct window {
	uint8_t cell[CELLS], mirrored[CELLS];
	int sum, square;
} window;

/* The n x n cells at (x0, y0) of a signature. */
static window window_of(const signature *s, int n, int x0, int y0)
{
	window l = { .sum = 0 };
	for (int y = 0; y < GRID; y++)
		for (int x = 0; x < GRID; x++) {
			const uint8_t *row = s->luma + (y0 + (2 * y + 1) * n / SIDE) * SIDE + x0;
			l.cell[y * GRID + x] = l.mirrored[y * GRID + GRID - 1 - x] =
				(uint8_t)((row[2 * x * n / SIDE] + row[(2 * x + 1) * n / SIDE]) / 2);
		}
	for (int i = 0; i < CELLS; i++)
		l.sum += l.cell[i], l.square += l.cell[i] * l.cell[i];
	return l;
}

/* Correlation with the other or its mirror image. Compilers vectorise the sums of integers. */
static float correlation(const window *a, const window *b)
{
	int dot = 0, mirrored = 0;
	for (int i = 0; i < CELLS; i++)
		dot += a->cell[i] * b->cell[i], mirrored += a->cell[i] * b->mirrored[i];
	double both = CELLS * (double)(dot > mirrored ? dot : mirrored) - (double)a->sum * b->sum;
	double spread_a = CELLS * (double)a->square - (double)a->sum * a->sum,
		   spread_b = CELLS * (double)b->square - (double)b->sum * b->sum;
	return spread_a > 0 && spread_b > 0 ? (float)(both / sqrt(spread_a * spread_b)) : 0;
}

float ims_signature_correlation(const signature *a, const signature *b)
{
	static const int sides[] = { 29, 26 }; /* 0.9 and 0.8 of it */
	window whole_a = window_of(a, SIDE, 0, 0), whole_b = window_of(b, SIDE, 0, 0);
	float best = correlation(&whole_a, &whole_b), mean, spread_a, spread_b;
	mean_and_spread(a, &mean, &spread_a);
	mean_and_spread(b, &mean, &spread_b);
	if (spread_a < 2 || spread_b < 2)
		return 0;
	for (int k = 0; k < 18; k++) {
		int n = sides[k / 9], room = SIDE - n, x0 = room * (k % 3) / 2, y0 = room * (k % 9 / 3) / 2;
		window part_a = window_of(a, n, x0, y0), part_b = window_of(b, n, x0, y0);
		best = fmaxf(best, fmaxf(correlation(&part_a, &whole_b), correlation(&part_b, &whole_a)));
	}
	return best;
}
