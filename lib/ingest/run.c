/*
 * The caller's thread of an index run. ims_run_entry hands new and changed files to the pool through a ring of items;
 * when the ring is full the oldest is waited for and retired: its row is written, and its input joins a batch (batch.c).
 * Commits happen every few seconds, after all batches, so that an indexed row without its vector is never committed.
 * Everything is retired in the order of the walk: which of two equal files is the duplicate does not depend on threads.
 */
#include "ingest/index.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

static const double commit_every = 2; /* seconds */

int ims_run_transaction(index_run *r)
{
	if (r->in_transaction)
		return 0;
	int rc = ims_store_tx_begin(r->s->store, r->err);
	r->in_transaction = !rc;
	return rc;
}

static int commit(index_run *r)
{
	if (!r->in_transaction)
		return 0;
	double start = ims_now();
	r->in_transaction = false;
	int rc = ims_store_tx_commit(r->s->store, r->err);
	r->last_commit = ims_now();
	r->counts.store_s += r->last_commit - start;
	return rc;
}

void ims_run_init(index_run *r, imgsearch *s, imgsearch_error *err)
{
	r->s = s;
	r->err = err;
	r->context.s = s;
	pthread_mutex_init(&r->context.lock, NULL);
	pthread_cond_init(&r->context.finished, NULL);
	r->last_commit = ims_now();
}

static void count_state(index_run *r, uint32_t state)
{
	imgsearch_counts *c = &r->counts;
	uint64_t *const by_state[] = { NULL, &c->indexed, &c->duplicate, &c->unsupported, &c->damaged, &c->too_big,
		&c->excluded, &c->unreadable };
	if (state >= IMGSEARCH_INDEXED && state <= IMGSEARCH_UNREADABLE)
		++*by_state[state];
}

static int report(index_run *r, const char *path)
{
	imgsearch_counts *c = &r->counts;
	imgsearch_progress p = { .stage = "index", .path = path, .done = c->seen, .total = r->expected > c->seen ? r->expected : c->seen,
		.failed = c->damaged + c->too_big + c->unreadable, .loss = NAN, .accuracy = NAN };
	if (!r->expected)
		p.total = 0;
	return ims_job_progress(&r->job, &p, r->err);
}

/* -------------------------------------------------------------------------------------------------- workers ---- */

void ims_run_wait(index_run *r, const bool *done)
{
	double start = ims_now();
	pthread_mutex_lock(&r->context.lock);
	while (!*done)
		pthread_cond_wait(&r->context.finished, &r->context.lock);
	pthread_mutex_unlock(&r->context.lock);
	r->waited += ims_now() - start;
}

void ims_run_give(index_run *r, void (*work)(void *), void *arg)
{
	double start = ims_now();
	ims_pool_run(r->s->pool, work, arg); /* waits where the queue is full */
	r->waited += ims_now() - start;
}

/* The network, and the memory whose size depends on it. Called before the first item goes to a worker. */
static int load_network(index_run *r)
{
	int rc = ims_batch_open(r);
	if (rc)
		return rc;
	r->cap = r->batch + 2 * r->s->threads;
	r->ring = ims_zalloc(r->cap, sizeof *r->ring);
	return r->ring ? 0 : ims_nomem(r->err);
}

/* A kill loses no more than this many seconds, however few pictures there are among the files. */
static int commit_in_time(index_run *r)
{
	if (!r->in_transaction || ims_now() - r->last_commit < commit_every)
		return 0;
	int rc = ims_batch_flush(r);
	return rc ? rc : commit(r);
}

/* --------------------------------------------------------------------------------------------------- retire ---- */

static store_picture row_of(const item *it)
{
	store_picture p = { .id = it->id, .root = it->root, .path = it->path, .size = it->size, .mtime_ns = it->mtime_ns,
		.state = it->state, .reason = it->state == IMGSEARCH_INDEXED ? NULL : it->why.message,
		.width = it->head.width, .height = it->head.height, .hash = it->hash };
	return p;
}

/*
 * The indexed picture with these bytes now: what the worker saw is as old as the last commit, and this run may have
 * given that picture other bytes, or these bytes to another one. Pixels that the worker saved itself are made up for.
 */
static int confirm_twin(index_run *r, item *it)
{
	store_picture p = { 0 };
	if (it->state != IMGSEARCH_INDEXED || it->vector_only)
		return 0;
	int rc = ims_store_picture_by_hash(r->s->store, &it->hash, &p, r->err);
	if (rc && rc != IMGSEARCH_ENOTFOUND)
		return rc;
	it->twin = rc ? 0 : p.id;
	if (!it->decoded && it->twin)
		it->head = (image_head){ .width = p.width, .height = p.height };
	ims_store_picture_clear(&p);
	if (!it->decoded && !it->twin) {
		it->decode_anyway = true;
		ims_item_work(it);
		it->twin = 0;
	}
	return 0;
}

/* Where the twin's file was: gone means that this file is it, moved. */
static int twin_moved(index_run *r, int64_t id, bool *moved)
{
	store_picture p = { 0 };
	char *root = NULL;
	struct stat st;
	*moved = false;
	int rc = ims_store_picture_get(r->s->store, id, &p, &root, r->err);
	char *full = rc ? NULL : ims_path_join(p.root ? root : NULL, p.path);
	if (!rc && !full)
		rc = ims_nomem(r->err);
	if (!rc && full[0] == '/' && lstat(full, &st) && (errno == ENOENT || errno == ENOTDIR)) {
		known *old = ims_known_find(&r->known, ims_path_key(p.root, p.path));
		*moved = old && !old->seen;
		if (*moved)
			old->seen = true;
	}
	ims_free(full);
	ims_free(root);
	ims_store_picture_clear(&p);
	return rc;
}

static int retire_twin(index_run *r, item *it, int64_t twin)
{
	bool moved;
	store_picture row = row_of(it);
	int rc = twin_moved(r, twin, &moved);
	if (rc)
		return rc;
	if (moved) {
		if (it->id)
			rc = ims_store_picture_remove(r->s->store, it->id, r->err);
		if (!rc)
			rc = ims_store_picture_move(r->s->store, twin, it->root, it->path, it->mtime_ns, r->err);
		r->counts.moved++;
		count_state(r, IMGSEARCH_INDEXED);
		return rc;
	}
	row.state = IMGSEARCH_DUPLICATE;
	row.same_as = twin;
	count_state(r, row.state);
	r->counts.added += !it->id;
	return ims_store_picture_put(r->s->store, &row, r->err);
}

static int retire_new(index_run *r, item *it)
{
	store_picture row = row_of(it);
	int rc = ims_store_picture_put(r->s->store, &row, r->err);
	if (!rc)
		rc = ims_store_signature_put(r->s->store, row.id, &it->hash, &it->pixels, sizeof it->pixels, r->err);
	if (rc)
		return rc;
	r->counts.added += !it->id;
	count_state(r, IMGSEARCH_INDEXED);
	return ims_batch_join(r, it, row.id);
}

static int retire_known(index_run *r, item *it)
{
	store_picture row = row_of(it);
	r->counts.unchanged++;
	count_state(r, IMGSEARCH_INDEXED);
	int rc = it->vector_only ? 0 : ims_store_picture_put(r->s->store, &row, r->err);
	return rc || !it->decoded ? rc : ims_batch_join(r, it, it->id);
}

static int retire_bad(index_run *r, item *it)
{
	store_picture row = row_of(it);
	count_state(r, it->state);
	r->counts.added += !it->id;
	ims_job_log(&r->job, IMGSEARCH_LOG_DEBUG, "%s/%s: %s", it->root ? it->root_path : "", it->path, it->why.message);
	return ims_store_picture_put(r->s->store, &row, r->err);
}

static int retire(index_run *r)
{
	item *it = &r->ring[r->head];
	ims_run_wait(r, &it->done);
	r->head = (r->head + 1) % r->cap;
	r->flying--;
	r->counts.decode_s += it->seconds;
	int rc = ims_run_transaction(r);
	if (!rc)
		rc = confirm_twin(r, it);
	if (!rc && it->state != IMGSEARCH_INDEXED)
		rc = retire_bad(r, it);
	else if (!rc && (it->vector_only || (it->twin && it->twin == it->id)))
		rc = retire_known(r, it);
	else if (!rc && it->twin)
		rc = retire_twin(r, it, it->twin);
	else if (!rc)
		rc = retire_new(r, it);
	ims_free(it->path);
	ims_free(it->root_path);
	it->path = it->root_path = NULL;
	return rc;
}

/* ---------------------------------------------------------------------------------------------------- entry ---- */

static int submit(index_run *r, const walk_entry *e, int64_t id, bool vector_only)
{
	int rc = r->network ? 0 : load_network(r);
	if (!rc && r->flying == r->cap)
		rc = retire(r);
	if (rc)
		return rc;
	item *it = &r->ring[(r->head + r->flying) % r->cap];
	float *input = it->input;
	*it = (item){ .run = r, .root = r->root, .size = e->size, .mtime_ns = e->mtime_ns, .id = id,
		.vector_only = vector_only, .input = input };
	it->path = ims_strdup(e->path);
	it->root_path = ims_strdup(r->root_path);
	if (!it->path || !it->root_path) {
		ims_free(it->path);
		ims_free(it->root_path);
		it->path = it->root_path = NULL;
		return ims_nomem(r->err);
	}
	r->flying++;
	ims_run_give(r, ims_item_work, it);
	return 0;
}

/* What is no file: its state is known without reading. */
static int record(index_run *r, const walk_entry *e, const known *k, uint32_t state)
{
	count_state(r, state);
	if (k && k->state == state && k->mtime_ns == e->mtime_ns && k->size == e->size) {
		r->counts.unchanged++;
		return 0;
	}
	store_picture row = { .id = k ? k->id : 0, .root = r->root, .path = e->path, .size = e->size,
		.mtime_ns = e->mtime_ns, .state = state, .reason = e->reason };
	int rc = ims_run_transaction(r);
	if (!rc)
		rc = ims_store_picture_put(r->s->store, &row, r->err);
	r->counts.added += !k;
	return rc;
}

static int protect(index_run *r, const char *folder)
{
	char **grown = ims_realloc(r->unreadable, r->n_unreadable + 1, sizeof *grown);
	if (!grown)
		return ims_nomem(r->err);
	r->unreadable = grown;
	grown[r->n_unreadable] = ims_strdup(folder);
	return grown[r->n_unreadable++] ? 0 : ims_nomem(r->err);
}

static bool fresh(const index_run *r, const known *k, const walk_entry *e)
{
	if (!k || k->size != e->size || k->mtime_ns != e->mtime_ns)
		return false;
	if (k->state == IMGSEARCH_INDEXED || k->state == IMGSEARCH_DUPLICATE)
		return true;
	return k->state != IMGSEARCH_UNREADABLE && k->state != IMGSEARCH_EXCLUDED && !r->options.retry;
}

static int entry_file(index_run *r, const walk_entry *e, const known *k)
{
	if (!fresh(r, k, e))
		return submit(r, e, k ? k->id : 0, false);
	if (r->next && k->state == IMGSEARCH_INDEXED && !ims_store_vector_next_has(r->s->store, k->id))
		return submit(r, e, k->id, true);
	r->counts.unchanged++;
	count_state(r, k->state);
	return 0;
}

int ims_run_entry(index_run *r, const walk_entry *e)
{
	known *k = ims_known_find(&r->known, ims_path_key(r->root, e->path));
	int rc = 0;
	if (k)
		k->seen = true;
	r->counts.seen++;
	switch (e->kind) {
	case WALK_FILE:
		rc = entry_file(r, e, k);
		break;
	case WALK_EXCLUDED:
		rc = record(r, e, k, IMGSEARCH_EXCLUDED);
		break;
	case WALK_SPECIAL:
		rc = record(r, e, k, IMGSEARCH_UNSUPPORTED);
		break;
	case WALK_UNREADABLE:
		rc = e->folder ? protect(r, e->path) : 0;
		if (!rc)
			rc = record(r, e, k, IMGSEARCH_UNREADABLE);
		break;
	}
	if (!rc)
		rc = commit_in_time(r);
	return rc ? rc : report(r, e->path);
}

int ims_run_drain(index_run *r)
{
	int rc = 0;
	while (!rc && r->flying) {
		rc = retire(r);
		if (!rc)
			rc = commit_in_time(r);
	}
	return rc;
}

/* After a cancel, what is with the workers is dropped, what is in the batch is kept. */
int ims_run_finish(index_run *r)
{
	int rc = 0;
	while (!rc && r->flying)
		rc = ims_job_cancelled(&r->job) ? IMGSEARCH_ECANCELED : retire(r);
	if (!rc || rc == IMGSEARCH_ECANCELED) {
		int flushed = ims_batch_flush(r);
		rc = flushed ? flushed : rc;
	}
	if (!rc || rc == IMGSEARCH_ECANCELED) {
		int done = commit(r);
		rc = done ? done : rc;
	}
	if (rc == IMGSEARCH_ECANCELED)
		ims_fail(r->err, rc, "cancelled; what was done is kept");
	return rc;
}

void ims_run_free(index_run *r)
{
	/* For this run's work alone: others may keep the pool busy for ever. */
	for (; r->flying; r->flying--, r->head = (r->head + 1) % r->cap)
		ims_run_wait(r, &r->ring[r->head].done);
	ims_batch_free(r);
	if (r->in_transaction)
		ims_store_tx_rollback(r->s->store);
	for (size_t i = 0; i < r->cap && r->ring; i++) {
		ims_free(r->ring[i].input);
		ims_free(r->ring[i].path);
		ims_free(r->ring[i].root_path);
	}
	for (size_t i = 0; i < r->n_unreadable; i++)
		ims_free(r->unreadable[i]);
	ims_free(r->unreadable);
	ims_free(r->ring);
	ims_model_free(r->network);
	ims_known_free(&r->known);
	ims_model_identity_free(&r->identity);
	pthread_mutex_destroy(&r->context.lock);
	pthread_cond_destroy(&r->context.finished);
}
