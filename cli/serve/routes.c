/* Maps paths to handlers. */
#include "cli/serve/routes.h"

#include "cli/serve/about.h"
#include "cli/serve/answer.h"
#include "cli/serve/collection.h"
#include "cli/serve/index_run.h"
#include "cli/serve/listing.h"
#include "cli/serve/page.h"
#include "cli/serve/pictures.h"
#include "cli/serve/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct entry {
	const char *path;       /* '#' stands for a number, '*' for the rest; both at most once */
	const char *method;     /* GET: HEAD, too */
	const char *parameters; /* of the query string: names; those with '*' may be repeated */
	enum MHD_Result (*handle)(exchange *x);
	bool local; /* only over the unix socket */
} entry;

enum {
	METHODS = 64, /* bytes of the header Allow */
	SEEN = 64     /* parameters that an entry has at most */
};

#define FILTER "under after before camera keyword* near where"
#define SEARCH \
	"k id* not* text* not_text* template model whole min_score max_chance no_self crop searcher " \
	"recall ef checks epsilon plain expand expand_power reciprocal views hold " FILTER

/* docs/http.md describes them. */
static const entry entries[] = {
	{ "/api/search", "GET", SEARCH, handle_search, false },
	{ "/api/search", "POST", SEARCH, handle_search, false },
	{ "/api/pictures/#/thumb", "GET", "size v", handle_thumb, false },
	{ "/api/pictures/#/full", "GET", "v", handle_full, false },
	{ "/api/pictures/#/readmit", "POST", "", handle_readmit, false },
	{ "/api/pictures/#", "GET", "", handle_picture, false },
	{ "/api/pictures/#", "DELETE", "forget", handle_picture, false },
	{ "/api/pictures", "GET", "sort reverse offset limit state " FILTER, handle_pictures, false },
	{ "/api/pictures", "POST", "name held", handle_pictures, false },
	{ "/api/held/*", "GET", "", handle_upload, false },
	{ "/api/sample", "GET", "n seed", handle_sample, false },
	{ "/api/info", "GET", "", handle_info, false },
	{ "/api/health", "GET", "", handle_health, false },
	{ "/metrics", "GET", "", handle_metrics, false },
	{ "/api/map", "GET", "refresh " FILTER, handle_map, false },
	{ "/api/groups", "GET", "refresh " FILTER, handle_groups, false },
	{ "/api/reject", "POST", "", handle_reject, false },
	{ "/api/index", "POST", "", handle_index, true },
};

enum {
	ENTRIES = sizeof entries / sizeof *entries,
	PAGE = ENTRIES, /* numbers of routes that are no entries */
	UNKNOWN,
	ROUTES
};

size_t routes_count(void)
{
	return ROUTES;
}

size_t route_unknown(void)
{
	return UNKNOWN;
}

void route_name(size_t number, char *path, size_t size, const char **method)
{
	const char *pattern = number < ENTRIES ? entries[number].path
		: number == PAGE                   ? "page"
										   : "other";
	size_t n = strcspn(pattern, "#*");
	*method = number < ENTRIES ? entries[number].method : number == PAGE ? "GET" : "";
	snprintf(path, size, "%.*s%s%s", (int)n, pattern,
		pattern[n] == '#'       ? "{id}"
			: pattern[n] == '*' ? "{name}"
								: "",
		pattern[n] ? pattern + n + 1 : "");
}

static bool matches(const char *pattern, const char *path, int64_t *id, const char **rest)
{
	for (; *pattern; pattern++) {
		if (*pattern == '*') {
			*rest = path;
			return *path != 0;
		}
		if (*pattern != '#') {
			if (*path++ != *pattern)
				return false;
			continue;
		}
		size_t digits = strspn(path, "0123456789");
		if (!digits || digits > 18)
			return false;
		*id = strtoll(path, NULL, 10);
		path += digits;
	}
	return !*path;
}

/* Whether an entry is for the request's path; sets x->id and x->rest. */
static bool is_at(const entry *e, exchange *x)
{
	return matches(e->path, x->path, &x->id, &x->rest) && (!e->local || x->local);
}

static bool takes(const char *method, const char *asked)
{
	return !strcmp(method, asked) || (!strcmp(method, "GET") && !strcmp(asked, "HEAD"));
}

/* The entry of a request; NULL: none. methods (or NULL) receives those of its path, or "". */
static const entry *find(exchange *x, char methods[METHODS])
{
	const entry *found = NULL;
	size_t n = 0;
	if (methods)
		*methods = 0;
	for (size_t i = 0; i < ENTRIES && !found; i++) {
		const entry *e = &entries[i];
		if (!is_at(e, x))
			continue;
		if (takes(e->method, x->method))
			found = e;
		if (methods)
			n += (size_t)snprintf(methods + n, METHODS - n, "%s%s%s", n ? ", " : "", e->method,
				strcmp(e->method, "GET") ? "" : ", HEAD");
	}
	return found;
}

/* Parameters of a request, as they are read. */
typedef struct parameters {
	const char *known;
	const char *seen[SEEN]; /* those that must not come again */
	size_t n;
	char why[200]; /* the first error */
} parameters;

/* A parameter is in the list, and not twice in the query string unless it may be. */
static enum MHD_Result check_parameter(void *cls, enum MHD_ValueKind kind, const char *name,
	const char *value)
{
	parameters *p = cls;
	size_t n = strlen(name);
	const char *at = p->known;
	(void)kind;
	(void)value;
	while (*at && !(strcspn(at, " *") == n && !memcmp(at, name, n))) {
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	if (!*at || !n)
		return snprintf(p->why, sizeof p->why, "there is no parameter \"%.60s\"", name), MHD_NO;
	for (size_t i = 0; i < p->n; i++)
		if (p->seen[i] == at)
			return snprintf(p->why, sizeof p->why, "%.60s: given twice", name), MHD_NO;
	if (at[n] != '*' && p->n < SEEN)
		p->seen[p->n++] = at;
	return MHD_YES;
}

bool route_accepts(exchange *x, enum MHD_Result *result)
{
	char methods[METHODS];
	const entry *e = find(x, methods);
	parameters p = { .known = e ? e->parameters : "" };
	x->route = e ? (size_t)(e - entries) : page_find(x->path) ? PAGE : UNKNOWN;
	if (!e && page_find(x->path)) {
		if (takes("GET", x->method))
			return true; /* its parameters are for the page */
		snprintf(methods, sizeof methods, "GET, HEAD");
	}
	if (e)
		MHD_get_connection_values(x->connection, MHD_GET_ARGUMENT_KIND, check_parameter, &p);
	else if (*methods)
		return *result = answer_method(x, methods), false;
	else
		return *result = answer_error(x, 404, "ENOTFOUND",
				   "there is nothing at this address; see docs/http.md"),
			   false;
	if (*p.why)
		*result = answer_error(x, 400, "EINVAL", "%s", p.why);
	return !*p.why;
}

enum MHD_Result route(exchange *x)
{
	const entry *e = find(x, NULL);
	if (e)
		return e->handle(x);
	const page_file *file = page_find(x->path);
	return answer_bytes(x, 200, file->type, "no-cache", file->data,
		(size_t)(file->end - file->data));
}
