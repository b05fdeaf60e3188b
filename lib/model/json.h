/*
 * A strict reader of JSON (RFC 8259) for cards, lists of models and headers of safetensors. It
 * builds no tree: the caller walks through the text. The first error stays in `why`, and after it
 * every function returns false. It does not depend on the locale.
 */
#ifndef IMS_MODEL_JSON_H
#define IMS_MODEL_JSON_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct json {
	const char *at, *end;
	const char *why; /* the first error, a static string; NULL: none */
} json;

/* A reader of n bytes, which are borrowed. */
json ims_json(const void *text, size_t n);

/* The first byte of the next value, 0 at the end. */
char ims_json_peek(json *j);

/*
 * Walks an object or array:
 *	if (ims_json_begin(j, '{'))
 *		for (size_t i = 0; ims_json_more(j, '}', i); i++)
 *			...
 * ims_json_more consumes the comma or the closing bracket. It is false at the end and after an
 * error.
 */
bool ims_json_begin(json *j, char open);
bool ims_json_more(json *j, char close, size_t i);

bool ims_json_key(json *j, char *out, size_t size); /* a string and the colon */

/* Terminated UTF-8; false: it does not fit, or has a NUL inside. */
bool ims_json_string(json *j, char *out, size_t size);
bool ims_json_number(json *j, double *out);
bool ims_json_bool(json *j, bool *out);
bool ims_json_skip(json *j); /* any value, nested at most 16 deep */
bool ims_json_done(json *j); /* whether only white space is left */

/* Appends a text as a JSON string, with its quotation marks. */
void ims_json_text(buf *out, const char *text);

#endif
