/* newlocale of "C" allocates nothing where the C library has that locale built in. */
#include "base/c_locale.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct locale_switch {
	locale_t c, before;
} locale_switch;

static locale_switch begin(void)
{
	int number = errno;
	locale_switch s = { .c = newlocale(LC_ALL_MASK, "C", (locale_t)0) };
	s.before = s.c ? uselocale(s.c) : (locale_t)0;
	errno = number;
	return s;
}

static void end(locale_switch s)
{
	if (s.before)
		uselocale(s.before);
	if (s.c)
		freelocale(s.c);
}

int ims_vprint(char *out, size_t size, const char *format, va_list args)
{
	locale_switch s = begin();
	int n = vsnprintf(out, size, format, args);
	end(s);
	return n;
}

int ims_print(char *out, size_t size, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = ims_vprint(out, size, format, args);
	va_end(args);
	return n;
}

float ims_parse_f32(const char *text, char **stop)
{
	locale_switch s = begin();
	float v = strtof(text, stop);
	end(s);
	return v;
}

bool ims_parse_number(const char *text, double *out)
{
	char *stop;
	text += strspn(text, " \t");
	size_t n = strspn(text, "+-.0123456789eE");
	if (!n || strspn(text + n, " \t\r\n") != strlen(text + n))
		return false;
	locale_switch s = begin();
	double v = strtod(text, &stop);
	end(s);
	*out = v;
	return stop == text + n && isfinite(v);
}

bool ims_same_letters(const char *a, const char *b, size_t n)
{
	locale_switch s = begin();
	bool same = !strncasecmp(a, b, n);
	end(s);
	return same;
}

int ims_hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0'
		: c >= 'a' && c <= 'f'  ? c - 'a' + 10
		: c >= 'A' && c <= 'F'  ? c - 'A' + 10
								: -1;
}

int ims_text_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

const char *ims_errno_text(int number)
{
	locale_switch s = begin();
	const char *text = strerror(number);
	end(s);
	return text;
}
