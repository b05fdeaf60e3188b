/* Simple case folding of the letters that have a regular place in Unicode. */
#include "base/fold.h"

#include "base/utf8.h"

#include <string.h>

text_span ims_span(const char *text)
{
	return (text_span){ text, text + strlen(text) };
}

static uint32_t fold_latin_extended(uint32_t c)
{
	if (c == 0x130)
		return 'i';
	if (c == 0x178)
		return 0xff;
	bool odd_is_upper = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e);
	bool upper = odd_is_upper ? c & 1 : !(c & 1);
	bool letter = c != 0x131 && c != 0x138 && c != 0x149 && c != 0x17f;
	return letter && upper ? c + 1 : c;
}

static uint32_t fold_greek(uint32_t c)
{
	if (c >= 0x391 && c <= 0x3ab && c != 0x3a2)
		return c + 32;
	if (c >= 0x388 && c <= 0x38a)
		return c + 37;
	switch (c) {
	case 0x386:
		return 0x3ac;
	case 0x38c:
		return 0x3cc;
	case 0x38e:
	case 0x38f:
		return c + 63;
	case 0x3c2: /* sigma at the end of a word */
		return 0x3c3;
	default:
		return c;
	}
}

static uint32_t fold(uint32_t c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 32 : c;
	if (c < 0x100)
		return c >= 0xc0 && c <= 0xde && c != 0xd7 ? c + 32 : c;
	if (c < 0x180)
		return fold_latin_extended(c);
	if (c >= 0x370 && c < 0x400)
		return fold_greek(c);
	if (c >= 0x400 && c <= 0x42f)
		return c < 0x410 ? c + 80 : c + 32;
	return c == 0x1e9e ? 0xdf : c;
}

/* The next character, folded; 0: the end. */
static uint32_t next(text_span *s)
{
	uint32_t c = 0;
	if (s->at >= s->end)
		return 0;
	size_t n = ims_utf8_read(s->at, &c);
	if (!n || n > (size_t)(s->end - s->at)) {
		c = 0xdc00 + (unsigned char)*s->at;
		n = 1;
	}
	s->at += n;
	return fold(c);
}

int ims_fold_compare(text_span a, text_span b)
{
	for (;;) {
		uint32_t x = next(&a), y = next(&b);
		if (x != y)
			return x < y ? -1 : 1;
		if (!x)
			return 0;
	}
}

static bool begins(text_span text, text_span part)
{
	while (part.at < part.end)
		if (next(&text) != next(&part))
			return false;
	return true;
}

bool ims_fold_contains(text_span text, text_span part)
{
	while (!begins(text, part)) {
		if (text.at >= text.end)
			return false;
		next(&text);
	}
	return true;
}
