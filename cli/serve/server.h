/*
 * The server within the command: listeners, and exchanges from the first byte to the answer. From
 * the outside in:
 *
 *	server.c        listeners, limits, one exchange from first byte to answer
 *	connections.c   how many there are, how long they take, and whether clients have left
 *	inherited.c     sockets that a service manager opened
 *	access_log.c, metrics.c
 *	                what was asked, for whoever watches the server
 *	access.c        who may ask: Host, Origin, token
 *	token.c         the token of the user
 *	routes.c        paths to handlers
 *	search.c, about.c, pictures.c, listing.c, collection.c, index_run.c
 *	                the handlers
 *	cached_view.c   views that take long to compute, made once in the background
 *	answer.c        answers: bytes, JSON, errors
 *	open_index.c    the open index: opened again when its file was replaced
 *	thumb_cache.c   thumbnails on disk
 *	upload_cache.c  uploads that are held for a while
 *	keep_upload.c   uploads that are added to the index
 *	search_request.c, filter_request.c, index_request.c, pair_request.c, json_body.c, form.c,
 *	number.c
 *	                requests, parsed (no sockets, no files)
 *	page.c          the page, compiled in
 *
 * Threads: libmicrohttpd gives each connection one. A handler acquires the index by
 * open_index_acquire and releases it.
 */
#ifndef IMGSEARCH_CLI_SERVER_H
#define IMGSEARCH_CLI_SERVER_H

#include "cli/serve/open_index.h"
#include "cli/serve/sample.h"
#include "cli/serve/thumb_cache.h"
#include "cli/serve/upload_cache.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

typedef struct server_options {
	const char *listen;  /* an address; NULL: this machine alone */
	const char *token;   /* every request over TCP must carry it; NULL: none is needed */
	const char *uploads; /* folder for uploads; NULL: none, and without store_uploads refused */
	const char *const *hosts; /* further accepted host names */
	size_t n_hosts;
	const char *const *origins; /* further addresses of the page, behind a proxy */
	size_t n_origins;
	const char *const *proxies; /* addresses that many clients come from */
	size_t n_proxies;
	uint16_t port;      /* 0: any free one */
	size_t max_upload;  /* bytes of a body */
	bool read_only;     /* no uploads, removals, rejections */
	bool store_uploads; /* the index stores uploads */
} server_options;

typedef struct server {
	server_options options;
	bool index_read_only; /* the index can only be read, whatever the options say */
	const char *db;       /* the index's path or address, borrowed */
	open_index *index;
	upload_cache *uploads;
	thumb_cache *thumbs; /* NULL: none is kept */
	sample *sample;
	struct cached_view *map, *groups;
	char *socket_path;      /* malloc'd; freed by server_stop */
	struct stat socket_own; /* the socket that it made there */
	int only;               /* the socket that marks the index as served; -1: none */
	uint16_t port;          /* where it listens, after server_start */
	struct MHD_Daemon *tcp, *local;
	struct connections *connections;
	atomic_size_t body_bytes; /* of all requests that are being read or handled */
	atomic_int busy;          /* requests that are being handled, and background threads */
	pthread_mutex_t runs_lock;
	struct index_run *runs; /* under runs_lock: the one at work, and those that wait */
	atomic_bool stopping;
	imgsearch_cancel_token *cancel; /* set by server_stop, for calls that are not done by then */
	time_t started;
	atomic_ullong requests, searches;
	atomic_int index_runs;    /* that are at work */
	atomic_bool model_loaded; /* and the searcher: a first search was answered */
	struct metrics *metrics;
	struct access_log *access_log; /* NULL: none */
} server;

/* A call of the library that goes on when a client leaves: the command's log, the token above. */
imgsearch_call server_call(const server *s);

/* Where a browser on this machine, or on another one, finds the page: "http://localhost:8080/". */
enum { SERVER_ADDRESS = 300 };
void server_address(const server *s, char out[SERVER_ADDRESS]);

bool server_takes_uploads(const server *s);

/* Why it changes nothing, a static sentence; NULL: it may. */
const char *server_refuses_changes(const server *s);

int server_start(server *s); /* CLI_DONE, or an exit code with the reason printed */

/*
 * Running requests get some seconds to finish, then their calls are cancelled. False: some have not
 * ended 18 s after, and nothing that they use may be freed.
 */
bool server_stop(server *s);
void server_check_connections(server *s); /* call ten times a second */

#endif
