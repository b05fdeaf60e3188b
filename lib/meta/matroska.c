/*
 * What a video in Matroska or WebM says of itself: the segment's information has a title and the
 * time of its making, which is UTC; tags have the rest, by name.
 *
 * Elements of the file lie one behind another: an id, a size, the content. Those of the segment are
 * looked at in one walk, whatever holds them, since recorders leave sizes of segments and clusters
 * unknown. Sources: RFC 8794 (EBML), RFC 9559 (Matroska).
 */
#include "meta/video.h"

#include <string.h>

typedef struct element {
	const uint8_t *data;
	size_t size;
	uint32_t id;
	bool unknown; /* its size is: it goes on to the end of what holds it */
} element;

/* The number at *at, with its marker or without, which moves behind it; false: it is none. */
static bool take_number(element *rest, size_t most, bool marker, uint64_t *out, bool *unknown)
{
	if (!rest->size || !rest->data[0])
		return false;
	size_t n = 1;
	for (uint8_t bit = 0x80; !(rest->data[0] & bit); bit >>= 1)
		n++;
	if (n > most || n > rest->size)
		return false;
	uint64_t value = rest->data[0], all = (uint64_t)1 << 7 * n;
	for (size_t i = 1; i < n; i++)
		value = value << 8 | rest->data[i];
	*unknown = (value & (all - 1)) == all - 1;
	*out = marker ? value : value & (all - 1);
	rest->data += n;
	rest->size -= n;
	return true;
}

/* The element at the beginning of `rest`, which moves to its content; false: there is none. */
static bool open_element(element *rest, element *out)
{
	uint64_t id = 0, size = 0;
	bool unknown = false;
	if (!take_number(rest, 4, true, &id, &unknown) || !take_number(rest, 8, false, &size, &unknown))
		return false;
	bool more = unknown || size > rest->size;
	*out = (element){ rest->data, more ? rest->size : (size_t)size, (uint32_t)id, unknown };
	return unknown || !more || id == 0x18538067; /* a segment may be cut off */
}

/* The next element, behind which `rest` moves. */
static bool next_element(element *rest, element *out)
{
	if (!open_element(rest, out))
		return false;
	rest->data += out->size;
	rest->size -= out->size;
	return true;
}

/* Whether the tag is of the whole file: it has no target, or targets without an id. */
static bool is_global(const element *targets)
{
	enum { TRACK = 0x63C5, EDITION = 0x63C9, CHAPTER = 0x63C4, ATTACHMENT = 0x63C6 };
	element rest = *targets, one;
	while (next_element(&rest, &one)) {
		bool names = one.id == TRACK || one.id == EDITION || one.id == CHAPTER
			|| one.id == ATTACHMENT;
		for (size_t i = 0; names && i < one.size; i++)
			if (one.data[i])
				return false;
	}
	return true;
}

/* A name and its text. */
static void take_simple_tag(video_facts *v, const element *tag)
{
	enum { NAME = 0x45A3, TEXT = 0x4487 };
	element rest = *tag, one, name = { 0 }, text = { 0 };
	while (next_element(&rest, &one))
		if (one.id == NAME)
			name = one;
		else if (one.id == TEXT)
			text = one;
	ims_video_take(v, ims_video_tag(name.data, name.size), text.data, text.size);
}

static void take_tags(video_facts *v, const element *tags)
{
	enum { TAG = 0x7373, TARGETS = 0x63C0, SIMPLE_TAG = 0x67C8 };
	element rest = *tags, tag, one;
	while (next_element(&rest, &tag)) {
		bool global = tag.id == TAG;
		for (element in = tag; global && next_element(&in, &one);)
			if (one.id == TARGETS)
				global = is_global(&one);
			else if (one.id == SIMPLE_TAG)
				take_simple_tag(v, &one);
	}
}

/* Nanoseconds from 2001 on. */
static void take_clock(const element *date, int64_t *seconds)
{
	const int64_t to_2001 = 978307200;
	uint64_t bits = 0;
	if (date->size != 8)
		return;
	for (size_t i = 0; i < date->size; i++)
		bits = bits << 8 | date->data[i];
	int64_t nanoseconds;
	memcpy(&nanoseconds, &bits, sizeof bits);
	*seconds = nanoseconds / 1000000000 + to_2001;
}

static void take_information(video_facts *v, const element *information, int64_t *seconds)
{
	enum { TITLE = 0x7BA9, DATE = 0x4461 };
	element rest = *information, one;
	while (next_element(&rest, &one))
		if (one.id == TITLE)
			ims_video_take(v, VIDEO_TITLE, one.data, one.size);
		else if (one.id == DATE)
			take_clock(&one, seconds);
}

void ims_facts_add_matroska(facts *f, const void *data, size_t size)
{
	enum { SEGMENT = 0x18538067, INFORMATION = 0x1549A966, TAGS = 0x1254C367 };
	element rest = { data, size, 0, false }, one;
	video_facts v = { .f = f, .from = "Matroska tag" };
	int64_t seconds = 0;
	while (open_element(&rest, &one)) {
		if (one.id == SEGMENT || one.unknown)
			continue; /* what it holds is next */
		if (one.id == INFORMATION)
			take_information(&v, &one, &seconds);
		else if (one.id == TAGS)
			take_tags(&v, &one);
		rest.data += one.size;
		rest.size -= one.size;
	}
	ims_video_finish(&v);
	ims_video_set_clock(f, seconds, "Matroska DateUTC (UTC)");
}
