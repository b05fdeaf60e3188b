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

#include <stdlib.h>
#include <string.h>

typedef struct entry {
	const char *path;    /* '#' stands for a number, '*' for the rest; both at most once */
	const char *methods; /* "GET, HEAD, POST": the header Allow */
	enum MHD_Result (*handle)(exchange *x);
	bool local; /* only over the unix socket */
} entry;

static const entry entries[] = {
	{ "/api/search", "GET, HEAD, POST", handle_search, false },
	{ "/api/pictures/#/thumb", "GET, HEAD", handle_thumb, false },
	{ "/api/pictures/#/full", "GET, HEAD", handle_full, false },
	{ "/api/pictures/#/readmit", "POST", handle_readmit, false },
	{ "/api/pictures/#", "GET, HEAD, DELETE", handle_picture, false },
	{ "/api/pictures", "GET, HEAD, POST", handle_pictures, false },
	{ "/api/held/*", "GET, HEAD", handle_upload, false },
	{ "/api/sample", "GET, HEAD", handle_sample, false },
	{ "/api/info", "GET, HEAD", handle_info, false },
	{ "/api/health", "GET, HEAD", handle_health, false },
	{ "/api/map", "GET, HEAD", handle_map, false },
	{ "/api/groups", "GET, HEAD", handle_groups, false },
	{ "/api/reject", "POST", handle_reject, false },
	{ "/api/index", "POST", handle_index, true },
};

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

/* The entry of the request's path, with x->id and x->rest set; NULL: none. */
static const entry *find(exchange *x)
{
	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
		if (matches(entries[i].path, x->path, &x->id, &x->rest) && (!entries[i].local || x->local))
			return &entries[i];
	return NULL;
}

static bool has_method(const char *methods, const char *method)
{
	size_t n = strlen(method);
	for (const char *at = methods; *at; at += strspn(at, ", ")) {
		size_t length = strcspn(at, ",");
		if (length == n && !memcmp(at, method, n))
			return true;
		at += length;
	}
	return false;
}

bool route_accepts(exchange *x, enum MHD_Result *result)
{
	const entry *e = find(x);
	const char *methods = e ? e->methods : page_find(x->path) ? "GET, HEAD" : NULL;
	if (!methods)
		*result = answer_error(x, 404, "ENOTFOUND",
			"there is nothing at this address; see docs/http.md");
	else if (!has_method(methods, x->method))
		*result = answer_method(x, methods);
	else
		return true;
	return false;
}

enum MHD_Result route(exchange *x)
{
	const entry *e = find(x);
	if (e)
		return e->handle(x);
	const page_file *file = page_find(x->path);
	return answer_bytes(x, 200, file->type, "no-cache", file->data,
		(size_t)(file->end - file->data));
}
