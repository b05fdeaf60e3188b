/* Text as UTF-8. */
#ifndef IMS_BASE_UTF8_H
#define IMS_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Well-formed by Unicode 15, table 3-7: no surrogates, nothing overlong, at most U+10FFFF. */
bool ims_utf8_is_valid(const char *text);

/* The bytes of the code point at text, 1 to 4, and *c; 0: malformed, and *c is left alone. */
size_t ims_utf8_read(const char *text, uint32_t *c);

/* Writes a code point up to U+10FFFF; returns its bytes, 1 to 4. */
size_t ims_utf8_write(uint32_t c, char out[4]);

#endif
