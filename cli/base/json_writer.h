/*
 * One JSON object a line: json_write_begin, values, json_write_end. Text is always UTF-8: U+FFFD
 * stands for bytes that are none. key is NULL inside an array.
 *
 *	json_writer j;
 *	json_write_begin(&j, stdout);
 *	json_write_int(&j, "id", 7);
 *	json_write_open(&j, "roots", '[');
 *	json_write_text(&j, NULL, "/home/me/Pictures");
 *	json_write_close(&j, ']');
 *	json_write_end(&j);
 */
#ifndef IMGSEARCH_CLI_JSON_WRITER_H
#define IMGSEARCH_CLI_JSON_WRITER_H

#include "imgsearch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct json_writer {
	FILE *file;
	bool comma; /* a value comes before the next one */
} json_writer;

void json_write_begin(json_writer *j, FILE *f);                           /* {"schema": 1 */
void json_write_end(json_writer *j);                                      /* } and a newline */
void json_write_open(json_writer *j, const char *key, char bracket);      /* '[' or '{' */
void json_write_close(json_writer *j, char bracket);                      /* ']' or '}' */
void json_write_text(json_writer *j, const char *key, const char *value); /* NULL: null */
/* A path; where it is not UTF-8, its bytes in base64 follow as KEY_b64. A key is needed. */
void json_write_path(json_writer *j, const char *key, const char *path);
void json_write_int(json_writer *j, const char *key, int64_t value);
/* The shortest text that reads back as the value; NaN and infinities: null. */
void json_write_real(json_writer *j, const char *key, double value);
void json_write_float(json_writer *j, const char *key, float value);
/* Finite; six digits. */
void json_write_estimate(json_writer *j, const char *key, double value);
/* A point of time, exactly: "13569465600", "-0.5"; nanoseconds, from 0 on, add to the seconds. */
void json_write_time(json_writer *j, const char *key, int64_t seconds, int64_t nanoseconds);
void json_write_seconds(json_writer *j, const char *key, double value); /* to the microsecond */
void json_write_bool(json_writer *j, const char *key, bool value);
/* "columns": {...}; nothing where there are none. */
void json_write_columns(json_writer *j, const imgsearch_columns *columns); /* NULL is fine */

#endif
