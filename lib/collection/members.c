/*
 * Reads the members. The signature of a picture is read from the index if its bytes have not
 * changed. Otherwise the file is read, on all threads, and its signature is stored. Of a stored
 * signature only the coarse part stays in memory, until the detail is asked for.
 */
#include "collection/members.h"

#include "analysis/detail.h"
#include "base/ids.h"
#include "base/path.h"
#include "handle/condition.h"
#include "handle/filter.h"
#include "image/image.h"
#include "store/record.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256 }; /* pictures decoded between two writes */

typedef struct read_state {
	imgsearch *s;
	const imgsearch_filter *filter; /* NULL: none */
	int64_t *matching;              /* owned: what its condition allows; NULL: it has none */
	size_t n_matching;
	members *out;
	member **missing; /* of the current block */
} read_state;

void ims_members_free(members *m)
{
	for (size_t i = 0; i < m->n; i++) {
		ims_free(m->item[i].path);
		ims_free(m->item[i].coarse);
		ims_free(m->item[i].full);
	}
	for (size_t i = 0; i < m->n_names; i++)
		ims_free(m->name[i].path);
	ims_free(m->item);
	ims_free(m->name);
	ims_free(m->stand_in);
	ims_offline_free(&m->offline);
}

static member *find_item(const members *m, int64_t id)
{
	return m->n ? bsearch(&id, m->item, m->n, sizeof *m->item, ims_id_compare) : NULL;
}

static int compare_vector(const void *id, const void *m)
{
	return ims_id_compare(id, &(*(member *const *)m)->vector);
}

member *ims_members_find(const members *m, int64_t vector)
{
	member *own = find_item(m, vector);
	if (own)
		return own->has_vector && own->vector == vector ? own : NULL;
	member **found = m->n_stand_ins
		? bsearch(&vector, m->stand_in, m->n_stand_ins, sizeof *found, compare_vector)
		: NULL;
	return found ? *found : NULL;
}

member_name *ims_members_names(const members *m, int64_t id, size_t *n)
{
	size_t low = ims_id_place(m->name, m->n_names, sizeof *m->name, id);
	for (*n = 0; low + *n < m->n_names && m->name[low + *n].of == id; ++*n)
		;
	return m->name + low;
}

static member *append(members *m)
{
	member *grown = ims_grow(m->item, m->n, &m->cap, sizeof *grown);
	if (!grown)
		return NULL;
	m->item = grown;
	memset(&m->item[m->n], 0, sizeof *m->item);
	return &m->item[m->n++];
}

/* path NULL: no file, so below no folder. A copy matches where the indexed picture does. */
static bool is_allowed(const read_state *r, const store_picture *p, const char *path)
{
	const imgsearch_filter *filter = r->filter;
	int64_t id = p->id, indexed = p->same_as ? p->same_as : id;
	bool below = !filter->folders, listed = !filter->ids;
	if (r->matching && !ims_id_find(r->matching, r->n_matching, indexed, NULL))
		return false;
	for (size_t i = 0; path && !below && i < filter->n_folders; i++)
		below = ims_path_below(path, filter->folders[i]) != NULL;
	for (size_t i = 0; !listed && i < filter->n_ids; i++)
		listed = filter->ids[i] == id;
	return below && listed;
}

static int add_picture(void *user, const store_picture *p, const char *root)
{
	read_state *r = user;
	if (p->state != IMGSEARCH_STATE_INDEXED && p->state != IMGSEARCH_STATE_DUPLICATE
		&& p->state != IMGSEARCH_STATE_LINK)
		return 0;
	bool has_file = p->root || p->path[0] == '/';
	char *path = has_file ? ims_path_join(p->root ? root : NULL, p->path) : NULL;
	if (has_file && !path)
		return IMGSEARCH_ENOMEM;
	if (r->filter && !is_allowed(r, p, path)) {
		ims_free(path);
		return 0;
	}
	member *m = append(r->out);
	if (!m) {
		ims_free(path);
		return IMGSEARCH_ENOMEM;
	}
	*m = (member){
		.id = p->id,
		.hash = p->hash,
		.state = p->state,
		.width = p->width,
		.height = p->height,
		.has_vector = p->state == IMGSEARCH_STATE_INDEXED,
		.vector = p->id,
		.same_as = p->same_as,
		.file = p->state == IMGSEARCH_STATE_LINK ? p->same_file : p->id,
		.order = r->out->n,
		.path = path,
		.stamp = {
			.size = p->size,
			.mtime = p->mtime,
			.ctime = p->ctime,
			.has_ctime = p->has_ctime,
			.root = p->root ? strlen(path) - strlen(p->path) : 0,
		},
	};
	return 0;
}

/* ----------------------------------------------------------------------------------- names ---- */

/* By file; its picture before its names, and those in order of path. */
static int by_file(const void *x, const void *y)
{
	const member *a = x, *b = y;
	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	bool first = a->id == a->file, second = b->id == b->file;
	return first != second ? second - first : (a->order > b->order) - (a->order < b->order);
}

/* Leaves one member for each file: the picture, or the first of its names. */
static int split_names(members *m)
{
	size_t kept = 0;
	if (!m->n)
		return 0;
	qsort(m->item, m->n, sizeof *m->item, by_file);
	m->name = ims_alloc(m->n, sizeof *m->name);
	if (!m->name)
		return IMGSEARCH_ENOMEM;
	for (size_t i = 0; i < m->n; i++)
		if (kept && m->item[kept - 1].file == m->item[i].file)
			m->name[m->n_names++] = (member_name){
				.of = m->item[kept - 1].id,
				.id = m->item[i].id,
				.path = m->item[i].path,
				.stamp = m->item[i].stamp,
			};
		else
			m->item[kept++] = m->item[i];
	m->n = kept;
	qsort(m->item, m->n, sizeof *m->item, ims_id_compare);
	if (m->n_names)
		qsort(m->name, m->n_names, sizeof *m->name, ims_id_compare);
	return 0;
}

static int by_vector(const void *x, const void *y)
{
	const member *a = *(member *const *)x, *b = *(member *const *)y;
	if (a->vector != b->vector)
		return a->vector < b->vector ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

/* Where a filter leaves an indexed picture out, its first duplicate that it allows stands in. */
static int find_stand_ins(members *m)
{
	m->stand_in = ims_alloc(m->n + 1, sizeof *m->stand_in);
	if (!m->stand_in)
		return IMGSEARCH_ENOMEM;
	for (size_t i = 0; i < m->n; i++)
		if (m->item[i].same_as && !find_item(m, m->item[i].same_as)) {
			m->item[i].vector = m->item[i].same_as;
			m->stand_in[m->n_stand_ins++] = &m->item[i];
		}
	size_t n = m->n_stand_ins, kept = 0;
	if (n)
		qsort(m->stand_in, n, sizeof *m->stand_in, by_vector);
	for (size_t i = 0; i < n; i++)
		if (!kept || m->stand_in[kept - 1]->vector != m->stand_in[i]->vector) {
			m->stand_in[i]->has_vector = true;
			m->stand_in[kept++] = m->stand_in[i];
		}
	m->n_stand_ins = kept;
	return 0;
}

/* ------------------------------------------------------------------------------ signatures ---- */

static bool set_coarse(member *m, const void *coarse)
{
	if (!m->coarse)
		m->coarse = ims_alloc(1, sizeof *m->coarse);
	if (m->coarse)
		memcpy(m->coarse, coarse, sizeof *m->coarse);
	m->has_signature = m->coarse != NULL;
	return m->has_signature;
}

/* The coarse part comes first; in an older index it is all that there is. */
static int add_signature(void *user, int64_t id, const void *data, size_t size)
{
	member *m = ims_members_find(user, id);
	if (!m || size < sizeof *m->coarse)
		return 0;
	m->has_detail = size > sizeof *m->coarse;
	return set_coarse(m, data) ? 0 : IMGSEARCH_ENOMEM;
}

int ims_members_load(imgsearch *s, member *m, imgsearch_error *err)
{
	if (m->full || !m->has_detail)
		return 0;
	buf packed = { 0 };
	m->full = ims_alloc(1, sizeof *m->full);
	int rc = m->full ? ims_store_signature_get(s->store, m->vector, &m->hash, &packed, err)
					 : ims_nomem(err);
	bool read = !rc && ims_signature_unpack(m->full, packed.data, packed.len);
	ims_buf_free(&packed);
	if (!read) {
		ims_free(m->full);
		m->full = NULL;
		m->has_detail = false;
	}
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
}

int ims_members_look(imgsearch *s, member *m, imgsearch_error *err)
{
	bool had = m->full != NULL;
	if (m->looked_at)
		return 0;
	int rc = ims_members_load(s, m, err);
	m->looked_at = !rc;
	m->is_drawing = m->full && ims_detail_is_drawing(m->full);
	m->is_grey = m->full && ims_detail_is_grey(m->full);
	if (!had && !m->is_drawing) {
		ims_free(m->full);
		m->full = NULL;
	}
	return rc;
}

/* A picture whose file is missing or has changed gets no signature. */
static void make_signature(void *arg, size_t i, unsigned worker)
{
	read_state *r = arg;
	member *m = r->missing[i];
	buf bytes = { 0 };
	image im = { 0 };
	(void)worker;
	image_limits limits = ims_handle_item_limits(r->s);
	limits.at_least = 2 * IMS_DETAIL_SIDE;
	if (!ims_read_file(&bytes, m->path, IMS_IMAGE_MAX_FILE, NULL)) {
		hash256 hash = ims_hash(bytes.data, bytes.len);
		m->full = ims_alloc(1, sizeof *m->full);
		if (m->full && ims_hash_equal(&hash, &m->hash)
			&& !ims_image_decode(&im, NULL, bytes.data, bytes.len, &limits, NULL, NULL)) {
			ims_signature_make(m->full, im.pixels, im.width, im.height, im.box);
			m->has_detail = set_coarse(m, &m->full->coarse);
		}
		if (!m->has_detail) {
			ims_free(m->full);
			m->full = NULL;
		}
	}
	ims_image_free(&im);
	ims_buf_free(&bytes);
}

/* Another writer may have removed or replaced the picture: then the signature is not stored. */
static int store_signature(store *st, const member *m)
{
	store_picture p;
	int rc = ims_store_get(st, &m->vector, 1, &p, NULL);
	bool same = p.path && ims_hash_equal(&p.hash, &m->hash);
	ims_store_picture_clear(&p);
	if (!rc && !same)
		return 0;
	buf packed = { 0 };
	ims_signature_pack(&packed, m->full);
	if (!rc && packed.failed)
		rc = IMGSEARCH_ENOMEM;
	if (!rc)
		rc = ims_store_write(st,
			&(store_record){
				.way = STORE_TOUCH,
				.row = { .id = m->vector, .hash = m->hash },
				.signature = packed.data,
				.signature_size = packed.len,
			},
			1, NULL);
	ims_buf_free(&packed);
	return rc;
}

/* What is stored need not stay in memory. */
static void forget_full(member *const *made, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ims_free(made[i]->full);
		made[i]->full = NULL;
	}
}

/*
 * Stores the signatures of a block. The writer lock is held only for this. If another writer has it
 * or a write fails, nothing is stored, and the next call makes the signatures again. So it is where
 * a write would upgrade an index of an older version, which a reader leaves as it is.
 */
static void store_signatures(store *st, member *const *made, size_t n)
{
	if (ims_store_read_only(st) || ims_store_old_version(st) || ims_store_write_begin(st, NULL))
		return;
	int rc = ims_store_tx_begin(st, NULL);
	if (!rc) {
		for (size_t i = 0; i < n && !rc; i++)
			if (made[i]->has_detail)
				rc = store_signature(st, made[i]);
		if (rc)
			ims_store_tx_rollback(st);
		else if (!ims_store_tx_commit(st, NULL))
			forget_full(made, n);
	}
	ims_store_write_end(st);
}

static int make_missing(read_state *r, job *job, imgsearch_error *err)
{
	members *m = r->out;
	member **missing = ims_alloc(m->n + 1, sizeof *missing);
	size_t n = 0;
	int rc = 0;
	if (!missing)
		return ims_nomem(err);
	for (size_t i = 0; i < m->n; i++)
		if (m->item[i].has_vector && m->item[i].path && !m->item[i].has_detail)
			missing[n++] = &m->item[i];
	for (size_t at = 0; at < n && !rc; at += BLOCK) {
		size_t block = n - at < BLOCK ? n - at : BLOCK;
		r->missing = missing + at;
		ims_parallel(job->pool, block, make_signature, r);
		store_signatures(r->s->store, missing + at, block);
		for (size_t i = at; i < at + block; i++)
			m->unread += !missing[i]->has_detail;
		rc = ims_job_step(job, "read", at + block, n, err);
	}
	if (!rc && n > m->unread && ims_store_old_version(r->s->store))
		ims_job_log(job, IMGSEARCH_LOG_WARNING,
			"index %s is of an older version and stays so: what was read of %zu pictures is not "
			"stored",
			ims_store_label(r->s->store), n - (size_t)m->unread);
	ims_free(missing);
	return rc;
}

/* --------------------------------------------------------------- vectors without a picture ---- */

static int add_id(void *user, const int64_t *ids, const float *rows, size_t n)
{
	members *m = user;
	(void)rows;
	for (size_t i = 0; i < n; i++) {
		member *added = append(m);
		if (!added)
			return IMGSEARCH_ENOMEM;
		added->id = ids[i];
	}
	return 0;
}

static int add_vectors(imgsearch *s, members *m, imgsearch_error *err)
{
	members all = { 0 };
	view *v;
	int rc = ims_view_acquire(s, &v, err);
	if (rc)
		return rc;
	if (v->space.dim)
		rc = v->rows.scan(v->rows.ctx, add_id, &all, err);
	ims_view_release(v);
	size_t n_pictures = m->n;
	for (size_t i = 0; i < all.n && !rc; i++) {
		members pictures = { .item = m->item, .n = n_pictures };
		if (find_item(&pictures, all.item[i].id))
			continue;
		member *added = append(m);
		if (added)
			*added = (member){ .id = all.item[i].id, .vector = all.item[i].id, .has_vector = true };
		else
			rc = ims_nomem(err);
	}
	ims_members_free(&all);
	if (m->n)
		qsort(m->item, m->n, sizeof *m->item, ims_id_compare);
	return rc;
}

int ims_members_read(imgsearch *s, const imgsearch_filter *filter, bool signatures, job *job,
	members *out, imgsearch_error *err)
{
	read_state r = { .s = s, .filter = filter, .out = out };
	imgsearch_filter widened;
	filter_folders folders = { 0 };
	*out = (members){ 0 };
	int rc = 0;
	if (filter) {
		widened = *filter;
		r.filter = &widened;
		rc = ims_filter_widen(s, &widened, &folders, err);
	}
	if (!rc && filter && ims_filter_has_condition(filter))
		rc = ims_filter_matching(s, filter, &r.matching, &r.n_matching, err);
	if (!rc)
		rc = ims_offline_read(s, &out->offline, err);
	if (!rc)
		rc = ims_store_each_picture(s->store, 0, add_picture, &r, err);
	if (!rc && filter && filter->n_folders && !filter->ids && !r.matching && !out->n)
		ims_filter_tell_empty(&widened, job);
	ims_filter_folders_free(&folders);
	if (!rc)
		rc = split_names(out);
	if (!rc && filter)
		rc = find_stand_ins(out);
	if (!rc && signatures)
		rc = ims_store_signatures(s->store, add_signature, out, err);
	if (!rc && signatures)
		rc = make_missing(&r, job, err);
	if (!rc && !filter)
		rc = add_vectors(s, out, err);
	ims_free(r.matching);
	if (rc == IMGSEARCH_ENOMEM)
		ims_nomem(err);
	if (rc) {
		ims_members_free(out);
		*out = (members){ 0 };
	}
	return rc;
}
