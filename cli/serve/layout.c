/*
 * Map and groups: what takes long and stays the same until the index changes. The first who asks starts a thread; who
 * asks meanwhile is told how far it is, and asks again. A text is kept until layout_forget or another index file.
 */
#include "cli/output/collection.h"
#include "cli/serve/serve.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct layout {
	server *server;
	layout_make *make;
	pthread_mutex_t lock;
	bool working, stale;
	uint64_t opened;        /* the opening of the index that the text belongs to */
	double share;           /* done of the stage at work, 0..1 */
	char stage[16];
	char *text;
	size_t size;
	imgsearch_error err;    /* of the last try */
};

layout *layout_new(server *s, layout_make *make)
{
	layout *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	l->server = s;
	l->make = make;
	pthread_mutex_init(&l->lock, NULL);
	return l;
}

void layout_free(layout *l)
{
	if (!l)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l->text);
	free(l);
}

void layout_forget(layout *l)
{
	pthread_mutex_lock(&l->lock);
	l->stale = true;
	pthread_mutex_unlock(&l->lock);
}

static int report(void *arg, const imgsearch_progress *p)
{
	layout *l = arg;
	pthread_mutex_lock(&l->lock);
	l->share = p->total ? (double)p->done / (double)p->total : 0;
	snprintf(l->stage, sizeof l->stage, "%s", p->stage ? p->stage : "");
	pthread_mutex_unlock(&l->lock);
	return atomic_load(&l->server->stopping);
}

static void *compute(void *arg)
{
	layout *l = arg;
	server *sv = l->server;
	imgsearch_error err = { 0 };
	reply r;
	FILE *f = reply_open(&r);
	imgsearch *s = serve_index_take(sv->index, &err);
	uint64_t opened = served_index_opened(sv->index);
	serve_sink = (progress_sink){ report, l };
	int rc = s ? l->make(s, f, &err) : err.code;
	if (s)
		serve_index_give(sv->index);
	if (fclose(f) && !rc)
		rc = err.code = IMGSEARCH_ENOMEM;
	pthread_mutex_lock(&l->lock);
	free(rc ? r.text : l->text);
	if (!rc) {
		l->text = r.text;
		l->size = r.size;
		l->opened = opened;
	} else {
		l->text = NULL;
	}
	l->err = err;
	l->err.code = rc;
	l->working = false;
	pthread_mutex_unlock(&l->lock);
	atomic_fetch_sub(&sv->at_work, 1);
	return NULL;
}

static bool start(layout *l)
{
	pthread_t thread;
	l->working = true;
	l->stale = false;
	l->share = 0;
	l->err.code = 0;
	atomic_fetch_add(&l->server->at_work, 1);
	if (!pthread_create(&thread, NULL, compute, l)) {
		pthread_detach(thread);
		return true;
	}
	atomic_fetch_sub(&l->server->at_work, 1);
	l->working = false;
	return false;
}

/* Under the lock. */
static enum MHD_Result answer_working(exchange *x, const layout *l)
{
	reply r;
	json_writer j;
	json_write_begin(&j, reply_open(&r));
	json_write_text(&j, "status", "working");
	json_write_text(&j, "stage", l->stage);
	json_write_real(&j, "done", l->share);
	json_write_end(&j);
	return reply_send(x, &r, 202, "Retry-After", "1");
}

enum MHD_Result layout_answer(exchange *x, layout *l)
{
	enum MHD_Result result;
	bool begun = true;
	pthread_mutex_lock(&l->lock);
	bool current = l->text && !l->stale && l->opened == served_index_opened(x->server->index);
	imgsearch_error err = l->err;
	if (!l->working && !current && (!err.code || param(x, "refresh")))
		begun = start(l);
	l->err.code = l->working ? l->err.code : 0; /* an error is told once, then it is tried again */
	if (!begun)
		result = answer_error(x, 503, "ENOMEM", "no thread for it");
	else if (l->working)
		result = answer_working(x, l);
	else if (!current)
		result = answer_library(x, &err);
	else
		result = answer_bytes(x, 200, "application/json", "no-store", l->text, l->size);
	pthread_mutex_unlock(&l->lock);
	return result;
}

int layout_map(imgsearch *s, FILE *f, imgsearch_error *err)
{
	imgsearch_map_points *points;
	int rc = imgsearch_map(s, NULL, &points, err);
	if (!rc)
		rc = map_write_json(f, s, points, err);
	imgsearch_map_free(points);
	return rc;
}

/* A page shows no more of them. */
enum { GROUPS_SHOWN = 2000 };

int layout_groups(imgsearch *s, FILE *f, imgsearch_error *err)
{
	imgsearch_group_list *list;
	json_writer j;
	int rc = imgsearch_groups(s, NULL, &list, err);
	if (rc)
		return rc;
	json_write_begin(&j, f);
	json_write_int(&j, "count", (int64_t)list->count);
	json_write_int(&j, "unread", (int64_t)list->unread);
	json_write_open(&j, "groups", '[');
	for (size_t i = 0; i < list->count && i < GROUPS_SHOWN; i++) {
		json_write_open(&j, NULL, '{');
		group_write_json(&j, s, &list->group[i]);
		json_write_close(&j, '}');
	}
	json_write_close(&j, ']');
	json_write_end(&j);
	imgsearch_group_list_free(list);
	return 0;
}
