/*
 * A picture passes from a worker to admission, to a batch for the network, and is then written.
 * A stage stands before the stages that use it, so admission comes last.
 */
#include "ingest/pipeline_row.h"

#include "store/store.h"

#include <string.h>

enum { ITEMS_AHEAD = 32 }; /* about a batch of the network */

/* Seconds between two transactions; on a server each is five round trips. */
static const double write_every = 2, write_shared_every = 6;

/* --------------------------------------------------------------------------------- waiting ---- */

/* Waits for a worker to set *done. */
static void wait_for(pipeline *p, const bool *done)
{
	double start = ims_now();
	pthread_mutex_lock(&p->lock);
	while (!*done)
		pthread_cond_wait(&p->finished, &p->lock);
	pthread_mutex_unlock(&p->lock);
	p->waited += ims_now() - start;
}

static void set_done(pipeline *p, bool *done)
{
	pthread_mutex_lock(&p->lock);
	*done = true;
	pthread_cond_signal(&p->finished);
	pthread_mutex_unlock(&p->lock);
}

/* Queues work on the pool. Blocks while the queue is full. */
static void start_work(pipeline *p, void (*work)(void *), void *arg)
{
	double start = ims_now();
	ims_pool_run(p->s->pool, work, arg);
	p->waited += ims_now() - start;
}

/* --------------------------------------------------------------------------------- workers ---- */

static uint32_t state_of(int rc)
{
	switch (rc) {
	case 0:
		return IMGSEARCH_STATE_INDEXED;
	case IMGSEARCH_EUNSUPPORTED:
		return IMGSEARCH_STATE_UNSUPPORTED;
	case IMGSEARCH_ELIMIT:
		return IMGSEARCH_STATE_TOO_BIG;
	case IMGSEARCH_EIO:
	case IMGSEARCH_ENOTFOUND:
	case IMGSEARCH_ENOMEM:
	case IMGSEARCH_EDB:
	case IMGSEARCH_EBUSY:
		return IMGSEARCH_STATE_UNREADABLE; /* tried again by the next run */
	default:
		return IMGSEARCH_STATE_DAMAGED;
	}
}

static bool has_row_content(const pipeline_item *it, const hash256 *hash)
{
	return it->compares && ims_content_equal(it->row_content, ims_content_key(hash));
}

/* The picture with these bytes; *id is 0 where there is none. */
static int find_twin(pipeline *p, const hash256 *hash, int64_t *id, imgsearch_error *err)
{
	*id = ims_contents_find(&p->contents, ims_content_key(hash));
	return *id == CONTENT_UNSURE ? ims_row_twin(p->s, hash, id, err) : 0;
}

/*
 * Whether the index has these bytes and needs no vector for them, or they were deleted on purpose.
 * A guess: admission looks again, so an error counts as no.
 */
static bool has_content(void *user, const hash256 *hash)
{
	const pipeline_item *it = user;
	int64_t twin;
	if (it->vector_only || it->force_decode)
		return false;
	return has_row_content(it, hash) || (!find_twin(it->pipeline, hash, &twin, NULL) && twin);
}

/*
 * What is read: the file, or stored bytes, into held. Where the index cannot be read the run fails;
 * damaged bytes are a damaged picture.
 */
static imgsearch_input open_input(pipeline_item *it, buf *held)
{
	it->failed = 0;
	if (!it->stored)
		return imgsearch_input_file(it->full);
	int rc = ims_store_file_get(it->pipeline->s->store, it->id, held, &it->why);
	it->failed = rc == IMGSEARCH_EFORMAT ? 0 : rc;
	return imgsearch_input_bytes(rc ? NULL : held->data, held->len);
}

static void decode_item(pipeline_item *it, const imgsearch_input *in)
{
	pipeline *p = it->pipeline;
	prepare_request request = {
		.s = p->s,
		.recipe = &p->identity->model.recipe,
		.also = it->also,
		.partial = p->partial,
		.regions_of = p->regions ? &p->identity->model : NULL,
		.by = p->by,
		.known = it->compares,
		.has_content = has_content,
		.user = it,
	};
	it->force_decode |= it->check_header;
	int rc = IMGSEARCH_EFORMAT; /* damaged bytes: why it is so is known */
	if (in->path || in->data) {
		it->why = (imgsearch_error){ 0 };
		rc = ims_prepare(&request, in, &it->picture, &it->input, &it->why);
	}
	it->state = state_of(rc);
	if (it->picture.network_failed)
		it->failed = rc;
	if (it->picture.sidecar)
		it->state = IMGSEARCH_STATE_EXCLUDED;
	it->same_bytes = has_row_content(it, &it->picture.hash);
	if (it->check_header && it->state != IMGSEARCH_STATE_INDEXED) { /* the row stays as it is */
		it->same_pixels = true;
		it->picture.pixels = it->row_pixels;
	}
}

static void prepare(void *arg)
{
	pipeline_item *it = arg;
	pipeline *p = it->pipeline;
	buf held = { 0 };
	double start = ims_now();
	if (ims_job_stopped(p->job)) { /* nobody admits it */
		it->skipped = true;
		set_done(p, &it->done);
		return;
	}
	it->traits = 0;
	it->picture = (prepared){ .pixels = IMAGE_DECODING };
	const imgsearch_input in = open_input(it, &held);
	it->same_pixels = it->check_header
		&& ims_prepare_is_current(p->s, &in, it->row_pixels, it->also, &it->traits);
	if (it->same_pixels || it->facts_only)
		ims_prepare_facts_of(p->s, &in, &it->picture);
	else if (!it->failed)
		decode_item(it, &in);
	ims_buf_free(&held);
	it->seconds = ims_now() - start;
	set_done(p, &it->done);
}

static void run_network(void *arg)
{
	pipeline_batch *b = arg;
	double start = ims_now();
	b->rc = ims_model_run_inline(b->pipeline->network, b->in, b->n, b->out, &b->err);
	b->seconds = ims_now() - start;
	set_done(b->pipeline, &b->done);
}

/* --------------------------------------------------------------------------------- batches ---- */

/* Waits for the oldest batch and moves its vectors to its rows. */
static int finish_batch(pipeline *p)
{
	pipeline_batch *b = &p->batch[p->batches_first];
	size_t dim = p->identity->model.dim;
	wait_for(p, &b->done);
	p->counts->network_s += b->seconds;
	p->seconds_each = b->seconds / (double)b->n;
	int rc = b->rc;
	if (rc && p->err)
		*p->err = b->err;
	for (size_t i = 0; !rc && i < b->n; i++) {
		float *vector = ims_alloc_aligned(dim, sizeof *vector);
		if (vector)
			memcpy(vector, b->out + i * dim, dim * sizeof *vector);
		else
			rc = ims_nomem(p->err);
		p->pending.row[b->row[i]].vector = vector;
	}
	b->n = 0;
	b->done = false;
	p->batches_first = (p->batches_first + 1) % p->batches_cap;
	p->batches_out--;
	return rc;
}

/* The batch that pictures join. */
static pipeline_batch *open_batch(pipeline *p)
{
	return &p->batch[(p->batches_first + p->batches_out) % p->batches_cap];
}

/* Afterwards the next batch is free: where none was, the oldest one is awaited. */
static int send_batch(pipeline *p)
{
	start_work(p, run_network, open_batch(p));
	return ++p->batches_out == p->batches_cap ? finish_batch(p) : 0;
}

/* Allocates the batches, whose number and size depend on the network. */
static int make_batches(pipeline *p)
{
	const model_identity *m = &p->identity->model;
	p->batches_cap = ims_model_concurrency(p->network) + 1u;
	p->batch_size = ims_model_batch(p->network);
	/* Runs side by side share the cache: smaller ones leave each more of it. */
	if (p->batches_cap > 2)
		p->batch_size = (p->batch_size + 1) / 2;
	size_t slot = ims_recipe_values(&m->recipe);
	p->batch = ims_zalloc(p->batches_cap, sizeof *p->batch);
	bool got = p->batch;
	for (size_t i = 0; got && i < p->batches_cap; i++) {
		pipeline_batch *b = &p->batch[i];
		b->pipeline = p;
		b->in = ims_alloc_aligned(p->batch_size, slot * sizeof(float));
		b->out = ims_alloc_aligned(p->batch_size, m->dim * sizeof(float));
		b->row = ims_alloc(p->batch_size, sizeof *b->row);
		got = b->in && b->out && b->row;
	}
	return got ? 0 : ims_nomem(p->err);
}

static int load_network(pipeline *p)
{
	double start = ims_now();
	int rc = ims_handle_network(p->by, &p->identity->model, &p->network, p->err);
	p->counts->network_s += ims_now() - start;
	p->waited += ims_now() - start;
	return rc ? rc : make_batches(p);
}

static int join_batch(pipeline *p, const float *input, size_t row)
{
	/* Not loaded yet: all files so far were only compared, and this one differs from its row. */
	int rc = p->network ? 0 : load_network(p);
	if (rc)
		return rc;
	size_t slot = ims_recipe_values(&p->identity->model.recipe);
	pipeline_batch *b = open_batch(p);
	memcpy(b->in + b->n * slot, input, slot * sizeof *input);
	b->row[b->n++] = row;
	return b->n >= ims_job_batch(p->job, p->batch_size, p->seconds_each) ? send_batch(p) : 0;
}

/* Afterwards every pending row that needs a vector has it. */
static int finish_batches(pipeline *p)
{
	int rc = p->network && open_batch(p)->n ? send_batch(p) : 0;
	while (!rc && p->batches_out)
		rc = finish_batch(p);
	return rc;
}

/* --------------------------------------------------------------------------------- writing ---- */

/* Waits for the vectors of all pending rows, and writes them in one transaction. */
static int write_all(pipeline *p)
{
	int rc = finish_batches(p);
	double start = ims_now();
	if (!rc && p->pending.n) {
		rc = ims_pipeline_write_rows(p);
		ims_pending_clear(&p->pending);
	}
	p->last_write = ims_now();
	p->counts->store_s += p->last_write - start;
	return rc;
}

int ims_pipeline_write_if_due(pipeline *p)
{
	double every = ims_store_is_shared(p->s->store) ? write_shared_every : write_every;
	return p->pending.n && ims_now() - p->last_write >= every ? write_all(p) : 0;
}

int ims_pipeline_record(pipeline *p, const pending_row *row)
{
	int rc = p->pending.n == PENDING_MOST ? write_all(p) : 0;
	if (rc) {
		ims_free(row->path);
		ims_free(row->reason);
		return rc;
	}
	ims_pending_add(&p->pending, row);
	return 0;
}

/* ------------------------------------------------------------------------------- admission ---- */

/*
 * Whether a prepared picture needs the network: no other row, written or pending, has its bytes. If
 * the worker did not decode it because the index had the bytes, and it has them no longer, the
 * picture is decoded here.
 */
static int needs_vector(pipeline *p, pipeline_item *it, bool *needs, imgsearch_error *err)
{
	int64_t twin;
	*needs = it->vector_only || it->check_header;
	if (*needs || ims_pending_has_hash(&p->pending, &it->picture.hash))
		return 0;
	int rc = find_twin(p, &it->picture.hash, &twin, err);
	if (!rc && twin && ims_pending_replaces(&p->pending, twin, &it->picture.hash)) {
		rc = write_all(p); /* a pending row gives the twin other bytes */
		if (!rc)
			rc = find_twin(p, &it->picture.hash, &twin, err);
	}
	if (!rc && !twin && !it->picture.decoded) {
		it->force_decode = true;
		prepare(it);
		rc = it->skipped ? ims_job_check(p->job, p->err)
			: it->failed ? ims_fail(p->err, it->failed, "%s", it->why.message)
						 : 0;
	}
	*needs = it->picture.decoded && (!twin || twin == it->id);
	return rc;
}

/* Counts a file that was looked at and whose row keeps its vector. */
static void count_same(pipeline *p, const pipeline_item *it)
{
	p->counts->unchanged++;
	p->counts->rehashed += it->same_bytes;
	p->counts->described += it->facts_only && it->picture.has_facts;
	ims_pipeline_count(p, it->row_state);
}

/* Counts a file whose format has no library here, by the reason. */
static void count_lacking(pipeline *p, const imgsearch_error *why)
{
	for (size_t i = 0; i < PIPELINE_LACKING; i++) {
		pipeline_lacking *l = &p->lacking[i];
		if (!l->files)
			l->why = *why;
		if (!strcmp(l->why.message, why->message)) {
			l->files++;
			return;
		}
	}
}

/* Counts a picture whose colour profile cannot be used. */
static int count_bad_profile(pipeline *p, const pipeline_item *it)
{
	p->bad_profiles++;
	if (p->bad_profile)
		return 0;
	p->bad_profile = ims_strdup(it->full);
	return p->bad_profile ? 0 : ims_nomem(p->err);
}

/* Waits for the oldest item and takes it out of the ring. */
static pipeline_item *take_oldest(pipeline *p)
{
	pipeline_item *it = &p->item[p->items_first];
	wait_for(p, &it->done);
	p->items_first = (p->items_first + 1) % p->items_cap;
	p->items_out--;
	p->counts->decode_s += it->seconds - it->picture.network_s;
	p->counts->network_s += it->picture.network_s;
	return it;
}

/* Tells why a file is not indexed, to the log and in its row. */
static int set_reason(pipeline *p, const pipeline_item *it, pending_row *row)
{
	ims_job_log(p->job, IMGSEARCH_LOG_DEBUG, "%s: %s", it->full, it->why.message);
	if (it->picture.pixels & IMAGE_NO_CODEC)
		count_lacking(p, &it->why);
	row->reason = ims_strdup(it->why.message);
	return row->reason ? 0 : ims_nomem(p->err);
}

/* Turns the oldest item of the ring into a pending row. */
static int admit(pipeline *p)
{
	pipeline_item *it = take_oldest(p);
	if (it->skipped)
		return ims_job_check(p->job, p->err);
	if (it->failed == IMGSEARCH_ENOTFOUND) /* another program removed it */
		return 0;
	if (it->failed)
		return ims_fail(p->err, it->failed, "%s", it->why.message);
	bool needs = false, same = it->same_bytes || it->same_pixels || it->facts_only;
	int rc = p->pending.n == PENDING_MOST ? write_all(p) : 0;
	if (same)
		count_same(p, it);
	else if (!rc && it->state == IMGSEARCH_STATE_INDEXED)
		rc = needs_vector(p, it, &needs, p->err);
	pending_row row = {
		.id = it->id,
		.root = it->root,
		.path = it->path,
		.mtime = it->mtime,
		.ctime = it->ctime,
		.size = it->size,
		.state = same ? it->row_state : it->state,
		.row_state = it->row_state,
		.tried = it->tried,
		.ctime_only = it->same_bytes,
		.pixels_only = it->same_pixels,
		.facts_only = it->facts_only,
		.picture = it->picture,
		.row_content = it->row_content,
		.vector_only = it->vector_only,
		.needs_vector = needs,
	};
	if (!rc && !same && it->state != IMGSEARCH_STATE_INDEXED)
		rc = set_reason(p, it, &row);
	p->unconverted += (it->picture.pixels & IMAGE_UNCONVERTED) != 0;
	if (!rc && it->picture.bad_profile)
		rc = count_bad_profile(p, it);
	if (it->check_header && !same) {
		p->counts->redecoded++;
		p->redecoded_traits |= it->traits;
	}
	ims_free(it->full);
	it->full = NULL;
	if (rc)
		return rc; /* ims_pipeline_free frees the path */
	it->path = NULL;
	it->picture = (prepared){ 0 };
	size_t number = ims_pending_add(&p->pending, &row);
	return needs && row.state == IMGSEARCH_STATE_INDEXED ? join_batch(p, it->input, number) : 0;
}

/* ----------------------------------------------------------------------------------- entry ---- */

int ims_pipeline_init(pipeline *p)
{
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->finished, NULL);
	p->last_write = ims_now();
	ims_contents_init(&p->contents);
	return ims_pending_init(&p->pending) ? ims_nomem(p->err) : 0;
}

static int make_ring(pipeline *p)
{
	p->items_cap = ITEMS_AHEAD + 2 * p->s->threads;
	p->item = ims_zalloc(p->items_cap, sizeof *p->item);
	return p->item ? 0 : ims_nomem(p->err);
}

int ims_pipeline_submit(pipeline *p, const pipeline_item *item)
{
	int rc = item->path && item->full ? 0 : ims_nomem(p->err);
	bool compares = item->compares || item->check_header || item->facts_only;
	if (!rc && !p->network && (!compares || p->regions))
		rc = load_network(p);
	if (!rc && !p->item)
		rc = make_ring(p);
	if (!rc && p->items_out == p->items_cap)
		rc = admit(p);
	if (rc) {
		ims_free(item->path);
		ims_free(item->full);
		return rc;
	}
	pipeline_item *it = &p->item[(p->items_first + p->items_out) % p->items_cap];
	float *input = it->input;
	ims_free(it->path);
	ims_prepared_clear(&it->picture);
	*it = *item;
	it->pipeline = p;
	it->input = input;
	p->items_out++;
	start_work(p, prepare, it);
	return 0;
}

int ims_pipeline_drain(pipeline *p)
{
	int rc = 0;
	while (!rc && p->items_out) {
		rc = ims_job_check(p->job, p->err);
		if (!rc)
			rc = admit(p);
		if (!rc)
			rc = ims_pipeline_write_if_due(p);
	}
	if (!rc || ims_is_stop(rc)) {
		int written = write_all(p);
		rc = written ? written : rc;
	}
	return rc;
}

void ims_pipeline_free(pipeline *p)
{
	/* Not ims_pool_wait: other calls share the pool, and it may never be idle. */
	for (; p->items_out; p->items_out--, p->items_first = (p->items_first + 1) % p->items_cap)
		wait_for(p, &p->item[p->items_first].done);
	for (; p->batches_out;
		 p->batches_out--, p->batches_first = (p->batches_first + 1) % p->batches_cap)
		wait_for(p, &p->batch[p->batches_first].done);
	ims_free(p->bad_profile);
	for (size_t i = 0; p->item && i < p->items_cap; i++) {
		ims_free(p->item[i].input);
		ims_free(p->item[i].path);
		ims_free(p->item[i].full);
		ims_prepared_clear(&p->item[i].picture);
	}
	for (size_t i = 0; p->batch && i < p->batches_cap; i++) {
		ims_free(p->batch[i].in);
		ims_free(p->batch[i].out);
		ims_free(p->batch[i].row);
	}
	ims_free(p->item);
	ims_free(p->batch);
	ims_pending_free(&p->pending);
	ims_contents_free(&p->contents);
	ims_model_free(p->network);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->finished);
}
