/*
 * Words of a text by CLIP's vocabulary: Radford et al., "Learning transferable visual models from
 * natural language supervision" (2021).
 */
#ifndef IMS_WORDS_CLIP_H
#define IMS_WORDS_CLIP_H

#include "words/clip_files.h"
#include "words/token_list.h"

/* Appends the tokens of a cleaned text, until there are `most` or more. ENOMEM. */
int ims_clip_cut(const clip_vocabulary *v, const char *text, size_t most, token_list *out,
	imgsearch_error *err);

#endif
