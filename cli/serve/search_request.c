/*
 * From the bytes of a request to a search_request. Jansson reads JSON, form.c forms. The header
 * names the limits; a value that is over one, malformed or unknown is refused with a sentence in
 * why.
 */
#include "cli/serve/search_request.h"

#include "cli/serve/json_body.h"
#include "cli/serve/number.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const float AWAY = -0.5f; /* the weight of what is pushed away from */

/* Sets the first reason; later ones are ignored. */
static bool refuse(search_request *q, const char *format, ...)
{
	va_list list;
	if (*q->why)
		return false;
	va_start(list, format);
	vsnprintf(q->why, sizeof q->why, format, list);
	va_end(list);
	return false;
}

void search_request_init(search_request *q)
{
	memset(q, 0, sizeof *q);
	q->options.struct_size = sizeof q->options;
}

void search_request_free(search_request *q)
{
	for (size_t i = 0; i < REQUEST_INPUTS; i++) {
		free(q->vectors[i]);
		free(q->texts[i]);
	}
	free(q->ids);
	free(q->text_template);
	free(q->model);
	filter_request_free(&q->filter);
}

static imgsearch_input *new_input(search_request *q)
{
	if (q->n == REQUEST_INPUTS) {
		refuse(q, "more than %d inputs in one query", REQUEST_INPUTS);
		return NULL;
	}
	return &q->input[q->n++];
}

/* ------------------------------------------------------------------------------ parameters ---- */

/* Like refuse, of number.h. */
static bool whole(search_request *q, const char *name, const char *text, int64_t min, int64_t max,
	int64_t *out)
{
	char why[sizeof q->why];
	return number_whole(name, text, min, max, out, why, sizeof why) || refuse(q, "%s", why);
}

static bool real(search_request *q, const char *name, const char *text, double min, double max,
	double *out)
{
	char why[sizeof q->why];
	return number_real(name, text, min, max, out, why, sizeof why) || refuse(q, "%s", why);
}

static bool set_searcher(search_request *q, const char *name)
{
	static const char *const names[] = { "exact", "kdtree", "pca", "graph", "pgvector", "scan" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (name && !strcmp(name, names[i])) {
			q->options.searcher = names[i];
			return true;
		}
	return refuse(q, "searcher: exact, kdtree, pca, graph or scan");
}

static bool add_stored(search_request *q, const char *name, const char *value, float weight)
{
	int64_t id = 0;
	if (!whole(q, name, value, 0, INT64_MAX, &id))
		return false;
	imgsearch_input *in = new_input(q);
	if (!in)
		return false;
	*in = imgsearch_input_item(id);
	in->weight = weight;
	return true;
}

/* in: an input of the request. */
static bool set_text(search_request *q, const char *text, imgsearch_input *in)
{
	char *copy = q->texts[in - q->input] = strdup(text);
	*in = imgsearch_input_text(copy);
	return copy || refuse(q, "out of memory");
}

static bool add_text(search_request *q, const char *name, const char *text, float weight)
{
	if (!text || !*text)
		return refuse(q, "%s: some words are needed", name);
	imgsearch_input *in = new_input(q);
	if (!in || !set_text(q, text, in))
		return false;
	in->weight = weight;
	return true;
}

static bool set_template(search_request *q, const char *text)
{
	free(q->text_template);
	q->text_template = strdup(text ? text : "");
	q->options.text_template = q->text_template;
	return q->text_template || refuse(q, "out of memory");
}

static bool set_model(search_request *q, const char *name)
{
	free(q->model);
	q->model = strdup(name ? name : "");
	q->options.model = q->model;
	return q->model || refuse(q, "out of memory");
}

static bool set_crop(search_request *q, const char *text)
{
	char copy[64], *rest = copy;
	bool ok = snprintf(copy, sizeof copy, "%s", text ? text : "") < (int)sizeof copy;
	int64_t v = 0;
	for (int i = 0; ok && i < 4; i++) {
		ok = whole(q, "crop (X,Y,W,H)", strsep(&rest, ","), i >= 2, INT32_MAX, &v);
		q->crop[i] = (int32_t)v;
	}
	return (ok && !rest) || refuse(q, "crop: X,Y,W,H in pixels is needed");
}

typedef enum number_kind { WHOLE, REAL_F32, REAL_F64 } number_kind;

/* Parameters that are numbers; WHOLE is a uint32_t. */
static const struct number {
	const char *name;
	number_kind kind;
	double min, max;
	size_t offset;
} numbers[] = {
#define AT(member) offsetof(search_request, options.member)
	{ "k", WHOLE, 1, 10000, AT(k) },
	{ "min_score", REAL_F32, -1e30, 1e30, AT(min_score) },
	{ "max_chance", REAL_F64, 1e-12, 1e12, AT(max_chance) },
	{ "recall", REAL_F64, 0.01, 1, AT(recall) },
	{ "epsilon", REAL_F64, 0, 1000, AT(epsilon) },
	{ "ef", WHOLE, 1, 1000000, AT(ef) },
	{ "checks", WHOLE, 1, UINT32_MAX, AT(checks) },
	{ "no_self", WHOLE, 0, 1, AT(no_self) },
	{ "plain", WHOLE, 0, 1, AT(plain) },
	{ "whole", WHOLE, 0, 1, AT(whole) },
	{ "expand", WHOLE, 1, REQUEST_EXPAND, AT(expand) },
	{ "expand_power", REAL_F32, 0, 100, AT(expand_power) },
	{ "reciprocal", WHOLE, 1, REQUEST_RECIPROCAL, AT(reciprocal) },
	{ "views", WHOLE, 1, IMGSEARCH_VIEWS_MAX, AT(views) },
#undef AT
};

static bool set_number(search_request *q, const struct number *n, const char *value)
{
	void *to = (char *)q + n->offset;
	int64_t v = 0;
	double d = 0;
	if (n->kind == WHOLE) {
		if (!whole(q, n->name, value, (int64_t)n->min, (int64_t)n->max, &v))
			return false;
		*(uint32_t *)to = (uint32_t)v;
		return true;
	}
	if (!real(q, n->name, value, n->min, n->max, &d))
		return false;
	if (n->kind == REAL_F32)
		*(float *)to = (float)d;
	else
		*(double *)to = d;
	return true;
}

/* In the address and in the body together a parameter comes once, if it is none of a list. */
static bool is_first(search_request *q, const char *name)
{
	static const char *const lists[] = { "id", "not", "text", "not_text", "keyword" };
	char spaced[32];
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (!strcmp(name, lists[i]))
			return true;
	size_t n = strlen(q->given), room = sizeof q->given - n;
	snprintf(spaced, sizeof spaced, " %.28s ", name);
	if (strstr(q->given, spaced))
		return refuse(q, "%.60s: given twice", name);
	if (strlen(spaced) < room)
		memcpy(q->given + n, spaced, strlen(spaced) + 1);
	return true;
}

bool search_request_param(search_request *q, const char *name, const char *value)
{
	int64_t v = 0;
	bool known;
	if (!is_first(q, name))
		return false;
	const char *why = filter_request_param(&q->filter, name, value, &known);
	if (known)
		return !why || refuse(q, "%s", why);
	q->options.has_min_score |= !strcmp(name, "min_score");
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (!strcmp(name, numbers[i].name))
			return set_number(q, &numbers[i], value);
	if (!strcmp(name, "hold"))
		return whole(q, name, value, 0, 1, &v) && (q->cache_uploads = v == 1, true);
	if (!strcmp(name, "searcher"))
		return set_searcher(q, value);
	if (!strcmp(name, "id"))
		return add_stored(q, name, value, 1);
	if (!strcmp(name, "not"))
		return add_stored(q, name, value, AWAY);
	if (!strcmp(name, "text"))
		return add_text(q, name, value, 1);
	if (!strcmp(name, "not_text"))
		return add_text(q, name, value, AWAY);
	if (!strcmp(name, "template"))
		return set_template(q, value);
	if (!strcmp(name, "model"))
		return set_model(q, value);
	if (!strcmp(name, "crop"))
		return set_crop(q, value);
	return refuse(q, "there is no parameter \"%.60s\"", name);
}

/* ------------------------------------------------------------------------------------ JSON ---- */

typedef struct parts {
	form_part item[REQUEST_PARTS];
	bool used[REQUEST_PARTS];
	int n;
} parts;

static bool json_vector(search_request *q, json_t *values, imgsearch_input *in)
{
	size_t n = json_array_size(values);
	if (!n || n > IMGSEARCH_DIM_MAX)
		return refuse(q, "vector: from 1 to %d numbers are needed", IMGSEARCH_DIM_MAX);
	float *v = q->vectors[in - q->input] = malloc(n * sizeof *v);
	if (!v)
		return refuse(q, "out of memory");
	for (size_t i = 0; i < n; i++) {
		json_t *value = json_array_get(values, i);
		v[i] = (float)json_number_value(value);
		if (!json_is_number(value) || !isfinite(v[i]))
			return refuse(q, "vector: value %zu is no number", i);
	}
	*in = imgsearch_input_vector(v, n);
	return true;
}

static bool json_upload(search_request *q, const char *name, imgsearch_input *in)
{
	if (strlen(name) >= UPLOAD_NAME || !*name || strspn(name, "0123456789abcdef") != strlen(name))
		return refuse(q, "held: not the name of a picture that is held");
	memcpy(q->upload[in - q->input], name, strlen(name) + 1);
	*in = imgsearch_input_bytes(NULL, 0);
	return true;
}

static bool json_part(search_request *q, const char *name, parts *p, imgsearch_input *in)
{
	for (int i = 0; p && i < p->n; i++)
		if (!strcmp(p->item[i].name, name)) {
			*in = imgsearch_input_bytes(p->item[i].data, p->item[i].size);
			p->used[i] = true;
			return true;
		}
	return refuse(q, "part: the form has no part \"%.60s\"", name);
}

/* An input has one source, and no unknown member. */
static bool known_members(search_request *q, json_t *from)
{
	static const char *const names[] = { "id", "vector", "held", "part", "text", "weight", "crop" };
	enum { SOURCES = 5, NAMES = sizeof names / sizeof *names };
	const char *name;
	json_t *value;
	size_t sources = 0;
	json_object_foreach(from, name, value)
	{
		size_t i = 0;
		while (i < NAMES && strcmp(name, names[i]))
			i++;
		if (i == NAMES)
			return refuse(q, "inputs: there is no member \"%.60s\"", name);
		sources += i < SOURCES;
	}
	return sources == 1 || refuse(q, "inputs: each needs one id, vector, held, part or text");
}

/* The one source of an input. */
static bool json_source(search_request *q, json_t *from, parts *p, imgsearch_input *in)
{
	json_t *id = json_object_get(from, "id"), *vector = json_object_get(from, "vector");
	json_t *held = json_object_get(from, "held"), *part = json_object_get(from, "part");
	json_t *text = json_object_get(from, "text");
	if (json_is_integer(id) && json_integer_value(id) >= 0) {
		*in = imgsearch_input_item(json_integer_value(id));
		return true;
	}
	if (json_is_array(vector))
		return json_vector(q, vector, in);
	if (json_is_string(held))
		return json_upload(q, json_string_value(held), in);
	if (json_is_string(text))
		return set_text(q, json_string_value(text), in);
	return json_is_string(part) && json_part(q, json_string_value(part), p, in);
}

static bool json_crop(search_request *q, json_t *crop, imgsearch_input *in)
{
	for (size_t i = 0; i < 4; i++) {
		json_t *value = json_array_get(crop, i);
		json_int_t v = json_integer_value(value);
		if (json_array_size(crop) != 4 || !json_is_integer(value) || v < 0 || v > INT32_MAX
			|| (i >= 2 && v == 0))
			return refuse(q, "crop: [x, y, width, height] in pixels is needed");
		in->crop[i] = (int32_t)v;
	}
	return true;
}

static bool json_input(search_request *q, json_t *from, parts *p)
{
	imgsearch_input *in = new_input(q);
	json_t *weight = json_object_get(from, "weight"), *crop = json_object_get(from, "crop");
	if (!in || !json_is_object(from))
		return refuse(q, "inputs: a list of objects is needed");
	if (!known_members(q, from))
		return false;
	if (!json_source(q, from, p, in))
		return refuse(q, "inputs: id, vector, held, part or text has a value of the wrong kind");
	if (weight) {
		in->weight = (float)json_number_value(weight);
		float size = fabsf(in->weight);
		if (!json_is_number(weight) || !isfinite(size) || size > 1e6f || size == 0)
			return refuse(q, "weight: a number other than 0 is needed");
	}
	return !crop || json_crop(q, crop, in);
}

static bool json_ids(search_request *q, json_t *list)
{
	size_t n = json_array_size(list);
	if (!json_is_array(list) || n > REQUEST_IDS)
		return refuse(q, "ids: a list of at most %d ids is needed", REQUEST_IDS);
	free(q->ids);
	q->ids = malloc((n + 1) * sizeof *q->ids);
	if (!q->ids)
		return refuse(q, "out of memory");
	for (size_t i = 0; i < n; i++) {
		json_t *id = json_array_get(list, i);
		q->ids[i] = json_integer_value(id);
		if (!json_is_integer(id))
			return refuse(q, "ids: value %zu is no id", i);
	}
	q->n_ids = n;
	return true;
}

static bool json_keywords(search_request *q, json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));
		if (!search_request_param(q, "keyword", word))
			return false;
	}
	return true;
}

static const struct number *number_of(const char *name)
{
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (!strcmp(name, numbers[i].name))
			return &numbers[i];
	return NULL;
}

/* Members that are ids, or a number, or true and false; the others are texts. */
static bool is_of_kind(const char *name, json_t *value)
{
	const struct number *n = number_of(name);
	bool id = !strcmp(name, "id") || !strcmp(name, "not");
	bool flag = !strcmp(name, "hold") || (n && n->kind == WHOLE && n->min == 0 && n->max == 1);
	if (json_is_boolean(value))
		return flag;
	if (json_is_integer(value))
		return id || flag || n;
	if (json_is_real(value))
		return n && n->kind != WHOLE;
	return json_is_string(value) && !id && !flag && !n;
}

/* A member as the text that it is in a query string; NULL: it is a list, an object or null. */
static const char *scalar_text(json_t *value, char *text, size_t size)
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_real(value))
		snprintf(text, size, "%.17g", json_real_value(value));
	else if (json_is_integer(value) || json_is_boolean(value))
		snprintf(text, size, "%lld",
			json_is_integer(value) ? (long long)json_integer_value(value)
								   : (long long)json_is_true(value));
	else
		return NULL;
	return text;
}

static bool json_member(search_request *q, const char *name, json_t *value, parts *p)
{
	char text[64];
	if (!strcmp(name, "inputs")) {
		for (size_t i = 0; i < json_array_size(value); i++)
			if (!json_input(q, json_array_get(value, i), p))
				return false;
		return json_is_array(value) || refuse(q, "inputs: a list is needed");
	}
	if (!strcmp(name, "ids"))
		return json_ids(q, value);
	if (!strcmp(name, "keyword") && json_is_array(value))
		return json_keywords(q, value);
	return search_request_param(q, name, scalar_text(value, text, sizeof text))
		&& (is_of_kind(name, value) || refuse(q, "\"%.60s\" has a value of the wrong kind", name));
}

static bool json_body(search_request *q, const char *body, size_t size, parts *p)
{
	char why[200];
	const char *name;
	json_t *value, *root = json_body_load(body, size, why, sizeof why);
	bool ok = json_is_object(root);
	if (!ok)
		refuse(q, "%s", root ? "JSON: an object is needed" : why);
	json_object_foreach(root, name, value) ok = ok && json_member(q, name, value, p);
	json_decref(root);
	return ok;
}

/* ------------------------------------------------------------------------------------ body ---- */

static bool form_body(search_request *q, const char *content_type, const char *body, size_t size)
{
	parts *p = calloc(1, sizeof *p);
	bool ok = p != NULL;
	if (!ok)
		return refuse(q, "out of memory");
	p->n = form_parse(p->item, REQUEST_PARTS, content_type, body, size);
	if (p->n < 0)
		ok = refuse(q, "the form is malformed, or has more than %d parts", REQUEST_PARTS);
	for (int i = 0; i < p->n && ok; i++)
		if (!strcmp(p->item[i].name, "query")) {
			p->used[i] = true;
			ok = json_body(q, p->item[i].data, p->item[i].size, p);
		}
	for (int i = 0; i < p->n && ok; i++) {
		imgsearch_input *in = p->used[i] ? NULL : new_input(q);
		if (in)
			*in = imgsearch_input_bytes(p->item[i].data, p->item[i].size);
		ok = ok && (in || p->used[i]);
	}
	free(p);
	return ok;
}

bool search_request_body(search_request *q, const char *content_type, const char *body, size_t size)
{
	if (!strncasecmp(content_type, "multipart/form-data", 19))
		return form_body(q, content_type, body, size);
	if (!strncasecmp(content_type, "application/json", 16))
		return json_body(q, body, size, NULL);
	if (!size)
		return true;
	imgsearch_input *in = new_input(q);
	if (!in)
		return false;
	*in = imgsearch_input_bytes(body, size);
	memcpy(in->crop, q->crop, sizeof in->crop);
	memset(q->crop, 0, sizeof q->crop);
	return true;
}

bool search_request_check(search_request *q)
{
	if (!q->n)
		return refuse(q, "nothing to search with: send a picture, or say id=N or text=WORDS");
	if (q->crop[2])
		return refuse(q,
			"crop: goes with a picture that is the body; among inputs each has its own");
	if (q->options.reciprocal && q->options.k > REQUEST_K_RERANKED)
		return refuse(q, "k: at most %d with reciprocal", REQUEST_K_RERANKED);
	bool any;
	const char *why = filter_request_make(&q->filter, &any);
	if (why)
		return refuse(q, "%s", why);
	q->filter.filter.ids = q->ids;
	q->filter.filter.n_ids = q->n_ids;
	if (any || q->ids)
		q->options.filter = &q->filter.filter;
	return true;
}
