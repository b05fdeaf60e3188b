/* The functions that change an index: they check their arguments and delegate. */
#include "engine/arguments.h"
#include "engine/location.h"
#include "handle/model_choice.h"
#include "handle/second.h"
#include "image/image.h"
#include "ingest/add.h"
#include "ingest/index_run.h"
#include "ingest/remove.h"
#include "ingest/transaction.h"
#include "store/copy.h"

/* ---------------------------------------------------------------------------------- update ---- */

static int check_patterns(const char *const *patterns, size_t n, const char *name,
	imgsearch_error *err)
{
	REQUIRE(!n || patterns, err, "index_update: n_%s without %s", name, name);
	for (size_t i = 0; i < n; i++)
		REQUIRE(patterns[i] && *patterns[i], err, "index_update: %s %zu is NULL or empty", name, i);
	return 0;
}

static int check_update(const imgsearch_index_update_options *o, imgsearch_error *err)
{
	uint32_t on, off;
	REQUIRE(!o->reserved, err, "index_update: reserved is %u, not 0", o->reserved);
	REQUIRE(!o->reserved2, err, "index_update: reserved2 is %u, not 0", o->reserved2);
	REQUIRE(o->add_model <= 1, err, "index_update: add_model is %u, neither 0 nor 1", o->add_model);
	REQUIRE(o->regions <= 2, err, "index_update: regions is %u, not 0, 1 or 2", o->regions);
	REQUIRE(!o->follow_links || !o->no_follow_links, err,
		"index_update: follow_links and no_follow_links exclude each other");
	int rc = ims_image_formats(&on, &off, o->formats, err);
	if (!rc)
		rc = check_patterns(o->include, o->n_include, "include", err);
	if (!rc)
		rc = check_patterns(o->exclude, o->n_exclude, "exclude", err);
	if (!rc)
		rc = ims_text_require(o->csv_key, "index_update: csv_key", err);
	return rc ? rc : ims_text_require(o->csv_title, "index_update: csv_title", err);
}

static int make_report(const run_counts *from, imgsearch_index_update_report **out,
	imgsearch_error *err)
{
	imgsearch_index_update_report *r = ims_result_new(sizeof *r);
	imgsearch_counts *counts = ims_result_alloc(r, 1, sizeof *counts);
	if (!counts) {
		ims_result_free(r);
		return ims_nomem(err);
	}
	*counts = from->paths;
	const imgsearch_strings *unmatched = ims_result_strings(r, from->unmatched, from->n_unmatched);
	if (!unmatched) {
		ims_result_free(r);
		return ims_nomem(err);
	}
	*r = (imgsearch_index_update_report){
		.counts = counts,
		.added = from->added,
		.unchanged = from->unchanged,
		.moved = from->moved,
		.removed = from->removed,
		.offline = from->offline,
		.seconds = from->seconds,
		.walk_seconds = from->walk_s,
		.decode_seconds = from->decode_s,
		.network_seconds = from->network_s,
		.store_seconds = from->store_s,
		.unmatched = unmatched,
		.rehashed = from->rehashed,
		.redecoded = from->redecoded,
		.described = from->described,
		.changed = from->changed,
		.failed = from->failed,
		.remade = from->remade,
	};
	*out = r;
	return 0;
}

int imgsearch_index_update(imgsearch *s, const char *const *paths, size_t n,
	const imgsearch_index_update_options *theirs, const imgsearch_call *call,
	imgsearch_index_update_report **report, imgsearch_error *err)
{
	imgsearch_index_update_options options;
	run_counts counts = { 0 };
	job j;
	if (report)
		*report = NULL;
	REQUIRE_HANDLE(s, "index_update", err);
	REQUIRE(!n || paths, err, "index_update: paths is NULL");
	for (size_t i = 0; i < n; i++)
		REQUIRE(paths[i] && *paths[i], err, "index_update: path %zu is NULL or empty", i);
	int rc = COPY(options, theirs, err);
	if (!rc)
		rc = check_update(&options, err);
	if (!rc && options.add_model && !ims_identity_requested(s))
		rc = ims_fail(err, IMGSEARCH_EINVAL,
			"index_update: add_model, and the options of the handle name no model");
	if (!rc)
		rc = ims_call_begin(s, call, &j, err);
	if (!rc && ims_handle_transaction_is_mine(s))
		rc = ims_fail(err, IMGSEARCH_EINVAL, "index_update: this thread has a transaction open");
	if (!rc)
		rc = ims_index_run(s, paths, n, &options, &j, &counts, err);
	if (report && (!rc || (ims_is_stop(rc) && counts.paths.seen))) {
		int made = make_report(&counts, report, rc ? NULL : err);
		rc = rc ? rc : made;
	}
	for (size_t i = 0; i < counts.n_unmatched; i++)
		ims_free(counts.unmatched[i]);
	ims_free(counts.unmatched);
	return rc;
}

void imgsearch_index_update_report_free(imgsearch_index_update_report *report)
{
	ims_result_free(report);
}

/* ------------------------------------------------------------------------- add and remove ---- */

static int check_store_bytes(const imgsearch_input *in, const imgsearch_index_add_options *o,
	imgsearch_error *err)
{
	REQUIRE(o->store_bytes == 1, err, "index_add: store_bytes is %u, neither 0 nor 1",
		o->store_bytes);
	REQUIRE(in->kind == IMGSEARCH_INPUT_KIND_BYTES && !in->crop[2], err,
		"index_add: store_bytes needs the bytes of a whole picture");
	REQUIRE(!o->name || *o->name != '/', err,
		"index_add: store_bytes with the name %s, which is that of a file", o->name);
	return 0;
}

int imgsearch_index_add(imgsearch *s, const imgsearch_input *in,
	const imgsearch_index_add_options *theirs, const imgsearch_call *call, int64_t *id,
	imgsearch_error *err)
{
	imgsearch_index_add_options options;
	job j;
	REQUIRE_HANDLE(s, "index_add", err);
	int rc = ims_input_require(in, "index_add", err);
	if (!rc)
		rc = COPY(options, theirs, err);
	if (rc)
		return rc;
	REQUIRE(in->kind != IMGSEARCH_INPUT_KIND_ITEM, err,
		"index_add: the input is in the index already");
	REQUIRE(in->kind != IMGSEARCH_INPUT_KIND_TEXT, err,
		"index_add: the input is a text; an index has pictures and vectors");
	REQUIRE(!options.reserved, err, "index_add: reserved is %u, not 0", options.reserved);
	REQUIRE(!options.reserved2, err, "index_add: reserved2 is %u, not 0", options.reserved2);
	REQUIRE(!options.name || *options.name, err, "index_add: name is empty");
	REQUIRE(!options.has_id || in->kind == IMGSEARCH_INPUT_KIND_VECTOR, err,
		"index_add: id can be chosen for a vector alone");
	REQUIRE(!options.has_id || options.id >= 0, err, "index_add: id %lld is negative",
		(long long)options.id);
	rc = options.store_bytes ? check_store_bytes(in, &options, err) : 0;
	if (!rc)
		rc = ims_call_begin(s, call, &j, err);
	return rc ? rc : ims_add(s, in, &options, &j, id, err);
}

int imgsearch_vectors_add(imgsearch *s, const float *rows, size_t n, size_t dim,
	const imgsearch_vectors_add_options *theirs, const imgsearch_call *call, int64_t *ids,
	imgsearch_error *err)
{
	imgsearch_vectors_add_options options;
	job j;
	REQUIRE_HANDLE(s, "vectors_add", err);
	REQUIRE(!n || rows, err, "vectors_add: rows is NULL");
	REQUIRE(dim && dim <= IMGSEARCH_DIM_MAX, err, "vectors_add: dim %zu is not within 1..%d", dim,
		IMGSEARCH_DIM_MAX);
	REQUIRE(n <= SIZE_MAX / sizeof *rows / dim, err, "vectors_add: n is %zu", n);
	int rc = COPY(options, theirs, err);
	if (!rc)
		rc = ims_call_begin(s, call, &j, err);
	return rc ? rc : ims_add_vectors(s, rows, n, dim, &options, &j, ids, err);
}

int imgsearch_index_remove(imgsearch *s, const int64_t *ids, size_t n,
	const imgsearch_index_remove_options *theirs, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_index_remove_options options;
	job j;
	REQUIRE_HANDLE(s, "index_remove", err);
	REQUIRE(!n || ids, err, "index_remove: ids is NULL");
	int rc = COPY(options, theirs, err);
	if (!rc)
		rc = ims_call_begin(s, call, &j, err);
	return rc ? rc : ims_remove(s, ids, n, &options, &j, err);
}

int imgsearch_index_keep_out(imgsearch *s, const int64_t *ids, size_t n, const imgsearch_call *call,
	imgsearch_error *err)
{
	job j;
	REQUIRE_HANDLE(s, "index_keep_out", err);
	REQUIRE(!n || ids, err, "index_keep_out: ids is NULL");
	int rc = ims_call_begin(s, call, &j, err);
	return rc ? rc : ims_keep_out(s, ids, n, &j, err);
}

int imgsearch_index_readmit(imgsearch *s, const int64_t *ids, size_t n, const imgsearch_call *call,
	imgsearch_error *err)
{
	job j;
	REQUIRE_HANDLE(s, "index_readmit", err);
	REQUIRE(!n || ids, err, "index_readmit: ids is NULL");
	int rc = ims_call_begin(s, call, &j, err);
	return rc ? rc : ims_readmit(s, ids, n, &j, err);
}

int imgsearch_root_move(imgsearch *s, const char *from, const char *to, const imgsearch_call *call,
	imgsearch_error *err)
{
	job j;
	REQUIRE_HANDLE(s, "root_move", err);
	REQUIRE(from && *from, err, "root_move: from is NULL or empty");
	REQUIRE(to && *to, err, "root_move: to is NULL or empty");
	int rc = ims_call_begin(s, call, &j, err);
	return rc ? rc : ims_root_move(s, from, to, &j, err);
}

int imgsearch_index_backup(imgsearch *s, const char *path,
	const imgsearch_index_backup_options *theirs, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_index_backup_options options;
	job j;
	REQUIRE_HANDLE(s, "index_backup", err);
	REQUIRE(path && *path, err, "index_backup: path is NULL or empty");
	int rc = COPY(options, theirs, err);
	if (rc)
		return rc;
	REQUIRE(!options.reserved, err, "index_backup: reserved is %u, not 0", options.reserved);
	REQUIRE(options.replace <= 1, err, "index_backup: replace is %u, neither 0 nor 1",
		options.replace);
	rc = ims_call_begin(s, call, &j, err);
	return rc ? rc : ims_store_backup(s->store, path, options.replace, &j, err);
}

static int make_copy_report(const store_copy_report *from, imgsearch_index_copy_report **out,
	imgsearch_error *err)
{
	imgsearch_index_copy_report *r = ims_result_new(sizeof *r);
	imgsearch_index_copy_tables *tables = ims_result_alloc(r, 1, sizeof *tables);
	imgsearch_index_copy_table **items = !tables ? NULL
												 : ims_result_list(r, STORE_TABLES, sizeof **items);
	if (!items) {
		ims_result_free(r);
		return ims_nomem(err);
	}
	for (store_table t = 0; t < STORE_TABLES; t++)
		*items[t] = (imgsearch_index_copy_table){
			.name = ims_store_tables[t].name,
			.rows = from->table[t].rows,
			.checksum = from->table[t].checksum,
		};
	tables->count = STORE_TABLES;
	tables->items = (const imgsearch_index_copy_table *const *)items;
	r->tables = tables;
	r->resumed = from->resumed;
	*out = r;
	return 0;
}

static int copy_index(imgsearch *s, const char *location, bool restart, job *j,
	imgsearch_index_copy_report **report, imgsearch_error *err)
{
	store_copy_report copied;
	char *path = NULL;
	int rc = ims_location_path(location, &path, err);
	if (!rc)
		rc = ims_store_copy(s->store, path, restart, j, &copied, err);
	ims_free(path);
	return rc || !report ? rc : make_copy_report(&copied, report, err);
}

int imgsearch_index_copy(imgsearch *s, const char *location,
	const imgsearch_index_copy_options *theirs, const imgsearch_call *call,
	imgsearch_index_copy_report **report, imgsearch_error *err)
{
	imgsearch_index_copy_options options;
	job j;
	if (report)
		*report = NULL;
	REQUIRE_HANDLE(s, "index_copy", err);
	REQUIRE(location && *location, err, "index_copy: location is NULL or empty");
	int rc = COPY(options, theirs, err);
	if (rc)
		return rc;
	REQUIRE(!options.reserved, err, "index_copy: reserved is %u, not 0", options.reserved);
	REQUIRE(options.restart <= 1, err, "index_copy: restart is %u, neither 0 nor 1",
		options.restart);
	rc = ims_call_begin(s, call, &j, err);
	return rc ? rc : copy_index(s, location, options.restart, &j, report, err);
}

void imgsearch_index_copy_report_free(imgsearch_index_copy_report *report)
{
	ims_result_free(report);
}

/* ------------------------------------------------------------------------------ two models ---- */

static int check_model_call(imgsearch *s, const char *name, const imgsearch_call *call,
	const char *function, job *j, imgsearch_error *err)
{
	REQUIRE_HANDLE(s, function, err);
	REQUIRE(name && *name, err, "%s: name is NULL or empty", function);
	int rc = ims_call_begin(s, call, j, err);
	return !rc && ims_handle_transaction_is_mine(s)
		? ims_fail(err, IMGSEARCH_EINVAL, "%s: this thread has a transaction open", function)
		: rc;
}

int imgsearch_index_model_switch(imgsearch *s, const char *name, const imgsearch_call *call,
	imgsearch_error *err)
{
	job j;
	int rc = check_model_call(s, name, call, "index_model_switch", &j, err);
	return rc ? rc : ims_second_switch(s, name, &j, err);
}

int imgsearch_index_model_drop(imgsearch *s, const char *name, const imgsearch_call *call,
	imgsearch_error *err)
{
	job j;
	int rc = check_model_call(s, name, call, "index_model_drop", &j, err);
	return rc ? rc : ims_second_drop(s, name, &j, err);
}

/* ---------------------------------------------------------------------------- transactions ---- */

int imgsearch_transaction_begin(imgsearch *s, const imgsearch_transaction_options *theirs,
	imgsearch_transaction **out, imgsearch_error *err)
{
	imgsearch_transaction_options options;
	REQUIRE(out, err, "transaction_begin: out is NULL");
	*out = NULL;
	REQUIRE_HANDLE(s, "transaction_begin", err);
	int rc = COPY(options, theirs, err);
	if (rc)
		return rc;
	uint64_t max_bytes = options.max_bytes ? options.max_bytes
										   : IMGSEARCH_TRANSACTION_BYTES_DEFAULT;
	return ims_transaction_begin(s, max_bytes, out, err);
}

int imgsearch_transaction_commit(imgsearch_transaction *t, const imgsearch_call *call,
	imgsearch_error *err)
{
	job j;
	REQUIRE(t, err, "transaction_commit: t is NULL");
	imgsearch *s = ims_transaction_handle(t);
	int rc = ims_transaction_check(t, s, err);
	if (!rc)
		rc = ims_handle_require(s, "transaction_commit", err);
	if (!rc)
		rc = ims_call_begin(s, call, &j, err);
	return rc ? rc : ims_transaction_commit(t, &j, err);
}

void imgsearch_transaction_free(imgsearch_transaction *t)
{
	imgsearch *s = t ? ims_transaction_handle(t) : NULL;
	if (!s || ims_handle_is_own(s))
		ims_transaction_free(t);
}
