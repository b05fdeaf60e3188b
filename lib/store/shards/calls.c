/* Calls of all shards, and the snapshots that such calls read. */
#include "store/shards/shards.h"

#include <errno.h>
#include <stdlib.h>

static const double lost_for = 10; /* seconds until a shard that was lost is tried again */

/* What is read will be written, or what is to be written is. */
static bool needs_all(const shard_store *st)
{
	return atomic_load(&st->working) || ims_shards_in_own_transaction(st);
}

bool ims_shards_has(const shard_store *st, size_t i)
{
	double lost = st->shard[i] ? atomic_load(&st->lost_at[i]) : 0;
	bool reached = lost == 0 || ims_now() - lost > lost_for;
	return st->shard[i] && (reached || needs_all(st));
}

store *ims_shards_first(const shard_store *st)
{
	for (size_t i = 0; i < st->n; i++)
		if (ims_shards_has(st, i))
			return st->shard[i];
	for (size_t i = 0; i < st->n; i++) /* which then tells why */
		if (st->shard[i])
			return st->shard[i];
	return NULL; /* an index has one that is there */
}

bool ims_shards_is_away(int rc, const imgsearch_error *err)
{
	return rc == IMGSEARCH_EIO && err->detail == ECONNRESET;
}

int ims_shards_need(imgsearch_error *err, int rc)
{
	if (err)
		err->detail = STORE_SHARD_AWAY;
	return rc;
}

bool ims_shards_do_without(shard_store *st, size_t i, int rc, const imgsearch_error *err)
{
	if (!st->partial || needs_all(st) || !ims_shards_is_away(rc, err))
		return false;
	atomic_store(&st->lost_at[i], ims_now());
	return true;
}

int ims_shards_one(shard_store *st, size_t i, shard_call *f, void *arg, imgsearch_error *err)
{
	imgsearch_error why = { 0 };
	int rc = f(arg, i, st->shard[i], &why);
	if (rc && ims_shards_do_without(st, i, rc, &why))
		return 0;
	if (rc && err && why.code)
		*err = why;
	return rc && ims_shards_is_away(rc, &why) ? ims_shards_need(err, rc) : rc;
}

int ims_shards_each(store *base, shard_call *f, void *arg, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	int rc = 0;
	for (size_t i = 0; !rc && i < st->n; i++)
		rc = ims_shards_has(st, i) ? ims_shards_one(st, i, f, arg, err) : 0;
	return rc;
}

int ims_shards_every(shard_store *st, shard_call *f, void *arg, imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < st->n; i++)
		rc = ims_shards_has(st, i)
			? f(arg, i, st->shard[i], err)
			: ims_fail(err, IMGSEARCH_EIO,
				"index %s: shard %zu (%s) is not there, and nothing can be written without it",
				st->base.label, i + 1, st->name[i]);
	return rc;
}

/* ---------------------------------------------------------------------------- all at once ---- */

typedef struct task {
	shard_store *st;
	shard_call *f;
	void *arg;
	store_snapshot *snapshot[SHARDS_MOST];
	int rc[SHARDS_MOST];
	imgsearch_error err[SHARDS_MOST];
} task;

static void run_task(void *arg, size_t i, unsigned worker)
{
	task *t = arg;
	(void)worker;
	if (!ims_shards_has(t->st, i))
		return;
	const store_leases_table *leases = &t->st->shard[i]->engine->leases;
	store_snapshot *was = leases->snapshot_adopt(t->snapshot[i]);
	t->rc[i] = ims_shards_one(t->st, i, t->f, t->arg, &t->err[i]);
	leases->snapshot_adopt(was);
}

/* One that all threads use; NULL: none, so that shards are asked one after the other. */
static pool *get_pool(shard_store *st)
{
	enum { MOST = 32 };
	unsigned threads = 4 * (unsigned)st->n < MOST ? 4 * (unsigned)st->n : MOST;
	pthread_mutex_lock(&st->mutex);
	if (!st->pool)
		ims_pool_new(&st->pool, threads, threads, NULL);
	pool *p = st->pool;
	pthread_mutex_unlock(&st->mutex);
	return p;
}

/* A transaction, and what is read without a snapshot, belong to this thread alone. */
int ims_shards_at_once(store *base, shard_call *f, void *arg, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	if (!ims_shards_snapshot(st, 0))
		return ims_shards_each(base, f, arg, err);
	task *t = ims_zalloc(1, sizeof *t);
	if (!t)
		return ims_nomem(err);
	t->st = st;
	t->f = f;
	t->arg = arg;
	for (size_t i = 0; i < st->n; i++)
		t->snapshot[i] = ims_shards_snapshot(st, i);
	ims_parallel(get_pool(st), st->n, run_task, t);
	int rc = 0;
	for (size_t i = 0; !rc && i < st->n; i++) {
		rc = t->rc[i];
		if (rc && err)
			*err = t->err[i];
	}
	ims_free(t);
	return rc;
}

/* ------------------------------------------------------------------------------- snapshots ---- */

typedef struct found_id {
	int64_t id;
	int shard;
} found_id;

/* What a snapshot holds: that of each shard, and where found ids lie. */
typedef struct shard_snapshot {
	store_snapshot of[SHARDS_MOST];
	bool fits;    /* the snapshots fit each other */
	bool refused; /* they never will, and the caller was told */
	found_id *found;
	size_t n, cap;
} shard_snapshot;

static _Thread_local store_snapshot *innermost;

void ims_shards_snapshot_begin(store *base, store_snapshot *snapshot)
{
	shard_store *st = (shard_store *)base;
	shard_snapshot *own = ims_zalloc(1, sizeof *own);
	for (size_t i = 0; own && i < st->n; i++)
		if (st->shard[i])
			st->shard[i]->engine->leases.snapshot_begin(st->shard[i], &own->of[i]);
	*snapshot = (store_snapshot){
		.st = base,
		.conn = own,
		.depth = ims_call_depth(),
		.outer = innermost,
	};
	innermost = snapshot;
}

/* Snapshots of a thread end in reverse order. */
void ims_shards_snapshot_end(store_snapshot *snapshot)
{
	const shard_store *st = (const shard_store *)snapshot->st;
	shard_snapshot *own = snapshot->conn;
	for (size_t i = st->n; own && i-- > 0;)
		if (st->shard[i])
			st->shard[i]->engine->leases.snapshot_end(&own->of[i]);
	if (own)
		ims_free(own->found);
	ims_free(own);
	innermost = snapshot->outer;
}

static store_snapshot *find_snapshot(const shard_store *st)
{
	store_snapshot *s = innermost;
	while (s && (s->st != &st->base || s->depth != ims_call_depth()))
		s = s->outer;
	return s;
}

bool ims_shards_in_own_transaction(const shard_store *st)
{
	return atomic_load(&st->in_tx) && pthread_equal(atomic_load(&st->tx_thread), pthread_self());
}

static shard_snapshot *own_snapshot(const shard_store *st)
{
	store_snapshot *s = ims_shards_in_own_transaction(st) ? NULL : find_snapshot(st);
	return s ? s->conn : NULL;
}

store_snapshot *ims_shards_snapshot(const shard_store *st, size_t i)
{
	shard_snapshot *own = own_snapshot(st);
	return own ? &own->of[i] : NULL;
}

void ims_shards_snapshot_pause(store *base)
{
	const shard_store *st = (const shard_store *)base;
	for (size_t i = 0; i < st->n; i++)
		if (st->shard[i])
			st->shard[i]->engine->leases.snapshot_pause(st->shard[i]);
}

int ims_shards_lacking(imgsearch_error *err, int rc)
{
	if (err)
		err->detail = EXDEV;
	return rc;
}

int ims_shards_refuse_more(const shard_store *st, size_t n, imgsearch_error *err)
{
	shard_snapshot *own = own_snapshot(st);
	if (own)
		own->refused = true;
	return ims_shards_lacking(err,
		ims_fail(err, IMGSEARCH_EINVAL,
			"index %s has %zu shards by now, and this program has opened %zu: all of them are"
			" opened together",
			st->base.label, n, st->n));
}

typedef struct fitting {
	bool has[SHARDS_MOST];
	store_moved moved[SHARDS_MOST];
} fitting;

static int read_moved(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	fitting *f = arg;
	store_state state;
	int rc = shard->engine->changes.state(shard, &state, err);
	f->has[i] = !rc;
	f->moved[i] = state.moved;
	return rc;
}

const double ims_shards_patience = 10; /* seconds; a commit that follows another one takes less */

/* Notes that shard `old` has not seen what another one gave it; st->n: they fit. */
static void note_unfit(shard_store *st, size_t old)
{
	double now = ims_now();
	pthread_mutex_lock(&st->mutex);
	if (old == st->n)
		st->unfit_since = 0;
	else if (st->unfit_since == 0 || now - st->unfit_at > ims_shards_patience)
		st->unfit_since = now;
	st->unfit_at = now;
	st->unfit = old;
	pthread_mutex_unlock(&st->mutex);
}

int ims_shards_refuse_old(const shard_store *st, size_t i, imgsearch_error *err)
{
	int rc = ims_fail(err, IMGSEARCH_EDB,
		"index %s: shard %zu (%s) is older than the others, as if it were restored from a backup;"
		" the next program that may write makes them agree",
		st->base.label, i + 1, st->name[i]);
	if (err)
		err->detail = ESTALE;
	return rc;
}

int ims_shards_refuse_unfit(shard_store *st, imgsearch_error *err)
{
	double now = ims_now();
	if (ims_shards_in_own_transaction(st))
		return 0;
	pthread_mutex_lock(&st->mutex);
	bool for_long = st->unfit_since > 0 && now - st->unfit_at <= ims_shards_patience
		&& st->unfit_at - st->unfit_since > ims_shards_patience;
	size_t old = st->unfit;
	pthread_mutex_unlock(&st->mutex);
	shard_snapshot *own = own_snapshot(st);
	if (own)
		own->refused = for_long;
	if (!for_long)
		return 0;
	return ims_shards_refuse_old(st, old, err);
}

/*
 * Whether the snapshots of the shards fit each other: see move.h. EINVAL: the index has shards that
 * this program does not know.
 */
static int compare_moves(shard_store *st, bool *fit, imgsearch_error *err)
{
	fitting *f = ims_zalloc(1, sizeof *f);
	size_t old = st->n;
	bool more = false;
	int rc = f ? ims_shards_at_once(&st->base, read_moved, f, err) : ims_nomem(err);
	for (size_t i = 0; !rc && i < st->n; i++) {
		more = f->has[i] && f->moved[i].n > st->n;
		if (more)
			rc = ims_shards_refuse_more(st, f->moved[i].n, err);
		for (size_t j = 0; !rc && f->has[i] && j < st->n; j++)
			if (f->has[j] && f->moved[i].to[j] > f->moved[j].from[i])
				old = j;
	}
	ims_free(f);
	*fit = old == st->n && !more;
	if (!rc)
		note_unfit(st, old);
	return rc;
}

/* Whether a state that was only assumed is another one; it is compared by this. */
static bool any_stale(const shard_store *st, shard_snapshot *own)
{
	bool stale = false;
	for (size_t i = 0; i < st->n; i++)
		if (ims_shards_has(st, i))
			stale |= st->shard[i]->engine->leases.snapshot_stale(&own->of[i]);
	return stale;
}

int ims_shards_fit(store *base, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	shard_snapshot *own = own_snapshot(st);
	bool fit = !own || own->fits;
	int rc = 0;
	while (!rc && !fit) {
		rc = ims_shards_refuse_unfit(st, err);
		if (!rc)
			rc = compare_moves(st, &fit, err);
		if (!rc && any_stale(st, own))
			fit = false;
		if (!rc && !fit)
			ims_shards_snapshot_pause(base); /* the next reads are of others */
	}
	if (own && !rc)
		own->fits = true;
	return rc;
}

bool ims_shards_snapshot_stale(store_snapshot *snapshot)
{
	shard_store *st = (shard_store *)snapshot->st;
	shard_snapshot *own = snapshot->conn;
	if (own && own->refused)
		return false;
	bool fit = true, stale = own && any_stale(st, own);
	if (own && !stale && st->max_stale == 0)
		compare_moves(st, &fit, NULL);
	return stale || !fit;
}

/* Readers never wait for a writer. */
void ims_shards_hold_acquire(store *st, store_hold *h)
{
	(void)st;
	*h = (store_hold){ 0 };
}

void ims_shards_hold_release(store *st, store_hold *h)
{
	(void)st, (void)h;
}

/* ----------------------------------------------------------------------- where ids lie ---- */

static int by_id(const void *a, const void *b)
{
	return ims_id_compare(a, b);
}

/* Where memory is short nothing is remembered. */
void ims_shards_remember(shard_store *st, size_t i, const store_near *found, size_t n)
{
	shard_snapshot *own = own_snapshot(st);
	for (size_t k = 0; own && k < n; k++) {
		found_id *grown = ims_grow(own->found, own->n, &own->cap, sizeof *grown);
		if (!grown)
			break;
		own->found = grown;
		grown[own->n++] = (found_id){ found[k].id, (int)i };
	}
	if (own && own->n)
		qsort(own->found, own->n, sizeof *own->found, by_id);
}

bool ims_shards_recall(const shard_store *st, const int64_t *ids, size_t n, int *of)
{
	const shard_snapshot *own = own_snapshot(st);
	bool all = true;
	for (size_t k = 0; k < n; k++) {
		const found_id *f = own && own->n ? bsearch(&ids[k], own->found, own->n, sizeof *f, by_id)
										  : NULL;
		of[k] = f ? f->shard : -1;
		all &= f != NULL;
	}
	return all;
}

int ims_shards_part(shard_part *p, const int64_t *ids, size_t n, const int *of, size_t i,
	imgsearch_error *err)
{
	*p = (shard_part){ ims_alloc(n, sizeof *p->ids), ims_alloc(n, sizeof *p->at), 0 };
	if (!p->ids || !p->at) {
		ims_shards_part_free(p);
		return ims_nomem(err);
	}
	for (size_t k = 0; k < n; k++)
		if (of[k] < 0 || of[k] == (int)i) {
			p->ids[p->n] = ids[k];
			p->at[p->n++] = k;
		}
	return 0;
}

void ims_shards_part_free(shard_part *p)
{
	ims_free(p->ids);
	ims_free(p->at);
	*p = (shard_part){ 0 };
}
