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
}

void counts_write_json(json_writer *j, const imgsearch_counts *n)
{
	counts_write_states(j, n);
	json_write_int(j, "added", (int64_t)n->added);
	json_write_int(j, "unchanged", (int64_t)n->unchanged);
	json_write_int(j, "moved", (int64_t)n->moved);
	json_write_int(j, "removed", (int64_t)n->removed);
	json_write_int(j, "offline", (int64_t)n->offline);
	json_write_seconds(j, "seconds", n->seconds);
	json_write_seconds(j, "walk_s", n->walk_s);
	json_write_seconds(j, "decode_s", n->decode_s);
	json_write_seconds(j, "network_s", n->network_s);
	json_write_seconds(j, "store_s", n->store_s);
}
