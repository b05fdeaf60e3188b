/*
 * The server within the command. From the outside in:
 *
 *	cmd_serve.c  options, signals, the life of a server
 *	server.c     listeners, limits, one exchange from first byte to answer
 *	admit.c      who may ask: Host, Origin, token
 *	routes.c     paths to handlers; answers as JSON
 *	pictures.c   thumbnails, full pictures, uploads
 *	indexing.c   an index run that a request asked for, told line by line
 *	index.c      the open index: reopened when its file was replaced; held pictures
 *	layout.c     map and groups, computed once in the background
 *	request.c    what a request asks for (no sockets, no files)
 *	page.c       the page, compiled in
 *
 * Threads: libmicrohttpd gives each connection one. A handler takes the index by serve_index_take and gives it back.
 */
#ifndef IMGSEARCH_SERVE_H
#define IMGSEARCH_SERVE_H

#include "cli/base/cli.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

typedef struct serve_options {
	const char *listen, *token, *uploads, *cache; /* token: NULL where none is needed; cache: thumbnails, or NULL */
	const char *const *hosts;                     /* further names that the server may be called by */
	size_t n_hosts;
	uint16_t port;
	size_t max_upload;                            /* bytes of a body */
	bool read_only;                               /* no uploads, removals, rejections */
} serve_options;

typedef struct served_index served_index;
typedef struct layout layout;

typedef struct server {
	context *context;
	serve_options options;
	served_index *index;
	layout *map, *groups;
	struct MHD_Daemon *tcp, *local;
	uint16_t port;               /* that was given */
	char *socket_path;
	atomic_size_t body_bytes;    /* of all requests at work */
	atomic_int at_work;          /* requests that are being handled */
	pthread_mutex_t changing;    /* held by one of those that change the index, so that they wait for each other (but not for an index run) */
	atomic_bool stopping;
	struct watch *watch;
	time_t started;
	atomic_ullong requests, searches;
} server;

/* One request, from its first byte to its answer. */
typedef struct exchange {
	server *server;
	struct MHD_Connection *connection;
	const char *method, *path;
	bool local;                  /* came over the unix socket, from the same user */
	char *body;
	size_t size, cap;
	double started;
	bool refused;                /* an answer is queued; the rest of the body is dropped */
	bool too_large, no_room;     /* the body is dropped, and answered so at its end */
	size_t dropped;
} exchange;

/* ---------------------------------------------------------------------------------------------- server.c ---- */

int serve_start(server *s);  /* CLI_DONE, or an exit code with the reason printed */
void serve_stop(server *s);  /* lets what runs finish, at most some seconds */
void serve_watch(server *s); /* once a second: ends connections that take too long */

enum MHD_Result answer(exchange *x, unsigned status, struct MHD_Response *r); /* with the headers that every answer has */
enum MHD_Result answer_bytes(exchange *x, unsigned status, const char *type, const char *cache, const void *data, size_t size);
enum MHD_Result answer_error(exchange *x, unsigned status, const char *code, const char *format, ...) __attribute__((format(printf, 4, 5)));
enum MHD_Result answer_library(exchange *x, const imgsearch_error *err); /* status and code by err->code */

/* JSON: FILE *f = reply_open(&r); json...; return reply_send(x, &r, status). */
typedef struct reply {
	char *text;
	size_t size;
	FILE *file;
} reply;

FILE *reply_open(reply *r); /* never NULL: on no memory /dev/null */
enum MHD_Result reply_send(exchange *x, reply *r, unsigned status, const char *header, const char *value);

const char *param(const exchange *x, const char *name); /* of the query string, NULL: not there */
const char *header(const exchange *x, const char *name);
double now(void);

/* ----------------------------------------------------------------------------------------------- admit.c ---- */

bool admitted(exchange *x, enum MHD_Result *result); /* else *result is the refusal's */

/* ---------------------------------------------------------------------------------------------- routes.c ---- */

enum MHD_Result route(exchange *x);
/* Whether a route exists and takes the method, before its body is read; else the refusal is queued. */
bool route_accepts(exchange *x, enum MHD_Result *result);

/* -------------------------------------------------------------------------------------------- pictures.c ---- */

enum MHD_Result picture_thumb(exchange *x, int64_t id);
enum MHD_Result picture_full(exchange *x, int64_t id);
enum MHD_Result picture_held(exchange *x, const char *name);
enum MHD_Result picture_add(exchange *x);
void picture_json(FILE *f, const imgsearch_item *item);

/* ----------------------------------------------------------------------------------------------- index.c ---- */

int served_index_open(served_index **out, context *c, const imgsearch_options *o);
void served_index_close(served_index *ix);
void served_index_cancel(served_index *ix);

/* The handle, until given back; opens it anew when another file stands at its path. NULL: err says why. */
imgsearch *serve_index_take(served_index *ix, imgsearch_error *err);
void serve_index_give(served_index *ix);
uint64_t served_index_opened(const served_index *ix); /* counts openings */

/* Uploaded pictures kept for a while (the oldest go first), so that a page can be reloaded or a part searched for. */
bool held_put(served_index *ix, const void *data, size_t size, char name[33]);
void *held_get(served_index *ix, const char *name, size_t *size); /* a copy; free() */

/* A few hundred ids of indexed pictures, evenly taken; how many. */
size_t serve_sample(served_index *ix, imgsearch *s, uint64_t seed, int64_t *ids, size_t n);

/* ---------------------------------------------------------------------------------------------- layout.c ---- */

/* What is computed: writes JSON to f. */
typedef int layout_make(imgsearch *s, FILE *f, imgsearch_error *err);

layout *layout_new(server *s, layout_make *make);
void layout_free(layout *l);
void layout_forget(layout *l); /* the index was changed: computed anew when next asked for */
/* 200 with the text, 202 with the share done while it is computed, or the error. */
enum MHD_Result layout_answer(exchange *x, layout *l);

layout_make layout_map, layout_groups;

/* --------------------------------------------------------------------------------------------- indexing.c ---- */

enum MHD_Result indexing(exchange *x);

/* The handle's progress callback: passes what this thread's long call reports on to the thread's sink. */
typedef struct progress_sink {
	int (*report)(void *arg, const imgsearch_progress *p);
	void *arg;
} progress_sink;

extern _Thread_local progress_sink serve_sink;
int serve_progress(void *user, const imgsearch_progress *p);

/* ------------------------------------------------------------------------------------------------ page.c ---- */

typedef struct page_file {
	const char *path, *type;
	const char *data;
	size_t size;
} page_file;

const page_file *page_find(const char *path);

#endif
