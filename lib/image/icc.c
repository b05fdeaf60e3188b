/* Recognises sRGB among ICC profiles, without Little CMS: most profiles of photos are sRGB. */
#include "image/colour.h"

#include <math.h>
#include <string.h>

enum { HEADER = 128, TAG_SIZE = 12, MAX_TAGS = 100 };

typedef struct profile {
	const uint8_t *data;
	size_t size;
} profile;

typedef struct tag {
	const uint8_t *data; /* NULL: there is none */
	size_t size;
} tag;

static double s15f16(const uint8_t *p)
{
	return (int32_t)ims_big_endian(p) / 65536.0;
}

static bool is(const uint8_t *at, const char *text)
{
	return memcmp(at, text, 4) == 0;
}

/* A tag that lies inside the profile and has a type of its own. */
static tag find(const profile *p, const char *name)
{
	uint32_t n = ims_big_endian(p->data + HEADER);
	for (uint32_t i = 0; i < n && i < MAX_TAGS; i++) {
		const uint8_t *entry = p->data + HEADER + 4 + (size_t)i * TAG_SIZE;
		if (p->size < HEADER + 4 + ((size_t)i + 1) * TAG_SIZE)
			break;
		uint32_t at = ims_big_endian(entry + 4), size = ims_big_endian(entry + 8);
		if (is(entry, name) && size >= 12 && at <= p->size && size <= p->size - at)
			return (tag){ p->data + at, size };
	}
	return (tag){ 0 };
}

/* The colorant of sRGB in the connection space (D50), as the sRGB profiles write it. */
static bool is_colorant(const profile *p, const char *name, double x, double y, double z)
{
	const double tolerance = 0.002;
	tag t = find(p, name);
	return t.data && t.size >= 20 && is(t.data, "XYZ ") && fabs(s15f16(t.data + 8) - x) < tolerance
		&& fabs(s15f16(t.data + 12) - y) < tolerance && fabs(s15f16(t.data + 16) - z) < tolerance;
}

static double srgb_curve(double x)
{
	return x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4);
}

/* Whether a curve gives `value` at x, within half a level of 8 bits. */
static bool is_srgb_value(double value, double x)
{
	const double half_level = 0.5 / 255;
	return value >= srgb_curve(x - half_level) && value <= srgb_curve(x + half_level);
}

/* A sampled curve at x: linear between samples. */
static double sampled(const uint8_t *samples, uint32_t n, double x)
{
	double at = x * (n - 1), below = floor(at);
	uint32_t i = (uint32_t)below, next = i + 1 < n ? i + 1 : i;
	double a = samples[2 * i] << 8 | samples[2 * i + 1];
	double b = samples[2 * next] << 8 | samples[2 * next + 1];
	return (a + (b - a) * (at - below)) / 65535;
}

/* ICC.1, section 10.18: the parametric curves 0 to 4. */
static double parametric(uint32_t kind, const double v[7], double x)
{
	double g = v[0], a = v[1], b = v[2], c = v[3], d = v[4], e = v[5], f = v[6];
	switch (kind) {
	case 0:
		return pow(x, g);
	case 1:
		return a * x + b >= 0 ? pow(a * x + b, g) : 0;
	case 2:
		return a * x + b >= 0 ? pow(a * x + b, g) + c : c;
	case 3:
		return x >= d ? pow(a * x + b, g) : c * x;
	default:
		return x >= d ? pow(a * x + b, g) + e : c * x + f;
	}
}

static bool is_srgb_parametric(const tag *t)
{
	static const uint8_t counts[] = { 1, 3, 4, 5, 7 };
	double v[7] = { 0 };
	uint32_t kind = ims_big_endian(t->data + 8) >> 16;
	if (kind >= sizeof counts || t->size < 12 + 4u * counts[kind])
		return false;
	for (unsigned i = 0; i < counts[kind]; i++)
		v[i] = s15f16(t->data + 12 + (size_t)4 * i);
	for (int i = 0; i <= 64; i++)
		if (!is_srgb_value(parametric(kind, v, i / 64.0), i / 64.0))
			return false;
	return true;
}

static bool is_srgb_curve(const profile *p, const char *name)
{
	tag t = find(p, name);
	if (!t.data)
		return false;
	if (is(t.data, "para"))
		return is_srgb_parametric(&t);
	uint32_t n = ims_big_endian(t.data + 8);
	if (!is(t.data, "curv") || n < 16 || n > (t.size - 12) / 2)
		return false;
	for (int i = 0; i <= 64; i++)
		if (!is_srgb_value(sampled(t.data + 12, n, i / 64.0), i / 64.0))
			return false;
	return true;
}

bool ims_icc_is_srgb(const void *icc, size_t size)
{
	profile p = { icc, size };
	return size > HEADER + 4 && is(p.data + 36, "acsp") && is(p.data + 16, "RGB ")
		&& is(p.data + 20, "XYZ ") && !find(&p, "A2B0").data
		&& is_colorant(&p, "rXYZ", 0.4361, 0.2225, 0.0139)
		&& is_colorant(&p, "gXYZ", 0.3851, 0.7169, 0.0971)
		&& is_colorant(&p, "bXYZ", 0.1431, 0.0606, 0.7141) && is_srgb_curve(&p, "rTRC")
		&& is_srgb_curve(&p, "gTRC") && is_srgb_curve(&p, "bTRC");
}
