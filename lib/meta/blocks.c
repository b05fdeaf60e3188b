/* Finds the blocks in the containers of JPEG, PNG, GIF, WebP, TIFF and videos. */
#include "image/png_chunks.h"
#include "image/tiff_tags.h"
#include "meta/meta.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void ims_facts_from_blocks(facts *f, const metadata *blocks)
{
	if (blocks->xmp)
		ims_facts_add_xmp(f, blocks->xmp, blocks->xmp_size, false);
	if (blocks->exif)
		ims_facts_add_exif(f, blocks->exif, blocks->exif_size);
	if (blocks->iptc)
		ims_facts_add_iptc(f, blocks->iptc, blocks->iptc_size);
}

/* The segments before the pixels. False: they go on behind the data. */
static bool jpeg_blocks(metadata *m, const uint8_t *data, size_t size)
{
	enum { APP1 = 0xE1, APP13 = 0xED, SCAN = 0xDA, END = 0xD9, HEAD = 4 };
	size_t at = size < 2 ? size : 2;
	for (;;) {
		while (at < size && data[at] == 0xFF && at + 1 < size && data[at + 1] == 0xFF)
			at++; /* fill bytes */
		if (size - at < HEAD)
			return false;
		if (data[at] != 0xFF || data[at + 1] == SCAN || data[at + 1] == END)
			return true;
		size_t length = (size_t)data[at + 2] << 8 | data[at + 3];
		if (length < 2)
			return true;
		if (length > size - at - 2)
			return false;
		if (data[at + 1] == APP1)
			ims_metadata_app1(m, data + at + HEAD, length - 2);
		else if (data[at + 1] == APP13)
			ims_metadata_app13(m, data + at + HEAD, length - 2);
		at += 2 + length;
	}
}

/* Chunks of RIFF: a name, a little-endian size, the bytes, padded to two. */
static void webp_blocks(metadata *m, const uint8_t *data, size_t size)
{
	enum { FIRST = 12, HEAD = 8 };
	for (size_t at = FIRST; size >= HEAD && at <= size - HEAD;) {
		reader r = { .data = data + at + 4, .len = 4 };
		size_t length = ims_read_u32(&r), left = size - at - HEAD;
		const uint8_t *chunk = data + at + HEAD;
		if (length > left)
			return;
		if (!memcmp(data + at, "EXIF", 4)) {
			ims_metadata_exif(m, chunk, length);
		} else if (!memcmp(data + at, "XMP ", 4) && !m->xmp) {
			m->xmp = chunk;
			m->xmp_size = length;
		}
		at += HEAD + length + (length % 2 && length < left);
	}
}

/* Behind blocks of at most 255 bytes, each with its size before it; the end has none. */
static size_t behind_blocks(const uint8_t *data, size_t size, size_t at)
{
	while (at < size && data[at])
		at += 1 + (size_t)data[at];
	return at + 1;
}

/* The bytes of a palette, by the flags of what has it. */
static size_t palette_size(uint8_t flags)
{
	return flags & 0x80 ? (size_t)3 << ((flags & 7) + 1) : 0;
}

/* XMP is an extension whose text is no blocks; a ramp of falling numbers ends it as if it were. */
static void gif_blocks(metadata *m, const uint8_t *data, size_t size)
{
	static const char name[] = "\x21\xFF\x0BXMP DataXMP", ramp[] = "\1\xFF\xFE\xFD";
	enum { HEAD = 13, NAME = sizeof name - 1, PICTURE = 10, EXTENSION = 2 };
	for (size_t at = size < HEAD ? size : HEAD + palette_size(data[10]);
		 at < size && size - at > NAME;) {
		if (!memcmp(data + at, name, NAME)) {
			const uint8_t *end = memmem(data + at + NAME, size - at - NAME, ramp, sizeof ramp - 1);
			m->xmp = data + at + NAME;
			m->xmp_size = end ? (size_t)(end - m->xmp) : 0;
			return;
		}
		if (data[at] == 0x2C)
			at = behind_blocks(data, size, at + PICTURE + palette_size(data[at + 9]) + 1);
		else if (data[at] == 0x21)
			at = behind_blocks(data, size, at + EXTENSION);
		else
			return;
	}
}

/* The file is what an Exif block is, and has the other blocks as values of tags. */
static void tiff_blocks(metadata *m, const uint8_t *data, size_t size)
{
	enum { TAG_XMP = 700, TAG_IPTC = 33723 };
	tiff_tags t;
	tiff_value v;
	if (!ims_tiff_open(&t, data, size))
		return;
	m->exif = data;
	m->exif_size = size;
	if (ims_tiff_find(&t, ims_tiff_first(&t), TAG_XMP, &v) && v.size) {
		m->xmp = data + v.at;
		m->xmp_size = v.size;
	}
	if (ims_tiff_find(&t, ims_tiff_first(&t), TAG_IPTC, &v) && v.size) {
		m->iptc = data + v.at;
		m->iptc_size = v.size;
	}
}

static void add_video(facts *f, const uint8_t *data, size_t size)
{
	if (!memcmp(data, "\x1A\x45\xDF\xA3", 4))
		ims_facts_add_matroska(f, data, size);
	else if (!memcmp(data, "RIFF", 4))
		ims_facts_add_avi(f, data, size);
	else
		ims_facts_add_quicktime(f, data, size);
}

bool ims_facts_from_file(facts *f, const void *data, size_t size)
{
	metadata m = { 0 };
	png_facts png = { 0 };
	image_format format = ims_image_sniff(data, size);
	bool whole = format == IMAGE_JPEG ? jpeg_blocks(&m, data, size) : true;
	if (format == IMAGE_GIF)
		gif_blocks(&m, data, size);
	else if (format == IMAGE_WEBP)
		webp_blocks(&m, data, size);
	else if (format == IMAGE_TIFF || format == IMAGE_RAW)
		tiff_blocks(&m, data, size);
	else if (format == IMAGE_PNG) {
		ims_png_facts_read(&png, data, size);
		m = png.meta;
		f->nomem |= png.nomem;
	}
	if (format == IMAGE_VIDEO)
		add_video(f, data, size);
	ims_facts_from_blocks(f, &m);
	ims_png_facts_free(&png);
	return whole;
}

/* The first bytes of a file, in which a JPEG has its blocks as a rule. False: it cannot be read. */
static bool read_beginning(buf *out, const char *path)
{
	enum { BEGINNING = 1 << 18 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	void *to = fd < 0 ? NULL : ims_buf_grow(out, BEGINNING);
	ssize_t got = to ? read(fd, to, BEGINNING) : -1;
	if (fd >= 0)
		close(fd);
	out->len = got > 0 ? (size_t)got : 0;
	return got >= 0;
}

/* Whether blocks may stand anywhere in a file of this format. */
static bool is_spread(image_format format)
{
	return format == IMAGE_PNG || format == IMAGE_GIF || format == IMAGE_WEBP
		|| format == IMAGE_TIFF || format == IMAGE_RAW || format == IMAGE_VIDEO;
}

bool ims_facts_read(facts *f, const char *path)
{
	buf bytes = { 0 };
	bool read = read_beginning(&bytes, path);
	image_format format = read ? ims_image_sniff(bytes.data, bytes.len) : IMAGE_UNKNOWN;
	bool enough = !is_spread(format) && ims_facts_from_file(f, bytes.data, bytes.len);
	if (read && !enough) {
		ims_facts_clear(f);
		ims_buf_free(&bytes);
		read = !ims_read_file(&bytes, path, IMS_IMAGE_MAX_FILE, NULL);
		if (read)
			ims_facts_from_file(f, bytes.data, bytes.len);
	}
	ims_buf_free(&bytes);
	return read && !f->nomem;
}
