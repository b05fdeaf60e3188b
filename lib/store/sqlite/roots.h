/* Roots, within the store. */
#ifndef IMS_SQLITE_ROOTS_H
#define IMS_SQLITE_ROOTS_H

#include "store/sqlite/conn.h"

/*
 * The way from an index to a root that it lies in, a static string; *way is NULL where it lies
 * elsewhere, as ":memory:" does.
 */
int ims_sqlite_way_from_index(const char *index, const char *root, const char **way,
	imgsearch_error *err);

int ims_sqlite_add_functions(conn *c, imgsearch_error *err); /* whole() of roots.c */

#endif
