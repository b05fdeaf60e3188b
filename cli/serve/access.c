/*
 * Access control. Over the unix socket: processes of the same user (checked in server.c). Over TCP:
 * - The Host header must be localhost, a plain address or a name given by --host or --origin, so
 *   that no foreign web site can reach the server by a name that it controls (DNS rebinding).
 * - Requests of /api, and all others than GET and HEAD, must come from the page of the server or
 *   from no page: a foreign page could make the server work, or change the index. Browsers say
 *   where a request comes from by Sec-Fetch-Site; older ones by Origin and Referer.
 * - With a token, every request must carry it: Authorization: Bearer, or the cookie that
 *   /?token=... sets.
 */
#include "cli/serve/access.h"

#include "cli/serve/answer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* "name:port" or "[::1]:port" without its port. */
static bool host_name(const char *host, char *name, size_t size)
{
	const char *end = *host == '[' ? strchr(host, ']') : NULL;
	size_t n = *host == '[' ? (end ? (size_t)(end - host) - 1 : 0) : strcspn(host, ":");
	host += *host == '[';
	if (!n || n >= size)
		return false;
	memcpy(name, host, n);
	name[n] = 0;
	return true;
}

/* Whether an address of --origin that begins so has this host, by any port. */
static bool is_origin_host(const server *s, const char *name, const char *begins)
{
	char own[256];
	for (size_t i = 0; i < s->options.n_origins; i++) {
		const char *origin = s->options.origins[i];
		if (!strncasecmp(origin, begins, strlen(begins))
			&& host_name(strstr(origin, "://") + 3, own, sizeof own) && !strcasecmp(name, own))
			return true;
	}
	return false;
}

static bool host_allowed(const server *s, const char *host)
{
	char name[256];
	unsigned char address[16];
	if (!host || !host_name(host, name, sizeof name))
		return false;
	if (!strcasecmp(name, "localhost") || inet_pton(AF_INET, name, address) == 1
		|| inet_pton(AF_INET6, name, address) == 1)
		return true;
	for (size_t i = 0; i < s->options.n_hosts; i++)
		if (!strcasecmp(name, s->options.hosts[i]))
			return true;
	return is_origin_host(s, name, "");
}

/*
 * Whether url is the page's own address, or below it. That is one of --origin, or the one of the
 * Host header, without TLS where --origin does not name it.
 */
static bool is_own(const exchange *x, const char *url)
{
	const char *host = exchange_header(x, "Host"), *begin = strstr(url, "://");
	size_t n = begin ? strcspn(begin + 3, "/?#") + (size_t)(begin + 3 - url) : 0;
	bool named = false;
	if (!n)
		return false;
	for (size_t i = 0; i < x->server->options.n_origins; i++) {
		const char *own = x->server->options.origins[i];
		if (strlen(own) == n && !strncasecmp(url, own, n))
			return true;
		named |= host && !strcasecmp(strstr(own, "://") + 3, host);
	}
	return host && !named && n == 7 + strlen(host) && !strncasecmp(url, "http://", 7)
		&& !strncasecmp(url + 7, host, n - 7);
}

/* What is no page. */
static bool is_for_programs(const exchange *x)
{
	return !strncmp(x->path, "/api/", 5) || !strcmp(x->path, "/metrics");
}

/* Another port of this machine is another site, too. */
static bool origin_allowed(const exchange *x)
{
	const char *origin = exchange_header(x, "Origin"), *referer = exchange_header(x, "Referer");
	const char *site = exchange_header(x, "Sec-Fetch-Site");
	bool reads = !strcmp(x->method, "GET") || !strcmp(x->method, "HEAD");
	if (reads && !is_for_programs(x))
		return true;
	if (site)
		return !strcmp(site, "none")
			|| (!strcmp(site, "same-origin") && (!origin || is_own(x, origin)));
	return (!origin || is_own(x, origin)) && (origin || !referer || is_own(x, referer));
}

/* Constant time: it does not depend on how much of the token matches. */
static bool token_equal(const char *given, const char *token)
{
	size_t n = strlen(token);
	unsigned char off = strlen(given) != n;
	for (size_t i = 0; i < n; i++)
		off |= (unsigned char)(token[i] ^ (off & 1 ? 0 : given[i]));
	return !off;
}

/* Browsers keep one cookie of a name for all ports of a machine. */
static void cookie_name(const server *s, char name[32])
{
	snprintf(name, 32, "imgsearch_token_%u", s->port);
}

static bool token_is_valid(const exchange *x)
{
	char name[32];
	const char *token = x->server->options.token, *bearer = exchange_header(x, "Authorization");
	cookie_name(x->server, name);
	const char *cookie = MHD_lookup_connection_value(x->connection, MHD_COOKIE_KIND, name);
	if (bearer && !strncasecmp(bearer, "Bearer ", 7) && token_equal(bearer + 7, token))
		return true;
	return cookie && token_equal(cookie, token);
}

/* Whether the request came through TLS: by an https address that --origin names. */
static bool is_secure(const exchange *x)
{
	char name[256];
	const char *host = exchange_header(x, "Host");
	return host && host_name(host, name, sizeof name) && is_origin_host(x->server, name, "https:");
}

/* Sets the cookie for /?token=..., for a month, and redirects to the address without it. */
static enum MHD_Result sign_in(exchange *x)
{
	char cookie[700], name[32];
	cookie_name(x->server, name);
	struct MHD_Response *r = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
	snprintf(cookie, sizeof cookie, "%s=%s; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict%s",
		name, x->server->options.token, is_secure(x) ? "; Secure" : "");
	if (r) {
		MHD_add_response_header(r, "Set-Cookie", cookie);
		MHD_add_response_header(r, "Location", "/");
	}
	return answer(x, 303, r);
}

/* A person gets a page that says what to do; a program JSON. */
static enum MHD_Result ask_for_token(exchange *x)
{
	static const char page[] =
		"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>imgsearch</title>"
		"<h1>This server needs its token</h1>"
		"<p>Open the address that <code>imgsearch serve</code> wrote to its terminal: it ends in "
		"<code>/?token=</code> and the token. The token is also in the file "
		"<code>imgsearch/token</code> of the state folder of the user who started the server "
		"(<code>~/.local/state</code>), or in the one that <code>--token-file</code> names.</p>";
	if (is_for_programs(x))
		return answer_error(x, 401, "ETOKEN",
			"this server needs its token: open /?token=TOKEN, or send Authorization: Bearer TOKEN;"
			" imgsearch serve says where it is");
	return answer_bytes(x, 401, "text/html; charset=utf-8", "no-store", page, sizeof page - 1);
}

bool access_allowed(exchange *x, enum MHD_Result *result)
{
	const char *token = x->server->options.token, *given;
	if (x->local)
		return true;
	if (!host_allowed(x->server, exchange_header(x, "Host")))
		*result = answer_error(x, 421, "EHOST",
			"this server is not called by that name; start it with --host NAME");
	else if (!origin_allowed(x))
		*result = answer_error(x, 403, "EORIGIN", "requests from other web sites are refused");
	else if (token && !strcmp(x->path, "/") && (given = exchange_param(x, "token"))
		&& token_equal(given, token))
		*result = sign_in(x);
	else if (token && !token_is_valid(x))
		*result = ask_for_token(x);
	else
		return true;
	return false;
}
