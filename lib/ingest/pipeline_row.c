/* From a pending row to the store, and into the counts of the run. */
#include "ingest/pipeline_row.h"

#include "ingest/row.h"
#include "store/store.h"

void ims_pipeline_count(pipeline *p, uint32_t state)
{
	ims_counts_add(&p->counts->paths, state, 1);
}

/* Writes a row without a picture: excluded, damaged, unreadable or the like. */
static int write_state(pipeline *p, const pending_row *r, uint32_t state, const char *reason)
{
	store_picture row = {
		.id = r->id,
		.root = r->root,
		.path = r->path,
		.size = r->picture.size ? r->picture.size : r->size,
		.mtime = r->mtime,
		.ctime = r->ctime,
		.has_ctime = true,
		.state = state,
		.reason = reason,
		.width = r->picture.width,
		.height = r->picture.height,
		.hash = r->picture.hash,
		.pixels = IMAGE_DECODING | (r->picture.pixels & IMAGE_NO_CODEC),
	};
	ims_pipeline_count(p, state);
	p->counts->failed += r->row_state != state && ims_counts_is_failure(state);
	p->counts->added += !r->id;
	p->counts->removed += r->removes;
	p->counts->unchanged += r->row_state == state;
	p->counts->changed += r->id && !r->removes && r->row_state != state && r->tried != state;
	return ims_store_picture_put(p->s->store, &row, p->err);
}

static int write_vector(pipeline *p, const pending_row *r)
{
	const model_identity *m = &p->identity->model;
	if (!ims_is_feature(r->vector, m->dim))
		return write_state(p, r, IMGSEARCH_STATE_DAMAGED, ims_row_reason_no_feature);
	p->counts->unchanged++;
	p->counts->remade++;
	ims_pipeline_count(p, IMGSEARCH_STATE_INDEXED);
	int rc = ims_row_put_facts(p->s, r->id, &r->picture, p->err);
	if (!rc)
		rc = ims_store_pixels_set(p->s->store, r->id, r->picture.pixels, p->err);
	return rc
		? rc
		: ims_store_vector_put(p->s->store, r->id, r->vector, m->dim, p->identity->next, p->err);
}

static int write_picture(pipeline *p, pending_row *r)
{
	row_writer w = {
		.s = p->s,
		.dim = p->identity->model.dim,
		.next = p->identity->next,
		.moved = p->moved,
		.user = p->user,
	};
	store_picture row = {
		.id = r->id,
		.root = r->root,
		.path = r->path,
		.mtime = r->mtime,
		.ctime = r->ctime,
		.has_ctime = true,
	};
	row_outcome outcome;
	int rc = ims_row_put(&w, &row, &r->picture, r->vector, &outcome, p->err);
	if (rc)
		return rc;
	switch (outcome) {
	case ROW_UNPREPARED: /* the pending picture with the same bytes was refused */
		return write_state(p, r, IMGSEARCH_STATE_DAMAGED, ims_row_reason_no_feature);
	case ROW_MOVED:
		p->counts->moved++;
		break;
	case ROW_UNCHANGED:
		p->counts->unchanged++;
		p->counts->remade += p->identity->next && r->vector;
		break;
	case ROW_KEPT_OUT:
		break;
	default:
		p->counts->added += !r->id;
		p->counts->changed += r->id != 0;
	}
	ims_pipeline_count(p, row.state);
	return 0;
}

int ims_pipeline_write_row(pipeline *p, pending_row *r)
{
	bool stays = r->ctime_only || r->pixels_only || r->facts_only;
	int rc = stays ? ims_row_put_facts(p->s, r->id, &r->picture, p->err) : 0;
	if (!rc && r->pixels_only)
		rc = ims_store_pixels_set(p->s->store, r->id, r->picture.pixels, p->err);
	if (rc)
		return rc;
	if (stays)
		return ims_store_ctime_set(p->s->store, r->id, r->ctime, p->err);
	if (r->state != IMGSEARCH_STATE_INDEXED)
		return write_state(p, r, r->state, r->reason);
	return r->vector_only ? write_vector(p, r) : write_picture(p, r);
}
