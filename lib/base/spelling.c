/*
 * Loads libutf8proc by the names that its two ABIs have; the one function used is the same in both.
 * It is never closed. NFC: Unicode Standard Annex 15.
 */
#include "base/spelling.h"

#include "base/alloc.h"
#include "base/library.h"
#include "imgsearch.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* NUL-terminated text in NFC, of malloc; NULL: no UTF-8, or no memory. */
typedef uint8_t *compose_fn(const uint8_t *text);

static compose_fn *compose;

IMS_LIBRARY_NOTE("libutf8proc.so.3\",\"libutf8proc.so.2", "names in NFC and NFD");

static void load(void)
{
	static const char *const files[] = { "libutf8proc.so.3", "libutf8proc.so.2", NULL };
	const library_function function = { "utf8proc_NFC", (void **)&compose };
	ims_library_load(files, &function, 1);
}

bool ims_spelling_works(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load);
	return compose != NULL;
}

static bool is_ascii(const char *text)
{
	while (*text && (unsigned char)*text < 0x80)
		text++;
	return !*text;
}

int ims_spelling_compose(const char *text, char **out)
{
	*out = NULL;
	if (is_ascii(text) || !ims_spelling_works())
		return 0;
	uint8_t *composed = compose((const uint8_t *)text);
	if (composed)
		*out = ims_strdup((const char *)composed);
	int rc = composed && !*out ? IMGSEARCH_ENOMEM : 0;
	free(composed);
	return rc;
}
