/*
 * Thumbnails on disk, by the content hash of the picture and the size: at most so many bytes, the
 * ones that were not used for longest go first. Servers of one user may share the folder. Any
 * thread may call.
 */
#ifndef IMGSEARCH_CLI_THUMB_CACHE_H
#define IMGSEARCH_CLI_THUMB_CACHE_H

#include <stddef.h>
#include <stdint.h>

typedef struct thumb_cache thumb_cache;

/* folder is copied, and made with the first picture; most: bytes. NULL: out of memory. */
thumb_cache *thumb_cache_new(const char *folder, uint64_t most);
void thumb_cache_free(thumb_cache *c); /* NULL is fine */

/* The functions below do nothing where c is NULL, or hash is not 64 hexadecimal digits. */

/* A descriptor of the file, which the caller closes; -1: none. */
int thumb_cache_open(thumb_cache *c, const char *hash, uint32_t size);

/* A failure is ignored: the thumbnail is made again. */
void thumb_cache_put(thumb_cache *c, const char *hash, uint32_t size, const void *data, size_t n);

/* Of a picture that is removed, or was changed: all sizes. */
void thumb_cache_drop(thumb_cache *c, const char *hash);

#endif
