/*
 * The memory of a result of the public interface: a struct, and all that it points to. Everything
 * is freed with the result. One thread at a time until the result is complete.
 */
#ifndef IMS_BASE_RESULT_H
#define IMS_BASE_RESULT_H

#include "imgsearch.h"

#include <stddef.h>

/* A zeroed struct of that size. NULL: out of memory. Freed by ims_result_free. */
void *ims_result_new(size_t size);

/* NULL is fine. */
void ims_result_free(void *result);

/* Zeroed memory that belongs to the result, aligned for any type. NULL: out of memory. */
void *ims_result_alloc(void *result, size_t n, size_t size);

/* A copy of text, n bytes of it, or NULL for NULL. NULL for a text: out of memory. */
const char *ims_result_text(void *result, const char *text);
const char *ims_result_text_n(void *result, const char *text, size_t n);

/*
 * n zeroed structs of that size, and an array of pointers to them, which is returned. NULL: out of
 * memory. An empty list has an array too.
 */
void *ims_result_list(void *result, size_t n, size_t size);

/* A list of copies of n texts. NULL: out of memory. */
const imgsearch_strings *ims_result_strings(void *result, char *const *text, size_t n);

#endif
