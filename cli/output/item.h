/* Pictures of the index as JSON. */
#ifndef IMGSEARCH_CLI_ITEM_H
#define IMGSEARCH_CLI_ITEM_H

#include "cli/base/json_writer.h"

const char *item_state_name(uint32_t state); /* "indexed", "too big" ...; "?" for no state */

/* Members of an open object: id, path, state and so on; `all`: also the other paths. */
void item_write_members(json_writer *j, const imgsearch_item *item);
void item_write_all(json_writer *j, const imgsearch_item *item);

/* Of those, which picture a duplicate or another name belongs to. */
void item_write_relation(json_writer *j, const imgsearch_item *item);

/* Items by id, in this order; ids without an item are left out. Results: imgsearch_item_list. */
int item_list_ids(imgsearch *s, const int64_t *ids, size_t n, imgsearch_item_fn each, void *user,
	const imgsearch_call *call, imgsearch_error *err);

/* An object in an open array; it has only the id if the picture was removed. */
void item_write_json(json_writer *j, imgsearch *s, int64_t id);

#endif
