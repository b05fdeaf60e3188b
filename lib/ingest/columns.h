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
 * Within a transaction: replaces the columns of every picture that a row of options->csv names.
 * Logs how many rows name one.
 */
int ims_columns_attach(imgsearch *s, const imgsearch_index_update_options *options, job *j,
	imgsearch_error *err);

#endif
