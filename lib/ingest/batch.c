/*
 * The network's part of an index run. Decoded pictures are gathered into a batch; a full one goes to the pool, where a run of
 * the network keeps to one thread (ims_model_run_inline) and decoding fills the rest. When all batches are with workers the
 * oldest is waited for and its vectors are written, in the order in which they were sent.
 */
#include "ingest/index.h"

#include <string.h>

int ims_batch_open(index_run *r)
{
	double start = ims_now();
	int rc = ims_engine_network(r->s, &r->identity, &r->network, r->err);
	r->counts.network_s += ims_now() - start;
	r->waited += ims_now() - start;
	if (rc)
		return rc;
	r->lanes = ims_model_concurrency(r->network) + 1u;
	r->batch = ims_model_batch(r->network);
	if (r->lanes > 2) /* together they fill the caches no more than one would */
		r->batch = (r->batch + 1) / 2;
	size_t slot = (size_t)r->identity.recipe.crop * r->identity.recipe.crop * 3;
	r->lane = ims_zalloc(r->lanes, sizeof *r->lane);
	bool got = r->lane != NULL;
	for (size_t i = 0; got && i < r->lanes; i++) {
		index_batch *b = &r->lane[i];
		b->run = r;
		b->in = ims_alloc_aligned(r->batch, slot * sizeof(float));
		b->out = ims_alloc_aligned(r->batch, r->identity.dim * sizeof(float));
		b->id = ims_alloc(r->batch, sizeof *b->id);
		got = b->in && b->out && b->id;
	}
	return got ? 0 : ims_nomem(r->err);
}

static void run_batch(void *arg)
{
	index_batch *b = arg;
	double start = ims_now();
	b->rc = ims_model_run_inline(b->run->network, b->in, b->n, b->out, &b->err);
	b->seconds = ims_now() - start;
	pthread_mutex_lock(&b->run->context.lock);
	b->done = true;
	pthread_cond_signal(&b->run->context.finished);
	pthread_mutex_unlock(&b->run->context.lock);
}

/* A picture whose feature is not finite is a bad picture. */
static int store_feature(index_run *r, const index_batch *b, size_t i)
{
	const float *v = b->out + i * r->identity.dim;
	store_picture p = { 0 };
	char *root = NULL;
	if (ims_all_finite(v, r->identity.dim))
		return ims_store_vector_put(r->s->store, b->id[i], v, r->identity.dim, r->next, r->err);
	int rc = ims_store_picture_get(r->s->store, b->id[i], &p, &root, r->err);
	if (!rc) {
		store_picture bad = p;
		bad.state = IMGSEARCH_DAMAGED;
		bad.reason = "the network gives no finite feature";
		rc = ims_store_picture_put(r->s->store, &bad, r->err);
	}
	ims_store_picture_clear(&p);
	ims_free(root);
	r->counts.indexed--;
	r->counts.damaged++;
	return rc;
}

static int retire_batch(index_run *r)
{
	index_batch *b = &r->lane[r->first];
	ims_run_wait(r, &b->done);
	double start = ims_now();
	r->counts.network_s += b->seconds;
	if (b->rc && r->err)
		*r->err = b->err;
	int rc = b->rc;
	for (size_t i = 0; !rc && i < b->n; i++)
		rc = store_feature(r, b, i);
	r->counts.store_s += ims_now() - start;
	b->n = 0;
	b->done = false;
	r->first = (r->first + 1) % r->lanes;
	r->running--;
	return rc;
}

static index_batch *filling(index_run *r)
{
	return &r->lane[(r->first + r->running) % r->lanes];
}

/* One is always kept to be filled. */
static int send_batch(index_run *r)
{
	ims_run_give(r, run_batch, filling(r));
	return ++r->running == r->lanes ? retire_batch(r) : 0;
}

int ims_batch_flush(index_run *r)
{
	int rc = r->network && filling(r)->n ? send_batch(r) : 0;
	while (!rc && r->running)
		rc = retire_batch(r);
	return rc;
}

int ims_batch_join(index_run *r, const item *it, int64_t id)
{
	size_t slot = (size_t)r->identity.recipe.crop * r->identity.recipe.crop * 3;
	index_batch *b = filling(r);
	memcpy(b->in + b->n * slot, it->input, slot * sizeof(float));
	b->id[b->n++] = id;
	return b->n == r->batch ? send_batch(r) : 0;
}

void ims_batch_free(index_run *r)
{
	for (; r->running; r->running--, r->first = (r->first + 1) % r->lanes)
		ims_run_wait(r, &r->lane[r->first].done);
	for (size_t i = 0; i < r->lanes && r->lane; i++) {
		ims_free(r->lane[i].in);
		ims_free(r->lane[i].out);
		ims_free(r->lane[i].id);
	}
	ims_free(r->lane);
}
