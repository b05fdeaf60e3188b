/*
 * Queries by the server: a form with the bytes of the pictures, and JSON with the role of each.
 * docs/http.md describes both.
 */
#include "cli/client/client_query.h"

#include <fcntl.h>
#include <glib.h>
#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOUNDARY "imgsearch-7d1f0c5a93e84b26"

/* The bytes of a file; false: it is no file, or too large. */
static bool write_file(FILE *f, const char *path)
{
	static const size_t block = 1 << 16;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool ok = fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size < CLIENT_BODY_MAX;
	char *data = ok ? malloc(block) : NULL;
	ssize_t got = 0;
	while (data && (got = read(fd, data, block)) > 0)
		fwrite(data, 1, (size_t)got, f);
	free(data);
	if (fd >= 0)
		close(fd);
	return ok && data && got == 0;
}

static json_t *options_json(const imgsearch_query_options *o)
{
	json_t *q = json_object();
	const struct {
		const char *name;
		double value;
		bool set;
	} number[] = {
		{ "k", o->k, o->k > 0 },
		{ "no_self", 1, o->no_self },
		{ "min_score", (double)o->min_score, o->has_min_score },
		{ "max_chance", o->max_chance, o->max_chance > 0 },
		{ "recall", o->recall, o->recall > 0 },
		{ "ef", o->ef, o->ef },
		{ "checks", o->checks, o->checks },
		{ "epsilon", o->epsilon, o->epsilon > 0 },
		{ "plain", 1, o->plain },
		{ "whole", 1, o->whole },
		{ "expand", o->expand, o->expand },
		{ "expand_power", (double)o->expand_power, o->expand_power > 0 },
		{ "reciprocal", o->reciprocal, o->reciprocal },
		{ "views", o->views, o->views },
	};
	for (size_t i = 0; i < sizeof number / sizeof *number; i++)
		if (number[i].set && floor(number[i].value) == number[i].value)
			json_object_set_new(q, number[i].name, json_integer((json_int_t)number[i].value));
		else if (number[i].set)
			json_object_set_new(q, number[i].name, json_pack("f", number[i].value));
	if (o->filter && o->filter->folders)
		json_object_set_new(q, "under", json_string(o->filter->folders[0]));
	if (o->filter && o->filter->columns)
		json_object_set_new(q, "where", json_string(o->filter->columns));
	if (o->model)
		json_object_set_new(q, "model", json_string(o->model));
	if (o->searcher)
		json_object_set_new(q, "searcher", json_string(o->searcher));
	if (o->text_template)
		json_object_set_new(q, "template", json_string(o->text_template));
	return q;
}

/* An input as JSON: its id, its text or the name of its part, and its role. */
static json_t *input_json(const imgsearch_input *in, const char *part)
{
	json_t *one = json_object();
	if (in->kind == IMGSEARCH_INPUT_KIND_ITEM)
		json_object_set_new(one, "id", json_integer(in->id));
	else if (in->kind == IMGSEARCH_INPUT_KIND_TEXT)
		json_object_set_new(one, "text", json_string(in->text));
	else
		json_object_set_new(one, "part", json_string(part));
	if (in->weight != 0)
		json_object_set_new(one, "weight", json_pack("f", (double)in->weight));
	if (in->crop[2])
		json_object_set_new(one, "crop",
			json_pack("[iiii]", in->crop[0], in->crop[1], in->crop[2], in->crop[3]));
	return one;
}

static void begin_part(FILE *f, const char *name)
{
	fprintf(f, "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n", name);
}

/* The bytes of an input as a part of the form; false: it cannot be sent. */
static bool write_part(FILE *f, const imgsearch_input *in, const char *name)
{
	bool ok = true;
	begin_part(f, name);
	if (in->kind == IMGSEARCH_INPUT_KIND_BYTES)
		fwrite(in->data, 1, in->size, f);
	else
		ok = in->kind == IMGSEARCH_INPUT_KIND_FILE && write_file(f, in->path);
	fputs("\r\n", f);
	return ok;
}

/* The form: a part for each picture, then the query. False: something in it cannot be sent. */
static bool write_form(FILE *f, const imgsearch_input *in, size_t n,
	const imgsearch_query_options *o)
{
	json_t *q = options_json(o), *inputs = json_array();
	const imgsearch_filter *only = o->filter;
	bool ok = q && inputs
		&& (!only || !only->folders || (only->n_folders == 1 && json_object_get(q, "under")))
		&& (!only || !only->columns || json_object_get(q, "where"))
		&& (!o->text_template || json_object_get(q, "template"));
	for (size_t i = 0; i < n && ok; i++) {
		char name[24];
		snprintf(name, sizeof name, "p%zu", i);
		json_t *one = input_json(&in[i], name);
		json_array_append_new(inputs, one);
		if (in[i].kind == IMGSEARCH_INPUT_KIND_TEXT)
			ok = json_object_get(one, "text"); /* NULL: it is not UTF-8 */
		else if (in[i].kind != IMGSEARCH_INPUT_KIND_ITEM)
			ok = write_part(f, &in[i], name);
	}
	json_object_set_new(q, "inputs", inputs);
	char *text = ok ? json_dumps(q, JSON_COMPACT) : NULL;
	if (text) {
		begin_part(f, "query");
		fprintf(f, "%s\r\n--" BOUNDARY "--\r\n", text);
	}
	free(text);
	json_decref(q);
	return text != NULL;
}

/* ------------------------------------------------------------------------------------ hits ---- */

/* Memory that lives as long as the hits. */
typedef struct block {
	struct block *next;
	max_align_t bytes[];
} block;

typedef struct server_hits {
	imgsearch_hits hits; /* first: the caller's pointer */
	json_t *json;        /* most strings are its own */
	block *blocks;
} server_hits;

/* Zeroed; NULL: out of memory. */
static void *take(server_hits *h, size_t n, size_t size)
{
	block *b = calloc(1, sizeof *b + n * size);
	if (!b)
		return NULL;
	b->next = h->blocks;
	h->blocks = b;
	return b->bytes;
}

/* n zeroed structs and a list of pointers to them, as lists of the library are. */
static void *take_list(server_hits *h, size_t n, size_t size)
{
	char **items = take(h, n, sizeof *items), *item = take(h, n, size);
	for (size_t i = 0; items && item && i < n; i++)
		items[i] = item + i * size;
	return item ? items : NULL;
}

static const char *from_base64(server_hits *h, const char *text)
{
	gsize n;
	guchar *bytes = g_base64_decode(text, &n);
	char *out = take(h, n + 1, 1);
	if (out)
		memcpy(out, bytes, n);
	g_free(bytes);
	return out;
}

static const char *text_of(json_t *value)
{
	return json_is_string(value) ? json_string_value(value) : "";
}

/* NULL: there are none, or out of memory. */
static const imgsearch_columns *read_columns(server_hits *h, json_t *object)
{
	const char *name;
	json_t *value;
	size_t n = json_object_size(object), i = 0;
	imgsearch_columns *list = n ? take(h, 1, sizeof *list) : NULL;
	imgsearch_column **items = list ? take_list(h, n, sizeof **items) : NULL;
	if (!items)
		return NULL;
	json_object_foreach(object, name, value)
		* items[i++] = (imgsearch_column){ name, text_of(value) };
	*list = (imgsearch_columns){ n, (const imgsearch_column *const *)items };
	return list;
}

static const char *read_path_of(server_hits *h, json_t *from, const char *key, const char *key_b64)
{
	const char *bytes = json_string_value(json_object_get(from, key_b64));
	return bytes ? from_base64(h, bytes) : json_string_value(json_object_get(from, key));
}

static const char *read_path(server_hits *h, json_t *from)
{
	return read_path_of(h, from, "path", "path_b64");
}

/* The other paths of the picture at the path `own`. NULL: there are none, or out of memory. */
static const imgsearch_paths *read_also(server_hits *h, const char *own, json_t *also)
{
	size_t n = json_array_size(also);
	imgsearch_paths *list = n ? take(h, 1, sizeof *list) : NULL;
	imgsearch_path **items = list ? take_list(h, n, sizeof **items) : NULL;
	for (size_t i = 0; items && i < n; i++) {
		json_t *one = json_array_get(also, i);
		const char *path = read_path(h, one);
		bool link = json_is_true(json_object_get(one, "link"));
		if (path)
			*items[list->count++] = (imgsearch_path){ path,
				link ? own : read_path_of(h, one, "same_file", "same_file_b64") };
	}
	if (!items || !list->count)
		return NULL;
	list->items = (const imgsearch_path *const *)items;
	return list;
}

static int32_t number_of(json_t *from, const char *name)
{
	return (int32_t)json_integer_value(json_object_get(from, name));
}

/* NULL: there is none, or out of memory. */
static const imgsearch_region *read_region(server_hits *h, json_t *from)
{
	imgsearch_region *region = from ? take(h, 1, sizeof *region) : NULL;
	if (region)
		*region = (imgsearch_region){
			.x = number_of(from, "x"),
			.y = number_of(from, "y"),
			.width = number_of(from, "width"),
			.height = number_of(from, "height"),
			.picture_width = number_of(from, "picture_width"),
			.picture_height = number_of(from, "picture_height"),
		};
	return region;
}

static bool read_hit(server_hits *h, json_t *from, imgsearch_hit *hit)
{
	json_t *chance = json_object_get(from, "chance");
	const char *path = read_path(h, from);
	*hit = (imgsearch_hit){
		.id = json_integer_value(json_object_get(from, "id")),
		.score = (float)json_number_value(json_object_get(from, "score")),
		.distance = NAN, /* the answer has none */
		.chance = chance ? json_number_value(chance) : NAN,
		.path = path,
		.title = json_string_value(json_object_get(from, "title")),
		.columns = read_columns(h, json_object_get(from, "columns")),
		.paths = read_also(h, path, json_object_get(from, "also")),
		.region = read_region(h, json_object_get(from, "region")),
	};
	return hit->path != NULL;
}

/*
 * An answer that lacks what a shard has is none: the server is asked only where the whole index is
 * wanted.
 */
static bool read_hits(server_hits *h)
{
	json_t *results = json_object_get(h->json, "results"),
		   *better = json_object_get(h->json, "better_than_chance");
	size_t n = json_array_size(results);
	bool whole = json_is_array(results) && !json_object_get(h->json, "missing");
	imgsearch_hit **items = whole ? take_list(h, n, sizeof **items) : NULL;
	for (size_t i = 0; items && i < n; i++)
		if (!read_hit(h, json_array_get(results, i), items[i]))
			return false;
	h->hits = (imgsearch_hits){
		.count = n,
		.items = (const imgsearch_hit *const *)items,
		.better_than_chance = (size_t)json_integer_value(better),
		.searcher = text_of(json_object_get(h->json, "searcher")),
		.plan = text_of(json_object_get(h->json, "plan")),
		.exact = json_is_true(json_object_get(h->json, "exact")),
		.reranked = json_is_true(json_object_get(h->json, "reranked")),
	};
	return items != NULL;
}

void client_hits_free(imgsearch_hits *hits)
{
	server_hits *h = (server_hits *)hits; /* its first member */
	if (!h)
		return;
	for (block *b = h->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	json_decref(h->json);
	free(h);
}

/* The form as bytes, which the caller frees; NULL: it cannot be sent. */
static char *make_form(const imgsearch_input *in, size_t n, const imgsearch_query_options *o,
	size_t *size)
{
	char *form = NULL;
	FILE *f = open_memstream(&form, size);
	bool ok = f && write_form(f, in, n, o);
	if (f && fclose(f))
		ok = false;
	if (!ok) {
		free(form);
		form = NULL;
	}
	return form;
}

bool client_query(client *l, const imgsearch_input *in, size_t n, const imgsearch_query_options *o,
	imgsearch_hits **out)
{
	size_t size = 0;
	long length;
	*out = NULL;
	char *form = make_form(in, n, o, &size);
	bool sent = form
		&& client_post(l, "/api/search HTTP/1.1",
			"Content-Type: multipart/form-data; boundary=" BOUNDARY "\r\n", form, size);
	free(form);
	int status = sent ? client_read_head(l, &length) : 0;
	char *body = status ? client_read_body(l, length) : NULL;
	server_hits *h = body && status == 200 ? calloc(1, sizeof *h) : NULL;
	if (h) {
		h->json = json_loads(body, 0, NULL);
		if (read_hits(h))
			*out = &h->hits;
		else
			client_hits_free(&h->hits);
	}
	free(body);
	return *out != NULL;
}
