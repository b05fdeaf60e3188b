/* Groups of near-duplicates as JSON. */
#include "cli/output/group.h"

#include "cli/output/item.h"

const char *group_kind(uint32_t kind)
{
	return kind == IMGSEARCH_SAMENESS_BYTES  ? "bytes"
		: kind == IMGSEARCH_SAMENESS_PICTURE ? "picture"
											 : "scene";
}

void group_write_json(json_writer *j, imgsearch *s, const imgsearch_group *g)
{
	json_write_text(j, "kind", group_kind(g->kind));
	json_write_float(j, "score", g->score);
	json_write_open(j, "pictures", '[');
	for (size_t i = 0; i < g->count; i++)
		item_write_json(j, s, g->items[i]);
	json_write_close(j, ']');
}
