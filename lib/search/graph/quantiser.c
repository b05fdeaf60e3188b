/*
 * Codes of rows, in two parts.
 *
 * The code has the leading principal components as 8-bit numbers with one step, and one constant:
 *
 *	|q - x|^2  ~  |q|^2 + c(x) - 2 step^2 (q^ . x^)      c(x) = |x^|^2 - |x^ - x|^2 + rest(x)^2
 *
 * where ^ marks rounded components and rest is the length of what they leave out. One integer dot
 * product compares two codes. c(x) corrects the errors of rounding as far as one number can. The
 * axes are 8-bit numbers too: encoding a query costs as much as comparing a hundred codes.
 *
 * The residual code has what the code leaves out, in the rows' own coordinates, so that a query
 *needs no further projection. Each dimension has 2 bits, u = -3, -1, 1 or 3, times a factor g of
 *the row:
 *
 *	|q - x|^2  ~  |q|^2 + d(x) - 2 (q . y) - 2 g (q . u)      d(x) = |x|^2 - 2 x . (x - y - g u)
 *
 * where y is the decoded code. The error is 2 (q - x) . (x - y - g u): small for a near x. Residual
 * codes only order candidates before their full rows are read. RaBitQ (Gao and Long 2024) centres
 * the error on x in the same way; the two parts together are our own.
 *
 * Inner product: the mean is taken out, which shifts all products alike. One more component
 * sqrt(M^2 - |x|^2), zero in queries, makes the nearest rows those of the largest product (Bachrach
 *et al. 2014).
 */
#include "search/graph/quantiser.h"

#include "search/axes/rotation.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum {
	CODE_MAX = 192, /* bytes */
	TAIL = 4,       /* bytes of the constant */
	CONSTANT_MAX = 1 << 29,
	RESIDUAL_SCALE = 64, /* the constant of a residual code is in units / 64 */
	RESIDUAL_MAX = (1 << 23) - 1,
};

static size_t round_up(size_t n, size_t unit)
{
	return (n + unit - 1) / unit * unit;
}

/* The scratch memory of encoding. */
typedef struct encoder_scratch {
	float *centred;   /* dim: the centred row; then its residual */
	int8_t *rounded;  /* axis_size: centred, rounded */
	int32_t *dots;    /* max(components, dim) */
	float *component; /* components */
	int8_t *value;    /* size: the components, rounded */
	float step;       /* of small */
	int32_t sum;      /* over small */
} encoder_scratch;

size_t ims_graph_quantiser_scratch(const graph_quantiser *qz)
{
	size_t longest = qz->components > qz->dim ? qz->components : qz->dim;
	return round_up(qz->dim * sizeof(float), 64) + qz->axis_size
		+ round_up(longest * sizeof(int32_t), 64) + round_up(qz->components * sizeof(float), 64)
		+ qz->size;
}

static encoder_scratch encoder_scratch_at(const graph_quantiser *qz, void *scratch)
{
	encoder_scratch d = { .centred = scratch };
	size_t longest = qz->components > qz->dim ? qz->components : qz->dim;
	d.rounded = (int8_t *)scratch + round_up(qz->dim * sizeof(float), 64);
	d.dots = (int32_t *)(d.rounded + qz->axis_size);
	d.component = (float *)((char *)d.dots + round_up(longest * sizeof(int32_t), 64));
	d.value = (int8_t *)d.component + round_up(qz->components * sizeof(float), 64);
	return d;
}

/*
 * The nearest integer of -127..127, ties to even. Adding 1.5 * 2^23 leaves it in the lowest bits:
 * many times as fast as lrintf.
 */
static int8_t nearest_int8(float v)
{
	uint32_t bits;
	v += 0x1.8p23f;
	memcpy(&bits, &v, sizeof bits);
	return (int8_t)(bits & 255);
}

static int8_t quantise(float v, float inverse)
{
	float r = v * inverse;
	return nearest_int8(r > 127 ? 127 : r < -127 ? -127 : r);
}

/* Fills in the centred row, its 8-bit form and its components. Returns the squared length. */
static float project(const graph_quantiser *qz, const float *row, bool centre, encoder_scratch *d)
{
	uint32_t axes = qz->components - qz->augmented, most = 0, bits;
	float largest;
	for (uint32_t i = 0; i < qz->dim; i++) {
		d->centred[i] = centre ? row[i] - qz->mean[i] : row[i];
		memcpy(&bits, &d->centred[i], sizeof bits);
		bits &= INT32_MAX; /* sizes of floats sort as integers */
		most = bits > most ? bits : most;
	}
	memcpy(&largest, &most, sizeof largest);
	float inverse = largest > 127 / FLT_MAX ? 127 / largest : 0;
	d->step = largest / 127;
	d->sum = 0;
	for (uint32_t i = 0; i < qz->dim; i++) {
		d->rounded[i] = nearest_int8(d->centred[i] * inverse);
		d->sum += d->rounded[i];
	}
	memset(d->rounded + qz->dim, 0, qz->axis_size - qz->dim);
	ims_kernels()->dot_u8_i8(qz->axes, qz->axis_size, NULL, axes, d->rounded, d->dots);
	for (uint32_t j = 0; j < axes; j++)
		d->component[j] = (float)(d->dots[j] - 128 * d->sum) * d->step * qz->axis_step;
	return ims_kernels()->dot_f32(d->centred, d->centred, qz->dim);
}

/* Puts the residual in place of the centred row x. Returns x . residual. */
static float compute_residual(const graph_quantiser *qz, encoder_scratch *d)
{
	int32_t sum = 0;
	float product = 0, scale = qz->step * qz->axis_step;
	for (uint32_t j = 0; j < qz->components - qz->augmented; j++)
		sum += d->value[j];
	memset(d->value + qz->components - qz->augmented, 0, qz->size - qz->components + qz->augmented);
	ims_kernels()->dot_u8_i8(qz->axes_transposed, qz->size, NULL, qz->dim, d->value, d->dots);
	for (uint32_t i = 0; i < qz->dim; i++) {
		float x = d->centred[i];
		d->centred[i] = x - (float)(d->dots[i] - 128 * sum) * scale;
		product += x * d->centred[i];
	}
	return product;
}

/* Two bits for each dimension of the residual, the factor, and the difference of the constants. */
static void encode_residual(const graph_quantiser *qz, const float *row, float square,
	float constant, encoder_scratch *d, uint8_t *out)
{
	float left = compute_residual(qz, d),
		  length2 = ims_kernels()->dot_f32(d->centred, d->centred, qz->dim);
	float g = sqrtf(length2 / (float)qz->dim) / 2, inverse = g > 1 / FLT_MAX ? 1 / g : 0, best = 0,
		  along = 0, squares = 0;
	memset(out, 0, qz->residual_size);
	for (uint32_t i = 0; i < qz->dim; i++) {
		float v = d->centred[i] * inverse;
		uint8_t u = v < -2 ? 0 : v < 0 ? 1 : v < 2 ? 2 : 3;
		float level = 2 * (float)u - 3;
		out[i / 256 * 64 + i % 64] |= (uint8_t)(u << i % 256 / 64 * 2);
		best += level * d->centred[i];
		squares += level * level;
		along += level * (row[i] - qz->mean[i]);
	}
	float exponent = best > 0 ? 16 * log2f(qz->residual_factor_max * squares / best) : 255;
	uint32_t e = exponent < 0 ? 0 : exponent > 255 ? 255 : (uint32_t)lrintf(exponent);
	g = qz->residual_factor_max * exp2f(-(float)e / 16);
	float difference = (square - 2 * (left - g * along) - constant) / (2 * qz->step * qz->step)
		* RESIDUAL_SCALE;
	difference = difference > RESIDUAL_MAX ? RESIDUAL_MAX : difference;
	difference = difference < -RESIDUAL_MAX ? -RESIDUAL_MAX : difference;
	int32_t whole = (int32_t)lrintf(difference);
	uint32_t packed = (uint32_t)whole << 8 | e;
	memcpy(out + qz->residual_size - TAIL, &packed, TAIL);
}

void ims_graph_encode(const graph_quantiser *qz, const float *row, uint8_t *code, uint8_t *residual,
	void *scratch)
{
	encoder_scratch d = encoder_scratch_at(qz, scratch);
	float inverse = 1 / qz->step, kept = 0, constant = 0;
	float square = project(qz, row, true, &d);
	if (qz->augmented) {
		float left = qz->length * qz->length - square;
		d.component[qz->components - 1] = left > 0 ? sqrtf(left) : 0;
		square = qz->length * qz->length; /* of rows longer than M too: only the product matters */
	}
	memset(code, 128, qz->size - TAIL);
	for (uint32_t j = 0; j < qz->components; j++) {
		d.value[j] = quantise(d.component[j], inverse);
		code[j] = (uint8_t)(128 + d.value[j]);
		kept += d.component[j] * d.component[j];
		constant += d.component[j] * (2 * qz->step * (float)d.value[j] - d.component[j]);
	}
	constant += square > kept || qz->augmented ? square - kept : 0;
	if (qz->augmented) { /* queries have zero in this component: it has no error to centre */
		float a = d.component[qz->components - 1];
		constant += a * (2 * a - 2 * qz->step * (float)d.value[qz->components - 1]);
	}
	float units = constant / (2 * qz->step * qz->step);
	int32_t whole = CONSTANT_MAX;
	if (units < CONSTANT_MAX)
		whole = (int32_t)lrintf(units < -CONSTANT_MAX ? -CONSTANT_MAX : units);
	memcpy(code + qz->size - TAIL, &whole, TAIL);
	encode_residual(qz, row, square, (float)whole * (2 * qz->step * qz->step), &d, residual);
}

void ims_graph_encode_query(const graph_quantiser *qz, const float *query, graph_query_code *out,
	void *scratch)
{
	encoder_scratch d = encoder_scratch_at(qz, scratch);
	float inverse = 1 / qz->step, kept = 0, error = 0;
	int32_t sum = 0;
	float square = project(qz, query, !qz->augmented, &d);
	if (qz->augmented)
		d.component[qz->components - 1] = 0;
	memset(out->code, 0, qz->size);
	for (uint32_t j = 0; j < qz->components; j++) {
		int8_t v = quantise(d.component[j], inverse);
		out->code[j] = v;
		sum += v;
		kept += d.component[j] * d.component[j];
		error += d.component[j] * (qz->step * (float)v - d.component[j]);
	}
	float rest = (square > kept ? square - kept : 0)
		+ (float)qz->components * qz->step * qz->step / 12;
	out->rounded = d.rounded;
	out->rounded_sum = d.sum;
	out->rounded_step = 2 * d.step;
	out->unit = 2 * qz->step * qz->step;
	out->base = square + 2 * error + out->unit * 128 * (float)sum;
	out->slack = 2 * rest;
	if (qz->augmented) { /* from the squared distance to minus the inner product */
		out->base = (2 * error + out->unit * 128 * (float)sum - qz->length * qz->length) / 2
			- ims_kernels()->dot_f32(query, qz->mean, qz->dim);
		out->slack = sqrtf(rest) * qz->length;
		out->unit /= 2;
		out->rounded_step /= 2;
	}
}

void ims_graph_refine_distances(const graph_quantiser *qz, const graph_query_code *q,
	const uint8_t *residuals, const uint32_t *slot, const int32_t *distance, size_t n, float *out)
{
	int32_t dots[64];
	for (size_t at = 0; at < n; at += 64) {
		size_t some = n - at < 64 ? n - at : 64;
		ims_kernels()->dot_u2_i8(residuals, qz->residual_size, (qz->residual_size - TAIL) / 64,
			slot + at, some, q->rounded, dots);
		for (size_t i = 0; i < some; i++) {
			uint32_t packed;
			memcpy(&packed,
				residuals + (size_t)slot[at + i] * qz->residual_size + qz->residual_size - TAIL,
				TAIL);
			float g = qz->residual_factor[packed & 255],
				  d = (float)distance[at + i] + (float)((int32_t)packed >> 8) / RESIDUAL_SCALE;
			out[at + i] = q->base + q->unit * d
				- g * q->rounded_step * (float)(2 * dots[i] - 3 * q->rounded_sum);
		}
	}
}

int32_t ims_graph_node_query(const uint8_t *code, uint32_t size, int8_t *out)
{
	int32_t sum = 0;
	for (uint32_t i = 0; i < size; i++)
		out[i] = (int8_t)(code[i] ^ 0x80);
	memset(out + size - TAIL, 0, TAIL);
	for (uint32_t i = 0; i < size; i++)
		sum += out[i];
	return ims_graph_constant(code, size) + 128 * sum;
}

/* --------------------------------------------------------------------------------- fitting ---- */

/*
 * The step: it covers all components of 99 of 100 sampled rows. The largest factor of a residual.
 */
static int fit_step(graph_quantiser *qz, const float *sample, size_t n, imgsearch_error *err)
{
	void *scratch = ims_alloc_aligned(ims_graph_quantiser_scratch(qz), 1);
	float *largest = ims_alloc(n, sizeof(float)), top = 0, longest = 0;
	int rc = scratch && largest ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++) {
		encoder_scratch d = encoder_scratch_at(qz, scratch);
		float length = sqrtf(project(qz, sample + i * qz->dim, true, &d));
		longest = length > longest ? length : longest;
		largest[i] = 0;
		for (uint32_t j = 0; j < qz->components - qz->augmented; j++)
			largest[i] = fabsf(d.component[j]) > largest[i] ? fabsf(d.component[j]) : largest[i];
	}
	if (!rc && n) {
		qsort(largest, n, sizeof(float), ims_float_compare);
		top = largest[n - 1 - n / 100];
	}
	qz->length = qz->augmented ? longest : 0;
	qz->step = (qz->length / 4 > top ? qz->length / 4 : top)
		/ 127; /* the added component may be cut: it only guides */
	if (!(qz->step > 1e-18f) || !isfinite(qz->step))
		qz->step = qz->step > 1 ? 1e18f : 1e-18f;
	qz->residual_factor_max = longest / sqrtf((float)qz->dim);
	if (!(qz->residual_factor_max > 1e-18f) || !isfinite(qz->residual_factor_max))
		qz->residual_factor_max = qz->residual_factor_max > 1 ? 1e18f : 1e-18f;
	ims_free(scratch);
	ims_free(largest);
	return rc;
}

static void quantise_axes(graph_quantiser *qz, const float *axes)
{
	uint32_t n = qz->components - qz->augmented;
	float largest = 0;
	for (size_t i = 0; i < (size_t)n * qz->dim; i++)
		largest = fabsf(axes[i]) > largest ? fabsf(axes[i]) : largest;
	qz->axis_step = largest > 0 ? largest / 127 : 1;
	memset(qz->axes, 128, (size_t)qz->components * qz->axis_size);
	for (uint32_t j = 0; j < n; j++)
		for (uint32_t i = 0; i < qz->dim; i++)
			qz->axes[(size_t)j * qz->axis_size + i] = (uint8_t)(128
				+ quantise(axes[(size_t)j * qz->dim + i], 1 / qz->axis_step));
}

void ims_graph_quantiser_derive(graph_quantiser *qz)
{
	memset(qz->axes_transposed, 128, (size_t)qz->dim * qz->size);
	for (uint32_t j = 0; j < qz->components - qz->augmented; j++)
		for (uint32_t i = 0; i < qz->dim; i++)
			qz->axes_transposed[(size_t)i * qz->size + j] = qz->axes[(size_t)j * qz->axis_size + i];
	for (int e = 0; e < 256; e++)
		qz->residual_factor[e] = qz->residual_factor_max * exp2f(-(float)e / 16);
}

int ims_graph_quantiser_alloc(graph_quantiser *qz, imgsearch_error *err)
{
	qz->mean = ims_zalloc(qz->dim, sizeof(float));
	qz->axes_transposed = ims_alloc_aligned(qz->dim, qz->size);
	qz->axes = ims_alloc_aligned((size_t)qz->components * qz->axis_size, 1);
	return qz->mean && qz->axes_transposed && qz->axes ? 0 : ims_nomem(err);
}

void ims_graph_quantiser_shape(graph_quantiser *qz, uint32_t dim, bool augmented)
{
	uint32_t all = dim + augmented;
	qz->dim = dim;
	qz->augmented = augmented;
	qz->components = all < CODE_MAX - TAIL ? all : CODE_MAX - TAIL;
	qz->size = (uint32_t)round_up(qz->components + TAIL, 64);
	qz->axis_size = (uint32_t)round_up(dim, 256);
	qz->residual_size = qz->axis_size / 4 + TAIL;
}

int ims_graph_quantiser_fit(graph_quantiser *qz, const row_source *rows, const search_params *p,
	job *job, imgsearch_error *err)
{
	enum { SAMPLE = 4096 };
	rotation axes = { 0 };
	size_t n = 0;
	float *sample = NULL;
	ims_graph_quantiser_shape(qz, rows->dim, rows->metric == IMGSEARCH_METRIC_IP);
	int rc = ims_graph_quantiser_alloc(qz, err);
	if (!rc && !(sample = ims_alloc(SAMPLE, rows->dim * sizeof(float))))
		rc = ims_nomem(err);
	if (!rc)
		rc = ims_rotation_fit(&axes, rows, qz->components - qz->augmented, p->seed, job, err);
	if (!rc)
		rc = ims_search_sample(rows, SAMPLE, sample, &n, job, err);
	if (!rc) {
		memcpy(qz->mean, axes.mean, qz->dim * sizeof(float));
		quantise_axes(qz, axes.axes);
		rc = fit_step(qz, sample, n, err);
		ims_graph_quantiser_derive(qz);
	}
	ims_rotation_free(&axes);
	ims_free(sample);
	return rc;
}

void ims_graph_quantiser_free(graph_quantiser *qz)
{
	ims_free(qz->mean);
	ims_free(qz->axes_transposed);
	ims_free(qz->axes);
}
