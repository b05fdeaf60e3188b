/*
 * From the bytes of a picture file to pixels, and from pixels to a network's input. Sources: ITU T.81 (JPEG), W3C PNG,
 * CIPA DC-008 (Exif); the resize is Pillow's antialiased one, which torchvision's reference transforms stand on.
 * Decoders hold no state: any thread, any number at once. Only formats' own files know jpeglib.h and png.h.
 */
#ifndef IMS_IMAGE_H
#define IMS_IMAGE_H

#include "base/base.h"

/* By content, never by name. Those after PNG are recognised so that they can be refused by name. */
typedef enum image_format {
	IMAGE_UNKNOWN = 0, IMAGE_JPEG = 1, IMAGE_PNG = 2,
	IMAGE_GIF, IMAGE_WEBP, IMAGE_BMP, IMAGE_TIFF, IMAGE_HEIC, IMAGE_AVIF, IMAGE_PDF, IMAGE_JPEG2000, IMAGE_JXL, IMAGE_ICO, IMAGE_SVG,
	IMAGE_EMPTY
} image_format;

/*
 * Upright RGB, 8 bits, rows without padding; pixels is the owner's. box, where it is not all zeros, says which part of the
 * pixels is the picture (x0, y0, x1, y1): one that came scaled down may begin or end in the middle of a pixel, and minding
 * that is what keeps its feature true.
 */
typedef struct image {
	uint8_t *pixels;
	uint32_t width, height;
	float box[4];
} image;

/* What the header pass says. width and height are upright (after the EXIF orientation). */
typedef struct image_head {
	image_format format;
	uint32_t width, height;
	uint32_t orientation; /* 1..8 */
} image_head;

/* How pixels become the network's input: torchvision's Resize(short side), CenterCrop, ToTensor, Normalize. */
typedef struct image_recipe {
	uint32_t resize, crop;
	float mean[3], std[3];
	uint32_t bicubic;
} image_recipe;

/*
 * at_least is the recipe's resize: a JPEG may then come at 1/2, 1/4 or 1/8 of its size while its short side (or the crop's)
 * stays 1.25 times that. The cosine of its feature to that of the full picture stays above 0.995 (tests/image/reference.py).
 */
typedef struct image_limits {
	uint64_t max_pixels;  /* 0: 200 million */
	uint32_t full_decode; /* 1: no scaling */
	uint32_t at_least;    /* 0: no scaling */
} image_limits;

enum { IMS_IMAGE_MAX_FILE = 1 << 30 }; /* bytes; no file of a picture is larger */

image_format ims_image_sniff(const void *data, size_t size);
const char *ims_image_format_name(image_format f);

/*
 * Header only; no pixel memory. EFORMAT (damaged), EUNSUPPORTED (a kind this build cannot read, said by name),
 * ELIMIT (too many pixels).
 */
int ims_image_head(image_head *out, const void *data, size_t size, const image_limits *limits, imgsearch_error *err);

/*
 * Decodes, turns upright, alpha over white. A picture that breaks off is EFORMAT (it is not padded with grey). The
 * same codes as ims_image_head. crop (x, y, w, h in upright full-size coordinates, NULL for all) is what comes out; EINVAL
 * when it does not lie inside. head may be NULL; it is filled as far as the head was read even when the call fails.
 */
int ims_image_decode(image *out, image_head *head, const void *data, size_t size, const image_limits *limits,
	const int32_t crop[4], imgsearch_error *err);
void ims_image_free(image *im);

/* Cuts x, y, w, h out of a picture's pixels in place. EINVAL when it does not lie inside. */
int ims_image_crop(image *im, const int32_t crop[4], imgsearch_error *err);

/*
 * Fits a picture into one slot of a batch: out gets crop*crop*3 floats, channels last (HWC), or planar (CHW) if planar.
 * Equals Pillow + torchvision bit for bit. ENOMEM only.
 */
int ims_image_fit(const image *im, const image_recipe *recipe, bool planar, float *out, imgsearch_error *err);

/* The antialiased resize by itself (bilinear or bicubic), optionally of a source box x0, y0, x1, y1 (NULL: all). EINVAL, ENOMEM. */
int ims_image_resize(image *out, const image *in, uint32_t width, uint32_t height, bool bicubic, const double box[4], imgsearch_error *err);

/* Encoders, for thumbnails, sheets and maps. */
int ims_image_encode_jpeg(buf *out, const image *im, int quality, imgsearch_error *err);
int ims_image_encode_png(buf *out, const image *im, imgsearch_error *err);

#endif
