/* Two ids as JSON. */
#include "cli/serve/pair_request.h"

#include "cli/serve/json_body.h"

#include <stdio.h>
#include <string.h>

bool pair_request_parse(const char *body, size_t size, int64_t *a, int64_t *b, char *why,
	size_t room)
{
	const char *name;
	json_t *value, *root = json_body_load(body, size, why, room);
	bool known = true;
	*a = json_integer_value(json_object_get(root, "a"));
	*b = json_integer_value(json_object_get(root, "b"));
	json_object_foreach(root, name, value) if (strcmp(name, "a") && strcmp(name, "b"))
	{
		known = false;
		snprintf(why, room, "there is no member \"%.60s\"", name);
	}
	if (root && known)
		snprintf(why, room, "two ids are needed: {\"a\": 1, \"b\": 2}");
	json_decref(root);
	return known && *a > 0 && *b > 0;
}
