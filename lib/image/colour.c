/*
 * Transforms to sRGB by Little CMS, which is loaded when it is first needed, and the ones that were
 * used last.
 */
#include "image/colour.h"

#include "base/library.h"
#include "image/hdr.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* ------------------------------------------------------------------------------ Little CMS ---- */

/*
 * The functions that are used, by the types of lcms2.h: handles are pointers, numbers and
 * signatures have 32 bits. The file liblcms2.so.2 keeps them.
 */
typedef struct lcms_point {
	double x, y, luminance;
} lcms_point;

typedef struct lcms_primaries {
	lcms_point red, green, blue;
} lcms_primaries;

enum {
	LCMS_GREY = 0x47524159, /* signatures of colour spaces: 'GRAY', 'RGB ', 'CMYK' */
	LCMS_RGB = 0x52474220,
	LCMS_CMYK = 0x434D594B,
	PERCEPTUAL = 0,
};

IMS_LIBRARY_NOTE("liblcms2.so.2", "colour profiles of pictures");

static struct {
	void *(*context_new)(void *plugin, void *user);
	void (*context_free)(void *context);
	void *(*profile_open)(void *context, const void *data, uint32_t size);
	void *(*profile_rgb)(void *context, const lcms_point *white, const lcms_primaries *primaries,
		void *const curves[3]);
	void *(*profile_srgb)(void *context);
	int (*profile_close)(void *profile);
	uint32_t (*profile_space)(void *profile);
	void *(*curve_new)(void *context, int32_t type, const double parameters[]);
	void (*curve_free)(void *curve);
	void *(*transform_new)(void *context, void *from, uint32_t from_format, void *to,
		uint32_t to_format, uint32_t intent, uint32_t flags);
	void (*transform_free)(void *transform);
	void (*transform_do)(void *transform, const void *from, void *to, uint32_t n);
	bool loaded;
} lcms;

static void load(void)
{
	static const char *const files[] = { "liblcms2.so.2", NULL };
	const library_function functions[] = {
		{ "cmsCreateContext", (void **)&lcms.context_new },
		{ "cmsDeleteContext", (void **)&lcms.context_free },
		{ "cmsOpenProfileFromMemTHR", (void **)&lcms.profile_open },
		{ "cmsCreateRGBProfileTHR", (void **)&lcms.profile_rgb },
		{ "cmsCreate_sRGBProfileTHR", (void **)&lcms.profile_srgb },
		{ "cmsCloseProfile", (void **)&lcms.profile_close },
		{ "cmsGetColorSpace", (void **)&lcms.profile_space },
		{ "cmsBuildParametricToneCurve", (void **)&lcms.curve_new },
		{ "cmsFreeToneCurve", (void **)&lcms.curve_free },
		{ "cmsCreateTransformTHR", (void **)&lcms.transform_new },
		{ "cmsDeleteTransform", (void **)&lcms.transform_free },
		{ "cmsDoTransform", (void **)&lcms.transform_do },
	};
	lcms.loaded = ims_library_load(files, functions, sizeof functions / sizeof *functions);
}

bool ims_colour_available(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load);
	return lcms.loaded;
}

/* ------------------------------------------------------------------------------ transforms ---- */

struct colour_transform {
	_Atomic unsigned users;
	hash256 key;
	pixel_layout from;
	bool narrow_range;
	void *context, *transform; /* of Little CMS */
	hdr_map *hdr;              /* instead of them */
};

static unsigned bytes_of(pixel_layout from)
{
	static const uint8_t bytes[] = {
		[PIXELS_RGB8] = 3,
		[PIXELS_RGBA8] = 4,
		[PIXELS_RGB16] = 6,
		[PIXELS_RGBA16] = 8,
		[PIXELS_CMYK8] = 4,
	};
	return bytes[from];
}

static bool has_alpha(pixel_layout from)
{
	return from == PIXELS_RGBA8 || from == PIXELS_RGBA16;
}

/* The formats of lcms2.h: extra samples, samples and bytes a sample, as bit fields. */
static uint32_t lcms_format(unsigned space, unsigned samples, unsigned extra, unsigned bytes)
{
	return space << 16 | extra << 7 | samples << 3 | bytes;
}

enum { SPACE_GREY = 3, SPACE_RGB = 4, SPACE_CMYK = 6, FLAVOR_INVERTED = 1 << 13 };

/* The format of the source for a profile of this colour space; 0: it is for other pixels. */
static uint32_t source_format(const colour_space *c, uint32_t space, pixel_layout from, bool grey)
{
	unsigned bytes = from == PIXELS_RGB16 || from == PIXELS_RGBA16 ? 2 : 1, alpha = has_alpha(from);
	if (from == PIXELS_CMYK8)
		return space == LCMS_CMYK ? lcms_format(SPACE_CMYK, 4, 0, 1) | FLAVOR_INVERTED : 0;
	if (space == LCMS_RGB && (!grey || c->kind == COLOUR_CURVE))
		return lcms_format(SPACE_RGB, 3, alpha, bytes);
	if (space == LCMS_GREY && grey)
		return lcms_format(SPACE_GREY, 1, 2 + alpha, bytes);
	return 0;
}

static bool is_hdr(const colour_space *c)
{
	return c->kind == COLOUR_CURVE && (c->transfer == TRANSFER_PQ || c->transfer == TRANSFER_HLG);
}

static void *transfer_curve(void *context, const colour_space *c)
{
	/* x >= d: (a x + b) ^ g, else c x */
	static const double srgb[] = { 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045 },
						bt709[] = { 1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081 };
	if (c->transfer == TRANSFER_GAMMA)
		return lcms.curve_new(context, 1, &c->gamma);
	return lcms.curve_new(context, 4, c->transfer == TRANSFER_SRGB ? srgb : bt709);
}

static void *source_profile(void *context, const colour_space *c)
{
	if (c->kind == COLOUR_PROFILE)
		return lcms.profile_open(context, c->profile.data, (uint32_t)c->profile.len);
	const double *p = c->xy;
	const lcms_point white = { p[0], p[1], 1 };
	const lcms_primaries primaries = { { p[2], p[3], 1 }, { p[4], p[5], 1 }, { p[6], p[7], 1 } };
	void *curve = transfer_curve(context, c);
	void *const curves[3] = { curve, curve, curve };
	void *profile = curve ? lcms.profile_rgb(context, &white, &primaries, curves) : NULL;
	if (curve)
		lcms.curve_free(curve);
	return profile;
}

static void free_transform(colour_transform *t)
{
	if (t->transform)
		lcms.transform_free(t->transform);
	if (t->context)
		lcms.context_free(t->context);
	ims_hdr_free(t->hdr);
	ims_free(t);
}

static void make_by_lcms(colour_transform *t, const colour_space *c, bool grey)
{
	t->context = lcms.context_new(NULL, NULL);
	void *source = t->context ? source_profile(t->context, c) : NULL;
	void *target = source ? lcms.profile_srgb(t->context) : NULL;
	uint32_t format = source ? source_format(c, lcms.profile_space(source), t->from, grey) : 0;
	if (target && format)
		t->transform = lcms.transform_new(t->context, source, format, target,
			lcms_format(SPACE_RGB, 3, has_alpha(t->from), 1), PERCEPTUAL, 0);
	if (target)
		lcms.profile_close(target);
	if (source)
		lcms.profile_close(source);
}

static colour_transform *make(const colour_space *c, pixel_layout from, bool grey)
{
	colour_transform *t = ims_zalloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->users = 1;
	t->from = from;
	t->narrow_range = c->narrow_range;
	if (is_hdr(c))
		t->hdr = from == PIXELS_CMYK8 ? NULL : ims_hdr_new(c);
	else
		make_by_lcms(t, c, grey);
	if (t->transform || t->hdr)
		return t;
	free_transform(t);
	return NULL;
}

void ims_colour_release(const colour_transform *transform)
{
	colour_transform *t = (colour_transform *)(uintptr_t)transform;
	if (t && atomic_fetch_sub(&t->users, 1) == 1)
		free_transform(t);
}

/* Narrow range of 8 bits: 16 is black, 235 is white. */
static void widen8(uint8_t *p, size_t n, unsigned step)
{
	for (size_t i = 0; i < n; i++, p += step)
		for (int k = 0; k < 3; k++) {
			int v = ((p[k] - 16) * 255 + 109) / 219;
			p[k] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
		}
}

static void widen16(uint16_t *p, size_t n, unsigned step)
{
	const int black = 16 << 8, range = 219 << 8;
	for (size_t i = 0; i < n; i++, p += step)
		for (int k = 0; k < 3; k++) {
			int64_t v = (int64_t)(p[k] - black) * 65535 / range;
			p[k] = (uint16_t)(v < 0 ? 0 : v > 65535 ? 65535 : v);
		}
}

static uint8_t alpha_of(pixel_layout from, const uint8_t *row, size_t i)
{
	uint16_t alpha;
	if (from == PIXELS_RGBA8)
		return row[i * 4 + 3];
	memcpy(&alpha, row + i * 8 + 6, sizeof alpha);
	return (uint8_t)((alpha * 255u + 32895) >> 16);
}

enum { BLOCK = 1024 }; /* pixels that are converted at once */

static void convert(const colour_transform *t, const uint8_t *from, uint8_t *to, uint32_t n)
{
	enum { MAX_SAMPLES = 4 }; /* of a pixel */
	uint16_t wide[BLOCK * MAX_SAMPLES];
	uint8_t alpha[BLOCK];
	if (t->narrow_range) {
		memcpy(wide, from, (size_t)n * bytes_of(t->from));
		if (bytes_of(t->from) > 4)
			widen16(wide, n, bytes_of(t->from) / 2);
		else
			widen8((uint8_t *)wide, n, bytes_of(t->from));
		from = (const uint8_t *)wide;
	}
	for (uint32_t i = 0; has_alpha(t->from) && i < n; i++)
		alpha[i] = alpha_of(t->from, from, i);
	if (t->hdr)
		ims_hdr_apply(t->hdr, t->from, from, to, n);
	else
		lcms.transform_do(t->transform, from, to, n);
	for (uint32_t i = 0; has_alpha(t->from) && i < n; i++)
		to[(size_t)i * 4 + 3] = alpha[i];
}

void ims_colour_apply(const colour_transform *t, const void *from, uint8_t *to, size_t n)
{
	const uint8_t *in = from;
	for (size_t at = 0; at < n; at += BLOCK) {
		size_t now = n - at < BLOCK ? n - at : BLOCK;
		convert(t, in + at * bytes_of(t->from), to + at * (has_alpha(t->from) ? 4 : 3),
			(uint32_t)now);
	}
}

/* ----------------------------------------------------------------------------------- cache ---- */

enum { CACHED = 8 };

struct colour_cache {
	pthread_mutex_t lock;
	colour_transform *item[CACHED]; /* the last one used first */
};

colour_cache *ims_colour_cache_new(void)
{
	colour_cache *cache = ims_zalloc(1, sizeof *cache);
	if (cache)
		pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void ims_colour_cache_free(colour_cache *cache)
{
	if (!cache)
		return;
	for (int i = 0; i < CACHED; i++)
		ims_colour_release(cache->item[i]);
	pthread_mutex_destroy(&cache->lock);
	ims_free(cache);
}

static hash256 key_of(const colour_space *c, pixel_layout from, bool grey)
{
	struct {
		hash256 profile;
		double xy[8], gamma;
		uint32_t kind, transfer, narrow_range, from, grey, zero;
	} all = { 0 };
	all.kind = c->kind;
	all.from = from;
	all.grey = grey;
	if (c->kind == COLOUR_PROFILE) {
		all.profile = ims_hash(c->profile.data, c->profile.len);
	} else {
		memcpy(all.xy, c->xy, sizeof all.xy);
		all.gamma = c->gamma;
		all.transfer = c->transfer;
		all.narrow_range = c->narrow_range;
	}
	return ims_hash(&all, sizeof all);
}

/* The caller holds the lock. Moves the item to the front. */
static colour_transform *find(colour_cache *cache, const hash256 *key)
{
	for (int i = 0; i < CACHED && cache->item[i]; i++) {
		colour_transform *t = cache->item[i];
		if (memcmp(&t->key, key, sizeof *key))
			continue;
		memmove(cache->item + 1, cache->item, (size_t)i * sizeof *cache->item);
		cache->item[0] = t;
		t->users++;
		return t;
	}
	return NULL;
}

/* The caller holds the lock. */
static void insert(colour_cache *cache, colour_transform *t)
{
	ims_colour_release(cache->item[CACHED - 1]);
	memmove(cache->item + 1, cache->item, (CACHED - 1) * sizeof *cache->item);
	cache->item[0] = t;
	t->users++;
}

const colour_transform *ims_colour_acquire(colour_cache *cache, const colour_space *c,
	pixel_layout from, bool grey)
{
	if (c->kind == COLOUR_SRGB || (c->kind == COLOUR_PROFILE && !c->profile.len))
		return NULL;
	if (!is_hdr(c) && !ims_colour_available())
		return NULL;
	if (!cache)
		return make(c, from, grey);
	hash256 key = key_of(c, from, grey);
	pthread_mutex_lock(&cache->lock);
	colour_transform *t = find(cache, &key);
	if (!t && (t = make(c, from, grey))) {
		t->key = key;
		insert(cache, t);
	}
	pthread_mutex_unlock(&cache->lock);
	return t;
}
