/*
 * Sources: TIFF 6.0; TIFF/EP (ISO 12234-2); Adobe DNG 1.6; and for RAF, CR3 and ORF the places that
 * exiftool documents.
 */
#include "image/raw.h"

#include "image/metadata.h"

#include <string.h>
#include <unistd.h>

enum {
	MOST_DIRECTORIES = 64,
	MOST_ENTRIES = 512,
	MOST_PREVIEWS = 64,
	ENTRY = 12,
	COMPRESSION = 259,
	PHOTOMETRIC = 262,
	STRIP_OFFSETS = 273,
	ORIENTATION = 274,
	STRIP_SIZES = 279,
	SUB_DIRECTORIES = 330,
	JPEG_OFFSET = 513,
	JPEG_SIZE = 514,
	PANASONIC_JPEG = 0x2E,
	DNG_VERSION = 0xC612,
	SENSOR = 32803, /* photometrics: one colour a pixel; linear RGB of a sensor */
	LINEAR = 34892,
};

/* Where a JPEG may lie. */
typedef struct part {
	uint64_t at, size;
} part;

typedef struct walk {
	const raw_file *file;
	bool big_endian, is_raw, is_dng;
	uint32_t orientation; /* of the first directory; 0: it does not say */
	uint64_t directory[MOST_DIRECTORIES];
	unsigned n_directories, next;
	part preview[MOST_PREVIEWS];
	unsigned n_previews;
} walk;

/* -------------------------------------------------------------------------------- numbers ---- */

static bool fetch(const raw_file *f, uint64_t at, void *to, size_t n)
{
	if (!f->data)
		return at < INT64_MAX / 2 && pread(f->fd, to, n, (off_t)at) == (ssize_t)n;
	if (at > f->size || n > f->size - at)
		return false;
	memcpy(to, f->data + at, n);
	return true;
}

static uint32_t number(const walk *w, const uint8_t *at, unsigned n)
{
	uint32_t value = 0;
	for (unsigned i = 0; i < n; i++)
		value |= (uint32_t)at[i] << 8 * (w->big_endian ? n - 1 - i : i);
	return value;
}

/* Value i of an entry of a directory, whose type is SHORT, LONG or IFD; 0: there is none. */
static uint32_t value_of(const walk *w, const uint8_t *entry, uint32_t i)
{
	enum { SHORT = 3, LONG = 4, IFD = 13 };
	uint32_t type = number(w, entry + 2, 2), count = number(w, entry + 4, 4);
	unsigned n = type == SHORT ? 2 : type == LONG || type == IFD ? 4 : 0;
	uint8_t bytes[4];
	if (!n || i >= count)
		return 0;
	if ((uint64_t)count * n <= 4)
		return number(w, entry + 8 + (size_t)i * n, n);
	bool there = fetch(w->file, number(w, entry + 8, 4) + (uint64_t)i * n, bytes, n);
	return there ? number(w, bytes, n) : 0;
}

/* ----------------------------------------------------------------------------- directories ---- */

static void add_directory(walk *w, uint64_t at)
{
	for (unsigned i = 0; i < w->n_directories; i++)
		if (w->directory[i] == at)
			return;
	if (at && w->n_directories < MOST_DIRECTORIES)
		w->directory[w->n_directories++] = at;
}

static void add_preview(walk *w, uint64_t at, uint64_t size)
{
	uint8_t start[3];
	if (w->n_previews < MOST_PREVIEWS && fetch(w->file, at, start, 3)
		&& !memcmp(start, "\xFF\xD8\xFF", 3))
		w->preview[w->n_previews++] = (part){ at, size };
}

/* What a directory says of its pixels. */
typedef struct pixels_entry {
	uint32_t compression, photometric, strips, strip_at, strip_size, jpeg_at, jpeg_size;
} pixels_entry;

static void read_entry(walk *w, const uint8_t *e, bool first, pixels_entry *p)
{
	uint32_t tag = number(w, e, 2), count = number(w, e + 4, 4);
	switch (tag) {
	case COMPRESSION:
		p->compression = value_of(w, e, 0);
		break;
	case PHOTOMETRIC:
		p->photometric = value_of(w, e, 0);
		break;
	case STRIP_OFFSETS:
		p->strips = count;
		p->strip_at = value_of(w, e, 0);
		break;
	case STRIP_SIZES:
		p->strip_size = value_of(w, e, 0);
		break;
	case JPEG_OFFSET:
		p->jpeg_at = value_of(w, e, 0);
		break;
	case JPEG_SIZE:
		p->jpeg_size = value_of(w, e, 0);
		break;
	case ORIENTATION:
		if (first)
			w->orientation = value_of(w, e, 0);
		break;
	case SUB_DIRECTORIES:
		for (uint32_t i = 0; i < count && i < MOST_DIRECTORIES; i++)
			add_directory(w, value_of(w, e, i));
		break;
	case PANASONIC_JPEG:
		add_preview(w, number(w, e + 8, 4), count);
		break;
	case DNG_VERSION:
		w->is_raw = w->is_dng = true;
		break;
	default:
		break;
	}
}

static void read_directory(walk *w, uint64_t at, bool first)
{
	enum { OLD_JPEG = 6, JPEG = 7 };
	uint8_t bytes[ENTRY];
	pixels_entry p = { 0 };
	uint32_t n = fetch(w->file, at, bytes, 2) ? number(w, bytes, 2) : 0;
	if (n > MOST_ENTRIES)
		return;
	for (uint32_t i = 0; i < n; i++)
		if (fetch(w->file, at + 2 + (uint64_t)i * ENTRY, bytes, ENTRY))
			read_entry(w, bytes, first, &p);
	if (n && fetch(w->file, at + 2 + (uint64_t)n * ENTRY, bytes, 4))
		add_directory(w, number(w, bytes, 4));
	bool sensor = p.photometric == SENSOR || p.photometric == LINEAR;
	w->is_raw |= sensor;
	if (p.jpeg_at)
		add_preview(w, p.jpeg_at, p.jpeg_size);
	if ((p.compression == JPEG || p.compression == OLD_JPEG) && p.strips == 1 && !sensor)
		add_preview(w, p.strip_at, p.strip_size);
}

/* Every directory: that of the header, the next ones, and those below them. */
static bool walk_directories(walk *w, const raw_file *f)
{
	uint8_t head[12];
	*w = (walk){ .file = f };
	if (!fetch(f, 0, head, sizeof head))
		return false;
	w->big_endian = head[0] == 'M';
	w->is_raw = !memcmp(head + 8, "CR", 2) && head[2] == 42;
	add_directory(w, number(w, head + 4, 4));
	for (; w->next < w->n_directories; w->next++)
		read_directory(w, w->directory[w->next], !w->next);
	return w->is_raw;
}

bool ims_raw_is(const raw_file *f)
{
	walk w;
	return walk_directories(&w, f);
}

/* -------------------------------------------------------------------------------- previews ---- */

/* JPEGs that no directory names, as in ORF, RAF and CR3. */
static void scan(walk *w)
{
	const uint8_t *at = w->file->data, *end = at + w->file->size;
	for (;
		 w->n_previews < MOST_PREVIEWS && (at = memmem(at, (size_t)(end - at), "\xFF\xD8\xFF", 3));
		 at += 3)
		add_preview(w, (uint64_t)(at - w->file->data), (uint64_t)(end - at));
}

/* The orientation in the Exif of a JPEG; 0: it does not say. */
static uint32_t own_orientation(const uint8_t *data, size_t size)
{
	enum { APP1 = 0xE1, START_OF_SCAN = 0xDA };
	metadata m = { 0 };
	size_t at = 2;
	while (size >= 4 && at <= size - 4 && data[at] == 0xFF && data[at + 1] != START_OF_SCAN) {
		size_t length = (size_t)data[at + 2] << 8 | data[at + 3];
		if (length < 2 || length > size - at - 2)
			break;
		if (data[at + 1] == APP1)
			ims_metadata_app1(&m, data + at + 4, length - 2);
		at += 2 + length;
	}
	return ims_exif_orientation(m.exif, m.exif_size);
}

/* That of the file: of its first directory, or (CR3) of the box CMT1. */
static uint32_t file_orientation(const walk *w)
{
	enum { BEGINNING = 1 << 16 };
	const raw_file *f = w->file;
	size_t size = f->size < BEGINNING ? (size_t)f->size : BEGINNING;
	const uint8_t *box = memmem(f->data, size, "CMT1", 4);
	if (memcmp(f->data + 4, "ftyp", 4))
		return w->orientation;
	return box ? ims_exif_orientation(box + 4, size - (size_t)(box + 4 - f->data)) : 0;
}

/* The largest preview, and its head. */
static int find_preview(part *out, image_head *head, const void *data, size_t size,
	imgsearch_error *err)
{
	const raw_file f = { .data = data, .size = size };
	const uint8_t *bytes = data;
	walk w;
	bool found = false;
	walk_directories(&w, &f);
	if (!w.n_previews && !w.is_dng)
		scan(&w);
	for (unsigned i = 0; i < w.n_previews; i++) {
		part p = w.preview[i];
		image_head h = { .format = IMAGE_JPEG, .orientation = 1 };
		if (!p.size || p.size > size - p.at)
			p.size = size - p.at;
		if (ims_image_jpeg.head(&h, bytes + p.at, (size_t)p.size, UINT64_MAX, NULL)
			|| (found && (uint64_t)h.width * h.height <= (uint64_t)head->width * head->height))
			continue;
		found = true;
		*out = p;
		*head = h;
	}
	if (!found)
		return ims_fail(err, IMGSEARCH_EFORMAT, "the RAW file has no preview that can be read");
	uint32_t turned = own_orientation(bytes + out->at, (size_t)out->size);
	if (!turned)
		turned = file_orientation(&w);
	head->orientation = turned >= 1 && turned <= 8 ? turned : 1;
	return 0;
}

static int head(image_head *out, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	part p;
	int rc = find_preview(&p, out, data, size, err);
	return rc ? rc : ims_image_check_size(out->width, out->height, max_pixels, err);
}

static int decode(image *out, const image_head *stored, const void *data, size_t size,
	const decode_request *request, imgsearch_error *err)
{
	part p = { 0 };
	image_head head = { .orientation = 1 };
	int rc = find_preview(&p, &head, data, size, err);
	if (!rc && (head.width != stored->width || head.height != stored->height))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "it changed while it was read");
	return rc ? rc
			  : ims_image_jpeg.decode(out, &head, (const uint8_t *)data + p.at, (size_t)p.size,
				  request, err);
}

const decoder ims_image_raw = { IMAGE_RAW, true, head, decode };
