/* Growing arrays, and lists of texts. */
#ifndef IMGSEARCH_CLI_LIST_H
#define IMGSEARCH_CLI_LIST_H

#include <stddef.h>

/*
 * Makes room for more than n items of `item` bytes, doubling *cap where needed. Returns the array,
 * which may have moved. NULL: out of memory; list and *cap stay as they were.
 */
void *list_grow(void *list, size_t n, size_t *cap, size_t item);

/* Frees n texts and their list. NULL is fine. */
void text_list_free(char **list, size_t n);

#endif
