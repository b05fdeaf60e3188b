/*
 * Texts compared without regard to case, by Unicode's full case folding: Latin, Greek and Cyrillic
 * letters. ß is ss, and a ligature is its letters. A byte that is no UTF-8 is a character of its
 * own. Any thread.
 */
#ifndef IMS_BASE_FOLD_H
#define IMS_BASE_FOLD_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of UTF-8, borrowed; nothing stands behind them that counts. */
typedef struct text_span {
	const char *at, *end;
} text_span;

text_span ims_span(const char *text); /* all of a terminated text */

/* Below 0, 0 or above 0. */
int ims_fold_compare(text_span a, text_span b);

bool ims_fold_contains(text_span text, text_span part);

#endif
