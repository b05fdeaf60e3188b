/* Two ids: {"a": 1, "b": 2}. */
#ifndef IMGSEARCH_CLI_PAIR_REQUEST_H
#define IMGSEARCH_CLI_PAIR_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False: something else; why (room) receives a sentence. */
bool pair_request_parse(const char *body, size_t size, int64_t *a, int64_t *b, char *why,
	size_t room);

#endif
