/* Two ids: {"a": 1, "b": 2}. */
#ifndef IMGSEARCH_CLI_PAIR_REQUEST_H
#define IMGSEARCH_CLI_PAIR_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False: malformed, or one is not positive. */
bool pair_request_parse(const char *body, size_t size, int64_t *a, int64_t *b);

#endif
