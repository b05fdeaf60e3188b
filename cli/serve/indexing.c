/*
 * POST /api/index: `imgsearch index` done by the server, for its own user over the unix socket. The answer is JSON
 * Lines: progress while it lasts, then the counts or the error. A client that goes away cancels.
 */
#include "cli/serve/request.h"
#include "cli/output/collection.h"
#include "cli/serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Thread_local progress_sink serve_sink;

int serve_progress(void *user, const imgsearch_progress *p)
{
	(void)user;
	return serve_sink.report ? serve_sink.report(serve_sink.arg, p) : 0;
}

typedef struct run {
	server *server;
	index_call call;
	FILE *out; /* the pipe that the answer is read from */
} run;

static int report(void *arg, const imgsearch_progress *p)
{
	run *r = arg;
	json_writer j;
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

static void write_outcome(FILE *f, int rc, const imgsearch_error *err, const imgsearch_counts *counts)
{
	json_writer j;
	json_write_begin(&j, f);
	if (rc) {
		json_write_open(&j, "error", '{');
		json_write_int(&j, "status", rc);
		json_write_text(&j, "message", err->message);
		json_write_close(&j, '}');
	} else {
		json_write_open(&j, "counts", '{');
		counts_write_json(&j, counts);
		json_write_close(&j, '}');
	}
	json_write_end(&j);
}

static void *run_index(void *arg)
{
	run *r = arg;
	imgsearch_error err = { 0 };
	imgsearch_counts counts = { 0 };
	imgsearch_index_options o = { .struct_size = sizeof o, .include = (const char *const *)r->call.include, .n_include = r->call.n_include,
		.exclude = (const char *const *)r->call.exclude, .n_exclude = r->call.n_exclude, .csv = r->call.csv, .csv_key = r->call.csv_key,
		.csv_title = r->call.csv_title, .follow_links = r->call.follow_links, .prune = r->call.prune, .retry = r->call.retry };
	imgsearch *s = serve_index_take(r->server->index, &err);
	int rc = s ? 0 : err.code;
	serve_sink = (progress_sink){ report, r };
	if (!rc)
		rc = imgsearch_index_tree(s, (const char *const *)r->call.paths, r->call.n_paths, &o, &counts, &err);
	if (s)
		serve_index_give(r->server->index);
	write_outcome(r->out, rc, &err, &counts);
	fclose(r->out);
	layout_forget(r->server->map);
	layout_forget(r->server->groups);
	index_call_free(&r->call);
	atomic_fetch_sub(&r->server->at_work, 1);
	free(r);
	return NULL;
}

enum MHD_Result indexing(exchange *x)
{
	int fd[2] = { -1, -1 };
	pthread_t thread;
	run *r = calloc(1, sizeof *r);
	if (!r || !request_index(&r->call, x->body, x->size)) {
		if (r)
			index_call_free(&r->call);
		free(r);
		return answer_error(x, 400, "EINVAL", "an object of lists (paths, include, exclude), texts and booleans is needed");
	}
	r->server = x->server;
	if (pipe2(fd, O_CLOEXEC) || !(r->out = fdopen(fd[1], "w"))) {
		if (fd[0] >= 0) {
			close(fd[0]);
			close(fd[1]);
		}
		index_call_free(&r->call);
		free(r);
		return answer_error(x, 503, "EIO", "no pipe: %s", strerror(errno));
	}
	atomic_fetch_add(&x->server->at_work, 1);
	if (pthread_create(&thread, NULL, run_index, r)) {
		atomic_fetch_sub(&x->server->at_work, 1);
		fclose(r->out);
		close(fd[0]);
		index_call_free(&r->call);
		free(r);
		return answer_error(x, 503, "ENOMEM", "no thread for it");
	}
	pthread_detach(thread);
	struct MHD_Response *response = MHD_create_response_from_pipe(fd[0]);
	if (response)
		MHD_add_response_header(response, "Content-Type", "application/jsonl");
	else
		close(fd[0]); /* so that the run's lines fail, and do not wait for a reader */
	return answer(x, 200, response);
}
