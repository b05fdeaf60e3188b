/*
 * Drawn pages: shirts, screens, receipts and pages of text. A page has a layout and content, each
 * by its own seed: two pages of one layout and other content are what a person tells apart at once
 * and a coarse comparison does not.
 */
#ifndef IMS_TEST_PAGES_H
#define IMS_TEST_PAGES_H

#include "base/base.h"

#include <stdio.h>
#include <string.h>

typedef struct page {
	int width, height;
	uint8_t *rgb; /* the caller's: 3 * width * height */
} page;

enum { PAGE_WHITE = 0xffffff, PAGE_INK = 0x1e1e1e };

static inline void page_box(page *p, int x0, int y0, int x1, int y1, uint32_t colour)
{
	for (int y = y0 < 0 ? 0 : y0; y < y1 && y < p->height; y++)
		for (int x = x0 < 0 ? 0 : x0; x < x1 && x < p->width; x++)
			for (int c = 0; c < 3; c++)
				p->rgb[3 * (y * p->width + x) + c] = (uint8_t)(colour >> (16 - 8 * c));
}

static inline void page_clear(page *p, uint32_t colour)
{
	page_box(p, 0, 0, p->width, p->height, colour);
}

/* Digits, capitals, point and blank in 5 columns of 7 dots, the lowest bit on top. */
static inline const uint8_t *page_glyph(char c)
{
	static const uint8_t font[38][5] = {
		{ 0x3e, 0x51, 0x49, 0x45, 0x3e },
		{ 0x00, 0x42, 0x7f, 0x40, 0x00 },
		{ 0x42, 0x61, 0x51, 0x49, 0x46 },
		{ 0x21, 0x41, 0x45, 0x4b, 0x31 },
		{ 0x18, 0x14, 0x12, 0x7f, 0x10 },
		{ 0x27, 0x45, 0x45, 0x45, 0x39 },
		{ 0x3c, 0x4a, 0x49, 0x49, 0x30 },
		{ 0x01, 0x71, 0x09, 0x05, 0x03 },
		{ 0x36, 0x49, 0x49, 0x49, 0x36 },
		{ 0x06, 0x49, 0x49, 0x29, 0x1e },
		{ 0x7e, 0x11, 0x11, 0x11, 0x7e },
		{ 0x7f, 0x49, 0x49, 0x49, 0x36 },
		{ 0x3e, 0x41, 0x41, 0x41, 0x22 },
		{ 0x7f, 0x41, 0x41, 0x22, 0x1c },
		{ 0x7f, 0x49, 0x49, 0x49, 0x41 },
		{ 0x7f, 0x09, 0x09, 0x09, 0x01 },
		{ 0x3e, 0x41, 0x49, 0x49, 0x7a },
		{ 0x7f, 0x08, 0x08, 0x08, 0x7f },
		{ 0x00, 0x41, 0x7f, 0x41, 0x00 },
		{ 0x20, 0x40, 0x41, 0x3f, 0x01 },
		{ 0x7f, 0x08, 0x14, 0x22, 0x41 },
		{ 0x7f, 0x40, 0x40, 0x40, 0x40 },
		{ 0x7f, 0x02, 0x0c, 0x02, 0x7f },
		{ 0x7f, 0x04, 0x08, 0x10, 0x7f },
		{ 0x3e, 0x41, 0x41, 0x41, 0x3e },
		{ 0x7f, 0x09, 0x09, 0x09, 0x06 },
		{ 0x3e, 0x41, 0x51, 0x21, 0x5e },
		{ 0x7f, 0x09, 0x19, 0x29, 0x46 },
		{ 0x46, 0x49, 0x49, 0x49, 0x31 },
		{ 0x01, 0x01, 0x7f, 0x01, 0x01 },
		{ 0x3f, 0x40, 0x40, 0x40, 0x3f },
		{ 0x1f, 0x20, 0x40, 0x20, 0x1f },
		{ 0x3f, 0x40, 0x38, 0x40, 0x3f },
		{ 0x63, 0x14, 0x08, 0x14, 0x63 },
		{ 0x07, 0x08, 0x70, 0x08, 0x07 },
		{ 0x61, 0x51, 0x49, 0x45, 0x43 },
		{ 0x00, 0x60, 0x60, 0x00, 0x00 },
		{ 0x00, 0x00, 0x00, 0x00, 0x00 },
	};
	if (c >= '0' && c <= '9')
		return font[c - '0'];
	if (c >= 'A' && c <= 'Z')
		return font[10 + c - 'A'];
	return font[c == '.' ? 36 : 37];
}

/* One line of text, `size` pixels high. */
static inline void page_text(page *p, int x, int y, int size, const char *text, uint32_t colour)
{
	double dot = size / 7.0;
	for (; *text; text++, x += (int)(6 * dot + 0.5)) {
		const uint8_t *glyph = page_glyph(*text);
		for (int i = 0; i < 35; i++)
			if (glyph[i / 7] >> i % 7 & 1)
				page_box(p, x + (int)(i / 7 * dot), y + (int)(i % 7 * dot),
					x + (int)((i / 7 + 1) * dot + 0.5), y + (int)((i % 7 + 1) * dot + 0.5), colour);
	}
}

static inline int page_roll(uint64_t *random, int low, int high)
{
	return low + (int)(ims_random_unit(random) * (high - low + 1));
}

/* n digits or letters */
static inline void page_word(char *out, int n, bool digits, uint64_t *random)
{
	for (int i = 0; i < n; i++)
		out[i] = (char)(digits ? page_roll(random, '0', '9') : page_roll(random, 'A', 'Z'));
	out[n] = 0;
}

static inline void page_amount(char out[16], uint64_t *random)
{
	snprintf(out, 16, "%d.%02d", page_roll(random, 1, 999), page_roll(random, 0, 99));
}

/* A shirt on white: a body and two sleeves. */
static inline void page_shirt(page *p, uint32_t colour)
{
	int w = p->width, h = p->height;
	page_clear(p, PAGE_WHITE);
	page_box(p, w * 27 / 100, h * 14 / 100, w * 73 / 100, h * 92 / 100, colour);
	for (int i = 0; i < h * 20 / 100; i++) {
		page_box(p, w * 27 / 100 - i, h * 14 / 100 + i, w * 27 / 100, h * 14 / 100 + i + 1, colour);
		page_box(p, w * 73 / 100, h * 14 / 100 + i, w * 73 / 100 + i, h * 14 / 100 + i + 1, colour);
	}
	page_box(p, w * 43 / 100, h * 10 / 100, w * 57 / 100, h * 18 / 100, PAGE_WHITE);
}

/* The screen of a phone after a payment: payee, amount, date and reference differ. */
static inline void page_transfer(page *p, uint64_t layout, uint64_t content)
{
	static const char *const label[] = { "TO", "AMOUNT", "DATE", "REFERENCE" };
	int w = p->width, h = p->height, text = (w < h ? w : h) / page_roll(&layout, 22, 30);
	uint32_t colour = (uint32_t)ims_random(&layout) & 0x9f9f9f;
	char value[16];
	page_clear(p, 0xf4f6f8);
	page_box(p, 0, 0, w, h / 5, colour);
	page_box(p, w * 4 / 10, h * 4 / 100, w * 6 / 10, h * 12 / 100, PAGE_WHITE);
	page_text(p, w / 3, h * 15 / 100, text, "TRANSFER SENT", PAGE_WHITE);
	page_box(p, w / 20, h / 4, w * 19 / 20, h * 68 / 100, PAGE_WHITE);
	for (int i = 0; i < 4; i++) {
		int y = h * (29 + 10 * i) / 100;
		if (i == 1)
			page_amount(value, &content);
		else
			page_word(value, i == 3 ? 8 : 6, i >= 2, &content);
		page_text(p, w / 10, y, text * 8 / 10, label[i], 0x787878);
		page_text(p, w * 45 / 100, y, text, value, PAGE_INK);
		page_box(p, w / 10, y + h * 6 / 100, w * 9 / 10, y + h * 6 / 100 + 2, 0xdcdcdc);
	}
	page_box(p, w / 20, h * 86 / 100, w * 19 / 20, h * 94 / 100, colour);
	page_text(p, w * 45 / 100, h * 89 / 100, text, "DONE", PAGE_WHITE);
}

/* A receipt: the same things bought at other prices. */
static inline void page_receipt(page *p, uint64_t layout, uint64_t content)
{
	int w = p->width, h = p->height, lines = page_roll(&layout, 10, 20);
	int pitch = h * 8 / 10 / lines, text = pitch * 6 / 10 < w / 24 ? pitch * 6 / 10 : w / 24;
	char word[16];
	page_clear(p, 0xfcfcfa);
	page_text(p, w / 3, h / 30, h / 28, "MARKET", PAGE_INK);
	for (int i = 0; i <= lines; i++) {
		int y = h / 9 + i * pitch;
		page_word(word, page_roll(&layout, 4, 9), false, &layout);
		page_text(p, w / 16, y, text, i == lines ? "TOTAL" : word, PAGE_INK);
		page_amount(word, &content);
		page_text(p, w * 74 / 100, y, text, word, PAGE_INK);
	}
}

static inline void page_calculator(page *p, uint64_t layout, uint64_t content)
{
	int w = p->width, h = p->height;
	bool dark = layout & 1;
	uint32_t back = dark ? 0x141414 : 0xf0f0f0, ink = dark ? 0xf0f0f0 : 0x141414;
	char number[16];
	page_clear(p, back);
	page_word(number, page_roll(&layout, 4, 8), true, &content);
	page_text(p, w / 10, h * 14 / 100, h / 18, number, ink);
	for (int i = 0; i < 20; i++) {
		char key[2] = { "C00D789X456M123P0.0E"[i], 0 };
		int x = w * (5 + 24 * (i % 4)) / 100, y = h * (30 + 13 * (i / 4)) / 100;
		uint32_t face = i % 4 == 3 ? 0xff9600 : dark ? 0x464646 : 0xd2d2d2;
		page_box(p, x, y, x + w / 5, y + h / 9, face);
		page_text(p, x + w / 13, y + h / 28, h / 28, key, ink);
	}
}

static inline void page_form(page *p, uint64_t layout, uint64_t content)
{
	static const char *const label[] = { "NAME", "STREET", "TOWN", "PHONE", "BORN", "ACCOUNT" };
	int w = p->width, h = p->height, fields = page_roll(&layout, 6, 10);
	int text = h / fields / 4 < w / 30 ? h / fields / 4 : w / 30;
	char value[16];
	page_clear(p, PAGE_WHITE);
	page_box(p, 0, 0, w, h / 14, (uint32_t)ims_random(&layout) & 0xcfcfcf);
	for (int i = 0; i < fields; i++) {
		int y = h / 10 + i * h * 88 / 100 / fields;
		page_text(p, w / 20, y, text, label[page_roll(&layout, 0, 5)], 0x5a5a5a);
		page_box(p, w * 4 / 10, y - text / 2, w * 95 / 100, y + text * 2, 0x969696);
		page_box(p, w * 4 / 10 + 2, y - text / 2 + 2, w * 95 / 100 - 2, y + text * 2 - 2,
			PAGE_WHITE);
		page_word(value, page_roll(&content, 6, 12), i % 2, &content);
		page_text(p, w * 43 / 100, y, text, value, 0x0a0a3c);
	}
}

/* A page of text. */
static inline void page_of_text(page *p, uint64_t layout, uint64_t content)
{
	int w = p->width, h = p->height, lines = page_roll(&layout, 25, 45);
	int pitch = h * 8 / 10 / lines, text = pitch * 65 / 100;
	char word[16];
	page_clear(p, PAGE_WHITE);
	for (int i = 0; i < lines; i++)
		for (int x = w / 8; x < w * 8 / 10;) {
			int n = page_roll(&content, 2, 9);
			page_word(word, n, false, &content);
			page_text(p, x, h / 10 + i * pitch, text, word, 0);
			x += (int)((n + 1) * 6 * text / 7.0);
		}
}

#endif
