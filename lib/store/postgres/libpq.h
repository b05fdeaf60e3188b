/*
 * libpq, loaded when an index on a server is first opened. Its interface has been stable since
 * PostgreSQL 14 (pipelines); what is used of it is declared here, so that no package of it is
 * needed to build.
 */
#ifndef IMS_POSTGRES_LIBPQ_H
#define IMS_POSTGRES_LIBPQ_H

#include "base/base.h"

typedef struct pg_conn pg_conn;
typedef struct pg_result pg_result;
typedef struct pg_cancel pg_cancel;
typedef unsigned int pg_oid;

/* As in libpq-fe.h. */
enum { PG_CONNECTION_OK = 0 };
enum { PG_NO_TRANSACTION = 0, PG_IN_TRANSACTION = 2 }; /* of in_transaction */
enum {
	PG_EMPTY_QUERY = 0,
	PG_COMMAND_OK = 1,
	PG_TUPLES_OK = 2,
	PG_COPY_OUT = 3,
	PG_COPY_IN = 4,
	PG_FATAL_ERROR = 7,
	PG_SINGLE_TUPLE = 9,
	PG_PIPELINE_SYNC = 10,
	PG_PIPELINE_ABORTED = 11,
};
enum { PG_DIAG_SQLSTATE = 'C', PG_DIAG_PRIMARY = 'M', PG_DIAG_DETAIL = 'D' };
enum { PG_TEXT = 0, PG_BINARY = 1 };
enum { PG_ERRORS_VERBOSE = 2 }; /* of set_verbosity: messages have the SQLSTATE */

typedef struct pg_conninfo_option {
	char *keyword, *envvar, *compiled, *val, *label, *dispchar;
	int dispsize;
} pg_conninfo_option;

typedef void pg_notice(void *arg, const pg_result *r);

typedef struct libpq {
	pg_conn *(*connect)(const char *const *keywords, const char *const *values, int expand_dbname);
	void (*finish)(pg_conn *c);
	void (*reset)(pg_conn *c);
	int (*status)(const pg_conn *c);
	char *(*error)(const pg_conn *c);
	int (*set_verbosity)(pg_conn *c, int verbosity);
	int (*needs_password)(const pg_conn *c);
	int (*server_version)(const pg_conn *c);
	int (*in_transaction)(const pg_conn *c);
	pg_notice *(*set_notice)(pg_conn *c, pg_notice *notice, void *arg);
	pg_conninfo_option *(*parse)(const char *conninfo, char **why);
	void (*free_options)(pg_conninfo_option *options);
	void (*free)(void *p);
	int (*send_script)(pg_conn *c, const char *sql);
	int (*send)(pg_conn *c, const char *sql, int n, const pg_oid *types, const char *const *values,
		const int *lengths, const int *formats, int result_format);
	int (*send_prepare)(pg_conn *c, const char *name, const char *sql, int n, const pg_oid *types);
	int (*send_prepared)(pg_conn *c, const char *name, int n, const char *const *values,
		const int *lengths, const int *formats, int result_format);
	pg_result *(*result)(pg_conn *c); /* NULL: no more */
	int (*single_rows)(pg_conn *c);
	int (*enter_pipeline)(pg_conn *c);
	int (*exit_pipeline)(pg_conn *c);
	int (*sync)(pg_conn *c);
	int (*socket)(const pg_conn *c);
	int (*consume)(pg_conn *c);
	int (*is_busy)(pg_conn *c);
	int (*server_pid)(const pg_conn *c);
	pg_cancel *(*get_cancel)(pg_conn *c);
	int (*cancel)(pg_cancel *cancel, char *why, int size);
	void (*free_cancel)(pg_cancel *cancel);
	int (*put_copy)(pg_conn *c, const char *data, int n);
	int (*end_copy)(pg_conn *c, const char *why);
	int (*get_copy)(pg_conn *c, char **data, int async);
	int (*result_status)(const pg_result *r);
	char *(*result_field)(const pg_result *r, int field); /* PG_DIAG_... */
	int (*rows)(const pg_result *r);
	int (*is_null)(const pg_result *r, int row, int column);
	char *(*value)(const pg_result *r, int row, int column);
	int (*length)(const pg_result *r, int row, int column);
	char *(*affected)(pg_result *r);
	void (*clear)(pg_result *r);
} libpq;

/* NULL: it is not there. Any thread. */
const libpq *ims_libpq(void);

#endif
