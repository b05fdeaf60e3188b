/*
 * Sentences on standard error: `imgsearch: ` before them, control characters in file names escaped.
 * Standard output is for results alone.
 */
#ifndef IMGSEARCH_CLI_MESSAGE_H
#define IMGSEARCH_CLI_MESSAGE_H

#include "cli/base/exit_codes.h"
#include "imgsearch.h"

#include <stdarg.h>

void cli_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_warn_list(const char *format, va_list list);

/* The same; returns CLI_FAILED. */
int cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "out of memory"; returns CLI_FAILED. */
int cli_nomem(void);

/*
 * What of the library's log is printed: records up to this imgsearch_log. The first is
 * IMGSEARCH_LOG_WARNING.
 */
void cli_log_level(int level);
void cli_log(int level, const char *text);

/* The library's message. Returns CLI_INTERRUPTED for ECANCELED, else CLI_FAILED. */
int cli_error(const imgsearch_error *err);
/* The same, with a clause that says what can be done; NULL: none. */
int cli_error_advice(const imgsearch_error *err, const char *advice);

#endif
