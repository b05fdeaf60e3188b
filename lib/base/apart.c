/* The calling thread waits, and makes the calls that the other one asks for. */
#include "base/apart.h"

#include "base/callback.h"

#include <pthread.h>
#include <stddef.h>

typedef enum apart_wish { WISH_NOTHING, WISH_LOG, WISH_PROGRESS, WISH_END } apart_wish;

typedef struct apart {
	pthread_mutex_t lock; /* guards the wish and its parts */
	pthread_cond_t changed;
	apart_wish wish;
	int level;
	const char *text;
	const imgsearch_progress *progress;
	int answer;
	job job; /* of the other thread */
	apart_work *work;
	void *arg;
	imgsearch_error *err;
	int rc;
} apart;

/* Makes a wish, and waits until it is granted. */
static int wish(apart *a, apart_wish what)
{
	pthread_mutex_lock(&a->lock);
	a->wish = what;
	pthread_cond_broadcast(&a->changed);
	while (a->wish == what && what != WISH_END)
		pthread_cond_wait(&a->changed, &a->lock);
	int answer = a->answer;
	pthread_mutex_unlock(&a->lock);
	return answer;
}

static void wish_log(void *user, int level, const char *text)
{
	apart *a = user;
	a->level = level;
	a->text = text;
	wish(a, WISH_LOG);
}

static int wish_progress(void *user, const imgsearch_progress *progress)
{
	apart *a = user;
	a->progress = progress;
	return wish(a, WISH_PROGRESS);
}

static void run(void *arg)
{
	apart *a = arg;
	a->rc = a->work(a->arg, &a->job, a->err);
	wish(a, WISH_END);
}

/* Grants wishes until the last one. */
static void serve(apart *a, const imgsearch_call *call)
{
	for (;;) {
		pthread_mutex_lock(&a->lock);
		while (a->wish == WISH_NOTHING)
			pthread_cond_wait(&a->changed, &a->lock);
		apart_wish what = a->wish;
		pthread_mutex_unlock(&a->lock);
		if (what == WISH_END)
			return;
		if (what == WISH_LOG)
			ims_call_log(call->log, call->user, a->level, a->text);
		else
			a->answer = ims_call_progress(call->progress, call->user, a->progress);
		pthread_mutex_lock(&a->lock);
		a->wish = WISH_NOTHING;
		pthread_cond_broadcast(&a->changed);
		pthread_mutex_unlock(&a->lock);
	}
}

int ims_run_apart(job *j, apart_work *work, void *arg, imgsearch_error *err)
{
	pool *thread;
	apart a = { .job = *j, .work = work, .arg = arg, .err = err };
	int rc = ims_pool_new(&thread, 1, 1, err);
	if (rc)
		return rc;
	a.job.call.user = &a;
	a.job.call.log = j->call.log ? wish_log : NULL;
	a.job.call.progress = j->call.progress ? wish_progress : NULL;
	pthread_mutex_init(&a.lock, NULL);
	pthread_cond_init(&a.changed, NULL);
	ims_pool_run(thread, run, &a);
	serve(&a, &j->call);
	ims_pool_free(thread);
	pthread_cond_destroy(&a.changed);
	pthread_mutex_destroy(&a.lock);
	return a.rc;
}
