/*
 * What changed. The number of the newest change is the sum of those of the shards; to find what
 * changed since, the numbers behind the sums that were seen are remembered.
 */
#include "store/shards/shards.h"

#include <string.h>

void ims_shards_note_changes(shard_store *st, const shard_changes *c)
{
	enum { MOST = sizeof st->known / sizeof *st->known };
	pthread_mutex_lock(&st->mutex);
	bool has = false;
	for (size_t k = 0; k < st->n_known; k++)
		has |= !memcmp(&st->known[k], c, sizeof *c);
	if (!has && st->n_known == MOST)
		memmove(st->known, st->known + 1, (--st->n_known) * sizeof *st->known);
	if (!has)
		st->known[st->n_known++] = *c;
	pthread_mutex_unlock(&st->mutex);
}

bool ims_shards_find_changes(shard_store *st, int64_t sum, shard_changes *out)
{
	pthread_mutex_lock(&st->mutex);
	size_t k = st->n_known;
	while (k > 0 && st->known[k - 1].sum != sum)
		k--;
	if (k)
		*out = st->known[k - 1];
	pthread_mutex_unlock(&st->mutex);
	return k > 0;
}

/* ----------------------------------------------------------------------------------- state ---- */

typedef struct state_call {
	bool has[SHARDS_MOST];
	store_state of[SHARDS_MOST];
} state_call;

static int state_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	state_call *c = arg;
	int rc = shard->engine->changes.state(shard, &c->of[i], err);
	c->has[i] = !rc;
	return rc;
}

/*
 * Every shard counts its own. The epoch is the sum, too, since a change of it arrives in one shard
 * after the other. A bucket that went to a shard which this program does not know is told by them.
 */
int ims_shards_state(store *base, store_state *out, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	shard_changes changes = { 0 };
	state_call c = { 0 };
	*out = (store_state){ 0 };
	int rc = ims_shards_refuse_unfit(st, err);
	if (!rc)
		rc = ims_shards_each(base, state_one, &c, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < st->n; i++)
		if (c.has[i] && c.of[i].moved.n > st->n)
			return ims_shards_refuse_more(st, c.of[i].moved.n, err);
	for (size_t i = 0; i < st->n; i++) {
		if (!c.has[i])
			continue;
		out->epoch += c.of[i].epoch;
		changes.of[i] = c.of[i].change;
		changes.sum += c.of[i].change;
		for (size_t k = 0; k < STORE_STATES; k++)
			out->counts.by_state[k] += c.of[i].counts.by_state[k];
		out->counts.vectors += c.of[i].counts.vectors;
		out->counts.vectors_next += c.of[i].counts.vectors_next;
		out->counts.vectors_kept += c.of[i].counts.vectors_kept;
		out->counts.regions += c.of[i].counts.regions;
	}
	out->change = changes.sum;
	ims_shards_note_changes(st, &changes);
	return 0;
}

/* ------------------------------------------------------------------ what changed since ---- */

typedef struct between_call {
	const shard_changes *after, *last; /* NULL: all since */
	int64_t *ids;
	size_t n;
} between_call;

static int between_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	between_call *c = arg;
	int64_t *more = NULL;
	size_t n = 0;
	int rc = shard->engine->changes.between(shard, c->after->of[i],
		c->last ? c->last->of[i] : INT64_MAX, &more, &n, err);
	int64_t *all = rc ? NULL : ims_realloc(c->ids, c->n + n + 1, sizeof *all);
	if (!rc && !all)
		rc = ims_nomem(err);
	if (!rc) {
		c->ids = all;
		if (n)
			memcpy(all + c->n, more, n * sizeof *all);
		c->n += n;
	}
	ims_free(more);
	return rc;
}

int ims_shards_changes_between(store *base, int64_t after, int64_t last, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	shard_changes from, to;
	between_call c = { .after = &from };
	*ids = NULL;
	*n = 0;
	if (!ims_shards_find_changes(st, after, &from))
		return IMGSEARCH_ENOTFOUND;
	if (last != INT64_MAX) {
		if (!ims_shards_find_changes(st, last, &to))
			return IMGSEARCH_ENOTFOUND;
		c.last = &to;
	}
	int rc = ims_shards_each(base, between_one, &c, err);
	if (rc) {
		ims_free(c.ids);
		return rc;
	}
	*ids = c.ids;
	*n = c.n ? ims_ids_sort(c.ids, c.n) : 0;
	return 0;
}

static int trim_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	(void)arg, (void)i;
	return shard->engine->changes.trim(shard, err);
}

int ims_shards_changes_trim(store *st, imgsearch_error *err)
{
	return ims_shards_each(st, trim_one, NULL, err);
}

/* ------------------------------------------------------------------------------------- ids ---- */

/* Those that are given for a caller are of the range of the first shard. */
int ims_shards_max_id(store *base, int64_t *id, imgsearch_error *err)
{
	const shard_store *st = (const shard_store *)base;
	return st->shard[0] ? st->shard[0]->engine->changes.max_id(st->shard[0], id, err)
						: ims_fail(err, IMGSEARCH_EIO, "index %s: shard 1 (%s) is not there",
							base->label, st->name[0]);
}

void ims_shards_note_ids(shard_store *st, const int64_t *ids, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		int64_t i = ids[k] >> SHARD_RANGE;
		if (i >= (int64_t)st->n || ids[k] <= st->largest[i])
			continue;
		st->largest[i] = ids[k];
		st->note_largest = true;
	}
}

int ims_shards_use_ids(shard_store *st, const int64_t *ids, size_t n, imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < st->n; i++) {
		int64_t largest = -1;
		for (size_t k = 0; k < n; k++)
			if (ids[k] >> SHARD_RANGE == (int64_t)i && ids[k] > largest)
				largest = ids[k];
		if (largest >= 0)
			rc = st->shard[i]->engine->shard.use_id(st->shard[i], largest, err);
	}
	for (size_t k = 0; !rc && k < n; k++)
		if (ids[k] >> SHARD_RANGE >= (int64_t)st->n && ids[k] >> SHARD_RANGE < SHARDS_MOST)
			rc = ims_fail(err, IMGSEARCH_ELIMIT,
				"index %s: the id %lld is one of those that another shard would give",
				st->base.label, (long long)ids[k]);
	if (!rc)
		ims_shards_note_ids(st, ids, n);
	return rc;
}
