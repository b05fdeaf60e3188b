/* Connections: opened, kept while they are idle, and made again where the server went away. */
#include "store/postgres/statement.h"

#include <stdlib.h>
#include <string.h>

static void ignore_notice(void *arg, const pg_result *r)
{
	(void)arg, (void)r;
}

/*
 * From now on messages of libpq have the SQLSTATE. Before, they have not: a server that refused is
 * asked once more.
 */
static void tell_states(pg_link *l)
{
	ims_libpq()->set_verbosity(l->c, PG_ERRORS_VERBOSE);
	if (ims_pg_is_lost(l) && ims_pg_was_answered(l))
		ims_libpq()->reset(l->c);
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
	if (l->c)
		tell_states(l);
	int rc = !l->c ? ims_nomem(err) : ims_pg_is_lost(l) ? ims_pg_fail_connection(l, err) : 0;
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
		ims_pg_drain(l);
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

bool ims_pg_wait_again(pg_store *st, retry *r)
{
	return ims_retry_wait(r, atomic_load(&st->patience), NULL);
}

bool ims_pg_try_again(pg_store *st, retry *r)
{
	if (!ims_pg_failure_passes() || ims_pg_in_own_transaction(st) || ims_pg_snapshot_get(st))
		return false;
	forget_idle(st);
	return ims_pg_wait_again(st, r);
}

bool ims_pg_may_retry(store *st)
{
	(void)st;
	return ims_pg_failure_passes();
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
	int rc = snapshot ? ims_pg_snapshot_read_on(st, snapshot, err) : 0;
	if (rc)
		return rc;
	if (snapshot && snapshot->link) {
		*out = snapshot->link;
		return 0;
	}
	retry retry = { 0 };
	do
		rc = acquire_own(st, out, err);
	while (rc && snapshot && ims_pg_failure_passes() && ims_pg_wait_again(st, &retry));
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
	if (ims_pg_is_lost(l))
		forget_idle(st);
	if (ims_pg_is_lost(l) || !idle) { /* a read that failed leaves its transaction */
		ims_pg_disconnect(l);
		return;
	}
	ims_pg_clear_failure(l);
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
	ims_pg_params_done(p);
	if (rc && err)
		*err = *why;
	return rc;
}

int ims_pg_read(store *base, pg_result **out, imgsearch_error *err, const char *sql, pg_params *p)
{
	pg_store *st = (pg_store *)base;
	retry retry = { 0 };
	imgsearch_error why = { 0 };
	int rc;
	*out = NULL;
	do {
		pg_link *l;
		ims_pg_forget_failure();
		rc = ims_pg_acquire(st, &l, &why);
		if (!rc) {
			rc = ims_pg_run_keeping(l, out, &why, sql, p);
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
	retry retry = { 0 };
	imgsearch_error why = { 0 };
	uint64_t rows = 0;
	int rc;
	do {
		pg_link *l;
		ims_pg_forget_failure();
		rc = ims_pg_acquire(st, &l, &why);
		if (!rc) {
			rc = ims_pg_each_keeping(l, sql, p, each, user, &rows, &why);
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
		return ims_pg_run_in_transaction(l, out, err, sql, p);
	ims_pg_params_done(p);
	return rc;
}
