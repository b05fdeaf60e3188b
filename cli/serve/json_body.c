#include "cli/serve/json_body.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct measure {
	size_t depth, deepest, values, containers;
} measure;

/* The end of a string that begins at `at`, or of the text. */
static size_t skip_string(const char *body, size_t at, size_t size)
{
	for (at++; at < size && body[at] != '"'; at++)
		at += body[at] == '\\';
	return at;
}

/* Of any text: what is no JSON is only measured roughly. */
static measure measure_text(const char *body, size_t size)
{
	measure m = { .values = 1 };
	for (size_t i = 0; i < size; i++)
		switch (body[i]) {
		case '"':
			i = skip_string(body, i, size);
			break;
		case '{':
		case '[':
			m.containers++;
			m.values++;
			m.deepest = ++m.depth > m.deepest ? m.depth : m.deepest;
			break;
		case '}':
		case ']':
			m.depth -= m.depth > 0;
			break;
		case ',':
			m.values++;
			break;
		default:
			break;
		}
	return m;
}

json_t *json_body_load(const char *body, size_t size, char *why, size_t room)
{
	json_error_t at;
	json_t *root = NULL;
	measure m = measure_text(body, size);
	if (size > JSON_BODY_BYTES)
		snprintf(why, room, "JSON: at most %d bytes", JSON_BODY_BYTES);
	else if (m.deepest > JSON_BODY_DEPTH)
		snprintf(why, room, "JSON: nested at most %d deep", JSON_BODY_DEPTH);
	else if (m.values > JSON_BODY_VALUES || m.containers > JSON_BODY_CONTAINERS)
		snprintf(why, room, "JSON: at most %d values, %d of them objects and lists",
			JSON_BODY_VALUES, JSON_BODY_CONTAINERS);
	else if (!(root = json_loadb(body, size, JSON_REJECT_DUPLICATES, &at)))
		snprintf(why, room, "JSON: line %d: %.160s", at.line, at.text);
	return root;
}
