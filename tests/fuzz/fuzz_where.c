/* A condition, parsed and tested; behind a NUL come the values of its columns, each behind one. */
#include "where/where.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *values[64];
	where *w;
	char *text = ims_strndup((const char *)data, size), *rest = ims_alloc(size + 1, 1);
	imgsearch_error err;
	memcpy(rest, data, size);
	rest[size] = 0;
	if (!ims_where_parse(&w, text, &err)) {
		size_t n = ims_where_columns(w);
		const char *at = rest, *end = rest + size;
		for (size_t i = 0; i < n && i < 64; i++) {
			at = memchr(at, 0, (size_t)(end - at));
			values[i] = at && at < end ? ++at : NULL;
			at = at ? at : end;
			if (ims_where_find(w, ims_where_column(w, i)) != (int)i)
				__builtin_trap();
		}
		if (n <= 64)
			ims_where_test(w, values);
		ims_where_free(w);
	} else if (err.code != IMGSEARCH_EINVAL || !*err.message) {
		__builtin_trap();
	}
	ims_free(rest);
	ims_free(text);
	return 0;
}
