/* The vocabulary of CLIP from the files that it is published in. */
#ifndef IMS_WORDS_CLIP_FILES_H
#define IMS_WORDS_CLIP_FILES_H

#include "words/merges.h"

#include <stdbool.h>

typedef struct clip_vocabulary {
	int32_t byte[256], last_byte[256]; /* tokens of single bytes; of those that end a word */
	merges merges;
	int32_t begin, end, pad;
	bool openai; /* texts are cleaned as OpenAI's and OpenCLIP's programs do */
} clip_vocabulary;

/* The files of ims_tokenizer_open, and its errors. *v is to be freed in any case. */
int ims_clip_vocabulary_read(clip_vocabulary *v, const char *path, imgsearch_error *err);
void ims_clip_vocabulary_free(clip_vocabulary *v); /* makes it empty */

/* The bytes of a begin or end that is written out at text, and its token; 0: there is none. */
size_t ims_clip_special_at(const clip_vocabulary *v, const char *text, int32_t *id);

#endif
