/*
 * From the bytes of a picture file to pixels, and from pixels to the input of a network. Sources:
 * ITU T.81 (JPEG), W3C PNG, CIPA DC-008 (Exif). The resize is Pillow's antialiased one, which
 * torchvision's reference transforms are built on. Only the files of the formats know jpeglib.h and
 * png.h.
 *
 * Nothing here holds state: any thread, any number of calls at once. Data are borrowed for the
 * call.
 */
#ifndef IMS_IMAGE_H
#define IMS_IMAGE_H

#include "base/base.h"
#include "base/budget.h"

/*
 * The format by content, never by file name. Those that no decoder reads are recognised so that the
 * refusal can name them.
 */
typedef enum image_format {
	IMAGE_UNKNOWN = 0,
	IMAGE_JPEG = 1,
	IMAGE_PNG = 2,
	IMAGE_GIF,
	IMAGE_WEBP,
	IMAGE_BMP,
	IMAGE_TIFF,
	IMAGE_HEIC,
	IMAGE_AVIF,
	IMAGE_PDF,
	IMAGE_JPEG2000,
	IMAGE_JXL,
	IMAGE_ICO,
	IMAGE_SVG,
	IMAGE_RAW,
	IMAGE_VIDEO,
	IMAGE_EMPTY
} image_format;

/*
 * Upright RGB, 8 bits, rows without padding. The holder of the struct owns pixels. A box that is
 * not all zero is the part of the pixels that is the picture (x0, y0, x1, y1): a picture that was
 * decoded at a reduced size may begin or end within a pixel, which its feature depends on.
 */
typedef struct image {
	uint8_t *pixels;
	uint32_t width, height;
	float box[4];
	bool partial;     /* some of its pixels are lost: image_limits.partial */
	bool unconverted; /* its colours are not known to be sRGB, and could not be converted */
	budget *budget;   /* where `reserved` bytes are reserved for it until it is freed; NULL: none */
	uint64_t reserved;
} image;

/* What has a part in the pixels of a file beside their samples. */
enum {
	IMAGE_HAS_COLOURS = 1,          /* its colours are not sRGB */
	IMAGE_HAS_ALPHA = 2,            /* it may be transparent */
	IMAGE_HAS_OTHER_ORIENTATION = 4 /* that of XMP, or of Exif in a text chunk */
};

/*
 * How the pixels of a picture were made, as an index keeps it: the version of the decoding, 0 for
 * that of imgsearch 0.1, and what was missing.
 */
enum {
	IMAGE_DECODING = 1,
	IMAGE_DECODING_MASK = 0xFF,
	IMAGE_UNCONVERTED = 0x100, /* its colours are not sRGB, and Little CMS was absent */
	IMAGE_PARTIAL = 0x200,     /* some of its pixels are lost */
	IMAGE_NO_CODEC = 0x400     /* there are none: the library of its format was missing */
};

/* The header of a file. width and height are those of the upright picture. */
typedef struct image_head {
	image_format format;
	uint32_t width, height;
	uint32_t orientation; /* 1..8: how the stored pixels are turned */
	uint32_t traits;      /* IMAGE_HAS_... */
	uint64_t memory;      /* bytes that decoding takes beside the pixels */
} image_head;

/*
 * Preparation for a network: torchvision's Resize(short side), CenterCrop, ToTensor, Normalize; or,
 * with squash, Resize((crop, crop)) for the first two, whatever the aspect; resize is then crop.
 */
typedef struct image_recipe {
	uint32_t resize, crop;
	float mean[3], std[3];
	uint32_t bicubic;
	uint32_t squash;
	uint32_t crops; /* 0 or 1: of the centre; 5: of the corners too */
} image_recipe;

/* The inputs that a picture becomes, and the values of all of them. */
size_t ims_recipe_inputs(const image_recipe *r);
size_t ims_recipe_values(const image_recipe *r);

/*
 * at_least is the resize of the recipe: a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size as
 * long as its short side (or that of the crop) stays 1.25 times as long. The cosine of its feature
 * to that of the full picture is then above 0.995 (tests/image/reference.py).
 */
enum { IMAGE_ALSO_TIFF = 1, IMAGE_ALSO_VIDEO = 2, IMAGE_ALSO_ALL = 3 };
typedef struct image_codecs image_codecs;
typedef struct image_limits {
	uint64_t max_pixels;          /* 0: 200 million */
	uint32_t full_decode;         /* 1: no scaling */
	uint32_t at_least;            /* 0: no scaling */
	bool partial;                 /* what is there of a damaged picture is accepted */
	struct colour_cache *colours; /* NULL: none */
	image_codecs *codecs;         /* of further formats; NULL: none */
	uint32_t also;                /* IMAGE_ALSO_...: formats that are read only where asked for */
	budget *budget;               /* of memory, shared with other decoders; NULL: no limit */
} image_limits;

enum { IMS_IMAGE_MAX_FILE = 1 << 30 }; /* bytes; larger files are refused */

/*
 * The bits IMAGE_ALSO_... of a list such as "+tiff,-video" (NULL: none): those with a plus are on,
 * those with a minus are off. off NULL: it may have none of these. EINVAL: an unknown name, or one
 * that is on and off.
 */
int ims_image_formats(uint32_t *on, uint32_t *off, const char *list, imgsearch_error *err);

/*
 * The format of a file, by its bytes or by a descriptor, of which only the beginning is read, and
 * the directories of TIFF, since RAW files look like it. Of a file that cannot be read: -1, with
 * errno.
 */
image_format ims_image_sniff(const void *data, size_t size);
int ims_image_sniff_file(int fd, image_format *out);

/* The name of a format for messages (static). */
const char *ims_image_format_name(image_format f);

/*
 * Whether files of this format are read by limits->codecs; and whether that can be now: 0, or
 * EUNSUPPORTED with the reason, which may be that it was not asked for. limits may be NULL.
 */
bool ims_image_needs_codec(image_format f, const image_limits *limits);
int ims_image_check_codec(image_format f, const image_limits *limits, imgsearch_error *err);

/*
 * The raw metadata of a file whose format is read by limits->codecs: Exif from its TIFF header on,
 * XMP as text. Both are untrusted. A block is empty where the file has none, or one of more than
 * IMAGE_MAX_BLOCK bytes. Files of other formats have none here. EUNSUPPORTED, as above; EFORMAT,
 * EIO: the codec's process ended. Freed by ims_image_blocks_free, also on failure.
 */
enum { IMAGE_MAX_BLOCK = 1 << 20 };
typedef struct image_blocks {
	buf exif, xmp;
} image_blocks;
int ims_image_blocks(image_blocks *out, const void *data, size_t size, const image_limits *limits,
	imgsearch_error *err);
void ims_image_blocks_free(image_blocks *b);

/*
 * Reads only the header and allocates no pixels. EFORMAT: damaged; EUNSUPPORTED: another format, by
 * name; ELIMIT: too many pixels; ENOMEM. limits may be NULL.
 */
int ims_image_head(image_head *out, const void *data, size_t size, const image_limits *limits,
	imgsearch_error *err);

/* How these pixels were made: the version of the decoding and IMAGE_... */
uint32_t ims_image_pixels(const image *im);

/*
 * Whether its colour profile is damaged, or for other pixels (CMYK in an RGB file), so that the
 * pixels are as they are in the file.
 */
bool ims_image_has_bad_profile(const image *im);

/*
 * Whether decoding the file of this header would now give other pixels than those that were made
 * so.
 */
bool ims_image_is_stale(const image_head *head, uint32_t pixels);

/*
 * Decodes, converts the colours to sRGB, rotates upright, and blends alpha over white, or over
 * black if what is drawn is light. A picture that is cut off is EFORMAT, not padded with grey,
 * unless limits->partial. ELIMIT: it takes more memory than the budget has; other errors are those
 * of ims_image_head. crop (x, y, width, height in upright full-size coordinates; NULL: all) is the
 * part that is returned; EINVAL: it does not lie inside. head (may be NULL) is filled as far as the
 * header was read, also on failure.
 */
int ims_image_decode(image *out, image_head *head, const void *data, size_t size,
	const image_limits *limits, const int32_t crop[4], imgsearch_error *err);
void ims_image_free(image *im);

/* An image of width x height undefined pixels. ENOMEM. */
int ims_image_new(image *out, uint32_t width, uint32_t height, imgsearch_error *err);

/* Gives back what is reserved for a picture that outlives its call. */
void ims_image_unreserve(image *im);

/* Crops pixels to x, y, width, height in place. EINVAL: it does not lie inside. */
int ims_image_crop(image *im, const int32_t crop[4], imgsearch_error *err);

/*
 * Prepares a picture for a network: out is (inputs, crop, crop, 3), channels last, or (inputs, 3,
 * crop, crop) if planar. Equal to Pillow and torchvision bit for bit. ENOMEM only.
 */
int ims_image_fit(const image *im, const image_recipe *recipe, bool planar, float *out,
	imgsearch_error *err);

/*
 * The box of a picture, in shares of its sides (left, top, right, bottom), as an input of `side`
 * for the same network, whatever the aspect: out is (side, side, 3), channels last. ENOMEM only.
 */
int ims_image_fit_part(const image *im, const image_recipe *recipe, const double box[4],
	uint32_t side, float *out, imgsearch_error *err);

/*
 * The antialiased resize of the box x0, y0, x1, y1 (NULL: all), bilinear or bicubic. EINVAL: the
 * box; ENOMEM.
 */
int ims_image_resize(image *out, const image *in, uint32_t width, uint32_t height, bool bicubic,
	const double box[4], imgsearch_error *err);

/* Encoders: append to out. quality: 0..100. ELIMIT: a side is longer than the format allows. */
int ims_image_encode_jpeg(buf *out, const image *im, int quality, const stop_token *stop,
	imgsearch_error *err);
int ims_image_encode_png(buf *out, const image *im, const stop_token *stop, imgsearch_error *err);

#endif
