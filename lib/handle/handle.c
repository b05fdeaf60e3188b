/* Opens and closes handles; holds the writer lock and the network of a handle. */
#include "handle/handle.h"

#include "analysis/signature.h"
#include "base/ending.h"
#include "handle/model_choice.h"
#include "handle/view.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* -------------------------------------------------------------------------- open and close ---- */

static int own_options(imgsearch *s, const imgsearch_options *o, imgsearch_error *err)
{
	enum { STRINGS = 5 };
	const char *const from[STRINGS] = { o->model, o->weights, o->device, o->decoder, o->formats };
	const char **const to[STRINGS] = { &s->options.model, &s->options.weights, &s->options.device,
		&s->options.decoder, &s->options.formats };
	s->options = *o;
	for (size_t i = 0; i < STRINGS; i++)
		*to[i] = NULL;
	s->options.roots = NULL; /* the store has them */
	s->options.n_roots = 0;
	s->options.cache = NULL;
	if (o->recipe)
		s->recipe = *o->recipe;
	s->options.recipe = &s->recipe;
	for (size_t i = 0; i < STRINGS; i++)
		if (from[i] && !(*to[i] = ims_strdup(from[i])))
			return ims_nomem(err);
	return ims_image_formats(&s->also, NULL, s->options.formats, err);
}

/* Whether opening makes an index: of no file, or of an empty one. */
static bool is_new(const imgsearch *s, const char *path)
{
	struct stat st;
	if (!strcmp(path, ":memory:"))
		return true;
	if (s->options.must_exist || s->options.read_only)
		return false;
	return stat(path, &st) ? errno == ENOENT : S_ISREG(st.st_mode) && !st.st_size;
}

/*
 * Refuses options of a new index that name a model which does not exist. Of an existing one the
 * first picture looks for it.
 */
static int check_model(imgsearch *s, const char *path, imgsearch_error *err)
{
	identity id;
	if (!ims_identity_requested(s) || !is_new(s, path))
		return 0;
	int rc = ims_identity_decide(s, IDENTITY_NEW, &id, err);
	ims_identity_free(&id);
	return rc;
}

/* An index keeps its dimension and metric: options that name others ask for another index. */
static int check_space(imgsearch *s, uint32_t dim, uint32_t metric, imgsearch_error *err)
{
	static const char *const names[] = { "cosine", "l2", "ip" };
	view *v;
	int rc = dim || metric ? ims_view_acquire(s, &v, err) : 0;
	if (rc || !(dim || metric))
		return rc;
	space own = v->space;
	ims_view_release(v);
	if (dim && own.dim && own.dim != dim)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"index %s has vectors of %u values, and dim asks for %u", ims_store_label(s->store),
			own.dim, dim);
	if (metric && own.metric != metric)
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s has the metric %s, and metric asks for %s",
			ims_store_label(s->store), names[own.metric], names[metric]);
	return 0;
}

static int make_helpers(imgsearch *s, imgsearch_error *err)
{
	const helper_options o = {
		.program = s->options.decoder,
		.memory = s->memory.limit,
		.keep = s->threads,
	};
	if (!o.program)
		return 0;
	s->helpers = ims_helpers_new(&o);
	return s->helpers ? 0 : ims_nomem(err);
}

/* A handle without a store. NULL: out of memory. */
static imgsearch *new_handle(const imgsearch_options *o)
{
	imgsearch *s = ims_zalloc(1, sizeof *s);
	if (!s)
		return NULL;
	pthread_mutex_init(&s->view_lock, NULL);
	pthread_mutex_init(&s->network_lock, NULL);
	pthread_mutex_init(&s->words_lock, NULL);
	pthread_mutex_init(&s->second_lock, NULL);
	s->owner = getpid();
	s->threads = o->threads ? o->threads : ims_cpu_count();
	sem_init(&s->decoders, 0, s->threads);
	ims_budget_init(&s->memory, o->max_memory ? o->max_memory : ims_budget_default());
	return s;
}

int ims_handle_open(imgsearch **out, const char *path, const imgsearch_options *o,
	imgsearch_error *err)
{
	store_options so = {
		.must_exist = o->must_exist,
		.read_only = o->read_only,
		.dim = o->dim,
		.metric = o->metric,
		.roots = o->roots,
		.n_roots = o->n_roots,
		.max_stale = o->max_stale,
		.partial = o->partial,
		.cache = o->cache,
	};
	*out = NULL;
	ims_ending_watch();
	imgsearch *s = new_handle(o);
	if (!s)
		return ims_nomem(err);
	s->colours = ims_colour_cache_new();
	int rc = s->colours ? own_options(s, o, err) : ims_nomem(err);
	if (!rc)
		rc = make_helpers(s, err);
	if (!rc)
		rc = check_model(s, path, err);
	if (!rc)
		rc = ims_store_open(&s->store, path, &so, err);
	if (!rc)
		rc = check_space(s, o->dim, o->metric, err);
	if (!rc)
		rc = ims_pool_new(&s->pool, s->threads, 4 * s->threads, err);
	if (rc)
		ims_handle_close(s);
	else
		*out = s;
	return rc;
}

int ims_handle_open_second(imgsearch **out, imgsearch *first, imgsearch_error *err)
{
	static const imgsearch_recipe none;
	imgsearch_options o = first->options; /* what they say of a model is said of the first one */
	o.model = o.weights = NULL;
	o.recipe = &none;
	o.precision = o.dim = 0;
	*out = NULL;
	imgsearch *s = new_handle(&o);
	if (!s)
		return ims_nomem(err);
	s->first = first;
	s->pool = first->pool;
	s->colours = first->colours;
	s->helpers = first->helpers;
	int rc = own_options(s, &o, err);
	if (!rc)
		rc = ims_store_open_second(&s->store, first->store, err);
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
	if (atomic_load(&s->transaction.thread))
		s->transaction.detach(s->transaction.transaction);
	ims_handle_close(s->second);
	ims_view_release(s->view);
	if (!s->first) {
		ims_pool_free(s->pool);
		ims_helpers_free(s->helpers);
		ims_colour_cache_free(s->colours);
	}
	ims_model_free(s->network);
	ims_model_identity_free(&s->network_identity);
	ims_tower_free(s->words);
	ims_model_identity_free(&s->words_identity);
	ims_store_close(s->store);
	ims_free((char *)s->options.model);
	ims_free((char *)s->options.weights);
	ims_free((char *)s->options.device);
	ims_free((char *)s->options.decoder);
	ims_free((char *)s->options.formats);
	pthread_mutex_destroy(&s->view_lock);
	pthread_mutex_destroy(&s->network_lock);
	pthread_mutex_destroy(&s->words_lock);
	pthread_mutex_destroy(&s->second_lock);
	sem_destroy(&s->decoders);
	ims_budget_destroy(&s->memory);
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

void ims_handle_tell_upgrade(imgsearch *s, store_upgrade upgrade, job *j)
{
	if (upgrade.from)
		ims_job_log(j, IMGSEARCH_LOG_WARNING,
			"index %s was upgraded from version %lld to %lld: older programs cannot open it any "
			"more",
			ims_store_label(s->store), (long long)upgrade.from, (long long)upgrade.to);
}

void ims_handle_tell_repair(imgsearch *s, job *j)
{
	char *text = ims_store_repaired(s->store);
	if (text)
		ims_job_log(j, IMGSEARCH_LOG_WARNING, "%s", text);
	ims_free(text);
}

/* The handle whose threads take turns at writing. */
static imgsearch *writers(imgsearch *s)
{
	return s->first ? s->first : s;
}

static int try_begin(imgsearch *s, job *j, imgsearch_error *err)
{
	int idle = 0;
	imgsearch *turns = writers(s);
	if (s->options.read_only)
		return ims_fail(err, IMGSEARCH_EINVAL, "%s: the index is open for reading only",
			ims_store_name(s->store));
	if (!atomic_compare_exchange_strong(&turns->writing, &idle, 1))
		return ims_fail(err, IMGSEARCH_EBUSY,
			atomic_load(&turns->transaction.thread) ? "%s: a transaction of this handle is open"
													: "%s: another thread is changing the index",
			ims_store_name(s->store));
	store_upgrade upgrade = { ims_store_old_version(s->store), IMS_STORE_VERSION };
	int rc = ims_store_write_begin(s->store, err);
	if (rc)
		atomic_store(&turns->writing, 0);
	else
		ims_handle_tell_upgrade(s, upgrade, j);
	if (!rc)
		s->writer = j;
	return rc;
}

/* Another process may have the lock, so the one that waits looks again and again. */
int ims_handle_write_begin(imgsearch *s, job *j, imgsearch_error *err)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };
	double end = ims_now() + 1e-3 * s->options.wait_ms;
	for (;;) {
		int rc = try_begin(s, j, err);
		if (rc != IMGSEARCH_EBUSY || ims_handle_transaction_is_mine(writers(s)) || ims_now() >= end)
			return rc;
		nanosleep(&pause, NULL);
		if (j && (rc = ims_job_check(j, err)))
			return rc;
	}
}

void ims_handle_write_end(imgsearch *s)
{
	job *j = s->writer;
	s->writer = NULL;
	ims_store_write_end(s->store);
	if (j)
		ims_handle_tell_repair(s, j);
	atomic_store(&writers(s)->writing, 0);
}

/* The address is different in each living thread. */
static const void *this_thread(void)
{
	static _Thread_local char mark;
	return &mark;
}

void ims_handle_transaction_set(imgsearch *s, void *transaction, void (*detach)(void *transaction))
{
	s->transaction.transaction = transaction;
	s->transaction.detach = detach;
	atomic_store(&s->transaction.thread, this_thread());
}

void ims_handle_transaction_clear(imgsearch *s)
{
	atomic_store(&s->transaction.thread, NULL);
}

bool ims_handle_transaction_is_mine(const imgsearch *s)
{
	return atomic_load(&s->transaction.thread) == this_thread();
}

int ims_handle_tx_end(imgsearch *s, int rc, imgsearch_error *err)
{
	if (!rc)
		return ims_store_tx_commit(s->store, err);
	ims_store_tx_rollback(s->store);
	return rc;
}

/* --------------------------------------------------------------------------------- network ---- */

/* Whether it was loaded last, or could not be. The caller holds network_lock. */
static bool is_last(const imgsearch *s, const model_identity *id)
{
	char why[200];
	return ims_model_same(&s->network_identity, id, why, sizeof why);
}

static bool is_loaded(const imgsearch *s, const model_identity *id)
{
	return s->network && is_last(s, id);
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
	s->network_error = (imgsearch_error){ 0 };
	int rc = ims_model_load(&s->network, id, &spec, &s->network_error);
	if (rc && err)
		*err = s->network_error;
	return rc;
}

int ims_handle_network(imgsearch *s, const model_identity *id, model **out, imgsearch_error *err)
{
	pthread_mutex_lock(&s->network_lock);
	int rc = is_loaded(s, id) ? 0 : load(s, id, err);
	*out = rc ? NULL : ims_model_acquire(s->network);
	pthread_mutex_unlock(&s->network_lock);
	return rc;
}

void ims_handle_network_why_not(imgsearch *s, const model_identity *id, imgsearch_error *why)
{
	pthread_mutex_lock(&s->network_lock);
	*why = s->network_error.code && is_last(s, id) ? s->network_error : (imgsearch_error){ 0 };
	pthread_mutex_unlock(&s->network_lock);
}

bool ims_handle_network_loaded(imgsearch *s, const model_identity *id)
{
	pthread_mutex_lock(&s->network_lock);
	bool loaded = is_loaded(s, id);
	pthread_mutex_unlock(&s->network_lock);
	return loaded;
}

/* -------------------------------------------------------------------------------- decoding ---- */

image_limits ims_handle_limits(imgsearch *s, const image_recipe *recipe)
{
	uint32_t resize = recipe ? recipe->resize : 0;
	return (image_limits){
		.max_pixels = s->options.max_megapixels * (uint64_t)1000000,
		.full_decode = s->options.full_decode,
		.at_least = resize && resize < IMS_SIGNATURE_AT_LEAST ? IMS_SIGNATURE_AT_LEAST : resize,
		.colours = s->colours,
		.codecs = s->helpers ? ims_helpers_codecs(s->helpers) : ims_codec_local(),
		.also = s->also,
		.budget = &s->memory,
	};
}

image_limits ims_handle_item_limits(imgsearch *s)
{
	image_limits limits = ims_handle_limits(s, NULL);
	limits.also = IMAGE_ALSO_ALL;
	return limits;
}

int ims_handle_decoder_acquire(imgsearch *s, const job *j, imgsearch_error *err)
{
	enum { STEP_NS = 50000000 }; /* between looks at what stops the job */
	int rc = ims_job_check(j, err);
	while (!rc && sem_trywait(&s->decoders)) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += STEP_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (!sem_timedwait(&s->decoders, &until))
			return 0;
		rc = ims_job_check(j, err);
	}
	return rc;
}

void ims_handle_decoder_release(imgsearch *s)
{
	sem_post(&s->decoders);
}
