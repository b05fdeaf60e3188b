/* The right to write, transactions and leases, of all shards together. */
#include "store/shards/shards.h"

#include <string.h>

static int begin_writing(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	(void)arg, (void)i;
	return shard->engine->leases.write_begin(shard, err);
}

int ims_shards_write_begin(store *base, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	if (base->read_only)
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s is open for reading only", base->label);
	if (atomic_exchange(&st->writing, true))
		return ims_fail(err, IMGSEARCH_EBUSY, "index %s: this program is writing to it already",
			base->label);
	int rc = ims_shards_every(st, begin_writing, NULL, err);
	if (rc) /* none holds anything that another program waits for */
		ims_shards_write_end(base);
	return rc;
}

void ims_shards_write_end(store *base)
{
	shard_store *st = (shard_store *)base;
	ims_shards_tx_rollback(base);
	for (size_t i = st->n; i-- > 0;)
		if (st->shard[i])
			st->shard[i]->engine->leases.write_end(st->shard[i]);
	atomic_store(&st->writing, false);
}

/* ---------------------------------------------------------------------------- transactions ---- */

static int begin_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	size_t *begun = arg;
	int rc = shard->engine->leases.tx_begin(shard, err);
	*begun = rc ? i : i + 1;
	return rc;
}

int ims_shards_tx_begin(store *base, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	size_t begun = 0;
	if (!atomic_load(&st->writing) || atomic_load(&st->in_tx))
		return ims_fail(err, IMGSEARCH_EINVAL,
			"index %s: a transaction needs the right to write, and none may be open", base->label);
	int rc = ims_shards_every(st, begin_one, &begun, err);
	if (rc) {
		while (begun-- > 0)
			st->shard[begun]->engine->leases.tx_rollback(st->shard[begun]);
		return rc;
	}
	atomic_store(&st->tx_thread, pthread_self());
	atomic_store(&st->in_tx, true);
	rc = ims_shards_map_renew(st, err);
	if (rc)
		ims_shards_tx_rollback(base);
	return rc;
}

int ims_shards_commit_one(shard_store *st, size_t i, imgsearch_error *err)
{
	return st->shard[i]->engine->leases.tx_commit(st->shard[i], err);
}

/* The first one is the last: what all others have is true then. */
int ims_shards_tx_commit(store *base, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	int rc = 0;
	if (!ims_shards_in_own_transaction(st))
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s: no transaction is open", base->label);
	rc = ims_shards_write_ids(st, err);
	for (size_t i = st->n; !rc && i-- > 0;)
		rc = ims_shards_commit_one(st, i, err);
	if (rc)
		ims_shards_tx_rollback(base);
	else
		ims_shards_committed(st);
	atomic_store(&st->in_tx, false);
	return rc;
}

/* What a transaction repaired is true now. */
void ims_shards_committed(shard_store *st)
{
	if (!st->repaired)
		return;
	ims_free(st->base.repaired);
	st->base.repaired = ims_format("index %s: %s", st->base.label, st->repaired);
	ims_free(st->repaired);
	st->repaired = NULL;
}

void ims_shards_tx_rollback(store *base)
{
	shard_store *st = (shard_store *)base;
	if (!atomic_load(&st->in_tx))
		return;
	atomic_store(&st->in_tx, false);
	ims_free(st->repaired);
	st->repaired = NULL;
	for (size_t i = st->n; i-- > 0;) /* those that are committed have none to roll back */
		st->shard[i]->engine->leases.tx_rollback(st->shard[i]);
}

/* The engine knows it of the thread, whichever shard failed. */
bool ims_shards_may_retry(store *base)
{
	store *first = ims_shards_first((shard_store *)base);
	return first->engine->leases.may_retry && first->engine->leases.may_retry(first);
}

/* ---------------------------------------------------------------------------------- leases ---- */

static int begin_lease(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	(void)i;
	return shard->engine->leases.lease_begin(shard, *(store_work *)arg, err);
}

int ims_shards_lease_begin(store *base, store_work work, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	int rc = ims_shards_every(st, begin_lease, &work, err);
	if (rc)
		ims_shards_lease_end(base);
	else
		atomic_store(&st->working, true);
	return rc;
}

void ims_shards_lease_end(store *base)
{
	shard_store *st = (shard_store *)base;
	atomic_store(&st->working, false);
	for (size_t i = st->n; i-- > 0;)
		if (st->shard[i])
			st->shard[i]->engine->leases.lease_end(st->shard[i]);
}

/* ---------------------------------------------------------------------------------- claims ---- */

typedef struct claiming {
	store_claim *all, *one;
	size_t n;
	bool next;
} claiming;

/*
 * A file's row may lie in any shard, so each is asked. Who claims a file first in the first shard
 * has it in all of them; the others give back what they got there.
 */
static int claim_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	claiming *c = arg;
	for (size_t k = 0; k < c->n; k++)
		c->one[k] = (store_claim){ .at = c->all[k].at };
	int rc = shard->engine->leases.claim(shard, c->one, c->n, c->next, err);
	for (size_t k = 0; !rc && k < c->n; k++) {
		store_claim *to = &c->all[k], *from = &c->one[k];
		to->ours = (i == 0 || to->ours) && from->ours;
		if (from->now.path && !to->now.path) {
			to->now = from->now;
			to->has_vector = from->has_vector;
		} else {
			ims_store_picture_clear(&from->now);
		}
	}
	return rc;
}

/* Those that another program has somewhere. */
static int give_back(store *st, const store_claim *c, size_t n, imgsearch_error *err)
{
	store_place *at = ims_alloc(n, sizeof *at);
	size_t theirs = 0;
	for (size_t k = 0; at && k < n; k++)
		if (!c[k].ours)
			at[theirs++] = c[k].at;
	int rc = !at ? ims_nomem(err) : theirs ? ims_shards_unclaim(st, at, theirs, err) : 0;
	ims_free(at);
	return rc;
}

int ims_shards_claim(store *st, store_claim *c, size_t n, bool next, imgsearch_error *err)
{
	claiming arg = { c, ims_alloc(n, sizeof *c), n, next };
	for (size_t k = 0; k < n; k++)
		c[k] = (store_claim){ .at = c[k].at };
	int rc = arg.one ? ims_shards_every((shard_store *)st, claim_one, &arg, err) : ims_nomem(err);
	if (!rc)
		rc = give_back(st, c, n, err);
	for (size_t k = 0; rc && k < n; k++)
		ims_store_picture_clear(&c[k].now);
	ims_free(arg.one);
	return rc;
}

typedef struct places {
	const store_place *at;
	size_t n;
} places;

static int unclaim_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	const places *p = arg;
	(void)i;
	return shard->engine->leases.unclaim(shard, p->at, p->n, err);
}

int ims_shards_unclaim(store *st, const store_place *at, size_t n, imgsearch_error *err)
{
	places p = { at, n };
	return ims_shards_each(st, unclaim_one, &p, err);
}
