/* Groups of near-duplicates, the best picture first, and as JSON. */
#include "cli/output/group.h"

#include "cli/output/item.h"

#include <stdlib.h>
#include <string.h>

const char *group_kind(uint32_t kind)
{
	return kind == IMGSEARCH_SAMENESS_BYTES  ? "bytes"
		: kind == IMGSEARCH_SAMENESS_PICTURE ? "picture"
											 : "scene";
}

/* A file that is not there is none. */
static bool is_link(const char *path)
{
	char *real = path[0] == '/' ? realpath(path, NULL) : NULL;
	bool link = real && strcmp(real, path) != 0;
	free(real);
	return link;
}

/* Above 0 where the first number is smaller. */
static int larger_first(uint64_t a, uint64_t b)
{
	return (a < b) - (a > b);
}

static int compare(const void *x, const void *y)
{
	const group_picture *a = x, *b = y;
	const int order[] = {
		a->link - b->link,
		a->partial - b->partial,
		a->grey - b->grey,
		larger_first(a->pixels, b->pixels),
		larger_first(a->bytes, b->bytes),
		strcmp(a->path, b->path),
	};
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		if (order[i])
			return order[i];
	return (a->id > b->id) - (a->id < b->id);
}

/* Whether an item of a group has no colour, where another has. */
static bool is_grey(const imgsearch_group *g, int64_t id)
{
	for (size_t i = 0; g->grey && i < g->count; i++)
		if (g->items[i] == id)
			return g->grey[i];
	return false;
}

typedef struct group_reader {
	const imgsearch_group *group;
	group_picture *picture;
	size_t n;
} group_reader;

static int read_picture(void *user, const imgsearch_item *item)
{
	group_reader *r = user;
	char *path = strdup(item->path);
	if (!path)
		return 1;
	r->picture[r->n++] = (group_picture){
		.id = item->id,
		.path = path,
		.pixels = (uint64_t)item->width * item->height,
		.bytes = item->bytes,
		.partial = item->partial,
		.grey = is_grey(r->group, item->id),
		.link = is_link(path),
	};
	return 0;
}

group_picture *group_read(imgsearch *s, const imgsearch_group *g, size_t *n)
{
	group_reader r = { g, calloc(g->count + 1, sizeof *r.picture), 0 };
	if (r.picture && item_list_ids(s, g->items, g->count, read_picture, &r, NULL, NULL)) {
		group_free(r.picture, r.n);
		r = (group_reader){ 0 };
	}
	if (r.n)
		qsort(r.picture, r.n, sizeof *r.picture, compare);
	*n = r.n;
	return r.picture;
}

void group_free(group_picture *pictures, size_t n)
{
	for (size_t i = 0; pictures && i < n; i++)
		free(pictures[i].path);
	free(pictures);
}

/* "also": the other names of the file; its copies are in the group. */
static void write_links(json_writer *j, const imgsearch_group *g, int64_t id)
{
	bool open = false;
	for (size_t k = 0; g->links && k < g->links->count; k++) {
		if (g->links->items[k]->same_file != id)
			continue;
		if (!open)
			json_write_open(j, "also", '[');
		open = true;
		json_write_open(j, NULL, '{');
		json_write_path(j, "path", g->links->items[k]->path);
		json_write_bool(j, "link", true);
		json_write_close(j, '}');
	}
	if (open)
		json_write_close(j, ']');
}

typedef struct group_writer {
	json_writer *j;
	const imgsearch_group *group;
} group_writer;

static int write_picture(void *user, const imgsearch_item *item)
{
	const group_writer *w = user;
	json_write_open(w->j, NULL, '{');
	item_write_members(w->j, item);
	if (is_grey(w->group, item->id))
		json_write_bool(w->j, "grey", true);
	write_links(w->j, w->group, item->id);
	json_write_close(w->j, '}');
	return 0;
}

void group_write_json(json_writer *j, imgsearch *s, const imgsearch_group *g)
{
	size_t n;
	group_picture *pictures = group_read(s, g, &n);
	int64_t *ids = calloc(n + 1, sizeof *ids);
	for (size_t i = 0; ids && i < n; i++)
		ids[i] = pictures[i].id;
	json_write_text(j, "kind", group_kind(g->kind));
	json_write_float(j, "score", g->score);
	json_write_open(j, "pictures", '[');
	if (ids)
		item_list_ids(s, ids, n, write_picture, &(group_writer){ j, g }, NULL, NULL);
	json_write_close(j, ']');
	free(ids);
	group_free(pictures, n);
}
