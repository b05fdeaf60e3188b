/*
 * Pillow's antialiased resize, bit for bit (libImaging/Resample.c; the method is Wolberg's, "Digital Image Warping",
 * 1990): each output pixel is a weighted mean of the input under a bilinear or bicubic kernel that is stretched by the
 * scale when shrinking. Two passes, horizontal first; weights are integers of 22 fraction bits; each pass rounds to
 * 8 bits. Only the rows and columns that the wanted part needs are computed.
 *
 * The inner loops are written with GCC's vector types and compiled for AVX2 too where the compiler can choose at run time.
 * Horizontal: four rows at once, one pixel (and a stray byte) a vector. Vertical: sixteen bytes of a row a vector.
 */
#include "image/format.h"
#include "image/resample.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
#define FOR_EACH_CPU __attribute__((target_clones("avx2", "default")))
#else
#define FOR_EACH_CPU
#endif

enum { FRACTION = 32 - 8 - 2, LANES = 16, ROWS = 4 };

typedef uint8_t u8x4 __attribute__((vector_size(4)));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef int32_t i32x16 __attribute__((vector_size(64)));

/* The weights of one direction: output i is the sum over t < taps of weight[i * taps + t] * input[first[i] + t]. */
typedef struct axis {
	int32_t *weight;
	uint32_t *first;
	uint32_t n, taps;
} axis;

static double kernel(double x, bool bicubic)
{
	x = fabs(x);
	if (!bicubic)
		return x < 1.0 ? 1.0 - x : 0.0;
	const double a = -0.5;
	if (x < 1.0)
		return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
	return x < 2.0 ? (((x - 5) * x + 8) * x - 4) * a : 0.0;
}

static void axis_free(axis *a)
{
	ims_free(a->weight);
	ims_free(a->first);
}

/* How one direction is sampled: Pillow's own quantities. */
typedef struct sampling {
	uint32_t in_size;
	double start, scale, stretch, support;
	bool bicubic;
} sampling;

/* The inputs begin .. end-1 that output i draws on. */
static double reach(const sampling *s, uint64_t i, int64_t *begin, int64_t *end)
{
	double center = s->start + ((double)i + 0.5) * s->scale;
	double low = center - s->support + 0.5, high = center + s->support + 0.5;
	*begin = low < 0 ? 0 : (int64_t)low;
	*end = high > s->in_size ? s->in_size : (int64_t)high;
	return center;
}

/* One output's weights: normalised in `real`, then rounded to fixed point. */
static void weigh(int32_t *weight, double *real, const sampling *s, double center, int64_t begin, int64_t end)
{
	double sum = 0, squeeze = 1.0 / s->stretch;
	for (int64_t i = begin; i < end; i++)
		sum += real[i - begin] = kernel(((double)i - center + 0.5) * squeeze, s->bicubic);
	for (int64_t t = 0; t < end - begin; t++) {
		double v = (sum != 0.0 ? real[t] / sum : real[t]) * (1 << FRACTION);
		weight[t] = (int32_t)(v < 0 ? v - 0.5 : v + 0.5);
	}
}

/* Weights of outputs x .. x+n-1. */
static int axis_init(axis *a, const sampling *s, uint64_t x, uint32_t n)
{
	int64_t begin, end, most = 1;
	for (uint32_t i = 0; i < n; i++) {
		reach(s, x + i, &begin, &end);
		most = end - begin > most ? end - begin : most;
	}
	uint32_t taps = (uint32_t)most;
	double *real = ims_alloc(taps, sizeof(double));
	*a = (axis){ ims_zalloc(n, taps * sizeof(int32_t)), ims_alloc(n, sizeof(uint32_t)), n, taps };
	int rc = a->weight && a->first && real ? 0 : IMGSEARCH_ENOMEM;
	for (uint32_t i = 0; !rc && i < n; i++) {
		double center = reach(s, x + i, &begin, &end);
		/* Near the end the taps begin earlier, with weights of zero, so that none reads past it. */
		int64_t first = begin + taps > s->in_size ? s->in_size - (int64_t)taps : begin;
		weigh(a->weight + (size_t)i * taps + (begin - first), real, s, center, begin, end);
		a->first[i] = (uint32_t)first;
	}
	ims_free(real);
	return rc;
}

static sampling sample(uint32_t in_size, double in0, double in1, uint64_t out_size, bool bicubic)
{
	double scale = (double)((float)in1 - (float)in0) / (double)out_size, stretch = scale < 1.0 ? 1.0 : scale;
	return (sampling){ in_size, (float)in0, scale, stretch, (bicubic ? 2.0 : 1.0) * stretch, bicubic };
}

/* ------------------------------------------------------------------------------------------------ passes ---- */

static inline __attribute__((always_inline)) void add_pixel(i32x4 *sum, const uint8_t *pixel, int32_t weight)
{
	u8x4 v;
	memcpy(&v, pixel, sizeof(v));
	*sum += __builtin_convertvector(v, i32x4) * weight;
}

static inline __attribute__((always_inline)) void store_pixel(uint8_t *to, i32x4 sum)
{
	i32x4 v = sum >> FRACTION;
	v &= v > 0;
	v = (v & (v <= 255)) | ((v > 255) & 255);
	u8x4 bytes = __builtin_convertvector(v, u8x4);
	memcpy(to, &bytes, sizeof(bytes));
}

/* Four rows; reads and writes one byte past the last pixel. */
FOR_EACH_CPU
static void horizontal(uint8_t *const to[ROWS], const uint8_t *const from[ROWS], const axis *a)
{
	for (uint32_t i = 0; i < a->n; i++) {
		const int32_t *weight = a->weight + (size_t)i * a->taps;
		size_t at = (size_t)a->first[i] * 3;
		i32x4 half = { 1 << (FRACTION - 1), 1 << (FRACTION - 1), 1 << (FRACTION - 1), 0 };
		i32x4 s0 = half, s1 = half, s2 = half, s3 = half;
		for (uint32_t t = 0; t < a->taps; t++, at += 3) {
			add_pixel(&s0, from[0] + at, weight[t]);
			add_pixel(&s1, from[1] + at, weight[t]);
			add_pixel(&s2, from[2] + at, weight[t]);
			add_pixel(&s3, from[3] + at, weight[t]);
		}
		store_pixel(to[0] + (size_t)i * 3, s0);
		store_pixel(to[1] + (size_t)i * 3, s1);
		store_pixel(to[2] + (size_t)i * 3, s2);
		store_pixel(to[3] + (size_t)i * 3, s3);
	}
}

/* One row: `from` has a->taps rows `stride` apart, a multiple of LANES long. */
FOR_EACH_CPU
static void vertical(uint8_t *to, const uint8_t *from, size_t stride, const int32_t *weight, uint32_t taps)
{
	for (size_t x = 0; x < stride; x += LANES) {
		i32x16 sum = (i32x16){ 0 } + (1 << (FRACTION - 1));
		for (uint32_t t = 0; t < taps; t++) {
			u8x16 v;
			memcpy(&v, from + t * stride + x, sizeof(v));
			sum += __builtin_convertvector(v, i32x16) * weight[t];
		}
		i32x16 v = sum >> FRACTION;
		v &= v > 0;
		v = (v & (v <= 255)) | ((v > 255) & 255);
		u8x16 bytes = __builtin_convertvector(v, u8x16);
		memcpy(to + x, &bytes, sizeof(bytes));
	}
}

/* Rows row0 .. row0+n-1 of `in` into mid. The picture's last row goes through `spare`, which has the byte past its end. */
static void horizontal_pass(uint8_t *mid, size_t stride, const image *in, uint32_t row0, uint32_t n, const axis *a, uint8_t *spare)
{
	size_t row = (size_t)in->width * 3;
	memcpy(spare, in->pixels + (in->height - 1) * row, row);
	for (uint32_t y = 0; y < n; y += ROWS) {
		const uint8_t *from[ROWS];
		uint8_t *to[ROWS];
		for (uint32_t i = 0; i < ROWS; i++) {
			uint32_t r = y + i < n ? y + i : n - 1;
			from[i] = row0 + r == in->height - 1 ? spare : in->pixels + (size_t)(row0 + r) * row;
			to[i] = mid + r * stride;
		}
		horizontal(to, from, a);
	}
}

int ims_resample(uint8_t *out, size_t out_stride, const image *in, const double box[4], const resample_part *part, bool bicubic,
	imgsearch_error *err)
{
	double all[4] = { 0, 0, in->width, in->height };
	const double *b = box ? box : all;
	axis across = { 0 }, down = { 0 };
	uint8_t *mid = NULL, *spare = NULL, *line = NULL;
	int rc = ims_nomem(err);
	sampling columns = sample(in->width, b[0], b[2], part->width, bicubic), lines = sample(in->height, b[1], b[3], part->height, bicubic);
	if (axis_init(&across, &columns, part->x, part->w) || axis_init(&down, &lines, part->y, part->h))
		goto done;
	uint32_t row0 = down.first[0], rows = down.first[part->h - 1] + down.taps - row0;
	size_t stride = ((size_t)part->w * 3 + 1 + LANES - 1) / LANES * LANES;
	mid = ims_alloc(rows, stride);
	line = ims_alloc(stride, 1);
	spare = ims_zalloc((size_t)in->width * 3 + 1, 1);
	if (!mid || !line || !spare)
		goto done;
	horizontal_pass(mid, stride, in, row0, rows, &across, spare);
	for (uint32_t y = 0; y < part->h; y++) {
		vertical(line, mid + (down.first[y] - row0) * stride, stride, down.weight + (size_t)y * down.taps, down.taps);
		memcpy(out + y * out_stride, line, (size_t)part->w * 3);
	}
	rc = 0;
done:
	axis_free(&across);
	axis_free(&down);
	ims_free(mid);
	ims_free(line);
	ims_free(spare);
	return rc;
}

int ims_image_resize(image *out, const image *in, uint32_t width, uint32_t height, bool bicubic, const double box[4], imgsearch_error *err)
{
	resample_part all = { width, height, 0, 0, width, height };
	*out = (image){ 0 };
	if (!width || !height || (box && !(box[0] >= 0 && box[1] >= 0 && box[0] < box[2] && box[1] < box[3] && box[2] <= in->width && box[3] <= in->height)))
		return ims_fail(err, IMGSEARCH_EINVAL, "resize to %u x %u of a box outside the picture", (unsigned)width, (unsigned)height);
	int rc = ims_image_new(out, width, height, err);
	if (!rc)
		rc = ims_resample(out->pixels, (size_t)width * 3, in, box, &all, bicubic, err);
	if (rc)
		ims_image_free(out);
	return rc;
}
