/* The paths of one content come one after the other from the store; they are judged together. */
#include "ingest/seen_files.h"

#include "base/path.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int add(seen_files *f, const seen_file *file)
{
	seen_file *grown = ims_grow(f->item, f->n, &f->cap, sizeof *grown);
	if (!grown)
		return IMGSEARCH_ENOMEM;
	f->item = grown;
	grown[f->n++] = *file;
	return 0;
}

int ims_seen_files_add(seen_files *f, path_key key, const walk_entry *e, bool link)
{
	return add(f, &(seen_file){ .key = key, .device = e->device, .inode = e->inode, .link = link });
}

void ims_seen_files_free(seen_files *f)
{
	ims_free(f->item);
	*f = (seen_files){ 0 };
}

static int by_file(const void *x, const void *y)
{
	const seen_file *a = x, *b = y;
	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	return (a->inode > b->inode) - (a->inode < b->inode);
}

static int by_key(const void *x, const void *y)
{
	return memcmp(&((const seen_file *)x)->key, &((const seen_file *)y)->key, sizeof(path_key));
}

bool ims_seen_files_number(seen_files *f)
{
	bool any = false;
	uint32_t number = 0;
	if (f->n)
		qsort(f->item, f->n, sizeof *f->item, by_file);
	for (size_t i = 0; i < f->n; i++) {
		bool same = i && !by_file(&f->item[i - 1], &f->item[i]);
		number += !same;
		f->item[i].number = number;
		if (same)
			f->item[i - 1].shared = f->item[i].shared = any = true;
	}
	if (f->n)
		qsort(f->item, f->n, sizeof *f->item, by_key);
	return any;
}

const seen_file *ims_seen_files_find(const seen_files *f, int64_t root, const char *path)
{
	seen_file wanted = { .key = ims_path_key(root, path) };
	return f->n ? bsearch(&wanted, f->item, f->n, sizeof *f->item, by_key) : NULL;
}

bool ims_leads_through_link(char *path, size_t from)
{
	bool link = false;
	for (char *end = path + from; !link && *end;) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		struct stat st;
		char was = *end;
		*end = 0;
		link = !lstat(path, &st) && S_ISLNK(st.st_mode);
		*end = was;
	}
	return link;
}

/* ------------------------------------------------------------------------- paths elsewhere ---- */

/* A path with the content at work. */
typedef struct content_path {
	path_key key;
	char *full;             /* owned: of a path that was not seen; else NULL */
	uint64_t device, inode; /* of one that was seen */
	bool is_new;            /* one that was seen, and did not have this content before */
} content_path;

typedef struct looker {
	const seen_files *seen;
	const path_table *before;
	seen_files found;
	content_path *path; /* owned; of the content at work */
	size_t n, cap;
	imgsearch_error *err;
} looker;

static bool had_content(const looker *l, path_key key, const hash256 *hash)
{
	const path_entry *e = ims_path_table_find(l->before, key);
	return e && ims_content_equal(e->content, ims_content_key(hash))
		&& (e->state == IMGSEARCH_STATE_INDEXED || e->state == IMGSEARCH_STATE_DUPLICATE
			|| e->state == IMGSEARCH_STATE_LINK);
}

/* Looks at a path that was not seen, and takes it where a new path leads to its file. */
static int look_at(looker *l, content_path *p)
{
	struct stat st;
	if (*p->full != '/' || stat(p->full, &st))
		return 0;
	for (size_t i = 0; i < l->n; i++) {
		const content_path *other = &l->path[i];
		if (!other->is_new || other->device != st.st_dev || other->inode != st.st_ino)
			continue;
		const seen_file file = {
			.key = p->key,
			.device = st.st_dev,
			.inode = st.st_ino,
			.link = ims_leads_through_link(p->full, 0),
			.elsewhere = true,
		};
		return add(&l->found, &file) ? ims_nomem(l->err) : 0;
	}
	return 0;
}

/* All paths of the content at work are known. */
static int end_content(looker *l)
{
	bool is_new = false;
	int rc = 0;
	for (size_t i = 0; i < l->n; i++)
		is_new |= l->path[i].is_new;
	for (size_t i = 0; i < l->n; i++) {
		if (!rc && is_new && l->path[i].full)
			rc = look_at(l, &l->path[i]);
		ims_free(l->path[i].full);
	}
	l->n = 0;
	return rc;
}

static int take_path(void *user, const store_picture *p, const char *root)
{
	looker *l = user;
	int rc = p->state == IMGSEARCH_STATE_INDEXED ? end_content(l) : 0;
	content_path *grown = rc ? NULL : ims_grow(l->path, l->n, &l->cap, sizeof *grown);
	if (!grown)
		return rc ? rc : ims_nomem(l->err);
	l->path = grown;
	const seen_file *seen = ims_seen_files_find(l->seen, p->root, p->path);
	content_path now = { .key = ims_path_key(p->root, p->path) };
	if (seen) {
		now.device = seen->device;
		now.inode = seen->inode;
		now.is_new = !had_content(l, now.key, &p->hash);
	} else if (!(now.full = ims_path_join(p->root ? root : NULL, p->path))) {
		return ims_nomem(l->err);
	}
	grown[l->n++] = now;
	return 0;
}

int ims_seen_files_look(imgsearch *s, seen_files *f, const path_table *before, bool *shared,
	imgsearch_error *err)
{
	looker l = { .seen = f, .before = before, .err = err };
	int rc = ims_store_each_twin(s->store, take_path, &l, err);
	int ended = end_content(&l);
	rc = rc ? rc : ended;
	for (size_t i = 0; !rc && i < l.found.n; i++)
		if (add(f, &l.found.item[i]))
			rc = ims_nomem(err);
	if (!rc && l.found.n)
		*shared |= ims_seen_files_number(f);
	ims_seen_files_free(&l.found);
	ims_free(l.path);
	return rc;
}
