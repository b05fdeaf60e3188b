#include "image/hdr.h"

#include <math.h>

enum { CODES = 65536, STEPS = 4096 };

static const double peak = 1000, white = 203; /* nits: of the source; sRGB's */

struct hdr_map {
	bool hlg;
	float matrix[9];         /* from the linear light of the source to that of sRGB */
	float luma[3];           /* of the source, for HLG's display */
	float light[CODES];      /* of a sample: PQ's display light, HLG's scene light; 1 is the peak */
	float gain[STEPS + 1];   /* by the fourth root of the light, 1 is the peak; to sRGB's white */
	uint8_t srgb[STEPS + 1]; /* by the square root of linear light */
	float surround[STEPS + 1]; /* HLG: what luma multiplies, by its fourth root */
};

/* ---------------------------------------------------------------------------------- curves ---- */

static const double m1 = 2610.0 / 16384, m2 = 2523.0 / 32, c1 = 3424.0 / 4096, c2 = 2413.0 / 128,
					c3 = 2392.0 / 128;

static double pq_to_nits(double code)
{
	double p = pow(code, 1 / m2), above = p - c1 > 0 ? p - c1 : 0;
	return 10000 * pow(above / (c2 - c3 * p), 1 / m1);
}

static double nits_to_pq(double nits)
{
	double p = pow(nits / 10000, m1);
	return pow((c1 + c2 * p) / (1 + c3 * p), m2);
}

static double hlg_to_scene(double code)
{
	const double a = 0.17883277, b = 1 - 4 * a, c = 0.5 - a * log(4 * a);
	return code <= 0.5 ? code * code / 3 : (exp((code - c) / a) + b) / 12;
}

/* BT.2390: nits of the source's display to those of one whose peak is `white`. */
static double compress(double nits)
{
	double top = nits_to_pq(peak), most = nits_to_pq(white) / top, knee = 1.5 * most - 0.5;
	double e = nits_to_pq(nits < peak ? nits : peak) / top;
	if (e > knee) {
		double t = (e - knee) / (1 - knee), t2 = t * t, t3 = t2 * t;
		e = (2 * t3 - 3 * t2 + 1) * knee + (t3 - 2 * t2 + t) * (1 - knee)
			+ (3 * t2 - 2 * t3) * most;
	}
	return pq_to_nits(e * top);
}

static double srgb_code(double linear)
{
	return linear <= 0.0031308 ? linear * 12.92 : 1.055 * pow(linear, 1 / 2.4) - 0.055;
}

/* ---------------------------------------------------------------------------------- matrix ---- */

static void invert(double out[9], const double m[9])
{
	for (int row = 0; row < 3; row++)
		for (int col = 0; col < 3; col++) {
			int a = (col + 1) % 3, b = (col + 2) % 3, c = (row + 1) % 3, d = (row + 2) % 3;
			out[row * 3 + col] = m[a * 3 + c] * m[b * 3 + d] - m[a * 3 + d] * m[b * 3 + c];
		}
	double det = m[0] * out[0] + m[1] * out[3] + m[2] * out[6];
	for (int i = 0; i < 9; i++)
		out[i] /= det;
}

/* From RGB of these primaries and this white to XYZ. xy as in colour_space. */
static void to_xyz(double out[9], const double xy[8])
{
	double m[9], inverse[9];
	for (int i = 0; i < 3; i++) {
		double x = xy[2 + 2 * i], y = xy[3 + 2 * i];
		m[i] = x / y;
		m[3 + i] = 1;
		m[6 + i] = (1 - x - y) / y;
	}
	invert(inverse, m);
	const double w[3] = { xy[0] / xy[1], 1, (1 - xy[0] - xy[1]) / xy[1] };
	for (int i = 0; i < 3; i++) {
		double scale = inverse[3 * i] * w[0] + inverse[3 * i + 1] * w[1]
			+ inverse[3 * i + 2] * w[2];
		for (int row = 0; row < 3; row++)
			out[3 * row + i] = m[3 * row + i] * scale;
	}
}

/* To sRGB's primaries; white stays white. */
static void set_matrix(hdr_map *map, const double xy[8])
{
	static const double srgb[8] = { 0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06 };
	double source[9], target[9], back[9];
	to_xyz(source, xy);
	to_xyz(target, srgb);
	invert(back, target);
	for (int row = 0; row < 3; row++) {
		double sum = 0, line[3] = { 0 };
		for (int col = 0; col < 3; col++)
			for (int k = 0; k < 3; k++)
				line[col] += back[row * 3 + k] * source[k * 3 + col];
		for (int col = 0; col < 3; col++)
			sum += line[col];
		for (int col = 0; col < 3; col++)
			map->matrix[row * 3 + col] = (float)(line[col] / sum);
		map->luma[row] = (float)source[3 + row];
	}
}

hdr_map *ims_hdr_new(const colour_space *c)
{
	hdr_map *m = ims_zalloc(1, sizeof *m);
	if (!m)
		return NULL;
	m->hlg = c->transfer == TRANSFER_HLG;
	set_matrix(m, c->xy);
	for (int i = 0; i < CODES; i++) {
		double code = i / (CODES - 1.0);
		m->light[i] = (float)(m->hlg ? hlg_to_scene(code) : fmin(pq_to_nits(code) / peak, 1));
	}
	for (int i = 0; i <= STEPS; i++) {
		double root = (double)i / STEPS, light = pow(root, 4);
		m->gain[i] = (float)(i ? compress(light * peak) / white / light : peak / white);
		m->surround[i] = (float)pow(light, 0.2); /* system gamma 1.2, that of 1000 nits */
		m->srgb[i] = (uint8_t)(srgb_code(root * root) * 255 + 0.5);
	}
	return m;
}

void ims_hdr_free(hdr_map *m)
{
	ims_free(m);
}

/* ---------------------------------------------------------------------------------- pixels ---- */

/* A table by the fourth root of a light of 0 to 1. */
static float by_fourth_root(const float *table, float light)
{
	float at = sqrtf(sqrtf(light < 1 ? light : 1)) * STEPS;
	int i = (int)at;
	return i < STEPS ? table[i] + (table[i + 1] - table[i]) * (at - (float)i) : table[STEPS];
}

static uint8_t srgb_of(const hdr_map *m, float linear)
{
	float clipped = linear < 0 ? 0 : linear > 1 ? 1 : linear;
	return m->srgb[(int)(sqrtf(clipped) * STEPS + 0.5f)];
}

static void map_pixel(const hdr_map *m, const uint16_t code[3], uint8_t *to)
{
	float c[3] = { m->light[code[0]], m->light[code[1]], m->light[code[2]] };
	if (m->hlg) {
		float y = c[0] * m->luma[0] + c[1] * m->luma[1] + c[2] * m->luma[2];
		float surround = by_fourth_root(m->surround, y);
		for (int k = 0; k < 3; k++)
			c[k] *= surround;
	}
	float most = fmaxf(c[0], fmaxf(c[1], c[2])), gain = by_fourth_root(m->gain, most);
	for (int k = 0; k < 3; k++) {
		const float *row = m->matrix + (size_t)3 * k;
		to[k] = srgb_of(m, gain * (row[0] * c[0] + row[1] * c[1] + row[2] * c[2]));
	}
}

void ims_hdr_apply(const hdr_map *m, pixel_layout from, const void *in, uint8_t *to, size_t n)
{
	const uint8_t *narrow = in;
	const uint16_t *wide = in;
	bool alpha = from == PIXELS_RGBA8 || from == PIXELS_RGBA16;
	bool is_wide = from == PIXELS_RGB16 || from == PIXELS_RGBA16;
	size_t step = alpha ? 4 : 3;
	for (size_t i = 0; i < n; i++, narrow += step, wide += step, to += step) {
		uint16_t code[3];
		for (int k = 0; k < 3; k++)
			code[k] = is_wide ? wide[k] : (uint16_t)(narrow[k] * 257);
		map_pixel(m, code, to);
	}
}
