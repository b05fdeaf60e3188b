/*
 * Words as CLIP's and GPT-2's tokenizers split a text: English endings ('s 't 're 've 'm 'll 'd),
 * letters, single digits, runs of what is neither.
 */
#ifndef IMS_WORDS_SPLIT_H
#define IMS_WORDS_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The next word at or behind p, and its bytes; 0: there is none. Text is valid UTF-8, terminated.
 * any_case: of the endings.
 */
size_t ims_word_next(const char **p, bool any_case);

#endif
