/*
 * JSON of requests. A text is measured before a tree is made of it, since a tree takes many times
 * as much memory: "[{},{},...]" a hundred times.
 */
#ifndef IMGSEARCH_CLI_JSON_BODY_H
#define IMGSEARCH_CLI_JSON_BODY_H

#include <jansson.h>
#include <stddef.h>

enum {
	JSON_BODY_BYTES = 1 << 20,
	JSON_BODY_DEPTH = 8,
	JSON_BODY_VALUES = 150000,   /* with 100 000 ids */
	JSON_BODY_CONTAINERS = 20000 /* objects and lists */
};

/*
 * The tree, which the caller drops by json_decref. NULL: the text is over a limit, no JSON, or has
 * a member twice; why (size) receives the reason.
 */
json_t *json_body_load(const char *body, size_t size, char *why, size_t room);

#endif
