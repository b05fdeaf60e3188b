/*
 * Codes of rows, in two steps.
 *
 * The code: the leading principal components as 8-bit numbers with one step, and one constant.
 *
 *	|q - x|^2  ~  |q|^2 + c(x) - 2 step^2 (q^ . x^)      c(x) = |x^|^2 - |x^ - x|^2 + rest(x)^2
 *
 * with ^ the rounded components and rest the length of what they leave out. Codes are compared by one integer dot
 * product; c(x) takes the errors of rounding out as far as one number can. The axes are kept as 8-bit numbers too, so
 * that turning a query costs as little as comparing a hundred codes.
 *
 * The detail: what the code leaves out (in the rows' own coordinates, so that the query need not be turned any further),
 * in 2 bits each, u = -3, -1, 1, 3 times a factor g of the row's own:
 *
 *	|q - x|^2  ~  |q|^2 + d(x) - 2 (q . y) - 2 g (q . u)      d(x) = |x|^2 - 2 x . (x - y - g u)
 *
 * y being the row that the code stands for. Its error is 2 (q - x) . (x - y - g u): small for a near x. It only orders
 * candidates before their full rows are read. (The centring of both errors on x is RaBitQ's, Gao and Long 2024.)
 *
 * Inner product: with the mean taken out (it shifts all products alike) and one more part sqrt(M^2 - |x|^2), zero in
 * queries, the nearest rows are those of largest product (Bachrach et al. 2014).
 */
#include "search/graph/graph.h"
#include "search/axes/rotation.h"

#include <math.h>
#include <stdlib.h>

enum { CODE_MAX = 192, TAIL = 4, CONSTANT_MAX = 1 << 29, DETAIL_SCALE = 64, DETAIL_MAX = (1 << 23) - 1 };

static size_t round_up(size_t n, size_t unit)
{
	return (n + unit - 1) / unit * unit;
}

/* What encoding needs, laid out in `room`. */
typedef struct encoder_scratch {
	float *centred; /* dim; then what the code leaves out */
	int8_t *small;  /* axis_size: centred, rounded */
	int32_t *dots;  /* max(parts, dim) */
	float *part;    /* parts */
	int8_t *value;  /* size: the parts, rounded */
	float step;     /* of small */
	int32_t sum;    /* over small */
} encoder_scratch;

size_t ims_graph_coder_room(const graph_coder *c)
{
	size_t longest = c->parts > c->dim ? c->parts : c->dim;
	return round_up(c->dim * sizeof(float), 64) + c->axis_size + round_up(longest * sizeof(int32_t), 64) + round_up(c->parts * sizeof(float), 64) + c->size;
}

static encoder_scratch scratch_of(const graph_coder *c, void *room)
{
	encoder_scratch d = { .centred = room };
	size_t longest = c->parts > c->dim ? c->parts : c->dim;
	d.small = (int8_t *)room + round_up(c->dim * sizeof(float), 64);
	d.dots = (int32_t *)(d.small + c->axis_size);
	d.part = (float *)((char *)d.dots + round_up(longest * sizeof(int32_t), 64));
	d.value = (int8_t *)d.part + round_up(c->parts * sizeof(float), 64);
	return d;
}

/* To the nearest integer, ties to even, -127..127: 1.5 * 2^23 leaves it in the lowest bits. Many times as fast as lrintf. */
static int8_t nearest(float v)
{
	uint32_t bits;
	v += 0x1.8p23f;
	memcpy(&bits, &v, sizeof(bits));
	return (int8_t)(bits & 255);
}

static int8_t rounded(float v, float inverse)
{
	float r = v * inverse;
	return nearest(r > 127 ? 127 : r < -127 ? -127 : r);
}

/* Centred row, its 8-bit form, its components. Returns the squared length. */
static float components(const graph_coder *c, const float *row, bool centre, encoder_scratch *d)
{
	uint32_t axes = c->parts - c->augmented, most = 0, bits;
	float largest;
	for (uint32_t i = 0; i < c->dim; i++) {
		d->centred[i] = centre ? row[i] - c->mean[i] : row[i];
		memcpy(&bits, &d->centred[i], sizeof(bits));
		bits &= INT32_MAX; /* sizes of floats sort as integers */
		most = bits > most ? bits : most;
	}
	memcpy(&largest, &most, sizeof(largest));
	float inverse = largest > 0 && isfinite(127 / largest) ? 127 / largest : 0;
	d->step = largest / 127;
	d->sum = 0;
	for (uint32_t i = 0; i < c->dim; i++) {
		d->small[i] = nearest(d->centred[i] * inverse);
		d->sum += d->small[i];
	}
	memset(d->small + c->dim, 0, c->axis_size - c->dim);
	ims_kernels()->dot_u8_i8(c->axes, c->axis_size, NULL, axes, d->small, d->dots);
	for (uint32_t j = 0; j < axes; j++)
		d->part[j] = (float)(d->dots[j] - 128 * d->sum) * d->step * c->axis_step;
	return ims_kernels()->dot_f32(d->centred, d->centred, c->dim);
}

/* What the code leaves out, in place of the centred row. Returns x . (what is left) with x the centred row. */
static float leave_out(const graph_coder *c, encoder_scratch *d)
{
	int32_t sum = 0;
	float product = 0, scale = c->step * c->axis_step;
	for (uint32_t j = 0; j < c->parts - c->augmented; j++)
		sum += d->value[j];
	memset(d->value + c->parts - c->augmented, 0, c->size - c->parts + c->augmented);
	ims_kernels()->dot_u8_i8(c->turned, c->size, NULL, c->dim, d->value, d->dots);
	for (uint32_t i = 0; i < c->dim; i++) {
		float x = d->centred[i];
		d->centred[i] = x - (float)(d->dots[i] - 128 * sum) * scale;
		product += x * d->centred[i];
	}
	return product;
}

/* Two bits for each dimension of what is left out, the factor, and the constant's difference to the code's. */
static void encode_detail(const graph_coder *c, const float *row, float square, float constant, encoder_scratch *d, uint8_t *out)
{
	float left = leave_out(c, d), length2 = ims_kernels()->dot_f32(d->centred, d->centred, c->dim);
	float g = sqrtf(length2 / (float)c->dim) / 2, inverse = g > 0 ? 1 / g : 0, best = 0, along = 0, squares = 0;
	memset(out, 0, c->detail_size);
	for (uint32_t i = 0; i < c->dim; i++) {
		float v = d->centred[i] * inverse;
		uint8_t u = v < -2 ? 0 : v < 0 ? 1 : v < 2 ? 2 : 3;
		float level = 2 * (float)u - 3;
		out[i / 256 * 64 + i % 64] |= (uint8_t)(u << i % 256 / 64 * 2);
		best += level * d->centred[i];
		squares += level * level;
		along += level * (row[i] - c->mean[i]);
	}
	float exponent = best > 0 ? 16 * log2f(c->detail_top * squares / best) : 255;
	uint32_t e = exponent < 0 ? 0 : exponent > 255 ? 255 : (uint32_t)lrintf(exponent);
	g = c->detail_top * exp2f(-(float)e / 16);
	float difference = (square - 2 * (left - g * along) - constant) / (2 * c->step * c->step) * DETAIL_SCALE;
	int32_t whole = (int32_t)lrintf(difference > DETAIL_MAX ? DETAIL_MAX : difference < -DETAIL_MAX ? -DETAIL_MAX : difference);
	uint32_t packed = (uint32_t)whole << 8 | e;
	memcpy(out + c->detail_size - TAIL, &packed, TAIL);
}

void ims_graph_encode(const graph_coder *c, const float *row, uint8_t *code, uint8_t *detail, void *room)
{
	encoder_scratch d = scratch_of(c, room);
	float inverse = 1 / c->step, kept = 0, constant = 0;
	float square = components(c, row, true, &d);
	if (c->augmented) {
		float left = c->length * c->length - square;
		d.part[c->parts - 1] = left > 0 ? sqrtf(left) : 0;
		square = c->length * c->length; /* of the few longer ones too: only the product counts */
	}
	memset(code, 128, c->size - TAIL);
	for (uint32_t j = 0; j < c->parts; j++) {
		d.value[j] = rounded(d.part[j], inverse);
		code[j] = (uint8_t)(128 + d.value[j]);
		kept += d.part[j] * d.part[j];
		constant += d.part[j] * (2 * c->step * (float)d.value[j] - d.part[j]);
	}
	constant += square > kept || c->augmented ? square - kept : 0;
	if (c->augmented) { /* no query is near in that part: they all have zero there, and no error to centre */
		float a = d.part[c->parts - 1];
		constant += a * (2 * a - 2 * c->step * (float)d.value[c->parts - 1]);
	}
	float units = constant / (2 * c->step * c->step);
	int32_t whole = units < CONSTANT_MAX ? (int32_t)lrintf(units < -CONSTANT_MAX ? -CONSTANT_MAX : units) : CONSTANT_MAX;
	memcpy(code + c->size - TAIL, &whole, TAIL);
	encode_detail(c, row, square, (float)whole * (2 * c->step * c->step), &d, detail);
}

void ims_graph_probe(const graph_coder *c, const float *query, graph_probe *out, void *room)
{
	encoder_scratch d = scratch_of(c, room);
	float inverse = 1 / c->step, kept = 0, error = 0;
	int32_t sum = 0;
	float square = components(c, query, !c->augmented, &d);
	if (c->augmented)
		d.part[c->parts - 1] = 0;
	memset(out->code, 0, c->size);
	for (uint32_t j = 0; j < c->parts; j++) {
		int8_t v = rounded(d.part[j], inverse);
		out->code[j] = v;
		sum += v;
		kept += d.part[j] * d.part[j];
		error += d.part[j] * (c->step * (float)v - d.part[j]);
	}
	float rest = (square > kept ? square - kept : 0) + (float)c->parts * c->step * c->step / 12;
	out->small = d.small;
	out->small_sum = d.sum;
	out->small_step = 2 * d.step;
	out->unit = 2 * c->step * c->step;
	out->base = square + 2 * error + out->unit * 128 * (float)sum;
	out->slack = 2 * rest;
	if (c->augmented) { /* from the squared distance to minus the product */
		out->base = (2 * error + out->unit * 128 * (float)sum - c->length * c->length) / 2 - ims_kernels()->dot_f32(query, c->mean, c->dim);
		out->slack = sqrtf(rest) * c->length;
		out->unit /= 2;
		out->small_step /= 2;
	}
}

void ims_graph_details(const graph_coder *c, const graph_probe *q, const uint8_t *details, const uint32_t *slot, const int32_t *distance, size_t n, float *out)
{
	int32_t dots[64];
	for (size_t at = 0; at < n; at += 64) {
		size_t some = n - at < 64 ? n - at : 64;
		ims_kernels()->dot_u2_i8(details, c->detail_size, (c->detail_size - TAIL) / 64, slot + at, some, q->small, dots);
		for (size_t i = 0; i < some; i++) {
			uint32_t packed;
			memcpy(&packed, details + (size_t)slot[at + i] * c->detail_size + c->detail_size - TAIL, TAIL);
			float g = c->detail_factor[packed & 255], d = (float)distance[at + i] + (float)((int32_t)packed >> 8) / DETAIL_SCALE;
			out[at + i] = q->base + q->unit * d - g * q->small_step * (float)(2 * dots[i] - 3 * q->small_sum);
		}
	}
}

void ims_graph_turn(const uint8_t *code, uint32_t size, int8_t *out, int32_t *sum)
{
	int32_t s = 0;
	for (uint32_t i = 0; i < size; i++)
		out[i] = (int8_t)(code[i] ^ 0x80);
	memset(out + size - TAIL, 0, TAIL);
	for (uint32_t i = 0; i < size; i++)
		s += out[i];
	*sum = s;
}

/* -------------------------------------------------------------------------------------------------- fitting ---- */

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

/* The step that takes in all components of 99 of 100 sampled rows; the largest factor of a detail. */
static int fit_step(graph_coder *c, const float *sample, size_t n, imgsearch_error *err)
{
	void *room = ims_alloc_aligned(ims_graph_coder_room(c), 1);
	float *largest = ims_alloc(n ? n : 1, sizeof(float)), top = 0, longest = 0;
	int rc = room && largest ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++) {
		encoder_scratch d = scratch_of(c, room);
		float length = sqrtf(components(c, sample + i * c->dim, true, &d));
		longest = length > longest ? length : longest;
		largest[i] = 0;
		for (uint32_t j = 0; j < c->parts - c->augmented; j++)
			largest[i] = fabsf(d.part[j]) > largest[i] ? fabsf(d.part[j]) : largest[i];
	}
	if (!rc && n) {
		qsort(largest, n, sizeof(float), by_size);
		top = largest[n - 1 - n / 100];
	}
	c->length = c->augmented ? longest : 0;
	c->step = (c->length / 4 > top ? c->length / 4 : top) / 127; /* the added part may be cut: it only guides */
	if (!(c->step > 1e-18f) || !isfinite(c->step))
		c->step = c->step > 1 ? 1e18f : 1e-18f;
	c->detail_top = longest / sqrtf((float)c->dim);
	if (!(c->detail_top > 1e-18f) || !isfinite(c->detail_top))
		c->detail_top = c->detail_top > 1 ? 1e18f : 1e-18f;
	ims_free(room);
	ims_free(largest);
	return rc;
}

static void round_axes(graph_coder *c, const float *axes)
{
	uint32_t n = c->parts - c->augmented;
	float largest = 0;
	for (size_t i = 0; i < (size_t)n * c->dim; i++)
		largest = fabsf(axes[i]) > largest ? fabsf(axes[i]) : largest;
	c->axis_step = largest > 0 ? largest / 127 : 1;
	memset(c->axes, 128, (size_t)c->parts * c->axis_size);
	for (uint32_t j = 0; j < n; j++)
		for (uint32_t i = 0; i < c->dim; i++)
			c->axes[(size_t)j * c->axis_size + i] = (uint8_t)(128 + rounded(axes[(size_t)j * c->dim + i], 1 / c->axis_step));
}

void ims_graph_coder_ready(graph_coder *c)
{
	memset(c->turned, 128, (size_t)c->dim * c->size);
	for (uint32_t j = 0; j < c->parts - c->augmented; j++)
		for (uint32_t i = 0; i < c->dim; i++)
			c->turned[(size_t)i * c->size + j] = c->axes[(size_t)j * c->axis_size + i];
	for (int e = 0; e < 256; e++)
		c->detail_factor[e] = c->detail_top * exp2f(-(float)e / 16);
}

int ims_graph_coder_alloc(graph_coder *c, imgsearch_error *err)
{
	c->mean = ims_zalloc(c->dim, sizeof(float));
	c->turned = ims_alloc_aligned(c->dim, c->size);
	c->axes = ims_alloc_aligned((size_t)c->parts * c->axis_size, 1);
	return c->mean && c->turned && c->axes ? 0 : ims_nomem(err);
}

/* How many components, and how long a code and an axis are. */
void ims_graph_coder_shape(graph_coder *c, uint32_t dim, bool augmented)
{
	uint32_t parts = dim + augmented;
	c->dim = dim;
	c->augmented = augmented;
	c->parts = parts < CODE_MAX - TAIL ? parts : CODE_MAX - TAIL;
	c->size = (uint32_t)round_up(c->parts + TAIL, 64);
	c->axis_size = (uint32_t)round_up(dim, 256);
	c->detail_size = c->axis_size / 4 + TAIL;
}

int ims_graph_coder_fit(graph_coder *c, const row_source *rows, const search_params *p, job *job, imgsearch_error *err)
{
	enum { SAMPLE = 4096 };
	rotation turn = { 0 };
	size_t n = 0;
	float *sample = NULL;
	ims_graph_coder_shape(c, rows->dim, rows->metric == IMGSEARCH_METRIC_IP);
	int rc = ims_graph_coder_alloc(c, err);
	if (!rc && !(sample = ims_alloc(SAMPLE, rows->dim * sizeof(float))))
		rc = ims_nomem(err);
	if (!rc)
		rc = ims_rotation_fit(&turn, rows, c->parts - c->augmented, p->seed, job, err);
	if (!rc)
		rc = ims_search_sample(rows, SAMPLE, sample, &n, err);
	if (!rc) {
		memcpy(c->mean, turn.mean, c->dim * sizeof(float));
		round_axes(c, turn.axes);
		rc = fit_step(c, sample, n, err);
		ims_graph_coder_ready(c);
	}
	ims_rotation_free(&turn);
	ims_free(sample);
	return rc;
}

void ims_graph_coder_free(graph_coder *c)
{
	ims_free(c->mean);
	ims_free(c->turned);
	ims_free(c->axes);
}
