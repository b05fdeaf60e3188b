/* What connections and statements share, within conn.c, statement.c and errors.c. */
#ifndef IMS_POSTGRES_STATEMENT_H
#define IMS_POSTGRES_STATEMENT_H

#include "store/postgres/conn.h"

/* Set err, and the link's first failure; the same again where that is why this one fails. */
int ims_pg_fail_connection(pg_link *l, imgsearch_error *err);
bool ims_pg_was_answered(const pg_link *l); /* the connection failed by a message of the server */
int ims_pg_fail_result(pg_link *l, const pg_result *r, imgsearch_error *err);

/* Whether what failed last on this thread may succeed when it is done again. */
bool ims_pg_failure_passes(void);

bool ims_pg_is_lost(const pg_link *l);
void ims_pg_drain(pg_link *l); /* reads what is left of the answer of one statement */

/* As ims_pg_run and ims_pg_each, but the parameters stay; *rows counts the rows that came. */
int ims_pg_run_keeping(pg_link *l, pg_result **out, imgsearch_error *err, const char *sql,
	pg_params *p);
int ims_pg_each_keeping(pg_link *l, const char *sql, pg_params *p, pg_row_each *each, void *user,
	uint64_t *rows, imgsearch_error *err);

/*
 * Runs a statement of a transaction under a savepoint, so that one that fails changes nothing and
 * the transaction goes on.
 */
int ims_pg_run_in_transaction(pg_link *l, pg_result **out, imgsearch_error *err, const char *sql,
	pg_params *p);

void ims_pg_params_done(pg_params *p); /* frees them; NULL is fine */

#endif
