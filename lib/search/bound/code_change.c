/* Adding, replacing and removing coded rows in place. A removed row's slot scores infinity until another takes it. */
#include "search/bound/code_store.h"

#include <math.h>
#include <stdlib.h>

static int64_t id_at(codes *c, size_t slot)
{
	int64_t id;
	memcpy(&id, ims_codes_item(&c->ids, slot), sizeof(id));
	return id;
}

typedef struct placed {
	int64_t id;
	uint32_t slot;
} placed;

static int by_id(const void *a, const void *b)
{
	const placed *x = a, *y = b;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int load_all(codes *c, column *col, imgsearch_error *err)
{
	for (size_t i = 0; i < col->chunks; i++)
		if (!ims_codes_at(c, col, i << col->shift, err))
			return err ? err->code : IMGSEARCH_EFORMAT;
	return 0;
}

static int room_for(uint32_t **list, size_t *cap, size_t n, imgsearch_error *err)
{
	if (n <= *cap)
		return 0;
	size_t more = n + n / 4 + 64;
	uint32_t *wide = ims_realloc(*list, more, sizeof(*wide));
	if (!wide)
		return ims_nomem(err);
	*list = wide;
	*cap = more;
	return 0;
}

static int order_ids(codes *c, imgsearch_error *err)
{
	if (c->has_by_id)
		return 0;
	int rc = load_all(c, &c->ids, err);
	if (!rc)
		rc = load_all(c, &c->level[0].col, err);
	placed *all = rc ? NULL : ims_alloc(c->n, sizeof(*all));
	if (!rc && !all)
		rc = ims_nomem(err);
	size_t live = 0, dead = 0;
	for (size_t i = 0; !rc && i < c->n; i++) {
		if (*ims_codes_m(c, i) == INFINITY)
			dead++;
		else
			all[live++] = (placed){ id_at(c, i), (uint32_t)i };
	}
	if (!rc)
		rc = room_for(&c->by_id, &c->by_id_cap, live, err);
	if (!rc)
		rc = room_for(&c->free_slot, &c->free_cap, dead, err);
	if (!rc) {
		if (live)
			qsort(all, live, sizeof(*all), by_id);
		for (size_t i = 0; i < live; i++)
			c->by_id[i] = all[i].slot;
		c->n_free = 0;
		for (size_t i = 0; i < c->n; i++)
			if (*ims_codes_m(c, i) == INFINITY)
				c->free_slot[c->n_free++] = (uint32_t)i;
		c->live = live;
		c->has_by_id = true;
	}
	ims_free(all);
	return rc;
}

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

/* Every column of the slot in memory, to be written to. */
static int touch(codes *c, size_t slot, imgsearch_error *err)
{
	bool ok = ims_codes_at(c, &c->ids, slot, err);
	for (unsigned l = 0; ok && l < c->levels; l++)
		ok = ims_codes_at(c, &c->level[l].col, c->level[l].blocks ? slot / IMS_BLOCK_ROWS : slot, err);
	return ok ? 0 : err ? err->code : IMGSEARCH_EFORMAT;
}

/* A slot for a new id, which goes to place `at` of the order. */
static int take_slot(codes *c, size_t at, size_t *slot, imgsearch_error *err)
{
	int rc = room_for(&c->by_id, &c->by_id_cap, c->live + 1, err);
	bool reuse = c->n_free > 0;
	*slot = reuse ? c->free_slot[c->n_free - 1] : c->n;
	if (!rc && !reuse)
		rc = c->n >= UINT32_MAX - 1024 ? ims_fail(err, IMGSEARCH_ELIMIT, "more than 2^32 rows") : ims_codes_reserve(c, c->n + 1, err);
	if (!rc)
		rc = touch(c, *slot, err);
	if (rc)
		return rc;
	memmove(c->by_id + at + 1, c->by_id + at, (c->live - at) * sizeof(*c->by_id));
	c->by_id[at] = (uint32_t)*slot;
	c->live++;
	if (reuse)
		c->n_free--;
	else
		c->n++;
	return 0;
}

int ims_codes_add(codes *c, const int64_t *ids, const float *rows, size_t n, imgsearch_error *err)
{
	int rc = order_ids(c, err);
	float *work = rc ? NULL : ims_alloc_aligned(c->dim + c->components + IMS_PANEL, sizeof(float));
	if (!rc && !work)
		rc = ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++) {
		size_t at, slot;
		if (find(c, ids[i], &at)) {
			slot = c->by_id[at];
			rc = touch(c, slot, err);
		} else {
			rc = take_slot(c, at, &slot, err);
		}
		if (!rc)
			ims_codes_encode_at(c, ids[i], rows + i * c->dim, slot, work);
	}
	ims_free(work);
	return rc;
}

int ims_codes_remove(codes *c, const int64_t *ids, size_t n, imgsearch_error *err)
{
	int rc = order_ids(c, err);
	for (size_t i = 0; !rc && i < n; i++) {
		size_t at;
		if (!find(c, ids[i], &at))
			continue;
		rc = room_for(&c->free_slot, &c->free_cap, c->n_free + 1, err);
		if (rc)
			break;
		*ims_codes_m(c, c->by_id[at]) = INFINITY;
		c->free_slot[c->n_free++] = c->by_id[at];
		memmove(c->by_id + at, c->by_id + at + 1, (c->live - at - 1) * sizeof(*c->by_id));
		c->live--;
	}
	return rc;
}
