/* Paths to handlers. docs/http.md describes every one of them. */
#include "cli/serve/request.h"
#include "cli/output/collection.h"
#include "cli/serve/serve.h"

#include "cli/query.h"

#include <stdlib.h>
#include <string.h>

typedef enum MHD_Result handler(exchange *x, int64_t id, const char *rest);

typedef struct entry {
	const char *path;    /* '#' a number, '*' the rest; both at most once */
	const char *methods; /* "GET POST": HEAD goes with GET */
	handler *handle;
	bool local;          /* only over the unix socket */
} entry;

/* Not found anywhere else: a handle for the time of one call. */
static imgsearch *take(exchange *x, enum MHD_Result *result)
{
	imgsearch_error err = { 0 };
	imgsearch *s = serve_index_take(x->server->index, &err);
	if (!s)
		*result = answer_library(x, &err);
	return s;
}

/* --------------------------------------------------------------------------------------------------- search ---- */

typedef struct param_state {
	search_call *call;
	bool ok;
} param_state;

static enum MHD_Result on_param(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	param_state *p = cls;
	(void)kind;
	p->ok = search_param(p->call, name, value);
	return p->ok ? MHD_YES : MHD_NO;
}

/* Pictures that were named instead of sent; *copies are freed after the query. */
static bool fill_held(exchange *x, search_call *call, void **copies)
{
	for (size_t i = 0; i < call->n; i++) {
		if (!call->held[i][0])
			continue;
		size_t size = 0;
		copies[i] = held_get(x->server->index, call->held[i], &size);
		if (!copies[i])
			return false;
		call->input[i].data = copies[i];
		call->input[i].size = size;
	}
	return true;
}

/* The names of pictures that are held from now on, in the order of the inputs. */
static void hold(exchange *x, const search_call *call, char *names, size_t size)
{
	size_t at = 0;
	for (size_t i = 0; call->hold && i < call->n && at + 40 < size; i++) {
		char name[33];
		if (call->input[i].kind == IMGSEARCH_KIND_MEMORY && !call->held[i][0]
				&& held_put(x->server->index, call->input[i].data, call->input[i].size, name))
			at += (size_t)snprintf(names + at, size - at, "%s%s", at ? " " : "", name);
	}
}

static enum MHD_Result run_search(exchange *x, imgsearch *s, search_call *call)
{
	imgsearch_error err = { 0 };
	imgsearch_hits *hits = NULL;
	reply r;
	char name[32] = "upload", held[REQUEST_INPUTS * 40] = "";
	if (call->input[0].kind == IMGSEARCH_KIND_STORED)
		snprintf(name, sizeof name, "id:%lld", (long long)call->input[0].id);
	else if (call->input[0].kind == IMGSEARCH_KIND_VECTOR)
		snprintf(name, sizeof name, "vector");
	atomic_fetch_add(&x->server->searches, 1);
	if (imgsearch_query(s, call->input, call->n, &call->options, &hits, &err))
		return answer_library(x, &err);
	hold(x, call, held, sizeof held);
	hits_write_json(reply_open(&r), name, hits);
	imgsearch_hits_free(hits);
	return reply_send(x, &r, 200, *held ? "Imgsearch-Held" : NULL, held);
}

static enum MHD_Result search(exchange *x, int64_t id, const char *rest)
{
	search_call *call = malloc(sizeof *call);
	void *copies[REQUEST_INPUTS] = { NULL };
	const char *type = header(x, "Content-Type");
	enum MHD_Result result;
	imgsearch *s;
	(void)id;
	(void)rest;
	if (!call)
		return MHD_NO;
	search_call_init(call);
	param_state p = { call, true };
	MHD_get_connection_values(x->connection, MHD_GET_ARGUMENT_KIND, on_param, &p);
	if (!p.ok || !search_body(call, type ? type : "", x->body ? x->body : "", x->size) || !search_ready(call))
		result = answer_error(x, 400, "EINVAL", "%s", call->why);
	else if (!fill_held(x, call, copies))
		result = answer_error(x, 410, "ENOTHELD", "the picture is no longer held; send it again");
	else if ((s = take(x, &result))) {
		result = run_search(x, s, call);
		serve_index_give(x->server->index);
	}
	for (size_t i = 0; i < REQUEST_INPUTS; i++)
		free(copies[i]);
	search_call_free(call);
	free(call);
	return result;
}

/* --------------------------------------------------------------------------------------------- about the index ---- */

static enum MHD_Result health(exchange *x, int64_t id, const char *rest)
{
	reply r;
	json_writer j;
	(void)id;
	(void)rest;
	json_write_begin(&j, reply_open(&r));
	json_write_text(&j, "status", "ok");
	json_write_int(&j, "uptime_s", (int64_t)(time(NULL) - x->server->started));
	json_write_int(&j, "requests", (int64_t)atomic_load(&x->server->requests));
	json_write_int(&j, "searches", (int64_t)atomic_load(&x->server->searches));
	json_write_end(&j);
	return reply_send(x, &r, 200, NULL, NULL);
}

static enum MHD_Result info(exchange *x, int64_t id, const char *rest)
{
	enum MHD_Result result;
	imgsearch_error err = { 0 };
	imgsearch_info *about;
	imgsearch *s = take(x, &result);
	(void)id;
	(void)rest;
	if (!s)
		return result;
	if (imgsearch_info_get(s, &about, &err)) {
		result = answer_library(x, &err);
	} else {
		reply r;
		json_writer j;
		json_write_begin(&j, reply_open(&r));
		json_write_text(&j, "version", imgsearch_version());
		json_write_path(&j, "db", about->path);
		json_write_int(&j, "bytes", (int64_t)about->bytes);
		json_write_int(&j, "vectors", (int64_t)about->vectors);
		json_write_int(&j, "dim", about->dim);
		json_write_text(&j, "metric", about->metric == IMGSEARCH_L2 ? "l2" : about->metric == IMGSEARCH_IP ? "ip" : "cosine");
		json_write_text(&j, "model", about->model);
		json_write_text(&j, "searcher", about->searcher);
		json_write_text(&j, "kernels", about->kernels);
		json_write_open(&j, "counts", '{');
		counts_write_json(&j, &about->counts);
		json_write_close(&j, '}');
		json_write_open(&j, "roots", '[');
		for (size_t i = 0; i < about->n_roots; i++)
			json_write_text(&j, NULL, about->roots[i]);
		json_write_close(&j, ']');
		json_write_bool(&j, "uploads", x->server->options.uploads && !x->server->options.read_only);
		json_write_bool(&j, "writable", !x->server->options.read_only);
		json_write_int(&j, "max_upload", (int64_t)x->server->options.max_upload);
		json_write_end(&j);
		imgsearch_info_free(about);
		result = reply_send(x, &r, 200, NULL, NULL);
	}
	serve_index_give(x->server->index);
	return result;
}

static enum MHD_Result sample(exchange *x, int64_t id, const char *rest)
{
	enum { MOST = 200 };
	int64_t ids[MOST];
	enum MHD_Result result;
	const char *n = param(x, "n"), *seed = param(x, "seed");
	long asked = n ? strtol(n, NULL, 10) : 24;
	imgsearch *s = take(x, &result);
	reply r;
	json_writer j;
	(void)id;
	(void)rest;
	if (!s)
		return result;
	size_t given = serve_sample(x->server->index, s, seed ? strtoull(seed, NULL, 10) : 0, ids, asked < 1 ? 1 : asked > MOST ? MOST : (size_t)asked);
	json_write_begin(&j, reply_open(&r));
	json_write_open(&j, "pictures", '[');
	for (size_t i = 0; i < given; i++)
		item_write_json(&j, s, ids[i]);
	json_write_close(&j, ']');
	json_write_end(&j);
	serve_index_give(x->server->index);
	return reply_send(x, &r, 200, NULL, NULL);
}

/* ------------------------------------------------------------------------------------------------- pictures ---- */

static enum MHD_Result picture(exchange *x, int64_t id, const char *rest)
{
	enum MHD_Result result;
	imgsearch_error err = { 0 };
	imgsearch_item *item = NULL;
	bool remove = !strcmp(x->method, "DELETE");
	imgsearch *s;
	reply r;
	json_writer j;
	(void)rest;
	if (remove && x->server->options.read_only)
		return answer_error(x, 403, "EREADONLY", "this server changes nothing");
	if (!(s = take(x, &result)))
		return result;
	int rc = imgsearch_item_get(s, id, &item, &err);
	if (!rc && remove) {
		pthread_mutex_lock(&x->server->changing);
		rc = imgsearch_index_remove(s, &id, 1, &err);
		pthread_mutex_unlock(&x->server->changing);
	}
	if (rc) {
		result = answer_library(x, &err);
	} else {
		json_write_begin(&j, reply_open(&r));
		item_write_members(&j, item);
		json_write_end(&j);
		result = reply_send(x, &r, 200, NULL, NULL);
	}
	if (!rc && remove) {
		layout_forget(x->server->map);
		layout_forget(x->server->groups);
	}
	imgsearch_item_free(item);
	serve_index_give(x->server->index);
	return result;
}

static enum MHD_Result thumb(exchange *x, int64_t id, const char *rest)
{
	(void)rest;
	return picture_thumb(x, id);
}

static enum MHD_Result full(exchange *x, int64_t id, const char *rest)
{
	(void)rest;
	return picture_full(x, id);
}

static enum MHD_Result held(exchange *x, int64_t id, const char *rest)
{
	(void)id;
	return picture_held(x, rest);
}

static enum MHD_Result add(exchange *x, int64_t id, const char *rest)
{
	(void)id;
	(void)rest;
	return picture_add(x);
}

/* ------------------------------------------------------------------------------------------------ the whole ---- */

static enum MHD_Result map(exchange *x, int64_t id, const char *rest)
{
	(void)id;
	(void)rest;
	if (param(x, "refresh"))
		layout_forget(x->server->map);
	return layout_answer(x, x->server->map);
}

static enum MHD_Result groups(exchange *x, int64_t id, const char *rest)
{
	(void)id;
	(void)rest;
	if (param(x, "refresh"))
		layout_forget(x->server->groups);
	return layout_answer(x, x->server->groups);
}

static enum MHD_Result reject(exchange *x, int64_t id, const char *rest)
{
	enum MHD_Result result;
	imgsearch_error err = { 0 };
	int64_t a, b;
	imgsearch *s;
	(void)id;
	(void)rest;
	if (x->server->options.read_only)
		return answer_error(x, 403, "EREADONLY", "this server changes nothing");
	if (!request_pair(x->body ? x->body : "", x->size, &a, &b))
		return answer_error(x, 400, "EINVAL", "two ids are needed: {\"a\": 1, \"b\": 2}");
	if (!(s = take(x, &result)))
		return result;
	pthread_mutex_lock(&x->server->changing);
	int rc = imgsearch_reject(s, a, b, &err);
	pthread_mutex_unlock(&x->server->changing);
	if (rc)
		result = answer_library(x, &err);
	else
		result = answer_bytes(x, 200, "application/json", "no-store", "{\"schema\": 1}\n", 14);
	layout_forget(x->server->groups);
	serve_index_give(x->server->index);
	return result;
}

static enum MHD_Result index_tree(exchange *x, int64_t id, const char *rest)
{
	(void)id;
	(void)rest;
	return indexing(x);
}

static const entry entries[] = {
	{ "/api/search", "GET POST", search, false },
	{ "/api/pictures/#/thumb", "GET", thumb, false },
	{ "/api/pictures/#/full", "GET", full, false },
	{ "/api/pictures/#", "GET DELETE", picture, false },
	{ "/api/pictures", "POST", add, false },
	{ "/api/held/*", "GET", held, false },
	{ "/api/sample", "GET", sample, false },
	{ "/api/info", "GET", info, false },
	{ "/api/health", "GET", health, false },
	{ "/api/map", "GET", map, false },
	{ "/api/groups", "GET", groups, false },
	{ "/api/reject", "POST", reject, false },
	{ "/api/index", "POST", index_tree, true },
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

static const entry *find(const exchange *x, int64_t *id, const char **rest)
{
	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
		if (matches(entries[i].path, x->path, id, rest) && (!entries[i].local || x->local))
			return &entries[i];
	return NULL;
}

static bool takes(const char *methods, const char *method)
{
	size_t n = strlen(method);
	const char *at = strstr(methods, !strcmp(method, "HEAD") ? "GET" : method);
	return at && n > 2 && (!strcmp(method, "HEAD") || at[n] == 0 || at[n] == ' ');
}

bool route_accepts(exchange *x, enum MHD_Result *result)
{
	int64_t id;
	const char *rest;
	const entry *e = find(x, &id, &rest);
	const char *methods = e ? e->methods : page_find(x->path) ? "GET" : NULL;
	if (!methods)
		*result = answer_error(x, 404, "ENOTFOUND", "there is nothing at this address; see docs/http.md");
	else if (!takes(methods, x->method))
		*result = answer_error(x, 405, "EMETHOD", "this address takes %s", methods);
	else
		return true;
	return false;
}

enum MHD_Result route(exchange *x)
{
	int64_t id = 0;
	const char *rest = NULL;
	const entry *e = find(x, &id, &rest);
	const page_file *file = e ? NULL : page_find(x->path);
	if (e)
		return e->handle(x, id, rest);
	return answer_bytes(x, 200, file->type, "no-cache", file->data, file->size);
}
