#include "ingest/parts.h"

#include "store/store.h"

#include <string.h>

static bool has(char *const *path, size_t n, const char *one, size_t length)
{
	for (size_t i = n; i-- > 0;) /* the last one first: entries come folder by folder */
		if (!strncmp(path[i], one, length) && !path[i][length])
			return true;
	return false;
}

int ims_parts_meet(part_list *l, const walk_entry *e)
{
	if (!e->mount || e->kind != WALK_FILE || has(l->path, l->n, e->path, e->mount))
		return 0;
	char **grown = ims_grow(l->path, l->n, &l->cap, sizeof *grown);
	if (!grown)
		return IMGSEARCH_ENOMEM;
	l->path = grown;
	l->path[l->n] = ims_strndup(e->path, e->mount);
	return l->path[l->n] ? l->n++, 0 : IMGSEARCH_ENOMEM;
}

void ims_parts_free(part_list *l)
{
	ims_store_patterns_free(l->path, l->n);
	*l = (part_list){ 0 };
}

/* known: (n + l->n), borrowed texts; receives those that are new behind the n that are known. */
static int put(imgsearch *s, int64_t root, const char **known, size_t n, const part_list *l,
	imgsearch_error *err)
{
	size_t all = n;
	for (size_t i = 0; i < l->n; i++)
		if (!has((char *const *)known, n, l->path[i], strlen(l->path[i])))
			known[all++] = l->path[i];
	int rc = all == n ? 0 : ims_store_tx_begin(s->store, err);
	if (rc || all == n)
		return rc;
	rc = ims_store_patterns_set(s->store, root, STORE_PART, known, all, err);
	return ims_handle_tx_end(s, rc, err);
}

int ims_parts_store(imgsearch *s, int64_t root, const part_list *l, imgsearch_error *err)
{
	char **old;
	size_t n;
	if (!l->n)
		return 0;
	int rc = ims_store_patterns_get(s->store, root, STORE_PART, &old, &n, err);
	if (rc)
		return rc;
	const char **known = ims_alloc(n + l->n, sizeof *known);
	if (known && n)
		memcpy(known, old, n * sizeof *known);
	rc = known ? put(s, root, known, n, l, err) : ims_nomem(err);
	ims_free(known);
	ims_store_patterns_free(old, n);
	return rc;
}
