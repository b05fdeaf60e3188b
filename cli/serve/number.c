#include "cli/serve/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Neither white space, "+", "0x1" nor "nan", all of which strtod takes. The command sets no locale.
 */
static bool is_plain(const char *text, const char *letters)
{
	const char *first = text && *text == '-' ? text + 1 : text;
	return first && *first >= '0' && *first <= '9' && strspn(first, letters) == strlen(first);
}

bool number_whole(const char *name, const char *text, int64_t min, int64_t max, int64_t *out,
	char *why, size_t room)
{
	errno = 0;
	int64_t v = is_plain(text, "0123456789") ? strtoll(text, NULL, 10) : (errno = EINVAL);
	if (!errno && v >= min && v <= max) {
		*out = v;
		return true;
	}
	snprintf(why, room, "%s: a whole number from %lld to %lld is needed", name, (long long)min,
		(long long)max);
	return false;
}

bool number_real(const char *name, const char *text, double min, double max, double *out, char *why,
	size_t room)
{
	char *end = "?";
	double v = is_plain(text, "0123456789.eE+-") ? strtod(text, &end) : 0;
	if (!*end && v >= min && v <= max) {
		*out = v;
		return true;
	}
	snprintf(why, room, "%s: a number from %.15g to %.15g is needed", name, min, max);
	return false;
}
