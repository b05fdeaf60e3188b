/* Within the PostgreSQL engine: the schema of an index is made, and upgraded. */
#ifndef IMS_POSTGRES_SCHEMA_H
#define IMS_POSTGRES_SCHEMA_H

#include "store/postgres/conn.h"

/* Makes the tables and functions, unless another program has. l is in no transaction. */
int ims_pg_schema_make(pg_link *l, const store_options *o, imgsearch_error *err);

/*
 * Reads the version of the schema, and the numbers of its types. An older version is upgraded in
 * one transaction, where the role owns the tables and the index is not opened for reading only.
 * EVERSION: it is a newer one, or cannot be upgraded.
 */
int ims_pg_schema_fit(pg_link *l, const store_options *o, imgsearch_error *err);

#endif
