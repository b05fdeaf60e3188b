/*
 * The pattern is read as it is matched. A star remembers where to go on: what failed behind it is
 * tried again from one character further. Stars that do not cross a slash are forgotten at a star
 * that does, since that one accepts all that another choice before it could leave over.
 */
#include "files/wildcard.h"

#include "base/utf8.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { NO_TEXT = 0x110000 }; /* behind the code points: the bytes that are no UTF-8 */

/* The character at *at, which moves behind it; 0: the end, where it stays. */
static uint32_t next(const char **at, unsigned flags)
{
	uint32_t c = (unsigned char)**at;
	size_t n = c && flags & WILDCARD_UTF8 ? ims_utf8_read(*at, &c) : c != 0;
	if (c && !n) {
		c += NO_TEXT;
		n = 1;
	}
	*at += n;
	return c;
}

/* --------------------------------------------------------------------------------- classes ---- */

typedef struct span {
	unsigned char first, last;
} span;

static const struct {
	const char *name;
	span span[4];
} classes[] = {
	{ "alnum", { { '0', '9' }, { 'A', 'Z' }, { 'a', 'z' } } },
	{ "alpha", { { 'A', 'Z' }, { 'a', 'z' } } },
	{ "blank", { { ' ', ' ' }, { '\t', '\t' } } },
	{ "cntrl", { { 1, 31 }, { 127, 127 } } },
	{ "digit", { { '0', '9' } } },
	{ "graph", { { '!', '~' } } },
	{ "lower", { { 'a', 'z' } } },
	{ "print", { { ' ', '~' } } },
	{ "punct", { { '!', '/' }, { ':', '@' }, { '[', '`' }, { '{', '~' } } },
	{ "space", { { ' ', ' ' }, { '\t', '\n' }, { '\r', '\r' } } },
	{ "upper", { { 'A', 'Z' } } },
	{ "xdigit", { { '0', '9' }, { 'A', 'F' }, { 'a', 'f' } } },
};

/* Whether c is of a class by name, n bytes; -1: there is no such class. */
static int is_of(const char *name, size_t n, uint32_t c)
{
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
		if (strncmp(classes[i].name, name, n) || classes[i].name[n])
			continue;
		for (size_t k = 0; k < 4; k++)
			if (c && c >= classes[i].span[k].first && c <= classes[i].span[k].last)
				return 1;
		return 0;
	}
	return -1;
}

/* At "[:": the length of the name up to ":]"; -1: these are ordinary characters. */
static ptrdiff_t class_name(const char *at)
{
	const char *end = at[0] == '[' && at[1] == ':' ? strchr(at + 2, ']') : NULL;
	return end && end > at + 2 && end[-1] == ':' ? end - 1 - (at + 2) : -1;
}

/* A member, behind its backslash if there is one; 0: the pattern ends. */
static uint32_t member(const char **at, unsigned flags)
{
	*at += **at == '\\';
	return next(at, flags);
}

/*
 * Whether c is among the characters in brackets; *at, behind the opening one, moves behind the
 * closing one. -1: there is none, or a class that does not exist.
 */
static int in_brackets(const char **at, uint32_t c, unsigned flags)
{
	bool negated = **at == '!' || **at == '^', first = true, found = false;
	uint32_t from = 0;
	for (*at += negated; first || **at != ']'; first = false) {
		ptrdiff_t name = class_name(*at);
		if (name >= 0) {
			int of = is_of(*at + 2, (size_t)name, c);
			if (of < 0)
				return -1;
			found |= of;
			from = 0;
			*at += name + 4;
		} else if (**at == '-' && from && (*at)[1] && (*at)[1] != ']') {
			++*at;
			uint32_t to = member(at, flags);
			if (!to)
				return -1;
			found |= from <= c && c <= to;
			from = 0;
		} else {
			from = member(at, flags);
			if (!from)
				return -1;
			found |= from == c;
		}
	}
	++*at;
	return found != negated;
}

/* -------------------------------------------------------------------------------- matching ---- */

/* One character of the text against what stands for one in the pattern. Both move behind it. */
static bool matches_one(const char **p, const char **t, unsigned flags)
{
	bool slash = **t == '/' && flags & WILDCARD_PATH;
	uint32_t c = next(t, flags), wanted = next(p, flags);
	if (!c || !wanted)
		return false;
	if (wanted == '?')
		return !slash;
	if (wanted == '[') {
		const char *behind = *p;
		int found = in_brackets(&behind, c, flags);
		if (found >= 0)
			*p = behind;
		if (found >= 0 || !(flags & WILDCARD_UTF8))
			return found > 0 && !slash;
	}
	return c == (wanted == '\\' ? next(p, flags) : wanted);
}

/* Where to go on when what follows a star does not match. */
typedef struct star {
	const char *pattern; /* behind it; NULL: there was none */
	const char *text;
	bool folders; /* it ends with a slash */
} star;

/* Reads stars at *p. Whether they cross slashes. */
static bool read_stars(const char *begin, const char **p, unsigned flags, star *out, const char *t)
{
	const char *at = *p;
	*p += strspn(at, "*");
	const char *end = *p;
	bool twice = end - at > 1 && (at == begin || at[-1] == '/')
		&& (!*end || *end == '/' || (end[0] == '\\' && end[1] == '/'));
	bool folders = twice && *end == '/';
	*p += folders;
	*out = (star){ *p, t, folders };
	return twice || !(flags & WILDCARD_PATH);
}

/* Gives a star one character more, or one folder. False: it cannot have more. */
static bool extend(star *s, bool wide, const char **p, const char **t, unsigned flags)
{
	if (!s->pattern || !*s->text || (!wide && *s->text == '/'))
		return false;
	if (s->folders) {
		const char *slash = strchr(s->text, '/');
		if (!slash)
			return false;
		s->text = slash + 1;
	} else {
		next(&s->text, flags);
	}
	*p = s->pattern;
	*t = s->text;
	return true;
}

bool ims_wildcard_matches(const char *pattern, const char *text, unsigned flags)
{
	const char *p = pattern, *t = text;
	star narrow = { 0 }, wide = { 0 }, read;
	while (*p || *t) {
		if (*p == '*') {
			bool crosses = read_stars(pattern, &p, flags, &read, t);
			if (crosses)
				wide = read;
			narrow = crosses ? (star){ 0 } : read;
		} else if (!matches_one(&p, &t, flags) && !extend(&narrow, false, &p, &t, flags)) {
			narrow = (star){ 0 };
			if (!extend(&wide, true, &p, &t, flags))
				return false;
		}
	}
	return true;
}

unsigned long ims_wildcard_literal(const char *pattern)
{
	return strcspn(pattern, "*?[\\");
}
