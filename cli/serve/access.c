/*
 * Access control. Over the unix socket: processes of the same user (checked in server.c). Over TCP:
 * the Host header must be localhost, a plain address or a name given by --host, so that no foreign
 * web site can reach the server by a name that it controls (DNS rebinding). Requests other than GET
 * and HEAD must come from the page of the server or from no page (Origin, Sec-Fetch-Site). With a
 * token, every request must carry it (Authorization: Bearer, or the cookie that /?token=... sets).
 */
#include "cli/serve/access.h"

#include "cli/serve/answer.h"

#include <arpa/inet.h>
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
	return false;
}

/* Browsers name the page that a request comes from; other clients do not. */
static bool origin_allowed(const exchange *x)
{
	const char *origin = exchange_header(x, "Origin"), *site = exchange_header(x, "Sec-Fetch-Site");
	const char *host = exchange_header(x, "Host");
	if (!strcmp(x->method, "GET") || !strcmp(x->method, "HEAD"))
		return true;
	if (origin && (strncasecmp(origin, "http://", 7) || !host || strcasecmp(origin + 7, host)))
		return false;
	return !site || !strcmp(site, "same-origin") || !strcmp(site, "none");
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

static bool token_is_valid(const exchange *x)
{
	const char *token = x->server->options.token, *bearer = exchange_header(x, "Authorization");
	const char *cookie =
		MHD_lookup_connection_value(x->connection, MHD_COOKIE_KIND, "imgsearch_token");
	if (bearer && !strncasecmp(bearer, "Bearer ", 7) && token_equal(bearer + 7, token))
		return true;
	return cookie && token_equal(cookie, token);
}

/* Sets the cookie for /?token=..., and redirects to the address without it. */
static enum MHD_Result sign_in(exchange *x)
{
	char cookie[600];
	struct MHD_Response *r = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
	snprintf(cookie, sizeof cookie, "imgsearch_token=%s; Path=/; HttpOnly; SameSite=Strict",
		x->server->options.token);
	if (r) {
		MHD_add_response_header(r, "Set-Cookie", cookie);
		MHD_add_response_header(r, "Location", "/");
	}
	return answer(x, 303, r);
}

bool access_allowed(exchange *x, enum MHD_Result *result)
{
	const char *token = x->server->options.token, *given;
	if (x->local)
		return true;
	if (!host_allowed(x->server, exchange_header(x, "Host")))
		*result = answer_error(
			x, 421, "EHOST", "this server is not called by that name; start it with --host NAME");
	else if (!origin_allowed(x))
		*result = answer_error(x, 403, "EORIGIN", "requests from other web sites are refused");
	else if (token && !strcmp(x->path, "/") && (given = exchange_param(x, "token"))
		&& token_equal(given, token))
		*result = sign_in(x);
	else if (token && !token_is_valid(x))
		*result = answer_error(x, 401, "ETOKEN",
			"this server needs its token: open /?token=TOKEN, or send Authorization: Bearer TOKEN");
	else
		return true;
	return false;
}
