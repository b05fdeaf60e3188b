/* Roots, within the store. */
#ifndef IMS_STORE_ROOTS_H
#define IMS_STORE_ROOTS_H

#include "store/conn.h"

int ims_store_add_functions(conn *c, imgsearch_error *err); /* whole() of roots.c */

#endif
