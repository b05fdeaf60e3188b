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
static bool is_link(const imgsearch_item *item)
{
	char *real = item->path[0] == '/' ? realpath(item->path, NULL) : NULL;
	bool link = real && strcmp(real, item->path) != 0;
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
	if (!a->item || !b->item)
		return a->item ? -1 : b->item ? 1 : (a->id > b->id) - (a->id < b->id);
	const imgsearch_item *p = a->item, *q = b->item;
	const int order[] = {
		a->link - b->link,
		(int)p->partial - (int)q->partial,
		larger_first((uint64_t)p->width * p->height, (uint64_t)q->width * q->height),
		larger_first(p->bytes, q->bytes),
		strcmp(p->path, q->path),
	};
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		if (order[i])
			return order[i];
	return (a->id > b->id) - (a->id < b->id);
}

group_picture *group_read(imgsearch *s, const imgsearch_group *g)
{
	group_picture *list = calloc(g->count + 1, sizeof *list);
	for (size_t i = 0; list && i < g->count; i++) {
		list[i].id = g->items[i];
		if (imgsearch_item_get(s, g->items[i], &list[i].item, NULL))
			list[i].item = NULL;
		list[i].link = list[i].item && is_link(list[i].item);
	}
	if (list)
		qsort(list, g->count, sizeof *list, compare);
	return list;
}

void group_free(group_picture *pictures, size_t n)
{
	for (size_t i = 0; pictures && i < n; i++)
		imgsearch_item_free(pictures[i].item);
	free(pictures);
}

/* "also": the other names of the file; its copies are in the group. */
static void write_links(json_writer *j, const imgsearch_group *g, int64_t id)
{
	bool open = false;
	for (size_t k = 0; k < g->n_links; k++) {
		if (g->linked[k] != id)
			continue;
		if (!open)
			json_write_open(j, "also", '[');
		open = true;
		json_write_open(j, NULL, '{');
		json_write_path(j, "path", g->link_paths[k]);
		json_write_bool(j, "link", true);
		json_write_close(j, '}');
	}
	if (open)
		json_write_close(j, ']');
}

/* It has only the id if the picture was removed. */
static void write_picture(json_writer *j, const imgsearch_group *g, const group_picture *p)
{
	if (!p->item) {
		json_write_int(j, "id", p->id);
		return;
	}
	item_write_members(j, p->item);
	write_links(j, g, p->id);
}

void group_write_json(json_writer *j, imgsearch *s, const imgsearch_group *g)
{
	json_write_text(j, "kind", group_kind(g->kind));
	json_write_float(j, "score", g->score);
	group_picture *pictures = group_read(s, g);
	json_write_open(j, "pictures", '[');
	for (size_t i = 0; pictures && i < g->count; i++) {
		json_write_open(j, NULL, '{');
		write_picture(j, g, &pictures[i]);
		json_write_close(j, '}');
	}
	json_write_close(j, ']');
	group_free(pictures, g->count);
}
