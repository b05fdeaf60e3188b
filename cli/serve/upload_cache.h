/*
 * A cache of uploads; the oldest is dropped first. It lets a page be reloaded and a part of an
 * upload be searched for. The HTTP interface calls them held pictures. Any thread may call.
 */
#ifndef IMGSEARCH_CLI_UPLOAD_CACHE_H
#define IMGSEARCH_CLI_UPLOAD_CACHE_H

#include <stdbool.h>
#include <stddef.h>

enum { UPLOAD_NAME = 33 }; /* bytes of a name with its NUL: hexadecimal digits */

typedef struct upload_cache upload_cache;

upload_cache *upload_cache_new(void); /* NULL: out of memory */
void upload_cache_free(upload_cache *c); /* NULL is fine */

/* Stores a copy under a new random name. False: too large, or out of memory. */
bool upload_cache_put(upload_cache *c, const void *data, size_t size, char name[UPLOAD_NAME]);

/* A copy, which the caller frees; NULL: no longer cached, or out of memory. */
void *upload_cache_get(upload_cache *c, const char *name, size_t *size);

#endif
