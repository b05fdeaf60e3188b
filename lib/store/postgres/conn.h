/*
 * Within the PostgreSQL engine: an open index and its connections. A connection belongs to one
 * thread from ims_pg_acquire to ims_pg_release. Every function that sends something waits for the
 * answer: one round trip, which is counted.
 */
#ifndef IMS_POSTGRES_CONN_H
#define IMS_POSTGRES_CONN_H

#include "store/engine.h"
#include "store/postgres/params.h"

enum { PG_IDLE = 16, PG_PREPARED = 16 };

typedef struct pg_store pg_store;

typedef struct pg_link {
	pg_store *st;
	pg_conn *c;
	bool shared;         /* belongs to a snapshot of its thread */
	bool ending;         /* its COMMIT was sent, and the answer not read yet */
	const char *begin;   /* what begins its transaction, sent with the next statement; NULL: none */
	bool prepares_begin; /* it is prepared with it */
	int failed;          /* status of the first statement of a transaction that failed */
	imgsearch_error why; /* the error of that statement, told again by those behind it */
	bool passes;         /* done again, it may succeed */
	bool forgot;         /* a prepared statement that failed was not there, or is another one now */
	const char *prepared[PG_PREPARED]; /* by number */
	int n_prepared;
} pg_link;

struct pg_store {
	store base;
	char *conninfo; /* with its password: never shown */
	pg_oid record, record_array, vector, vector_array;
	atomic_llong trips;
	atomic_bool unprepared; /* statements cannot be prepared: a pooler gives other sessions */
	atomic_uint not_shown;  /* parts of items (items.h) that the last answer has not shown */
	atomic_int reads_on;    /* so many answers more are expected to read on when all was found */
	atomic_bool writing;    /* the right to write is held through this handle */
	atomic_bool in_tx;
	_Atomic(pthread_t) tx_thread;
	pg_link *writer;
	double max_stale;         /* of store_options */
	struct pg_cache *cache;   /* state_cache.h; NULL: none */
	_Atomic(double) patience; /* seconds for which a server that went away is waited for */
	_Atomic(int64_t) work;    /* the fencing number of the lease that is held; 0: none */
	struct pg_renewal *renewal;
	pthread_mutex_t mutex; /* guards what follows */
	bool has_known;
	store_state known; /* the newest that was read */
	double known_at;   /* when */
	pg_link *idle[PG_IDLE];
	size_t n_idle;
};

typedef struct pg_statement {
	const char *sql;
	bool stays;   /* sql is static, and often sent: at the begin of a transaction it is prepared */
	pg_params *p; /* or NULL */
	pg_result *out; /* out: in binary, freed by ims_pg_clear; NULL on failure */
	bool prepares;  /* out: it was prepared now */
} pg_statement;

/* Whether this thread has the open transaction. */
bool ims_pg_in_own_transaction(const pg_store *st);

/* A connection for reading on this thread; that of its snapshot, or of its transaction. */
int ims_pg_acquire(pg_store *st, pg_link **out, imgsearch_error *err);
void ims_pg_release(pg_store *st, pg_link *l); /* NULL is fine */
int ims_pg_connect(pg_store *st, pg_link **out, imgsearch_error *err);
void ims_pg_disconnect(pg_link *l);    /* NULL is fine */
void ims_pg_clear_failure(pg_link *l); /* its transaction has ended */

/* Ends the transaction of a connection for reading; the answer is read by who acquires it next. */
void ims_pg_end_read(pg_store *st, pg_link *l);

/*
 * What a snapshot holds. Its transaction begins with the first statement, in the same round trip.
 * What was read once is not read again: nothing changes in it.
 */
typedef struct pg_snapshot {
	pg_link *link; /* NULL: nothing was read yet */
	bool has_state;
	bool assumed; /* the state is the newest that was known; it is not compared yet */
	bool stale;   /* it was compared, and is another one */
	store_state state;
	struct pg_items *items; /* items.h */
	unsigned shown;         /* parts of items that were asked for */
	bool found;             /* what an answer shows was found; whether it was read on since: */
	bool read_on;
	bool over;           /* its transaction has ended with what was found: it can read no more */
	pg_result *settings; /* all: a name, and its value or NULL where that is long */
} pg_snapshot;

/* The snapshot of this thread; NULL: none, it has the open transaction, or memory is short. */
pg_snapshot *ims_pg_snapshot_get(const pg_store *st);

/*
 * A transaction may end in the round trip that finds what an answer shows, where the answers of
 * this handle need no more. One that reads on is stale, so that the query is done again.
 */
bool ims_pg_snapshot_may_end(const pg_store *st);
void ims_pg_snapshot_found(pg_store *st, pg_snapshot *snapshot, bool over);
int ims_pg_snapshot_read_on(pg_store *st, pg_snapshot *snapshot, imgsearch_error *err);

/* The next snapshot reads the state. */
void ims_pg_forget_state(pg_store *st);

/*
 * Compares the state that a snapshot assumes with that of its transaction: a statement, and what is
 * done with its result. `changes`: also whether vectors changed. EBUSY: it is stale.
 */
pg_statement ims_pg_state_ask(void);
int ims_pg_state_compare(pg_store *st, pg_snapshot *snapshot, pg_result *r, bool changes,
	imgsearch_error *err);

/*
 * Whether to do again what failed last on this thread, after a while: the server went away, or two
 * transactions waited for each other. Not within a transaction or a snapshot. A connection that lay
 * idle may have been lost before, so once is always tried.
 */
bool ims_pg_try_again(pg_store *st, retry *r);
bool ims_pg_wait_again(pg_store *st, retry *r); /* the pause alone; false: long enough */
void ims_pg_forget_failure(void);               /* comes before what may be done again */

/* The connection of the open transaction. EINVAL: there is none. */
int ims_pg_writer(store *st, pg_link **out, imgsearch_error *err);

/*
 * Runs n statements, in one round trip; behind one that fails none runs. Their parameters are
 * freed; ENOMEM where one of them failed. Outside of a transaction, and at its beginning, a
 * connection that is lost is made again.
 */
int ims_pg_batch(pg_link *l, pg_statement *s, size_t n, imgsearch_error *err);

/* The same for one statement. out may be NULL. */
int ims_pg_run(pg_link *l, pg_result **out, imgsearch_error *err, const char *sql, pg_params *p);
void ims_pg_clear(pg_result *r); /* NULL is fine */

/* Runs several statements without parameters. */
int ims_pg_script(pg_link *l, const char *sql, imgsearch_error *err);
int ims_pg_read_script(pg_link *l, imgsearch_error *err); /* the answers of what was sent */

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
uint64_t ims_pg_big_endian(const void *data, size_t size); /* at most 8 bytes */
double ims_pg_double(const pg_result *r, int row, int column);
bool ims_pg_is_null(const pg_result *r, int row, int column);
const char *ims_pg_value(const pg_result *r, int row, int column, size_t *size); /* terminated */
/* A copy; NULL where it is null, or *failed where memory is short. */
char *ims_pg_copy(const pg_result *r, int row, int column, bool *failed);
int ims_pg_count(const pg_result *r); /* rows */

#endif
