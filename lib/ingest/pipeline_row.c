/*
 * From pending rows to the store, and into the counts of the run. All are written at once; before
 * that, those are found that are pictures which moved.
 */
#include "ingest/pipeline_row.h"

#include "ingest/row.h"

void ims_pipeline_count(pipeline *p, uint32_t state)
{
	ims_counts_add(&p->counts->paths, state, 1);
}

/* --------------------------------------------------------------------------------- records ---- */

static bool stays(const pending_row *r)
{
	return r->ctime_only || r->pixels_only || r->facts_only;
}

/* Whether the row is that of a picture with its bytes, which may be another's. */
static bool is_admitted(const pending_row *r)
{
	return !stays(r) && r->state == IMGSEARCH_STATE_INDEXED && !r->vector_only;
}

/* Of a row that keeps its picture: what is new is added to it. */
static store_record make_touch(const pipeline *p, const pending_row *r)
{
	store_record out = {
		.way = STORE_TOUCH,
		.row = { .id = r->id, .root = r->root, .path = r->path, .pixels = r->picture.pixels },
		.has_pixels = r->pixels_only || r->vector_only,
	};
	if (stays(r)) {
		out.row.has_ctime = true;
		out.row.ctime = r->ctime;
	} else {
		out.vector = r->vector;
		out.dim = p->identity->model.dim;
		out.next = p->identity->next;
		ims_row_add_regions(&out, &r->picture);
	}
	ims_row_add_facts(&out, &r->picture);
	return out;
}

/* Of a row without a picture: excluded, damaged, unreadable or the like. */
static store_record make_state(const pending_row *r, uint32_t state, const char *reason)
{
	return (store_record){
		.way = STORE_PUT,
		.row = {
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
		},
	};
}

static store_record make_damaged(const pending_row *r)
{
	return make_state(r, IMGSEARCH_STATE_DAMAGED, ims_row_reason_no_feature);
}

/*
 * The row of a picture of which the second model alone lacks a vector: where it can make none, the
 * row stays, with the vector of the current one.
 */
static bool lacks_second(const pipeline *p, const pending_row *r)
{
	return p->identity->second && r->vector_only
		&& (r->state != IMGSEARCH_STATE_INDEXED
			|| !ims_is_feature(r->vector, p->identity->model.dim));
}

static store_record make_record(const pipeline *p, const pending_row *r)
{
	const uint32_t dim = p->identity->model.dim;
	if (lacks_second(p, r))
		return (store_record){ .way = STORE_TOUCH,
			.row = { .id = r->id, .root = r->root, .path = r->path } };
	if (!stays(r) && r->state != IMGSEARCH_STATE_INDEXED)
		return make_state(r, r->state, r->reason);
	if (!is_admitted(r))
		return r->vector_only && !ims_is_feature(r->vector, dim) ? make_damaged(r)
																 : make_touch(p, r);
	store_record out = ims_row_record(&r->picture, r->vector, dim);
	out.next = p->identity->next;
	out.row.id = r->id;
	out.row.root = r->root;
	out.row.path = r->path;
	out.row.mtime = r->mtime;
	out.row.ctime = r->ctime;
	out.row.has_ctime = true;
	return out;
}

/* ----------------------------------------------------------------------------------- moves ---- */

typedef struct twin_search {
	store_record **record; /* those that are admitted */
	hash256 *hash;
	int64_t *id;
	store_picture *twin, *own;
	size_t n;
} twin_search;

static void free_search(twin_search *s)
{
	if (s->twin)
		ims_store_pictures_clear(s->twin, s->n);
	if (s->own)
		ims_store_pictures_clear(s->own, s->n);
	ims_free(s->record);
	ims_free(s->hash);
	ims_free(s->id);
	ims_free(s->twin);
	ims_free(s->own);
}

static int begin_search(const pipeline *p, store_record *record, twin_search *s)
{
	size_t n = p->pending.n;
	s->record = ims_alloc(n, sizeof *s->record);
	s->hash = ims_alloc(n, sizeof *s->hash);
	s->id = ims_alloc(n, sizeof *s->id);
	s->twin = ims_zalloc(n, sizeof *s->twin);
	s->own = ims_zalloc(n, sizeof *s->own);
	if (!s->record || !s->hash || !s->id || !s->twin || !s->own)
		return ims_nomem(p->err);
	for (size_t i = 0; i < n; i++)
		if (is_admitted(&p->pending.row[i]) && !ims_hash_is_zero(&record[i].row.hash)) {
			s->record[s->n] = &record[i];
			s->hash[s->n] = record[i].row.hash;
			s->id[s->n++] = record[i].row.id;
		}
	int rc = ims_store_by_hash(p->s->store, s->hash, s->n, s->twin, p->err);
	return rc ? rc : ims_store_get(p->s->store, s->id, s->n, s->own, p->err);
}

/* A row that has these bytes already is the picture itself. */
static bool may_have_moved(const twin_search *s, size_t i)
{
	return s->twin[i].path && s->twin[i].id != s->id[i]
		&& !(s->own[i].path && ims_hash_equal(&s->own[i].hash, &s->hash[i]));
}

/* Finds pictures whose files are gone, while others came with their bytes. */
static int find_moved(pipeline *p, store_record *record)
{
	twin_search s = { 0 };
	int rc = begin_search(p, record, &s);
	for (size_t i = 0; !rc && i < s.n; i++) {
		bool gone = false;
		if (may_have_moved(&s, i))
			rc = p->is_gone(p->user, &s.twin[i], &gone, p->err);
		s.record[i]->gone = gone ? s.twin[i].id : 0;
	}
	free_search(&s);
	return rc;
}

/* ---------------------------------------------------------------------------------- counts ---- */

static void count_state(pipeline *p, const pending_row *r, uint32_t state)
{
	run_counts *c = p->counts;
	ims_pipeline_count(p, state);
	c->failed += r->row_state != state && ims_counts_is_failure(state);
	c->added += !r->id;
	c->removed += r->removes;
	c->unchanged += r->row_state == state;
	c->changed += r->id && !r->removes && r->row_state != state && r->tried != state;
}

static void count_admitted(pipeline *p, const pending_row *r, const store_record *w)
{
	run_counts *c = p->counts;
	switch (w->outcome) {
	case STORE_REFUSED:
		count_state(p, r, w->row.state);
		return;
	case STORE_MOVED:
		c->moved++;
		break;
	case STORE_UNCHANGED:
		c->unchanged++;
		c->remade += p->identity->next && r->vector;
		break;
	case STORE_KEPT_OUT:
		break;
	default:
		c->added += !r->id;
		c->changed += r->id != 0;
	}
	ims_pipeline_count(p, w->row.state);
}

/* Brings what is known of the contents of the index up to date. */
static int note_content(pipeline *p, const pending_row *r, const store_record *w)
{
	content_key key = ims_content_key(&w->row.hash);
	bool indexed = w->way == STORE_ADMIT && w->row.state == IMGSEARCH_STATE_INDEXED;
	if (w->way == STORE_TOUCH)
		return 0;
	if (r->id && !(indexed && ims_content_equal(key, r->row_content)))
		ims_contents_lose(&p->contents, r->row_content, r->id);
	return indexed && ims_contents_add(&p->contents, key, w->row.id) ? ims_nomem(p->err) : 0;
}

static void count(pipeline *p, const pending_row *r, const store_record *w)
{
	if (w->way == STORE_PUT) {
		count_state(p, r, w->row.state);
	} else if (w->way == STORE_ADMIT) {
		count_admitted(p, r, w);
	} else if (r->vector_only) {
		p->counts->unchanged++;
		p->counts->remade += w->vector != NULL;
		ims_pipeline_count(p, IMGSEARCH_STATE_INDEXED);
	}
}

/* --------------------------------------------------------------------------------- writing ---- */

/* Whether the network gave no feature for a picture with these bytes. */
static bool was_refused(const store_record *record, size_t n, const hash256 *hash)
{
	for (size_t i = 0; i < n; i++)
		if (record[i].outcome == STORE_REFUSED && ims_hash_equal(&record[i].row.hash, hash))
			return true;
	return false;
}

/*
 * The picture with the bytes of these was refused: they are damaged like it. Or another program
 * removed it meanwhile.
 */
static int write_unprepared(pipeline *p, store_record *record)
{
	static const char gone[] =
		"the picture with the same bytes was removed meanwhile: the next run reads it";
	size_t n = p->pending.n;
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		const pending_row *r = &p->pending.row[i];
		if (record[i].outcome != STORE_UNPREPARED)
			continue;
		record[i] = was_refused(record, n, &r->picture.hash)
			? make_damaged(r)
			: make_state(r, IMGSEARCH_STATE_UNREADABLE, gone);
		rc = ims_store_write(p->s->store, &record[i], 1, p->err);
	}
	return rc;
}

/* In one transaction. first: else it is done again, and which pictures have moved is known. */
static int write_once(pipeline *p, store_record *record, bool first)
{
	size_t n = p->pending.n;
	int rc = ims_store_tx_begin(p->s->store, p->err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++) {
		int64_t gone = record[i].gone;
		record[i] = make_record(p, &p->pending.row[i]);
		record[i].gone = gone;
	}
	if (first)
		rc = find_moved(p, record);
	if (!rc)
		rc = ims_store_write(p->s->store, record, n, p->err);
	if (!rc)
		rc = write_unprepared(p, record);
	return ims_handle_tx_end(p->s, rc, p->err);
}

int ims_pipeline_write_rows(pipeline *p)
{
	enum { TRIES = 4 };
	size_t n = p->pending.n;
	store_record *record = ims_zalloc(n, sizeof *record);
	if (!record)
		return ims_nomem(p->err);
	int rc = write_once(p, record, true);
	for (int i = 1; rc && i < TRIES && ims_store_may_retry(p->s->store); i++)
		rc = write_once(p, record, false);
	for (size_t i = 0; !rc && i < n; i++) {
		count(p, &p->pending.row[i], &record[i]);
		rc = note_content(p, &p->pending.row[i], &record[i]);
	}
	ims_free(record);
	return rc;
}
