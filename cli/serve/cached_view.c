/* Views of the index, computed once in the background. */
#include "cli/serve/cached_view.h"

#include "cli/base/json_writer.h"
#include "cli/serve/answer.h"

#include <stdlib.h>

struct cached_view {
	server *server;
	cached_view_make *make;
	pthread_mutex_t lock;
	bool running, stale;
	char stage[16]; /* of the thread that computes, and its share done, 0..1 */
	double share;
	char *text; /* NULL: never computed, or it failed */
	size_t size;
	uint64_t openings;   /* of the index, when text was computed */
	imgsearch_error err; /* of the last attempt; code 0: none, or it was reported */
};

cached_view *cached_view_new(server *s, cached_view_make *make)
{
	cached_view *v = calloc(1, sizeof *v);
	if (!v)
		return NULL;
	v->server = s;
	v->make = make;
	pthread_mutex_init(&v->lock, NULL);
	return v;
}

void cached_view_free(cached_view *v)
{
	if (!v)
		return;
	pthread_mutex_destroy(&v->lock);
	free(v->text);
	free(v);
}

void cached_view_invalidate(cached_view *v)
{
	pthread_mutex_lock(&v->lock);
	v->stale = true;
	pthread_mutex_unlock(&v->lock);
}

/* ------------------------------------------------------------------------------- computing ---- */

static int on_progress(void *arg, const imgsearch_progress *p)
{
	cached_view *v = arg;
	pthread_mutex_lock(&v->lock);
	v->share = p->total ? (double)p->done / (double)p->total : 0;
	snprintf(v->stage, sizeof v->stage, "%s", p->stage ? p->stage : "");
	pthread_mutex_unlock(&v->lock);
	return atomic_load(&v->server->stopping);
}

static int make_text(cached_view *v, reply *r, uint64_t *openings, imgsearch_error *err)
{
	open_index *index = v->server->index;
	FILE *f = reply_open(r);
	imgsearch *s = open_index_acquire(index, err);
	*openings = open_index_openings(index);
	imgsearch_call call = server_call(v->server);
	call.user = v;
	call.progress = on_progress;
	int rc = s ? v->make(s, &call, f, err) : err->code;
	if (s)
		open_index_release(index);
	if (fclose(f) && !rc)
		rc = IMGSEARCH_ENOMEM;
	err->code = rc;
	return rc;
}

static void *compute(void *arg)
{
	cached_view *v = arg;
	server *server = v->server;
	imgsearch_error err = { 0 };
	reply r;
	uint64_t openings;
	int rc = make_text(v, &r, &openings, &err);
	if (rc) {
		free(r.text);
		r = (reply){ 0 };
	}
	pthread_mutex_lock(&v->lock);
	free(v->text);
	v->text = r.text;
	v->size = r.size;
	v->openings = openings;
	v->err = err;
	v->running = false;
	pthread_mutex_unlock(&v->lock);
	atomic_fetch_sub(&server->busy, 1);
	return NULL;
}

/* Under the lock. False: there is no thread for it. */
static bool start(cached_view *v)
{
	pthread_t thread;
	v->running = true;
	v->stale = false;
	v->share = 0;
	v->err.code = 0;
	atomic_fetch_add(&v->server->busy, 1);
	if (!pthread_create(&thread, NULL, compute, v)) {
		pthread_detach(thread);
		return true;
	}
	atomic_fetch_sub(&v->server->busy, 1);
	v->running = false;
	return false;
}

/* ------------------------------------------------------------------------------- answering ---- */

/* Under the lock. */
static enum MHD_Result answer_running(exchange *x, const cached_view *v)
{
	reply r;
	json_writer j;
	json_write_begin(&j, reply_open(&r));
	json_write_text(&j, "status", "working");
	json_write_text(&j, "stage", v->stage);
	json_write_real(&j, "done", v->share);
	json_write_end(&j);
	return reply_send_with(x, &r, 202, "Retry-After", "1");
}

/*
 * A failed view is computed again by the request after the one that got the error, or by one with
 * ?refresh.
 */
enum MHD_Result cached_view_answer(exchange *x, cached_view *v)
{
	enum MHD_Result result;
	bool started = true;
	pthread_mutex_lock(&v->lock);
	bool current = v->text && !v->stale && v->openings == open_index_openings(x->server->index);
	imgsearch_error err = v->err;
	if (!v->running && !current && (!err.code || exchange_param(x, "refresh")))
		started = start(v);
	if (!v->running)
		v->err.code = 0;
	if (!started)
		result = answer_error(x, 503, "ENOMEM", "no thread for it");
	else if (v->running)
		result = answer_running(x, v);
	else if (!current)
		result = answer_library_error(x, &err);
	else
		result = answer_bytes(x, 200, "application/json", "no-store", v->text, v->size);
	pthread_mutex_unlock(&v->lock);
	return result;
}
