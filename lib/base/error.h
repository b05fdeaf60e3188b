/*
 * Errors: a function returns 0 or a negative imgsearch_status, and writes one sentence into the
 * caller's struct. The lowest layer that knows the reason writes the sentence; those above pass it
 * on, perhaps behind a prefix. A function that succeeds leaves err alone.
 */
#ifndef IMS_BASE_ERROR_H
#define IMS_BASE_ERROR_H

#include "imgsearch.h"

/*
 * Writes code and sentence into err (may be NULL) and returns code, so that a caller can write
 * `return ims_fail(...)`.
 */
int ims_fail(imgsearch_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with ": strerror(errno)" at the end and errno as detail. */
int ims_fail_errno(imgsearch_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the sentence that a lower layer wrote. */
void ims_error_prefix(imgsearch_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ENOMEM with its fixed sentence. */
int ims_nomem(imgsearch_error *err);

#endif
