/* Whether text is UTF-8. */
#ifndef IMS_BASE_UTF8_H
#define IMS_BASE_UTF8_H

#include <stdbool.h>

/* Well-formed by Unicode 15, table 3-7: no surrogates, nothing overlong, at most U+10FFFF. */
bool ims_utf8_is_valid(const char *text);

#endif
