/* The calling thread waits, and makes the calls that the other one asks for. */
#include "base/own_thread.h"

#include "base/callback.h"

#include <pthread.h>
#include <stddef.h>

typedef enum request_kind {
	REQUEST_NOTHING,
	REQUEST_LOG,
	REQUEST_PROGRESS,
	REQUEST_END
} request_kind;

typedef struct own_thread {
	pthread_mutex_t lock; /* guards the request and its parts */
	pthread_cond_t changed;
	request_kind request;
	int level;
	const char *text;
	const imgsearch_progress *progress;
	int answer;
	job job; /* of the other thread */
	own_thread_work *work;
	void *arg;
	imgsearch_error *err;
	int rc;
} own_thread;

/* Makes a request, and waits until it is answered. */
static int request(own_thread *a, request_kind what)
{
	pthread_mutex_lock(&a->lock);
	a->request = what;
	pthread_cond_broadcast(&a->changed);
	while (a->request == what && what != REQUEST_END)
		pthread_cond_wait(&a->changed, &a->lock);
	int answer = a->answer;
	pthread_mutex_unlock(&a->lock);
	return answer;
}

static void request_log(void *user, int level, const char *text)
{
	own_thread *a = user;
	a->level = level;
	a->text = text;
	request(a, REQUEST_LOG);
}

static int request_progress(void *user, const imgsearch_progress *progress)
{
	own_thread *a = user;
	a->progress = progress;
	return request(a, REQUEST_PROGRESS);
}

static void run(void *arg)
{
	own_thread *a = arg;
	a->rc = a->work(a->arg, &a->job, a->err);
	request(a, REQUEST_END);
}

/* Answers requests until the last one. */
static void serve(own_thread *a, const imgsearch_call *call)
{
	for (;;) {
		pthread_mutex_lock(&a->lock);
		while (a->request == REQUEST_NOTHING)
			pthread_cond_wait(&a->changed, &a->lock);
		request_kind what = a->request;
		pthread_mutex_unlock(&a->lock);
		if (what == REQUEST_END)
			return;
		if (what == REQUEST_LOG)
			ims_call_log(call->log, call->user, a->level, a->text);
		else
			a->answer = ims_call_progress(call->progress, call->user, a->progress);
		pthread_mutex_lock(&a->lock);
		a->request = REQUEST_NOTHING;
		pthread_cond_broadcast(&a->changed);
		pthread_mutex_unlock(&a->lock);
	}
}

int ims_run_on_own_thread(job *j, own_thread_work *work, void *arg, imgsearch_error *err)
{
	pool *thread;
	own_thread a = { .job = *j, .work = work, .arg = arg, .err = err };
	int rc = ims_pool_new(&thread, 1, 1, err);
	if (rc)
		return rc;
	a.job.call.user = &a;
	a.job.call.log = j->call.log ? request_log : NULL;
	a.job.call.progress = j->call.progress ? request_progress : NULL;
	pthread_mutex_init(&a.lock, NULL);
	pthread_cond_init(&a.changed, NULL);
	ims_pool_run(thread, run, &a);
	serve(&a, &j->call);
	ims_pool_free(thread);
	pthread_cond_destroy(&a.changed);
	pthread_mutex_destroy(&a.lock);
	return a.rc;
}
