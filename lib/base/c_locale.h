/*
 * Text that is the same in every locale: numbers with a decimal point, letters by ASCII, system
 * errors in English. The program's locale is switched for the calling thread alone, and for the
 * time of one function here; other threads never see it. Any thread. lib/ formats and parses
 * numbers that may have a fraction by these functions only.
 */
#ifndef IMS_BASE_C_LOCALE_H
#define IMS_BASE_C_LOCALE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* snprintf and vsnprintf. */
int ims_print(char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int ims_vprint(char *out, size_t size, const char *format, va_list args);

/* strtof: *end is `text` where no number begins there. */
float ims_parse_f32(const char *text, char **end);

/*
 * The decimal number that is all of text but blanks around it; false: there is none, or it is not
 * finite.
 */
bool ims_parse_number(const char *text, double *out);

/* strncasecmp() == 0 over ASCII letters. */
bool ims_same_letters(const char *a, const char *b, size_t n);

/* The value of a hexadecimal digit of either case; -1: it is none. */
int ims_hex_digit(char c);

/* Orders char * by their bytes, for qsort. */
int ims_text_compare(const void *a, const void *b);

/* strerror: valid until the thread's next call. */
const char *ims_errno_text(int number);

#endif
