/* A growing list of texts, each owned. */
#ifndef IMS_BASE_TEXTS_H
#define IMS_BASE_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct text_list {
	char **item;
	size_t n, cap;
} text_list;

/*
 * Appends a text and becomes its owner, also on failure. ENOMEM; NULL is ENOMEM too, so that the
 * result of a copy can be passed on.
 */
int ims_texts_add(text_list *l, char *text);
/* The same, unless it is there already: then it is freed. */
int ims_texts_add_new(text_list *l, char *text);

/* Whether the first n bytes of `text` are an item. */
bool ims_texts_have(const text_list *l, const char *text, size_t n);

void ims_texts_free(text_list *l); /* leaves an empty list */

#endif
