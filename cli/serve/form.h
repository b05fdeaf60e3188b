/*
 * The parts of a multipart/form-data body, in place: RFC 7578, RFC 2046. Knows no sockets and no
 * files, so that a fuzzer can feed it.
 */
#ifndef IMGSEARCH_CLI_FORM_H
#define IMGSEARCH_CLI_FORM_H

#include <stddef.h>

typedef struct form_part {
	char name[64];
	char file[128]; /* the name of the sender's file, as it was sent, or its beginning; "": none */
	const char *data; /* points into the body */
	size_t size;
} form_part;

/* Fills part; returns how many there are (at most max), or -1: malformed, or more than max. */
int form_parse(form_part *part, int max, const char *content_type, const char *body, size_t size);

#endif
