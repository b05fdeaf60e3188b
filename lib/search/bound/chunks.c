/* Arrays cut into chunks. */
#include "search/bound/chunks.h"

enum { CHUNK = 1 << 20 };

size_t ims_chunks_count(size_t size)
{
	return (size + CHUNK - 1) / CHUNK;
}

int ims_chunks_put(const chunk_sink *sink, uint32_t *number, const void *data, size_t size,
	imgsearch_error *err)
{
	const uint8_t *bytes = data;
	int rc = 0;
	for (size_t at = 0; !rc && at < size; at += CHUNK) {
		size_t part = size - at < CHUNK ? size - at : CHUNK;
		rc = sink->put(sink->ctx, (*number)++, bytes + at, part, err);
	}
	return rc;
}

int ims_chunks_get(const chunk_source *source, uint32_t *number, void *data, size_t size,
	imgsearch_error *err)
{
	int rc = 0;
	for (size_t at = 0; !rc && at < size; at += CHUNK) {
		size_t part = size - at < CHUNK ? size - at : CHUNK;
		buf b = { .data = (uint8_t *)data + at, .cap = part, .fixed = true };
		rc = source->get(source->ctx, (*number)++, &b, err);
		if (b.failed || (!rc && b.len != part))
			rc = ims_fail(err, IMGSEARCH_EFORMAT,
				"chunk %u has not the %zu bytes that belong there", *number - 1, part);
	}
	return rc;
}
