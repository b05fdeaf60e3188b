/* What a command line or a request asks of pictures, as one condition: docs/metadata.md. */
#ifndef IMGSEARCH_CLI_CONDITION_H
#define IMGSEARCH_CLI_CONDITION_H

#include <stddef.h>

/* Texts, NULL where nothing is asked; all that are given must hold. */
typedef struct condition {
	const char *after, *before, *camera, *near, *where;
	const char *const *keywords;
	size_t n_keywords;
} condition;

/*
 * *text: the condition for imgsearch_filter.columns, which the caller frees; NULL: nothing is
 * asked. Returns NULL, or a sentence that says what is wrong.
 */
const char *condition_text(const condition *c, char **text);

/*
 * The option that an error of the library about the condition means, and *says what it says of it;
 * NULL: it is no such error, or may mean several options.
 */
const char *condition_fault(const condition *c, const char *message, const char **says);

#endif
