#include "words/split.h"

#include "words/unicode.h"

#include <string.h>

static char small(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* The bytes of an English ending with its apostrophe; 0: none. In any case a long s is one too. */
static size_t ending_at(const char *p, bool any_case)
{
	static const char *const endings[] = { "s", "t", "re", "ve", "m", "ll", "d" };
	static const char long_s[] = "\u017f";
	if (*p != '\'')
		return 0;
	if (any_case && !strncmp(p + 1, long_s, strlen(long_s)))
		return 1 + strlen(long_s);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		size_t n = 0;
		while (endings[i][n] && (any_case ? small(p[1 + n]) : p[1 + n]) == endings[i][n])
			n++;
		if (!endings[i][n])
			return 1 + n;
	}
	return 0;
}

size_t ims_word_next(const char **p, bool any_case)
{
	uint32_t c;
	letter_kind kind = LETTER_SPACE;
	const char *at = *p, *end = at;
	while (*at && kind == LETTER_SPACE) {
		end = ims_unicode_next(at, &c);
		kind = ims_unicode_kind(c);
		at = kind == LETTER_SPACE ? end : at;
	}
	*p = at;
	if (!*at)
		return 0;
	size_t ending = ending_at(at, any_case);
	if (ending)
		return ending;
	if (kind == LETTER_NUMBER)
		return (size_t)(end - at);
	for (const char *next; *end; end = next) {
		next = ims_unicode_next(end, &c);
		if (ims_unicode_kind(c) != kind)
			break;
	}
	return (size_t)(end - at);
}
