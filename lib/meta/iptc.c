/*
 * IPTC: a list of records, each with a number of its set and of its kind. IPTC-NAA Information
 * Interchange Model 4.2. Writers of other encodings than UTF-8 do not say, as a rule, which one it
 * is. What is not UTF-8 is read as Windows-1252, which holds Latin-1, unless the block says that it
 * is UTF-8.
 */
#include "base/utf8.h"
#include "meta/meta.h"

#include <string.h>

enum {
	SET_ENVELOPE = 1,
	KIND_CHARACTERS = 90, /* of the envelope: the encoding */
	SET = 2,
	KIND_TITLE = 5,
	KIND_KEYWORD = 25,
	KIND_DATE = 55,
	KIND_TIME = 60,
	KIND_DESCRIPTION = 120,
};

typedef struct record {
	int set, kind;
	const uint8_t *data;
	size_t size;
} record;

/* The record at *at, which moves behind it; false: there is no whole one. */
static bool next_record(const uint8_t **at, const uint8_t *end, record *out)
{
	enum { MARK = 0x1C, HEAD = 5, LONG_SIZE = 0x8000 };
	if (end - *at < HEAD || **at != MARK)
		return false;
	const uint8_t *head = *at;
	*out = (record){ head[1], head[2], head + HEAD, (size_t)head[3] << 8 | head[4] };
	if (out->size >= LONG_SIZE || out->size > (size_t)(end - out->data))
		return false;
	*at = out->data + out->size;
	return true;
}

/* "20240503" and "140509+0200" as one date. */
static void set_date(facts *f, const char *day, const char *time)
{
	char text[48];
	if (strlen(day) != 8 || strspn(day, "0123456789") != 8)
		return;
	int n = ims_print(text, sizeof text, "%.4s-%.2s-%.2s", day, day + 4, day + 6);
	if (strlen(time) >= 6 && strspn(time, "0123456789") == 6)
		ims_print(text + n, sizeof text - (size_t)n, "T%.2s:%.2s:%.2s%.6s", time, time + 2,
			time + 4, time + 6);
	ims_facts_set_date(f, text, NULL, "IPTC DateCreated");
}

static void take_copy(char *to, size_t room, const record *r)
{
	size_t n = r->size < room ? r->size : room - 1;
	memcpy(to, r->data, n);
	to[n] = 0;
}

/* Whether the escape sequence of UTF-8 stands in the envelope. */
static bool says_utf8(const record *r)
{
	static const char escape[] = "\x1B%G";
	return r->set == SET_ENVELOPE && r->kind == KIND_CHARACTERS && r->size >= sizeof escape - 1
		&& !memcmp(r->data, escape, sizeof escape - 1);
}

/* The bytes of a text that are whole characters of UTF-8; *more: ASCII is not all they are. */
static size_t utf8_size(const char *text, bool *more)
{
	size_t n = 0, step;
	uint32_t c;
	*more = false;
	while (text[n] && (step = ims_utf8_read(text + n, &c))) {
		n += step;
		*more |= step > 1;
	}
	return n;
}

/*
 * Makes the text of a record UTF-8, in *text, where it is none and the block does not say so. A
 * text that was cut off at the length which the format allows may end within a character.
 */
static void decode(facts *f, record *r, bool utf8, buf *text)
{
	enum { PART = 3 };
	bool more;
	char *plain = ims_strndup((const char *)r->data, r->size);
	f->nomem |= !plain;
	size_t all = plain ? strlen(plain) : 0, whole = plain ? utf8_size(plain, &more) : 0;
	ims_free(plain);
	if (whole == all)
		return;
	if (utf8 || (more && all - whole <= PART)) {
		r->size = all - whole <= PART ? whole : 0;
		return;
	}
	text->len = 0;
	for (size_t i = 0; i < all; i++)
		ims_fact_put_1252(text, r->data[i]);
	f->nomem |= text->failed;
	r->data = text->data;
	r->size = text->failed ? 0 : text->len;
}

void ims_facts_add_iptc(facts *f, const void *data, size_t size)
{
	bool utf8 = false;
	buf text = { 0 };
	const uint8_t *at = data, *end = at + size;
	char day[16] = "", time[16] = "", *keywords = NULL, *title = NULL, *description = NULL;
	record r;
	while (size && next_record(&at, end, &r)) {
		utf8 |= says_utf8(&r);
		if (r.set != SET)
			continue;
		decode(f, &r, utf8, &text);
		if (r.kind == KIND_KEYWORD)
			ims_fact_add_keyword(f, &keywords, r.data, r.size);
		else if (r.kind == KIND_TITLE && !title)
			title = ims_fact_text(f, r.data, r.size);
		else if (r.kind == KIND_DESCRIPTION && !description)
			description = ims_fact_text(f, r.data, r.size);
		else if (r.kind == KIND_DATE && !*day)
			take_copy(day, sizeof day, &r);
		else if (r.kind == KIND_TIME && !*time)
			take_copy(time, sizeof time, &r);
	}
	ims_buf_free(&text);
	set_date(f, day, time);
	ims_facts_set(f, FACT_KEYWORDS, keywords);
	ims_facts_set(f, FACT_TITLE, title);
	ims_facts_set(f, FACT_DESCRIPTION, description);
}
