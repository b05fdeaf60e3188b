/*
 * Weights files: mapping, telling the formats apart, and ims_weights_add, which checks every array
 * of every format. A file is mapped and not read: a page is touched once, when the network copies
 * it.
 */
#include "model/weights.h"

#include "model/foreign.h"
#include "model/hashed.h"
#include "model/safetensors.h"
#include "model/torch.h"
#include "model/weights_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct mapping {
	void *data;
	size_t size;
} mapping;

typedef struct weights_owner {
	mapping *map; /* n_maps, one for each file */
	size_t n_maps, cap, n_owned, owned_cap;
	uint64_t copied, copy_limit; /* bytes of copies; the limit is the size of the file */
	void **owned;                /* names and copies */
} weights_owner;

size_t ims_dtype_size(uint32_t dtype)
{
	static const uint8_t
		size[] = { [SHIM_F32] = 4, [SHIM_F16] = 2, [SHIM_BF16] = 2, [SHIM_I64] = 8, [SHIM_I8] = 1 };
	return dtype < sizeof size ? size[dtype] : 0;
}

size_t ims_tensor_bytes(const shim_tensor *t)
{
	size_t n = ims_dtype_size(t->dtype);
	for (uint32_t i = 0; i < t->ndim; i++)
		n *= (size_t)t->shape[i];
	return n;
}

/* ------------------------------------------------------------------------------- ownership ---- */

/* Makes w the owner of p. NULL: p was NULL, or memory is short and p is freed. */
static void *adopt(weights *w, void *p)
{
	weights_owner *o = w->owner;
	if (p && o->n_owned == o->owned_cap) {
		size_t cap = o->owned_cap ? o->owned_cap * 2 : 256;
		void **grown = ims_realloc(o->owned, cap, sizeof *grown);
		if (!grown) {
			ims_free(p);
			return NULL;
		}
		o->owned = grown;
		o->owned_cap = cap;
	}
	if (p)
		o->owned[o->n_owned++] = p;
	return p;
}

void ims_weights_free(weights *w)
{
	if (!w || !w->owner)
		return;
	for (size_t i = 0; i < w->owner->n_owned; i++)
		ims_free(w->owner->owned[i]);
	for (size_t i = 0; i < w->owner->n_maps; i++)
		munmap(w->owner->map[i].data, w->owner->map[i].size);
	ims_free(w->owner->map);
	ims_free(w->owner->owned);
	ims_free(w->owner);
	ims_free(w->tensor);
	*w = (weights){ 0 };
}

/* ---------------------------------------------------------------------------------- checks ---- */

/*
 * The number of elements, and the place of the last one relative to the first. False: impossible.
 */
static bool extent(const tensor_view *v, uint64_t *numel, uint64_t *last)
{
	*numel = 1, *last = 0;
	for (uint32_t i = v->ndim; i-- > 0;) {
		if (v->shape[i] < 0 || (v->strided && v->stride[i] < 0))
			return false;
		uint64_t n = (uint64_t)v->shape[i], step,
				 stride = v->strided ? (uint64_t)v->stride[i] : *numel;
		if (n
			&& (__builtin_mul_overflow(n - 1, stride, &step)
				|| __builtin_add_overflow(*last, step, last)))
			return false;
		if (__builtin_mul_overflow(*numel, n, numel) || *numel > INT64_MAX / 16)
			return false;
	}
	return true;
}

static bool row_major(const tensor_view *v)
{
	int64_t step = 1;
	for (uint32_t i = v->ndim; v->strided && i-- > 0; step *= v->shape[i])
		if (v->shape[i] != 1 && v->stride[i] != step)
			return false;
	return true;
}

/* Copies element by element into row-major order, counting an index over the shape. */
static void gather(uint8_t *out, const tensor_view *v, const uint8_t *from, uint64_t numel,
	size_t item)
{
	int64_t at[SHIM_MAX_NDIM] = { 0 };
	for (uint64_t k = 0; k < numel; k++, out += item) {
		int64_t place = 0;
		for (uint32_t i = 0; i < v->ndim; i++)
			place += at[i] * v->stride[i];
		memcpy(out, from + (size_t)place * item, item);
		for (uint32_t i = v->ndim; i-- > 0 && ++at[i] == v->shape[i];)
			at[i] = 0;
	}
}

static int refuse(imgsearch_error *err, const tensor_view *v, const char *why)
{
	return ims_fail(err, IMGSEARCH_EFORMAT, "tensor \"%.*s\" %s",
		(int)(v->name_len > 120 ? 120 : v->name_len), v->name, why);
}

/* The data in place, or a copy that w owns. */
static int locate_data(weights *w, const tensor_view *v, const void **data, imgsearch_error *err)
{
	uint64_t numel, last;
	size_t item = ims_dtype_size(v->dtype);
	if (!item)
		return refuse(err, v, "has another type than f32, f16, bf16, i64 and i8");
	if (v->ndim > SHIM_MAX_NDIM)
		return refuse(err, v, "has too many dimensions");
	if (!extent(v, &numel, &last))
		return refuse(err, v, "has an impossible shape");
	uint64_t count = v->storage_bytes / item;
	if (v->offset < 0 || (numel && (last >= count || (uint64_t)v->offset >= count - last))
		|| numel > count)
		return refuse(err, v, "lies outside its data");
	const uint8_t *from = numel ? v->storage + (size_t)v->offset * item : NULL;
	*data = from;
	if (!numel || (row_major(v) && (uintptr_t)from % item == 0))
		return 0;
	w->owner->copied += numel * item;
	if (w->owner->copied > w->owner->copy_limit)
		return ims_fail(err, IMGSEARCH_ELIMIT,
			"overlapping tensors would need more memory than the file");
	uint8_t *copy = adopt(w, ims_alloc_aligned((size_t)numel, item));
	if (!copy)
		return ims_nomem(err);
	if (row_major(v))
		memcpy(copy, from, (size_t)numel * item);
	else
		gather(copy, v, from, numel, item);
	*data = copy;
	return 0;
}

int ims_weights_add(weights *w, const tensor_view *v, imgsearch_error *err)
{
	const void *data = NULL;
	if (w->n == WEIGHTS_MAX_TENSORS)
		return ims_fail(err, IMGSEARCH_ELIMIT, "more than %d tensors", WEIGHTS_MAX_TENSORS);
	if (v->name_len > 255 || memchr(v->name, 0, v->name_len))
		return ims_fail(err, IMGSEARCH_EFORMAT, "a tensor's name is too long or has a zero byte");
	int rc = locate_data(w, v, &data, err);
	if (rc)
		return rc;
	if (w->n == w->owner->cap) {
		size_t cap = w->owner->cap ? w->owner->cap * 2 : 256;
		shim_tensor *grown = ims_realloc(w->tensor, cap, sizeof *grown);
		if (!grown)
			return ims_nomem(err);
		w->tensor = grown;
		w->owner->cap = cap;
	}
	char *name = adopt(w, ims_strndup(v->name, v->name_len));
	if (!name)
		return ims_nomem(err);
	shim_tensor *t = &w->tensor[w->n++];
	*t = (shim_tensor){ name, data, v->dtype, v->ndim, { 0 } };
	memcpy(t->shape, v->shape, v->ndim * sizeof *t->shape);
	return 0;
}

/* ----------------------------------------------------------------------------------- files ---- */

/* An owner with room for the mappings of n files. */
static int make_owner(weights *out, size_t n, imgsearch_error *err)
{
	*out = (weights){ .owner = ims_zalloc(1, sizeof *out->owner) };
	mapping *map = out->owner ? ims_zalloc(n, sizeof *map) : NULL;
	if (!map) {
		ims_free(out->owner);
		*out = (weights){ 0 };
		return ims_nomem(err);
	}
	out->owner->map = map;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* No tensor is there twice. */
static int check_names(const weights *w, imgsearch_error *err)
{
	int rc = 0;
	const char **name = ims_alloc(w->n + 1, sizeof *name);
	if (!name)
		return ims_nomem(err);
	for (size_t i = 0; i < w->n; i++)
		name[i] = w->tensor[i].name;
	qsort(name, w->n, sizeof *name, by_name);
	for (size_t i = 1; !rc && i < w->n; i++)
		if (!strcmp(name[i - 1], name[i]))
			rc = ims_fail(err, IMGSEARCH_EFORMAT, "tensor \"%.120s\" is there twice", name[i]);
	ims_free(name);
	return rc;
}

static int parse_safetensors(weights *w, const uint8_t *p, size_t size, imgsearch_error *err)
{
	bool is = size >= 10 && p[8] == '{'; /* 8 bytes of length, then JSON */
	return is ? ims_safetensors_parse(w, p, size, err) : ims_foreign_refuse(p, size, err);
}

/* Reads a file that lies in memory. Frees *w, which has an owner, on failure. */
static int parse(weights *w, const uint8_t *p, size_t size, imgsearch_error *err)
{
	int rc;
	w->owner->copy_limit = size;
	if (size >= 4 && !memcmp(p, "PK\3\4", 4)) /* zip */
		rc = ims_torch_zip_parse(w, p, size, err);
	else if (size >= 2 && p[0] == 0x80 && p[1] >= 2 && p[1] <= 5) /* pickle protocol 2 to 5 */
		rc = ims_torch_legacy_parse(w, p, size, err);
	else
		rc = parse_safetensors(w, p, size, err);
	if (!rc)
		rc = check_names(w, err);
	if (rc)
		ims_weights_free(w);
	return rc;
}

int ims_weights_parse(weights *out, const void *data, size_t size, imgsearch_error *err)
{
	int rc = make_owner(out, 1, err);
	return rc ? rc : parse(out, data, size, err);
}

/* Maps the whole of an open file. */
static int map_fd(mapping *out, int fd, const char *path, imgsearch_error *err)
{
	struct stat st;
	if (fstat(fd, &st))
		return ims_fail_errno(err, IMGSEARCH_EIO, "%s", path);
	if (!S_ISREG(st.st_mode))
		return ims_fail(err, IMGSEARCH_EIO, "%s: not a regular file", path);
	if (!st.st_size)
		return ims_fail(err, IMGSEARCH_EFORMAT, "%s: the file is empty", path);
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return errno == ENOMEM ? ims_nomem(err) : ims_fail_errno(err, IMGSEARCH_EIO, "%s", path);
	*out = (mapping){ p, (size_t)st.st_size };
	return 0;
}

/* On failure *out is all zero. */
static int map_file(mapping *out, const char *path, imgsearch_error *err)
{
	*out = (mapping){ 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return ims_fail_errno(err, errno == ENOENT ? IMGSEARCH_ENOTFOUND : IMGSEARCH_EIO, "%s",
			path);
	int rc = map_fd(out, fd, path, err);
	close(fd);
	return rc;
}

/* Maps a file that w owns from then on. */
static int own_file(weights *w, mapping *out, const char *path, imgsearch_error *err)
{
	int rc = map_file(out, path, err);
	if (!rc)
		w->owner->map[w->owner->n_maps++] = *out;
	return rc;
}

static int open_file(weights *out, const char *path, imgsearch_error *err)
{
	mapping m;
	int rc = make_owner(out, 1, err);
	if (rc)
		return rc;
	rc = own_file(out, &m, path, err);
	if (rc) {
		ims_weights_free(out);
		return rc;
	}
	rc = parse(out, m.data, m.size, err);
	if (rc)
		ims_error_prefix(err, "%s", path);
	return rc;
}

const char *const ims_weights_endings[] = { ".safetensors", ".pth", ".pt",
	".safetensors.index.json", NULL };

const char *ims_weights_ending(const char *path)
{
	return path + ims_weights_index_stem(path);
}

/* ---------------------------------------------------------------------------------- shards ---- */

static int read_index(weights_index *out, buf *text, const char *path, imgsearch_error *err)
{
	*out = (weights_index){ 0 };
	int rc = ims_read_file(text, path, WEIGHTS_INDEX_MAX_SIZE, err);
	if (!rc && (rc = ims_weights_index_parse(out, text->data, text->len, err)))
		ims_error_prefix(err, "%s", path);
	return rc;
}

/* Any tensor that the index has in the shard. */
static const char *tensor_in(const weights_index *x, size_t shard)
{
	size_t i = 0;
	while (x->entry[i].shard != shard)
		i++;
	return x->entry[i].tensor;
}

static int add_shard(weights *w, weights_index *x, size_t shard, const char *path,
	imgsearch_error *err)
{
	mapping m;
	size_t before = w->n;
	int rc = own_file(w, &m, path, err);
	if (rc) {
		ims_error_prefix(err, "tensor \"%.120s\"", tensor_in(x, shard));
		return rc;
	}
	w->owner->copy_limit += m.size;
	rc = parse_safetensors(w, m.data, m.size, err);
	for (size_t i = before; !rc && i < w->n; i++)
		rc = ims_weights_index_check(x, w->tensor[i].name, shard, err);
	if (rc)
		ims_error_prefix(err, "%s", path);
	return rc;
}

static int open_shards(weights *out, const char *index, imgsearch_error *err)
{
	weights_index x;
	buf text = { 0 };
	*out = (weights){ 0 };
	int rc = read_index(&x, &text, index, err);
	if (!rc)
		rc = make_owner(out, x.n_shards, err);
	for (size_t i = 0; !rc && i < x.n_shards; i++) {
		char *path = ims_weights_index_path(&x, index, i);
		rc = path ? add_shard(out, &x, i, path, err) : ims_nomem(err);
		ims_free(path);
	}
	if (!rc && (rc = ims_weights_index_complete(&x, err)))
		ims_error_prefix(err, "%s", index);
	if (rc)
		ims_weights_free(out);
	ims_weights_index_free(&x);
	ims_buf_free(&text);
	return rc;
}

int ims_weights_open(weights *out, const char *path, imgsearch_error *err)
{
	return ims_weights_index_named(path) ? open_shards(out, path, err) : open_file(out, path, err);
}

/* --------------------------------------------------------------------------------- hashing ---- */

static int hash_file(hash256 *out, const char *path, imgsearch_error *err)
{
	struct stat before, after;
	mapping m;
	bool known = !stat(path, &before);
	if (known && ims_hashed_find(HASHED_CONTENT, &before, out, sizeof *out))
		return 0;
	int rc = map_file(&m, path, err);
	if (rc)
		return rc;
	*out = ims_hash(m.data, m.size);
	munmap(m.data, m.size);
	if (known && !stat(path, &after))
		ims_hashed_keep(HASHED_CONTENT, &before, &after, out, sizeof *out);
	return 0;
}

/* The hash of the hashes of the index and of the shards. */
static int hash_shards(hash256 *out, const char *index, imgsearch_error *err)
{
	weights_index x;
	buf text = { 0 }, hashes = { 0 };
	int rc = read_index(&x, &text, index, err);
	hash256 h = rc ? (hash256){ 0 } : ims_hash(text.data, text.len);
	ims_buf_put(&hashes, &h, sizeof h);
	for (size_t i = 0; !rc && i < x.n_shards; i++) {
		char *path = ims_weights_index_path(&x, index, i);
		rc = path ? hash_file(&h, path, err) : ims_nomem(err);
		if (rc)
			ims_error_prefix(err, "tensor \"%.120s\"", tensor_in(&x, i));
		ims_buf_put(&hashes, &h, sizeof h);
		ims_free(path);
	}
	if (!rc && hashes.failed)
		rc = ims_nomem(err);
	if (!rc)
		*out = ims_hash(hashes.data, hashes.len);
	ims_weights_index_free(&x);
	ims_buf_free(&text);
	ims_buf_free(&hashes);
	return rc;
}

int ims_weights_hash(hash256 *out, const char *path, imgsearch_error *err)
{
	return ims_weights_index_named(path) ? hash_shards(out, path, err) : hash_file(out, path, err);
}
