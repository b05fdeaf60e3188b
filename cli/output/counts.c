/* Counts of paths as JSON. */
#include "cli/output/counts.h"

void counts_write_states(json_writer *j, const imgsearch_counts *n)
{
	json_write_int(j, "seen", (int64_t)n->seen);
	json_write_int(j, "indexed", (int64_t)n->indexed);
	json_write_int(j, "duplicate", (int64_t)n->duplicate);
	json_write_int(j, "unsupported", (int64_t)n->unsupported);
	json_write_int(j, "damaged", (int64_t)n->damaged);
	json_write_int(j, "too_big", (int64_t)n->too_big);
	json_write_int(j, "excluded", (int64_t)n->excluded);
	json_write_int(j, "unreadable", (int64_t)n->unreadable);
	json_write_int(j, "kept_out", (int64_t)n->deleted);
	json_write_int(j, "link", (int64_t)n->link);
}

void counts_write_json(json_writer *j, const imgsearch_index_update_report *r)
{
	counts_write_states(j, r->counts);
	json_write_int(j, "added", (int64_t)r->added);
	json_write_int(j, "changed", (int64_t)r->changed);
	json_write_int(j, "unchanged", (int64_t)r->unchanged);
	json_write_int(j, "moved", (int64_t)r->moved);
	json_write_int(j, "removed", (int64_t)r->removed);
	json_write_int(j, "offline", (int64_t)r->offline);
	json_write_int(j, "rehashed", (int64_t)r->rehashed);
	json_write_int(j, "remade", (int64_t)r->remade);
	json_write_int(j, "redecoded", (int64_t)r->redecoded);
	json_write_int(j, "failed", (int64_t)r->failed);
	json_write_int(j, "described", (int64_t)r->described);
	json_write_open(j, "unmatched", '[');
	for (size_t i = 0; i < r->unmatched->count; i++)
		json_write_text(j, NULL, r->unmatched->items[i]);
	json_write_close(j, ']');
	json_write_seconds(j, "seconds", r->seconds);
	json_write_seconds(j, "walk_s", r->walk_seconds);
	json_write_seconds(j, "decode_s", r->decode_seconds);
	json_write_seconds(j, "network_s", r->network_seconds);
	json_write_seconds(j, "store_s", r->store_seconds);
}
