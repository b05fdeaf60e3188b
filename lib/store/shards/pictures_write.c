/*
 * Writes pictures into their shards. A picture whose bytes belong to another shard than before
 * moves there, with its id and columns; what it leaves behind (its duplicates, their vector) is
 * settled where it was, as by a removal.
 */
#include "store/shards/shards.h"

#include <string.h>

static int no_transaction(const store *st, imgsearch_error *err)
{
	return ims_fail(err, IMGSEARCH_EINVAL, "index %s: no transaction is open", st->label);
}

/* ----------------------------------------------------------------------------- records ---- */

typedef struct writing {
	shard_store *st;
	store_record *r;
	size_t n;
	store_picture *old; /* (n): the row at the path of a record, or of its id */
	int64_t *given;     /* (n_given): ids that the caller chooses for new rows */
	size_t n_given;
	int *was, *to;   /* (n): its shard, -1: none; and that which the record is written to */
	store_place *at; /* (n) */
} writing;

static void free_writing(writing *w)
{
	if (w->old)
		ims_store_pictures_clear(w->old, w->n);
	ims_free(w->old);
	ims_free(w->was);
	ims_free(w->to);
	ims_free(w->at);
	ims_free(w->given);
}

/* The rows of shard i at the paths of the records. */
static int find_old(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	writing *w = arg;
	store_picture *found = ims_zalloc(w->n, sizeof *found);
	int rc = found ? shard->engine->pictures.find(shard, w->at, w->n, found, err) : ims_nomem(err);
	for (size_t k = 0; !rc && k < w->n; k++) {
		if (!found[k].path || w->was[k] >= 0)
			continue;
		w->was[k] = (int)i;
		w->old[k] = found[k];
		found[k] = (store_picture){ 0 };
	}
	if (found)
		ims_store_pictures_clear(found, w->n);
	ims_free(found);
	return rc;
}

/* Records that name a row by its id alone. */
static int locate_rest(writing *w, imgsearch_error *err)
{
	int64_t *ids = ims_alloc(w->n, sizeof *ids);
	int *of = ims_alloc(w->n, sizeof *of);
	size_t n = 0;
	for (size_t k = 0; ids && k < w->n; k++)
		if (w->was[k] < 0 && (w->r[k].row.id || w->r[k].row.has_id))
			ids[n++] = w->r[k].row.id;
	int rc = ids && of ? ims_shards_locate(&w->st->base, ids, n, of, NULL, err) : ims_nomem(err);
	n = 0;
	for (size_t k = 0; !rc && k < w->n; k++)
		if (w->was[k] < 0 && (w->r[k].row.id || w->r[k].row.has_id))
			w->was[k] = of[n++];
	ims_free(ids);
	ims_free(of);
	return rc;
}

/* STORE_TOUCH keeps the bytes, and a row without bytes stays where it is. */
static int target(const writing *w, size_t k)
{
	const store_record *r = &w->r[k];
	bool stays = r->way == STORE_TOUCH || ims_hash_is_zero(&r->row.hash);
	return stays && w->was[k] >= 0
		? w->was[k]
		: (int)ims_shards_place(&w->st->map, &r->row.hash, r->row.path ? r->row.path : "");
}

static int prepare(writing *w, imgsearch_error *err)
{
	w->old = ims_zalloc(w->n, sizeof *w->old);
	w->was = ims_alloc(w->n, sizeof *w->was);
	w->to = ims_alloc(w->n, sizeof *w->to);
	w->at = ims_alloc(w->n, sizeof *w->at);
	w->given = ims_alloc(w->n, sizeof *w->given);
	if (!w->old || !w->was || !w->to || !w->at || !w->given)
		return ims_nomem(err);
	for (size_t k = 0; k < w->n; k++) {
		const store_picture *p = &w->r[k].row;
		w->was[k] = -1;
		w->at[k] = (store_place){ p->root, p->path ? p->path : "" };
	}
	int rc = ims_shards_each(&w->st->base, find_old, w, err);
	if (!rc)
		rc = locate_rest(w, err);
	for (size_t k = 0; !rc && k < w->n; k++) {
		w->to[k] = target(w, k);
		if (w->was[k] < 0 && (w->r[k].row.id || w->r[k].row.has_id))
			w->given[w->n_given++] = w->r[k].row.id;
		if (w->was[k] < 0 || w->was[k] == w->to[k])
			continue;
		if (w->old[k].state == IMGSEARCH_STATE_DELETED)
			return ims_store_refuse_deleted(&w->st->base, "the picture", w->old[k].id, err);
		if (!w->old[k].path)
			w->old[k].id = w->r[k].row.id;
		w->r[k].row.id = w->old[k].id; /* it keeps its id in the other shard */
		w->r[k].row.has_id = true;
	}
	return rc;
}

/* Those of shard i, in their order. */
static int write_to(writing *w, size_t i, imgsearch_error *err)
{
	store *shard = w->st->shard[i];
	store_record *some = ims_alloc(w->n, sizeof *some);
	size_t m = 0;
	for (size_t k = 0; some && k < w->n; k++)
		if (w->to[k] == (int)i)
			some[m++] = w->r[k];
	int rc = !some ? ims_nomem(err) : m ? shard->engine->pictures.write(shard, some, m, err) : 0;
	m = 0;
	for (size_t k = 0; !rc && k < w->n; k++)
		if (w->to[k] == (int)i)
			w->r[k] = some[m++];
	ims_free(some);
	return rc;
}

static int move_columns(store *from, store *to, int64_t id, int64_t now, imgsearch_error *err)
{
	store_cell *cell;
	size_t n;
	int rc = from->engine->pictures.columns(from, id, &cell, &n, err);
	if (rc || !n)
		return rc;
	const char **text = ims_alloc(2 * n, sizeof *text);
	store_columns c = { .id = now, .name = text, .value = text + n, .n = n, .title = -1 };
	for (size_t k = 0; text && k < n; k++) {
		text[k] = cell[k].name;
		text[n + k] = cell[k].value;
		c.title = cell[k].title ? (int)k : c.title;
	}
	rc = text ? to->engine->pictures.columns_put(to, &c, 1, err) : ims_nomem(err);
	ims_free(text);
	ims_store_columns_free(cell, n);
	return rc;
}

/* Removes what a record has replaced in another shard. */
static int leave(writing *w, size_t k, imgsearch_error *err)
{
	const store_record *r = &w->r[k];
	if (w->was[k] < 0 || w->was[k] == w->to[k] || r->outcome == STORE_UNPREPARED)
		return 0;
	store *from = w->st->shard[w->was[k]], *to = w->st->shard[w->to[k]];
	int64_t id = w->old[k].id;
	int rc = r->outcome == STORE_MOVED ? 0 : move_columns(from, to, id, r->row.id, err);
	return rc ? rc : from->engine->pictures.remove(from, &id, 1, err);
}

/* Claims end in the shard that writes; here in the others. */
static int end_claims(const writing *w, imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < w->st->n; i++)
		rc = w->st->shard[i]->engine->leases.unclaim(w->st->shard[i], w->at, w->n, err);
	return rc;
}

int ims_shards_write(store *base, store_record *r, size_t n, imgsearch_error *err)
{
	writing w = { .st = (shard_store *)base, .r = r, .n = n };
	if (!ims_shards_in_own_transaction(w.st))
		return no_transaction(base, err);
	int rc = n ? prepare(&w, err) : 0;
	for (size_t i = 0; !rc && i < w.st->n; i++)
		rc = write_to(&w, i, err);
	for (size_t k = 0; !rc && k < n; k++)
		rc = leave(&w, k, err);
	if (!rc && n)
		rc = end_claims(&w, err);
	if (!rc)
		rc = ims_shards_use_ids(w.st, w.given, w.n_given, err);
	for (size_t k = 0; !rc && k < n; k++)
		ims_shards_note_ids(w.st, &r[k].row.id, 1);
	free_writing(&w);
	return rc;
}

/* ------------------------------------------------------------------------------- moves ---- */

/* What has the path in another shard than the picture goes, unless it was deleted on purpose. */
static int clear_place(shard_store *st, const store_move *m, int of, imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < st->n; i++) {
		store *shard = st->shard[i];
		store_picture p = { 0 };
		if ((int)i == of)
			continue;
		rc = shard->engine->pictures.find(shard, &m->to, 1, &p, err);
		if (!rc && p.path && p.state == IMGSEARCH_STATE_DELETED)
			rc = ims_store_refuse_deleted(&st->base, "the picture", p.id, err);
		else if (!rc && p.path)
			rc = shard->engine->pictures.remove(shard, &p.id, 1, err);
		ims_store_picture_clear(&p);
	}
	return rc;
}

int ims_shards_move(store *base, const store_move *m, size_t n, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	int rc = 0;
	if (!ims_shards_in_own_transaction(st))
		return no_transaction(base, err);
	for (size_t k = 0; !rc && k < n; k++) {
		int of;
		rc = ims_shards_locate(base, &m[k].id, 1, &of, NULL, err);
		if (!rc && of < 0)
			rc = ims_store_no_item(base, m[k].id, err);
		if (!rc)
			rc = clear_place(st, &m[k], of, err);
		if (!rc)
			rc = st->shard[of]->engine->pictures.move(st->shard[of], &m[k], 1, err);
	}
	return rc;
}

/* Names of a file have its bytes, so they lie in one shard. */
int ims_shards_name_files(store *base, const store_naming *names, size_t n, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	int rc = 0;
	if (!ims_shards_in_own_transaction(st))
		return no_transaction(base, err);
	for (size_t k = 0; !rc && k < n; k++) {
		int of;
		rc = ims_shards_locate(base, &names[k].id, 1, &of, NULL, err);
		of = of < 0 ? 0 : of; /* which refuses it */
		if (!rc)
			rc = st->shard[of]->engine->pictures.name_files(st->shard[of], &names[k], 1, err);
	}
	return rc;
}

/* --------------------------------------------------------------------------------- items ---- */

typedef int items_call(store *st, const int64_t *ids, size_t n, imgsearch_error *err);

static items_call *call_of(const store *shard, items_call *shards_call)
{
	const store_pictures_table *p = &shard->engine->pictures;
	return shards_call == ims_shards_remove  ? p->remove
		: shards_call == ims_shards_keep_out ? p->keep_out
											 : p->readmit;
}

/* Calls that of each shard for those of the ids that it has. */
static int call_items(store *base, items_call *call, const int64_t *ids, size_t n,
	imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	int *of = ims_alloc(n, sizeof *of);
	if (!ims_shards_in_own_transaction(st)) {
		ims_free(of);
		return no_transaction(base, err);
	}
	int rc = of ? ims_shards_locate(base, ids, n, of, NULL, err) : ims_nomem(err);
	for (size_t k = 0; !rc && k < n; k++)
		if (of[k] < 0)
			rc = ims_store_no_item(base, ids[k], err);
	for (size_t i = 0; !rc && i < st->n; i++) {
		shard_part p;
		rc = ims_shards_part(&p, ids, n, of, i, err);
		if (!rc && p.n)
			rc = call_of(st->shard[i], call)(st->shard[i], p.ids, p.n, err);
		ims_shards_part_free(&p);
	}
	ims_free(of);
	return rc;
}

int ims_shards_remove(store *st, const int64_t *ids, size_t n, imgsearch_error *err)
{
	return call_items(st, ims_shards_remove, ids, n, err);
}

int ims_shards_keep_out(store *st, const int64_t *ids, size_t n, imgsearch_error *err)
{
	return call_items(st, ims_shards_keep_out, ids, n, err);
}

int ims_shards_readmit(store *st, const int64_t *ids, size_t n, imgsearch_error *err)
{
	return call_items(st, ims_shards_readmit, ids, n, err);
}

int ims_shards_columns_put(store *base, const store_columns *c, size_t n, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	int64_t *ids = ims_alloc(n, sizeof *ids);
	int *of = ims_alloc(n, sizeof *of);
	store_columns *some = ims_alloc(n, sizeof *some);
	int rc = ids && of && some ? 0 : ims_nomem(err);
	if (!rc && !ims_shards_in_own_transaction(st))
		rc = no_transaction(base, err);
	for (size_t k = 0; !rc && k < n; k++)
		ids[k] = c[k].id;
	if (!rc)
		rc = ims_shards_locate(base, ids, n, of, NULL, err);
	for (size_t i = 0; !rc && i < st->n; i++) {
		size_t m = 0;
		for (size_t k = 0; k < n; k++)
			if (of[k] == (int)i)
				some[m++] = c[k];
		rc = m ? st->shard[i]->engine->pictures.columns_put(st->shard[i], some, m, err) : 0;
	}
	ims_free(ids);
	ims_free(of);
	ims_free(some);
	return rc;
}

int ims_shards_file_put(store *base, int64_t picture, const void *data, size_t size,
	imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	int of;
	if (!ims_shards_in_own_transaction(st))
		return no_transaction(base, err);
	int rc = ims_shards_locate(base, &picture, 1, &of, NULL, err);
	if (!rc && of < 0)
		rc = ims_store_no_item(base, picture, err);
	return rc ? rc
			  : st->shard[of]->engine->pictures.file_put(st->shard[of], picture, data, size, err);
}

typedef struct pair {
	const hash256 *a, *b;
} pair;

static int reject_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	const pair *p = arg;
	(void)i;
	return shard->engine->pictures.reject(shard, p->a, p->b, err);
}

int ims_shards_reject(store *st, const hash256 *a, const hash256 *b, imgsearch_error *err)
{
	return ims_shards_each(st, reject_one, &(pair){ a, b }, err);
}
