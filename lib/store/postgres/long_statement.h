/* Statements that run for minutes: building an index. */
#ifndef IMS_POSTGRES_LONG_STATEMENT_H
#define IMS_POSTGRES_LONG_STATEMENT_H

#include "store/postgres/conn.h"

/* Settings of the session that a build has; EUNSUPPORTED: pgvector is too old. */
int ims_pg_prepare_build(pg_link *l, imgsearch_error *err);

/*
 * Runs a statement. Meanwhile its progress is reported as `stage`, in rows, and the job is looked
 * at: the server cancels it then. ECANCELED, EDEADLINE.
 */
int ims_pg_run_long(pg_link *l, const char *sql, const char *stage, job *j, imgsearch_error *err);

#endif
