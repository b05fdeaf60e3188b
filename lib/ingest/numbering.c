/*
 * Three hash tables follow what staged edits change. An entry holds ~id, which is not 0. Of an id,
 * `size` is the checksum of its staged name, or NO_NAME, and `mtime.seconds` that of its staged
 * content; 0: the edits leave it as it is.
 */
#include "ingest/numbering.h"

#include "ingest/row.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

int ims_numbering_init(numbering *n, imgsearch *s, imgsearch_error *err)
{
	*n = (numbering){ .s = s };
	int rc = ims_row_any_deleted(s, &n->any_deleted, err);
	return rc ? rc : ims_store_max_id(s->store, &n->last, err);
}

void ims_numbering_free(numbering *n)
{
	ims_path_table_free(&n->names);
	ims_path_table_free(&n->ids);
	ims_path_table_free(&n->content);
}

/* -------------------------------------------------------------------------- what is staged ---- */

static path_key id_key(int64_t id)
{
	return (path_key){ { ims_checksum(&id, sizeof id, 1), (uint64_t)id } };
}

static path_key hash_key(const hash256 *hash)
{
	path_key key;
	memcpy(&key, hash, sizeof key);
	return key;
}

enum {
	NO_NAME = 2, /* no name_sum, since it is even */
	NAMES = 256, /* looked up at once */
};

static uint64_t name_sum(const char *name)
{
	return ims_path_key(0, name).word[0] | 1; /* not 0 */
}

static int64_t content_sum(const hash256 *hash)
{
	return (int64_t)(hash_key(hash).word[1] | 1);
}

/* NULL: no staged edit changes the id. */
static path_entry *staged(const numbering *n, int64_t id)
{
	return ims_path_table_find(&n->ids, id_key(id));
}

/* Whether the item of that id still has this name; 0 for the name: that it has in the index. */
static bool keeps_name(const numbering *n, int64_t id, const char *name)
{
	const path_entry *e = staged(n, id);
	return !e || (!e->seen && (!e->size || e->size == name_sum(name)));
}

/* Whether the item of that id, which has this content in the index, still has it. */
static bool keeps_content(const numbering *n, int64_t id, const hash256 *hash)
{
	const path_entry *e = staged(n, id);
	return !e || (!e->seen && (!e->mtime.seconds || e->mtime.seconds == content_sum(hash)));
}

/* The id of the item that will have this name, of which the index has item `stored`; -1: none. */
static int64_t named_item(const numbering *n, const char *name, int64_t stored)
{
	const path_entry *e = ims_path_table_find(&n->names, ims_path_key(0, name));
	if (e && keeps_name(n, ~e->id, name))
		return ~e->id;
	return stored >= 0 && keeps_name(n, stored, name) ? stored : -1;
}

/* The ids of the items that have these names in the index, at most so many at once; -1: none. */
static int stored_names(const numbering *n, char *const *names, size_t count, int64_t *id,
	imgsearch_error *err)
{
	store_place at[NAMES];
	store_picture p[NAMES];
	size_t of[NAMES], asked = 0;
	for (size_t i = 0; i < count; i++) {
		id[i] = -1;
		if (names[i]) {
			of[asked] = i;
			at[asked++] = (store_place){ 0, names[i] };
		}
	}
	int rc = asked ? ims_store_find(n->s->store, at, asked, p, err) : 0;
	for (size_t i = 0; !rc && i < asked; i++)
		id[of[i]] = p[i].path ? p[i].id : -1;
	if (!rc)
		ims_store_pictures_clear(p, asked);
	return rc;
}

static int find_name(const numbering *n, char *name, int64_t *id, imgsearch_error *err)
{
	int rc = stored_names(n, &name, 1, id, err);
	*id = named_item(n, name, *id);
	return rc;
}

bool ims_numbering_has_content(void *numbering_, const hash256 *hash)
{
	const numbering *n = numbering_;
	int64_t twin = 0;
	const path_entry *e = ims_path_table_find(&n->content, hash_key(hash)), *of;
	if (e && (of = staged(n, ~e->id)) && !of->seen && of->mtime.seconds == content_sum(hash))
		return true;
	if (ims_row_twin(n->s, hash, &twin, NULL) || !twin)
		return false;
	of = staged(n, twin);
	return !of || (!of->seen && !of->mtime.seconds);
}

/* --------------------------------------------------------------------------------- numbers ---- */

static int next_id(const numbering *n, int64_t *last, imgsearch_error *err)
{
	if (*last == INT64_MAX)
		return ims_fail(err, IMGSEARCH_ELIMIT, "%s: no ids are left", ims_store_name(n->s->store));
	++*last;
	return 0;
}

/* A name of the form id:N that no item has, and its id. */
static int number_unnamed(numbering *n, edit *e, int64_t *last, int64_t *id, imgsearch_error *err)
{
	char name[40];
	int64_t other = 0;
	int rc = 0;
	if (e->kind == EDIT_PICTURE && *last < 0)
		*last = 0; /* a picture has no id 0 */
	while (!rc && other >= 0) {
		rc = next_id(n, last, err);
		snprintf(name, sizeof name, "id:%lld", (long long)*last);
		if (!rc)
			rc = find_name(n, name, &other, err);
	}
	*id = *last;
	if (!rc && !(e->names[0] = ims_strdup(name)))
		rc = ims_nomem(err);
	return rc;
}

/* EINVAL: the item was deleted on purpose, and no staged edit removes it. */
static int refuse_deleted_id(const numbering *n, int64_t id, imgsearch_error *err)
{
	return !n->any_deleted || staged(n, id)
		? 0
		: ims_row_refuse_deleted_id(n->s, "the vector", id, err);
}

/* EINVAL: a picture of these bytes was deleted on purpose, and no staged edit removes it. */
static int refuse_deleted_bytes(const numbering *n, const hash256 *hash, imgsearch_error *err)
{
	store_picture twin;
	if (!n->any_deleted || ims_hash_is_zero(hash))
		return 0;
	int rc = ims_store_by_hash(n->s->store, hash, 1, &twin, err);
	if (twin.state == IMGSEARCH_STATE_DELETED && !staged(n, twin.id))
		rc = ims_store_refuse_deleted(n->s->store, "a picture with these bytes", twin.id, err);
	ims_store_picture_clear(&twin);
	return rc;
}

/* An item that has the stored bytes of an edit is the one that it adds. */
static int find_stored(const numbering *n, edit *e, int64_t *id, imgsearch_error *err)
{
	store_picture p;
	int64_t found = 0;
	*id = -1;
	int rc = e->file.len ? ims_store_file_find(n->s->store, &e->picture.hash, &found, err) : 0;
	if (rc || !found || !keeps_content(n, found, &e->picture.hash))
		return rc;
	rc = ims_store_picture_get(n->s->store, found, &p, err);
	char *name = rc ? NULL : ims_strdup(p.path);
	if (name) {
		ims_free(e->names[0]);
		e->names[0] = name;
		*id = found;
	}
	ims_store_picture_clear(&p);
	return rc || name ? rc : ims_nomem(err);
}

/* *id: on entry of the item that has the name in the index; -1: none. */
static int number_one(numbering *n, edit *e, size_t i, bool asked, int64_t *last, int64_t *id,
	imgsearch_error *err)
{
	int64_t present = -1;
	int rc = find_stored(n, e, &present, err);
	const char *name = e->names ? e->names[i] : NULL;
	if (!rc && name && present < 0)
		present = named_item(n, name, *id);
	if (!rc && asked && present >= 0 && present != e->ids[i])
		return ims_fail(err, IMGSEARCH_EINVAL, "id %lld: the name %s is that of item %lld",
			(long long)e->ids[i], name, (long long)present);
	if (rc || asked) {
		*id = asked ? e->ids[i] : -1;
	} else if (present >= 0) {
		*id = present;
	} else if (e->is_unnamed) {
		rc = number_unnamed(n, e, last, id, err);
	} else {
		if (e->kind == EDIT_PICTURE && *last < 0)
			*last = 0;
		rc = next_id(n, last, err);
		*id = *last;
	}
	if (!rc && *id > *last)
		*last = *id;
	return rc ? rc : refuse_deleted_id(n, *id, err);
}

/* What an edit without a name leaves: the staged name, or none where it makes a new item. */
static uint64_t kept_name(const numbering *n, int64_t id)
{
	const path_entry *of = staged(n, id);
	return !of ? 0 : of->seen ? NO_NAME : of->size;
}

/* Remembers the edit. The tables have room. */
static void stage(numbering *n, const edit *e)
{
	static const hash256 none;
	for (size_t i = 0; i < e->n; i++) {
		const char *name = e->names ? e->names[i] : NULL;
		path_entry of = {
			.key = id_key(e->ids[i]),
			.id = ~e->ids[i],
			.seen = e->kind == EDIT_REMOVE,
			.size = name ? name_sum(name) : kept_name(n, e->ids[i]),
		};
		if (e->kind == EDIT_PICTURE) {
			of.mtime.seconds = content_sum(&e->picture.hash);
			path_entry content = { .key = hash_key(&e->picture.hash), .id = of.id };
			if (!ims_hash_equal(&e->picture.hash, &none))
				ims_path_table_add(&n->content, &content);
		}
		ims_path_table_add(&n->ids, &of);
		path_entry named = { .id = of.id };
		if (name) {
			named.key = ims_path_key(0, name);
			ims_path_table_add(&n->names, &named);
		}
	}
}

static int reserve(numbering *n, size_t more, imgsearch_error *err)
{
	bool ok = !ims_path_table_reserve(&n->ids, more) && !ims_path_table_reserve(&n->names, more)
		&& !ims_path_table_reserve(&n->content, 1);
	return ok ? 0 : ims_nomem(err);
}

static int check_removal(numbering *n, const edit *e, imgsearch_error *err)
{
	uint8_t *presence = ims_alloc(e->n, 1);
	int rc = presence ? ims_store_presences(n->s->store, e->ids, e->n, presence, err)
					  : ims_nomem(err);
	for (size_t i = 0; !rc && i < e->n; i++) {
		const path_entry *of = staged(n, e->ids[i]);
		if (of ? of->seen : presence[i] == STORE_ABSENT)
			rc = ims_store_no_item(n->s->store, e->ids[i], err);
	}
	ims_free(presence);
	return rc;
}

static int number_all(numbering *n, edit *e, imgsearch_error *err)
{
	bool asked = e->ids != NULL;
	int64_t last = n->last;
	int64_t *ids = ims_alloc(e->n, sizeof *ids);
	int rc = ids ? 0 : ims_nomem(err);
	if (!rc && e->kind == EDIT_PICTURE)
		rc = refuse_deleted_bytes(n, &e->picture.hash, err);
	for (size_t i = 0; !rc && i < e->n; i++) {
		if (e->names && i % NAMES == 0)
			rc = stored_names(n, e->names + i, e->n - i < NAMES ? e->n - i : NAMES, ids + i, err);
		if (!rc)
			rc = number_one(n, e, i, asked, &last, &ids[i], err);
	}
	if (rc) {
		ims_free(ids);
		return rc;
	}
	ims_free(e->ids);
	e->ids = ids;
	n->last = last;
	return 0;
}

int ims_numbering_apply(numbering *n, edit *e, imgsearch_error *err)
{
	int rc = reserve(n, e->n, err);
	if (!rc)
		rc = e->kind == EDIT_REMOVE ? check_removal(n, e, err) : number_all(n, e, err);
	if (!rc)
		stage(n, e);
	return rc;
}
