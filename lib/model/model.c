/*
 * A network that many threads use.
 *
 * It has a thread of its own (model/running_net.h): a network that sixteen threads called in turn
 * had half the speed.
 *
 * Callers queue their inputs and wait. The thread takes as many queued inputs as the network runs
 * best with, and runs them as one batch. It does not wait for a batch to fill, so a single input
 * runs at once. A caller with many batches runs them inline, each on one thread, where OpenMP has
 * no team.
 */
#include "model/model.h"

#include "model/catalog.h"
#include "model/running_net.h"

#include <errno.h>
#include <string.h>

/* A waiting caller, on its own stack. */
typedef struct request {
	const float *in;
	float *out;
	size_t n;
	int rc;
	bool done;
	shim_message msg;
	struct request *next;
} request;

enum { MAX_CONCURRENCY = 16 }; /* each run holds the activations of a batch */

struct model {
	running_net run;
	unsigned concurrency;
	size_t batch, slot, dim; /* inputs of a batch, values of an input and of a feature */
	size_t side, inputs;     /* of a picture */
	bool flip;
	float *in, *out; /* a batch of several callers */
	char describe[256];
	atomic_int references;

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t answered;
	request *first, **last;
	bool running; /* the thread is running and will check the queue again */
};

/* --------------------------------------------------------------------------------- loading ---- */

static int prepare(model *m, const model_identity *id, imgsearch_error *err)
{
	m->batch = m->run.shim->net_batch(m->run.net);
	m->dim = m->run.shim->net_dim(m->run.net);
	m->concurrency = m->run.shim->net_concurrency(m->run.net);
	m->concurrency = m->concurrency < MAX_CONCURRENCY ? m->concurrency : MAX_CONCURRENCY;
	m->side = id->recipe.crop;
	m->slot = m->side * m->side * 3;
	m->inputs = ims_recipe_inputs(&id->recipe);
	m->flip = id->flip;
	m->run.shim->net_describe(m->run.net, m->describe, sizeof m->describe);
	m->in = ims_alloc_aligned(m->batch, m->slot * sizeof(float));
	m->out = ims_alloc_aligned(m->batch, m->dim * sizeof(float));
	return m->in && m->out ? 0 : ims_nomem(err);
}

/*
 * Loading a TorchScript program runs code of the file, so its content alone is no reason to. A card
 * is as foreign as the file: what it calls the network does not count.
 */
int ims_model_check_program(const char *path, const char *name, const weights *w,
	imgsearch_error *err)
{
	const char *end = strrchr(path, '.');
	bool wanted = (name && !strcmp(name, "script")) || (end && !strcmp(end, ".pt"));
	if (!w->script || wanted)
		return 0;
	ims_fail(err, IMGSEARCH_EMODEL,
		"%s: a TorchScript program, whose code would run; one is read only from a name that ends"
		" in .pt, or as the model \"script\"",
		path);
	if (err)
		err->detail = ENOEXEC;
	return IMGSEARCH_EMODEL;
}

/* Adds to a refusal which networks have these tensors, where the wanted one is not among them. */
static void name_networks(const model *m, const model_identity *id, const weights *w,
	imgsearch_error *err)
{
	size_t n, first = 0, found = 0;
	shim_message msg = { "" };
	const model_network *list = ims_model_list(&n), *wanted = ims_model_find(id->network);
	const char **names = wanted && err ? ims_alloc(n, sizeof *names) : NULL;
	uint8_t *fits = names ? ims_zalloc(n, 1) : NULL;
	for (size_t i = 0; names && i < n; i++)
		names[i] = list[i].name;
	if (fits
		&& m->run.shim->net_find(names, n, w->tensor, w->n, w->script ? id->weights : NULL, fits,
			&msg))
		memset(fits, 0, n);
	for (size_t i = n; fits && i-- > 0;)
		if (fits[i])
			first = i, found++;
	size_t end = err ? strlen(err->message) : 0;
	if (found && !fits[wanted - list])
		ims_print(err->message + end, sizeof err->message - end, "; these are the tensors of %s%s",
			names[first], found > 1 ? " or another of its kind" : "");
	ims_free(names);
	ims_free(fits);
}

int ims_model_load(model **out, const model_identity *id, const model_spec *spec,
	imgsearch_error *err)
{
	weights w = { 0 };
	*out = NULL;
	model *m = ims_zalloc(1, sizeof *m);
	if (!m)
		return ims_nomem(err);
	shim_message msg = { "" };
	atomic_store(&m->references, 1);
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->answered, NULL);
	m->last = &m->first;
	int rc = ims_weights_open(&w, id->weights, err);
	if (rc == 0)
		rc = ims_model_check_program(id->weights, spec->name, &w, err);
	if (rc == 0)
		rc = ims_running_net_open(&m->run, id, spec, &w, false, &msg, err);
	if (rc && msg.text[0])
		ims_fail(err, rc, "%s: the network cannot be loaded: %.399s", id->weights, msg.text);
	if (msg.text[0] && rc == IMGSEARCH_EMODEL)
		name_networks(m, id, &w, err);
	if (rc == 0)
		rc = prepare(m, id, err);
	ims_weights_free(&w);
	if (rc)
		ims_model_free(m);
	else
		*out = m;
	return rc;
}

model *ims_model_acquire(model *m)
{
	atomic_fetch_add(&m->references, 1);
	return m;
}

void ims_model_free(model *m)
{
	if (!m || atomic_fetch_sub(&m->references, 1) > 1)
		return;
	ims_running_net_close(&m->run);
	pthread_mutex_destroy(&m->lock);
	pthread_cond_destroy(&m->answered);
	ims_free(m->in);
	ims_free(m->out);
	ims_free(m);
}

/* --------------------------------------------------------------------------------- running ---- */

/*
 * Removes the first request, and as many of the next as fit into a batch with it. *n: their inputs.
 */
static request *pop_batch(model *m, size_t *n)
{
	request *first = m->first, *r = first;
	for (*n = r->n; r->next && *n + r->next->n <= m->batch; r = r->next)
		*n += r->next->n;
	m->first = r->next;
	if (!m->first)
		m->last = &m->first;
	r->next = NULL;
	return first;
}

static int run_batch(model *m, const request *first, size_t n, shim_message *msg)
{
	if (!first->next)
		return m->run.shim->net_run(m->run.net, first->in, n, 0, first->out, msg);
	float *in = m->in, *out = m->out;
	for (const request *r = first; r; in += r->n * m->slot, r = r->next)
		memcpy(in, r->in, r->n * m->slot * sizeof(float));
	int rc = m->run.shim->net_run(m->run.net, m->in, n, 0, m->out, msg);
	for (const request *r = first; r; out += r->n * m->dim, r = r->next)
		memcpy(r->out, out, r->n * m->dim * sizeof(float));
	return rc;
}

/* On the thread of the model, until the queue is empty. */
static void serve_queue(void *arg)
{
	model *m = arg;
	pthread_mutex_lock(&m->lock);
	while (m->first) {
		shim_message msg = { "" };
		size_t n;
		request *first = pop_batch(m, &n);
		pthread_mutex_unlock(&m->lock);
		int rc = run_batch(m, first, n, &msg);
		pthread_mutex_lock(&m->lock);
		for (request *r = first; r; r = r->next) {
			r->rc = rc;
			r->msg = msg;
			r->done = true;
		}
		pthread_cond_broadcast(&m->answered);
	}
	m->running = false;
	pthread_mutex_unlock(&m->lock);
}

static int run_queued(model *m, const float *in, size_t n, float *out, imgsearch_error *err)
{
	request r = { .in = in, .out = out, .n = n };
	pthread_mutex_lock(&m->lock);
	*m->last = &r;
	m->last = &r.next;
	if (!m->running) {
		m->running = true;
		ims_pool_run(m->run.thread, serve_queue, m);
	}
	while (!r.done)
		pthread_cond_wait(&m->answered, &m->lock);
	pthread_mutex_unlock(&m->lock);
	return r.rc ? ims_fail(err, r.rc, "the network failed: %s", r.msg.text) : 0;
}

static int run_inline(model *m, const float *in, size_t n, float *out, imgsearch_error *err)
{
	shim_message msg = { "" };
	int rc = m->run.shim->net_run(m->run.net, in, n,
		m->concurrency < m->run.threads ? m->run.threads / m->concurrency : 1, out, &msg);
	return rc ? ims_fail(err, rc, "the network failed: %s", msg.text) : 0;
}

typedef int run_inputs(model *m, const float *in, size_t n, float *out, imgsearch_error *err);

/* Adds the features of the mirror images to out. */
static int add_mirrored(model *m, run_inputs *run, const float *in, size_t n, float *out,
	imgsearch_error *err)
{
	size_t pixels = n * m->side * m->side;
	float *mirrored = ims_alloc_aligned(n, m->slot * sizeof *mirrored),
		  *other = ims_alloc_aligned(n, m->dim * sizeof *other);
	int rc = mirrored && other ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < pixels; i++)
		memcpy(mirrored + 3 * i, in + 3 * (i - i % m->side + m->side - 1 - i % m->side),
			3 * sizeof *in);
	if (!rc)
		rc = run(m, mirrored, n, other, err);
	for (size_t i = 0; !rc && i < n * m->dim; i++)
		out[i] += other[i];
	ims_free(mirrored);
	ims_free(other);
	return rc;
}

/* The mean of the features of all inputs of a picture, and of their mirror images. */
static int average(model *m, run_inputs *run, const float *in, float *out, imgsearch_error *err)
{
	float *each = ims_alloc_aligned(m->inputs, m->dim * sizeof *each);
	int rc = each ? run(m, in, m->inputs, each, err) : ims_nomem(err);
	if (!rc && m->flip)
		rc = add_mirrored(m, run, in, m->inputs, each, err);
	for (size_t d = 0; !rc && d < m->dim; d++) {
		double sum = 0;
		for (size_t i = 0; i < m->inputs; i++)
			sum += (double)each[i * m->dim + d];
		out[d] = (float)(sum / (double)(m->inputs << m->flip));
	}
	ims_free(each);
	return rc;
}

/* A picture of several inputs is a batch. */
static int run_pictures(model *m, run_inputs *run, const float *in, size_t n, float *out,
	imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && m->inputs > 1 && i < n; i++)
		rc = average(m, run, in + i * m->inputs * m->slot, out + i * m->dim, err);
	if (m->inputs > 1)
		return rc;
	rc = run(m, in, n, out, err);
	if (rc || !m->flip)
		return rc;
	rc = add_mirrored(m, run, in, n, out, err);
	for (size_t i = 0; !rc && i < n * m->dim; i++)
		out[i] /= 2;
	return rc;
}

int ims_model_run(model *m, const float *in, size_t n, float *out, imgsearch_error *err)
{
	return run_pictures(m, run_queued, in, n, out, err);
}

int ims_model_run_inline(model *m, const float *in, size_t n, float *out, imgsearch_error *err)
{
	return run_pictures(m, run_inline, in, n, out, err);
}

int ims_model_run_parts(model *m, const float *in, size_t n, float *out, imgsearch_error *err)
{
	return run_inline(m, in, n, out, err);
}

unsigned ims_model_concurrency(const model *m)
{
	return m->concurrency;
}

size_t ims_model_batch(const model *m)
{
	return m->batch;
}

uint32_t ims_model_dim(const model *m)
{
	return (uint32_t)m->dim;
}

const char *ims_model_describe(const model *m)
{
	return m->describe;
}
