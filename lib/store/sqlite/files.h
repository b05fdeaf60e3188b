/*
 * Stored files, within the engine. Their table is made by the first writer that needs it: without
 * it there are none.
 */
#ifndef IMS_SQLITE_FILES_H
#define IMS_SQLITE_FILES_H

#include "store/sqlite/conn.h"

int ims_sqlite_files_exist(conn *c, bool *exist, imgsearch_error *err); /* whether the table does */
int ims_sqlite_files_make(conn *c, imgsearch_error *err);               /* the table */
int ims_sqlite_file_drop(conn *c, int64_t picture, imgsearch_error *err);

#endif
