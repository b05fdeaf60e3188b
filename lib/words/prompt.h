/* Texts that are asked for, and the templates around them. Any thread. */
#ifndef IMS_WORDS_PROMPT_H
#define IMS_WORDS_PROMPT_H

#include "imgsearch.h"

enum { PROMPT_MOST = 64 << 10 /* bytes of a text */ };

/* EINVAL: NULL, empty, white space alone, or no UTF-8. ELIMIT: longer than PROMPT_MOST. */
int ims_prompt_check(const char *text, imgsearch_error *err);

/* Of a template, which has "{}" in the place of a text; NULL is fine. EINVAL, ELIMIT. */
int ims_prompt_check_template(const char *text_template, imgsearch_error *err);

/* The template with the text in the place of its first "{}"; ims_free. NULL: out of memory. */
char *ims_prompt_make(const char *text_template, const char *text);

#endif
