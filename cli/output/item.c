/* Pictures of the index as JSON. */
#include "cli/output/item.h"

#include "cli/output/paths.h"

const char *item_state_name(uint32_t state)
{
	static const char *const names[] = { "indexed", "duplicate", "unsupported", "damaged",
		"too big", "excluded", "unreadable", "kept out", "link" };
	return state >= 1 && state <= sizeof names / sizeof *names ? names[state - 1] : "?";
}

int item_list_ids(imgsearch *s, const int64_t *ids, size_t n, imgsearch_item_fn each, void *user,
	const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_filter filter = IMGSEARCH_INIT(imgsearch_filter);
	imgsearch_item_list_options o = IMGSEARCH_INIT(imgsearch_item_list_options);
	filter.ids = ids;
	filter.n_ids = n;
	o.filter = &filter;
	o.sort = IMGSEARCH_SORT_GIVEN;
	return n ? imgsearch_item_list(s, &o, each, user, call, NULL, err) : 0;
}

void item_write_relation(json_writer *j, const imgsearch_item *item)
{
	if (item->same_as)
		json_write_int(j, "same_as", item->same_as);
	if (item->same_file)
		json_write_int(j, "same_file", item->same_file);
}

void item_write_members(json_writer *j, const imgsearch_item *item)
{
	json_write_int(j, "id", item->id);
	json_write_path(j, "path", item->path);
	if (item->title)
		json_write_text(j, "title", item->title);
	json_write_text(j, "state", item_state_name(item->state));
	item_write_relation(j, item);
	json_write_int(j, "width", item->width);
	json_write_int(j, "height", item->height);
	json_write_int(j, "size", (int64_t)item->bytes);
	if (item->hash[0])
		json_write_text(j, "hash", item->hash);
	json_write_columns(j, item->columns);
}

void item_write_all(json_writer *j, const imgsearch_item *item)
{
	item_write_members(j, item);
	paths_write_json(j, item->path, item->paths);
}

void item_write_json(json_writer *j, imgsearch *s, int64_t id)
{
	imgsearch_item *item = NULL;
	json_write_open(j, NULL, '{');
	if (imgsearch_item_get(s, id, &item, NULL) == 0)
		item_write_all(j, item);
	else
		json_write_int(j, "id", id);
	json_write_close(j, '}');
	imgsearch_item_free(item);
}
