/* The vocabulary of CLIP from the files that it is published in. *v is to be freed in any case. */
#ifndef IMS_WORDS_CLIP_FILES_H
#define IMS_WORDS_CLIP_FILES_H

#include "words/bpe_json.h"
#include "words/merges.h"

#include <stdbool.h>

typedef struct clip_vocabulary {
	int32_t byte[256], last_byte[256]; /* tokens of single bytes; of those that end a word */
	merges merges;
	int32_t begin, end, pad;
	bool openai; /* read from OpenAI's file */
} clip_vocabulary;

/* OpenAI's file: merges alone, a pair a line; text is terminated. EFORMAT, ENOMEM. */
int ims_clip_read_merges(clip_vocabulary *v, const char *path, const char *text,
	imgsearch_error *err);

/* vocab.json; merges.txt lies beside it. As the other one, and the errors of reading a file. */
int ims_clip_read_tokens(clip_vocabulary *v, const char *path, const char *text, size_t size,
	imgsearch_error *err);

/* Of a tokenizer.json, from which the merges are taken. EFORMAT. */
int ims_clip_take(clip_vocabulary *v, bpe_json *b, const char *path, imgsearch_error *err);

void ims_clip_vocabulary_free(clip_vocabulary *v); /* makes it empty */

/* The bytes of a begin or end that is written out at text, and its token; 0: there is none. */
size_t ims_clip_special_at(const clip_vocabulary *v, const char *text, int32_t *id);

#endif
