/* Reads CSV (RFC 4180) in UTF-8; a byte order mark is skipped. Any thread. */
#ifndef IMS_FILES_CSV_H
#define IMS_FILES_CSV_H

#include "base/base.h"

/*
 * One record of n fields; `line` is where it begins, from 1. Fields are valid during the call.
 * Non-zero ends the parse.
 */
typedef int csv_each(void *user, size_t line, char **field, size_t n);

/*
 * Calls `each` for every record, the header first; empty lines are skipped. Fields are unquoted in
 * place, so text is overwritten, and text[size] must be writable. EFORMAT names the line; ENOMEM;
 * otherwise the result of `each`.
 */
int ims_csv_parse(char *text, size_t size, csv_each *each, void *user, imgsearch_error *err);

/*
 * The same for a file of at most 256 MiB. The messages of errors, also those of `each`, begin with
 * the path. EIO, ENOTFOUND, ELIMIT.
 */
int ims_csv_read(const char *path, csv_each *each, void *user, imgsearch_error *err);

#endif
