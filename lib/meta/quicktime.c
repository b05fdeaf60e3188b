/*
 * What a video says of itself: boxes of QuickTime and MP4. The moov box has the values as items
 * with keys (Apple) or types (iTunes), as texts of user data (Android and others), and the time of
 * creation in its header, which is UTC.
 *
 * Sources: QuickTime File Format Specification; ISO 14496-12; 3GPP TS 26.244 for loci.
 */
#include "base/reader.h"
#include "meta/video.h"

#include <string.h>

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

/* ----------------------------------------------------------------------------------- items ---- */

static video_value kind_of_type(uint32_t type)
{
	switch (type) {
	case TYPE(0xA9, 'd', 'a', 'y'):
		return VIDEO_DATE;
	case TYPE(0xA9, 'x', 'y', 'z'):
		return VIDEO_PLACE;
	case TYPE(0xA9, 'm', 'a', 'k'):
		return VIDEO_MAKE;
	case TYPE(0xA9, 'm', 'o', 'd'):
		return VIDEO_MODEL;
	case TYPE(0xA9, 'n', 'a', 'm'):
	case TYPE('t', 'i', 't', 'l'):
		return VIDEO_TITLE;
	case TYPE(0xA9, 'd', 'e', 's'):
	case TYPE('d', 'e', 's', 'c'):
	case TYPE('d', 's', 'c', 'p'):
		return VIDEO_DESCRIPTION;
	default:
		return VIDEO_NOTHING;
	}
}

/* The text of an item: in a box "data", behind its type and its language. */
static void take_item(video_facts *v, video_value kind, const box *item)
{
	enum { HEAD = 8 };
	box data;
	if (find_box(item, TYPE('d', 'a', 't', 'a'), &data) && data.size > HEAD)
		ims_video_take(v, kind, data.data + HEAD, data.size - HEAD);
}

/* Boxes without types: their places in the list of keys count, from 1 on. */
static void take_keyed(video_facts *v, const box *keys, const box *items)
{
	enum { HEAD = 8, MOST = 64 };
	video_value kinds[MOST + 1];
	uint32_t n = 0;
	box rest = { keys->data + HEAD, keys->size < HEAD ? 0 : keys->size - HEAD, 0 }, one;
	while (n < MOST && next_box(&rest, &one))
		kinds[++n] = ims_video_tag(one.data, one.size);
	rest = *items;
	while (next_box(&rest, &one))
		if (one.type && one.type <= n)
			take_item(v, kinds[one.type], &one);
}

/* Boxes whose types say what they are, as iTunes and ffmpeg write them. */
static void take_typed(video_facts *v, const box *items)
{
	box rest = *items, one;
	while (next_box(&rest, &one))
		take_item(v, kind_of_type(one.type), &one);
}

/* In MP4 the box has a version, in QuickTime it has none. */
static void take_meta(video_facts *v, const box *meta)
{
	enum { VERSION = 4 };
	box keys, items;
	for (size_t skip = 0; skip <= VERSION && skip <= meta->size; skip += VERSION) {
		const box in = { meta->data + skip, meta->size - skip, 0 };
		if (!find_box(&in, TYPE('i', 'l', 's', 't'), &items))
			continue;
		if (find_box(&in, TYPE('k', 'e', 'y', 's'), &keys))
			take_keyed(v, &keys, &items);
		else
			take_typed(v, &items);
		return;
	}
}

/* ------------------------------------------------------------------------------- user data ---- */

/* A place: version, language, a name, its role, then degrees with 16 binary digits behind them. */
static void take_place(facts *f, const box *place)
{
	enum { NAME = 6, ROLE = 1, NUMBERS = 8 };
	size_t at = NAME < place->size ? NAME : place->size;
	while (at < place->size && place->data[at])
		at++;
	at += 1 + ROLE;
	if (at > place->size || place->size - at < NUMBERS)
		return;
	double east = (double)(int32_t)ims_big_endian(place->data + at) / 65536;
	double north = (double)(int32_t)ims_big_endian(place->data + at + 4) / 65536;
	ims_facts_set_position(f, north, east);
}

/* A text: in QuickTime with length and language before it, in 3GPP with version and language. */
static void take_user_text(video_facts *v, const box *text)
{
	enum { HEAD = 4, MOBILE_HEAD = 6 };
	bool mobile = text->type >> 24 != 0xA9;
	if (text->size < (mobile ? MOBILE_HEAD : HEAD))
		return;
	size_t size = (size_t)text->data[0] << 8 | text->data[1];
	video_value kind = kind_of_type(text->type);
	if (mobile)
		ims_video_take(v, kind, text->data + MOBILE_HEAD, text->size - MOBILE_HEAD);
	else if (size <= text->size - HEAD)
		ims_video_take(v, kind, text->data + HEAD, size);
}

static void take_user_data(video_facts *v, const box *data)
{
	box rest = *data, one;
	while (next_box(&rest, &one))
		if (one.type == TYPE('l', 'o', 'c', 'i'))
			take_place(v->f, &one);
		else
			take_user_text(v, &one);
}

/* ---------------------------------------------------------------------------------- header ---- */

/* The time of creation, in UTC. Writers without a clock have 0, or a time before 1970. */
static void take_header(facts *f, const box *header)
{
	const int64_t to_1970 = 2082844800;
	enum { LEAST = 12 };
	if (header->size < LEAST)
		return;
	const uint8_t *at = header->data + 4;
	uint64_t seconds = header->data[0] == 1
		? (uint64_t)ims_big_endian(at) << 32 | ims_big_endian(at + 4)
		: ims_big_endian(at);
	if (seconds < INT64_MAX)
		ims_video_set_clock(f, (int64_t)seconds - to_1970, "QuickTime mvhd (UTC)");
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
	video_facts v = { .f = f, .from = "QuickTime creationdate" };
	if (find_box(&file, TYPE('m', 'o', 'o', 'v'), &movie))
		find_box(&movie, TYPE('u', 'd', 't', 'a'), &user_data);
	take_xmp(f, &file, &user_data);
	if (find_box(&movie, TYPE('m', 'e', 't', 'a'), &part))
		take_meta(&v, &part);
	take_user_data(&v, &user_data);
	if (find_box(&user_data, TYPE('m', 'e', 't', 'a'), &part))
		take_meta(&v, &part);
	ims_video_finish(&v);
	if (find_box(&movie, TYPE('m', 'v', 'h', 'd'), &part))
		take_header(f, &part);
}
