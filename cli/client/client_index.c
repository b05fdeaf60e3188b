/*
 * Index runs by the server: a JSON object, answered by lines of JSON. docs/http.md describes both.
 */
#include "cli/client/client_index.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --------------------------------------------------------------------------------- request ---- */

/* Text that is not UTF-8 goes in hexadecimal digits. */
static json_t *byte_text(const char *text)
{
	json_t *value = json_string(text);
	if (value)
		return value;
	size_t n = strlen(text);
	char *hex = calloc(2 * n + 1, 1);
	for (size_t i = 0; hex && i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", (unsigned char)text[i]);
	value = hex ? json_pack("{ss}", "hex", hex) : NULL;
	free(hex);
	return value;
}

static json_t *text_list(const char *const *text, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, byte_text(text[i]));
	return list;
}

static char *index_request(const char *const *paths, size_t n,
	const imgsearch_index_update_options *o, const char *add_model)
{
	json_t *q = json_object();
	json_object_set_new(q, "paths", text_list(paths, n));
	json_object_set_new(q, "include", text_list(o->include, o->n_include));
	json_object_set_new(q, "exclude", text_list(o->exclude, o->n_exclude));
	json_object_set_new(q, "follow_links", json_boolean(o->follow_links));
	json_object_set_new(q, "no_follow_links", json_boolean(o->no_follow_links));
	json_object_set_new(q, "prune", json_boolean(o->prune));
	json_object_set_new(q, "retry", json_boolean(o->retry));
	json_object_set_new(q, "reread", json_boolean(o->reread));
	json_object_set_new(q, "partial", json_boolean(o->partial));
	json_object_set_new(q, "regions", json_boolean(o->regions == 1));
	json_object_set_new(q, "no_regions", json_boolean(o->regions == 2));
	json_object_set_new(q, "no_default_excludes", json_boolean(o->no_default_excludes));
	json_object_set_new(q, "no_exclude", json_boolean(o->forget_exclude));
	json_object_set_new(q, "no_include", json_boolean(o->include && !o->n_include));
	if (o->csv)
		json_object_set_new(q, "csv", byte_text(o->csv));
	if (o->csv_key)
		json_object_set_new(q, "csv_key", byte_text(o->csv_key));
	if (o->csv_title)
		json_object_set_new(q, "csv_title", byte_text(o->csv_title));
	if (add_model)
		json_object_set_new(q, "add_model", byte_text(add_model));
	if (o->formats)
		json_object_set_new(q, "formats", byte_text(o->formats));
	char *text = json_dumps(q, JSON_COMPACT);
	json_decref(q);
	return text;
}

/* ---------------------------------------------------------------------------------- answer ---- */

static uint64_t number(json_t *object, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(object, name));
}

static double real(json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

static imgsearch_counts read_counts(json_t *from)
{
	return (imgsearch_counts){
		.seen = number(from, "seen"),
		.indexed = number(from, "indexed"),
		.duplicate = number(from, "duplicate"),
		.unsupported = number(from, "unsupported"),
		.damaged = number(from, "damaged"),
		.too_big = number(from, "too_big"),
		.excluded = number(from, "excluded"),
		.unreadable = number(from, "unreadable"),
		.deleted = number(from, "kept_out"),
		.link = number(from, "link"),
	};
}

/* What is not there, or out of memory, is left out. */
static void read_unmatched(json_t *from, client_index_result *r)
{
	size_t n = json_array_size(from);
	r->texts = calloc(n + 1, sizeof *r->texts);
	for (size_t i = 0; r->texts && i < n; i++) {
		const char *text = json_string_value(json_array_get(from, i));
		char *copy = text ? strdup(text) : NULL;
		if (copy)
			r->texts[r->unmatched.count++] = copy;
	}
	r->unmatched.items = (const char *const *)r->texts;
}

void client_index_result_free(client_index_result *r)
{
	for (size_t i = 0; i < r->unmatched.count; i++)
		free(r->texts[i]);
	free(r->texts);
}

static imgsearch_index_update_report read_report(json_t *from, const client_index_result *r)
{
	return (imgsearch_index_update_report){
		.counts = &r->counts,
		.unmatched = &r->unmatched,
		.added = number(from, "added"),
		.changed = number(from, "changed"),
		.unchanged = number(from, "unchanged"),
		.moved = number(from, "moved"),
		.removed = number(from, "removed"),
		.offline = number(from, "offline"),
		.rehashed = number(from, "rehashed"),
		.remade = number(from, "remade"),
		.redecoded = number(from, "redecoded"),
		.described = number(from, "described"),
		.failed = number(from, "failed"),
		.seconds = real(from, "seconds"),
		.walk_seconds = real(from, "walk_s"),
		.decode_seconds = real(from, "decode_s"),
		.network_seconds = real(from, "network_s"),
		.store_seconds = real(from, "store_s"),
	};
}

static imgsearch_progress read_progress(json_t *from)
{
	return (imgsearch_progress){
		.stage = json_string_value(json_object_get(from, "stage")),
		.done = number(from, "done"),
		.total = number(from, "total"),
		.failed = number(from, "failed"),
		.loss = NAN,
		.accuracy = NAN,
	};
}

static void set_error(client_index_result *r, int rc, const char *message)
{
	r->rc = r->err.code = rc;
	snprintf(r->err.message, sizeof r->err.message, "%s", message ? message : "");
}

/* Parses the last line of the answer: counts or an error. False: it is neither. */
static bool read_end(json_t *line, client_index_result *r)
{
	json_t *counts = json_object_get(line, "counts"), *error = json_object_get(line, "error");
	if (counts) {
		r->counts = read_counts(counts);
		read_unmatched(json_object_get(counts, "unmatched"), r);
		r->report = read_report(counts, r);
		r->rc = 0;
	} else if (error) {
		set_error(r, (int)json_integer_value(json_object_get(error, "status")),
			json_string_value(json_object_get(error, "message")));
	}
	return counts || error;
}

/*
 * Reads lines until the last one. False: the answer ended early, or progress asked to stop
 * (*canceled).
 */
static bool read_lines(FILE *f, int (*progress)(void *user, const imgsearch_progress *p),
	void *user, client_index_result *r, bool *canceled)
{
	char *text = NULL;
	size_t size = 0;
	bool ended = false;
	while (!ended && !*canceled && getline(&text, &size, f) > 0) {
		json_t *line = json_loads(text, 0, NULL), *now = json_object_get(line, "progress");
		if (now) {
			imgsearch_progress p = read_progress(now);
			*canceled = progress && progress(user, &p);
		} else {
			ended = read_end(line, r);
		}
		json_decref(line);
	}
	free(text);
	return ended;
}

/* A run that has begun is not repeated without the server, even if its answer is lost. */
bool client_index(client *l, const char *const *paths, size_t n,
	const imgsearch_index_update_options *o, const char *add_model,
	int (*progress)(void *user, const imgsearch_progress *p), void *user, client_index_result *r)
{
	char *body = index_request(paths, n, o, add_model);
	long length;
	bool ended = false, canceled = false;
	*r = (client_index_result){ 0 };
	errno = 0;
	bool begun = body
		&& client_post(l, "/api/index HTTP/1.0", "Content-Type: application/json\r\n", body,
			strlen(body))
		&& client_read_head(l, &length) == 200;
	FILE *f = begun ? fdopen(dup(client_socket(l)), "r") : NULL;
	free(body);
	if (f)
		ended = read_lines(f, progress, user, r, &canceled);
	canceled = canceled || (!ended && errno == EINTR);
	if (ended && !canceled && r->rc == IMGSEARCH_ECANCELED)
		set_error(r, IMGSEARCH_EIO, "the server was ended; what it had done is kept: run it again");
	if (!ended && canceled)
		set_error(r, IMGSEARCH_ECANCELED, "interrupted; finished work is kept");
	else if (!ended && f)
		set_error(r, IMGSEARCH_EIO, "the server went away; what it had done is kept: run it again");
	if (f)
		fclose(f);
	return f || canceled;
}
