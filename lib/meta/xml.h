/* Texts in XML. */
#ifndef IMS_META_XML_H
#define IMS_META_XML_H

#include "base/base.h"

#include <string.h>

enum { IMS_XML_TEXT_MAX = 1 << 16 }; /* bytes from which on no more are appended */

/* Characters of the block, borrowed. */
typedef struct span {
	const char *at;
	size_t n;
} span;

static inline bool ims_span_is(span s, const char *text)
{
	return s.n == strlen(text) && !memcmp(s.at, text, s.n);
}

/* Appends text with its entities, up to IMS_XML_TEXT_MAX; false: one is not known. */
bool ims_xml_put_text(buf *out, span s);

#endif
