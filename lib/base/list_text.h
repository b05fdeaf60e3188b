/*
 * Lists of texts in one text: sea; "Smith; Anna". A text that has a semicolon or begins with a
 * quote stands in double quotes, in which a quote is written twice, as in CSV. Any thread.
 */
#ifndef IMS_BASE_LIST_TEXT_H
#define IMS_BASE_LIST_TEXT_H

#include "base/fold.h"

/* ';' where one separates texts of the list, else ','. */
char ims_list_separator(const char *list);

typedef struct list_text {
	text_span span; /* borrowed; as it is written, without blanks and quotes around */
	bool quoted;
} list_text;

/* The next text of a list; *at moves on. False: *at is NULL, the end. */
bool ims_list_next(const char **at, char separator, list_text *out);

/*
 * The text itself: borrowed from the list or, where quotes are in it, from space. One that does not
 * fit stays as it is written.
 */
text_span ims_list_plain(const list_text *text, char *space, size_t size);

/* A copy of a text as it is written in a list; ims_free. NULL: out of memory. */
char *ims_list_quote(const char *text);

#endif
