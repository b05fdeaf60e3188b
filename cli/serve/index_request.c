/* From JSON to an index_request. */
#include "cli/serve/index_request.h"

#include "cli/base/list.h"
#include "cli/serve/json_body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

bool index_request_parse(index_request *q, const char *body, size_t size)
{
	char why[200];
	json_t *root = json_body_load(body, size, why, sizeof why);
	memset(q, 0, sizeof *q);
	bool ok = json_is_object(root)
		&& text_list(json_object_get(root, "paths"), &q->paths, &q->n_paths)
		&& text_list(json_object_get(root, "include"), &q->include, &q->n_include)
		&& text_list(json_object_get(root, "exclude"), &q->exclude, &q->n_exclude)
		&& text_member(root, "csv", &q->csv) && text_member(root, "csv_key", &q->csv_key)
		&& text_member(root, "csv_title", &q->csv_title)
		&& text_member(root, "formats", &q->formats)
		&& text_member(root, "add_model", &q->add_model)
		&& flag_member(root, "follow_links", &q->follow_links)
		&& flag_member(root, "no_follow_links", &q->no_follow_links)
		&& flag_member(root, "prune", &q->prune) && flag_member(root, "retry", &q->retry)
		&& flag_member(root, "reread", &q->reread) && flag_member(root, "partial", &q->partial)
		&& flag_member(root, "no_default_excludes", &q->no_default_excludes)
		&& flag_member(root, "regions", &q->regions)
		&& flag_member(root, "no_regions", &q->no_regions)
		&& flag_member(root, "no_exclude", &q->no_exclude)
		&& flag_member(root, "no_include", &q->no_include);
	json_decref(root);
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
