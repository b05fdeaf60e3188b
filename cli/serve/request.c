/*
 * From the bytes of a request to a search_call. Source: RFC 8259 (JSON, by jansson); forms are taken apart in form.c.
 * Limits stand in request.h; whatever is over one, malformed or unknown is refused with a sentence in call.why.
 */
#include "cli/serve/request.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Only the first reason counts. */
static bool refuse(search_call *c, const char *format, ...)
{
	va_list list;
	if (*c->why)
		return false;
	va_start(list, format);
	vsnprintf(c->why, sizeof c->why, format, list);
	va_end(list);
	return false;
}

void search_call_init(search_call *c)
{
	memset(c, 0, sizeof *c);
	c->options.struct_size = sizeof c->options;
}

void search_call_free(search_call *c)
{
	for (size_t i = 0; i < REQUEST_INPUTS; i++)
		free(c->vectors[i]);
	free(c->ids);
	free(c->under);
}

static imgsearch_input *new_input(search_call *c)
{
	if (c->n == REQUEST_INPUTS) {
		refuse(c, "more than %d pictures in one query", REQUEST_INPUTS);
		return NULL;
	}
	return &c->input[c->n++];
}

/* --------------------------------------------------------------------------------------------- parameters ---- */

static bool whole(search_call *c, const char *name, const char *text, int64_t min, int64_t max, int64_t *out)
{
	char *end;
	errno = 0;
	long long v = text && *text ? strtoll(text, &end, 10) : 0;
	if (!text || !*text || *end || errno || v < min || v > max)
		return refuse(c, "%s: a whole number from %lld to %lld is needed", name, (long long)min, (long long)max);
	*out = v;
	return true;
}

static bool real(search_call *c, const char *name, const char *text, double min, double max, double *out)
{
	char *end;
	double v = text && *text ? strtod(text, &end) : 0;
	if (!text || !*text || *end || !(v >= min && v <= max))
		return refuse(c, "%s: a number from %g to %g is needed", name, min, max);
	*out = v;
	return true;
}

static bool set_k(search_call *c, int64_t k)
{
	if (k < 1 || k > 10000)
		return refuse(c, "k: a whole number from 1 to 10000 is needed");
	c->options.k = (uint32_t)k;
	return true;
}

static bool set_text(search_call *c, char **to, const char *text)
{
	free(*to);
	*to = strdup(text ? text : "");
	return *to ? true : refuse(c, "out of memory");
}

static bool set_searcher(search_call *c, const char *name)
{
	static const char *const names[] = { "exact", "kdtree", "pca", "graph", "scan" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (name && !strcmp(name, names[i])) {
			c->options.searcher = names[i];
			return true;
		}
	return refuse(c, "searcher: exact, kdtree, pca, graph or scan");
}

static bool add_stored(search_call *c, const char *name, const char *value, float weight)
{
	int64_t id = 0;
	if (!whole(c, name, value, 0, INT64_MAX, &id))
		return false;
	imgsearch_input *in = new_input(c);
	if (!in)
		return false;
	*in = imgsearch_stored(id);
	in->weight = weight;
	return true;
}

static bool set_crop(search_call *c, const char *text)
{
	char copy[64], *rest = copy;
	bool ok = snprintf(copy, sizeof copy, "%s", text ? text : "") < (int)sizeof copy;
	int64_t v = 0;
	for (int i = 0; ok && i < 4; i++) {
		ok = whole(c, "crop (X,Y,W,H)", strsep(&rest, ","), i >= 2, INT32_MAX, &v);
		c->crop[i] = (int32_t)v;
	}
	return (ok && !rest) || refuse(c, "crop: X,Y,W,H in pixels is needed");
}

bool search_param(search_call *c, const char *name, const char *value)
{
	int64_t v = 0;
	double d = 0;
	if (!strcmp(name, "k"))
		return whole(c, name, value, 1, 10000, &v) && set_k(c, v);
	if (!strcmp(name, "min_score")) {
		c->options.has_min_score = 1;
		return real(c, name, value, -1e30, 1e30, &d) && (c->options.min_score = (float)d, true);
	}
	if (!strcmp(name, "max_chance"))
		return real(c, name, value, 1e-12, 1e12, &c->options.max_chance);
	if (!strcmp(name, "recall"))
		return real(c, name, value, 0.01, 1, &c->options.recall);
	if (!strcmp(name, "epsilon"))
		return real(c, name, value, 0, 1000, &c->options.epsilon);
	if (!strcmp(name, "ef"))
		return whole(c, name, value, 1, 1000000, &v) && (c->options.ef = (uint32_t)v, true);
	if (!strcmp(name, "checks"))
		return whole(c, name, value, 1, UINT32_MAX, &v) && (c->options.checks = (uint32_t)v, true);
	if (!strcmp(name, "no_self"))
		return whole(c, name, value, 0, 1, &v) && (c->options.no_self = (uint32_t)v, true);
	if (!strcmp(name, "plain"))
		return whole(c, name, value, 0, 1, &v) && (c->options.plain = (uint32_t)v, true);
	if (!strcmp(name, "expand"))
		return whole(c, name, value, 1, 10000, &v) && (c->options.expand = (uint32_t)v, true);
	if (!strcmp(name, "expand_power"))
		return real(c, name, value, 0, 100, &d) && (c->options.expand_power = (float)d, true);
	if (!strcmp(name, "reciprocal"))
		return whole(c, name, value, 1, 499, &v) && (c->options.reciprocal = (uint32_t)v, true);
	if (!strcmp(name, "views"))
		return whole(c, name, value, 1, 6, &v) && (c->options.views = (uint32_t)v, true);
	if (!strcmp(name, "hold"))
		return whole(c, name, value, 0, 1, &v) && (c->hold = v == 1, true);
	if (!strcmp(name, "under"))
		return set_text(c, &c->under, value);
	if (!strcmp(name, "searcher"))
		return set_searcher(c, value);
	if (!strcmp(name, "id"))
		return add_stored(c, name, value, 1);
	if (!strcmp(name, "not"))
		return add_stored(c, name, value, -0.5f);
	if (!strcmp(name, "crop"))
		return set_crop(c, value);
	return refuse(c, "there is no parameter \"%.60s\"", name);
}

/* ---------------------------------------------------------------------------------------------------- JSON ---- */

typedef struct parts {
	form_part item[REQUEST_PARTS];
	bool used[REQUEST_PARTS];
	int n;
} parts;

static bool json_vector(search_call *c, json_t *values, imgsearch_input *in)
{
	size_t n = json_array_size(values);
	if (!n || n > REQUEST_DIM)
		return refuse(c, "vector: from 1 to %d numbers are needed", REQUEST_DIM);
	float *v = c->vectors[in - c->input] = malloc(n * sizeof *v);
	if (!v)
		return refuse(c, "out of memory");
	for (size_t i = 0; i < n; i++) {
		json_t *value = json_array_get(values, i);
		v[i] = (float)json_number_value(value);
		if (!json_is_number(value) || !isfinite(v[i]))
			return refuse(c, "vector: value %zu is no number", i);
	}
	*in = imgsearch_vector(v, n);
	return true;
}

static bool json_held(search_call *c, const char *name, imgsearch_input *in)
{
	if (strlen(name) >= REQUEST_HELD || !*name || strspn(name, "0123456789abcdef") != strlen(name))
		return refuse(c, "held: not the name of a picture that is held");
	memcpy(c->held[in - c->input], name, strlen(name) + 1);
	*in = imgsearch_memory(NULL, 0);
	return true;
}

static bool json_part(search_call *c, const char *name, parts *p, imgsearch_input *in)
{
	for (int i = 0; p && i < p->n; i++)
		if (!strcmp(p->item[i].name, name)) {
			*in = imgsearch_memory(p->item[i].data, p->item[i].size);
			p->used[i] = true;
			return true;
		}
	return refuse(c, "part: the form has no part \"%.60s\"", name);
}

/* One of what an input can be, and nothing that it cannot have. */
static bool known_members(search_call *c, json_t *from)
{
	static const char *const names[] = { "id", "vector", "held", "part", "weight", "crop" };
	enum { SOURCES = 4, NAMES = sizeof names / sizeof *names };
	const char *name;
	json_t *value;
	size_t sources = 0;
	json_object_foreach(from, name, value) {
		size_t i = 0;
		while (i < NAMES && strcmp(name, names[i]))
			i++;
		if (i == NAMES)
			return refuse(c, "inputs: there is no member \"%.60s\"", name);
		sources += i < SOURCES;
	}
	return sources == 1 || refuse(c, "inputs: each needs one id, vector, held or part");
}

static bool json_input(search_call *c, json_t *from, parts *p)
{
	imgsearch_input *in = new_input(c);
	json_t *id = json_object_get(from, "id"), *vector = json_object_get(from, "vector"), *weight = json_object_get(from, "weight");
	json_t *held = json_object_get(from, "held"), *part = json_object_get(from, "part"), *crop = json_object_get(from, "crop");
	if (!in || !json_is_object(from))
		return refuse(c, "inputs: a list of objects is needed");
	if (!known_members(c, from))
		return false;
	if (json_is_integer(id) && json_integer_value(id) >= 0)
		*in = imgsearch_stored(json_integer_value(id));
	else if (json_is_array(vector) ? !json_vector(c, vector, in)
			: json_is_string(held) ? !json_held(c, json_string_value(held), in)
			: !json_is_string(part) || !json_part(c, json_string_value(part), p, in))
		return refuse(c, "inputs: id, vector, held or part has a value of the wrong kind");
	if (weight) {
		in->weight = (float)json_number_value(weight);
		if (!json_is_number(weight) || !isfinite(in->weight) || fabsf(in->weight) > 1e6f)
			return refuse(c, "weight: a number is needed");
	}
	for (size_t i = 0; crop && i < 4; i++) {
		json_t *value = json_array_get(crop, i);
		json_int_t v = json_integer_value(value);
		if (json_array_size(crop) != 4 || !json_is_integer(value) || v < 0 || v > INT32_MAX || (i >= 2 && v == 0))
			return refuse(c, "crop: [x, y, width, height] in pixels is needed");
		in->crop[i] = (int32_t)v;
	}
	return true;
}

static int by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static bool json_ids(search_call *c, json_t *list)
{
	size_t n = json_array_size(list);
	if (!json_is_array(list) || n > REQUEST_IDS)
		return refuse(c, "ids: a list of at most %d ids is needed", REQUEST_IDS);
	free(c->ids);
	c->ids = malloc((n + 1) * sizeof *c->ids);
	if (!c->ids)
		return refuse(c, "out of memory");
	for (size_t i = 0; i < n; i++) {
		json_t *id = json_array_get(list, i);
		c->ids[i] = json_integer_value(id);
		if (!json_is_integer(id))
			return refuse(c, "ids: value %zu is no id", i);
	}
	qsort(c->ids, n, sizeof *c->ids, by_id);
	c->options.n_ids = n;
	return true;
}

static bool json_member(search_call *c, const char *name, json_t *value, parts *p)
{
	char text[64];
	if (!strcmp(name, "inputs")) {
		for (size_t i = 0; i < json_array_size(value); i++)
			if (!json_input(c, json_array_get(value, i), p))
				return false;
		return json_is_array(value) || refuse(c, "inputs: a list is needed");
	}
	if (!strcmp(name, "ids"))
		return json_ids(c, value);
	if (json_is_string(value))
		return search_param(c, name, json_string_value(value));
	if (json_is_boolean(value))
		return search_param(c, name, json_is_true(value) ? "1" : "0");
	if (json_is_integer(value))
		snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		snprintf(text, sizeof text, "%.17g", json_real_value(value));
	else
		return refuse(c, "\"%.60s\" has a value of the wrong kind", name);
	return search_param(c, name, text);
}

static bool json_call(search_call *c, const char *body, size_t size, parts *p)
{
	json_error_t at;
	const char *name;
	json_t *value, *root = json_loadb(body, size, JSON_REJECT_DUPLICATES, &at);
	bool ok = json_is_object(root);
	if (!ok)
		refuse(c, root ? "JSON: an object is needed" : "JSON: line %d: %.160s", at.line, at.text);
	json_object_foreach(root, name, value)
		ok = ok && json_member(c, name, value, p);
	json_decref(root);
	return ok;
}

/* ---------------------------------------------------------------------------------------------------- body ---- */

static bool form_call(search_call *c, const char *content_type, const char *body, size_t size)
{
	parts *p = calloc(1, sizeof *p);
	bool ok = p != NULL;
	if (!ok)
		return refuse(c, "out of memory");
	p->n = form_parse(p->item, REQUEST_PARTS, content_type, body, size);
	if (p->n < 0)
		ok = refuse(c, "the form is malformed, or has more than %d parts", REQUEST_PARTS);
	for (int i = 0; i < p->n && ok; i++)
		if (!strcmp(p->item[i].name, "query")) {
			p->used[i] = true;
			ok = json_call(c, p->item[i].data, p->item[i].size, p);
		}
	for (int i = 0; i < p->n && ok; i++) {
		imgsearch_input *in = p->used[i] ? NULL : new_input(c);
		if (in)
			*in = imgsearch_memory(p->item[i].data, p->item[i].size);
		ok = ok && (in || p->used[i]);
	}
	free(p);
	return ok;
}

bool search_body(search_call *c, const char *content_type, const char *body, size_t size)
{
	if (!strncasecmp(content_type, "multipart/form-data", 19))
		return form_call(c, content_type, body, size);
	if (!strncasecmp(content_type, "application/json", 16))
		return json_call(c, body, size, NULL);
	if (!size)
		return true;
	imgsearch_input *in = new_input(c);
	if (!in)
		return false;
	*in = imgsearch_memory(body, size);
	memcpy(in->crop, c->crop, sizeof in->crop);
	memset(c->crop, 0, sizeof c->crop);
	return true;
}

bool search_ready(search_call *c)
{
	if (!c->n)
		return refuse(c, "nothing to search with: send a picture, or say id=N");
	if (c->crop[2])
		return refuse(c, "crop: goes with a picture that is the body; among inputs each has its own");
	c->options.under = c->under && *c->under ? c->under : NULL;
	c->options.ids = c->ids;
	return true;
}

/* --------------------------------------------------------------------------------------------- other calls ---- */

bool request_pair(const char *body, size_t size, int64_t *a, int64_t *b)
{
	json_t *root = json_loadb(body, size, 0, NULL);
	*a = json_integer_value(json_object_get(root, "a"));
	*b = json_integer_value(json_object_get(root, "b"));
	json_decref(root);
	return *a > 0 && *b > 0;
}

/* A path or pattern: a string, or {"hex": ...} where it is not UTF-8. */
static char *byte_text(json_t *value)
{
	const char *hex = json_string_value(json_object_get(value, "hex"));
	if (json_is_string(value))
		return strdup(json_string_value(value));
	size_t n = hex ? strlen(hex) / 2 : 0;
	char *out = n ? calloc(n + 1, 1) : NULL;
	for (size_t i = 0; out && i < n; i++) {
		unsigned v;
		if (sscanf(hex + 2 * i, "%2x", &v) != 1 || !v) {
			free(out);
			return NULL;
		}
		out[i] = (char)v;
	}
	return out;
}

static bool text_list(json_t *list, char ***out, size_t *n)
{
	size_t count = json_array_size(list);
	if (list && !json_is_array(list))
		return false;
	*out = calloc(count + 1, sizeof **out);
	for (*n = 0; *out && *n < count; ++*n)
		if (!((*out)[*n] = byte_text(json_array_get(list, *n))))
			return false;
	return *out != NULL;
}

static bool text_member(json_t *root, const char *name, char **out)
{
	json_t *value = json_object_get(root, name);
	return !value || json_is_null(value) || (*out = byte_text(value)) != NULL;
}

static bool flag_member(json_t *root, const char *name, bool *out)
{
	json_t *value = json_object_get(root, name);
	*out = json_is_true(value);
	return !value || json_is_boolean(value);
}

bool request_index(index_call *c, const char *body, size_t size)
{
	json_t *root = json_loadb(body, size, 0, NULL);
	memset(c, 0, sizeof *c);
	bool ok = json_is_object(root) && text_list(json_object_get(root, "paths"), &c->paths, &c->n_paths)
		&& text_list(json_object_get(root, "include"), &c->include, &c->n_include)
		&& text_list(json_object_get(root, "exclude"), &c->exclude, &c->n_exclude)
		&& text_member(root, "csv", &c->csv) && text_member(root, "csv_key", &c->csv_key) && text_member(root, "csv_title", &c->csv_title)
		&& flag_member(root, "follow_links", &c->follow_links) && flag_member(root, "prune", &c->prune) && flag_member(root, "retry", &c->retry);
	json_decref(root);
	return ok;
}

static void free_list(char **list, size_t n)
{
	for (size_t i = 0; list && i < n; i++)
		free(list[i]);
	free(list);
}

void index_call_free(index_call *c)
{
	free_list(c->paths, c->n_paths);
	free_list(c->include, c->n_include);
	free_list(c->exclude, c->n_exclude);
	free(c->csv);
	free(c->csv_key);
	free(c->csv_title);
}
