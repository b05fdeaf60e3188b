/*
 * From the colours of a file to sRGB: ICC profiles, and what PNG says by numbers. The conversion is
 * that of Little CMS 2, perceptual, without black-point compensation. The library is loaded when a
 * picture first needs it; without it the pixels stay as they are. Colours that are sRGB cost
 * nothing.
 *
 * Sources: ICC.1:2022; W3C PNG, third edition, section 4.3; ITU-T H.273 (cICP).
 */
#ifndef IMS_IMAGE_COLOUR_H
#define IMS_IMAGE_COLOUR_H

#include "base/base.h"

typedef enum colour_kind {
	COLOUR_SRGB,    /* nothing to convert */
	COLOUR_PROFILE, /* an ICC profile */
	COLOUR_CURVE,   /* primaries and a transfer curve */
} colour_kind;

typedef enum colour_transfer {
	TRANSFER_GAMMA, /* colour_space.gamma */
	TRANSFER_SRGB,
	TRANSFER_BT709,
	TRANSFER_PQ, /* high dynamic range, see image/hdr.h */
	TRANSFER_HLG,
} colour_transfer;

/* The colours of a file. All zero is sRGB. Freed by ims_colour_clear. */
typedef struct colour_space {
	colour_kind kind;
	buf profile;
	double xy[8]; /* x and y of white, red, green and blue, as in cHRM */
	colour_transfer transfer;
	double gamma;      /* the exponent of decoding: 2.2, 1 for linear light */
	bool narrow_range; /* 16..235 of 8 bits */
} colour_space;

/* Takes a copy of a profile, unless it is sRGB. size 0: a damaged one. False: no memory. */
bool ims_colour_set_profile(colour_space *c, const void *icc, size_t size);

/*
 * PNG's gAMA (the exponent of encoding: 0.45455) and cHRM (NULL: the primaries of sRGB). Values
 * that equal sRGB's but for the rounding of writers count as sRGB.
 */
void ims_colour_set_gamma(colour_space *c, double gamma, const double xy[8]);

/*
 * The code points of H.273. False: they are not for RGB of standard dynamic range, or not known;
 * *c is then as before.
 */
bool ims_colour_set_cicp(colour_space *c, uint8_t primaries, uint8_t transfer, uint8_t matrix,
	uint8_t full_range);

/*
 * The primaries and the transfer of H.273 that HEIF and JPEG XL name for RGB of full range. The
 * transfers of video count as sRGB's, as in viewers; so do unknown ones. PQ and HLG are known.
 */
void ims_colour_set_nclx(colour_space *c, unsigned primaries, unsigned transfer);

/* The same, with chromaticities as in cHRM. */
void ims_colour_set_transfer(colour_space *c, const double xy[8], unsigned transfer);

void ims_colour_clear(colour_space *c);

/* Whether a profile is sRGB: a matrix profile whose primaries and curves are sRGB's. */
bool ims_icc_is_srgb(const void *icc, size_t size);

/* ------------------------------------------------------------------------------ conversion ---- */

/* Rows as decoders give them: interleaved samples of 8 bits, or 16 in the order of the machine. */
typedef enum pixel_layout {
	PIXELS_RGB8,
	PIXELS_RGBA8,
	PIXELS_RGB16,
	PIXELS_RGBA16,
	PIXELS_CMYK8, /* inverted: 255 is no ink */
} pixel_layout;

typedef struct colour_transform colour_transform;
typedef struct colour_cache colour_cache;

/* The transforms that were used last. Any thread. NULL: no memory. */
colour_cache *ims_colour_cache_new(void);
void ims_colour_cache_free(colour_cache *cache);

/* Whether Little CMS can be loaded; the first call loads it. Any thread. */
bool ims_colour_available(void);

/*
 * The transform to sRGB. NULL: the pixels stay as they are, since Little CMS is missing (PQ and
 * HLG go without it), the profile is damaged or does not belong to such pixels, or there is no
 * memory. `grey`: the samples R, G and B of a pixel are equal. cache may be NULL. Released by
 * ims_colour_release. Any thread.
 */
const colour_transform *ims_colour_acquire(colour_cache *cache, const colour_space *c,
	pixel_layout from, bool grey);
void ims_colour_release(const colour_transform *t);

/*
 * Converts n pixels to 8-bit RGB, or to RGBA where `from` has alpha, which is kept. `to` may be
 * `from`. Any thread.
 */
void ims_colour_apply(const colour_transform *t, const void *from, uint8_t *to, size_t n);

#endif
