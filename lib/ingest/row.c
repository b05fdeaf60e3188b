#include "ingest/row.h"

#include "handle/items.h"
#include "meta/meta.h"

const char ims_row_reason_no_feature[] = "the network gives no feature: not finite, or all zeros";

void ims_row_add_facts(store_record *r, const prepared *p)
{
	if (!p->has_facts)
		return;
	r->facts = &p->facts;
	r->facts_version = META_VERSION;
	r->sidecars = p->sidecars;
}

void ims_row_add_regions(store_record *r, const prepared *p)
{
	r->regions = r->vector && p->regions.len ? p->regions.data : NULL;
	r->regions_size = p->regions.len;
}

store_record ims_row_record(const prepared *p, const float *vector, uint32_t dim)
{
	bool feature = !vector || ims_is_feature(vector, dim);
	store_record r = {
		.way = STORE_ADMIT,
		.row = {
			.size = p->size,
			.width = p->width,
			.height = p->height,
			.hash = p->hash,
			.pixels = p->pixels,
		},
		.is_undecoded = !p->decoded,
		.vector = feature ? vector : NULL,
		.dim = dim,
		.no_feature = feature ? NULL : ims_row_reason_no_feature,
	};
	if (p->decoded && !ims_hash_is_zero(&p->hash)) {
		r.signature = p->signature.data;
		r.signature_size = p->signature.len;
	}
	ims_row_add_regions(&r, p);
	ims_row_add_facts(&r, p);
	return r;
}

int ims_row_twin(imgsearch *s, const hash256 *hash, int64_t *id, imgsearch_error *err)
{
	store_picture p;
	*id = 0;
	if (ims_hash_is_zero(hash))
		return 0;
	int rc = ims_store_by_hash(s->store, hash, 1, &p, err);
	*id = p.id;
	ims_store_picture_clear(&p);
	return rc;
}

int ims_row_any_deleted(imgsearch *s, bool *any, imgsearch_error *err)
{
	store_counts held;
	int rc = ims_store_counts(s->store, &held, err);
	*any = held.by_state[IMGSEARCH_STATE_DELETED] + held.vectors_kept > 0;
	return rc;
}

int ims_row_refuse_deleted_id(imgsearch *s, const char *name, int64_t id, imgsearch_error *err)
{
	uint8_t presence = STORE_ABSENT;
	int rc = ims_store_presences(s->store, &id, 1, &presence, err);
	return !rc && presence == STORE_DELETED ? ims_store_refuse_deleted(s->store, name, id, err)
											: rc;
}

int ims_row_refuse_deleted(imgsearch *s, const char *path, imgsearch_error *err)
{
	int64_t id;
	imgsearch_error why;
	int rc = path ? ims_items_find(s, path, &id, &why) : IMGSEARCH_ENOTFOUND;
	if (rc == IMGSEARCH_ENOTFOUND)
		return 0;
	if (rc && err)
		*err = why;
	return rc ? rc : ims_row_refuse_deleted_id(s, path, id, err);
}
