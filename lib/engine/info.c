/*
 * What an index holds, and whether it is whole: the functions check their arguments and delegate.
 */
#include "engine/arguments.h"
#include "handle/check.h"
#include "handle/export.h"
#include "handle/info.h"
#include "handle/items.h"
#include "handle/list.h"
#include "handle/network.h"
#include "handle/second.h"
#include "model/catalog.h"

int imgsearch_info_get(imgsearch *s, const imgsearch_call *call, imgsearch_info **out,
	imgsearch_error *err)
{
	job j;
	REQUIRE(out, err, "info_get: out is NULL");
	*out = NULL;
	REQUIRE_HANDLE(s, "info_get", err);
	int rc = ims_call_begin(s, call, &j, err);
	return rc ? rc : ims_info(s, &j, out, err);
}

int imgsearch_network_get(imgsearch *s, imgsearch_network **out, imgsearch_error *err)
{
	REQUIRE(out, err, "network_get: out is NULL");
	*out = NULL;
	REQUIRE_HANDLE(s, "network_get", err);
	return ims_network(s, out, err);
}

int imgsearch_item_each(imgsearch *s, uint32_t state, imgsearch_item_fn each, void *user,
	const imgsearch_call *call, imgsearch_error *err)
{
	job j;
	REQUIRE_HANDLE(s, "item_each", err);
	REQUIRE(each, err, "item_each: each is NULL");
	REQUIRE(state <= IMGSEARCH_STATE_LINK, err, "item_each: state %u is unknown", state);
	int rc = ims_call_begin(s, call, &j, err);
	imgsearch_item_list_options o = { .states = state ? 1u << state : 0 };
	return rc ? rc : ims_list(s, &o, each, user, &j, NULL, err);
}

static int check_list(const imgsearch_item_list_options *o, imgsearch_error *err)
{
	REQUIRE(!(o->states >> (IMGSEARCH_STATE_LINK + 1)) && !(o->states & 1), err,
		"item_list: states %#x has a state that is unknown", o->states);
	REQUIRE(o->sort <= IMGSEARCH_SORT_GIVEN, err, "item_list: sort %u is unknown", o->sort);
	REQUIRE(o->sort != IMGSEARCH_SORT_GIVEN || (o->filter && o->filter->ids), err,
		"item_list: sort %u needs a filter with ids", o->sort);
	REQUIRE(o->descending <= 1, err, "item_list: descending is %u, neither 0 nor 1", o->descending);
	REQUIRE(!o->reserved, err, "item_list: reserved is %u, not 0", o->reserved);
	return 0;
}

int imgsearch_item_list(imgsearch *s, const imgsearch_item_list_options *theirs,
	imgsearch_item_fn each, void *user, const imgsearch_call *call, uint64_t *total,
	imgsearch_error *err)
{
	imgsearch_item_list_options options;
	imgsearch_filter filter;
	job j;
	if (total)
		*total = 0;
	REQUIRE_HANDLE(s, "item_list", err);
	REQUIRE(each, err, "item_list: each is NULL");
	int rc = COPY(options, theirs, err);
	if (!rc)
		rc = ims_filter_copy_plain(&options.filter, &filter, "item_list", err);
	if (!rc)
		rc = check_list(&options, err);
	if (!rc)
		rc = ims_call_begin(s, call, &j, err);
	return rc ? rc : ims_list(s, &options, each, user, &j, total, err);
}

int imgsearch_item_get(imgsearch *s, int64_t id, imgsearch_item **out, imgsearch_error *err)
{
	REQUIRE(out, err, "item_get: out is NULL");
	*out = NULL;
	REQUIRE_HANDLE(s, "item_get", err);
	return ims_item_get(s, id, out, err);
}

int imgsearch_item_find(imgsearch *s, const char *path, int64_t *id, imgsearch_error *err)
{
	REQUIRE_HANDLE(s, "item_find", err);
	REQUIRE(path, err, "item_find: path is NULL");
	REQUIRE(id, err, "item_find: id is NULL");
	return ims_items_find(s, path, id, err);
}

int imgsearch_item_exists(imgsearch *s, const int64_t *ids, size_t n, uint8_t *exists,
	imgsearch_error *err)
{
	REQUIRE_HANDLE(s, "item_exists", err);
	REQUIRE(!n || ids, err, "item_exists: ids is NULL");
	REQUIRE(!n || exists, err, "item_exists: exists is NULL");
	REQUIRE(n <= SIZE_MAX / sizeof *ids, err, "item_exists: n is %zu", n);
	return ims_items_exist(s, ids, n, exists, err);
}

int imgsearch_vectors_export(imgsearch *s, const imgsearch_vectors_export_options *theirs,
	imgsearch_vectors_export_fn each, void *user, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_vectors_export_options options;
	job j;
	REQUIRE_HANDLE(s, "vectors_export", err);
	REQUIRE(each, err, "vectors_export: each is NULL");
	int rc = COPY(options, theirs, err);
	if (rc)
		return rc;
	REQUIRE(options.with_items <= 1, err, "vectors_export: with_items is %u, neither 0 nor 1",
		options.with_items);
	REQUIRE(options.compared <= 1, err, "vectors_export: compared is %u, neither 0 nor 1",
		options.compared);
	rc = ims_call_begin(s, call, &j, err);
	if (!rc)
		rc = ims_second_choose(s, options.model, &s, err);
	return rc ? rc : ims_export(s, &options, each, user, &j, err);
}

int imgsearch_vectors_each(imgsearch *s, imgsearch_vectors_fn each, void *user,
	const imgsearch_call *call, imgsearch_error *err)
{
	job j;
	REQUIRE_HANDLE(s, "vectors_each", err);
	REQUIRE(each, err, "vectors_each: each is NULL");
	int rc = ims_call_begin(s, call, &j, err);
	if (!rc)
		rc = ims_second_choose(s, NULL, &s, err);
	return rc ? rc : ims_items_vectors(s, each, user, &j, err);
}

int imgsearch_vectors_get(imgsearch *s, const int64_t *ids, size_t n, const imgsearch_call *call,
	float *rows, size_t capacity, uint8_t *found, imgsearch_error *err)
{
	job j;
	REQUIRE_HANDLE(s, "vectors_get", err);
	REQUIRE(!n || ids, err, "vectors_get: ids is NULL");
	REQUIRE(!n || rows, err, "vectors_get: rows is NULL");
	REQUIRE(n <= SIZE_MAX / sizeof *ids, err, "vectors_get: n is %zu", n);
	int rc = ims_call_begin(s, call, &j, err);
	if (!rc)
		rc = ims_second_choose(s, NULL, &s, err);
	return rc ? rc : ims_items_fetch(s, ids, n, &j, rows, capacity, found, err);
}

static int check_reserved(const imgsearch_check_options *o, imgsearch_error *err)
{
	REQUIRE(!o->reserved, err, "check: reserved is %u, not 0", o->reserved);
	return 0;
}

int imgsearch_check(imgsearch *s, const imgsearch_check_options *theirs, const imgsearch_call *call,
	imgsearch_check_report **report, imgsearch_error *err)
{
	imgsearch_check_options options;
	imgsearch_check_report *unused_report = NULL;
	job j;
	if (report)
		*report = NULL;
	REQUIRE_HANDLE(s, "check", err);
	int rc = COPY(options, theirs, err);
	if (!rc)
		rc = check_reserved(&options, err);
	if (!rc)
		rc = ims_call_begin(s, call, &j, err);
	if (!rc)
		rc = ims_check(s, &options, &j, report ? report : &unused_report, err);
	imgsearch_check_report_free(unused_report);
	return rc;
}
