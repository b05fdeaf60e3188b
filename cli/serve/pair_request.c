/* Two ids as JSON. */
#include "cli/serve/pair_request.h"

#include <jansson.h>

bool pair_request_parse(const char *body, size_t size, int64_t *a, int64_t *b)
{
	json_t *root = json_loadb(body, size, 0, NULL);
	*a = json_integer_value(json_object_get(root, "a"));
	*b = json_integer_value(json_object_get(root, "b"));
	json_decref(root);
	return *a > 0 && *b > 0;
}
