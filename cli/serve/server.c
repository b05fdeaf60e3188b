/*
 * Listeners, and one exchange from its first byte to its answer.
 *
 * Limits. Connections, bytes of a body, bytes of all bodies together, idle time (libmicrohttpd), and the time from a
 * connection's or the last answer's moment to the next complete request (serve_watch), which also ends the slow ones
 * that send a byte now and then. A body that is too large is read on for as much again, so that its sender hears why.
 */
#include "cli/serve/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CONNECTIONS = 128, IDLE_SECONDS = 30, REQUEST_SECONDS = 60, STOP_SECONDS = 20, HEADER_BYTES = 64 << 10 };
#define ALL_BODIES ((size_t)1 << 29)

/* Connections and since when each one waits for a complete request; 0: a request is being handled. */
struct watch {
	pthread_mutex_t lock;
	struct {
		struct MHD_Connection *connection;
		int fd;
		double since;
	} slot[2 * CONNECTIONS];
};

double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

const char *param(const exchange *x, const char *name)
{
	return MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *header(const exchange *x, const char *name)
{
	return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

/* ------------------------------------------------------------------------------------------------ answers ---- */

static void add_header(struct MHD_Response *r, const char *name, const char *value)
{
	MHD_add_response_header(r, name, value);
}

enum MHD_Result answer(exchange *x, unsigned status, struct MHD_Response *r)
{
	if (!r)
		return MHD_NO;
	add_header(r, "Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
		"connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
	add_header(r, "X-Content-Type-Options", "nosniff");
	add_header(r, "X-Frame-Options", "DENY");
	add_header(r, "Referrer-Policy", "no-referrer");
	add_header(r, "Cross-Origin-Resource-Policy", "same-origin");
	add_header(r, "Cross-Origin-Opener-Policy", "same-origin");
	if (atomic_load(&x->server->stopping))
		add_header(r, "Connection", "close");
	enum MHD_Result result = MHD_queue_response(x->connection, status, r);
	MHD_destroy_response(r);
	return result;
}

enum MHD_Result answer_bytes(exchange *x, unsigned status, const char *type, const char *cache, const void *data, size_t size)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(size, (void *)(uintptr_t)data, MHD_RESPMEM_MUST_COPY);
	if (r) {
		add_header(r, "Content-Type", type);
		add_header(r, "Cache-Control", cache);
	}
	return answer(x, status, r);
}

FILE *reply_open(reply *r)
{
	*r = (reply){ 0 };
	r->file = open_memstream(&r->text, &r->size);
	return r->file ? r->file : (r->file = fopen("/dev/null", "w"));
}

enum MHD_Result reply_send(exchange *x, reply *r, unsigned status, const char *name, const char *value)
{
	bool failed = ferror(r->file);
	struct MHD_Response *response = NULL;
	if (fclose(r->file) == 0 && !failed && r->text)
		response = MHD_create_response_from_buffer(r->size, r->text, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(r->text);
	else {
		add_header(response, "Content-Type", "application/json");
		add_header(response, "Cache-Control", "no-store");
		if (name)
			add_header(response, name, value);
	}
	return answer(x, status, response);
}

static enum MHD_Result send_error(exchange *x, unsigned status, const char *code, const char *message)
{
	reply r;
	json_writer j;
	json_write_begin(&j, reply_open(&r));
	json_write_open(&j, "error", '{');
	json_write_text(&j, "code", code);
	json_write_text(&j, "message", message);
	json_write_close(&j, '}');
	json_write_end(&j);
	return reply_send(x, &r, status, status == 401 ? "WWW-Authenticate" : status == 503 ? "Retry-After" : NULL, status == 401 ? "Bearer" : "1");
}

enum MHD_Result answer_error(exchange *x, unsigned status, const char *code, const char *format, ...)
{
	char message[600];
	va_list list;
	va_start(list, format);
	vsnprintf(message, sizeof message, format, list);
	va_end(list);
	return send_error(x, status, code, message);
}

enum MHD_Result answer_library(exchange *x, const imgsearch_error *err)
{
	static const struct {
		int code;
		unsigned status;
		const char *name;
	} known[] = {
		{ IMGSEARCH_EINVAL, 400, "EINVAL" }, { IMGSEARCH_ENOTFOUND, 404, "ENOTFOUND" }, { IMGSEARCH_EFORMAT, 422, "EFORMAT" },
		{ IMGSEARCH_EUNSUPPORTED, 415, "EUNSUPPORTED" }, { IMGSEARCH_ELIMIT, 413, "ELIMIT" }, { IMGSEARCH_EBUSY, 409, "EBUSY" },
		{ IMGSEARCH_EVERSION, 409, "EVERSION" }, { IMGSEARCH_EMODEL, 503, "EMODEL" }, { IMGSEARCH_ECANCELED, 503, "ECANCELED" },
		{ IMGSEARCH_EIO, 500, "EIO" }, { IMGSEARCH_EDB, 500, "EDB" }, { IMGSEARCH_ENOMEM, 503, "ENOMEM" },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].code == err->code)
			return send_error(x, known[i].status, known[i].name, err->message);
	return send_error(x, 500, "EDB", err->message);
}

/* -------------------------------------------------------------------------------------------- connections ---- */

static int connection_fd(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	return info ? info->connect_fd : -1;
}

/* Sets when the wait of a connection began; -1: it is gone. */
static void watch_set(struct watch *w, struct MHD_Connection *c, double since)
{
	size_t at = 2 * CONNECTIONS;
	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < 2 * CONNECTIONS && (at == 2 * CONNECTIONS || w->slot[at].connection != c); i++)
		if (w->slot[i].connection == c || (!w->slot[i].connection && at == 2 * CONNECTIONS))
			at = i;
	if (at < 2 * CONNECTIONS && (since >= 0 || w->slot[at].connection == c)) {
		w->slot[at].connection = since < 0 ? NULL : c;
		w->slot[at].fd = connection_fd(c);
		w->slot[at].since = since;
	}
	pthread_mutex_unlock(&w->lock);
}

static void on_connection(void *cls, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code)
{
	server *s = cls;
	(void)context;
	watch_set(s->watch, c, code == MHD_CONNECTION_NOTIFY_STARTED ? now() : -1);
}

void serve_watch(server *s)
{
	struct watch *w = s->watch;
	double t = now();
	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < 2 * CONNECTIONS; i++)
		if (w->slot[i].connection && w->slot[i].since > 0 && t - w->slot[i].since > REQUEST_SECONDS)
			shutdown(w->slot[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&w->lock);
}

/* ----------------------------------------------------------------------------------------------- exchanges ---- */

static bool same_user(struct MHD_Connection *c)
{
	struct ucred peer;
	socklen_t size = sizeof peer;
	return !getsockopt(connection_fd(c), SOL_SOCKET, SO_PEERCRED, &peer, &size) && (peer.uid == geteuid() || peer.uid == 0);
}

static enum MHD_Result answer_too_large(exchange *x)
{
	return answer_error(x, 413, "ELIMIT", "the body is larger than %zu MB", x->server->options.max_upload >> 20);
}

static enum MHD_Result begin(server *s, bool local, struct MHD_Connection *c, const char *url, const char *method, void **context)
{
	enum MHD_Result result;
	exchange *x = calloc(1, sizeof *x);
	if (!x)
		return MHD_NO;
	*x = (exchange){ .server = s, .connection = c, .method = method, .path = url, .local = local, .started = now() };
	*context = x;
	atomic_fetch_add(&s->requests, 1);
	const char *length = header(x, "Content-Length");
	if (local && !same_user(c))
		return MHD_NO;
	if (!admitted(x, &result) || !route_accepts(x, &result)) {
		x->refused = true;
		return result;
	}
	if (length && strtoull(length, NULL, 10) > s->options.max_upload) {
		x->refused = true;
		return answer_too_large(x);
	}
	return MHD_YES;
}

/* Room for size more bytes of the body, within what all requests together may take. */
static bool make_room(exchange *x, size_t size)
{
	server *s = x->server;
	size_t cap = x->cap ? x->cap : 1 << 16, more;
	if (x->size + size <= x->cap)
		return true;
	while (cap < x->size + size)
		cap *= 2;
	more = cap - x->cap;
	char *body = atomic_fetch_add(&s->body_bytes, more) + more <= ALL_BODIES ? realloc(x->body, cap) : NULL;
	if (!body) {
		atomic_fetch_sub(&s->body_bytes, more);
		return false;
	}
	x->body = body;
	x->cap = cap;
	return true;
}

static void drop_body(exchange *x)
{
	atomic_fetch_sub(&x->server->body_bytes, x->cap);
	free(x->body);
	x->body = NULL;
	x->size = x->cap = 0;
}

/* More of the body; false: hang up. Within a body libmicrohttpd takes no answer, so what is too much is dropped until its end. */
static bool take_body(exchange *x, const char *data, size_t size)
{
	size_t most = x->server->options.max_upload;
	if (now() - x->started > REQUEST_SECONDS)
		return false;
	if (!x->too_large && !x->no_room) {
		x->too_large = size > most - x->size;
		x->no_room = !x->too_large && !make_room(x, size);
		if (x->too_large || x->no_room)
			drop_body(x);
	}
	if (x->too_large || x->no_room) {
		x->dropped += size;
		return x->dropped <= most;
	}
	memcpy(x->body + x->size, data, size);
	x->size += size;
	return true;
}

static enum MHD_Result handle(exchange *x)
{
	if (x->too_large)
		return answer_too_large(x);
	if (x->no_room)
		return answer_error(x, 503, "ENOMEM", "too many uploads at once; try again");
	atomic_fetch_add(&x->server->at_work, 1);
	enum MHD_Result result = route(x);
	atomic_fetch_sub(&x->server->at_work, 1);
	return result;
}

static enum MHD_Result on_request(server *s, bool local, struct MHD_Connection *c, const char *url, const char *method,
	const char *data, size_t *size, void **context)
{
	exchange *x = *context;
	if (!x)
		return begin(s, local, c, url, method, context);
	if (x->refused) {
		*size = 0;
		return MHD_YES;
	}
	if (*size) {
		bool taken = take_body(x, data, *size);
		*size = 0;
		return taken ? MHD_YES : MHD_NO;
	}
	watch_set(s->watch, c, 0);
	return handle(x);
}

static enum MHD_Result on_tcp(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version,
	const char *data, size_t *size, void **context)
{
	(void)version;
	return on_request(cls, false, c, url, method, data, size, context);
}

static enum MHD_Result on_local(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version,
	const char *data, size_t *size, void **context)
{
	(void)version;
	return on_request(cls, true, c, url, method, data, size, context);
}

static void on_completed(void *cls, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code)
{
	server *s = cls;
	exchange *x = *context;
	(void)code;
	watch_set(s->watch, c, now());
	if (!x)
		return;
	drop_body(x);
	free(x);
	*context = NULL;
}

/* ---------------------------------------------------------------------------------------- starting, stopping ---- */

static void be_quiet(void *cls, const char *format, va_list list)
{
	(void)cls;
	(void)format;
	(void)list;
}

static struct MHD_Daemon *start(server *s, int fd, MHD_AccessHandlerCallback handler)
{
	return MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ERROR_LOG | MHD_USE_ITC, 0,
		NULL, NULL, handler, s, MHD_OPTION_EXTERNAL_LOGGER, be_quiet, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES, MHD_OPTION_THREAD_STACK_SIZE, (size_t)1 << 20,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

static int tcp_socket(server *s)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = { 0 };
	const char *host = s->options.listen ? s->options.listen : "127.0.0.1";
	socklen_t size = sizeof a.v4;
	if (inet_pton(AF_INET, host, &a.v4.sin_addr) == 1) {
		a.v4.sin_family = AF_INET;
		a.v4.sin_port = htons(s->options.port);
	} else if (inet_pton(AF_INET6, host, &a.v6.sin6_addr) == 1) {
		a.v6.sin6_family = AF_INET6;
		a.v6.sin6_port = htons(s->options.port);
		size = sizeof a.v6;
	} else {
		return cli_fail("--listen %s: an address such as 192.168.1.5, 0.0.0.0 or :: is needed", host), -1;
	}
	int on = 1, fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd < 0 || bind(fd, &a.any, size) || listen(fd, 256) || getsockname(fd, &a.any, &size)) {
		cli_fail("%s port %u: %s%s", host, s->options.port, strerror(errno), errno == EADDRINUSE ? "; take another one with --port" : "");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	s->port = ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
	return fd;
}

/* A socket that nobody answers is left from a server that was killed. */
static int local_socket(server *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	if (strlen(s->socket_path) >= sizeof a.sun_path)
		return cli_fail("%s: the path is too long for a socket", s->socket_path), -1;
	strcpy(a.sun_path, s->socket_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&a, sizeof a)) {
		close(fd);
		return cli_fail("another server already serves this index (%s)", s->socket_path), -1;
	}
	if (fd >= 0 && errno == ECONNREFUSED)
		unlink(s->socket_path);
	mode_t old = umask(0177);
	bool ok = fd >= 0 && !bind(fd, (struct sockaddr *)&a, sizeof a) && !listen(fd, 64);
	int why = errno;
	umask(old);
	if (ok)
		return fd;
	if (fd >= 0)
		close(fd);
	return cli_fail("%s: cannot listen: %s", s->socket_path, strerror(why)), -1;
}

int serve_start(server *s)
{
	s->watch = calloc(1, sizeof *s->watch);
	if (!s->watch)
		return cli_nomem();
	pthread_mutex_init(&s->watch->lock, NULL);
	s->started = time(NULL);
	int local = local_socket(s);
	if (local < 0) {
		free(s->socket_path);
		s->socket_path = NULL; /* it is not ours to remove */
		return CLI_FAILED;
	}
	s->local = start(s, local, on_local);
	int tcp = s->local ? tcp_socket(s) : -1;
	s->tcp = tcp >= 0 ? start(s, tcp, on_tcp) : NULL;
	if (s->local && tcp < 0)
		return CLI_FAILED;
	return s->local && s->tcp ? CLI_DONE : cli_fail("the server cannot be started: %s", strerror(errno));
}

void serve_stop(server *s)
{
	struct MHD_Daemon *daemons[] = { s->tcp, s->local };
	atomic_store(&s->stopping, true);
	if (s->socket_path)
		unlink(s->socket_path);
	for (int i = 0; i < 2; i++) {
		int fd = daemons[i] ? MHD_quiesce_daemon(daemons[i]) : -1;
		if (fd >= 0)
			close(fd);
	}
	for (double start_time = now(); atomic_load(&s->at_work) && now() - start_time < STOP_SECONDS;)
		usleep(10000);
	served_index_cancel(s->index);
	for (int i = 0; i < 2; i++)
		if (daemons[i])
			MHD_stop_daemon(daemons[i]);
	if (s->watch)
		pthread_mutex_destroy(&s->watch->lock);
	free(s->watch);
	free(s->socket_path);
}
