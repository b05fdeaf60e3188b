/* References of HTML in a text: &eacute; &#233; &#xe9;. Texts are valid UTF-8, terminated. */
#ifndef IMS_WORDS_HTML_H
#define IMS_WORDS_HTML_H

#include "base/buf.h"

#include <stdint.h>

/* As a browser reads text: names that are old enough need no semicolon. */
void ims_html_unescape(buf *out, const char *text);

/*
 * Only what ends with a semicolon, and nothing that is not wholly understood; also a name in
 * capitals of what has one in small letters alone.
 */
void ims_html_unescape_strictly(buf *out, const char *text);

/* What stands for 0x80 to 0x9f: windows-1252 has characters there, Unicode has controls. */
uint32_t ims_windows_1252(uint32_t c);

#endif
