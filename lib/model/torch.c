/*
 * The formats of torch.save. Zip (since 1.6): NAME/data.pkl describes the state dict, NAME/data/KEY
 * are the storages. Legacy: five pickles in a row (magic number, protocol, system, state dict, list
 * of storage keys), then for each key the number of elements and the elements. Source:
 * torch/serialization.py. A zip with constants.pkl is a TorchScript program, which libtorch reads.
 */
#include "model/torch.h"

#include "model/foreign.h"
#include "model/pickle.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- zip ---- */

typedef struct from_zip {
	weights *w;
	const zip *zip;
	const char *prefix; /* "archive/" */
	size_t prefix_len;
} from_zip;

static bool ends_with(const zip_entry *e, const char *end)
{
	size_t n = strlen(end);
	return e->name_len >= n && !memcmp(e->name + e->name_len - n, end, n);
}

/* The entry PREFIX + part + key; NULL: there is none. */
static const zip_entry *find(const from_zip *z, const char *part, const char *key, size_t key_len)
{
	char name[512];
	size_t part_len = strlen(part), n = z->prefix_len + part_len + key_len;
	if (n > sizeof name)
		return NULL;
	memcpy(name, z->prefix, z->prefix_len);
	memcpy(name + z->prefix_len, part, part_len);
	memcpy(name + z->prefix_len + part_len, key, key_len);
	return ims_zip_find(z->zip, name, n);
}

static int add_from_zip(void *user, const pickle_tensor *t, imgsearch_error *err)
{
	from_zip *z = user;
	tensor_view v = t->view;
	const zip_entry *e = find(z, "data/", t->key, t->key_len);
	if (!e)
		return ims_fail(err, IMGSEARCH_EFORMAT, "the data of tensor \"%.*s\" is missing",
			(int)(v.name_len > 120 ? 120 : v.name_len), v.name);
	int rc = ims_zip_data(z->zip, e, &v.storage, err);
	v.storage_bytes = e->size;
	return rc ? rc : ims_weights_add(z->w, &v, err);
}

static int check_byte_order(const from_zip *z, imgsearch_error *err)
{
	const uint8_t *text;
	const zip_entry *e = find(z, "byteorder", "", 0);
	if (!e)
		return 0;
	int rc = ims_zip_data(z->zip, e, &text, err);
	if (!rc && (e->size < 6 || memcmp(text, "little", 6)))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "written on a big-endian machine");
	return rc;
}

static int read_state(from_zip *z, const zip_entry *state, imgsearch_error *err)
{
	pickle *p = NULL;
	reader in = { 0 };
	int rc = ims_zip_data(z->zip, state, &in.data, err);
	in.len = (size_t)state->size;
	if (!rc)
		rc = check_byte_order(z, err);
	if (!rc)
		rc = ims_pickle_new(&p, err);
	if (!rc)
		rc = ims_pickle_run(p, &in, err);
	if (!rc)
		rc = ims_pickle_tensors(p, add_from_zip, z, err);
	ims_pickle_free(p);
	return rc;
}

static bool has_folder(const zip_entry *e, const char *folder)
{
	return memmem(e->name, e->name_len, folder, strlen(folder)) != NULL;
}

/*
 * A program is unpacked by libtorch, which believes what the archive claims. Tensors are stored,
 * texts may be compressed; the checksums of weights are not worth the time.
 */
static int check_program(const zip *z, imgsearch_error *err)
{
	enum { LONGEST_TEXT = 16 << 20 };
	int rc = 0;
	for (size_t i = 0; !rc && i < z->n; i++) {
		const zip_entry *e = &z->entry[i];
		rc = ims_zip_check(z, e, LONGEST_TEXT, err);
		if (!rc && !has_folder(e, "/data/") && !has_folder(e, "/constants/"))
			rc = ims_zip_checksum(z, e, err);
	}
	return rc;
}

int ims_torch_zip_parse(weights *w, const uint8_t *data, size_t size, imgsearch_error *err)
{
	zip z;
	int rc = ims_zip_open(&z, data, size, err);
	if (rc)
		return rc;
	const zip_entry *state = NULL;
	for (size_t i = 0; i < z.n; i++) {
		w->script |= ends_with(&z.entry[i], "/constants.pkl");
		if (!state && ends_with(&z.entry[i], "/data.pkl"))
			state = &z.entry[i];
	}
	if (!state)
		rc = ims_foreign_refuse_zip(&z, err);
	else if (w->script)
		rc = check_program(&z, err);
	else {
		from_zip from = { w, &z, state->name, state->name_len - strlen("data.pkl") };
		rc = read_state(&from, state, err);
	}
	ims_zip_free(&z);
	return rc;
}

/* ---------------------------------------------------------------------------------- legacy ---- */

typedef struct storage {
	const char *key;
	size_t key_len;
	const uint8_t *data;
	uint64_t numel;
} storage;

typedef struct from_legacy {
	weights *w;
	storage *storages; /* by key */
	size_t n;
} from_legacy;

static int by_key(const void *a, const void *b)
{
	const storage *x = a, *y = b;
	if (x->key_len != y->key_len)
		return x->key_len < y->key_len ? -1 : 1;
	return memcmp(x->key, y->key, x->key_len);
}

static int add_from_legacy(void *user, const pickle_tensor *t, imgsearch_error *err)
{
	from_legacy *l = user;
	tensor_view v = t->view;
	storage key = { .key = t->key, .key_len = t->key_len };
	const storage *s = l->n ? bsearch(&key, l->storages, l->n, sizeof key, by_key) : NULL;
	if (!s || !s->data)
		return ims_fail(err, IMGSEARCH_EFORMAT, "the data of tensor \"%.*s\" is missing",
			(int)(v.name_len > 120 ? 120 : v.name_len), v.name);
	v.storage = s->data;
	v.storage_bytes = s->numel * ims_dtype_size(v.dtype);
	return ims_weights_add(l->w, &v, err);
}

/* Sets the element size of each storage in place of numel. Only the tensors have it. */
static int set_item_size(void *user, const pickle_tensor *t, imgsearch_error *err)
{
	from_legacy *l = user;
	storage key = { .key = t->key, .key_len = t->key_len };
	storage *s = l->n ? bsearch(&key, l->storages, l->n, sizeof key, by_key) : NULL;
	if (s && s->numel && s->numel != ims_dtype_size(t->view.dtype))
		return ims_fail(err, IMGSEARCH_EFORMAT, "a storage is used with two types");
	if (s)
		s->numel = ims_dtype_size(t->view.dtype);
	return 0;
}

/* The keys in the file's order, from the last pickle. */
static int read_keys(const pickle *p, storage **out, size_t *n, imgsearch_error *err)
{
	const char *key;
	size_t len;
	for (*n = 0; *n < WEIGHTS_MAX_TENSORS && ims_pickle_string(p, *n, &key, &len);)
		++*n;
	if (!(*out = ims_zalloc(*n + 1, sizeof **out)))
		return ims_nomem(err);
	for (size_t i = 0; i < *n; i++)
		ims_pickle_string(p, i, &(*out)[i].key, &(*out)[i].key_len);
	return 0;
}

/*
 * order has the storages in the order of the file; in l->storages numel is the size of an element.
 */
static int read_storages(from_legacy *l, const storage *order, reader *in, imgsearch_error *err)
{
	for (size_t i = 0; i < l->n; i++) {
		storage *s = bsearch(&order[i], l->storages, l->n, sizeof *s, by_key);
		uint64_t numel = ims_read_u64(in), item = s->numel, bytes;
		if (!item || s->data)
			return ims_fail(err, IMGSEARCH_EFORMAT,
				"storage \"%.*s\" belongs to no tensor or comes twice",
				(int)(order[i].key_len > 60 ? 60 : order[i].key_len), order[i].key);
		if (__builtin_mul_overflow(numel, item, &bytes) || bytes > in->len - in->pos || in->failed)
			return ims_fail(err, IMGSEARCH_EFORMAT, "the file is cut off in storage %zu of %zu",
				i + 1, l->n);
		s->data = ims_read_bytes(in, (size_t)bytes);
		s->numel = numel;
	}
	return 0;
}

static int read_parts(from_legacy *l, pickle *state, const pickle *keys, reader *in,
	imgsearch_error *err)
{
	storage *order = NULL;
	int rc = read_keys(keys, &order, &l->n, err);
	if (!rc && !(l->storages = ims_alloc(l->n + 1, sizeof *l->storages)))
		rc = ims_nomem(err);
	if (!rc) {
		memcpy(l->storages, order, l->n * sizeof *order);
		qsort(l->storages, l->n, sizeof *l->storages, by_key);
		rc = ims_pickle_tensors(state, set_item_size, l, err);
	}
	if (!rc)
		rc = read_storages(l, order, in, err);
	if (!rc)
		rc = ims_pickle_tensors(state, add_from_legacy, l, err);
	ims_free(l->storages);
	ims_free(order);
	return rc;
}

int ims_torch_legacy_parse(weights *w, const uint8_t *data, size_t size, imgsearch_error *err)
{
	static const uint8_t magic[] = {
		0x8a,
		10,
		0x6c,
		0xfc,
		0x9c,
		0x46,
		0xf9,
		0x20,
		0x6a,
		0xa8,
		0x50,
		0x19,
		'.',
	};
	reader in = { data, size, 2 + sizeof magic, false };
	pickle *state = NULL, *keys = NULL;
	from_legacy l = { .w = w };
	if (size < 2 + sizeof magic || memcmp(data + 2, magic, sizeof magic))
		return ims_fail(err, IMGSEARCH_EFORMAT, "a pickle, but not one that torch.save wrote");
	int rc = ims_pickle_new(&state, err);
	if (!rc)
		rc = ims_pickle_new(&keys, err);
	for (int i = 0; !rc && i < 3; i++) /* protocol, system, state dict */
		rc = ims_pickle_run(state, &in, err);
	if (!rc)
		rc = ims_pickle_run(keys, &in, err);
	if (!rc)
		rc = read_parts(&l, state, keys, &in, err);
	ims_pickle_free(keys);
	ims_pickle_free(state);
	return rc;
}
