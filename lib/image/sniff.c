/*
 * The format of a file by its first bytes. A file shorter than the magic number of JPEG or PNG
 * counts as that format if it is a beginning of it, so that a truncated picture is called damaged
 * and not unknown.
 */
#include "image/raw.h"

#include <string.h>
#include <unistd.h>

typedef struct magic {
	image_format format;
	size_t offset, len;
	const char *bytes;
} magic;

static const magic magics[] = {
	{ IMAGE_JPEG, 0, 2, "\xFF\xD8" },
	{ IMAGE_PNG, 0, 4, "\x89PNG" }, /* libpng checks the other four bytes */
	{ IMAGE_GIF, 0, 4, "GIF8" },
	{ IMAGE_WEBP, 8, 4, "WEBP" },
	{ IMAGE_RAW, 0, 4, "IIU\0" }, /* RW2 */
	{ IMAGE_RAW, 0, 3, "IIR" },   /* ORF */
	{ IMAGE_RAW, 0, 4, "MMOR" },  /* ORF */
	{ IMAGE_RAW, 0, 12, "FUJIFILMCCD-" },
	{ IMAGE_RAW, 4, 7, "ftypcrx" }, /* CR3 */
	{ IMAGE_TIFF, 0, 4, "II*\0" },
	{ IMAGE_TIFF, 0, 4, "MM\0*" },
	{ IMAGE_TIFF, 0, 4, "II+\0" },
	{ IMAGE_TIFF, 0, 4, "MM\0+" },
	{ IMAGE_AVIF, 4, 8, "ftypavif" },
	{ IMAGE_AVIF, 4, 8, "ftypavis" },
	{ IMAGE_HEIC, 4, 7, "ftyphei" },
	{ IMAGE_HEIC, 4, 7, "ftyphev" },
	{ IMAGE_HEIC, 4, 7, "ftypmif" }, /* or AVIF, see heif_format */
	{ IMAGE_HEIC, 4, 8, "ftypmsf1" },
	{ IMAGE_HEIC, 4, 8, "ftypmiaf" },
	{ IMAGE_HEIC, 4, 8, "ftypMiHE" },
	{ IMAGE_VIDEO, 4, 7, "ftypiso" },
	{ IMAGE_VIDEO, 4, 6, "ftypmp" },
	{ IMAGE_VIDEO, 4, 8, "ftypavc1" },
	{ IMAGE_VIDEO, 4, 7, "ftypM4V" },
	{ IMAGE_VIDEO, 4, 8, "ftypMSNV" },
	{ IMAGE_VIDEO, 4, 8, "ftypqt  " },
	{ IMAGE_VIDEO, 4, 6, "ftyp3g" },
	{ IMAGE_VIDEO, 4, 4, "moov" }, /* QuickTime of before ftyp */
	{ IMAGE_VIDEO, 4, 4, "mdat" },
	{ IMAGE_VIDEO, 4, 4, "pnot" },
	{ IMAGE_VIDEO, 4, 8, "wide\0\0\0\0" },
	{ IMAGE_VIDEO, 8, 4, "AVI " },
	{ IMAGE_VIDEO, 0, 4, "\x1A\x45\xDF\xA3" }, /* Matroska, WebM */
	{ IMAGE_PDF, 0, 5, "%PDF-" },
	{ IMAGE_JPEG2000, 0, 8, "\0\0\0\x0CjP  " },
	{ IMAGE_JPEG2000, 0, 4, "\xFF\x4F\xFF\x51" },
	{ IMAGE_JXL, 0, 8, "\0\0\0\x0CJXL " },
	{ IMAGE_JXL, 0, 2, "\xFF\x0A" },
	{ IMAGE_ICO, 0, 4, "\0\0\1\0" },
	{ IMAGE_BMP, 0, 2, "BM" },
	{ IMAGE_SVG, 0, 4, "<svg" },
};

/* "<?xml ...", comments and a doctype may come before "<svg". */
static bool is_svg(const char *text, size_t size)
{
	size_t end = size < 1024 ? size : 1024;
	return size >= 2 && text[0] == '<' && (text[1] == '?' || text[1] == '!')
		&& memmem(text, end, "<svg", 4);
}

/* The size of the header follows; other files begin with BM too. */
static bool is_bmp(const uint8_t *bytes, size_t size)
{
	return size < 18 || (bytes[14] >= 12 && !(bytes[15] | bytes[16] | bytes[17]));
}

/* HEIF by its compatible brands, as far as they are there. */
static image_format heif_format(const uint8_t *bytes, size_t size)
{
	size_t end = ims_big_endian(bytes);
	for (size_t at = 16; at + 4 <= size && at + 4 <= end; at += 4)
		if (!memcmp(bytes + at, "avif", 4) || !memcmp(bytes + at, "avis", 4))
			return IMAGE_AVIF;
	return IMAGE_HEIC;
}

/* That of a brand of its maker, such as Sony's XAVC: by the first brand that others know. */
static image_format format_of_brands(const uint8_t *bytes, size_t size)
{
	static const struct {
		const char *name;
		image_format format;
	} brands[] = { { "heic", IMAGE_HEIC }, { "heix", IMAGE_HEIC }, { "mif1", IMAGE_HEIC },
		{ "avif", IMAGE_AVIF }, { "iso", IMAGE_VIDEO }, { "mp4", IMAGE_VIDEO },
		{ "avc1", IMAGE_VIDEO }, { "qt  ", IMAGE_VIDEO } };
	if (size < 16 || memcmp(bytes + 4, "ftyp", 4) || !memcmp(bytes + 8, "M4", 2)) /* M4A is sound */
		return IMAGE_UNKNOWN;
	size_t end = ims_big_endian(bytes);
	for (size_t at = 16; at + 4 <= size && at + 4 <= end; at += 4)
		for (size_t i = 0; i < sizeof brands / sizeof brands[0]; i++)
			if (!memcmp(bytes + at, brands[i].name, strlen(brands[i].name)))
				return brands[i].format == IMAGE_HEIC ? heif_format(bytes, size) : brands[i].format;
	return IMAGE_UNKNOWN;
}

static image_format sniff(const void *data, size_t size)
{
	const char *bytes = data;
	if (!size)
		return IMAGE_EMPTY;
	for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
		const magic *s = &magics[i];
		bool decodable = s->format == IMAGE_JPEG || s->format == IMAGE_PNG;
		size_t len = decodable && size < s->len ? size : s->len;
		if (size >= s->offset + len && memcmp(bytes + s->offset, s->bytes, len) == 0
			&& (s->format != IMAGE_BMP || is_bmp(data, size)))
			return s->format == IMAGE_HEIC ? heif_format(data, size) : s->format;
	}
	return is_svg(bytes, size) ? IMAGE_SVG : format_of_brands(data, size);
}

image_format ims_image_sniff(const void *data, size_t size)
{
	const raw_file file = { .data = data, .size = size };
	image_format f = sniff(data, size);
	return f == IMAGE_TIFF && ims_raw_is(&file) ? IMAGE_RAW : f;
}

int ims_image_sniff_file(int fd, image_format *out)
{
	enum { BEGINNING = 64 };
	uint8_t head[BEGINNING];
	const raw_file file = { .fd = fd };
	ssize_t got = pread(fd, head, sizeof head, 0);
	if (got < 0)
		return -1;
	*out = sniff(head, (size_t)got);
	if (*out == IMAGE_TIFF && ims_raw_is(&file))
		*out = IMAGE_RAW;
	return 0;
}

const char *ims_image_format_name(image_format f)
{
	static const char *const names[] = {
		[IMAGE_UNKNOWN] = "unknown",
		[IMAGE_JPEG] = "JPEG",
		[IMAGE_PNG] = "PNG",
		[IMAGE_GIF] = "GIF",
		[IMAGE_WEBP] = "WebP",
		[IMAGE_BMP] = "BMP",
		[IMAGE_TIFF] = "TIFF",
		[IMAGE_HEIC] = "HEIC",
		[IMAGE_AVIF] = "AVIF",
		[IMAGE_PDF] = "PDF",
		[IMAGE_JPEG2000] = "JPEG 2000",
		[IMAGE_JXL] = "JPEG XL",
		[IMAGE_ICO] = "ICO",
		[IMAGE_SVG] = "SVG",
		[IMAGE_RAW] = "RAW",
		[IMAGE_VIDEO] = "video",
		[IMAGE_EMPTY] = "empty",
	};
	return (unsigned)f < sizeof names / sizeof names[0] ? names[f] : names[IMAGE_UNKNOWN];
}
