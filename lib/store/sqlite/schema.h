/* The schema and its versions. */
#ifndef IMS_SQLITE_SCHEMA_H
#define IMS_SQLITE_SCHEMA_H

#include "store/sqlite/conn.h"

/* Bytes of a page for rows of one vector of dim values; 0: unknown. */
uint32_t ims_sqlite_page_size(uint32_t dim);

/* ims_sqlite_steps[i] makes version i + 1 from version i; 0 is an empty file. */
extern const char *const ims_sqlite_steps[IMS_STORE_VERSION];

/*
 * ims_sqlite_views[i] makes views, in a connection alone, that have the names and columns of the
 * tables of the newest version on those of a file of version i + 1.
 */
extern const char *const ims_sqlite_views[IMS_STORE_VERSION - 1];

/* Runs the steps that the file lacks, and gives it a number, in one transaction. */
int ims_sqlite_upgrade(conn *c, const char *const *steps, int64_t version, imgsearch_error *err);

enum { STORE_APPLICATION_ID = 0x696d7365 }; /* "imse" */

#endif
