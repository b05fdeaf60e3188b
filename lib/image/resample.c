/*
 * Pillow's antialiased resize, bit for bit (libImaging/Resample.c; the method is that of Wolberg,
 * "Digital Image Warping", 1990). Each output pixel is a weighted mean of input pixels under a
 * bilinear or bicubic kernel, which is stretched by the scale when shrinking. There are two passes,
 * horizontal first. Weights are integers with 22 fraction bits, and each pass rounds to 8 bits.
 * Only the rows and columns that the wanted part needs are computed.
 *
 * The inner loops are plain C in blocks of LANES, which the compiler vectorises, also for AVX2
 * where the CPU has it. The horizontal pass works on rows widened to 32 bits, where a vector of
 * four holds a pixel and the red of the next one.
 */
#include "image/decoder.h"
#include "image/resample.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__) && !defined(__SANITIZE_ADDRESS__) &&                 \
	!defined(__SANITIZE_THREAD__)
#define FOR_EACH_CPU __attribute__((target_clones("avx2", "default")))
#else
#define FOR_EACH_CPU
#endif

enum { FRACTION = 32 - 8 - 2, HALF = 1 << (FRACTION - 1), LANES = 32, ROWS = 4 };

typedef int32_t pixel __attribute__((vector_size(16)));

/*
 * The weights of one direction: output i is the sum over t < taps of weight[i * taps + t] *
 * input[first[i] + t].
 */
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

/* The sampling grid of one direction, in Pillow's quantities. */
typedef struct sample_grid {
	uint32_t in_size;
	double start, scale, stretch, support;
	bool bicubic;
} sample_grid;

/* The inputs begin .. end - 1 of output i. Returns its center. */
static double support_of(const sample_grid *s, uint64_t i, int64_t *begin, int64_t *end)
{
	double center = s->start + ((double)i + 0.5) * s->scale;
	double low = center - s->support + 0.5, high = center + s->support + 0.5;
	*begin = low < 0 ? 0 : (int64_t)low;
	*end = high > s->in_size ? s->in_size : (int64_t)high;
	return center;
}

/* The weights of one output: normalised in `real`, then rounded to fixed point. */
static void weigh(int32_t *weight, double *real, const sample_grid *s, double center, int64_t begin,
	int64_t end)
{
	double sum = 0, squeeze = 1.0 / s->stretch;
	for (int64_t i = begin; i < end; i++)
		sum += real[i - begin] = kernel(((double)i - center + 0.5) * squeeze, s->bicubic);
	for (int64_t t = 0; t < end - begin; t++) {
		double v = (sum != 0.0 ? real[t] / sum : real[t]) * (1 << FRACTION);
		weight[t] = (int32_t)(v < 0 ? v - 0.5 : v + 0.5);
	}
}

/* The weights of outputs x .. x + n - 1. */
static int axis_init(axis *a, const sample_grid *s, uint64_t x, uint32_t n)
{
	int64_t begin, end, most = 1;
	for (uint32_t i = 0; i < n; i++) {
		support_of(s, x + i, &begin, &end);
		most = end - begin > most ? end - begin : most;
	}
	uint32_t taps = (uint32_t)most;
	double *real = ims_alloc(taps, sizeof(double));
	*a = (axis){ ims_zalloc(n, taps * sizeof(int32_t)), ims_alloc(n, sizeof(uint32_t)), n, taps };
	int rc = a->weight && a->first && real ? 0 : IMGSEARCH_ENOMEM;
	for (uint32_t i = 0; !rc && i < n; i++) {
		double center = support_of(s, x + i, &begin, &end);
		/*
		 * Near the end taps begin earlier, with weights of zero, so that none reads past the end.
		 */
		int64_t first = begin + taps > s->in_size ? s->in_size - (int64_t)taps : begin;
		weigh(a->weight + (size_t)i * taps + (begin - first), real, s, center, begin, end);
		a->first[i] = (uint32_t)first;
	}
	ims_free(real);
	return rc;
}

static sample_grid sample(uint32_t in_size, double in0, double in1, uint64_t out_size, bool bicubic)
{
	double scale = (double)((float)in1 - (float)in0) / (double)out_size,
		   stretch = scale < 1.0 ? 1.0 : scale;
	double support = (bicubic ? 2.0 : 1.0) * stretch;
	return (sample_grid){ in_size, (float)in0, scale, stretch, support, bicubic };
}

/* ---------------------------------------------------------------------------------- passes ---- */

static inline __attribute__((always_inline)) uint8_t rounded(int32_t sum)
{
	int32_t v = sum >> FRACTION;
	v = v < 0 ? 0 : v;
	return (uint8_t)(v > 255 ? 255 : v);
}

static inline __attribute__((always_inline)) void widen(int32_t *restrict to,
	const uint8_t *restrict from, size_t n)
{
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		for (int k = 0; k < LANES; k++)
			to[i + k] = from[i + k];
	for (; i < n; i++)
		to[i] = from[i];
}

/* n is rounded up to LANES. */
static inline __attribute__((always_inline)) void narrow(uint8_t *restrict to,
	const int32_t *restrict from, size_t n)
{
	for (size_t i = 0; i < n; i += LANES)
		for (int k = 0; k < LANES; k++)
			to[i + k] = rounded(from[i + k]);
}

static inline __attribute__((always_inline)) void add_pixel(pixel *sum, const int32_t *from,
	int32_t weight)
{
	pixel v;
	memcpy(&v, from, sizeof v);
	*sum += v * weight;
}

/* The memory of the horizontal pass: ROWS rows of input and of output, widened. */
typedef struct scratch {
	int32_t *in, *out;
	size_t in_stride, out_stride;
	size_t first, n; /* the part of an input row that is used, in bytes */
} scratch;

FOR_EACH_CPU
static void horizontal(uint8_t *const to[ROWS], const uint8_t *const from[ROWS], const axis *a,
	const scratch *b)
{
	for (int r = 0; r < ROWS; r++)
		widen(b->in + r * b->in_stride, from[r] + b->first, b->n);
	for (uint32_t i = 0; i < a->n; i++) {
		const int32_t *weight = a->weight + (size_t)i * a->taps,
					  *in = b->in + (size_t)a->first[i] * 3 - b->first;
		pixel s0 = { HALF, HALF, HALF, HALF }, s1 = s0, s2 = s0, s3 = s0;
		for (uint32_t t = 0; t < a->taps; t++, in += 3) {
			add_pixel(&s0, in, weight[t]);
			add_pixel(&s1, in + b->in_stride, weight[t]);
			add_pixel(&s2, in + 2 * b->in_stride, weight[t]);
			add_pixel(&s3, in + 3 * b->in_stride, weight[t]);
		}
		int32_t *out = b->out + (size_t)i * 3; /* the next pixel overwrites the fourth value */
		memcpy(out, &s0, sizeof s0);
		memcpy(out + b->out_stride, &s1, sizeof s1);
		memcpy(out + 2 * b->out_stride, &s2, sizeof s2);
		memcpy(out + 3 * b->out_stride, &s3, sizeof s3);
	}
	for (int r = 0; r < ROWS; r++)
		narrow(to[r], b->out + r * b->out_stride, (size_t)a->n * 3);
}

/*
 * One row of `stride` bytes, a multiple of LANES, from `taps` rows that lie `stride` bytes apart.
 */
FOR_EACH_CPU
static void vertical(uint8_t *restrict to, const uint8_t *restrict from, size_t stride,
	const int32_t *weight, uint32_t taps)
{
	for (size_t x = 0; x < stride; x += LANES) {
		int32_t sum[LANES];
		for (int k = 0; k < LANES; k++)
			sum[k] = HALF;
		for (uint32_t t = 0; t < taps; t++)
			for (int k = 0; k < LANES; k++)
				sum[k] += from[t * stride + x + k] * weight[t];
		for (int k = 0; k < LANES; k++)
			to[x + k] = rounded(sum[k]);
	}
}

static size_t up_to_lanes(size_t n)
{
	return (n + LANES - 1) / LANES * LANES;
}

/* Rows row0 .. row0+n-1 of `in`, each up_to_lanes(a->n * 3) long in mid. ENOMEM only. */
static int horizontal_pass(uint8_t *mid, const image *in, uint32_t row0, uint32_t n, const axis *a)
{
	size_t stride = up_to_lanes((size_t)a->n * 3), first = (size_t)a->first[0] * 3;
	size_t used = ((size_t)a->first[a->n - 1] + a->taps) * 3 - first;
	scratch b = { .in_stride = used + 1, .out_stride = stride + LANES, .first = first, .n = used };
	b.in = ims_zalloc(ROWS * b.in_stride, sizeof(int32_t));
	b.out = ims_zalloc(ROWS * b.out_stride, sizeof(int32_t));
	int rc = b.in && b.out ? 0 : IMGSEARCH_ENOMEM;
	for (uint32_t y = 0; !rc && y < n; y += ROWS) {
		const uint8_t *from[ROWS];
		uint8_t *to[ROWS];
		for (uint32_t i = 0; i < ROWS; i++) {
			uint32_t row = y + i < n ? y + i : n - 1;
			from[i] = in->pixels + (size_t)(row0 + row) * in->width * 3;
			to[i] = mid + row * stride;
		}
		horizontal(to, from, a, &b);
	}
	ims_free(b.in);
	ims_free(b.out);
	return rc;
}

void ims_image_extent(const image *im, double box[4])
{
	const double all[4] = { 0, 0, im->width, im->height };
	for (int i = 0; i < 4; i++)
		box[i] = im->box[2] > 0 ? im->box[i] : all[i];
}

int ims_resample(uint8_t *out, size_t out_stride, const image *in, const double box[4],
	const resample_part *part, bool bicubic, imgsearch_error *err)
{
	axis across = { 0 }, down = { 0 };
	uint8_t *mid = NULL, *line = NULL;
	int rc = IMGSEARCH_ENOMEM;
	sample_grid columns = sample(in->width, box[0], box[2], part->width, bicubic),
			 lines = sample(in->height, box[1], box[3], part->height, bicubic);
	if (axis_init(&across, &columns, part->x, part->w) ||
		axis_init(&down, &lines, part->y, part->h))
		goto done;
	uint32_t row0 = down.first[0], rows = down.first[part->h - 1] + down.taps - row0;
	size_t stride = up_to_lanes((size_t)part->w * 3);
	mid = ims_alloc(rows, stride);
	line = ims_alloc(stride, 1);
	if (!mid || !line || horizontal_pass(mid, in, row0, rows, &across))
		goto done;
	for (uint32_t y = 0; y < part->h; y++) {
		vertical(line, mid + (down.first[y] - row0) * stride, stride,
			down.weight + (size_t)y * down.taps, down.taps);
		memcpy(out + y * out_stride, line, (size_t)part->w * 3);
	}
	rc = 0;
done:
	axis_free(&across);
	axis_free(&down);
	ims_free(mid);
	ims_free(line);
	return rc ? ims_nomem(err) : 0;
}

int ims_image_resize(image *out, const image *in, uint32_t width, uint32_t height, bool bicubic,
	const double box[4], imgsearch_error *err)
{
	resample_part all = { width, height, 0, 0, width, height };
	double extent[4];
	*out = (image){ 0 };
	ims_image_extent(in, extent);
	const double *b = box ? box : extent;
	if (!width || !height ||
		!(b[0] >= 0 && b[1] >= 0 && b[0] < b[2] && b[1] < b[3] && b[2] <= in->width &&
			b[3] <= in->height))
		return ims_fail(err, IMGSEARCH_EINVAL, "resize to %u x %u of a box outside the picture",
			(unsigned)width, (unsigned)height);
	int rc = ims_image_new(out, width, height, err);
	if (!rc)
		rc = ims_resample(out->pixels, (size_t)width * 3, in, b, &all, bicubic, err);
	if (rc)
		ims_image_free(out);
	return rc;
}
