/*
 * Titles and other columns from a CSV, attached to the pictures that its key column names
 * (files/names.h).
 */
#ifndef IMS_INGEST_COLUMNS_H
#define IMS_INGEST_COLUMNS_H

#include "handle/handle.h"

/*
 * Checks that options->csv can be read and has the columns. EIO, ENOTFOUND, EFORMAT, EINVAL,
 * ENOMEM.
 */
int ims_columns_check(const imgsearch_index_update_options *options, imgsearch_error *err);

/*
 * Replaces the columns of every picture that a row of options->csv names, in one transaction, and
 * logs then how many rows name one: a callback that reads finds no lock of ours.
 */
int ims_columns_attach(imgsearch *s, const imgsearch_index_update_options *options, job *j,
	imgsearch_error *err);

#endif
