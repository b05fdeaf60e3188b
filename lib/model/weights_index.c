/* The format: {"metadata": {...}, "weight_map": {"TENSOR": "FILE", ...}}. */
#include "model/weights_index.h"

#include "base/path.h"
#include "model/foreign.h"
#include "model/json.h"
#include "model/weights.h"

#include <stdlib.h>
#include <string.h>

static const char file_ending[] = ".safetensors", index_ending[] = ".safetensors.index.json";

static bool ends_in(const char *text, const char *ending)
{
	size_t n = strlen(text), m = strlen(ending);
	return n > m && !strcmp(text + n - m, ending);
}

bool ims_weights_index_named(const char *path)
{
	return ends_in(path, index_ending);
}

size_t ims_weights_index_stem(const char *path)
{
	return ims_weights_index_named(path) ? strlen(path) - strlen(index_ending)
										 : ims_path_stem(path);
}

char *ims_weights_index_path(const weights_index *x, const char *index, size_t shard)
{
	return ims_format("%.*s%s", (int)(ims_path_name(index) - index), index, x->shard[shard]);
}

void ims_weights_index_free(weights_index *x)
{
	for (size_t i = 0; i < x->n; i++)
		ims_free(x->entry[i].tensor);
	for (size_t i = 0; i < x->n_shards; i++)
		ims_free(x->shard[i]);
	ims_free(x->entry);
	ims_free(x->shard);
	*x = (weights_index){ 0 };
}

/* --------------------------------------------------------------------------------- reading ---- */

/* The number of the shard of that name, which is added where it is new. */
static int shard_number(weights_index *x, const char *name, size_t *out, imgsearch_error *err)
{
	/* Tensors of one shard mostly follow each other. */
	for (size_t i = x->n_shards; i-- > 0;)
		if (!strcmp(x->shard[i], name)) {
			*out = i;
			return 0;
		}
	if (x->n_shards == WEIGHTS_INDEX_MAX_FILES)
		return ims_fail(err, IMGSEARCH_ELIMIT, "more than %d shards", WEIGHTS_INDEX_MAX_FILES);
	if (!x->shard && !(x->shard = ims_alloc(WEIGHTS_INDEX_MAX_FILES, sizeof *x->shard)))
		return ims_nomem(err);
	char *copy = ims_strdup(name);
	if (!copy)
		return ims_nomem(err);
	*out = x->n_shards;
	x->shard[x->n_shards++] = copy;
	return 0;
}

static int add(weights_index *x, size_t *cap, const char *tensor, const char *file,
	imgsearch_error *err)
{
	if (x->n == WEIGHTS_MAX_TENSORS)
		return ims_fail(err, IMGSEARCH_ELIMIT, "more than %d tensors", WEIGHTS_MAX_TENSORS);
	if (strchr(file, '/') || *file == '.' || !ends_in(file, file_ending))
		return ims_fail(err, IMGSEARCH_EFORMAT,
			"tensor \"%.120s\" is in \"%.120s\", which is no name of a .safetensors file beside "
			"the index",
			tensor, file);
	if (x->n == *cap) {
		size_t more = *cap ? *cap * 2 : 256;
		weights_index_entry *grown = ims_realloc(x->entry, more, sizeof *grown);
		if (!grown)
			return ims_nomem(err);
		x->entry = grown;
		*cap = more;
	}
	weights_index_entry e = { .found = false };
	int rc = shard_number(x, file, &e.shard, err);
	if (!rc && !(e.tensor = ims_strdup(tensor)))
		rc = ims_nomem(err);
	if (!rc)
		x->entry[x->n++] = e;
	return rc;
}

/* The value of "weight_map". What is wrong with the text stays in j->why. */
static int read_map(weights_index *x, json *j, imgsearch_error *err)
{
	char tensor[256], file[256];
	size_t cap = x->n;
	int rc = 0;
	if (ims_json_begin(j, '{'))
		for (size_t i = 0; !rc && ims_json_more(j, '}', i); i++)
			if (ims_json_key(j, tensor, sizeof tensor))
				rc = ims_json_string(j, file, sizeof file)
					? add(x, &cap, tensor, file, err)
					: ims_fail(err, IMGSEARCH_EFORMAT, "the file of tensor \"%.120s\": %s", tensor,
						j->why);
	return rc;
}

static int by_tensor(const void *a, const void *b)
{
	return strcmp(((const weights_index_entry *)a)->tensor,
		((const weights_index_entry *)b)->tensor);
}

/* Sorts the entries, and finds those that are there twice. */
static int sort(weights_index *x, imgsearch_error *err)
{
	qsort(x->entry, x->n, sizeof *x->entry, by_tensor);
	for (size_t i = 1; i < x->n; i++)
		if (!by_tensor(&x->entry[i - 1], &x->entry[i]))
			return ims_fail(err, IMGSEARCH_EFORMAT, "tensor \"%.120s\" is listed twice",
				x->entry[i].tensor);
	return 0;
}

int ims_weights_index_parse(weights_index *out, const void *text, size_t n, imgsearch_error *err)
{
	json j = ims_json(text, n);
	char key[64];
	bool found = false;
	int rc = 0;
	*out = (weights_index){ 0 };
	if (ims_json_peek(&j) != '{')
		return ims_foreign_refuse(text, n, err);
	if (ims_json_begin(&j, '{'))
		for (size_t i = 0; !rc && ims_json_more(&j, '}', i) && ims_json_key(&j, key, sizeof key);
			 i++) {
			bool map = !found && !strcmp(key, "weight_map");
			found = found || map;
			if (map)
				rc = read_map(out, &j, err);
			else
				ims_json_skip(&j);
		}
	if (!rc && !ims_json_done(&j))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "no index of shards: %s", j.why);
	if (!rc && !out->n)
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "no index of shards: \"weight_map\" is %s",
			found ? "empty" : "missing");
	return rc ? rc : sort(out, err);
}

/* --------------------------------------------------------------------------------- tensors ---- */

int ims_weights_index_check(weights_index *x, const char *tensor, size_t shard,
	imgsearch_error *err)
{
	const weights_index_entry want = { .tensor = (char *)(uintptr_t)tensor };
	weights_index_entry *e = bsearch(&want, x->entry, x->n, sizeof *x->entry, by_tensor);
	if (!e)
		return ims_fail(err, IMGSEARCH_EFORMAT, "tensor \"%.120s\" is not in the index", tensor);
	if (e->shard != shard)
		return ims_fail(err, IMGSEARCH_EFORMAT,
			"tensor \"%.120s\" is in this file, by the index in %s", tensor, x->shard[e->shard]);
	if (e->found)
		return ims_fail(err, IMGSEARCH_EFORMAT, "tensor \"%.120s\" is there twice", tensor);
	e->found = true;
	return 0;
}

int ims_weights_index_complete(const weights_index *x, imgsearch_error *err)
{
	for (size_t i = 0; i < x->n; i++)
		if (!x->entry[i].found)
			return ims_fail(err, IMGSEARCH_EFORMAT,
				"tensor \"%.120s\" is not in %s, where the index has it", x->entry[i].tensor,
				x->shard[x->entry[i].shard]);
	return 0;
}
