/* file:///path, with escapes of two hexadecimal digits. */
#include "engine/location.h"

#include "store/store.h"

#include <string.h>

/* The length of a scheme in front of "://"; 0: there is none. */
static size_t scheme_length(const char *location)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] = "0123456789+-.";
	if (!strchr(letters, *location))
		return 0;
	size_t n = 0;
	while (location[n] && (strchr(letters, location[n]) || strchr(others, location[n])))
		n++;
	return strncmp(location + n, "://", 3) ? 0 : n;
}

/* Decodes the escapes in place. False: damaged, or a NUL. */
static bool decode(char *text)
{
	char *to = text;
	for (const char *from = text; *from; from++, to++) {
		*to = *from;
		if (*from != '%')
			continue;
		int high = ims_hex_digit(from[1]), low = high < 0 ? -1 : ims_hex_digit(from[2]);
		if (low < 0 || !(high || low))
			return false;
		*to = (char)(high * 16 + low);
		from += 2;
	}
	*to = 0;
	return true;
}

int ims_location_path(const char *location, char **path, imgsearch_error *err)
{
	size_t n = scheme_length(location);
	const char *rest = n ? location + n + 3 : location;
	*path = NULL;
	if (ims_store_is_address(location)) {
		*path = ims_strdup(location);
		return *path ? 0 : ims_nomem(err);
	}
	if (n && (n != 4 || !ims_same_letters(location, "file", 4)))
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			"open: %s: the scheme %.*s is not supported, and a path begins with ./ or /", location,
			(int)n, location);
	if (n && !strncmp(rest, "localhost/", 10))
		rest += 9;
	if (n && *rest != '/')
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			"open: %s: a file of another host; file:///path has none", location);
	*path = ims_strdup(rest);
	if (!*path)
		return ims_nomem(err);
	if (!n || decode(*path))
		return 0;
	ims_free(*path);
	*path = NULL;
	return ims_fail(err, IMGSEARCH_EINVAL, "open: %s: %% is not followed by two hexadecimal digits",
		location);
}
