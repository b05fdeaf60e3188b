/*
 * One spelling for names: NFC, so that a letter with an accent is the same in one code point and in
 * two. libutf8proc does it, which is loaded when text first needs it. Any thread.
 */
#ifndef IMS_BASE_SPELLING_H
#define IMS_BASE_SPELLING_H

#include <stdbool.h>

/* Whether libutf8proc is there; without it, names are compared by their bytes. Loads it. */
bool ims_spelling_works(void);

/*
 * *out: the text in NFC; ims_free. NULL: it stays as it is, being ASCII or no UTF-8, or for want of
 * the library. 0 or ENOMEM.
 */
int ims_spelling_compose(const char *text, char **out);

#endif
