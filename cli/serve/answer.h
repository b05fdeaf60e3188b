/*
 * Answers to requests. Each function queues an answer, and returns what a handler of libmicrohttpd
 * returns.
 */
#ifndef IMGSEARCH_CLI_ANSWER_H
#define IMGSEARCH_CLI_ANSWER_H

#include "cli/serve/exchange.h"

#include <stdio.h>

/*
 * Queues r with the headers that every answer has, and x->etag unless it is an error; r is
 * released. NULL: the connection is closed.
 */
enum MHD_Result answer(exchange *x, unsigned status, struct MHD_Response *r);

/* A copy of the data; type and cache are the values of Content-Type and Cache-Control. */
enum MHD_Result answer_bytes(exchange *x, unsigned status, const char *type, const char *cache,
	const void *data, size_t size);

/* Whether If-None-Match names x->etag; then 304 is queued, and *result its result. */
bool answer_not_modified(exchange *x, const char *cache, enum MHD_Result *result);

/* {"error": {"code": ..., "message": ...}} */
enum MHD_Result answer_error(exchange *x, unsigned status, const char *code, const char *format,
	...) __attribute__((format(printf, 4, 5)));
/* 405, with the methods that the address has: "GET, HEAD". */
enum MHD_Result answer_method(exchange *x, const char *methods);
/* The same for an error of the library: status and code by err->code. */
enum MHD_Result answer_library_error(exchange *x, const imgsearch_error *err);

/*
 * A parameter that is a whole number; *value stays where it is missing. False: it is something else
 * or out of bounds, and *result is that of the refusal.
 */
bool answer_unless_whole(exchange *x, const char *name, int64_t min, int64_t max, int64_t *value,
	enum MHD_Result *result);

/*
 * JSON that is gathered in memory:
 *	reply r;
 *	json_writer j;
 *	json_write_begin(&j, reply_open(&r)); ... json_write_end(&j);
 *	return reply_send(x, &r, 200);
 */
typedef struct reply {
	char *text;
	size_t size;
	FILE *file;
} reply;

FILE *reply_open(reply *r); /* never NULL: out of memory it is /dev/null, and reply_send fails */
enum MHD_Result reply_send(exchange *x, reply *r, unsigned status);
/* Of another type than JSON. */
enum MHD_Result reply_send_as(exchange *x, reply *r, unsigned status, const char *type);
/* The same with a further header; name may be NULL. */
enum MHD_Result reply_send_with(exchange *x, reply *r, unsigned status, const char *name,
	const char *value);
void reply_drop(reply *r); /* instead of sending it */

#endif
