/* Views of the index, computed once in the background. */
#include "cli/serve/cached_view.h"

#include "cli/base/json_writer.h"
#include "cli/serve/answer.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 8, RUNNING = 2 }; /* filters whose answers are kept; computations at once */

/* The answer for the pictures of one filter. */
typedef struct cached_answer {
	cached_view *view;
	filter_request asked; /* owned while running, else empty */
	char *key;            /* its text; NULL: not used yet */
	bool running, stale;
	char stage[16]; /* of the thread that computes, and its share done, 0..1 */
	double share;
	char *text; /* NULL: never computed, or it failed */
	size_t size;
	uint64_t openings;   /* of the index, when text was computed */
	imgsearch_error err; /* of the last attempt; code 0: none, or it was reported */
	uint64_t used;       /* when it was asked for last */
} cached_answer;

struct cached_view {
	server *server;
	cached_view_make *make;
	pthread_mutex_t lock;
	cached_answer answer[KEPT];
	uint64_t requests;
};

cached_view *cached_view_new(server *s, cached_view_make *make)
{
	cached_view *v = calloc(1, sizeof *v);
	if (!v)
		return NULL;
	v->server = s;
	v->make = make;
	for (size_t i = 0; i < KEPT; i++)
		v->answer[i].view = v;
	pthread_mutex_init(&v->lock, NULL);
	return v;
}

void cached_view_free(cached_view *v)
{
	if (!v)
		return;
	pthread_mutex_destroy(&v->lock);
	for (size_t i = 0; i < KEPT; i++) {
		free(v->answer[i].key);
		free(v->answer[i].text);
	}
	free(v);
}

void cached_view_invalidate(cached_view *v)
{
	pthread_mutex_lock(&v->lock);
	for (size_t i = 0; i < KEPT; i++)
		v->answer[i].stale = true;
	pthread_mutex_unlock(&v->lock);
}

/* ------------------------------------------------------------------------------- computing ---- */

static int on_progress(void *arg, const imgsearch_progress *now)
{
	cached_answer *p = arg;
	cached_view *v = p->view;
	pthread_mutex_lock(&v->lock);
	p->share = now->total ? (double)now->done / (double)now->total : 0;
	snprintf(p->stage, sizeof p->stage, "%s", now->stage ? now->stage : "");
	pthread_mutex_unlock(&v->lock);
	return atomic_load(&v->server->stopping);
}

static int make_text(cached_answer *p, reply *r, uint64_t *openings, imgsearch_error *err)
{
	server *server = p->view->server;
	FILE *f = reply_open(r);
	imgsearch *s = open_index_acquire(server->index, err);
	*openings = open_index_openings(server->index);
	imgsearch_call call = server_call(server);
	call.user = p;
	call.progress = on_progress;
	const imgsearch_filter *filter = *p->key ? &p->asked.filter : NULL;
	int rc = s ? p->view->make(s, filter, &call, f, err) : err->code;
	if (s)
		open_index_release(server->index);
	if (fclose(f) && !rc)
		rc = IMGSEARCH_ENOMEM;
	err->code = rc;
	return rc;
}

/* Groups and maps of a large index take much memory for a while, and are made seldom. */
static void return_memory(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

static void *compute(void *arg)
{
	cached_answer *p = arg;
	cached_view *v = p->view;
	server *server = v->server;
	imgsearch_error err = { 0 };
	reply r;
	uint64_t openings;
	int rc = make_text(p, &r, &openings, &err);
	if (rc) {
		free(r.text);
		r = (reply){ 0 };
	}
	pthread_mutex_lock(&v->lock);
	free(p->text);
	p->text = r.text;
	p->size = r.size;
	p->openings = openings;
	p->err = err;
	p->running = false;
	filter_request_free(&p->asked);
	pthread_mutex_unlock(&v->lock);
	return_memory();
	atomic_fetch_sub(&server->busy, 1);
	return NULL;
}

/* Under the lock. Becomes the owner of *asked. False: there is no thread for it. */
static bool start(cached_answer *p, filter_request *asked)
{
	pthread_t thread;
	server *server = p->view->server;
	p->asked = *asked;
	*asked = (filter_request){ 0 };
	filter_request_moved(&p->asked);
	p->running = true;
	p->stale = false;
	p->share = 0;
	p->err.code = 0;
	atomic_fetch_add(&server->busy, 1);
	if (!pthread_create(&thread, NULL, compute, p)) {
		pthread_detach(thread);
		return true;
	}
	atomic_fetch_sub(&server->busy, 1);
	p->running = false;
	filter_request_free(&p->asked);
	return false;
}

static size_t count_running(const cached_view *v)
{
	size_t n = 0;
	for (size_t i = 0; i < KEPT; i++)
		n += v->answer[i].running;
	return n;
}

/*
 * Under the lock: the answer of a key, or the least recently used one, made new.
 * Becomes the owner of key.
 */
static cached_answer *answer_of(cached_view *v, char *key)
{
	cached_answer *oldest = NULL;
	for (size_t i = 0; i < KEPT; i++) {
		cached_answer *p = &v->answer[i];
		if (p->key && !strcmp(p->key, key)) {
			free(key);
			return p;
		}
		if (!p->running && (!oldest || p->used < oldest->used))
			oldest = p;
	}
	free(oldest->key);
	free(oldest->text);
	*oldest = (cached_answer){ .view = v, .key = key };
	return oldest;
}

/* ------------------------------------------------------------------------------- answering ---- */

/* Under the lock: the last view, while another one is computed. */
static enum MHD_Result answer_last(exchange *x, const cached_answer *p)
{
	char share[16];
	snprintf(share, sizeof share, "%.2f", p->running ? p->share : 0);
	struct MHD_Response *r = MHD_create_response_from_buffer(p->size, p->text,
		MHD_RESPMEM_MUST_COPY);
	if (r) {
		MHD_add_response_header(r, "Content-Type", "application/json");
		MHD_add_response_header(r, "Cache-Control", "no-store");
		MHD_add_response_header(r, "Retry-After", "1");
		MHD_add_response_header(r, "Imgsearch-Working", share);
	}
	x->answer_size = p->size;
	return answer(x, 200, r);
}

/* Under the lock. */
static enum MHD_Result answer_running(exchange *x, const cached_answer *p)
{
	reply r;
	if (p->text)
		return answer_last(x, p);
	json_writer j;
	json_write_begin(&j, reply_open(&r));
	json_write_text(&j, "status", "working");
	json_write_text(&j, "stage", p->running ? p->stage : "waiting");
	json_write_real(&j, "done", p->running ? p->share : 0);
	json_write_end(&j);
	return reply_send_with(x, &r, 202, "Retry-After", "1");
}

/* Under the lock. */
static enum MHD_Result reply_with(exchange *x, cached_answer *p, filter_request *asked,
	bool refresh)
{
	cached_view *v = p->view;
	bool started = true;
	p->used = ++v->requests;
	p->stale |= refresh;
	bool current = p->text && !p->stale && p->openings == open_index_openings(x->server->index);
	bool waits = !p->running && !current && (!p->err.code || refresh);
	imgsearch_error err = p->err;
	if (waits && count_running(v) < RUNNING) {
		started = start(p, asked);
		waits = false;
	}
	if (!p->running)
		p->err.code = 0;
	if (!started)
		return answer_error(x, 503, "ENOMEM", "no thread for it");
	if (p->running || waits)
		return answer_running(x, p);
	return current ? answer_bytes(x, 200, "application/json", "no-store", p->text, p->size)
				   : answer_library_error(x, &err);
}

/*
 * A failed view is computed again by the request after the one that got the error, or by one with
 * refresh.
 */
enum MHD_Result cached_view_answer(exchange *x, cached_view *v, filter_request *asked, bool refresh)
{
	char *key = filter_request_key(asked);
	if (!key)
		return answer_error(x, 503, "ENOMEM", "no memory for it");
	pthread_mutex_lock(&v->lock);
	enum MHD_Result result = reply_with(x, answer_of(v, key), asked, refresh);
	pthread_mutex_unlock(&v->lock);
	return result;
}
