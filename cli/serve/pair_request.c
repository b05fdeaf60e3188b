/* Two ids as JSON. */
#include "cli/serve/pair_request.h"

#include "cli/serve/json_body.h"

bool pair_request_parse(const char *body, size_t size, int64_t *a, int64_t *b)
{
	char why[200];
	json_t *root = json_body_load(body, size, why, sizeof why);
	*a = json_integer_value(json_object_get(root, "a"));
	*b = json_integer_value(json_object_get(root, "b"));
	json_decref(root);
	return *a > 0 && *b > 0;
}
