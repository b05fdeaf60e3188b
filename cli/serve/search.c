/* The handler of searches. */
#include "cli/serve/search.h"

#include "cli/output/below.h"
#include "cli/output/hits.h"
#include "cli/serve/answer.h"
#include "cli/serve/search_request.h"

#include <stdlib.h>

/* A request, and copies of the cached uploads that it names. */
typedef struct search {
	search_request request;
	void *uploads[REQUEST_INPUTS];
} search;

typedef struct param_reader {
	search_request *request;
	bool ok;
} param_reader;

static enum MHD_Result read_param(void *cls, enum MHD_ValueKind kind, const char *name,
	const char *value)
{
	param_reader *r = cls;
	(void)kind;
	r->ok = search_request_param(r->request, name, value);
	return r->ok ? MHD_YES : MHD_NO;
}

static bool read_request(exchange *x, search_request *q)
{
	param_reader r = { q, true };
	const char *type = exchange_header(x, "Content-Type");
	MHD_get_connection_values(x->connection, MHD_GET_ARGUMENT_KIND, read_param, &r);
	return r.ok && search_request_body(q, type ? type : "", exchange_body(x), x->size)
		&& search_request_check(q);
}

/* False: an upload that is named is no longer cached. */
static bool fetch_uploads(exchange *x, search *s)
{
	search_request *q = &s->request;
	for (size_t i = 0; i < q->n; i++) {
		size_t size = 0;
		if (!q->upload[i][0])
			continue;
		s->uploads[i] = upload_cache_get(x->server->uploads, q->upload[i], &size);
		if (!s->uploads[i])
			return false;
		q->input[i].data = s->uploads[i];
		q->input[i].size = size;
	}
	return true;
}

/*
 * Caches the pictures of the request; names receives their names, in the order of the inputs,
 * separated by spaces.
 */
static void cache_uploads(exchange *x, const search_request *q, char *names, size_t size)
{
	size_t at = 0;
	for (size_t i = 0; i < q->n && at + UPLOAD_NAME + 1 < size; i++) {
		const imgsearch_input *in = &q->input[i];
		char name[UPLOAD_NAME];
		if (in->kind == IMGSEARCH_INPUT_KIND_BYTES && !q->upload[i][0]
			&& upload_cache_put(x->server->uploads, in->data, in->size, name))
			at += (size_t)snprintf(names + at, size - at, "%s%s", at ? " " : "", name);
	}
}

/* The name of the query, one word. */
static void query_name(const imgsearch_input *first, char *name, size_t size)
{
	if (first->kind == IMGSEARCH_INPUT_KIND_ITEM)
		snprintf(name, size, "id:%lld", (long long)first->id);
	else
		snprintf(name, size, "%s",
			first->kind == IMGSEARCH_INPUT_KIND_VECTOR     ? "vector"
				: first->kind == IMGSEARCH_INPUT_KIND_TEXT ? "text"
														   : "upload");
}

static enum MHD_Result answer_hits(exchange *x, const search_request *q, const char *warning,
	const imgsearch_hits *hits)
{
	char name[32], kept[REQUEST_INPUTS * (UPLOAD_NAME + 1)] = "";
	reply r;
	if (q->cache_uploads)
		cache_uploads(x, q, kept, sizeof kept);
	query_name(&q->input[0], name, sizeof name);
	hits_write_json(reply_open(&r), name, NULL, &(hits_inputs){ q->input, q->n }, warning, hits);
	return reply_send_with(x, &r, 200, *kept ? "Imgsearch-Held" : NULL, kept);
}

static enum MHD_Result run(exchange *x, const search_request *q)
{
	imgsearch_error err = { 0 };
	imgsearch_hits *hits = NULL;
	imgsearch *index = open_index_acquire(x->server->index, &err);
	if (!index)
		return answer_library_error(x, &err);
	imgsearch_call call = exchange_call(x);
	atomic_fetch_add(&x->server->searches, 1);
	int rc = imgsearch_query(index, q->input, q->n, &q->options, &call, &hits, &err);
	bool nothing = !rc && !hits->count && below_is_nothing(index, q->options.filter, &call);
	enum MHD_Result result = rc ? answer_library_error(x, &err)
								: answer_hits(x, q, nothing ? below_warning : NULL, hits);
	imgsearch_hits_free(hits);
	open_index_release(x->server->index);
	return result;
}

enum MHD_Result handle_search(exchange *x)
{
	enum MHD_Result result;
	search *s = calloc(1, sizeof *s);
	if (!s)
		return MHD_NO;
	search_request_init(&s->request);
	if (!read_request(x, &s->request))
		result = answer_error(x, 400, "EINVAL", "%s", s->request.why);
	else if (!fetch_uploads(x, s))
		result = answer_error(x, 410, "ENOTHELD", "the picture is no longer held; send it again");
	else
		result = run(x, &s->request);
	for (size_t i = 0; i < REQUEST_INPUTS; i++)
		free(s->uploads[i]);
	search_request_free(&s->request);
	free(s);
	return result;
}
