/*
 * Texts as the numbers that a text tower takes. A tokenizer is read from the file that the
 * publisher has beside the weights. Constant once it is open: any thread.
 */
#ifndef IMS_WORDS_TOKENIZER_H
#define IMS_WORDS_TOKENIZER_H

#include "imgsearch.h"

#include <stddef.h>
#include <stdint.h>

typedef struct tokenizer tokenizer;

/* Whose program texts are cleaned like, before they are cut into tokens. */
typedef enum tokenizer_style {
	TOKENIZER_OPEN_CLIP,   /* OpenAI's and OpenCLIP's */
	TOKENIZER_TRANSFORMERS /* Hugging Face's transformers */
} tokenizer_style;

/*
 * The file is one of these, told apart by content:
 *	bpe_simple_vocab_16e6.txt.gz, or unpacked	CLIP, PE-Core
 *	vocab.json, with merges.txt beside it		CLIP
 *	tokenizer.json								CLIP, SigLIP, SigLIP 2
 *	spiece.model								SigLIP
 * ENOTFOUND, EFORMAT, EIO, ENOMEM; EUNSUPPORTED: a tokenizer of another kind, or libutf8proc is
 * missing.
 */
int ims_tokenizer_open(tokenizer **out, const char *path, tokenizer_style style,
	imgsearch_error *err);
void ims_tokenizer_free(tokenizer *t); /* NULL is fine */

/*
 * The tokens of a text, with those of its begin and end, in out (context): cut off so that the last
 * one is the end, filled up with the pad token. *n: without the filling. EINVAL: no UTF-8.
 */
int ims_tokenizer_encode(const tokenizer *t, const char *text, int32_t *out, size_t context,
	size_t *n, imgsearch_error *err);

size_t ims_tokenizer_size(const tokenizer *t); /* every token is below it */

#endif
