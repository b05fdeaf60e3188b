/* Numbers of requests: all of the text. Knows no sockets, for fuzzers. */
#ifndef IMGSEARCH_CLI_NUMBER_H
#define IMGSEARCH_CLI_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Digits, with a "-" before them or not; text may be NULL. False: something else, or out of bounds;
 * why (room) receives a sentence that begins with name.
 */
bool number_whole(const char *name, const char *text, int64_t min, int64_t max, int64_t *out,
	char *why, size_t room);

/* The same for "-1.5e3", decimals. */
bool number_real(const char *name, const char *text, double min, double max, double *out, char *why,
	size_t room);

#endif
