/* One code point at a time. */
#include "base/utf8.h"

/* The bytes of the code point at *p, 1 to 4; 0: malformed. */
static size_t length(const unsigned char *p)
{
	size_t n = *p < 0x80          ? 1
		: *p >= 0xc2 && *p < 0xe0 ? 2
		: *p >= 0xe0 && *p < 0xf0 ? 3
		: *p >= 0xf0 && *p < 0xf5 ? 4
								  : 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] >= 0xa0) /* overlong; surrogates */
		|| (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] >= 0x90))
		return 0;
	return n;
}

size_t ims_utf8_read(const char *text, uint32_t *c)
{
	static const uint8_t lead[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	const unsigned char *p = (const unsigned char *)text;
	size_t n = length(p);
	if (n)
		*c = p[0] & lead[n];
	for (size_t i = 1; i < n; i++)
		*c = *c << 6 | (p[i] & 0x3f);
	return n;
}

bool ims_utf8_is_valid(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	while (*p) {
		size_t n = length(p);
		if (!n)
			return false;
		p += n;
	}
	return true;
}

size_t ims_utf8_write(uint32_t c, char out[4])
{
	static const uint8_t lead[] = { 0, 0xc0, 0xe0, 0xf0 };
	size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	out[0] = (char)(lead[more] | c >> (6 * more));
	for (size_t i = 1; i <= more; i++)
		out[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3f));
	return more + 1;
}
