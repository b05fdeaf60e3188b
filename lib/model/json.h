/*
 * A strict reader of JSON (RFC 8259) for cards and safetensors headers. No tree is built: the caller walks, and the first
 * thing that is wrong stays in `why`; from then on everything answers false. Does not look at the locale.
 */
#ifndef IMS_MODEL_JSON_H
#define IMS_MODEL_JSON_H

#include <stdbool.h>
#include <stddef.h>

typedef struct json {
	const char *at, *end;
	const char *why; /* NULL: nothing wrong so far; a static string */
} json;

json ims_json(const void *text, size_t n);

/* The first byte of the next value, 0 at the end. */
char ims_json_peek(json *j);

/*
 * Walking an object or array:  if (ims_json_begin(j, '{')) for (size_t i = 0; ims_json_more(j, '}', i); i++) ...
 * more() eats the comma or the closing bracket; it is false at the end and after a failure.
 */
bool ims_json_begin(json *j, char open);
bool ims_json_more(json *j, char close, size_t i);

bool ims_json_key(json *j, char *out, size_t size);    /* a string and the colon */
bool ims_json_string(json *j, char *out, size_t size); /* NUL-terminated UTF-8; too long or with a NUL inside fails */
bool ims_json_number(json *j, double *out);
bool ims_json_bool(json *j, bool *out);
bool ims_json_skip(json *j);                           /* any value, nested at most 16 deep */
bool ims_json_done(json *j);                           /* nothing but white space is left */

#endif
