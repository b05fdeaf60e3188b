/* Statements: sent, in one round trip where there are several, and their answers read. */
#include "store/postgres/statement.h"

#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 24 };

/*
 * The name under which a statement is prepared on this connection; *first: not yet. False: none, it
 * is sent as text.
 */
static bool find_name(pg_link *l, const pg_statement *s, char name[NAME_SIZE], bool *first)
{
	int i = 0;
	while (i < l->n_prepared && l->prepared[i] != s->sql)
		i++;
	*first = i == l->n_prepared;
	snprintf(name, NAME_SIZE, "imgsearch_%d", i);
	return i < PG_PREPARED;
}

static int send(pg_link *l, pg_statement *s, bool prepared, imgsearch_error *err)
{
	static const int binary[PARAMS_MOST] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	const libpq *pq = ims_libpq();
	const pg_params *p = s->p;
	const char *value[PARAMS_MOST];
	char name[NAME_SIZE];
	bool first = false;
	int n = p ? (int)p->n : 0, sent = 1;
	for (int i = 0; i < n; i++)
		value[i] = p->length[i] < 0 ? NULL : (const char *)p->data.data + p->at[i];
	prepared = prepared && s->stays && find_name(l, s, name, &first);
	s->prepares = prepared && first;
	if (s->prepares) {
		sent = pq->send_prepare(l->c, name, s->sql, n, n ? p->type : NULL);
		l->prepared[l->n_prepared++] = s->sql;
	}
	if (sent && prepared)
		sent = pq->send_prepared(l->c, name, n, value, n ? p->length : NULL, binary, PG_BINARY);
	else if (sent)
		sent = pq->send(l->c, s->sql, n, n ? p->type : NULL, value, n ? p->length : NULL, binary,
			PG_BINARY);
	return sent ? 0 : ims_pg_fail_connection(l, err);
}

/* Sends statements, behind the BEGIN that waits, and the end of the pipeline. */
static int send_all(pg_link *l, pg_statement *s, size_t n, imgsearch_error *err)
{
	const libpq *pq = ims_libpq();
	bool prepared = l->begin && !atomic_load(&l->st->unprepared);
	pg_statement begin = { .sql = l->begin, .stays = s[0].stays };
	int rc = pq->enter_pipeline(l->c) ? 0 : ims_pg_fail_connection(l, err);
	if (!rc && l->begin)
		rc = send(l, &begin, prepared, err);
	l->prepares_begin = begin.prepares;
	for (size_t i = 0; !rc && i < n; i++)
		rc = send(l, &s[i], prepared, err);
	if (!rc && !pq->sync(l->c))
		rc = ims_pg_fail_connection(l, err);
	atomic_fetch_add(&l->st->trips, 1);
	return rc;
}

void ims_pg_drain(pg_link *l)
{
	pg_result *r;
	while ((r = ims_libpq()->result(l->c)))
		ims_libpq()->clear(r);
}

void ims_pg_params_done(pg_params *p)
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
		*rc = r ? ims_pg_fail_result(l, r, err) : ims_pg_fail_connection(l, err);
	if (r)
		ims_pg_drain(l);
	return r;
}

/* Reads the end of a pipeline. */
static void end_pipeline(pg_link *l)
{
	const libpq *pq = ims_libpq();
	ims_pg_clear(pq->result(l->c));
	pq->exit_pipeline(l->c);
}

/* The answer to what prepares a statement. */
static void take_prepared(pg_link *l, int *rc, imgsearch_error *err)
{
	ims_pg_clear(next_result(l, rc, err));
	l->n_prepared -= *rc != 0; /* the last ones */
}

/* The answer of the BEGIN that waited. */
static void take_begin(pg_link *l, int *rc, imgsearch_error *err)
{
	if (!l->begin)
		return;
	if (l->prepares_begin)
		take_prepared(l, rc, err);
	ims_pg_clear(next_result(l, rc, err));
	l->begin = *rc ? l->begin : NULL;
}

static int try_batch(pg_link *l, pg_statement *s, size_t n, imgsearch_error *err)
{
	int rc = send_all(l, s, n, err);
	if (rc)
		return rc; /* nothing was sent, or the connection is lost */
	take_begin(l, &rc, err);
	for (size_t i = 0; i < n; i++) {
		if (s[i].prepares)
			take_prepared(l, &rc, err);
		s[i].out = next_result(l, &rc, err);
	}
	end_pipeline(l);
	for (size_t i = 0; rc && i < n; i++) {
		ims_pg_clear(s[i].out);
		s[i].out = NULL;
	}
	return rc;
}

bool ims_pg_is_lost(const pg_link *l)
{
	return ims_libpq()->status(l->c) != PG_CONNECTION_OK;
}

/*
 * Connects again where a transaction begins: the server may have gone away, or come back since. The
 * pause doubles. False: it has been waited for long enough.
 */
static bool reconnect(pg_link *l, retry *r)
{
	if (!l->begin || !ims_pg_is_lost(l) || !ims_pg_wait_again(l->st, r))
		return false;
	ims_libpq()->reset(l->c);
	ims_pg_clear_failure(l);
	l->n_prepared = 0;
	return true;
}

/*
 * Whether a transaction that has just begun is to begin again, by statements that are sent as text:
 * those that were prepared belong to another session, behind a pooler, or do no longer fit the
 * tables. From then on none is prepared.
 */
static bool stop_preparing(pg_link *l, const char *begin)
{
	if (!begin || !l->forgot)
		return false;
	atomic_store(&l->st->unprepared, true);
	l->begin = begin;
	ims_pg_clear_failure(l);
	l->forgot = false;
	return !ims_pg_script(l, "ROLLBACK", NULL);
}

/* As ims_pg_batch, but the parameters stay. */
static int run_batch(pg_link *l, pg_statement *s, size_t n, imgsearch_error *err)
{
	retry retry = { 0 };
	const char *begin = l->begin;
	int rc;
	for (size_t i = 0; i < n; i++) {
		s[i].out = NULL;
		if (s[i].p && s[i].p->data.failed)
			return ims_nomem(err);
	}
	do
		rc = try_batch(l, s, n, err);
	while (rc && (reconnect(l, &retry) || stop_preparing(l, begin)));
	return rc;
}

int ims_pg_batch(pg_link *l, pg_statement *s, size_t n, imgsearch_error *err)
{
	int rc = run_batch(l, s, n, err);
	for (size_t i = 0; i < n; i++)
		ims_pg_params_done(s[i].p);
	return rc;
}

int ims_pg_run_keeping(pg_link *l, pg_result **out, imgsearch_error *err, const char *sql,
	pg_params *p)
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
	int rc = ims_pg_run_keeping(l, out, err, sql, p);
	ims_pg_params_done(p);
	return rc;
}

int ims_pg_run_in_transaction(pg_link *l, pg_result **out, imgsearch_error *err, const char *sql,
	pg_params *p)
{
	pg_statement s[] = { { .sql = "SAVEPOINT s" }, { .sql = sql, .p = p }, { .sql = "RELEASE s" } };
	if (p && p->data.failed) { /* before the savepoint */
		ims_pg_params_done(p);
		return ims_nomem(err);
	}
	int rc = ims_pg_batch(l, s, 3, err);
	ims_pg_clear(s[0].out);
	ims_pg_clear(s[2].out);
	if (out)
		*out = s[1].out;
	else
		ims_pg_clear(s[1].out);
	if (rc && !ims_pg_is_lost(l) && !ims_pg_run(l, NULL, NULL, "ROLLBACK TO s", NULL))
		ims_pg_clear_failure(l);
	return rc;
}

int ims_pg_read_script(pg_link *l, imgsearch_error *err)
{
	const libpq *pq = ims_libpq();
	pg_result *r;
	int rc = pq->status(l->c) == PG_CONNECTION_OK ? 0 : ims_pg_fail_connection(l, err);
	while ((r = pq->result(l->c))) {
		int status = pq->result_status(r);
		if (!rc && status != PG_TUPLES_OK && status != PG_COMMAND_OK)
			rc = ims_pg_fail_result(l, r, err);
		pq->clear(r);
	}
	atomic_fetch_add(&l->st->trips, 1);
	return rc;
}

int ims_pg_script(pg_link *l, const char *sql, imgsearch_error *err)
{
	int sent = ims_libpq()->send_script(l->c, sql);
	int rc = ims_pg_read_script(l, err);
	return rc || sent ? rc : ims_pg_fail_connection(l, err);
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
	int rc = pq->single_rows(l->c) ? 0 : ims_pg_fail_connection(l, err);
	while (!rc && (r = pq->result(l->c))) {
		int status = pq->result_status(r);
		*rows += status == PG_SINGLE_TUPLE;
		if (status == PG_SINGLE_TUPLE)
			rc = each(user, r, 0, err);
		else if (status != PG_TUPLES_OK)
			rc = ims_pg_fail_result(l, r, err);
		pq->clear(r);
	}
	if (rc)
		ims_pg_drain(l);
	return rc;
}

int ims_pg_each_keeping(pg_link *l, const char *sql, pg_params *p, pg_row_each *each, void *user,
	uint64_t *rows, imgsearch_error *err)
{
	pg_statement s = { .sql = sql, .p = p };
	retry retry = { 0 };
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
			ims_pg_drain(l);
		end_pipeline(l);
	} while (rc && !*rows && reconnect(l, &retry));
	return rc;
}

int ims_pg_each(pg_link *l, const char *sql, pg_params *p, pg_row_each *each, void *user,
	imgsearch_error *err)
{
	uint64_t rows = 0;
	int rc = ims_pg_each_keeping(l, sql, p, each, user, &rows, err);
	ims_pg_params_done(p);
	return rc;
}

/* ---------------------------------------------------------------------- many rows at once ---- */

enum { COPY_BYTES = 1 << 16 }; /* sent at once */

int ims_pg_copy_begin(pg_copy *c, pg_link *l, const char *sql, imgsearch_error *err)
{
	static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* the last 8: no flags */
	const libpq *pq = ims_libpq();
	*c = (pg_copy){ 0 };
	int rc = pq->send_script(l->c, sql) ? 0 : ims_pg_fail_connection(l, err);
	pg_result *r = rc ? NULL : pq->result(l->c);
	if (!rc && (!r || pq->result_status(r) != PG_COPY_IN))
		rc = r ? ims_pg_fail_result(l, r, err) : ims_pg_fail_connection(l, err);
	if (r)
		pq->clear(r);
	if (rc) {
		ims_pg_drain(l);
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
		return ims_pg_fail_connection(c->l, err);
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
		rc = ims_pg_fail_connection(c->l, err);
	while (c->l && (r = pq->result(c->l->c))) {
		if (!rc && pq->result_status(r) != PG_COMMAND_OK)
			rc = ims_pg_fail_result(c->l, r, err);
		pq->clear(r);
	}
	ims_buf_free(&c->rows);
	if (c->l && rc && !c->l->failed)
		c->l->failed = rc;
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

uint64_t ims_pg_big_endian(const void *data, size_t size)
{
	uint64_t v = 0;
	for (size_t i = 0; i < size; i++)
		v = v << 8 | ((const uint8_t *)data)[i];
	return v;
}

/* Of any width: bool, int4, int8. */
int64_t ims_pg_number(const pg_result *r, int row, int column)
{
	size_t size;
	const uint8_t *data = (const uint8_t *)ims_pg_value(r, row, column, &size);
	uint64_t sign = size && data[0] & 0x80 && size < 8 ? UINT64_MAX << 8 * size : 0;
	return (int64_t)(sign | ims_pg_big_endian(data, size < 8 ? size : 8));
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
