/* Text against a pattern with wildcards, by the rules of git's ignore files. Any thread. */
#ifndef IMS_FILES_WILDCARD_H
#define IMS_FILES_WILDCARD_H

#include <stdbool.h>

enum {
	/* A slash is matched by a slash, and by double stars that stand between slashes. */
	WILDCARD_PATH = 1,
	/*
	 * A character is a code point, and so is each byte that is no UTF-8. A bracket that is not
	 * closed is an ordinary character. Without: a character is a byte, as git has it, and such a
	 * bracket matches nothing.
	 */
	WILDCARD_UTF8 = 2,
};

/*
 * Whether the pattern matches the whole text. `*` any characters, `?` one, `[a-z]`, `[!a-z]`,
 * `[^a-z]` and `[[:alpha:]]` (ASCII) one of some, `\` takes away the meaning of the next one. `**`
 * and a slash, at the beginning or behind a slash, match any number of folders, also none. There is
 * no recursion, and no pattern takes longer than their lengths multiplied, but for double stars,
 * which take the text once for each folder.
 */
bool ims_wildcard_matches(const char *pattern, const char *text, unsigned flags);

/* The length of the beginning that has no wildcard. */
unsigned long ims_wildcard_literal(const char *pattern);

#endif
