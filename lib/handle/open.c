/* Opening and closing a handle, the callers' options, and the one writer's right. */
#include "handle/handle.h"

#include <string.h>
#include <unistd.h>

int ims_options_copy(void *ours, size_t size, const void *theirs, imgsearch_error *err)
{
	size_t given = size;
	memset(ours, 0, size);
	if (theirs) {
		memcpy(&given, theirs, sizeof given);
		if (given < sizeof given)
			return ims_fail(err, IMGSEARCH_EINVAL, "options: struct_size is not set");
		for (size_t i = size; i < given; i++)
			if (((const unsigned char *)theirs)[i])
				return ims_fail(err, IMGSEARCH_EVERSION, "options: made for a newer version than %s", imgsearch_version());
		memcpy(ours, theirs, given < size ? given : size);
	}
	memcpy(ours, &size, sizeof size);
	return 0;
}

static int check_options(const imgsearch_options *o, imgsearch_error *err)
{
	if (o->metric > IMGSEARCH_IP)
		return ims_fail(err, IMGSEARCH_EINVAL, "metric %u is unknown", o->metric);
	if (o->precision > IMGSEARCH_BF16)
		return ims_fail(err, IMGSEARCH_EINVAL, "precision %u is unknown", o->precision);
	if (o->dim > 65536)
		return ims_fail(err, IMGSEARCH_EINVAL, "dimension %u is over 65536", o->dim);
	if (o->threads > 4096)
		return ims_fail(err, IMGSEARCH_EINVAL, "%u threads are over 4096", o->threads);
	return 0;
}

static int own_options(imgsearch *s, const imgsearch_options *o, imgsearch_error *err)
{
	const char *const from[] = { o->model, o->weights, o->device };
	const char **const to[] = { &s->options.model, &s->options.weights, &s->options.device };
	s->options = *o;
	for (size_t i = 0; i < 3; i++)
		*to[i] = NULL;
	for (size_t i = 0; i < 3; i++)
		if (from[i] && !(*to[i] = ims_strdup(from[i])))
			return ims_nomem(err);
	return 0;
}

/* Looked for before a file is made: an index by a model that is none would stay empty. */
static int check_model(imgsearch *s, const char *path, imgsearch_error *err)
{
	model_identity id;
	if (!ims_engine_model_asked(s) || s->options.must_exist || s->options.read_only || !strcmp(path, ":memory:") || !access(path, F_OK))
		return 0;
	int rc = ims_engine_identify(s, NULL, &id, err);
	ims_model_identity_free(&id);
	return rc;
}

int imgsearch_open(imgsearch **out, const char *path, const imgsearch_options *options, imgsearch_error *err)
{
	imgsearch_options o;
	if (out)
		*out = NULL;
	if (!out || !path || !*path)
		return ims_fail(err, IMGSEARCH_EINVAL, "open: no path");
	int rc = ims_options_copy(&o, sizeof o, options, err);
	if (!rc)
		rc = check_options(&o, err);
	if (rc)
		return rc;
	imgsearch *s = ims_zalloc(1, sizeof *s);
	if (!s)
		return ims_nomem(err);
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->model_lock, NULL);
	s->threads = o.threads ? o.threads : ims_cpu_count();
	store_options so = { .must_exist = o.must_exist, .read_only = o.read_only, .dim = o.dim, .metric = o.metric };
	sem_init(&s->decoders, 0, s->threads);
	rc = own_options(s, &o, err);
	if (!rc)
		rc = check_model(s, path, err);
	if (!rc)
		rc = ims_store_open(&s->store, path, &so, err);
	if (!rc)
		rc = ims_pool_new(&s->pool, s->threads, 4 * s->threads, err);
	if (rc)
		imgsearch_close(s);
	else
		*out = s;
	return rc;
}

void imgsearch_close(imgsearch *s)
{
	if (!s)
		return;
	ims_view_release(s->view);
	ims_pool_free(s->pool);
	ims_model_free(s->model);
	ims_model_identity_free(&s->identity);
	ims_store_close(s->store);
	ims_free((char *)s->options.model);
	ims_free((char *)s->options.weights);
	ims_free((char *)s->options.device);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->model_lock);
	sem_destroy(&s->decoders);
	ims_free(s);
}

void imgsearch_cancel(imgsearch *s)
{
	if (s)
		atomic_store(&s->cancel, 1);
}

job ims_engine_job(imgsearch *s)
{
	return (job){ .pool = s->pool, .events = &s->options.events, .cancel = &s->cancel };
}

job ims_engine_job_begin(imgsearch *s)
{
	if (!atomic_load(&s->writing))
		atomic_store(&s->cancel, 0);
	return ims_engine_job(s);
}

int ims_engine_write_begin(imgsearch *s, job *j, imgsearch_error *err)
{
	int idle = 0;
	if (!atomic_compare_exchange_strong(&s->writing, &idle, 1))
		return ims_fail(err, IMGSEARCH_EBUSY, "%s: another thread is changing the index", ims_store_path(s->store));
	int rc = ims_store_write_begin(s->store, err);
	if (rc) {
		atomic_store(&s->writing, 0);
		return rc;
	}
	atomic_store(&s->cancel, 0);
	*j = ims_engine_job(s);
	return 0;
}

void ims_engine_write_end(imgsearch *s)
{
	ims_store_write_end(s->store);
	atomic_store(&s->writing, 0);
}
