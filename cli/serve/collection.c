/* Handlers of the map and of the groups of near-duplicates. */
#include "cli/serve/collection.h"

#include "cli/base/json_writer.h"
#include "cli/output/group.h"
#include "cli/output/map.h"
#include "cli/serve/answer.h"
#include "cli/serve/pair_request.h"

#include <string.h>

/* Most groups that the page shows. */
enum { GROUPS_SHOWN = 2000 };

int collection_map(imgsearch *s, const imgsearch_filter *filter, const imgsearch_call *call,
	FILE *f, imgsearch_error *err)
{
	imgsearch_map *points;
	imgsearch_map_options o = IMGSEARCH_INIT(imgsearch_map_options);
	o.filter = filter;
	int rc = imgsearch_map_compute(s, &o, call, &points, err);
	if (!rc)
		rc = map_write_json(f, s, points, filter, call, err);
	imgsearch_map_free(points);
	return rc;
}

int collection_groups(imgsearch *s, const imgsearch_filter *filter, const imgsearch_call *call,
	FILE *f, imgsearch_error *err)
{
	imgsearch_groups *list;
	json_writer j;
	imgsearch_groups_options o = IMGSEARCH_INIT(imgsearch_groups_options);
	o.filter = filter;
	int rc = imgsearch_groups_find(s, &o, call, &list, err);
	if (rc)
		return rc;
	json_write_begin(&j, f);
	json_write_int(&j, "count", (int64_t)list->count);
	json_write_int(&j, "unread", (int64_t)list->unread);
	json_write_open(&j, "groups", '[');
	for (size_t i = 0; i < list->count && i < GROUPS_SHOWN; i++) {
		json_write_open(&j, NULL, '{');
		group_write_json(&j, s, list->items[i]);
		json_write_close(&j, '}');
	}
	json_write_close(&j, ']');
	json_write_end(&j);
	imgsearch_groups_free(list);
	return 0;
}

void collection_invalidate(server *s)
{
	cached_view_invalidate(s->map);
	cached_view_invalidate(s->groups);
}

typedef struct view_request {
	filter_request filter;
	const char *why; /* the first error */
} view_request;

static enum MHD_Result read_param(void *cls, enum MHD_ValueKind kind, const char *name,
	const char *value)
{
	view_request *q = cls;
	bool known;
	(void)kind;
	q->why = filter_request_param(&q->filter, name, value, &known);
	return q->why ? MHD_NO : MHD_YES;
}

static enum MHD_Result answer_view(exchange *x, cached_view *v)
{
	bool any;
	view_request q = { 0 };
	int64_t refresh = 0;
	enum MHD_Result refused;
	if (!answer_unless_whole(x, "refresh", 0, 1, &refresh, &refused))
		return refused;
	MHD_get_connection_values(x->connection, MHD_GET_ARGUMENT_KIND, read_param, &q);
	if (!q.why)
		q.why = filter_request_make(&q.filter, &any);
	enum MHD_Result result = q.why ? answer_error(x, 400, "EINVAL", "%s", q.why)
								   : cached_view_answer(x, v, &q.filter, refresh);
	filter_request_free(&q.filter);
	return result;
}

enum MHD_Result handle_map(exchange *x)
{
	return answer_view(x, x->server->map);
}

enum MHD_Result handle_groups(exchange *x)
{
	return answer_view(x, x->server->groups);
}

enum MHD_Result handle_reject(exchange *x)
{
	enum MHD_Result result;
	imgsearch_error err = { 0 };
	int64_t a, b;
	char why[256];
	const char *refusal = server_refuses_changes(x->server);
	if (refusal)
		return answer_error(x, 403, "EREADONLY", "%s", refusal);
	if (!pair_request_parse(exchange_body(x), x->size, &a, &b, why, sizeof why))
		return answer_error(x, 400, "EINVAL", "%s", why);
	imgsearch *s = open_index_acquire(x->server->index, &err);
	if (!s)
		return answer_library_error(x, &err);
	int rc = imgsearch_groups_reject(s, a, b, &err);
	if (rc)
		result = answer_library_error(x, &err);
	else
		result = answer_bytes(x, 200, "application/json", "no-store", "{\"schema\": 1}\n", 14);
	cached_view_invalidate(x->server->groups);
	open_index_release(x->server->index);
	return result;
}
