/*
 * Work that takes many transactions: its lease, which a thread renews, and the files that it
 * claims. schema.sql says what a lease is.
 */
#include "base/pool.h"
#include "store/postgres/conn.h"
#include "store/postgres/pictures.h"
#include "store/postgres/postgres.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------- renewal ---- */

typedef struct pg_renewal {
	pg_store *st;
	pool *thread;
	int64_t work;
	double every; /* seconds */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ends; /* guarded by lock */
} pg_renewal;

/* Waits. False: the work ends. */
static bool rest(pg_renewal *r)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	double seconds = r->every + (double)until.tv_nsec / 1e9;
	until.tv_sec += (time_t)seconds;
	until.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9);
	pthread_mutex_lock(&r->lock);
	while (!r->ends && pthread_cond_timedwait(&r->changed, &r->lock, &until) != ETIMEDOUT)
		;
	bool goes_on = !r->ends;
	pthread_mutex_unlock(&r->lock);
	return goes_on;
}

/* What fails is left to the next transaction, which is refused where the lease has ended. */
static void renew(void *arg)
{
	pg_renewal *r = arg;
	while (rest(r)) {
		pg_link *l;
		pg_params p = { 0 };
		if (ims_pg_acquire(r->st, &l, NULL))
			continue;
		ims_pg_int(&p, r->work);
		ims_pg_run(l, NULL, NULL, "SELECT ims_renew($1)", &p);
		ims_pg_release(r->st, l);
	}
}

static void end_renewal(pg_renewal *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->ends = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	ims_pool_free(r->thread);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	ims_free(r);
}

static int begin_renewal(pg_store *st, double lease, imgsearch_error *err)
{
	pg_renewal *r = st->renewal = ims_zalloc(1, sizeof *r);
	if (!r)
		return ims_nomem(err);
	r->st = st;
	r->work = atomic_load(&st->work);
	r->every = lease / 4;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	int rc = ims_pool_new(&r->thread, 1, 1, err);
	if (!rc)
		ims_pool_run(r->thread, renew, r);
	return rc;
}

/* --------------------------------------------------------------------------------- lease ---- */

/* Within the transaction of this thread, or in one of its own. */
static int run_work(store *base, pg_result **out, imgsearch_error *err, const char *sql,
	pg_params *p)
{
	return atomic_load(&((pg_store *)base)->in_tx) ? ims_pg_write(base, out, err, sql, p)
												   : ims_pg_read(base, out, err, sql, p);
}

/*
 * Names what numbers of processes belong to: this start of the system, and the container in it.
 * "": not known.
 */
static void name_place(char *out, size_t size)
{
	char boot[64] = "", space[64] = "";
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	bool known = f && fgets(boot, sizeof boot, f);
	if (f)
		fclose(f);
	boot[strcspn(boot, "\n")] = 0;
	ssize_t n = readlink("/proc/self/ns/pid", space, sizeof space - 1);
	snprintf(out, size, "%s%s%s", known && n > 0 ? boot : "", known && n > 0 ? " " : "",
		known && n > 0 ? space : "");
}

/* Work of processes of this system that were killed ends now, not after a while. */
static int end_killed(store *base, const char *place, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r;
	size_t n = 0;
	ims_pg_text(&p, place);
	int rc = run_work(base, &r, err, "SELECT id, process FROM lease WHERE place = $1", &p);
	size_t rows = rc ? 0 : (size_t)ims_pg_count(r);
	int64_t *killed = ims_alloc(rows + 1, sizeof *killed);
	if (!rc && !killed)
		rc = ims_nomem(err);
	for (size_t i = 0; !rc && i < rows; i++)
		if (kill((pid_t)ims_pg_number(r, (int)i, 1), 0) && errno == ESRCH)
			killed[n++] = ims_pg_number(r, (int)i, 0);
	ims_pg_clear(r);
	if (!rc && n) {
		ims_pg_int8_array(&p, killed, n);
		rc = run_work(base, &r, err, "SELECT ims_end_killed($1)", &p);
		ims_pg_clear(r);
	}
	ims_free(killed);
	return rc;
}

int ims_pg_lease_begin(store *base, store_work work, imgsearch_error *err)
{
	pg_store *st = (pg_store *)base;
	char host[65] = "", holder[120], place[160];
	pg_params p = { 0 };
	pg_result *r;
	ims_pg_lease_end(base);
	name_place(place, sizeof place);
	int rc = *place ? end_killed(base, place, err) : 0;
	if (rc)
		return rc;
	gethostname(host, sizeof host - 1);
	snprintf(holder, sizeof holder, "%s (process %ld)", host, (long)getpid());
	ims_pg_text(&p, work == STORE_BUILDS ? "build" : "index");
	ims_pg_text(&p, holder);
	ims_pg_text(&p, place);
	ims_pg_int(&p, getpid());
	rc = run_work(base, &r, err,
		"SELECT ims_begin_work($1, $2, $3, $4),"
		" (extract(epoch FROM ims_lease_time()) * 1000)::bigint",
		&p);
	double lease = rc ? 0 : (double)ims_pg_number(r, 0, 1) / 1000;
	atomic_store(&st->work, rc ? 0 : ims_pg_number(r, 0, 0));
	ims_pg_clear(r);
	if (rc)
		return rc;
	atomic_store(&st->patience, lease);
	return begin_renewal(st, lease, err);
}

/* Where the server is away, the lease ends by itself. */
void ims_pg_lease_end(store *base)
{
	pg_store *st = (pg_store *)base;
	int64_t work = atomic_exchange(&st->work, 0);
	pg_params p = { 0 };
	pg_result *r;
	end_renewal(st->renewal);
	st->renewal = NULL;
	atomic_store(&st->patience, 0);
	if (!work)
		return;
	ims_pg_int(&p, work);
	run_work(base, &r, NULL, "SELECT ims_end_work($1)", &p);
	ims_pg_clear(r);
}

/* -------------------------------------------------------------------------------- claims ---- */

static int read_claim(const pg_result *r, int row, store_claim *c, imgsearch_error *err)
{
	enum { VERSION = PG_PICTURE_COUNT, SIDECARS, NUMBER, OURS, HAS_VECTOR };
	store_claim *to = &c[ims_pg_number(r, row, NUMBER) - 1];
	to->ours = ims_pg_number(r, row, OURS) != 0;
	to->has_vector = ims_pg_number(r, row, HAS_VECTOR) != 0;
	if (ims_pg_is_null(r, row, 0))
		return 0;
	store_picture p;
	int rc = ims_pg_picture(r, row, 0, &p, err);
	if (rc)
		return rc;
	p.facts_version = (uint32_t)ims_pg_number(r, row, VERSION);
	p.sidecars = (uint64_t)ims_pg_number(r, row, SIDECARS);
	to->now = p;
	to->now.path = ims_strdup(p.path);
	to->now.root_path = ims_strdup(p.root_path);
	to->now.reason = p.reason ? ims_strdup(p.reason) : NULL;
	return to->now.path && to->now.root_path && (to->now.reason || !p.reason) ? 0 : ims_nomem(err);
}

/* n places, so many bytes apart: two parameters. */
static void put_places(pg_params *p, const store_place *first, size_t n, size_t apart)
{
#define PLACE(i) ((const store_place *)((const char *)first + (i)*apart))
	ims_pg_array_begin(p, PG_INT8_ARRAY, PG_INT8, n);
	for (size_t i = 0; i < n; i++)
		ims_pg_put_int8(&p->data, PLACE(i)->root);
	ims_pg_array_end(p);
	ims_pg_array_begin(p, PG_BYTEA_ARRAY, PG_BYTEA, n);
	for (size_t i = 0; i < n; i++)
		ims_pg_put_bytes(&p->data, PLACE(i)->path, strlen(PLACE(i)->path));
	ims_pg_array_end(p);
#undef PLACE
}

int ims_pg_claim(store *base, store_claim *c, size_t n, bool next, imgsearch_error *err)
{
	pg_store *st = (pg_store *)base;
	pg_params p = { 0 };
	pg_result *r;
	for (size_t i = 0; i < n; i++)
		c[i] = (store_claim){ .at = c[i].at };
	ims_pg_int(&p, atomic_load(&st->work));
	put_places(&p, &c->at, n, sizeof *c);
	ims_pg_int(&p, next);
	int rc = ims_pg_read(base, &r, err,
		"SELECT " PG_PICTURE ", c.version, c.sidecars, c.number, c.ours, c.has_vector FROM"
		" ims_claim($1, $2, $3, $4 <> 0) c CROSS JOIN LATERAL (SELECT (c.p).*) p LEFT JOIN root r"
		" ON r.id = p.root",
		&p);
	for (int row = 0; !rc && row < ims_pg_count(r); row++)
		rc = read_claim(r, row, c, err);
	ims_pg_clear(r);
	for (size_t i = 0; rc && i < n; i++)
		ims_store_picture_clear(&c[i].now);
	return rc;
}

int ims_pg_unclaim(store *base, const store_place *at, size_t n, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r;
	ims_pg_int(&p, atomic_load(&((pg_store *)base)->work));
	put_places(&p, at, n, sizeof *at);
	int rc = ims_pg_read(base, &r, err,
		"DELETE FROM claim c USING unnest($2, $3) AS k (root, path) WHERE c.root = k.root AND"
		" c.path = k.path AND c.lease = $1",
		&p);
	ims_pg_clear(r);
	return rc;
}
