/*
 * Byte-pair encoding of a whole text, whose spaces are letters like others, with bytes for letters
 * that have no token: Gemma's tokenizer, which SigLIP 2 uses.
 */
#ifndef IMS_WORDS_FALLBACK_H
#define IMS_WORDS_FALLBACK_H

#include "words/bpe_json.h"
#include "words/token_list.h"

/* Appends the tokens of a text, which is valid UTF-8 and terminated. ENOMEM. */
int ims_fallback_cut(const bpe_json *b, const char *text, token_list *out, imgsearch_error *err);

#endif
