/* A sample of pictures of the index, for an empty page. Any thread may call. */
#ifndef IMGSEARCH_CLI_SAMPLE_H
#define IMGSEARCH_CLI_SAMPLE_H

#include "cli/serve/open_index.h"

#include <stddef.h>

typedef struct sample sample;

sample *sample_new(void);    /* NULL: out of memory */
void sample_free(sample *a); /* NULL is fine */

/*
 * At most n ids of indexed pictures, one of each of n equal parts of the index in order of path,
 * chosen by seed. s is the handle of ix, acquired by the caller. Returns how many. The list of all
 * pictures is read again after a minute, and when one of these is no longer there.
 */
size_t sample_choose(sample *a, const open_index *ix, imgsearch *s, const imgsearch_call *call,
	uint64_t seed, int64_t *ids, size_t n);

#endif
