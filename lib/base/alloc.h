/*
 * Memory: arrays of n items of `item` bytes each. A function returns NULL where memory is short or
 * the product overflows; an array of no items is not NULL. Everything is freed by ims_free. Any
 * thread.
 */
#ifndef IMS_BASE_ALLOC_H
#define IMS_BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

void *ims_alloc(size_t n, size_t item);
/*
 * ims_alloc, 64-byte aligned and with the size rounded up to 64. Large arrays lie on huge pages
 * where the system has them.
 */
void *ims_alloc_aligned(size_t n, size_t item);
void *ims_zalloc(size_t n, size_t item);           /* all bytes zero */
void *ims_realloc(void *p, size_t n, size_t item); /* on failure p stays as it was */
void ims_free(void *p);                            /* NULL is fine */

/*
 * Makes room for more than n items, doubling *cap where needed. Returns the array, which may have
 * moved. On failure p and *cap stay as they were.
 */
void *ims_grow(void *p, size_t n, size_t *cap, size_t item);

/* Strings, terminated. */
char *ims_strdup(const char *s);
char *ims_strndup(const char *s, size_t n); /* at most n bytes of s */
char *ims_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * For tests: the n-th allocation from now on fails, once; 0: none. Returns the number made since
 * the last call.
 */
uint64_t ims_alloc_fail_after(uint64_t n);

#endif
