/*
 * What a video in AVI says of itself: chunks of RIFF, in lists. The list INFO has a title and a
 * date, cameras write a time (IDIT) and a list of Exif for RIFF, and others XMP.
 *
 * Lists hold chunks as the file does, so one walk that enters every list but those of the frames
 * sees all. Sources: the RIFF chapter of Microsoft's Multimedia Programming Interface and Data
 * Specifications 1.0; Exif 2.3 section 5 (list exif); XMP specification part 3 (_PMX).
 */
#include "base/utf8.h"
#include "meta/video.h"

#include <stdio.h>
#include <string.h>

typedef struct chunk {
	const uint8_t *data;
	size_t size;
	char name[4];
} chunk;

static bool is(const chunk *c, const char *name)
{
	return !memcmp(c->name, name, 4);
}

/* The list that c is, if it holds chunks that are looked at; then they are next. */
static bool enters(const chunk *c)
{
	return (is(c, "RIFF") || is(c, "LIST")) && c->size >= 4 && memcmp(c->data, "movi", 4);
}

/* The next chunk of the walk at *at; false: there is no more. A file may be cut off in a list. */
static bool next_chunk(const uint8_t **at, const uint8_t *end, chunk *out)
{
	enum { HEAD = 8, KIND = 4 };
	size_t left = (size_t)(end - *at);
	if (left < HEAD)
		return false;
	reader r = { .data = *at + 4, .len = 4 };
	size_t size = ims_read_u32(&r), rest = left - HEAD;
	*out = (chunk){ .data = *at + HEAD, .size = size < rest ? size : rest };
	memcpy(out->name, *at, sizeof out->name);
	*at += HEAD;
	if (enters(out))
		*at += KIND;
	else if (size > rest)
		return false;
	else
		*at += size + (size % 2 && size < rest);
	return true;
}

enum { CLOCK_SIZE = 32 };

/* "Fri May  3 14:05:09 2024", as the C library writes it. */
static bool read_clock(const char *text, char out[CLOCK_SIZE])
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char month[4] = "";
	unsigned day = 0, hour = 0, minute = 0, second = 0, year = 0;
	int n = sscanf(text, "%*3s %3s %2u %2u:%2u:%2u %4u", month, &day, &hour, &minute, &second,
		&year);
	const char *at = n == 6 && strlen(month) == 3 ? strstr(months, month) : NULL;
	if (!at || (at - months) % 3)
		return false;
	snprintf(out, CLOCK_SIZE, "%04u-%02d-%02uT%02u:%02u:%02u", year % 10000,
		(int)(at - months) / 3 + 1, day % 100, hour % 100, minute % 100, second % 100);
	return true;
}

/* A date of another form, which may have slashes. */
static void copy_date(const char *text, char out[CLOCK_SIZE])
{
	size_t n = 0;
	for (; n + 1 < CLOCK_SIZE && text[n]; n++)
		out[n] = text[n];
	for (out[n] = 0; n-- > 0;)
		if (out[n] == '/')
			out[n] = ':';
}

static void take_date(video_facts *v, const chunk *c)
{
	char date[CLOCK_SIZE];
	char *text = ims_fact_text(v->f, c->data, c->size);
	if (text && !read_clock(text, date))
		copy_date(text, date);
	if (text)
		ims_video_take(v, VIDEO_DATE, date, strlen(date));
	ims_free(text);
}

static video_value kind_of(const chunk *c)
{
	static const struct {
		const char *name;
		video_value kind;
	} names[] = {
		{ "INAM", VIDEO_TITLE },
		{ "ISBJ", VIDEO_DESCRIPTION },
		{ "ICRD", VIDEO_OTHER_DATE },
		{ "ecor", VIDEO_MAKE },
		{ "emdl", VIDEO_MODEL },
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (is(c, names[i].name))
			return names[i].kind;
	return VIDEO_NOTHING;
}

/* Texts have no encoding: UTF-8 where they are that, else Windows-1252. */
static void take_text(video_facts *v, video_value kind, const chunk *c)
{
	buf text = { 0 };
	char *plain = kind == VIDEO_NOTHING || !c->size ? NULL
													: ims_strndup((const char *)c->data, c->size);
	if (plain && ims_utf8_is_valid(plain))
		ims_buf_put(&text, plain, strlen(plain));
	else
		for (const char *at = plain; at && *at; at++)
			ims_fact_put_1252(&text, (uint8_t)*at);
	v->f->nomem |= text.failed;
	if (plain && !text.failed)
		ims_video_take(v, kind, text.data, text.len);
	ims_free(plain);
	ims_buf_free(&text);
}

void ims_facts_add_avi(facts *f, const void *data, size_t size)
{
	const uint8_t *at = data, *end = at + size;
	video_facts v = { .f = f, .from = "AVI IDIT" };
	chunk c;
	while (next_chunk(&at, end, &c))
		if (is(&c, "_PMX"))
			ims_facts_add_xmp(f, c.data, c.size, false);
	for (at = data; next_chunk(&at, end, &c);)
		if (is(&c, "IDIT"))
			take_date(&v, &c);
		else
			take_text(&v, kind_of(&c), &c);
	v.from = "AVI ICRD";
	ims_video_finish(&v);
}
