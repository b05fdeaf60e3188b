/* Changes: an order of the live slots by id, made by the first change, and a list of free slots. */
#include "search/bound/codes_change.h"

#include <stdlib.h>
#include <string.h>

static int64_t id_at(codes *c, size_t slot)
{
	int64_t id;
	memcpy(&id, ims_column_item(&c->ids, slot), sizeof id);
	return id;
}

typedef struct id_slot {
	int64_t id;
	uint32_t slot;
} id_slot;

static int by_id(const void *a, const void *b)
{
	const id_slot *x = a, *y = b;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int reserve(uint32_t **list, size_t *cap, size_t n, imgsearch_error *err)
{
	if (n <= *cap)
		return 0;
	size_t more = n + n / 4 + 64;
	uint32_t *wide = ims_realloc(*list, more, sizeof *wide);
	if (!wide)
		return ims_nomem(err);
	*list = wide;
	*cap = more;
	return 0;
}

/* Fills in by_id and free_slot. */
static int order_ids(codes *c, imgsearch_error *err)
{
	if (c->has_by_id)
		return 0;
	int rc = ims_column_read_all(&c->ids, err);
	if (!rc)
		rc = ims_column_read_all(&c->stage[0].column, err);
	id_slot *all = rc ? NULL : ims_alloc(c->n, sizeof *all);
	if (!rc && !all)
		rc = ims_nomem(err);
	size_t live = 0, removed = 0;
	for (size_t i = 0; !rc && i < c->n; i++) {
		if (ims_codes_is_removed(c, i))
			removed++;
		else
			all[live++] = (id_slot){ id_at(c, i), (uint32_t)i };
	}
	if (!rc)
		rc = reserve(&c->by_id, &c->by_id_cap, live, err);
	if (!rc)
		rc = reserve(&c->free_slot, &c->free_cap, removed, err);
	if (!rc) {
		if (live)
			qsort(all, live, sizeof *all, by_id);
		for (size_t i = 0; i < live; i++)
			c->by_id[i] = all[i].slot;
		c->n_free = 0;
		for (size_t i = 0; i < c->n; i++)
			if (ims_codes_is_removed(c, i))
				c->free_slot[c->n_free++] = (uint32_t)i;
		c->live = live;
		c->has_by_id = true;
	}
	ims_free(all);
	return rc;
}

/* Whether a live slot has this id. *at: its place in by_id, or the place where it would be. */
static bool find(codes *c, int64_t id, size_t *at)
{
	size_t low = 0, high = c->live;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (id_at(c, c->by_id[mid]) < id)
			low = mid + 1;
		else
			high = mid;
	}
	*at = low;
	return low < c->live && id_at(c, c->by_id[low]) == id;
}

/* Reads every item of the slot, so that it can be written. */
static int read_slot(codes *c, size_t slot, imgsearch_error *err)
{
	bool ok = ims_column_at(&c->ids, slot, err);
	for (unsigned i = 0; ok && i < c->stages; i++) {
		const code_stage *s = &c->stage[i];
		ok = ims_column_at(&s->column, ims_stage_item(s, slot), err);
	}
	return ok ? 0 : err ? err->code : IMGSEARCH_EFORMAT;
}

/* A slot for a new id, whose place in the order of ids is `at`. */
static int acquire_slot(codes *c, size_t at, size_t *slot, imgsearch_error *err)
{
	int rc = reserve(&c->by_id, &c->by_id_cap, c->live + 1, err);
	bool reuse = c->n_free > 0;
	*slot = reuse ? c->free_slot[c->n_free - 1] : c->n;
	if (!rc && !reuse && c->n >= CODES_MAX)
		rc = ims_fail(err, IMGSEARCH_ELIMIT, "more than 2^32 rows");
	if (!rc && !reuse)
		rc = ims_codes_reserve(c, c->n + 1, err);
	if (!rc)
		rc = read_slot(c, *slot, err);
	if (rc)
		return rc;
	memmove(c->by_id + at + 1, c->by_id + at, (c->live - at) * sizeof *c->by_id);
	c->by_id[at] = (uint32_t)*slot;
	c->live++;
	if (reuse)
		c->n_free--;
	else
		c->n++;
	return 0;
}

/* The slot of an id: the one that it has, or a new one. */
static int slot_for(codes *c, int64_t id, size_t *slot, imgsearch_error *err)
{
	size_t at;
	if (!find(c, id, &at))
		return acquire_slot(c, at, slot, err);
	*slot = c->by_id[at];
	return read_slot(c, *slot, err);
}

int ims_codes_add(codes *c, const int64_t *ids, const float *rows, size_t n, imgsearch_error *err)
{
	int rc = order_ids(c, err);
	float *centred = NULL, *components;
	if (!rc) {
		centred = ims_alloc_aligned(c->dim + ims_projection_stride(&c->axes), sizeof(float));
		rc = centred ? 0 : ims_nomem(err);
	}
	for (size_t i = 0, slot; !rc && i < n; i++) {
		rc = slot_for(c, ids[i], &slot, err);
		if (rc)
			break;
		components = centred + c->dim;
		ims_codes_centre(c, rows + i * c->dim, centred);
		ims_projection_apply(&c->axes, centred, 1, components, 0);
		ims_codes_encode(c, ids[i], centred, components, slot);
	}
	ims_free(centred);
	return rc;
}

int ims_codes_remove(codes *c, const int64_t *ids, size_t n, imgsearch_error *err)
{
	int rc = order_ids(c, err);
	for (size_t i = 0; !rc && i < n; i++) {
		size_t at;
		if (!find(c, ids[i], &at))
			continue;
		rc = reserve(&c->free_slot, &c->free_cap, c->n_free + 1, err);
		if (rc)
			break;
		ims_codes_set_removed(c, c->by_id[at]);
		c->free_slot[c->n_free++] = c->by_id[at];
		memmove(c->by_id + at, c->by_id + at + 1, (c->live - at - 1) * sizeof *c->by_id);
		c->live--;
	}
	return rc;
}
