/*
 * What a video says of itself: boxes of QuickTime and MP4. The moov box has the values as items
 * with keys (Apple), as texts of user data (Android and others), and the time of creation in its
 * header, which is UTC.
 *
 * Sources: QuickTime File Format Specification; ISO 14496-12; ISO 6709 for positions.
 */
#include "base/reader.h"
#include "meta/meta.h"

#include <string.h>
#include <time.h>

typedef struct box {
	const uint8_t *data;
	size_t size;
	uint32_t type;
} box;

#define TYPE(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

/* The box at the beginning of `rest`, which moves behind it; false: there is no whole one. */
static bool next_box(box *rest, box *out)
{
	enum { HEAD = 8, LONG_HEAD = 16 };
	if (rest->size < HEAD)
		return false;
	uint64_t size = ims_big_endian(rest->data), head = HEAD;
	if (size == 1 && rest->size >= LONG_HEAD) {
		size = (uint64_t)ims_big_endian(rest->data + HEAD) << 32
			| ims_big_endian(rest->data + HEAD + 4);
		head = LONG_HEAD;
	} else if (!size) {
		size = rest->size;
	}
	if (size < head || size > rest->size)
		return false;
	*out = (box){ rest->data + head, (size_t)(size - head), ims_big_endian(rest->data + 4) };
	rest->data += size;
	rest->size -= (size_t)size;
	return true;
}

/* The first box of a type in another; false: there is none, and *out is empty. */
static bool find_box(const box *in, uint32_t type, box *out)
{
	box rest = *in;
	while (next_box(&rest, out))
		if (out->type == type)
			return true;
	*out = (box){ 0 };
	return false;
}

/* ---------------------------------------------------------------------------------- values ---- */

typedef struct video_facts {
	facts *f;
	char *make, *model;
} video_facts;

/* Degrees at *at, which moves behind them: a sign, at most `most` digits, a fraction. */
static bool take_degrees(const char **at, size_t most, double *out)
{
	char text[24];
	const char *from = *at + 1;
	if (**at != '+' && **at != '-')
		return false;
	size_t whole = strspn(from, "0123456789");
	size_t all = whole + (from[whole] == '.' ? 1 + strspn(from + whole + 1, "0123456789") : 0);
	if (!whole || whole > most || all + 2 > sizeof text)
		return false;
	memcpy(text, from, all);
	text[all] = 0;
	*at = from + all;
	bool negative = from[-1] == '-', read = ims_parse_number(text, out);
	*out = negative ? -*out : *out;
	return read;
}

/* "+48.1370+011.5750/": degrees; forms with minutes have more digits and are left out. */
static void set_position(facts *f, const char *text)
{
	double latitude = 0, longitude = 0;
	if (take_degrees(&text, 2, &latitude) && take_degrees(&text, 3, &longitude))
		ims_facts_set_position(f, latitude, longitude);
}

typedef enum video_value { DATE, PLACE, MAKE, MODEL, TITLE, DESCRIPTION, NO_VALUE } video_value;

static void take_text(video_facts *v, video_value kind, const uint8_t *data, size_t size)
{
	char *text = kind == NO_VALUE ? NULL : ims_fact_text(v->f, data, size);
	char **camera = kind == MAKE ? &v->make : kind == MODEL ? &v->model : NULL;
	if (camera && !*camera) {
		*camera = text;
		return;
	}
	if (text && kind == DATE)
		ims_facts_set_date(v->f, text, NULL, "QuickTime creationdate");
	else if (text && kind == PLACE)
		set_position(v->f, text);
	if (kind == TITLE || kind == DESCRIPTION)
		ims_facts_set(v->f, kind == TITLE ? FACT_TITLE : FACT_DESCRIPTION, text);
	else
		ims_free(text);
}

/* The text of an item: in a box "data", behind its type and its language. */
static void take_item(video_facts *v, video_value kind, const box *item)
{
	enum { HEAD = 8 };
	box data;
	if (find_box(item, TYPE('d', 'a', 't', 'a'), &data) && data.size > HEAD)
		take_text(v, kind, data.data + HEAD, data.size - HEAD);
}

/* ------------------------------------------------------------------------- items with keys ---- */

static video_value kind_of_key(const uint8_t *key, size_t size)
{
	static const char lead[] = "com.apple.quicktime.";
	static const struct {
		const char *name;
		video_value kind;
	} keys[] = {
		{ "creationdate", DATE },
		{ "location.ISO6709", PLACE },
		{ "make", MAKE },
		{ "model", MODEL },
		{ "title", TITLE },
		{ "description", DESCRIPTION },
	};
	size_t n = sizeof lead - 1;
	for (size_t i = 0; size > n && !memcmp(key, lead, n) && i < sizeof keys / sizeof *keys; i++)
		if (size - n == strlen(keys[i].name) && !memcmp(key + n, keys[i].name, size - n))
			return keys[i].kind;
	return NO_VALUE;
}

/* Boxes without types: their places in the list of keys count, from 1 on. */
static void take_keyed(video_facts *v, const box *keys, const box *items)
{
	enum { HEAD = 8, MOST = 64 };
	video_value kinds[MOST + 1];
	uint32_t n = 0;
	box rest = { keys->data + HEAD, keys->size < HEAD ? 0 : keys->size - HEAD, 0 }, one;
	while (n < MOST && next_box(&rest, &one))
		kinds[++n] = kind_of_key(one.data, one.size);
	rest = *items;
	while (next_box(&rest, &one))
		if (one.type && one.type <= n)
			take_item(v, kinds[one.type], &one);
}

/* In MP4 the box has a version, in QuickTime it has none. */
static void take_meta(video_facts *v, const box *meta)
{
	enum { VERSION = 4 };
	box keys, items;
	for (size_t skip = 0; skip <= VERSION && skip <= meta->size; skip += VERSION) {
		const box in = { meta->data + skip, meta->size - skip, 0 };
		if (find_box(&in, TYPE('k', 'e', 'y', 's'), &keys)
			&& find_box(&in, TYPE('i', 'l', 's', 't'), &items)) {
			take_keyed(v, &keys, &items);
			return;
		}
	}
}

/* ------------------------------------------------------------------------------- user data ---- */

static video_value kind_of_type(uint32_t type)
{
	switch (type) {
	case TYPE(0xA9, 'd', 'a', 'y'):
		return DATE;
	case TYPE(0xA9, 'x', 'y', 'z'):
		return PLACE;
	case TYPE(0xA9, 'm', 'a', 'k'):
		return MAKE;
	case TYPE(0xA9, 'm', 'o', 'd'):
		return MODEL;
	case TYPE(0xA9, 'n', 'a', 'm'):
		return TITLE;
	case TYPE(0xA9, 'd', 'e', 's'):
		return DESCRIPTION;
	default:
		return NO_VALUE;
	}
}

/* Texts with their length and language before them. */
static void take_user_data(video_facts *v, const box *data)
{
	enum { HEAD = 4 };
	box rest = *data, one;
	while (next_box(&rest, &one)) {
		if (one.size < HEAD)
			continue;
		size_t size = (size_t)one.data[0] << 8 | one.data[1];
		if (size <= one.size - HEAD)
			take_text(v, kind_of_type(one.type), one.data + HEAD, size);
	}
}

/* ---------------------------------------------------------------------------------- header ---- */

/* The time of creation, in UTC. Writers without a clock have 0, or a time before 1970. */
static void take_header(facts *f, const box *header)
{
	const uint64_t to_1970 = 2082844800, most = to_1970 + 253402300799;
	enum { LEAST = 12 };
	char text[40];
	struct tm t;
	if (header->size < LEAST)
		return;
	const uint8_t *at = header->data + 4;
	uint64_t seconds = header->data[0] == 1
		? (uint64_t)ims_big_endian(at) << 32 | ims_big_endian(at + 4)
		: ims_big_endian(at);
	time_t clock = (time_t)(seconds - to_1970);
	if (seconds <= to_1970 || seconds > most || !gmtime_r(&clock, &t))
		return;
	ims_print(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", t.tm_year + 1900, t.tm_mon + 1,
		t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
	ims_facts_set_date(f, text, "Z", "QuickTime mvhd (UTC)");
}

/* XMP: a box of its own in the file, as in MP4, or in the user data, as in QuickTime. */
static void take_xmp(facts *f, const box *file, const box *user_data)
{
	static const uint8_t id[] = { 0xBE, 0x7A, 0xCF, 0xCB, 0x97, 0xA9, 0x42, 0xE8, 0x9C, 0x71, 0x99,
		0x94, 0x91, 0xE3, 0xAF, 0xAC };
	box rest = *file, one;
	while (next_box(&rest, &one))
		if (one.type == TYPE('u', 'u', 'i', 'd') && one.size > sizeof id
			&& !memcmp(one.data, id, sizeof id))
			ims_facts_add_xmp(f, one.data + sizeof id, one.size - sizeof id, false);
	if (find_box(user_data, TYPE('X', 'M', 'P', '_'), &one))
		ims_facts_add_xmp(f, one.data, one.size, false);
}

void ims_facts_add_quicktime(facts *f, const void *data, size_t size)
{
	const box file = { data, size, 0 };
	box movie = { 0 }, user_data = { 0 }, part;
	video_facts v = { .f = f };
	if (find_box(&file, TYPE('m', 'o', 'o', 'v'), &movie))
		find_box(&movie, TYPE('u', 'd', 't', 'a'), &user_data);
	take_xmp(f, &file, &user_data);
	if (find_box(&movie, TYPE('m', 'e', 't', 'a'), &part))
		take_meta(&v, &part);
	take_user_data(&v, &user_data);
	ims_fact_set_camera(f, v.make, v.model);
	ims_free(v.make);
	ims_free(v.model);
	if (find_box(&movie, TYPE('m', 'v', 'h', 'd'), &part))
		take_header(f, &part);
}
