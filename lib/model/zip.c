/*
 * Zip archives as torch.save writes them: a central directory, with its 64-bit extension, of stored
 * entries. Source: PKWARE APPNOTE.TXT 4.3 and 4.5.3. Every size and offset is checked against the
 * archive before use.
 */
#include "model/zip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { END_SIZE = 22, ENTRY_SIZE = 46, LOCAL_SIZE = 30, MAX_ENTRIES = 65536 * 4 };

static uint16_t u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t u32(const uint8_t *p)
{
	return (uint32_t)u16(p) | (uint32_t)u16(p + 2) << 16;
}

static uint64_t u64(const uint8_t *p)
{
	return (uint64_t)u32(p) | (uint64_t)u32(p + 4) << 32;
}

static int broken(imgsearch_error *err, const char *why)
{
	return ims_fail(err, IMGSEARCH_EFORMAT, "damaged zip archive: %s", why);
}

static int by_name(const void *a, const void *b)
{
	const zip_entry *x = a, *y = b;
	size_t n = x->name_len < y->name_len ? x->name_len : y->name_len;
	int c = memcmp(x->name, y->name, n);
	return c ? c : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

/*
 * Reads the 64-bit values of those 32-bit fields that are full: only these are stored, in this
 * order.
 */
static bool wide_fields(const uint8_t *extra, size_t n, uint64_t *size, uint64_t *packed,
	uint64_t *header)
{
	while (n >= 4) {
		size_t len = u16(extra + 2);
		if (len > n - 4)
			return false;
		if (u16(extra) == 1) {
			uint64_t *field[] = { size, packed, header };
			const uint8_t *p = extra + 4;
			for (int i = 0; i < 3; i++) {
				if (*field[i] != UINT32_MAX)
					continue;
				if (len < 8)
					return false;
				*field[i] = u64(p);
				p += 8, len -= 8;
			}
			return true;
		}
		extra += 4 + len, n -= 4 + len;
	}
	return true;
}

/* Place and number of entries of the directory, from the end of the archive. */
static bool find_directory(const uint8_t *data, size_t size, uint64_t *at, uint64_t *n)
{
	size_t lowest = size > END_SIZE + 65535 ? size - END_SIZE - 65535 : 0;
	if (size < END_SIZE)
		return false;
	for (size_t end = size - END_SIZE + 1; end-- > lowest;) {
		const uint8_t *p = data + end;
		if (memcmp(p, "PK\5\6", 4))
			continue;
		*n = u16(p + 10), *at = u32(p + 16);
		if ((*n == UINT16_MAX || *at == UINT32_MAX) && end >= 20 && !memcmp(p - 20, "PK\6\7", 4)) {
			uint64_t wide = u64(p - 20 + 8);
			if (size < 56 || wide > size - 56 || memcmp(data + wide, "PK\6\6", 4))
				return false;
			*n = u64(data + wide + 32), *at = u64(data + wide + 48);
		}
		return true;
	}
	return false;
}

static int read_directory(zip *z, uint64_t at, uint64_t n, imgsearch_error *err)
{
	for (uint64_t i = 0; i < n; i++) {
		if (at > z->size || z->size - at < ENTRY_SIZE || memcmp(z->data + at, "PK\1\2", 4))
			return broken(err, "its directory is cut off");
		const uint8_t *p = z->data + at;
		size_t name = u16(p + 28), extra = u16(p + 30), comment = u16(p + 32);
		if (z->size - at - ENTRY_SIZE < name + extra + comment)
			return broken(err, "its directory is cut off");
		uint64_t packed = u32(p + 20), whole = u32(p + 24), header = u32(p + 42);
		if (!wide_fields(p + ENTRY_SIZE + name, extra, &whole, &packed, &header))
			return broken(err, "an entry's 64-bit sizes are cut off");
		z->entry[z->n++] = (zip_entry){ (const char *)p + ENTRY_SIZE, name, header, whole, packed,
			u32(p + 16), u16(p + 10) };
		at += ENTRY_SIZE + name + extra + comment;
	}
	return 0;
}

int ims_zip_open(zip *out, const uint8_t *data, size_t size, imgsearch_error *err)
{
	uint64_t at, n;
	*out = (zip){ data, size, NULL, 0 };
	if (!find_directory(data, size, &at, &n))
		return broken(err, "it is cut off (its directory, at the end, is missing)");
	if (n > MAX_ENTRIES || n > size / ENTRY_SIZE)
		return broken(err, "it claims more entries than it has room for");
	if (!(out->entry = ims_alloc((size_t)n + 1, sizeof *out->entry)))
		return ims_nomem(err);
	int rc = read_directory(out, at, n, err);
	if (rc)
		ims_zip_free(out);
	else
		qsort(out->entry, out->n, sizeof *out->entry, by_name);
	return rc;
}

void ims_zip_free(zip *z)
{
	ims_free(z->entry);
	z->entry = NULL;
	z->n = 0;
}

const zip_entry *ims_zip_find(const zip *z, const char *name, size_t len)
{
	zip_entry key = { .name = name, .name_len = len };
	return z->n ? bsearch(&key, z->entry, z->n, sizeof key, by_name) : NULL;
}

static int shown(const zip_entry *e)
{
	return (int)(e->name_len > 100 ? 100 : e->name_len);
}

/* Where the bytes of an entry begin, size of which must lie in the archive. */
static int locate(const zip *z, const zip_entry *e, uint64_t size, uint64_t *start,
	imgsearch_error *err)
{
	if (e->header > z->size || z->size - e->header < LOCAL_SIZE
		|| memcmp(z->data + e->header, "PK\3\4", 4))
		return ims_fail(err, IMGSEARCH_EFORMAT,
			"damaged zip archive: entry \"%.*s\" lies outside the file", shown(e), e->name);
	const uint8_t *p = z->data + e->header;
	*start = e->header + LOCAL_SIZE + u16(p + 26) + u16(p + 28);
	if (*start > z->size || z->size - *start < size)
		return ims_fail(err, IMGSEARCH_EFORMAT, "damaged zip archive: entry \"%.*s\" is cut off",
			shown(e), e->name);
	return 0;
}

int ims_zip_data(const zip *z, const zip_entry *e, const uint8_t **data, imgsearch_error *err)
{
	uint64_t start = 0;
	if (e->method != 0)
		return ims_fail(err, IMGSEARCH_EFORMAT,
			"entry \"%.*s\" is compressed; torch.save stores its entries", shown(e), e->name);
	int rc = locate(z, e, e->size, &start, err);
	if (!rc)
		*data = z->data + start;
	return rc;
}

int ims_zip_check(const zip *z, const zip_entry *e, uint64_t most, imgsearch_error *err)
{
	uint64_t start = 0;
	if (e->method ? e->size > most : e->size != e->packed)
		return ims_fail(err, e->method ? IMGSEARCH_ELIMIT : IMGSEARCH_EFORMAT,
			"damaged zip archive: entry \"%.*s\" claims %llu bytes", shown(e), e->name,
			(unsigned long long)e->size);
	return locate(z, e, e->packed, &start, err);
}

/* The checksum of deflated bytes that become e->size ones. False: they do not. */
static bool inflated_crc(const uint8_t *data, const zip_entry *e, uint32_t *crc)
{
	uint8_t piece[16 << 10];
	z_stream s = { .next_in = (uint8_t *)(uintptr_t)data, .avail_in = (uInt)e->packed };
	int rc = inflateInit2(&s, -MAX_WBITS); /* no header */
	uint64_t n = 0;
	*crc = 0;
	while (rc == Z_OK && n <= e->size) {
		s.next_out = piece, s.avail_out = sizeof piece;
		rc = inflate(&s, Z_NO_FLUSH);
		n += sizeof piece - s.avail_out;
		*crc = (uint32_t)crc32(*crc, piece, (uInt)(sizeof piece - s.avail_out));
	}
	inflateEnd(&s);
	return rc == Z_STREAM_END && n == e->size;
}

int ims_zip_checksum(const zip *z, const zip_entry *e, imgsearch_error *err)
{
	enum { DEFLATED = 8 };
	uint64_t start = 0;
	uint32_t crc = 0;
	int rc = locate(z, e, e->packed, &start, err);
	if (rc)
		return rc;
	const uint8_t *data = z->data + start;
	bool is = e->method == 0 || (e->method == DEFLATED && e->packed <= UINT32_MAX);
	if (is && e->method)
		is = inflated_crc(data, e, &crc);
	else if (is)
		crc = (uint32_t)crc32_z(0, data, e->size);
	return is && crc == e->crc
		? 0
		: ims_fail(err, IMGSEARCH_EFORMAT,
			"damaged zip archive: entry \"%.*s\" does not have its checksum", shown(e), e->name);
}
