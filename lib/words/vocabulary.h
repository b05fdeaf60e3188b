/* The tokens of a vocabulary by their text. Reading by any thread. */
#ifndef IMS_WORDS_VOCABULARY_H
#define IMS_WORDS_VOCABULARY_H

#include "base/buf.h"
#include "imgsearch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vocabulary_entry {
	size_t at; /* of its text, in `text` */
	uint32_t length;
	int32_t id;
} vocabulary_entry;

typedef struct vocabulary {
	buf text;
	vocabulary_entry *entry;
	size_t n, cap;
	uint32_t *slot; /* 1 + the entry; 0: free */
	size_t slots;   /* a power of two */
} vocabulary;

enum { VOCABULARY_MOST = 2000000 /* tokens */ };

/* A text that is there twice keeps its first id. False: out of memory, or too many. */
bool ims_vocabulary_add(vocabulary *v, const void *text, size_t length, int32_t id);

int32_t ims_vocabulary_find(const vocabulary *v, const void *text, size_t length); /* -1: none */

void ims_vocabulary_free(vocabulary *v); /* makes it empty */

#endif
