/*
 * POST /api/index: a thread runs the index run, and writes the lines of the answer into a pipe that
 * libmicrohttpd reads. Runs go one after the other, in the order in which they were asked for.
 */
#include "cli/serve/index_run.h"

#include "cli/base/json_writer.h"
#include "cli/output/counts.h"
#include "cli/serve/answer.h"
#include "cli/serve/collection.h"
#include "cli/serve/index_request.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_RUNS = 9, LOOK_AGAIN_US = 200000 };

typedef struct index_run {
	server *server;
	struct index_run *next; /* that waits */
	index_request request;
	FILE *out; /* write end of the pipe */
} index_run;

static void free_run(index_run *r)
{
	if (!r)
		return;
	index_request_free(&r->request);
	if (r->out)
		fclose(r->out);
	free(r);
}

/* A line of progress is left out where the client has not read those before. */
static int on_progress(void *arg, const imgsearch_progress *p)
{
	index_run *r = arg;
	json_writer j;
	struct pollfd out = { .fd = fileno(r->out), .events = POLLOUT };
	poll(&out, 1, 0);
	if (out.revents & POLLERR)
		return 1;
	if (!(out.revents & POLLOUT))
		return atomic_load(&r->server->stopping);
	json_write_begin(&j, r->out);
	json_write_open(&j, "progress", '{');
	json_write_text(&j, "stage", p->stage);
	json_write_int(&j, "done", (int64_t)p->done);
	json_write_int(&j, "total", (int64_t)p->total);
	json_write_int(&j, "failed", (int64_t)p->failed);
	json_write_close(&j, '}');
	json_write_end(&j);
	return fflush(r->out) != 0 || atomic_load(&r->server->stopping);
}

static void write_end(FILE *f, int rc, const imgsearch_error *err,
	const imgsearch_index_update_report *report)
{
	json_writer j;
	json_write_begin(&j, f);
	json_write_open(&j, rc ? "error" : "counts", '{');
	if (rc) {
		json_write_int(&j, "status", rc);
		json_write_text(&j, "message", err->message);
	} else {
		counts_write_json(&j, report);
	}
	json_write_close(&j, '}');
	json_write_end(&j);
}

/* ----------------------------------------------------------------------------------- turns ---- */

/* False: too many wait. */
static bool queue(index_run *r)
{
	size_t n = 0;
	struct index_run **last = &r->server->runs;
	pthread_mutex_lock(&r->server->runs_lock);
	for (; *last; last = &(*last)->next)
		n++;
	if (n < MOST_RUNS)
		*last = r;
	pthread_mutex_unlock(&r->server->runs_lock);
	return n < MOST_RUNS;
}

static void leave_queue(index_run *r)
{
	struct index_run **at = &r->server->runs;
	pthread_mutex_lock(&r->server->runs_lock);
	while (*at && *at != r)
		at = &(*at)->next;
	if (*at)
		*at = r->next;
	pthread_mutex_unlock(&r->server->runs_lock);
}

static bool is_first(index_run *r)
{
	pthread_mutex_lock(&r->server->runs_lock);
	bool first = r->server->runs == r;
	pthread_mutex_unlock(&r->server->runs_lock);
	return first;
}

/* Shows that it waits. False: the client has left, or the server ends. */
static bool wait_a_little(index_run *r)
{
	const imgsearch_progress waiting = { .stage = "waiting" };
	if (on_progress(r, &waiting))
		return false;
	usleep(LOOK_AGAIN_US);
	return true;
}

static bool wait_for_turn(index_run *r)
{
	bool stays = true;
	while (stays && !is_first(r))
		stays = wait_a_little(r);
	return stays;
}

/* ------------------------------------------------------------------------------------- run ---- */

static imgsearch_index_update_options run_options(const index_request *q)
{
	return (imgsearch_index_update_options){
		.struct_size = sizeof(imgsearch_index_update_options),
		.include = q->n_include || q->no_include ? (const char *const *)q->include : NULL,
		.n_include = q->n_include,
		.exclude = q->n_exclude ? (const char *const *)q->exclude : NULL,
		.n_exclude = q->n_exclude,
		.csv = q->csv,
		.csv_key = q->csv_key,
		.csv_title = q->csv_title,
		.formats = q->formats,
		.follow_links = q->follow_links,
		.no_follow_links = q->no_follow_links,
		.prune = q->prune,
		.retry = q->retry,
		.reread = q->reread,
		.partial = q->partial,
		.no_default_excludes = q->no_default_excludes,
		.forget_exclude = q->no_exclude,
		.regions = q->no_regions ? 2 : q->regions,
		.add_model = q->add_model != NULL,
	};
}

/* Other writers are waited for as long as the options of the index say (wait_ms). */
static int update(index_run *r, imgsearch *s, imgsearch_index_update_report **report,
	imgsearch_error *err)
{
	const index_request *q = &r->request;
	imgsearch_index_update_options o = run_options(q);
	imgsearch_call call = server_call(r->server);
	call.user = r;
	call.progress = on_progress;
	return imgsearch_index_update(s, (const char *const *)q->paths, q->n_paths, &o, &call, report,
		err);
}

/* The options of a handle of its own name the model that is to be added. */
static int add_model(index_run *r, imgsearch_index_update_report **report, imgsearch_error *err)
{
	imgsearch *s;
	int rc = open_index_by_model(r->server->index, r->request.add_model, &s, err);
	if (rc)
		return rc;
	rc = update(r, s, report, err);
	imgsearch_close(s);
	return rc;
}

static int update_open(index_run *r, imgsearch_index_update_report **report, imgsearch_error *err)
{
	imgsearch *s = open_index_acquire(r->server->index, err);
	if (!s)
		return err->code;
	int rc = update(r, s, report, err);
	open_index_release(r->server->index);
	return rc;
}

static void *run(void *arg)
{
	index_run *r = arg;
	server *server = r->server;
	imgsearch_error err = { 0 };
	imgsearch_index_update_report *report = NULL;
	int rc = IMGSEARCH_ECANCELED;
	if (wait_for_turn(r))
		rc = r->request.add_model ? add_model(r, &report, &err) : update_open(r, &report, &err);
	leave_queue(r);
	write_end(r->out, rc, &err, report);
	imgsearch_index_update_report_free(report);
	free_run(r);
	collection_invalidate(server);
	atomic_fetch_sub(&server->index_runs, 1);
	atomic_fetch_sub(&server->busy, 1);
	return NULL;
}

/* A pipe: r->out writes, the return value reads; -1: none. */
static int open_pipe(index_run *r)
{
	int fd[2];
	if (pipe2(fd, O_CLOEXEC))
		return -1;
	r->out = fdopen(fd[1], "w");
	if (r->out)
		return fd[0];
	close(fd[0]);
	close(fd[1]);
	return -1;
}

enum MHD_Result handle_index(exchange *x)
{
	pthread_t thread;
	const char *refusal = server_refuses_changes(x->server);
	if (refusal)
		return answer_error(x, 403, "EREADONLY", "%s", refusal);
	index_run *r = calloc(1, sizeof *r);
	if (!r)
		return answer_error(x, 503, "ENOMEM", "no memory for it");
	if (!index_request_parse(&r->request, exchange_body(x), x->size)) {
		enum MHD_Result refused = answer_error(x, 400, "EINVAL", "%s", r->request.why);
		free_run(r);
		return refused;
	}
	r->server = x->server;
	int fd = open_pipe(r);
	if (fd < 0) {
		int why = errno;
		free_run(r);
		return answer_error(x, 503, "EIO", "no pipe: %s", strerror(why));
	}
	if (!queue(r)) {
		free_run(r);
		close(fd);
		return answer_error(x, 503, "EBUSY", "%d index runs wait for their turn; try again",
			MOST_RUNS - 1);
	}
	atomic_fetch_add(&x->server->busy, 1);
	atomic_fetch_add(&x->server->index_runs, 1);
	if (pthread_create(&thread, NULL, run, r)) {
		atomic_fetch_sub(&x->server->index_runs, 1);
		atomic_fetch_sub(&x->server->busy, 1);
		leave_queue(r);
		free_run(r);
		close(fd);
		return answer_error(x, 503, "ENOMEM", "no thread for it");
	}
	pthread_detach(thread);
	x->streams = true;
	struct MHD_Response *response = MHD_create_response_from_pipe(fd);
	if (response)
		MHD_add_response_header(response, "Content-Type", "application/jsonl");
	else
		close(fd); /* the writes of the run fail, and do not wait for a reader */
	return answer(x, 200, response);
}
