/* The paths, pictures and vectors that an index holds. */
#include "handle/items.h"

#include "base/path.h"
#include "handle/view.h"

#include <sys/stat.h>

typedef struct lister {
	imgsearch *s;
	item_each *each;
	void *user;
	imgsearch_error *err;
} lister;

/* An item and the memory of its pointers, freed together by imgsearch_item_free. */
typedef struct item_block {
	imgsearch_item item; /* first: the caller's pointer */
	char *path, *reason;
	store_cell *column;
	imgsearch_column *columns;
} item_block;

static void clear_block(item_block *b)
{
	ims_free(b->path);
	ims_free(b->reason);
	ims_store_columns_free(b->column, b->item.n_columns);
	ims_free(b->columns);
}

static int fill_item(imgsearch *s, item_block *b, const store_picture *p, const char *root,
	imgsearch_error *err)
{
	static const hash256 none;
	struct stat st;
	imgsearch_item *it = &b->item;
	*it = (imgsearch_item){
		.id = p->id,
		.state = p->state,
		.width = p->width,
		.height = p->height,
		.size = p->size,
		.mtime_ns = ims_timestamp_ns(p->mtime),
		.same_as = p->same_as,
	};
	it->path = b->path = ims_path_join(p->root ? root : NULL, p->path);
	it->reason = b->reason = p->reason ? ims_strdup(p->reason) : NULL;
	if (!b->path || (p->reason && !b->reason))
		return ims_nomem(err);
	it->offline = p->root && root && stat(root, &st) != 0;
	if (!ims_hash_equal(&p->hash, &none))
		ims_hash_hex(&p->hash, it->hash);
	int rc = ims_store_columns_get(s->store, p->same_as ? p->same_as : p->id, &b->column,
		&it->n_columns, err);
	if (rc)
		return rc;
	it->columns = b->columns = ims_alloc(it->n_columns, sizeof *b->columns);
	if (!b->columns)
		return ims_nomem(err);
	for (size_t i = 0; i < it->n_columns; i++) {
		b->columns[i] = (imgsearch_column){ b->column[i].name, b->column[i].value };
		if (b->column[i].title && *b->column[i].value)
			it->title = b->column[i].value;
	}
	return 0;
}

static int list_one(void *user, const store_picture *p, const char *root)
{
	lister *l = user;
	item_block b = { 0 };
	int rc = fill_item(l->s, &b, p, root, l->err);
	if (!rc)
		rc = l->each(l->user, &b.item);
	clear_block(&b);
	return rc;
}

int ims_items_list(imgsearch *s, uint32_t state, item_each *each, void *user, imgsearch_error *err)
{
	lister l = { s, each, user, err };
	return ims_store_each_picture(s->store, state, list_one, &l, err);
}

/* A vector without a picture has only an id. */
static int vector_item(imgsearch *s, int64_t id, store_picture *p)
{
	imgsearch_error none;
	uint8_t found = 0;
	view *v;
	if (ims_view_acquire(s, &v, &none))
		return IMGSEARCH_ENOTFOUND;
	uint32_t dim = v->space.dim;
	ims_view_release(v);
	float *row = dim ? ims_alloc(dim, sizeof(float)) : NULL;
	if (row && !ims_store_vectors_fetch(s->store, &id, 1, dim, row, &found, &none) && found) {
		p->id = id;
		p->state = IMGSEARCH_INDEXED;
		p->path = ims_format("id:%lld", (long long)id);
	}
	ims_free(row);
	return p->path ? 0 : IMGSEARCH_ENOTFOUND;
}

int ims_item_get(imgsearch *s, int64_t id, imgsearch_item **out, imgsearch_error *err)
{
	store_picture p = { 0 };
	char *root = NULL;
	imgsearch_error why;
	*out = NULL;
	int rc = ims_store_picture_get(s->store, id, &p, &root, &why);
	if (rc == IMGSEARCH_ENOTFOUND)
		rc = vector_item(s, id, &p);
	if (rc && err)
		*err = why;
	if (rc)
		return rc;
	item_block *b = ims_zalloc(1, sizeof *b);
	rc = b ? fill_item(s, b, &p, root, err) : ims_nomem(err);
	ims_store_picture_clear(&p);
	ims_free(root);
	if (rc)
		imgsearch_item_free(b ? &b->item : NULL);
	else
		*out = &b->item;
	return rc;
}

void imgsearch_item_free(imgsearch_item *item)
{
	if (!item)
		return;
	clear_block((item_block *)item);
	ims_free(item);
}

/* ------------------------------------------------------------------------------------ find ---- */

typedef struct finder {
	imgsearch *s;
	const char *path;
	int64_t id;
} finder;

/*
 * Looks the path up below one root (0: pictures without a root). Returns 1 when it is found, which
 * ends the search. A folder may lie in more than one root.
 */
static int find_below(void *user, int64_t root, const char *root_path)
{
	finder *f = user;
	store_picture p = { 0 };
	const char *below = root ? ims_path_below(f->path, root_path) : f->path;
	if (!below || (root && !*below))
		return 0;
	int rc = ims_store_picture_find(f->s->store, root, below, &p, NULL);
	f->id = p.id;
	ims_store_picture_clear(&p);
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc ? rc : 1;
}

int ims_items_find(imgsearch *s, const char *path, int64_t *id, imgsearch_error *err)
{
	finder f = { .s = s, .path = path };
	int rc = ims_store_each_root(s->store, find_below, &f, err);
	if (!rc)
		rc = find_below(&f, 0, "");
	if (rc == 1)
		*id = f.id;
	return rc == 1 ? 0 : rc ? rc : ims_fail(err, IMGSEARCH_ENOTFOUND, "%s: not in the index", path);
}

/* --------------------------------------------------------------------------------- vectors ---- */

typedef struct vector_lister {
	vector_each *each;
	void *user;
	size_t dim;
} vector_lister;

static int list_vectors(void *user, const int64_t *ids, const float *rows, size_t n)
{
	vector_lister *l = user;
	return l->each(l->user, ids, rows, n, l->dim);
}

int ims_items_vectors(imgsearch *s, vector_each *each, void *user, imgsearch_error *err)
{
	view *v;
	int rc = ims_view_acquire(s, &v, err);
	if (rc)
		return rc;
	vector_lister l = { each, user, v->space.dim };
	ims_view_release(v);
	return l.dim ? ims_store_vectors_scan(s->store, false, (uint32_t)l.dim, list_vectors, &l, err)
				 : 0;
}
