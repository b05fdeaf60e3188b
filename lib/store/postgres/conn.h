/*
 * Within the PostgreSQL engine: an open index and its connections. A connection belongs to one
 * thread from ims_pg_acquire to ims_pg_release. Every function that sends something waits for the
 * answer: one round trip, which is counted.
 */
#ifndef IMS_POSTGRES_CONN_H
#define IMS_POSTGRES_CONN_H

#include "store/engine.h"
#include "store/postgres/params.h"

enum { PG_IDLE = 16 };

typedef struct pg_store pg_store;

typedef struct pg_link {
	pg_store *st;
	pg_conn *c;
	bool shared; /* belongs to a snapshot of its thread */
	int failed;  /* status of the first statement of a transaction that failed */
} pg_link;

struct pg_store {
	store base;
	char *conninfo; /* with its password: never shown */
	pg_oid record, record_array, vector, vector_array;
	atomic_llong trips;
	atomic_bool writing; /* the right to write is held through this handle */
	atomic_bool in_tx;
	_Atomic(pthread_t) tx_thread;
	pg_link *writer;
	pthread_mutex_t mutex; /* guards what follows */
	pg_link *idle[PG_IDLE];
	size_t n_idle;
};

/* A connection for reading on this thread; that of its snapshot, or of its transaction. */
int ims_pg_acquire(pg_store *st, pg_link **out, imgsearch_error *err);
void ims_pg_release(pg_store *st, pg_link *l); /* NULL is fine */
int ims_pg_connect(pg_store *st, pg_link **out, imgsearch_error *err);
void ims_pg_disconnect(pg_link *l); /* NULL is fine */

/* The snapshot of this thread; NULL: none. */
store_snapshot *ims_pg_snapshot_get(const pg_store *st);

/* The connection of the open transaction. EINVAL: there is none. */
int ims_pg_writer(store *st, pg_link **out, imgsearch_error *err);

/*
 * Runs a statement to its end. p may be NULL, and is freed; ENOMEM where it failed. *out (may be
 * NULL) is the result, in binary, freed by ims_pg_clear; NULL on failure.
 */
int ims_pg_run(pg_link *l, pg_result **out, imgsearch_error *err, const char *sql, pg_params *p);
void ims_pg_clear(pg_result *r); /* NULL is fine */

/* Runs several statements without parameters. */
int ims_pg_script(pg_link *l, const char *sql, imgsearch_error *err);

/*
 * Runs a query, and calls each for every row as it arrives. A result other than 0 ends the query
 * and is returned.
 */
typedef int pg_row_each(void *user, const pg_result *r, int row, imgsearch_error *err);
int ims_pg_each(pg_link *l, const char *sql, pg_params *p, pg_row_each *each, void *user,
	imgsearch_error *err);

/* Runs on a connection for reading of its own, or on that of the transaction of this thread. */
int ims_pg_read(store *st, pg_result **out, imgsearch_error *err, const char *sql, pg_params *p);
int ims_pg_read_each(store *st, const char *sql, pg_params *p, pg_row_each *each, void *user,
	imgsearch_error *err);
int ims_pg_write(store *st, pg_result **out, imgsearch_error *err, const char *sql, pg_params *p);

/*
 * Many rows into a table, as binary COPY takes them, within a transaction: begin, then for each row
 * its number of fields and by ims_pg_put_... its values, then end. They are sent as they gather.
 * end with rc (not 0) gives up, and returns it; it frees, also where begin has failed.
 */
typedef struct pg_copy {
	pg_link *l;
	buf rows;
} pg_copy;
int ims_pg_copy_begin(pg_copy *c, pg_link *l, const char *sql, imgsearch_error *err);
int ims_pg_copy_row(pg_copy *c, uint16_t fields, imgsearch_error *err);
int ims_pg_copy_end(pg_copy *c, int rc, imgsearch_error *err);

/* Columns of a row. A number that is null is 0. */
int64_t ims_pg_number(const pg_result *r, int row, int column);
bool ims_pg_is_null(const pg_result *r, int row, int column);
const char *ims_pg_value(const pg_result *r, int row, int column, size_t *size); /* terminated */
/* A copy; NULL where it is null, or *failed where memory is short. */
char *ims_pg_copy(const pg_result *r, int row, int column, bool *failed);
int ims_pg_count(const pg_result *r); /* rows */

#endif
