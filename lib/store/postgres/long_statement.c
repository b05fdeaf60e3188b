#include "store/postgres/long_statement.h"

#include <poll.h>

int ims_pg_prepare_build(pg_link *l, imgsearch_error *err)
{
	enum { OLDEST = 700, PARALLEL = 802 };
	pg_result *r;
	int rc = ims_pg_run(l, &r, err, "SELECT ims_vector_version()", NULL);
	int64_t version = rc ? 0 : ims_pg_number(r, 0, 0);
	ims_pg_clear(r);
	if (!rc && version < OLDEST)
		rc = ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			"index %s: pgvector 0.7 or newer is needed for an index over the rows",
			l->st->base.label);
	/* memory: what the graph of some million rows takes; at least what the server says */
	if (!rc)
		rc = ims_pg_script(l,
			"SET statement_timeout = 0; SELECT set_config('maintenance_work_mem', greatest("
			"pg_size_bytes(current_setting('maintenance_work_mem')), 1 << 30) / 1024 || 'kB',"
			" false)",
			err);
	/* parallel builds could overflow a buffer before 0.8.2 (its change log) */
	if (!rc && version < PARALLEL)
		rc = ims_pg_script(l, "SET max_parallel_maintenance_workers = 0", err);
	return rc;
}

/* How far the server is: rows of the table at work. */
static int report(pg_link *watch, int64_t server_pid, const char *stage, job *j,
	imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r;
	ims_pg_int(&p, server_pid);
	int rc = ims_pg_run(watch, &r, err,
		"SELECT tuples_done, (SELECT reltuples::bigint FROM pg_class WHERE oid = p.relid) FROM"
		" pg_stat_progress_create_index p WHERE pid = $1",
		&p);
	if (!rc && ims_pg_count(r)) {
		int64_t done = ims_pg_number(r, 0, 0), all = ims_pg_number(r, 0, 1);
		rc = ims_job_step(j, stage, (uint64_t)done, (uint64_t)(all > done ? all : done), err);
	}
	ims_pg_clear(r);
	return rc ? rc : ims_job_check(j, err);
}

/* Waits for the answer. On failure the statement was cancelled. */
static int wait_for(pg_link *l, pg_link *watch, const char *stage, job *j, imgsearch_error *err)
{
	enum { LOOK_MS = 200 };
	const libpq *pq = ims_libpq();
	int rc = 0;
	while (!rc && pq->consume(l->c) && pq->is_busy(l->c)) {
		struct pollfd fd = { pq->socket(l->c), POLLIN, 0 };
		if (!poll(&fd, 1, LOOK_MS))
			rc = report(watch, pq->server_pid(l->c), stage, j, err);
	}
	if (rc) {
		char why[200];
		pg_cancel *cancel = pq->get_cancel(l->c);
		if (cancel)
			pq->cancel(cancel, why, sizeof why);
		pq->free_cancel(cancel);
	}
	return rc;
}

int ims_pg_run_long(pg_link *l, const char *sql, const char *stage, job *j, imgsearch_error *err)
{
	pg_link *watch;
	int rc = ims_pg_connect(l->st, &watch, err);
	if (rc)
		return rc;
	imgsearch_error own;
	if (!ims_libpq()->send_script(l->c, sql))
		rc = ims_pg_read_script(l, err);
	if (!rc)
		rc = wait_for(l, watch, stage, j, err);
	int ended = ims_pg_read_script(l, &own);
	if (!rc && ended && err)
		*err = own;
	ims_pg_disconnect(watch);
	return rc ? rc : ended;
}
