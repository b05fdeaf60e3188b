/* Finds the word that a mistyped word may mean. */
#ifndef IMGSEARCH_CLI_NEAREST_H
#define IMGSEARCH_CLI_NEAREST_H

#include <stddef.h>

enum { NEAREST_WORD_MAX = 32 }; /* longer words have no near ones */

/* The name nearest to word among n (or NULL-terminated when n is 0); NULL when none is near. */
const char *nearest_word(const char *word, const char *const *names, size_t n);

#endif
