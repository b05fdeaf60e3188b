/*
 * Exif: the first directory, and those of Exif and of GPS that it points to, each read once. CIPA
 * DC-008-2023; the tags of Windows (XPTitle, XPKeywords, Rating) as exiftool documents them.
 */
#include "base/utf8.h"
#include "image/tiff_tags.h"
#include "meta/meta.h"

#include <string.h>

enum {
	TAG_DESCRIPTION = 0x010E,
	TAG_MAKE = 0x010F,
	TAG_MODEL = 0x0110,
	TAG_DATE = 0x0132,
	TAG_RATING = 0x4746,
	TAG_EXIF = 0x8769,
	TAG_GPS = 0x8825,
	TAG_XP_TITLE = 0x9C9B,
	TAG_XP_KEYWORDS = 0x9C9E,
	/* in the directory of Exif */
	TAG_DATE_ORIGINAL = 0x9003,
	TAG_DATE_DIGITIZED = 0x9004,
	TAG_ZONE = 0x9010, /* and of the other two dates, in the order of their tags */
	TAG_ZONE_ORIGINAL = 0x9011,
	TAG_ZONE_DIGITIZED = 0x9012,
	TAG_FRACTION = 0x9290,
	TAG_FRACTION_ORIGINAL = 0x9291,
	TAG_FRACTION_DIGITIZED = 0x9292,
	TAG_LENS = 0xA434,
	/* in the directory of GPS */
	TAG_LATITUDE_REF = 1,
	TAG_LATITUDE = 2,
	TAG_LONGITUDE_REF = 3,
	TAG_LONGITUDE = 4,
};

typedef struct exif {
	tiff_tags tags;
	size_t first, own, gps; /* directories; 0: none */
	facts *f;
} exif;

/* A text of at most 4 KiB; NULL: there is none. */
static char *text_of(const exif *e, size_t directory, uint32_t tag)
{
	tiff_value v;
	if (!directory || !ims_tiff_find(&e->tags, directory, tag, &v) || !v.size
		|| (v.type != TIFF_ASCII && v.type != TIFF_BYTE))
		return NULL;
	return ims_fact_text(e->f, e->tags.data + v.at, v.size);
}

static void set_text(const exif *e, int fact, size_t directory, uint32_t tag)
{
	if (!e->f->value[fact])
		ims_facts_set(e->f, fact, text_of(e, directory, tag));
}

/* Appends a code point as UTF-8; false: it is none. */
static bool put_utf8(buf *out, uint32_t c)
{
	char text[4];
	ims_buf_put(out, text, ims_utf8_write(c, text));
	return c < 0xd800 || c > 0xdfff;
}

/* A text of Windows, in UTF-16 of the BMP, little-endian in either byte order. */
static bool wide_text(const exif *e, uint32_t tag, buf *out)
{
	tiff_value v;
	bool good = ims_tiff_find(&e->tags, e->first, tag, &v) && v.size >= 2;
	for (size_t i = 0; good && i + 1 < v.size && i < 1 << 16; i += 2) {
		const uint8_t *at = e->tags.data + v.at + i;
		uint32_t c = (uint32_t)at[0] | (uint32_t)at[1] << 8;
		if (!c)
			break;
		good = put_utf8(out, c);
	}
	e->f->nomem |= out->failed;
	return good && !out->failed;
}

static void set_title(const exif *e)
{
	buf text = { 0 };
	if (!e->f->value[FACT_TITLE] && wide_text(e, TAG_XP_TITLE, &text))
		ims_facts_set(e->f, FACT_TITLE, ims_fact_text(e->f, text.data, text.len));
	ims_buf_free(&text);
}

static void set_keywords(const exif *e)
{
	buf text = { 0 };
	char *list = NULL;
	if (!e->f->value[FACT_KEYWORDS] && wide_text(e, TAG_XP_KEYWORDS, &text))
		for (size_t at = 0, n; at < text.len; at += n + 1) {
			const uint8_t *word = text.data + at, *end = memchr(word, ';', text.len - at);
			n = end ? (size_t)(end - word) : text.len - at;
			ims_fact_add_keyword(e->f, &list, word, n);
		}
	ims_facts_set(e->f, FACT_KEYWORDS, list);
	ims_buf_free(&text);
}

static void set_camera(const exif *e)
{
	char *make = text_of(e, e->first, TAG_MAKE), *model = text_of(e, e->first, TAG_MODEL);
	ims_fact_set_camera(e->f, make, model);
	ims_free(make);
	ims_free(model);
}

static void set_rating(const exif *e)
{
	tiff_value v;
	if (ims_tiff_find(&e->tags, e->first, TAG_RATING, &v) && v.type == TIFF_SHORT && v.size)
		ims_fact_set_rating(e->f, ims_tiff_number(&e->tags, v.at, 2));
}

/* ----------------------------------------------------------------------------------- dates ---- */

typedef struct date_tags {
	bool in_first; /* the date; zone and fraction are in the directory of Exif */
	uint32_t date, zone, fraction;
	const char *from;
} date_tags;

/* The fraction belongs to a date that has seconds. */
static void add_date(const exif *e, const date_tags *d)
{
	enum { WHOLE = 19 };
	char *date = text_of(e, d->in_first ? e->first : e->own, d->date);
	char *zone = date ? text_of(e, e->own, d->zone) : NULL;
	char *fraction = date ? text_of(e, e->own, d->fraction) : NULL;
	bool has_fraction = fraction && strlen(date) == WHOLE
		&& strspn(fraction, "0123456789") == strlen(fraction);
	char *whole = has_fraction ? ims_format("%s.%s", date, fraction) : NULL;
	if (date)
		ims_facts_set_date(e->f, whole ? whole : date, zone, d->from);
	ims_free(whole);
	ims_free(fraction);
	ims_free(zone);
	ims_free(date);
}

static void set_dates(const exif *e)
{
	static const date_tags dates[] = {
		{ false, TAG_DATE_ORIGINAL, TAG_ZONE_ORIGINAL, TAG_FRACTION_ORIGINAL,
			"Exif DateTimeOriginal" },
		{ false, TAG_DATE_DIGITIZED, TAG_ZONE_DIGITIZED, TAG_FRACTION_DIGITIZED,
			"Exif DateTimeDigitized" },
		{ true, TAG_DATE, TAG_ZONE, TAG_FRACTION, "Exif DateTime" },
	};
	for (size_t i = 0; i < sizeof dates / sizeof *dates; i++)
		add_date(e, &dates[i]);
}

/* -------------------------------------------------------------------------------- position ---- */

/* Degrees, minutes and seconds; false: they are not there, or divided by 0. */
static bool degrees_of(const exif *e, uint32_t tag, double *out)
{
	enum { RATIONAL_SIZE = 8 };
	tiff_value v;
	double scale = 1;
	*out = 0;
	if (!ims_tiff_find(&e->tags, e->gps, tag, &v) || v.type != TIFF_RATIONAL || !v.size)
		return false;
	for (size_t i = 0; i < 3 && i < v.size / RATIONAL_SIZE; i++, scale *= 60) {
		uint32_t top = ims_tiff_number(&e->tags, v.at + i * RATIONAL_SIZE, 4);
		uint32_t bottom = ims_tiff_number(&e->tags, v.at + i * RATIONAL_SIZE + 4, 4);
		if (!bottom && (top || !i))
			return false;
		*out += bottom ? (double)top / bottom / scale : 0;
	}
	return true;
}

/* The letter of a direction; 0: none. */
static char direction(const exif *e, uint32_t tag)
{
	tiff_value v;
	bool there = ims_tiff_find(&e->tags, e->gps, tag, &v) && v.type == TIFF_ASCII && v.size;
	return there ? (char)e->tags.data[v.at] : 0;
}

static void set_position(const exif *e)
{
	double latitude, longitude;
	if (!e->gps || !degrees_of(e, TAG_LATITUDE, &latitude)
		|| !degrees_of(e, TAG_LONGITUDE, &longitude))
		return;
	char ns = direction(e, TAG_LATITUDE_REF), ew = direction(e, TAG_LONGITUDE_REF);
	if ((ns == 'N' || ns == 'S') && (ew == 'E' || ew == 'W'))
		ims_facts_set_position(e->f, ns == 'S' ? -latitude : latitude,
			ew == 'W' ? -longitude : longitude);
}

static size_t directory(const exif *e, uint32_t tag)
{
	tiff_value v;
	return ims_tiff_find(&e->tags, e->first, tag, &v) ? ims_tiff_number(&e->tags, v.field, 4) : 0;
}

void ims_facts_add_exif(facts *f, const void *data, size_t size)
{
	exif e = { .f = f };
	if (!ims_tiff_open(&e.tags, data, size))
		return;
	e.first = ims_tiff_first(&e.tags);
	e.own = directory(&e, TAG_EXIF);
	e.gps = directory(&e, TAG_GPS);
	set_dates(&e);
	set_camera(&e);
	set_text(&e, FACT_LENS, e.own, TAG_LENS);
	set_position(&e);
	set_rating(&e);
	set_title(&e);
	set_keywords(&e);
	set_text(&e, FACT_DESCRIPTION, e.first, TAG_DESCRIPTION);
}
