/*
 * Connections and statements. Errors are told by the server's own sentence, behind the name of the
 * index, which has no password in it.
 */
#include "store/postgres/conn.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ------------------------------------------------------------------------------- errors ---- */

/* The first line, without what libpq puts before it and behind. */
static void copy_line(char *out, size_t size, const char *text)
{
	size_t n = strcspn(text ? text : "", "\n");
	snprintf(out, size, "%.*s", (int)n, text ? text : "");
}

typedef struct pg_status {
	const char *state; /* the beginning of an SQLSTATE */
	int status, detail;
} pg_status;

/* detail ECONNRESET: the server is gone, and may come back. */
static pg_status status_of(const char *state)
{
	static const pg_status known[] = {
		{ "08", IMGSEARCH_EIO, ECONNRESET }, /* connection */
		{ "28", IMGSEARCH_EIO, EACCES },     /* password */
		{ "42501", IMGSEARCH_EIO, EACCES },  /* privilege */
		{ "25006", IMGSEARCH_EIO, EROFS },   /* read only */
		{ "53100", IMGSEARCH_EIO, ENOSPC },
		{ "53200", IMGSEARCH_ENOMEM, 0 },
		{ "53", IMGSEARCH_EIO, 0 }, /* too many connections */
		{ "54", IMGSEARCH_ELIMIT, 0 },
		{ "2200H", IMGSEARCH_ELIMIT, 0 }, /* no id is left */
		{ "40", IMGSEARCH_EBUSY, 0 },     /* serialisation, deadlock */
		{ "55P03", IMGSEARCH_EBUSY, 0 },
		{ "25P03", IMGSEARCH_EIO, 0 },       /* silent for too long in a transaction */
		{ "57014", IMGSEARCH_EIO, 0 },       /* past the server's limit of time */
		{ "57", IMGSEARCH_EIO, ECONNRESET }, /* shut down */
		{ "58", IMGSEARCH_EIO, 0 },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strncmp(state, known[i].state, strlen(known[i].state)))
			return known[i];
	return (pg_status){ state, IMGSEARCH_EDB, 0 };
}

/* Whether what failed last on this thread may succeed when it is done again. */
static _Thread_local bool passing;

/* The server went away, or two waited for each other. */
static bool may_pass(const char *state)
{
	static const char *const passing[] = { "08", "25P03", "40", "57P" };
	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
		if (!strncmp(state, passing[i], strlen(passing[i])))
			return true;
	return false;
}

/* The errors that the schema's functions raise: the message is an id. */
static int fail_own(pg_link *l, const char *state, const char *message, const char *detail,
	imgsearch_error *err)
{
	store *st = &l->st->base;
	int64_t id = strtoll(message, NULL, 10);
	switch (state[4]) {
	case '1':
		return ims_fail(err, IMGSEARCH_EINVAL, "the path already has another id than %lld",
			(long long)id);
	case '2':
		return ims_store_refuse_deleted(st, "the picture", id, err);
	case '3':
		return ims_store_refuse_deleted(st, "the vector", id, err);
	case '4':
		return ims_store_refuse_deleted(st, "a picture with these bytes", id, err);
	case '5':
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s: picture %lld is in state %s", st->label,
			(long long)id, detail ? detail : "?");
	case '7':
		return ims_fail(err, IMGSEARCH_EBUSY,
			"index %s: this program was not heard of for too long, and others may do its work; what"
			" it did last is not written",
			st->label);
	case '8':
		return ims_fail(err, IMGSEARCH_EBUSY,
			"index %s: another program changed the model meanwhile; what this one did last is not"
			" written",
			st->label);
	case '9':
		return ims_fail(err, IMGSEARCH_EBUSY, "index %s: %s is building a searcher", st->label,
			detail ? detail : "another program");
	default:
		return ims_store_no_item(st, id, err);
	}
}

static int fail_connection(pg_link *l, imgsearch_error *err)
{
	char line[300];
	copy_line(line, sizeof line, ims_libpq()->error(l->c));
	l->failed = IMGSEARCH_EIO;
	passing = true;
	ims_fail(err, IMGSEARCH_EIO, "index %s: %s", l->st->base.label, line);
	if (err)
		err->detail = ECONNRESET;
	return IMGSEARCH_EIO;
}

static int fail_result(pg_link *l, const pg_result *r, imgsearch_error *err)
{
	const libpq *pq = ims_libpq();
	const char *state = pq->result_field(r, PG_DIAG_SQLSTATE),
			   *message = pq->result_field(r, PG_DIAG_PRIMARY),
			   *detail = pq->result_field(r, PG_DIAG_DETAIL);
	if (!state || !message)
		return fail_connection(l, err);
	passing = may_pass(state);
	pg_status status = status_of(state);
	bool own = !strncmp(state, "IM", 2), denied = !strcmp(state, "42501");
	int rc = own ? fail_own(l, state, message, detail, err)
				 : ims_fail(err, status.status, "index %s: %s%s", l->st->base.label,
					 denied ? "this role may not do that: " : "", message);
	if (err && !own)
		err->detail = status.detail;
	l->failed = l->failed ? l->failed : rc;
	return rc;
}

/* --------------------------------------------------------------------------- statements ---- */

static int send(pg_link *l, const char *sql, const pg_params *p, imgsearch_error *err)
{
	static const int binary[PARAMS_MOST] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	const char *value[PARAMS_MOST];
	size_t n = p ? p->n : 0;
	for (size_t i = 0; i < n; i++)
		value[i] = p->length[i] < 0 ? NULL : (const char *)p->data.data + p->at[i];
	return ims_libpq()->send(l->c, sql, (int)n, n ? p->type : NULL, value, n ? p->length : NULL,
			   binary, PG_BINARY)
		? 0
		: fail_connection(l, err);
}

/* Sends statements, behind the BEGIN that waits, and the end of the pipeline. */
static int send_all(pg_link *l, const pg_statement *s, size_t n, imgsearch_error *err)
{
	const libpq *pq = ims_libpq();
	int rc = pq->enter_pipeline(l->c) ? 0 : fail_connection(l, err);
	if (!rc && l->begin)
		rc = send(l, l->begin, NULL, err);
	for (size_t i = 0; !rc && i < n; i++)
		rc = send(l, s[i].sql, s[i].p, err);
	if (!rc && !pq->sync(l->c))
		rc = fail_connection(l, err);
	atomic_fetch_add(&l->st->trips, 1);
	return rc;
}

/* Reads what is left of the answer of one statement. */
static void drain(pg_link *l)
{
	pg_result *r;
	while ((r = ims_libpq()->result(l->c)))
		ims_libpq()->clear(r);
}

static void free_params(pg_params *p)
{
	if (p)
		ims_pg_params_free(p);
}

/* Reads one result of a pipeline, and the NULL behind it; the first failure is told. */
static pg_result *next_result(pg_link *l, int *rc, imgsearch_error *err)
{
	const libpq *pq = ims_libpq();
	pg_result *r = pq->result(l->c);
	int status = r ? pq->result_status(r) : PG_FATAL_ERROR;
	if (!*rc && status != PG_TUPLES_OK && status != PG_COMMAND_OK)
		*rc = r ? fail_result(l, r, err) : fail_connection(l, err);
	if (r)
		drain(l);
	return r;
}

/* Reads the end of a pipeline. */
static void end_pipeline(pg_link *l)
{
	const libpq *pq = ims_libpq();
	ims_pg_clear(pq->result(l->c));
	pq->exit_pipeline(l->c);
}

/* The answer of the BEGIN that waited. */
static void take_begin(pg_link *l, int *rc, imgsearch_error *err)
{
	if (!l->begin)
		return;
	ims_pg_clear(next_result(l, rc, err));
	l->begin = *rc ? l->begin : NULL;
}

static int try_batch(pg_link *l, pg_statement *s, size_t n, imgsearch_error *err)
{
	int rc = send_all(l, s, n, err);
	if (rc)
		return rc; /* nothing was sent, or the connection is lost */
	take_begin(l, &rc, err);
	for (size_t i = 0; i < n; i++)
		s[i].out = next_result(l, &rc, err);
	end_pipeline(l);
	for (size_t i = 0; rc && i < n; i++) {
		ims_pg_clear(s[i].out);
		s[i].out = NULL;
	}
	return rc;
}

static bool is_lost(const pg_link *l)
{
	return ims_libpq()->status(l->c) != PG_CONNECTION_OK;
}

/*
 * Connects again where a transaction begins: the server may have gone away, or come back since. The
 * pause doubles. False: it has been waited for long enough.
 */
static bool reconnect(pg_link *l, pg_retry *r)
{
	if (!l->begin || !is_lost(l) || !ims_pg_wait_again(l->st, r))
		return false;
	ims_libpq()->reset(l->c);
	l->failed = 0;
	return true;
}

/* As ims_pg_batch, but the parameters stay. */
static int run_batch(pg_link *l, pg_statement *s, size_t n, imgsearch_error *err)
{
	pg_retry retry = { 0 };
	int rc;
	for (size_t i = 0; i < n; i++) {
		s[i].out = NULL;
		if (s[i].p && s[i].p->data.failed)
			return ims_nomem(err);
	}
	do
		rc = try_batch(l, s, n, err);
	while (rc && reconnect(l, &retry));
	return rc;
}

int ims_pg_batch(pg_link *l, pg_statement *s, size_t n, imgsearch_error *err)
{
	int rc = run_batch(l, s, n, err);
	for (size_t i = 0; i < n; i++)
		free_params(s[i].p);
	return rc;
}

/* As ims_pg_run, but the parameters stay. */
static int run(pg_link *l, pg_result **out, imgsearch_error *err, const char *sql, pg_params *p)
{
	pg_statement s = { .sql = sql, .p = p };
	int rc = run_batch(l, &s, 1, err);
	if (out)
		*out = s.out;
	else
		ims_pg_clear(s.out);
	return rc;
}

int ims_pg_run(pg_link *l, pg_result **out, imgsearch_error *err, const char *sql, pg_params *p)
{
	int rc = run(l, out, err, sql, p);
	free_params(p);
	return rc;
}

/*
 * Runs a statement of a transaction under a savepoint, so that one that fails changes nothing and
 * the transaction goes on.
 */
static int run_in_transaction(pg_link *l, pg_result **out, imgsearch_error *err, const char *sql,
	pg_params *p)
{
	pg_statement s[] = { { .sql = "SAVEPOINT s" }, { .sql = sql, .p = p }, { .sql = "RELEASE s" } };
	if (p && p->data.failed) { /* before the savepoint */
		free_params(p);
		return ims_nomem(err);
	}
	int rc = ims_pg_batch(l, s, 3, err);
	ims_pg_clear(s[0].out);
	ims_pg_clear(s[2].out);
	if (out)
		*out = s[1].out;
	else
		ims_pg_clear(s[1].out);
	if (rc && !is_lost(l) && !ims_pg_run(l, NULL, NULL, "ROLLBACK TO s", NULL))
		l->failed = 0;
	return rc;
}

int ims_pg_read_script(pg_link *l, imgsearch_error *err)
{
	const libpq *pq = ims_libpq();
	pg_result *r;
	int rc = pq->status(l->c) == PG_CONNECTION_OK ? 0 : fail_connection(l, err);
	while ((r = pq->result(l->c))) {
		int status = pq->result_status(r);
		if (!rc && status != PG_TUPLES_OK && status != PG_COMMAND_OK)
			rc = fail_result(l, r, err);
		pq->clear(r);
	}
	atomic_fetch_add(&l->st->trips, 1);
	return rc;
}

int ims_pg_script(pg_link *l, const char *sql, imgsearch_error *err)
{
	int sent = ims_libpq()->send_script(l->c, sql);
	int rc = ims_pg_read_script(l, err);
	return rc || sent ? rc : fail_connection(l, err);
}

void ims_pg_clear(pg_result *r)
{
	if (r)
		ims_libpq()->clear(r);
}

/* The rows of the statement at work, one by one as they arrive; *rows counts them. */
static int read_rows(pg_link *l, pg_row_each *each, void *user, uint64_t *rows,
	imgsearch_error *err)
{
	const libpq *pq = ims_libpq();
	pg_result *r;
	int rc = pq->single_rows(l->c) ? 0 : fail_connection(l, err);
	while (!rc && (r = pq->result(l->c))) {
		int status = pq->result_status(r);
		*rows += status == PG_SINGLE_TUPLE;
		if (status == PG_SINGLE_TUPLE)
			rc = each(user, r, 0, err);
		else if (status != PG_TUPLES_OK)
			rc = fail_result(l, r, err);
		pq->clear(r);
	}
	if (rc)
		drain(l);
	return rc;
}

/* As ims_pg_each, but the parameters stay; *rows counts those that came. */
static int run_each(pg_link *l, const char *sql, pg_params *p, pg_row_each *each, void *user,
	uint64_t *rows, imgsearch_error *err)
{
	pg_statement s = { .sql = sql, .p = p };
	pg_retry retry = { 0 };
	int rc = p && p->data.failed ? ims_nomem(err) : 0;
	if (rc)
		return rc;
	do {
		rc = send_all(l, &s, 1, err);
		if (rc)
			continue;
		take_begin(l, &rc, err);
		if (!rc)
			rc = read_rows(l, each, user, rows, err);
		else
			drain(l);
		end_pipeline(l);
	} while (rc && !*rows && reconnect(l, &retry));
	return rc;
}

int ims_pg_each(pg_link *l, const char *sql, pg_params *p, pg_row_each *each, void *user,
	imgsearch_error *err)
{
	uint64_t rows = 0;
	int rc = run_each(l, sql, p, each, user, &rows, err);
	free_params(p);
	return rc;
}

/* ---------------------------------------------------------------------- many rows at once ---- */

enum { COPY_BYTES = 1 << 16 }; /* sent at once */

int ims_pg_copy_begin(pg_copy *c, pg_link *l, const char *sql, imgsearch_error *err)
{
	static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* the last 8: no flags */
	const libpq *pq = ims_libpq();
	*c = (pg_copy){ 0 };
	int rc = pq->send_script(l->c, sql) ? 0 : fail_connection(l, err);
	pg_result *r = rc ? NULL : pq->result(l->c);
	if (!rc && (!r || pq->result_status(r) != PG_COPY_IN))
		rc = r ? fail_result(l, r, err) : fail_connection(l, err);
	if (r)
		pq->clear(r);
	if (rc) {
		drain(l);
		return rc;
	}
	c->l = l;
	ims_buf_put(&c->rows, header, sizeof header);
	atomic_fetch_add(&l->st->trips, 2); /* with its end */
	return 0;
}

/* The server's reason is told at the end. */
static int send_rows(pg_copy *c, imgsearch_error *err)
{
	if (c->rows.failed)
		return ims_nomem(err);
	if (ims_libpq()->put_copy(c->l->c, (const char *)c->rows.data, (int)c->rows.len) != 1)
		return fail_connection(c->l, err);
	c->rows.len = 0;
	return 0;
}

int ims_pg_copy_row(pg_copy *c, uint16_t fields, imgsearch_error *err)
{
	int rc = c->rows.failed || c->rows.len >= COPY_BYTES ? send_rows(c, err) : 0;
	ims_buf_u8(&c->rows, (uint8_t)(fields >> 8));
	ims_buf_u8(&c->rows, (uint8_t)fields);
	return rc;
}

int ims_pg_copy_end(pg_copy *c, int rc, imgsearch_error *err)
{
	const libpq *pq = ims_libpq();
	pg_result *r;
	if (c->l && !rc) {
		static const char trailer[] = "\377\377"; /* -1 fields */
		ims_buf_put(&c->rows, trailer, sizeof trailer - 1);
		rc = send_rows(c, err);
	}
	if (c->l && pq->end_copy(c->l->c, rc ? "given up" : NULL) != 1 && !rc)
		rc = fail_connection(c->l, err);
	while (c->l && (r = pq->result(c->l->c))) {
		if (!rc && pq->result_status(r) != PG_COMMAND_OK)
			rc = fail_result(c->l, r, err);
		pq->clear(r);
	}
	ims_buf_free(&c->rows);
	if (c->l && rc && !c->l->failed)
		c->l->failed = rc;
	return rc;
}

/* -------------------------------------------------------------------------- connections ---- */

static void ignore_notice(void *arg, const pg_result *r)
{
	(void)arg, (void)r;
}

/*
 * What stands before the address is overruled by it: a server that is not heard of for a minute is
 * gone.
 */
int ims_pg_connect(pg_store *st, pg_link **out, imgsearch_error *err)
{
	static const char *const keyword[] = { "connect_timeout", "keepalives_idle",
		"keepalives_interval", "keepalives_count", "tcp_user_timeout", "dbname", "application_name",
		"client_encoding", NULL };
	const char *timeout = getenv("PGCONNECT_TIMEOUT");
	const char *value[] = { timeout ? timeout : "20", "30", "10", "3", "60000", st->conninfo,
		"imgsearch", "SQL_ASCII", NULL };
	const libpq *pq = ims_libpq();
	pg_link *l = *out = ims_zalloc(1, sizeof *l);
	if (!l)
		return ims_nomem(err);
	l->st = st;
	l->c = pq->connect(keyword, value, 1);
	int rc = !l->c                             ? ims_nomem(err)
		: pq->status(l->c) == PG_CONNECTION_OK ? 0
											   : fail_connection(l, err);
	if (!rc)
		pq->set_notice(l->c, ignore_notice, NULL);
	if (rc) {
		ims_pg_disconnect(l);
		*out = NULL;
	}
	return rc;
}

void ims_pg_disconnect(pg_link *l)
{
	if (!l)
		return;
	if (l->c)
		ims_libpq()->finish(l->c);
	ims_free(l);
}

bool ims_pg_in_own_transaction(const pg_store *st)
{
	return atomic_load(&st->in_tx) && pthread_equal(atomic_load(&st->tx_thread), pthread_self());
}

/* Reads the answer of the COMMIT that nobody waited for. */
static void finish_commit(pg_link *l)
{
	if (l->ending)
		drain(l);
	l->ending = false;
}

/* Where one connection is lost, so are the others. */
static void forget_idle(pg_store *st)
{
	pthread_mutex_lock(&st->mutex);
	while (st->n_idle)
		ims_pg_disconnect(st->idle[--st->n_idle]);
	pthread_mutex_unlock(&st->mutex);
}

bool ims_pg_wait_again(pg_store *st, pg_retry *r)
{
	double now = ims_now();
	if (!r->tries++) {
		r->pause = 0.05;
		r->until = now + atomic_load(&st->patience);
		return true;
	}
	if (now + r->pause > r->until)
		return false;
	nanosleep(&(struct timespec){ (time_t)r->pause, (long)(fmod(r->pause, 1) * 1e9) }, NULL);
	r->pause = r->pause < 1 ? 2 * r->pause : r->pause;
	return true;
}

bool ims_pg_try_again(pg_store *st, pg_retry *r)
{
	if (!passing || ims_pg_in_own_transaction(st) || ims_pg_snapshot_get(st))
		return false;
	forget_idle(st);
	return ims_pg_wait_again(st, r);
}

bool ims_pg_may_retry(store *st)
{
	(void)st;
	return passing;
}

void ims_pg_forget_failure(void)
{
	passing = false;
}

static int acquire_own(pg_store *st, pg_link **out, imgsearch_error *err)
{
	*out = NULL;
	pthread_mutex_lock(&st->mutex);
	if (st->n_idle)
		*out = st->idle[--st->n_idle];
	pthread_mutex_unlock(&st->mutex);
	if (!*out)
		return ims_pg_connect(st, out, err);
	finish_commit(*out);
	return 0;
}

int ims_pg_acquire(pg_store *st, pg_link **out, imgsearch_error *err)
{
	if (ims_pg_in_own_transaction(st)) {
		*out = st->writer;
		return 0;
	}
	pg_snapshot *snapshot = ims_pg_snapshot_get(st);
	if (snapshot && snapshot->link) {
		*out = snapshot->link;
		return 0;
	}
	pg_retry retry = { 0 };
	int rc;
	do
		rc = acquire_own(st, out, err);
	while (rc && snapshot && passing && ims_pg_wait_again(st, &retry));
	if (!rc && snapshot) {
		(*out)->begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
		(*out)->shared = true;
		snapshot->link = *out;
	}
	return rc;
}

void ims_pg_release(pg_store *st, pg_link *l)
{
	if (!l || l == st->writer || l->shared)
		return;
	bool idle = l->ending || ims_libpq()->in_transaction(l->c) == PG_NO_TRANSACTION;
	if (is_lost(l))
		forget_idle(st);
	if (is_lost(l) || !idle) { /* a read that failed leaves its transaction */
		ims_pg_disconnect(l);
		return;
	}
	l->failed = 0;
	pthread_mutex_lock(&st->mutex);
	bool kept = st->n_idle < PG_IDLE;
	if (kept)
		st->idle[st->n_idle++] = l;
	pthread_mutex_unlock(&st->mutex);
	if (!kept)
		ims_pg_disconnect(l);
}

void ims_pg_end_read(pg_store *st, pg_link *l)
{
	const libpq *pq = ims_libpq();
	bool begun = !l->begin;
	l->begin = NULL;
	l->shared = false;
	if (begun)
		l->ending = pq->in_transaction(l->c) == PG_IN_TRANSACTION
			&& pq->send(l->c, "COMMIT", 0, NULL, NULL, NULL, NULL, PG_BINARY);
	ims_pg_release(st, l);
}

int ims_pg_writer(store *base, pg_link **out, imgsearch_error *err)
{
	pg_store *st = (pg_store *)base;
	*out = st->writer;
	if (!atomic_load(&st->in_tx))
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s: written outside of a transaction",
			base->label);
	if (st->writer->failed)
		return ims_fail(err, st->writer->failed,
			"index %s: something failed earlier in this transaction; it is undone", base->label);
	return 0;
}

/* The error of a call that failed; one that succeeded leaves it alone. */
static int end_read(int rc, const imgsearch_error *why, pg_params *p, imgsearch_error *err)
{
	free_params(p);
	if (rc && err)
		*err = *why;
	return rc;
}

int ims_pg_read(store *base, pg_result **out, imgsearch_error *err, const char *sql, pg_params *p)
{
	pg_store *st = (pg_store *)base;
	pg_retry retry = { 0 };
	imgsearch_error why = { 0 };
	int rc;
	*out = NULL;
	do {
		pg_link *l;
		passing = false;
		rc = ims_pg_acquire(st, &l, &why);
		if (!rc) {
			rc = run(l, out, &why, sql, p);
			ims_pg_release(st, l);
		}
	} while (rc && ims_pg_try_again(st, &retry));
	return end_read(rc, &why, p, err);
}

/* Not tried again once a row came. */
int ims_pg_read_each(store *base, const char *sql, pg_params *p, pg_row_each *each, void *user,
	imgsearch_error *err)
{
	pg_store *st = (pg_store *)base;
	pg_retry retry = { 0 };
	imgsearch_error why = { 0 };
	uint64_t rows = 0;
	int rc;
	do {
		pg_link *l;
		passing = false;
		rc = ims_pg_acquire(st, &l, &why);
		if (!rc) {
			rc = run_each(l, sql, p, each, user, &rows, &why);
			ims_pg_release(st, l);
		}
	} while (rc && !rows && ims_pg_try_again(st, &retry));
	return end_read(rc, &why, p, err);
}

int ims_pg_write(store *st, pg_result **out, imgsearch_error *err, const char *sql, pg_params *p)
{
	pg_link *l;
	if (out)
		*out = NULL;
	int rc = ims_pg_writer(st, &l, err);
	if (!rc)
		return run_in_transaction(l, out, err, sql, p);
	free_params(p);
	return rc;
}

/* ------------------------------------------------------------------------------ columns ---- */

bool ims_pg_is_null(const pg_result *r, int row, int column)
{
	return ims_libpq()->is_null(r, row, column);
}

const char *ims_pg_value(const pg_result *r, int row, int column, size_t *size)
{
	*size = (size_t)ims_libpq()->length(r, row, column);
	return ims_libpq()->value(r, row, column);
}

/* Of any width: bool, int4, int8. */
int64_t ims_pg_number(const pg_result *r, int row, int column)
{
	size_t size;
	const uint8_t *data = (const uint8_t *)ims_pg_value(r, row, column, &size);
	uint64_t v = size && data[0] & 0x80 && size < 8 ? UINT64_MAX : 0;
	for (size_t i = 0; i < size && i < 8; i++)
		v = v << 8 | data[i];
	return (int64_t)v;
}

double ims_pg_double(const pg_result *r, int row, int column)
{
	int64_t bits = ims_pg_number(r, row, column);
	double v;
	memcpy(&v, &bits, sizeof v);
	return v;
}

char *ims_pg_copy(const pg_result *r, int row, int column, bool *failed)
{
	size_t size;
	if (ims_pg_is_null(r, row, column))
		return NULL;
	const char *text = ims_pg_value(r, row, column, &size);
	char *copy = ims_strndup(text, size);
	*failed |= !copy;
	return copy;
}

int ims_pg_count(const pg_result *r)
{
	return ims_libpq()->rows(r);
}
