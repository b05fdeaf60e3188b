/* The entities that XML itself has, and characters by their numbers. W3C XML 1.0. */
#include "meta/xml.h"

/* Appends the character of a number, "#x41" or "#65", as UTF-8. */
static bool put_numbered(buf *out, span s)
{
	uint32_t c = 0;
	bool hex = s.n > 1 && (s.at[1] == 'x' || s.at[1] == 'X');
	for (size_t i = hex ? 2 : 1; i < s.n && c < 0x110000; i++) {
		int digit = ims_hex_digit(s.at[i]);
		if (digit < 0 || (!hex && digit > 9))
			return false;
		c = c * (hex ? 16 : 10) + (uint32_t)digit;
	}
	if (!c || c >= 0x110000)
		return false;
	for (int shift = c < 0x80 ? 0
			 : c < 0x800      ? 6
			 : c < 0x10000    ? 12
							  : 18,
			 first = shift;
		 shift >= 0; shift -= 6) {
		static const uint8_t lead[] = { 0, 0xc0, 0xe0, 0xf0 };
		uint32_t bits = c >> shift;
		ims_buf_u8(out, (uint8_t)(shift == first ? lead[first / 6] | bits : 0x80 | (bits & 0x3f)));
	}
	return true;
}

static bool put_entity(buf *out, span s)
{
	static const struct {
		const char *name;
		char c;
	} known[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' } };
	if (s.n && *s.at == '#')
		return put_numbered(out, s);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (ims_span_is(s, known[i].name)) {
			ims_buf_u8(out, (uint8_t)known[i].c);
			return true;
		}
	return false;
}

bool ims_xml_put_text(buf *out, span s)
{
	enum { LONGEST = 12 };
	bool good = true;
	for (size_t i = 0; good && i < s.n && out->len < IMS_XML_TEXT_MAX;) {
		const char *amp = memchr(s.at + i, '&', s.n - i);
		size_t plain = amp ? (size_t)(amp - s.at) - i : s.n - i;
		ims_buf_put(out, s.at + i, plain);
		i += plain;
		if (!amp)
			break;
		size_t left = s.n - i;
		const char *semicolon = memchr(amp, ';', left < LONGEST ? left : LONGEST);
		good = semicolon && put_entity(out, (span){ amp + 1, (size_t)(semicolon - amp) - 1 });
		i += semicolon ? (size_t)(semicolon - amp) + 1 : 0;
	}
	return good;
}
