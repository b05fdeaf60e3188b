/*
 * The patterns with which a user says what is taken in or left out, of names and of paths below a
 * root. docs/folders.md describes them. One thread at a time.
 */
#ifndef IMS_FILES_PATTERNS_H
#define IMS_FILES_PATTERNS_H

#include "base/base.h"

typedef struct path_pattern {
	char *given, *text; /* owned: as it was given; what is matched */
	char *plain;        /* owned: the text without escapes; NULL: it has none */
	char *named;        /* owned: of a name below a folder: no wildcards in the name; or NULL */
	bool folders_only;  /* it ends with a slash */
	bool anchored;      /* it begins with "./": the path from the root alone */
	bool matched;       /* something, so far */
} path_pattern;

typedef struct path_patterns {
	path_pattern *item;
	size_t n, cap;
} path_patterns;

/*
 * Adds a pattern:
 *
 *	NAME, a/NAME    the name, or the path from the root; stars cross slashes
 *	NAME/           folders alone
 *	./a/NAME        that path alone; stars do not cross slashes
 *
 * Each also matches the text that it is itself. 0 or ENOMEM.
 */
int ims_patterns_add(path_patterns *p, const char *given);
void ims_patterns_free(path_patterns *p);

/*
 * *matches: whether one of the patterns matches a path below the root; each one that does is
 * marked. How letters with accents are spelt makes no difference (base/spelling.h). ENOMEM.
 */
int ims_patterns_match(path_patterns *p, const char *path, bool folder, bool *matches);

/* ims_patterns_match of a file; patterns of folders and anchored ones match all that lies below. */
int ims_patterns_match_below(path_patterns *p, const char *path, bool *matches);

/*
 * The pattern of an absolute path as one from the root ("./..."); ims_free. *out is NULL where the
 * path is not below the root, and "./" where it is the root. Where something has exactly that path,
 * it is no pattern. ENOMEM.
 */
int ims_pattern_below_root(const char *absolute, const char *root, char **out);

/* A path below the root as patterns of other ones spell it, without "./"; ims_free. ENOMEM. */
int ims_pattern_of_path(const char *path, char **out);

/*
 * The pattern of a root as one of a root above it, which matches below that folder alone. folder:
 * its path from the root above. ims_free. *out is NULL where the pattern matches nothing. ENOMEM.
 */
int ims_pattern_of_folder(const char *given, const char *folder, char **out);

#endif
