/* Groups of near-duplicates as JSON. */
#include "cli/output/group.h"

#include "cli/output/item.h"

const char *group_kind(uint32_t kind)
{
	return kind == IMGSEARCH_SAMENESS_BYTES  ? "bytes"
		: kind == IMGSEARCH_SAMENESS_PICTURE ? "picture"
											 : "scene";
}

/* "also": the other names of the file; its copies are in the group. */
static void write_links(json_writer *j, const imgsearch_group *g, size_t i)
{
	bool open = false;
	for (size_t k = 0; k < g->n_links; k++) {
		if (g->linked[k] != g->items[i])
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
static void write_picture(json_writer *j, imgsearch *s, const imgsearch_group *g, size_t i)
{
	imgsearch_item *item;
	if (imgsearch_item_get(s, g->items[i], &item, NULL)) {
		json_write_int(j, "id", g->items[i]);
		return;
	}
	item_write_members(j, item);
	write_links(j, g, i);
	imgsearch_item_free(item);
}

void group_write_json(json_writer *j, imgsearch *s, const imgsearch_group *g)
{
	json_write_text(j, "kind", group_kind(g->kind));
	json_write_float(j, "score", g->score);
	json_write_open(j, "pictures", '[');
	for (size_t i = 0; i < g->count; i++) {
		json_write_open(j, NULL, '{');
		write_picture(j, s, g, i);
		json_write_close(j, '}');
	}
	json_write_close(j, ']');
}
