/*
 * The invariant consists of the 8 x 8 lowest terms of the two-dimensional cosine transform. A
 * reflection changes signs of terms and a transposition swaps (i, j) with (j, i). The eight
 * positions of a square are made of these, so the lengths of the pairs (i, j), (j, i) stay the
 * same. The 35 of them without the mean, scaled to length 1, do not depend on brightness and
 * contrast either. They only propose candidates; ims_signature_turn compares cells.
 *
 * The correlation is for pictures that are not copies but may show the same scene: windows of one
 * signature are compared with the whole of the other.
 */
#include "analysis/signature.h"

#include <math.h>
#include <string.h>

#include <zlib.h>

#define SIDE IMS_SIGNATURE_SIDE
#define TERMS 8

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

/* The mean squared difference is 2 (1 - correlation). */
static bool may_be_same(const signature *a, const signature *b, int turn, const float mean[2],
	const float spread[2])
{
	enum { OUTLIERS = 64 };
	static const float most = 0.07f;
	double off = 0;
	int outliers = 0;
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++) {
			int u = turn & 1 ? SIDE - 1 - x : x, v = turn & 2 ? SIDE - 1 - y : y;
			int at = turn & 4 ? u * SIDE + v : v * SIDE + u;
			float d = ((float)a->luma[y * SIDE + x] - mean[0]) / spread[0]
				- ((float)b->luma[at] - mean[1]) / spread[1];
			off += (double)d * d;
			outliers += fabsf(d) > 0.5f;
		}
	return off / (SIDE * SIDE) < most && outliers < OUTLIERS;
}

int ims_signature_turn(const signature *a, const signature *b, int turn)
{
	float mean[2], spread[2];
	mean_and_spread(a, &mean[0], &spread[0]);
	mean_and_spread(b, &mean[1], &spread[1]);
	if (spread[0] < 2 || spread[1] < 2)
		return -1;
	for (; turn < 8; turn++)
		if (may_be_same(a, b, turn, mean, spread))
			return turn;
	return -1;
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

/* --------------------------------------------------------------------------------- storing ---- */

void ims_signature_pack(buf *out, const full_signature *s)
{
	uLongf size = compressBound(sizeof s->detail);
	size_t before = out->len;
	ims_buf_put(out, &s->coarse, sizeof s->coarse);
	uint8_t *to = ims_buf_grow(out, size);
	if (!to)
		return;
	out->failed |= compress2(to, &size, (const Bytef *)&s->detail, sizeof s->detail, 1) != Z_OK;
	out->len = before + sizeof s->coarse + size;
}

bool ims_signature_unpack(full_signature *out, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uLongf detail = sizeof out->detail;
	if (size <= sizeof out->coarse)
		return false;
	memcpy(&out->coarse, bytes, sizeof out->coarse);
	return uncompress((Bytef *)&out->detail, &detail, bytes + sizeof out->coarse,
			   size - sizeof out->coarse)
		== Z_OK
		&& detail == sizeof out->detail;
}
