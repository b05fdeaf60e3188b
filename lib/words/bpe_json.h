/*
 * tokenizer.json of Hugging Face's tokenizers: a byte-pair vocabulary with its merges, and tokens
 * that are found in a text before it is normalised.
 */
#ifndef IMS_WORDS_BPE_JSON_H
#define IMS_WORDS_BPE_JSON_H

#include "words/merges.h"
#include "words/vocabulary.h"

typedef struct bpe_json {
	vocabulary tokens;
	vocabulary added; /* found as they stand; the longest counts */
	size_t longest;   /* bytes of an added one */
	merges merges;
	bool ends_words; /* "</w>" ends a token that ends a word */
	bool bytes;      /* a letter without a token becomes tokens of its bytes, "<0x0A>" */
	bool lowers;     /* texts are made lower case */
	int32_t unknown; /* -1: none */
} bpe_json;

/*
 * EFORMAT: damaged; EUNSUPPORTED: a tokenizer that works in another way. *out is to be freed in any
 * case.
 */
int ims_bpe_json_read(bpe_json *out, const char *path, const char *text, size_t size,
	imgsearch_error *err);
void ims_bpe_json_free(bpe_json *b); /* makes it empty */

/* The bytes of the longest added token at text, and its number; 0: there is none. */
size_t ims_bpe_json_added_at(const bpe_json *b, const char *text, int32_t *id);

/*
 * A pair of known tokens that make a known one; with `adds` a new one. EFORMAT: err says what is
 * wrong with it, as the end of a sentence.
 */
int ims_merge_put(merges *m, vocabulary *tokens, const char *left, size_t left_size,
	const char *right, size_t right_size, bool adds, imgsearch_error *err);

/* An object of tokens and numbers. */
int ims_vocabulary_read(vocabulary *tokens, const char *path, const char *text, size_t size,
	imgsearch_error *err);

enum { TOKEN_MOST = 1024 /* bytes of a token */ };

#endif
