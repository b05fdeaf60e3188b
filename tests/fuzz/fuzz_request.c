/*
 * The server's request parser. The first byte chooses what comes: a parameter (NAME NUL VALUE), a
 * raw body, JSON, a form with the boundary XX, the JSON of an index run, a pair of ids, or a form
 * whose Content-Type is fuzzed as well (up to the first NUL). What is accepted is read to its last
 * byte.
 */
#include "cli/serve/index_request.h"
#include "cli/serve/pair_request.h"
#include "cli/serve/search_request.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const search_request *c)
{
	volatile unsigned sum = 0;
	for (size_t i = 0; i < c->n; i++)
		if (c->input[i].data && c->input[i].kind == IMGSEARCH_INPUT_KIND_BYTES)
			for (size_t at = 0; at < c->input[i].size; at++)
				sum += ((const uint8_t *)c->input[i].data)[at];
	const imgsearch_filter *filter = c->options.filter;
	for (size_t i = 0; filter && i < filter->n_ids; i++)
		sum += (unsigned)filter->ids[i];
}

static void fuzz_body(const char *type, const char *body, size_t size)
{
	search_request *c = malloc(sizeof *c);
	if (!c)
		return;
	search_request_init(c);
	if (search_request_body(c, type, body, size) && search_request_check(c))
		read_all(c);
	search_request_free(c);
	free(c);
}

static void fuzz_param(const char *text, size_t size)
{
	search_request *c = malloc(sizeof *c);
	char *copy = strndup(text, size);
	size_t name = copy ? strlen(copy) : 0;
	char *value = name < size ? strndup(text + name + 1, size - name - 1) : NULL;
	if (c && copy) {
		search_request_init(c);
		search_request_param(c, copy, value);
		search_request_free(c);
	}
	free(copy);
	free(value);
	free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = { "", "application/json",
		"multipart/form-data; boundary=XX" };
	const char *body = (const char *)data + 1;
	int64_t a, b;
	char why[100];
	index_request call;
	if (!size--)
		return 0;
	switch (data[0] % 7) {
	case 0:
	case 1:
	case 2:
		fuzz_body(types[data[0] % 7], body, size);
		break;
	case 3:
		fuzz_param(body, size);
		break;
	case 4:
		index_request_parse(&call, body, size);
		index_request_free(&call);
		break;
	case 5:
		pair_request_parse(body, size, &a, &b, why, sizeof why);
		break;
	default: {
		char *type = strndup(body, size < 200 ? size : 200);
		size_t used = type ? strlen(type) : 0;
		if (type)
			fuzz_body(type, body + (used < size ? used + 1 : size),
				size - (used < size ? used + 1 : size));
		free(type);
	}
	}
	return 0;
}
