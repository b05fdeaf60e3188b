#include "cli/serve/listing.h"

#include "cli/base/json_writer.h"
#include "cli/output/below.h"
#include "cli/output/item.h"
#include "cli/serve/answer.h"
#include "cli/serve/filter_request.h"
#include "cli/serve/number.h"
#include "cli/serve/pictures.h"

#include <string.h>

enum { DEFAULT_LIMIT = 100, MOST = 1000 };

/* A request for a page. */
typedef struct listing {
	imgsearch_item_list_options options;
	filter_request filter;
	char why[256]; /* the first error */
} listing;

static bool refuse(listing *l, const char *why)
{
	if (!*l->why)
		snprintf(l->why, sizeof l->why, "%s", why);
	return false;
}

static bool whole(listing *l, const char *name, const char *text, int64_t max, uint64_t *out)
{
	int64_t v;
	if (!number_whole(name, text, 0, max, &v, l->why, sizeof l->why))
		return false;
	*out = (uint64_t)v;
	return true;
}

/* In the order of imgsearch_sort. */
static bool set_sort(listing *l, const char *name)
{
	static const char *const names[] = { "path", "date", "rating", "id" };
	for (uint32_t i = 0; i < sizeof names / sizeof *names; i++)
		if (name && !strcmp(name, names[i])) {
			l->options.sort = i;
			return true;
		}
	return refuse(l, "sort: path, date, rating or id");
}

static bool set_state(listing *l, const char *name)
{
	bool kept_out = name && !strcmp(name, "kept-out");
	if (!kept_out && (!name || strcmp(name, "indexed")))
		return refuse(l, "state: indexed or kept-out");
	l->options.states = 1u << (kept_out ? IMGSEARCH_STATE_DELETED : IMGSEARCH_STATE_INDEXED);
	return true;
}

static bool set_param(listing *l, const char *name, const char *value)
{
	bool known;
	uint64_t v = 0;
	const char *why = filter_request_param(&l->filter, name, value, &known);
	if (known)
		return !why || refuse(l, why);
	if (!strcmp(name, "offset"))
		return whole(l, name, value, INT64_MAX, &l->options.offset);
	if (!strcmp(name, "limit"))
		return whole(l, name, value, MOST, &l->options.limit);
	if (!strcmp(name, "reverse"))
		return whole(l, name, value, 1, &v) && (l->options.descending = v == 1, true);
	if (!strcmp(name, "sort"))
		return set_sort(l, value);
	if (!strcmp(name, "state"))
		return set_state(l, value);
	snprintf(l->why, sizeof l->why, "there is no parameter \"%.60s\"", name);
	return false;
}

static enum MHD_Result read_param(void *cls, enum MHD_ValueKind kind, const char *name,
	const char *value)
{
	(void)kind;
	return set_param(cls, name, value) ? MHD_YES : MHD_NO;
}

static bool read_request(exchange *x, listing *l)
{
	bool any = false;
	l->options.struct_size = sizeof l->options;
	l->options.states = 1u << IMGSEARCH_STATE_INDEXED;
	l->options.limit = DEFAULT_LIMIT;
	MHD_get_connection_values(x->connection, MHD_GET_ARGUMENT_KIND, read_param, l);
	const char *why = *l->why ? NULL : filter_request_make(&l->filter, &any);
	if (any)
		l->options.filter = &l->filter.filter;
	return !*l->why && (!why || refuse(l, why));
}

static int write_item(void *user, const imgsearch_item *item)
{
	json_writer *j = user;
	json_write_open(j, NULL, '{');
	item_write_members(j, item);
	json_write_close(j, '}');
	return 0;
}

static int write_none(void *user, const imgsearch_item *item)
{
	(void)user;
	(void)item;
	return 0;
}

static enum MHD_Result answer_page(exchange *x, imgsearch *s, const listing *l)
{
	reply r;
	json_writer j;
	imgsearch_error err = { 0 };
	uint64_t total;
	imgsearch_call call = exchange_call(x);
	imgsearch_item_list_options o = l->options;
	bool none = !o.limit; /* to the library 0 is no limit */
	o.limit = none ? 1 : o.limit;
	json_write_begin(&j, reply_open(&r));
	json_write_open(&j, "pictures", '[');
	int rc = imgsearch_item_list(s, &o, none ? write_none : write_item, &j, &call, &total, &err);
	json_write_close(&j, ']');
	json_write_int(&j, "offset", (int64_t)l->options.offset);
	json_write_int(&j, "total", (int64_t)total);
	if (!rc && !total && below_is_nothing(s, o.filter, &call))
		json_write_text(&j, "warning", below_warning);
	json_write_end(&j);
	if (!rc)
		return reply_send(x, &r, 200);
	reply_drop(&r);
	return answer_library_error(x, &err);
}

static enum MHD_Result handle_list(exchange *x)
{
	imgsearch_error err = { 0 };
	listing l = { 0 };
	enum MHD_Result result;
	if (!read_request(x, &l)) {
		result = answer_error(x, 400, "EINVAL", "%s", l.why);
	} else {
		imgsearch *s = open_index_acquire(x->server->index, &err);
		result = s ? answer_page(x, s, &l) : answer_library_error(x, &err);
		if (s)
			open_index_release(x->server->index);
	}
	filter_request_free(&l.filter);
	return result;
}

enum MHD_Result handle_pictures(exchange *x)
{
	return strcmp(x->method, "POST") ? handle_list(x) : handle_add(x);
}
