/*
 * Listeners, and one exchange from its first byte to its answer.
 *
 * Limits: connections and how long each of their steps takes (connections.c), bytes of a body,
 * bytes of all bodies together, idle time (libmicrohttpd), and the time for an answer. A body that
 * is too large is read on for as much again, so that its sender gets an answer.
 */
#include "cli/serve/server.h"

#include "cli/base/clock.h"
#include "cli/base/message.h"
#include "cli/serve/access.h"
#include "cli/serve/access_log.h"
#include "cli/serve/answer.h"
#include "cli/serve/connections.h"
#include "cli/serve/inherited.h"
#include "cli/serve/json_body.h"
#include "cli/serve/metrics.h"
#include "cli/serve/routes.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	CONNECTIONS = 128,
	CONNECTIONS_OF_ONE = 32, /* other machine */
	NEWCOMERS = 32,          /* more, that are refused or take the place of an idle one */
	IDLE_SECONDS = 30,
	REQUEST_SECONDS = 60,
	STOP_SECONDS = 10,  /* then running calls are cancelled */
	CANCEL_SECONDS = 8, /* and those that have not ended then are left */
	HEADER_BYTES = 64 << 10,
};
#define ALL_BODIES ((size_t)1 << 29)

void server_check_connections(server *s)
{
	connections_check(s->connections);
}

/* ------------------------------------------------------------------------------- exchanges ---- */

static bool same_user(struct MHD_Connection *c)
{
	struct ucred peer;
	socklen_t size = sizeof peer;
	return !getsockopt(connection_socket(c), SOL_SOCKET, SO_PEERCRED, &peer, &size)
		&& (peer.uid == geteuid() || peer.uid == 0);
}

static enum MHD_Result answer_too_large(exchange *x)
{
	return answer_error(x, 413, "ELIMIT", "the body is larger than %zu MB", x->most >> 20);
}

/* Whatever follows on the connection may be a part of this request. */
static enum MHD_Result answer_and_close(exchange *x, const char *why)
{
	x->closes = true;
	return answer_error(x, 400, "EINVAL", "%s", why);
}

/* Names and values are read as C strings, so what is behind a zero byte would be lost. */
static enum MHD_Result find_zero(void *cls, enum MHD_ValueKind kind, const char *name,
	size_t name_size, const char *value, size_t value_size)
{
	bool *found = cls;
	(void)kind;
	*found |= (name && memchr(name, 0, name_size)) || (value && memchr(value, 0, value_size));
	return MHD_YES;
}

/*
 * Decodes %XX in place, and returns the length. A text with a malformed escape, or %00,
 * becomes one zero byte: a parameter with it is refused, and no path has it.
 */
static size_t unescape(void *cls, struct MHD_Connection *c, char *text)
{
	char *out = text;
	(void)cls;
	(void)c;
	for (const char *in = text; *in;) {
		unsigned value;
		if (*in != '%') {
			*out++ = *in++;
			continue;
		}
		if (!isxdigit((unsigned char)in[1]) || !isxdigit((unsigned char)in[2])
			|| sscanf(in + 1, "%2x", &value) != 1 || !value) {
			*text = 0;
			return 1;
		}
		*out++ = (char)value;
		in += 3;
	}
	*out = 0;
	return (size_t)(out - text);
}

/*
 * What says where a request ends, and for whom it is. A proxy in front may read two answers to that
 * in one request (RFC 9112, 6.3 and 11.2), so only one may be given.
 */
typedef struct framing {
	unsigned lengths, encodings, hosts;
	bool chunked; /* the encoding is the one that there is */
} framing;

static enum MHD_Result count_header(void *cls, enum MHD_ValueKind kind, const char *name,
	const char *value)
{
	framing *f = cls;
	(void)kind;
	f->lengths += !strcasecmp(name, "Content-Length");
	f->hosts += !strcasecmp(name, "Host");
	if (!strcasecmp(name, "Transfer-Encoding")) {
		f->encodings++;
		f->chunked = value && !strcasecmp(value, "chunked");
	}
	return MHD_YES;
}

/* Why the request is ambiguous, a static sentence; NULL: it is not. */
static const char *ambiguous(struct MHD_Connection *c)
{
	framing f = { 0 };
	MHD_get_connection_values(c, MHD_HEADER_KIND, count_header, &f);
	const char *length = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Length");
	if (f.lengths > 1 || (length && (!*length || strspn(length, "0123456789") != strlen(length))))
		return "Content-Length: one number is needed";
	if (f.lengths && f.encodings)
		return "Content-Length and Transfer-Encoding exclude each other";
	if (f.encodings > 1 || (f.encodings && !f.chunked))
		return "Transfer-Encoding: only chunked is known";
	return f.hosts > 1 ? "there is more than one Host" : NULL;
}

/* A request without pictures needs little. */
static size_t body_limit(const exchange *x)
{
	const char *type = exchange_header(x, "Content-Type");
	bool json = (type && !strncasecmp(type, "application/json", 16))
		|| !strcmp(x->path, "/api/index") || !strcmp(x->path, "/api/reject");
	return json && x->server->options.max_upload > JSON_BODY_BYTES ? JSON_BODY_BYTES
																   : x->server->options.max_upload;
}

/* The first call for a request: its head is read, its body is not. */
static enum MHD_Result begin(server *s, bool local, struct MHD_Connection *c, const char *url,
	const char *method, void **context)
{
	enum MHD_Result result;
	exchange *x = calloc(1, sizeof *x);
	if (!x)
		return MHD_NO;
	*x = (exchange){
		.server = s,
		.connection = c,
		.method = method,
		.path = url,
		.local = local,
		.started = clock_seconds(),
		.route = route_unknown(),
	};
	*context = x;
	atomic_fetch_add(&s->requests, 1);
	const char *length = exchange_header(x, "Content-Length");
	x->most = body_limit(x);
	const char *why = ambiguous(c);
	bool cut = false;
	MHD_get_connection_values_n(c, MHD_GET_ARGUMENT_KIND, find_zero, &cut);
	if (local && !same_user(c))
		return MHD_NO;
	if (connections_refused(s->connections, c)) {
		x->refused = x->closes = true;
		return answer_error(x, 503, "EBUSY", "the server has too many connections; try again");
	}
	connections_receiving(s->connections, c);
	if (atomic_load(&s->stopping)) {
		x->refused = true;
		return answer_error(x, 503, "ECANCELED", "the server is ending");
	}
	if (why) {
		x->refused = true;
		return answer_and_close(x, why);
	}
	if (!access_allowed(x, &result) || !route_accepts(x, &result)) {
		x->refused = true;
		return result;
	}
	if (cut) {
		x->refused = true;
		return answer_error(x, 400, "EINVAL",
			"a parameter has a malformed %%-escape, or a zero byte in it");
	}
	if (length && strtoull(length, NULL, 10) > x->most) {
		x->refused = true;
		return answer_too_large(x);
	}
	return MHD_YES;
}

/*
 * Memory for size more bytes of the body. False: there is none, or all bodies together are too
 * large.
 */
static bool reserve_body(exchange *x, size_t size)
{
	server *s = x->server;
	size_t cap = x->cap ? x->cap : 1 << 16;
	if (x->size + size <= x->cap)
		return true;
	while (cap < x->size + size)
		cap *= 2;
	size_t more = cap - x->cap;
	bool allowed = atomic_fetch_add(&s->body_bytes, more) + more <= ALL_BODIES;
	char *body = allowed ? realloc(x->body, cap) : NULL;
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

/*
 * More of the body; false: the connection is closed. libmicrohttpd takes no answer within a body,
 * so the rest of one that is too large is dropped until its end.
 */
static bool append_body(exchange *x, const char *data, size_t size)
{
	size_t most = x->most;
	if (clock_seconds() - x->started > REQUEST_SECONDS)
		return false;
	if (!x->too_large && !x->no_memory) {
		x->too_large = size > most - x->size;
		x->no_memory = !x->too_large && !reserve_body(x, size);
		if (x->too_large || x->no_memory)
			drop_body(x);
	}
	if (x->too_large || x->no_memory) {
		x->dropped += size;
		return x->dropped <= most;
	}
	memcpy(x->body + x->size, data, size);
	x->size += size;
	return true;
}

/* Of a client that reads 32 kB a second. */
static double sending_seconds(const exchange *x)
{
	return REQUEST_SECONDS + (double)x->answer_size / 32768;
}

static enum MHD_Result handle(exchange *x)
{
	if (x->too_large)
		return answer_too_large(x);
	if (x->no_memory)
		return answer_error(x, 503, "ENOMEM", "too many uploads at once; try again");
	if (imgsearch_cancel_token_new(&x->cancel, NULL))
		return answer_error(x, 503, "ENOMEM", "no memory for it");
	server *s = x->server;
	connections_busy(s->connections, x->connection, x->cancel);
	atomic_fetch_add(&s->busy, 1);
	enum MHD_Result result = route(x);
	atomic_fetch_sub(&s->busy, 1);
	if (!x->streams)
		connections_sending(s->connections, x->connection, sending_seconds(x));
	return result;
}

static enum MHD_Result on_request(server *s, bool local, struct MHD_Connection *c, const char *url,
	const char *method, const char *data, size_t *size, void **context)
{
	exchange *x = *context;
	if (!x)
		return begin(s, local, c, url, method, context);
	if (x->refused) {
		*size = 0;
		return MHD_YES;
	}
	if (*size) {
		bool ok = append_body(x, data, *size);
		*size = 0;
		return ok ? MHD_YES : MHD_NO;
	}
	return handle(x);
}

static enum MHD_Result on_tcp(void *cls, struct MHD_Connection *c, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **context)
{
	(void)version;
	return on_request(cls, false, c, url, method, data, size, context);
}

static enum MHD_Result on_local(void *cls, struct MHD_Connection *c, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **context)
{
	(void)version;
	return on_request(cls, true, c, url, method, data, size, context);
}

static void on_connection(void *cls, struct MHD_Connection *c, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	server *s = cls;
	(void)context;
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		connections_open(s->connections, c);
	else
		connections_close(s->connections, c);
}

static void on_completed(void *cls, struct MHD_Connection *c, void **context,
	enum MHD_RequestTerminationCode code)
{
	server *s = cls;
	exchange *x = *context;
	(void)code;
	connections_idle(s->connections, c);
	if (!x)
		return;
	double seconds = clock_seconds() - x->started;
	metrics_count(s->metrics, x->route, x->status, seconds);
	access_log_write(s->access_log, x, seconds);
	imgsearch_cancel_token_free(x->cancel);
	drop_body(x);
	free(x);
	*context = NULL;
}

/* ---------------------------------------------------------------------- starting, stopping ---- */

static void on_log(void *user, int level, const char *text)
{
	(void)user;
	cli_log(level, text);
}

imgsearch_call server_call(const server *s)
{
	return (imgsearch_call){
		.struct_size = sizeof(imgsearch_call),
		.log = on_log,
		.cancel = s->cancel,
	};
}

imgsearch_call exchange_call(const exchange *x)
{
	return (imgsearch_call){
		.struct_size = sizeof(imgsearch_call),
		.log = on_log,
		.cancel = x->cancel,
		.deadline_ms = 1000 * REQUEST_SECONDS,
	};
}

static void ignore_log(void *cls, const char *format, va_list list)
{
	(void)cls;
	(void)format;
	(void)list;
}

static struct MHD_Daemon *start(server *s, int fd, MHD_AccessHandlerCallback handler)
{
	const unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD
		| MHD_USE_POLL | MHD_USE_ERROR_LOG | MHD_USE_ITC;
	/* clang-format off */
	return MHD_start_daemon(flags, 0, NULL, NULL, handler, s,
		MHD_OPTION_EXTERNAL_LOGGER, ignore_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)(CONNECTIONS + NEWCOMERS),
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES,
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)1 << 20,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
		MHD_OPTION_END);
	/* clang-format on */
}

/* An address and a port; false: no such address. */
static bool parse_address(const char *host, uint16_t port, struct sockaddr_storage *a,
	socklen_t *size)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)a;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)a;
	memset(a, 0, sizeof *a);
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		*size = sizeof *v4;
	} else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		*size = sizeof *v6;
	} else {
		return false;
	}
	return true;
}

static bool is_loopback(const struct sockaddr_storage *a)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)a;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;
	return a->ss_family == AF_INET ? ntohl(v4->sin_addr.s_addr) >> 24 == 127
								   : IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) != 0;
}

static uint16_t port_of(const struct sockaddr_storage *a)
{
	return ntohs(a->ss_family == AF_INET ? ((const struct sockaddr_in *)a)->sin_port
										 : ((const struct sockaddr_in6 *)a)->sin6_port);
}

/* A socket of a service manager; the rules of --listen hold for its address. */
static int take_tcp(server *s, int fd)
{
	struct sockaddr_storage a = { 0 };
	socklen_t size = sizeof a;
	if (getsockname(fd, (struct sockaddr *)&a, &size) || (!s->options.token && !is_loopback(&a)))
		return cli_fail("LISTEN_FDS: a socket for others needs a token"), -1;
	s->port = port_of(&a);
	return fd;
}

/* -1: failed, with a message. */
static int tcp_socket(server *s, int inherited)
{
	struct sockaddr_storage a;
	const char *host = s->options.listen ? s->options.listen : "127.0.0.1";
	socklen_t size = sizeof a;
	if (inherited >= 0)
		return take_tcp(s, inherited);
	if (!parse_address(host, s->options.port, &a, &size)) {
		cli_fail("--listen %s: an address such as 192.168.1.5, 0.0.0.0 or :: is needed", host);
		return -1;
	}
	int on = 1, fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, size) || listen(fd, 256)
		|| getsockname(fd, (struct sockaddr *)&a, &size)) {
		cli_fail("%s port %u: %s%s", host, s->options.port, strerror(errno),
			errno == EADDRINUSE ? "; take another one with --port" : "");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	s->port = port_of(&a);
	return fd;
}

bool server_takes_uploads(const server *s)
{
	return (s->options.uploads || s->options.store_uploads) && !server_refuses_changes(s);
}

const char *server_refuses_changes(const server *s)
{
	if (s->options.read_only)
		return "this server changes nothing";
	return s->index_read_only ? "the index cannot be written by this server: it may only read it"
							  : NULL;
}

void server_address(const server *s, char out[SERVER_ADDRESS])
{
	const char *host = s->options.listen;
	bool local = !host || !strcmp(host, "0.0.0.0") || !strcmp(host, "::");
	bool v6 = !local && strchr(host, ':');
	snprintf(out, SERVER_ADDRESS, "http://%s%s%s:%u/", v6 ? "[" : "", local ? "localhost" : host,
		v6 ? "]" : "", s->port);
}

/* The address of the server at the other end of a socket; false: it does not tell. */
static bool ask_address(int fd, char out[SERVER_ADDRESS])
{
	static const char request[] = "GET /api/health HTTP/1.0\r\nHost: localhost\r\n\r\n",
					  key[] = "\"address\": \"";
	const struct timeval most = { .tv_sec = 2 };
	char text[4096];
	size_t n = 0;
	ssize_t got = 0;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
	if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) != sizeof request - 1)
		return false;
	while (n < sizeof text - 1 && (got = recv(fd, text + n, sizeof text - 1 - n, 0)) > 0)
		n += (size_t)got;
	text[n] = 0;
	const char *at = strstr(text, key), *end = at ? strchr(at += sizeof key - 1, '"') : NULL;
	if (end)
		snprintf(out, SERVER_ADDRESS, "%.*s", (int)(end - at), at);
	return end && end > at;
}

/*
 * Replaces a socket that no server answers, which a killed server left. -1: failed, with a message.
 */
static int local_socket(server *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	if (strlen(s->socket_path) >= sizeof a.sun_path)
		return cli_fail("%s: the path is too long for a socket", s->socket_path), -1;
	strcpy(a.sun_path, s->socket_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&a, sizeof a)) {
		char address[SERVER_ADDRESS];
		bool told = ask_address(fd, address);
		close(fd);
		return cli_fail("another server already serves this index: %s",
				   told ? address : s->socket_path),
			   -1;
	}
	if (fd >= 0 && errno == ECONNREFUSED)
		unlink(s->socket_path);
	mode_t old = umask(0177);
	bool ok = fd >= 0 && !bind(fd, (struct sockaddr *)&a, sizeof a) && !listen(fd, 64);
	int why = errno;
	umask(old);
	if (ok && !lstat(s->socket_path, &s->socket_own))
		return fd;
	if (fd >= 0)
		close(fd);
	return cli_fail("%s: cannot listen: %s", s->socket_path, strerror(why)), -1;
}

/*
 * Marks the index as served: by a socket without a file, whose name is the index's, so that it goes
 * with the process. False: another server has it, whatever socket that listens on.
 */
static bool mark(server *s)
{
#ifdef __linux__
	struct stat st;
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	if (!open_index_file(s->index, &st))
		return true; /* it lies on a server: there may be many */
	int n = snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "imgsearch-serve-%llx-%llx",
		(unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	s->only = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
	return s->only < 0 || !bind(s->only, (struct sockaddr *)&a, size) || errno != EADDRINUSE;
#else
	(void)s;
	return true;
#endif
}

int server_start(server *s)
{
	const connections_limits limits = {
		.most = CONNECTIONS,
		.per_address = CONNECTIONS_OF_ONE,
		.request = REQUEST_SECONDS,
		.proxies = s->options.proxies,
		.n_proxies = s->options.n_proxies,
	};
	inherited given;
	s->connections = connections_new(&limits);
	s->metrics = metrics_new(routes_count());
	if (!s->connections || !s->metrics)
		return cli_nomem();
	if (!inherited_take(&given))
		return CLI_FAILED;
	s->started = time(NULL);
	int local = given.local >= 0 ? given.local : local_socket(s);
	if (local < 0) {
		free(s->socket_path);
		s->socket_path = NULL; /* the socket belongs to another server */
		return CLI_FAILED;
	}
	if (!mark(s)) {
		close(local);
		return cli_fail("another server already serves this index, by another socket");
	}
	s->local = start(s, local, on_local);
	int tcp = s->local ? tcp_socket(s, given.tcp) : -1;
	s->tcp = tcp >= 0 ? start(s, tcp, on_tcp) : NULL;
	if (s->local && tcp < 0)
		return CLI_FAILED;
	return s->local && s->tcp ? CLI_DONE
							  : cli_fail("the server cannot be started: %s", strerror(errno));
}

/* Another server may have put its own in that place. */
static bool owns_socket(const server *s)
{
	struct stat st;
	return !lstat(s->socket_path, &st) && st.st_dev == s->socket_own.st_dev
		&& st.st_ino == s->socket_own.st_ino;
}

/* Whether all work ends within so many seconds. */
static bool rests(server *s, double seconds)
{
	double since = clock_seconds();
	while (atomic_load(&s->busy) && clock_seconds() - since < seconds) {
		if (s->connections)
			connections_check(s->connections);
		usleep(10000);
	}
	return !atomic_load(&s->busy);
}

bool server_stop(server *s)
{
	struct MHD_Daemon *daemons[] = { s->tcp, s->local };
	atomic_store(&s->stopping, true);
	if (s->socket_path && owns_socket(s))
		unlink(s->socket_path);
	for (int i = 0; i < 2; i++) {
		int fd = daemons[i] ? MHD_quiesce_daemon(daemons[i]) : -1;
		if (fd >= 0)
			close(fd);
	}
	rests(s, STOP_SECONDS);
	imgsearch_cancel_token_set(s->cancel);
	if (s->connections)
		connections_cancel(s->connections);
	if (!rests(s, CANCEL_SECONDS))
		return false;
	for (int i = 0; i < 2; i++)
		if (daemons[i])
			MHD_stop_daemon(daemons[i]);
	connections_free(s->connections);
	metrics_free(s->metrics);
	free(s->socket_path);
	if (s->only >= 0)
		close(s->only);
	return true;
}
