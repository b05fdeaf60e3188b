/*
 * Which pictures a request is about: the parameters under, after, before, camera, keyword, near and
 * where. Knows no sockets and no files.
 */
#ifndef IMGSEARCH_CLI_FILTER_REQUEST_H
#define IMGSEARCH_CLI_FILTER_REQUEST_H

#include "imgsearch.h"

#include <stdbool.h>

enum { REQUEST_KEYWORDS = 32 };

typedef struct filter_request {
	char *under, *after, *before, *camera, *near, *where;
	char *keyword[REQUEST_KEYWORDS];
	size_t n_keywords;
	char *condition;         /* of filter_request_make */
	imgsearch_filter filter; /* the same */
} filter_request;            /* all zero: nothing is asked */

void filter_request_free(filter_request *f);

/*
 * Takes a parameter; value may be NULL. *known: whether it is one of these. Returns NULL, or a
 * sentence that says what is wrong.
 */
const char *filter_request_param(filter_request *f, const char *name, const char *value,
	bool *known);

/*
 * Makes f->filter of the parameters; *any: whether one was given. Returns NULL, or a sentence that
 * says what is wrong.
 */
const char *filter_request_make(filter_request *f, bool *any);

/* After a copy of the struct, which owns what the other one did: f->filter points into f again. */
void filter_request_moved(filter_request *f);

/* What is asked, as one text: "" for nothing. The caller frees it; NULL: out of memory. */
char *filter_request_key(const filter_request *f);

#endif
