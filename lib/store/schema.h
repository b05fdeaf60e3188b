/* The schema and its versions. */
#ifndef IMS_STORE_SCHEMA_H
#define IMS_STORE_SCHEMA_H

#include "store/conn.h"

uint32_t ims_store_page_size(uint32_t dim);

/* Steps[i] is the SQL that makes version i + 1 of version i; 0 is an empty file. All in one transaction. */
extern const char *const ims_store_steps[IMS_STORE_VERSION];
int ims_store_upgrade(conn *c, const char *const *steps, int64_t version, imgsearch_error *err);

enum { STORE_APPLICATION_ID = 0x696d7365 }; /* "imse" */

#endif
