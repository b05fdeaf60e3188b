/* From JSON to an index_request. */
#include "cli/serve/index_request.h"

#include "cli/base/list.h"
#include "cli/serve/json_body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of a hexadecimal digit; -1: it is none. */
static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

static char *hex_text(const char *hex)
{
	size_t n = strlen(hex) / 2;
	char *out = n && 2 * n == strlen(hex) ? calloc(n + 1, 1) : NULL;
	for (size_t i = 0; out && i < n; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
		if (high < 0 || low < 0 || high + low == 0) {
			free(out);
			return NULL;
		}
		out[i] = (char)(16 * high + low);
	}
	return out;
}

/* A path or pattern: a string, or {"hex": ...} where it is not UTF-8. */
static char *byte_text(json_t *value)
{
	const char *hex = json_string_value(json_object_get(value, "hex"));
	if (json_is_string(value))
		return strdup(json_string_value(value));
	return hex && json_object_size(value) == 1 ? hex_text(hex) : NULL;
}

typedef enum member_kind { FLAG, TEXT, LIST } member_kind;

static const struct member {
	const char *name;
	member_kind kind;
	size_t offset, count; /* of its value; of the length of a list */
} members[] = {
#define AT(member) offsetof(index_request, member)
	{ "paths", LIST, AT(paths), AT(n_paths) },
	{ "include", LIST, AT(include), AT(n_include) },
	{ "exclude", LIST, AT(exclude), AT(n_exclude) },
	{ "csv", TEXT, AT(csv), 0 },
	{ "csv_key", TEXT, AT(csv_key), 0 },
	{ "csv_title", TEXT, AT(csv_title), 0 },
	{ "formats", TEXT, AT(formats), 0 },
	{ "add_model", TEXT, AT(add_model), 0 },
	{ "follow_links", FLAG, AT(follow_links), 0 },
	{ "no_follow_links", FLAG, AT(no_follow_links), 0 },
	{ "prune", FLAG, AT(prune), 0 },
	{ "retry", FLAG, AT(retry), 0 },
	{ "reread", FLAG, AT(reread), 0 },
	{ "partial", FLAG, AT(partial), 0 },
	{ "no_default_excludes", FLAG, AT(no_default_excludes), 0 },
	{ "no_exclude", FLAG, AT(no_exclude), 0 },
	{ "no_include", FLAG, AT(no_include), 0 },
	{ "regions", FLAG, AT(regions), 0 },
	{ "no_regions", FLAG, AT(no_regions), 0 },
#undef AT
};

static bool read_list(json_t *list, char ***out, size_t *n)
{
	size_t count = json_array_size(list);
	*out = json_is_array(list) ? calloc(count + 1, sizeof **out) : NULL;
	for (*n = 0; *out && *n < count; ++*n)
		if (!((*out)[*n] = byte_text(json_array_get(list, *n))))
			return false;
	return *out != NULL;
}

static bool read_member(index_request *q, const struct member *m, json_t *value)
{
	void *to = (char *)q + m->offset;
	switch (m->kind) {
	case LIST:
		return read_list(value, to, (size_t *)(void *)((char *)q + m->count));
	case TEXT:
		return json_is_null(value) || (*(char **)to = byte_text(value));
	default:
		*(bool *)to = json_is_true(value);
		return json_is_boolean(value);
	}
}

static bool set_member(index_request *q, const char *name, json_t *value)
{
	static const char *const needed[] = { "true or false is", "a text is", "a list of texts is" };
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		if (strcmp(name, members[i].name))
			continue;
		if (read_member(q, &members[i], value))
			return true;
		snprintf(q->why, sizeof q->why, "%s: %s needed", name, needed[members[i].kind]);
		return false;
	}
	snprintf(q->why, sizeof q->why, "there is no member \"%.60s\"", name);
	return false;
}

/* The lists are never NULL. */
static bool make_lists(index_request *q)
{
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		char ***to = (char ***)(void *)((char *)q + members[i].offset);
		if (members[i].kind == LIST && !*to && !(*to = calloc(1, sizeof **to)))
			return false;
	}
	return true;
}

bool index_request_parse(index_request *q, const char *body, size_t size)
{
	const char *name;
	memset(q, 0, sizeof *q);
	json_t *value, *root = json_body_load(body, size, q->why, sizeof q->why);
	bool ok = json_is_object(root);
	if (root && !ok)
		snprintf(q->why, sizeof q->why, "JSON: an object is needed");
	json_object_foreach(root, name, value) ok = ok && set_member(q, name, value);
	json_decref(root);
	if (ok && !(ok = make_lists(q)))
		snprintf(q->why, sizeof q->why, "out of memory");
	return ok;
}

void index_request_free(index_request *q)
{
	text_list_free(q->paths, q->n_paths);
	text_list_free(q->include, q->n_include);
	text_list_free(q->exclude, q->n_exclude);
	free(q->csv);
	free(q->csv_key);
	free(q->csv_title);
	free(q->formats);
	free(q->add_model);
}
