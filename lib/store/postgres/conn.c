/*
 * Connections and statements. Errors are told by the server's own sentence, behind the name of the
 * index, which has no password in it.
 */
#include "store/postgres/conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
		{ "57014", IMGSEARCH_EDEADLINE, 0 },
		{ "57", IMGSEARCH_EIO, ECONNRESET }, /* shut down */
		{ "58", IMGSEARCH_EIO, 0 },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strncmp(state, known[i].state, strlen(known[i].state)))
			return known[i];
	return (pg_status){ state, IMGSEARCH_EDB, 0 };
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
	default:
		return ims_store_no_item(st, id, err);
	}
}

static int fail_connection(pg_link *l, imgsearch_error *err)
{
	char line[300];
	copy_line(line, sizeof line, ims_libpq()->error(l->c));
	l->failed = IMGSEARCH_EIO;
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
	pg_status status = status_of(state);
	bool own = !strncmp(state, "IM", 2);
	int rc = own ? fail_own(l, state, message, detail, err)
				 : ims_fail(err, status.status, "index %s: %s", l->st->base.label, message);
	if (err && !own)
		err->detail = status.detail;
	l->failed = l->failed ? l->failed : rc;
	return rc;
}

/* --------------------------------------------------------------------------- statements ---- */

/* Sends a statement; the parameters are freed. */
static int send(pg_link *l, const char *sql, pg_params *p, imgsearch_error *err)
{
	static const int binary[PARAMS_MOST] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	const char *value[PARAMS_MOST];
	size_t n = p ? p->n : 0;
	int rc = p && p->data.failed ? ims_nomem(err) : 0;
	for (size_t i = 0; !rc && i < n; i++)
		value[i] = p->length[i] < 0 ? NULL : (const char *)p->data.data + p->at[i];
	if (!rc
		&& !ims_libpq()->send(l->c, sql, (int)n, n ? p->type : NULL, value, n ? p->length : NULL,
			binary, PG_BINARY))
		rc = fail_connection(l, err);
	if (p)
		ims_pg_params_free(p);
	atomic_fetch_add(&l->st->trips, 1);
	return rc;
}

/* Reads what is left of the answer. */
static void drain(pg_link *l)
{
	pg_result *r;
	while ((r = ims_libpq()->result(l->c)))
		ims_libpq()->clear(r);
}

int ims_pg_run(pg_link *l, pg_result **out, imgsearch_error *err, const char *sql, pg_params *p)
{
	const libpq *pq = ims_libpq();
	if (out)
		*out = NULL;
	int rc = send(l, sql, p, err);
	if (rc)
		return rc;
	pg_result *r = pq->result(l->c);
	int status = r ? pq->result_status(r) : PG_FATAL_ERROR;
	if (status != PG_TUPLES_OK && status != PG_COMMAND_OK)
		rc = r ? fail_result(l, r, err) : fail_connection(l, err);
	drain(l);
	if (!rc && out)
		*out = r;
	else if (r)
		pq->clear(r);
	return rc;
}

/* Reads one result of a pipeline, and the NULL behind it; the first failure is told. */
static pg_result *next_result(pg_link *l, int *rc, imgsearch_error *err)
{
	const libpq *pq = ims_libpq();
	pg_result *r = pq->result(l->c), *end;
	int status = r ? pq->result_status(r) : PG_FATAL_ERROR;
	if (!*rc && status != PG_TUPLES_OK && status != PG_COMMAND_OK)
		*rc = r ? fail_result(l, r, err) : fail_connection(l, err);
	while (r && (end = pq->result(l->c)))
		pq->clear(end);
	return r;
}

/*
 * Runs a statement of a transaction under a savepoint, so that one that fails changes nothing and
 * the transaction goes on. All goes in one round trip.
 */
static int run_in_transaction(pg_link *l, pg_result **out, imgsearch_error *err, const char *sql,
	pg_params *p)
{
	const libpq *pq = ims_libpq();
	pg_result *answer[3], *sync;
	if (p && p->data.failed) { /* before anything is sent */
		ims_pg_params_free(p);
		return ims_nomem(err);
	}
	int rc = pq->enter_pipeline(l->c) ? 0 : fail_connection(l, err);
	if (!rc)
		rc = send(l, "SAVEPOINT s", NULL, err);
	if (!rc)
		rc = send(l, sql, p, err);
	else if (p)
		ims_pg_params_free(p);
	if (!rc)
		rc = send(l, "RELEASE s", NULL, err);
	if (!rc && !pq->sync(l->c))
		rc = fail_connection(l, err);
	atomic_fetch_sub(&l->st->trips, 2);
	if (rc)
		return rc; /* nothing was sent, or the connection is lost */
	for (int i = 0; i < 3; i++)
		answer[i] = next_result(l, &rc, err);
	sync = pq->result(l->c);
	if (sync)
		pq->clear(sync);
	pq->exit_pipeline(l->c);
	for (int i = 0; i < 3; i++)
		if (answer[i] && (rc || i != 1 || !out))
			pq->clear(answer[i]);
	if (!rc && out)
		*out = answer[1];
	if (rc && pq->status(l->c) == PG_CONNECTION_OK
		&& !ims_pg_run(l, NULL, NULL, "ROLLBACK TO s", NULL))
		l->failed = 0;
	return rc;
}

int ims_pg_script(pg_link *l, const char *sql, imgsearch_error *err)
{
	const libpq *pq = ims_libpq();
	pg_result *r;
	int rc = pq->send_script(l->c, sql) ? 0 : fail_connection(l, err);
	while ((r = pq->result(l->c))) {
		int status = pq->result_status(r);
		if (!rc && status != PG_TUPLES_OK && status != PG_COMMAND_OK)
			rc = fail_result(l, r, err);
		pq->clear(r);
	}
	atomic_fetch_add(&l->st->trips, 1);
	return rc;
}

void ims_pg_clear(pg_result *r)
{
	if (r)
		ims_libpq()->clear(r);
}

int ims_pg_each(pg_link *l, const char *sql, pg_params *p, pg_row_each *each, void *user,
	imgsearch_error *err)
{
	const libpq *pq = ims_libpq();
	pg_result *r;
	int rc = send(l, sql, p, err);
	if (rc)
		return rc;
	if (!pq->single_rows(l->c))
		rc = fail_connection(l, err);
	while (!rc && (r = pq->result(l->c))) {
		int status = pq->result_status(r);
		if (status == PG_SINGLE_TUPLE)
			rc = each(user, r, 0, err);
		else if (status != PG_TUPLES_OK)
			rc = fail_result(l, r, err);
		pq->clear(r);
	}
	drain(l);
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

int ims_pg_connect(pg_store *st, pg_link **out, imgsearch_error *err)
{
	static const char *const keyword[] = { "dbname", "application_name", "client_encoding", NULL };
	const char *value[] = { st->conninfo, "imgsearch", "SQL_ASCII", NULL };
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

static bool is_in_own_transaction(const pg_store *st)
{
	return atomic_load(&st->in_tx) && pthread_equal(atomic_load(&st->tx_thread), pthread_self());
}

static int acquire_own(pg_store *st, pg_link **out, imgsearch_error *err)
{
	*out = NULL;
	pthread_mutex_lock(&st->mutex);
	if (st->n_idle)
		*out = st->idle[--st->n_idle];
	pthread_mutex_unlock(&st->mutex);
	return *out ? 0 : ims_pg_connect(st, out, err);
}

/* The first read of a snapshot begins its transaction. */
static int join(pg_store *st, store_snapshot *snapshot, pg_link **out, imgsearch_error *err)
{
	*out = snapshot->conn;
	if (*out)
		return 0;
	int rc = acquire_own(st, out, err);
	if (!rc)
		rc = ims_pg_run(*out, NULL, err, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL);
	if (rc) {
		ims_pg_release(st, *out);
		*out = NULL;
		return rc;
	}
	(*out)->shared = true;
	snapshot->conn = *out;
	return 0;
}

int ims_pg_acquire(pg_store *st, pg_link **out, imgsearch_error *err)
{
	if (is_in_own_transaction(st)) {
		*out = st->writer;
		return 0;
	}
	store_snapshot *snapshot = ims_pg_snapshot_get(st);
	return snapshot ? join(st, snapshot, out, err) : acquire_own(st, out, err);
}

/* Where one connection is lost, so are the others. */
static void drop_idle(pg_store *st)
{
	pthread_mutex_lock(&st->mutex);
	while (st->n_idle)
		ims_pg_disconnect(st->idle[--st->n_idle]);
	pthread_mutex_unlock(&st->mutex);
}

void ims_pg_release(pg_store *st, pg_link *l)
{
	if (!l || l == st->writer || l->shared)
		return;
	bool idle = !ims_libpq()->in_transaction(l->c); /* a read that failed leaves its transaction */
	bool lost = ims_libpq()->status(l->c) != PG_CONNECTION_OK;
	if (lost)
		drop_idle(st);
	if (lost || !idle) {
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

int ims_pg_read(store *base, pg_result **out, imgsearch_error *err, const char *sql, pg_params *p)
{
	pg_store *st = (pg_store *)base;
	pg_link *l;
	*out = NULL;
	int rc = ims_pg_acquire(st, &l, err);
	if (rc) {
		if (p)
			ims_pg_params_free(p);
		return rc;
	}
	rc = ims_pg_run(l, out, err, sql, p);
	ims_pg_release(st, l);
	return rc;
}

int ims_pg_read_each(store *base, const char *sql, pg_params *p, pg_row_each *each, void *user,
	imgsearch_error *err)
{
	pg_store *st = (pg_store *)base;
	pg_link *l;
	int rc = ims_pg_acquire(st, &l, err);
	if (rc) {
		if (p)
			ims_pg_params_free(p);
		return rc;
	}
	rc = ims_pg_each(l, sql, p, each, user, err);
	ims_pg_release(st, l);
	return rc;
}

int ims_pg_write(store *st, pg_result **out, imgsearch_error *err, const char *sql, pg_params *p)
{
	pg_link *l;
	if (out)
		*out = NULL;
	int rc = ims_pg_writer(st, &l, err);
	if (!rc)
		return run_in_transaction(l, out, err, sql, p);
	if (p)
		ims_pg_params_free(p);
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
