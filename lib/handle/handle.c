/* Opens and closes handles; holds the writer lock and the network of a handle. */
#include "handle/handle.h"

#include "base/ending.h"
#include "handle/model_choice.h"
#include "handle/view.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* -------------------------------------------------------------------------- open and close ---- */

static int own_options(imgsearch *s, const imgsearch_options *o, imgsearch_error *err)
{
	const char *const from[] = { o->model, o->weights, o->device };
	const char **const to[] = { &s->options.model, &s->options.weights, &s->options.device };
	s->options = *o;
	for (size_t i = 0; i < 3; i++)
		*to[i] = NULL;
	if (o->recipe)
		s->recipe = *o->recipe;
	s->options.recipe = &s->recipe;
	for (size_t i = 0; i < 3; i++)
		if (from[i] && !(*to[i] = ims_strdup(from[i])))
			return ims_nomem(err);
	return 0;
}

/*
 * Refuses options that name a model which does not exist before a file is created, which would stay
 * empty.
 */
static int check_model(imgsearch *s, const char *path, imgsearch_error *err)
{
	identity id;
	bool makes_file = !s->options.must_exist && !s->options.read_only && strcmp(path, ":memory:")
		&& access(path, F_OK);
	if (!makes_file || !ims_identity_requested(s))
		return 0;
	int rc = ims_identity_decide(s, IDENTITY_NEW, &id, err);
	ims_identity_free(&id);
	return rc;
}

/* An index keeps its dimension: options that name another one ask for another index. */
static int check_dim(imgsearch *s, uint32_t wished, imgsearch_error *err)
{
	view *v;
	int rc = wished ? ims_view_acquire(s, &v, err) : 0;
	if (rc || !wished)
		return rc;
	uint32_t dim = v->space.dim;
	ims_view_release(v);
	return !dim || dim == wished
		? 0
		: ims_fail(err, IMGSEARCH_EINVAL, "index %s has vectors of %u values, and dim asks for %u",
			ims_store_path(s->store), dim, wished);
}

int ims_handle_open(imgsearch **out, const char *path, const imgsearch_options *o,
	imgsearch_error *err)
{
	store_options so = {
		.must_exist = o->must_exist,
		.read_only = o->read_only,
		.dim = o->dim,
		.metric = o->metric,
	};
	*out = NULL;
	ims_ending_watch();
	imgsearch *s = ims_zalloc(1, sizeof *s);
	if (!s)
		return ims_nomem(err);
	pthread_mutex_init(&s->view_lock, NULL);
	pthread_mutex_init(&s->network_lock, NULL);
	s->owner = getpid();
	s->threads = o->threads ? o->threads : ims_cpu_count();
	sem_init(&s->decoders, 0, s->threads);
	int rc = own_options(s, o, err);
	if (!rc)
		rc = check_model(s, path, err);
	if (!rc)
		rc = ims_store_open(&s->store, path, &so, err);
	if (!rc)
		rc = check_dim(s, o->dim, err);
	if (!rc)
		rc = ims_pool_new(&s->pool, s->threads, 4 * s->threads, err);
	if (rc)
		ims_handle_close(s);
	else
		*out = s;
	return rc;
}

bool ims_handle_is_own(const imgsearch *s)
{
	return s->owner == getpid();
}

void ims_handle_close(imgsearch *s)
{
	if (!s)
		return;
	ims_view_release(s->view);
	ims_pool_free(s->pool);
	ims_model_free(s->network);
	ims_model_identity_free(&s->network_identity);
	ims_store_close(s->store);
	ims_free((char *)s->options.model);
	ims_free((char *)s->options.weights);
	ims_free((char *)s->options.device);
	pthread_mutex_destroy(&s->view_lock);
	pthread_mutex_destroy(&s->network_lock);
	sem_destroy(&s->decoders);
	ims_free(s);
}

/* ----------------------------------------------------------------------- calls and writers ---- */

job ims_handle_job(imgsearch *s, const imgsearch_call *call)
{
	job j = { .pool = s->pool, .stop = ims_stop_token(&s->cancel, call) };
	if (call)
		j.call = *call;
	return j;
}

int ims_handle_write_begin(imgsearch *s, imgsearch_error *err)
{
	int idle = 0;
	if (s->options.read_only)
		return ims_fail(err, IMGSEARCH_EINVAL, "%s: the index is open for reading only",
			ims_store_path(s->store));
	if (!atomic_compare_exchange_strong(&s->writing, &idle, 1))
		return ims_fail(err, IMGSEARCH_EBUSY, "%s: another thread is changing the index",
			ims_store_path(s->store));
	int rc = ims_store_write_begin(s->store, err);
	if (rc)
		atomic_store(&s->writing, 0);
	return rc;
}

void ims_handle_write_end(imgsearch *s)
{
	ims_store_write_end(s->store);
	atomic_store(&s->writing, 0);
}

/* The address is different in each living thread. */
static const void *this_thread(void)
{
	static _Thread_local char mark;
	return &mark;
}

void ims_handle_transaction_set(imgsearch *s, bool open)
{
	atomic_store(&s->transaction, open ? this_thread() : NULL);
}

bool ims_handle_transaction_is_mine(const imgsearch *s)
{
	return atomic_load(&s->transaction) == this_thread();
}

int ims_handle_tx_end(imgsearch *s, int rc, imgsearch_error *err)
{
	if (!rc)
		return ims_store_tx_commit(s->store, err);
	ims_store_tx_rollback(s->store);
	return rc;
}

/* --------------------------------------------------------------------------------- network ---- */

/* The caller holds network_lock. */
static bool is_loaded(const imgsearch *s, const model_identity *id)
{
	char why[200];
	return s->network && ims_model_same(&s->network_identity, id, why, sizeof why);
}

static int load(imgsearch *s, const model_identity *id, imgsearch_error *err)
{
	model_spec spec = {
		.name = id->name,
		.weights = id->weights,
		.device = s->options.device,
		.precision = id->precision,
		.threads = s->threads,
	};
	model_identity copy = *id;
	copy.weights = id->weights ? ims_strdup(id->weights) : NULL;
	if (id->weights && !copy.weights)
		return ims_nomem(err);
	ims_model_free(s->network);
	ims_model_identity_free(&s->network_identity);
	s->network = NULL;
	s->network_identity = copy;
	return ims_model_load(&s->network, id, &spec, err);
}

int ims_handle_network(imgsearch *s, const model_identity *id, model **out, imgsearch_error *err)
{
	pthread_mutex_lock(&s->network_lock);
	int rc = is_loaded(s, id) ? 0 : load(s, id, err);
	*out = rc ? NULL : ims_model_acquire(s->network);
	pthread_mutex_unlock(&s->network_lock);
	return rc;
}

bool ims_handle_network_loaded(imgsearch *s, const model_identity *id)
{
	pthread_mutex_lock(&s->network_lock);
	bool loaded = is_loaded(s, id);
	pthread_mutex_unlock(&s->network_lock);
	return loaded;
}

/* -------------------------------------------------------------------------------- decoding ---- */

image_limits ims_handle_limits(const imgsearch *s, const image_recipe *recipe)
{
	return (image_limits){
		.max_pixels = s->options.max_megapixels * (uint64_t)1000000,
		.full_decode = s->options.full_decode,
		.at_least = recipe ? recipe->resize : 0,
	};
}

void ims_handle_decoder_acquire(imgsearch *s)
{
	while (sem_wait(&s->decoders) && errno == EINTR)
		;
}

void ims_handle_decoder_release(imgsearch *s)
{
	sem_post(&s->decoders);
}
