/*
 * .safetensors: eight bytes of header length (little-endian), a JSON header with type, shape and
 * place of each array, the arrays. Source: github.com/huggingface/safetensors, "Format". Arrays
 * must neither overlap nor leave the file; gaps between them are allowed.
 */
#include "model/safetensors.h"

#include "model/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_HEADER = 16 << 20 };

static const struct {
	const char *name;
	uint32_t dtype;
} types[] = {
	{ "F32", SHIM_F32 },
	{ "F16", SHIM_F16 },
	{ "BF16", SHIM_BF16 },
	{ "I64", SHIM_I64 },
	{ "I8", SHIM_I8 },
};

typedef struct span {
	uint64_t begin, end;
} span;

/* A list of at most max integers up to 2^53. Returns their number; -1: it is something else. */
static int numbers(json *j, uint64_t *out, int max)
{
	int n = 0;
	if (!ims_json_begin(j, '['))
		return -1;
	for (; ims_json_more(j, ']', (size_t)n); n++) {
		double v;
		if (n == max || !ims_json_number(j, &v) || v < 0 || v > 9007199254740992.0 || v != floor(v))
			return -1;
		out[n] = (uint64_t)v;
	}
	return j->why ? -1 : n;
}

static uint32_t type_of(const char *name)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!strcmp(types[i].name, name))
			return types[i].dtype;
	return 0;
}

/* {"dtype": .., "shape": [..], "data_offsets": [b, e]}; false: malformed. */
static bool entry(json *j, tensor_view *v, char type[16], span *where)
{
	char key[32];
	uint64_t shape[SHIM_MAX_NDIM], place[2];
	int ndim = -1, ends = -1;
	if (!ims_json_begin(j, '{'))
		return false;
	for (size_t i = 0; ims_json_more(j, '}', i) && ims_json_key(j, key, sizeof key); i++) {
		if (!strcmp(key, "dtype"))
			ims_json_string(j, type, 16);
		else if (!strcmp(key, "shape")) {
			if ((ndim = numbers(j, shape, SHIM_MAX_NDIM)) < 0)
				return false;
		} else if (!strcmp(key, "data_offsets")) {
			if ((ends = numbers(j, place, 2)) < 0)
				return false;
		} else
			ims_json_skip(j);
	}
	if (j->why || ndim < 0 || ends != 2 || place[0] > place[1])
		return false;
	v->dtype = type_of(type);
	v->ndim = (uint32_t)ndim;
	for (int i = 0; i < ndim; i++)
		v->shape[i] = (int64_t)shape[i];
	*where = (span){ place[0], place[1] };
	return true;
}

static int by_begin(const void *a, const void *b)
{
	const span *x = a, *y = b;
	return x->begin != y->begin ? (x->begin < y->begin ? -1 : 1)
								: (x->end > y->end) - (x->end < y->end);
}

static int check_overlap(span *spans, size_t n, imgsearch_error *err)
{
	if (n)
		qsort(spans, n, sizeof *spans, by_begin);
	for (size_t i = 1; i < n; i++)
		if (spans[i].begin < spans[i - 1].end)
			return ims_fail(err, IMGSEARCH_EFORMAT, "safetensors: two tensors overlap");
	return 0;
}

static int one(weights *w, json *j, const char *name, const uint8_t *data, uint64_t size,
	buf *spans, imgsearch_error *err)
{
	tensor_view v = { .name = name, .name_len = strlen(name) };
	span where;
	char type[16] = "";
	uint64_t bytes = 1;
	if (!entry(j, &v, type, &where))
		return ims_fail(err, IMGSEARCH_EFORMAT,
			"safetensors: tensor \"%.120s\" has an invalid description%s%s", name,
			j->why ? ": " : "", j->why ? j->why : "");
	if (where.end > size)
		return ims_fail(err, IMGSEARCH_EFORMAT,
			"safetensors: tensor \"%.120s\" lies outside the file", name);
	if (!v.dtype)
		return ims_fail(err, IMGSEARCH_EFORMAT,
			"safetensors: tensor \"%.120s\" has type \"%s\"; F32, F16, BF16, I64 and I8 are read",
			name, type);
	for (uint32_t i = 0; i < v.ndim; i++)
		if (__builtin_mul_overflow(bytes, (uint64_t)v.shape[i], &bytes))
			bytes = UINT64_MAX / 16;
	if (bytes > UINT64_MAX / 16 || bytes * ims_dtype_size(v.dtype) != where.end - where.begin)
		return ims_fail(err, IMGSEARCH_EFORMAT,
			"safetensors: the size of tensor \"%.120s\" does not fit its shape", name);
	v.storage = data + where.begin;
	v.storage_bytes = where.end - where.begin;
	ims_buf_put(spans, &where, sizeof where);
	return ims_weights_add(w, &v, err);
}

int ims_safetensors_parse(weights *w, const uint8_t *data, size_t size, imgsearch_error *err)
{
	reader head = { data, size, 0, false };
	uint64_t n = ims_read_u64(&head);
	char name[256];
	buf spans = { 0 };
	int rc = 0;
	if (head.failed || n > size - 8)
		return ims_fail(err, IMGSEARCH_EFORMAT, "safetensors: the header is cut off");
	if (n > MAX_HEADER)
		return ims_fail(err, IMGSEARCH_ELIMIT, "safetensors: the header is larger than %d MiB",
			MAX_HEADER >> 20);
	json j = ims_json(data + 8, (size_t)n);
	if (ims_json_begin(&j, '{')) {
		for (size_t i = 0; !rc && ims_json_more(&j, '}', i) && ims_json_key(&j, name, sizeof name);
			 i++)
			if (!strcmp(name, "__metadata__"))
				ims_json_skip(&j);
			else
				rc = one(w, &j, name, data + 8 + n, size - 8 - n, &spans, err);
	}
	if (!rc && !ims_json_done(&j))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "safetensors: the header is no JSON: %s", j.why);
	if (!rc && spans.failed)
		rc = ims_nomem(err);
	if (!rc)
		rc = check_overlap((span *)(void *)spans.data, spans.len / sizeof(span), err);
	ims_buf_free(&spans);
	return rc;
}

/* --------------------------------------------------------------------------------- writing ---- */

static void put_header(buf *out, const shim_tensor *tensor, size_t n)
{
	uint64_t at = 0;
	ims_buf_u64(out, 0);
	ims_buf_text(out, "{");
	for (size_t i = 0; i < n; i++) {
		const shim_tensor *t = &tensor[i];
		const char *type = "";
		for (size_t k = 0; k < sizeof types / sizeof *types; k++)
			if (types[k].dtype == t->dtype)
				type = types[k].name;
		ims_buf_text(out, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", i ? "," : "", t->name, type);
		for (uint32_t d = 0; d < t->ndim; d++)
			ims_buf_text(out, "%s%lld", d ? "," : "", (long long)t->shape[d]);
		ims_buf_text(out, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)at,
			(unsigned long long)(at + ims_tensor_bytes(t)));
		at += ims_tensor_bytes(t);
	}
	ims_buf_text(out, "}");
	while (!out->failed && out->len % 64)
		ims_buf_u8(out, ' ');
	uint64_t length = out->len - 8;
	for (int i = 0; !out->failed && i < 8; i++)
		out->data[i] = (uint8_t)(length >> 8 * i);
}

int ims_safetensors_write(const char *path, const shim_tensor *tensor, size_t n,
	imgsearch_error *err)
{
	buf header = { 0 };
	file_piece *piece = ims_alloc(n + 1, sizeof *piece);
	put_header(&header, tensor, n);
	int rc = piece && !header.failed ? 0 : ims_nomem(err);
	if (!rc) {
		piece[0] = (file_piece){ header.data, header.len };
		for (size_t i = 0; i < n; i++)
			piece[i + 1] = (file_piece){ tensor[i].data, ims_tensor_bytes(&tensor[i]) };
		rc = ims_replace_file(path, piece, n + 1, err);
	}
	ims_buf_free(&header);
	ims_free(piece);
	return rc;
}
