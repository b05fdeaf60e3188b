/* A shard that was restored from a backup: see move.h. */
#include "store/shards/move.h"

#include <string.h>

/* Items of a bucket of shard i, and which of them the others know better. */
typedef struct known_items {
	shard_store *st;
	size_t i, owner, n;
	int64_t *ids;
	store_picture *picture; /* (n); without a path: a vector */
	store_place *at;        /* (n) */
	hash256 *hash;          /* (n) */
	store_picture *found;   /* (n), scratch */
	uint8_t *presence;      /* (n), scratch */
	bool *known;            /* (n) */
} known_items;

static void free_items(known_items *k)
{
	if (k->picture)
		ims_store_pictures_clear(k->picture, k->n);
	ims_free(k->ids);
	ims_free(k->picture);
	ims_free(k->at);
	ims_free(k->hash);
	ims_free(k->found);
	ims_free(k->presence);
	ims_free(k->known);
}

static int read_items(known_items *k, uint32_t bucket, imgsearch_error *err)
{
	store *own = k->st->shard[k->i];
	int rc = own->engine->shard.items(own, bucket, &k->ids, &k->n, err);
	if (rc || !k->n)
		return rc;
	k->picture = ims_zalloc(k->n, sizeof *k->picture);
	k->at = ims_alloc(k->n, sizeof *k->at);
	k->hash = ims_alloc(k->n, sizeof *k->hash);
	k->found = ims_zalloc(k->n, sizeof *k->found);
	k->presence = ims_alloc(k->n, 1);
	k->known = ims_zalloc(k->n, sizeof *k->known);
	if (!k->picture || !k->at || !k->hash || !k->found || !k->presence || !k->known)
		return ims_nomem(err);
	rc = own->engine->pictures.get(own, k->ids, k->n, k->picture, err);
	for (size_t j = 0; j < k->n; j++) {
		const store_picture *p = &k->picture[j];
		k->at[j] = (store_place){ p->path ? p->root : -1, p->path ? p->path : "" };
		k->hash[j] = p->hash;
	}
	return rc;
}

static void take_found(known_items *k)
{
	for (size_t j = 0; j < k->n; j++)
		k->known[j] |= k->found[j].path != NULL;
	ims_store_pictures_clear(k->found, k->n);
	memset(k->found, 0, k->n * sizeof *k->found);
}

/* By id and path, of the shard where they belong by bytes, too. */
static int ask(known_items *k, size_t other, imgsearch_error *err)
{
	store *shard = k->st->shard[other];
	const store_pictures_table *p = &shard->engine->pictures;
	int rc = p->presences(shard, k->ids, k->n, k->presence, err);
	for (size_t j = 0; !rc && j < k->n; j++)
		k->known[j] |= k->presence[j] != STORE_ABSENT;
	if (!rc)
		rc = p->find(shard, k->at, k->n, k->found, err);
	take_found(k);
	if (!rc && other == k->owner)
		rc = p->by_hash(shard, k->hash, k->n, k->found, err);
	take_found(k);
	return rc;
}

/* Removes those that the others know, as where a file is gone; the rest stays in ids. */
static int remove_known(known_items *k, imgsearch_error *err)
{
	store *own = k->st->shard[k->i];
	int64_t *gone = ims_alloc(k->n, sizeof *gone);
	size_t n = 0, rest = 0;
	for (size_t j = 0; gone && j < k->n; j++)
		if (k->known[j])
			gone[n++] = k->ids[j];
		else
			k->ids[rest++] = k->ids[j];
	int rc = !gone ? ims_nomem(err) : n ? own->engine->pictures.remove(own, gone, n, err) : 0;
	ims_store_pictures_clear(k->picture, k->n);
	memset(k->picture, 0, k->n * sizeof *k->picture);
	k->n = rest;
	ims_free(gone);
	return rc;
}

static int settle_bucket(shard_store *st, size_t i, uint32_t bucket, uint64_t *removed,
	imgsearch_error *err)
{
	known_items k = { .st = st, .i = i, .owner = st->map.of[bucket] };
	int rc = read_items(&k, bucket, err);
	for (size_t other = 0; !rc && k.n && other < st->n; other++)
		if (other != i)
			rc = ask(&k, other, err);
	size_t had = k.n;
	if (!rc && k.n)
		rc = remove_known(&k, err);
	*removed += had - k.n;
	if (!rc && k.n && k.owner != i)
		rc = ims_shards_move_items(st->shard[i], st->shard[k.owner], k.ids, k.n, err);
	free_items(&k);
	return rc;
}

int ims_shards_settle(shard_store *st, size_t i, uint64_t *removed, imgsearch_error *err)
{
	*removed = 0;
	int rc = 0;
	for (uint32_t b = 0; !rc && b < SHARD_BUCKETS; b++)
		rc = settle_bucket(st, i, b, removed, err);
	return rc;
}

/* ---------------------------------------------------------------------------------- roots ---- */

static int give_root(store *to, int64_t id, const char *path, const store_lists *lists,
	imgsearch_error *err)
{
	int rc = ims_shards_root_put(to, id, path, err);
	for (store_list list = 0; !rc && list < STORE_LISTS; list++)
		rc = to->engine->settings.list_set(to, id, list, &lists->of[list], err);
	return rc;
}

/* Those that it lacks. */
int ims_shards_give_roots(shard_store *st, size_t from, size_t to, imgsearch_error *err)
{
	store_roots all = { 0 }, own = { 0 };
	store *old = st->shard[to], *current = st->shard[from];
	int rc = current->engine->settings.roots(current, &all, err);
	if (!rc)
		rc = old->engine->settings.roots(old, &own, err);
	for (size_t k = 0; !rc && k < all.n; k++)
		if (!ims_store_roots_lists(&own, all.id[k]))
			rc = give_root(old, all.id[k], all.path[k], &all.lists[k], err);
	ims_store_roots_free(&all);
	ims_store_roots_free(&own);
	return rc;
}
