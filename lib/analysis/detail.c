/*
 * Two copies of a picture differ by what JPEG and resampling do: little, everywhere, and more where
 * there is more detail and where a cell has few pixels. Two pictures that a person tells apart may
 * be equal almost everywhere, and differ in a line of digits or in the colour of a shirt. So the
 * largest local difference decides, measured against the local detail and against what is usual for
 * the pair:
 *
 * - cells: |a - b| / (8 + 0.4 activity), where activity is the smaller standard deviation of the 3
 *   x 3 cells around. What the 4 bits of a cell may have lost is taken off. Cells are joined until
 *   each has pixels enough in the smaller picture.
 * - shift: the affine displacement along each axis that explains the differences best, by least
 *   squares over the gradients. Copies have none, frames of a burst and crops do.
 * - colour: the distance of (Cb, Cr), measured likewise, unless one side has no colour at all.
 *
 * Each has its limit. docs/collection.md says how the limits were chosen.
 */
#include "analysis/detail.h"

#include "analysis/detail_code.h"

#include <math.h>
#include <stdlib.h>

#define SIDE IMS_DETAIL_SIDE
#define CHROMA IMS_CHROMA_SIDE

/* ----------------------------------------------------------------------------------- codes ---- */

/* Half of the interval that each step stands for. */
static const float half_width[] = { 2, 2.25f, 3, 4.25f, 6, 8.5f, 12.5f, 15 };

/* Half way between two steps. */
static const float luma_border[IMS_DETAIL_ZERO] = { 2, 6.5f, 12.5f, 21, 33, 50, 75 };

/* Without branches, which could not be predicted. */
uint8_t ims_detail_code(float difference)
{
	int i = 0;
	for (int k = 0; k < IMS_DETAIL_ZERO; k++)
		i += fabsf(difference) > luma_border[k];
	return (uint8_t)(difference < 0 ? IMS_DETAIL_ZERO - i : IMS_DETAIL_ZERO + i);
}

/* ---------------------------------------------------------------------------------- planes ---- */

typedef struct plane {
	int n; /* cells a side */
	float cell[SIDE * SIDE];
	uint8_t step[SIDE * SIDE]; /* index in ims_luma_step of what each cell was rounded to */
	bool joined;               /* what was rounded has averaged out, so step does not matter */
} plane;

/* Where the cell x, y of a is in b. */
static int turned(int x, int y, int n, int turn)
{
	int u = turn & 1 ? n - 1 - x : x, v = turn & 2 ? n - 1 - y : y;
	return turn & 4 ? u * n + v : v * n + u;
}

static void read_luma(plane *out, const full_signature *s, int turn)
{
	out->n = SIDE;
	out->joined = false;
	for (int i = 0; i < SIDE * SIDE; i++) {
		int at = turned(i % SIDE, i / SIDE, SIDE, turn), step = ims_detail_step(s, at);
		int coarse = s->coarse.luma[at / SIDE / 3 * IMS_SIGNATURE_SIDE + at % SIDE / 3];
		out->cell[i] = (float)coarse + ims_detail_step_size(step);
		out->step[i] = (uint8_t)(step < 0 ? -step : step);
	}
}

/* Joins k x k cells, in place. */
static void join_cells(plane *p, int k)
{
	int n = p->n / k;
	for (int y = 0; y < n; y++)
		for (int x = 0; x < n; x++) {
			float sum = 0;
			for (int i = 0; i < k * k; i++)
				sum += p->cell[(k * y + i / k) * p->n + k * x + i % k];
			p->cell[y * n + x] = sum / (float)(k * k);
		}
	p->n = n;
	p->joined = true;
}

static void mean_and_spread(const plane *p, float *mean, float *spread)
{
	double sum = 0, square = 0;
	int n = p->n * p->n;
	for (int i = 0; i < n; i++)
		sum += p->cell[i], square += (double)p->cell[i] * p->cell[i];
	*mean = (float)(sum / n);
	*spread = (float)sqrt(fmax(square / n - (double)*mean * *mean, 1));
}

static float clamp(float v, float low, float high)
{
	return fmaxf(low, fminf(v, high));
}

/*
 * Fits the brightness and the contrast of b to those of a, as far as software differs in them: a
 * grey shirt is not a black one.
 */
static void equalise(const plane *a, plane *b)
{
	static const float most_gain = 1.06f, most_offset = 6;
	float mean_a, mean_b, spread_a, spread_b;
	mean_and_spread(a, &mean_a, &spread_a);
	mean_and_spread(b, &mean_b, &spread_b);
	float gain = clamp(spread_a / spread_b, 1 / most_gain, most_gain);
	float offset = clamp(mean_a - mean_b, -most_offset, most_offset);
	for (int i = 0; i < a->n * a->n; i++)
		b->cell[i] = (b->cell[i] - mean_b) * gain + mean_b + offset;
}

/* What rounding may have changed. Both sides are seldom at the far ends of their intervals. */
static float slack_of(const plane *a, const plane *b, int i)
{
	static const float share = 0.7f;
	return a->joined ? 0 : share * (half_width[a->step[i]] + half_width[b->step[i]]);
}

/* out[x]: the variance of the 3 x 3 cells around x of row y, of those that there are in n x n. */
static void row_variances(float *out, const float *cell, int n, int y)
{
	float sum[SIDE + 2] = { 0 }, square[SIDE + 2] = { 0 };
	int from = y > 0 ? y - 1 : 0, to = y + 2 < n ? y + 2 : n;
	for (int v = from; v < to; v++)
		for (int x = 0; x < n; x++) {
			float c = cell[v * n + x];
			sum[x + 1] += c, square[x + 1] += c * c;
		}
	for (int x = 0; x < n; x++) {
		float count = (float)((to - from) * (x > 0 && x + 1 < n ? 3 : 2));
		float mean = (sum[x] + sum[x + 1] + sum[x + 2]) / count;
		out[x] = fmaxf(0, (square[x] + square[x + 1] + square[x + 2]) / count - mean * mean);
	}
}

/* ----------------------------------------------------------------------------- differences ---- */

/*
 * The limits of the largest, the fourth and the eighth largest difference of a cell: one cell may
 * differ much by chance, several together do not.
 */
enum { RANKS = 8 };
static const float rank_limit[RANKS] = { [0] = 1.7f, [3] = 1.2f, [7] = 1 };

typedef struct cell_differences {
	float largest[RANKS]; /* descending */
	float usual;          /* the median, by a finer measure */
} cell_differences;

static void keep_largest(cell_differences *c, float d)
{
	int i = RANKS - 1;
	if (d <= c->largest[i])
		return;
	for (; i > 0 && c->largest[i - 1] < d; i--)
		c->largest[i] = c->largest[i - 1];
	c->largest[i] = d;
}

static float median_of(const uint32_t *count, int bins, uint32_t n)
{
	uint32_t below = 0;
	for (int i = 0; i < bins; i++)
		if ((below += count[i]) > n / 2)
			return (float)i;
	return (float)bins;
}

static cell_differences compare_cells(const plane *a, const plane *b)
{
	enum { BINS = 200, PER_UNIT = 20 };
	float variance_a[SIDE], variance_b[SIDE];
	uint32_t count[BINS] = { 0 };
	cell_differences out = { .usual = 0 };
	int n = a->n;
	for (int y = 0; y < n; y++) {
		row_variances(variance_a, a->cell, n, y);
		row_variances(variance_b, b->cell, n, y);
		for (int x = 0; x < n; x++) {
			int i = y * n + x;
			float activity = sqrtf(fminf(variance_a[x], variance_b[x]));
			float d = fabsf(a->cell[i] - b->cell[i]), usual = d / (3 + 0.1f * activity) * PER_UNIT;
			count[usual < BINS - 1 ? (int)usual : BINS - 1]++;
			keep_largest(&out, (d - slack_of(a, b, i)) / (8 + 0.4f * activity));
		}
	}
	out.usual = median_of(count, BINS, (uint32_t)(n * n)) / PER_UNIT;
	return out;
}

/* Solves the equations m x = r of 4 unknowns. m is positive definite; its upper half is read. */
static void solve(double m[4][4], double r[4])
{
	for (int i = 0; i < 4; i++)
		for (int j = i + 1; j < 4; j++) {
			double f = m[i][j] / m[i][i];
			for (int k = j; k < 4; k++)
				m[j][k] -= f * m[i][k];
			r[j] -= f * r[i];
		}
	for (int i = 3; i >= 0; i--) {
		for (int k = i + 1; k < 4; k++)
			r[i] -= m[i][k] * r[k];
		r[i] /= m[i][i];
	}
}

/* Adds row y of the cells to the equations of a displacement. */
static void add_equations(double m[4][4], double r[4], const plane *a, const plane *b, int y)
{
	const float *p = a->cell + y * a->n, *q = b->cell + y * a->n;
	float product[4][4] = { { 0 } }, right[4] = { 0 };
	int n = a->n;
	float v = (float)(2 * y + 1 - n) / (float)n;
	for (int x = 1; x + 1 < n; x++) {
		float dx = (p[x + 1] - p[x - 1] + q[x + 1] - q[x - 1]) / 4,
			  dy = (p[x + n] - p[x - n] + q[x + n] - q[x - n]) / 4,
			  u = (float)(2 * x + 1 - n) / (float)n, weight = 1 / (8 + fabsf(dx) + fabsf(dy));
		float term[4] = { dx * weight, dx * u * weight, dy * weight, dy * v * weight };
		for (int j = 0; j < 4; j++) {
			for (int k = j; k < 4; k++)
				product[j][k] += term[j] * term[k];
			right[j] += term[j] * (q[x] - p[x]) * weight;
		}
	}
	for (int j = 0; j < 4; j++) {
		for (int k = j; k < 4; k++)
			m[j][k] += product[j][k];
		r[j] += right[j];
	}
}

/*
 * The displacement that explains b - a = (x0 + x1 u) dx + (y0 + y1 v) dy best, u and v from -1 to
 * 1, at the border where it is largest. As a share of the side.
 */
static float displacement(const plane *a, const plane *b)
{
	double m[4][4] = { { 0 } }, r[4] = { 0 };
	for (int y = 1; y + 1 < a->n; y++)
		add_equations(m, r, a, b, y);
	for (int j = 0; j < 4; j++)
		m[j][j] += 1; /* a picture without detail has no displacement */
	solve(m, r);
	return (float)(fmax(fabs(r[0]) + fabs(r[1]), fabs(r[2]) + fabs(r[3])) / a->n);
}

/* ---------------------------------------------------------------------------------- colour ---- */

bool ims_detail_is_grey(const full_signature *s)
{
	for (int i = 0; i < CHROMA * CHROMA; i++) {
		int cb = s->detail.chroma[0][i] - 128, cr = s->detail.chroma[1][i] - 128;
		if (cb * cb + cr * cr >= 5 * 5)
			return false;
	}
	return true;
}

/* Reads a channel, k x k cells joined. */
static void read_chroma(float *out, const uint8_t *chroma, int turn, int k)
{
	int n = CHROMA / k;
	for (int y = 0; y < n; y++)
		for (int x = 0; x < n; x++) {
			int sum = 0;
			for (int i = 0; i < k * k; i++)
				sum += chroma[turned(k * x + i % k, k * y + i / k, CHROMA, turn)];
			out[y * n + x] = (float)sum / (float)(k * k);
		}
}

static float compare_colours(const full_signature *a, const full_signature *b, int turn, int k)
{
	float p[2][CHROMA * CHROMA], q[2][CHROMA * CHROMA], most = 0;
	int n = CHROMA / k;
	for (int c = 0; c < 2; c++) {
		read_chroma(p[c], a->detail.chroma[c], 0, k);
		read_chroma(q[c], b->detail.chroma[c], turn, k);
	}
	for (int y = 0; y < n; y++) {
		float variance[4][SIDE];
		for (int c = 0; c < 2; c++) {
			row_variances(variance[c], p[c], n, y);
			row_variances(variance[2 + c], q[c], n, y);
		}
		for (int x = 0; x < n; x++) {
			int i = y * n + x;
			float activity = sqrtf(
				fminf(variance[0][x] + variance[1][x], variance[2][x] + variance[3][x]));
			float d = hypotf(p[0][i] - q[0][i], p[1][i] - q[1][i]);
			most = fmaxf(most, d / (6 + 0.35f * activity));
		}
	}
	return most;
}

/* ---------------------------------------------------------------------------------- answer ---- */

/* Pixels that a cell of SIDE has along the shorter side of the smaller picture. */
static float cell_pixels(const detail_side *a, const detail_side *b)
{
	uint32_t one = a->width < a->height ? a->width : a->height,
			 other = b->width < b->height ? b->width : b->height;
	uint32_t side = one < other ? one : other;
	return side ? (float)side / SIDE : SIDE;
}

static bool same_size(const detail_side *a, const detail_side *b)
{
	return (a->width == b->width && a->height == b->height)
		|| (a->width == b->height && a->height == b->width);
}

static void read_pair(plane *a, plane *b, const detail_side *one, const detail_side *other,
	int turn)
{
	read_luma(a, one->signature, 0);
	read_luma(b, other->signature, turn);
}

/*
 * Whether something was changed in a copy without loss: nearly all that has detail is exactly equal
 * (of the 3 x 3 cells that one coarse cell has), and the rest is certainly not. A lossy copy
 * differs a little in many places.
 */
static bool is_edited(const plane *a, const plane *b)
{
	static const float most_changed = 0.1f, certain = 6;
	int n = 0, changed = 0;
	float most = 0;
	for (int c = 0; c < IMS_SIGNATURE_SIDE * IMS_SIGNATURE_SIDE; c++) {
		int detail = 0, differ = 0;
		for (int i = 0; i < 9; i++) {
			int x = c % IMS_SIGNATURE_SIDE * 3 + i % 3, y = c / IMS_SIGNATURE_SIDE * 3 + i / 3;
			int at = y * SIDE + x;
			float d = fabsf(a->cell[at] - b->cell[at]);
			detail |= a->step[at] || b->step[at];
			differ |= d > 0;
			most = fmaxf(most, d - half_width[a->step[at]] - half_width[b->step[at]]);
		}
		n += detail;
		changed += detail && differ;
	}
	return (float)changed < most_changed * (float)n && most >= certain;
}

/* The chroma at a cell of SIDE, between the middles of the cells of CHROMA around. */
static float chroma_at(const float *chroma, int cell)
{
	enum { STEP = 2 * SIDE / CHROMA };
	float x = clamp((float)(2 * (cell % SIDE) + 1) / STEP - 0.5f, 0, CHROMA - 1),
		  y = clamp((float)(2 * (cell / SIDE) + 1) / STEP - 0.5f, 0, CHROMA - 1);
	int u = x < CHROMA - 2 ? (int)x : CHROMA - 2, v = y < CHROMA - 2 ? (int)y : CHROMA - 2;
	float fx = x - (float)u, fy = y - (float)v;
	const float *at = chroma + v * CHROMA + u;
	return (at[0] * (1 - fx) + at[1] * fx) * (1 - fy)
		+ (at[CHROMA] * (1 - fx) + at[CHROMA + 1] * fx) * fy;
}

/*
 * The luminance of BT.709 from that of BT.601, which signatures have. Programs make grey copies by
 * both. Of a picture without colour it is the same.
 */
static void to_bt709(plane *p, const full_signature *s, int turn)
{
	float cb[CHROMA * CHROMA], cr[CHROMA * CHROMA];
	read_chroma(cb, s->detail.chroma[0], turn, 1);
	read_chroma(cr, s->detail.chroma[1], turn, 1);
	for (int i = 0; i < SIDE * SIDE; i++)
		p->cell[i] -= 0.1182f * (chroma_at(cb, i) - 128) + 0.2127f * (chroma_at(cr, i) - 128);
}

/*
 * A pair that differs more everywhere may differ more somewhere. So may one that was resized.
 * bt709: whether one is a grey copy of the other by that luminance.
 */
static bool same_luma(const detail_side *a, const detail_side *b, int turn, float pixels,
	bool bt709)
{
	static const float most_shift = 0.0045f;
	plane p, q;
	int k = pixels >= 1.5f ? 1 : pixels >= 0.75f ? 2 : 3;
	read_pair(&p, &q, a, b, turn);
	if (same_size(a, b) && is_edited(&p, &q))
		return false;
	if (bt709) {
		to_bt709(&p, a->signature, 0);
		to_bt709(&q, b->signature, turn);
	}
	if (k > 1) {
		join_cells(&p, k);
		join_cells(&q, k);
	}
	if (!bt709) /* a blue shirt is almost black in it */
		equalise(&p, &q);
	cell_differences c = compare_cells(&p, &q);
	float noise = 1 + c.usual + (same_size(a, b) ? 0 : 0.5f / (pixels * (float)k));
	for (int i = 0; i < RANKS; i++)
		if (rank_limit[i] > 0 && c.largest[i] >= rank_limit[i] * noise)
			return false;
	return displacement(&p, &q) < most_shift * fmaxf(1, 0.75f / pixels);
}

static bool same_colours(const detail_side *a, const detail_side *b, int turn, float pixels)
{
	float limit = fminf(1.9f, fmaxf(1.2f, 1 + 0.9f / pixels));
	return compare_colours(a->signature, b->signature, turn, pixels >= 0.75f ? 1 : 2) < limit;
}

/* Sum of squares of the difference of n x n cells. Contrast and brightness count. */
static int sum_of_squares(const uint8_t *a, const uint8_t *b, int n, int turn)
{
	int sum = 0;
	for (int i = 0; i < n * n; i++) {
		int d = a[i] - b[turned(i % n, i / n, n, turn)];
		sum += d * d;
	}
	return sum;
}

/* Root mean square of the difference of the coarse luminance and, with `colour`, of the colours. */
static float distance_of(const full_signature *a, const full_signature *b, int turn, bool colour)
{
	enum { N = IMS_SIGNATURE_SIDE };
	float sum = (float)sum_of_squares(a->coarse.luma, b->coarse.luma, N, turn) / (N * N);
	for (int c = 0; c < 2 && colour; c++)
		sum += (float)sum_of_squares(a->detail.chroma[c], b->detail.chroma[c], CHROMA, turn)
			/ (CHROMA * CHROMA);
	return sqrtf(sum / 3);
}

float ims_detail_difference(const detail_side *a, const detail_side *b, int turn)
{
	float pixels = cell_pixels(a, b);
	const full_signature *p = a->signature, *q = b->signature;
	bool grey_a = ims_detail_is_grey(p), grey_b = ims_detail_is_grey(q);
	bool same = same_luma(a, b, turn, pixels, false)
		|| (grey_a != grey_b && same_luma(a, b, turn, pixels, true));
	if (!same || (!grey_a && !grey_b && !same_colours(a, b, turn, pixels)))
		return INFINITY;
	float distance = distance_of(p, q, turn, grey_a == grey_b) / 256;
	return grey_a == grey_b ? distance : (1 + distance) / 2;
}

/* -------------------------------------------------------------------------------- drawings ---- */

/*
 * The correlation of the steps between neighbouring cells `apart` within a cell of the coarse
 * luminance: 1, along rows; SIDE, along columns. Lines of text agree across the lines whatever they
 * say, so only both directions together tell that the text is the same.
 */
static float step_correlation(const full_signature *a, const full_signature *b, int apart)
{
	double both = 0, one = 1, other = 1;
	for (int i = 0; i < SIDE * SIDE; i++) {
		if ((apart == 1 ? i % SIDE : i / SIDE) % 3 == 2)
			continue;
		float x = ims_detail_step_size(ims_detail_step(a, i + apart))
			- ims_detail_step_size(ims_detail_step(a, i)),
			  y = ims_detail_step_size(ims_detail_step(b, i + apart))
			- ims_detail_step_size(ims_detail_step(b, i));
		both += (double)x * y, one += (double)x * x, other += (double)y * y;
	}
	return (float)(both / sqrt(one * other));
}

bool ims_detail_other_text(const detail_side *a, const detail_side *b)
{
	static const float agrees = 0.75f, local = 0.15f;
	const full_signature *p = a->signature, *q = b->signature;
	plane x, y;
	if (isfinite(ims_detail_difference(a, b, 0)))
		return false;
	read_pair(&x, &y, a, b, 0);
	equalise(&x, &y);
	return compare_cells(&x, &y).usual <= local
		|| fminf(step_correlation(p, q, 1), step_correlation(p, q, SIDE)) < agrees;
}
