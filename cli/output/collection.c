/* Counts, pictures, groups and maps as JSON, and the folders that a map is coloured by. */
#include "cli/output/collection.h"

#include <stdlib.h>
#include <string.h>

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

void item_write_members(json_writer *j, const imgsearch_item *item)
{
	json_write_int(j, "id", item->id);
	json_write_path(j, "path", item->path);
	if (item->title)
		json_write_text(j, "title", item->title);
	json_write_text(j, "state", state_name(item->state));
	json_write_int(j, "width", item->width);
	json_write_int(j, "height", item->height);
	json_write_int(j, "size", (int64_t)item->size);
	if (item->hash[0])
		json_write_text(j, "hash", item->hash);
	json_write_columns(j, item->columns, item->n_columns);
}

void item_write_json(json_writer *j, imgsearch *s, int64_t id)
{
	imgsearch_item *item = NULL;
	json_write_open(j, NULL, '{');
	if (imgsearch_item_get(s, id, &item, NULL) == 0)
		item_write_members(j, item);
	else
		json_write_int(j, "id", id);
	json_write_close(j, '}');
	imgsearch_item_free(item);
}

const char *group_kind(uint32_t kind)
{
	return kind == IMGSEARCH_SAME_BYTES ? "bytes" : kind == IMGSEARCH_SAME_PICTURE ? "picture" : "scene";
}

void group_write_json(json_writer *j, imgsearch *s, const imgsearch_group *g)
{
	json_write_text(j, "kind", group_kind(g->kind));
	json_write_float(j, "score", g->score);
	json_write_open(j, "pictures", '[');
	for (size_t i = 0; i < g->count; i++)
		item_write_json(j, s, g->ids[i]);
	json_write_close(j, ']');
}

/* ------------------------------------------------------------------------------------------------ folders ---- */

typedef struct reading {
	folders *f;
	const imgsearch_map_points *points;
} reading;

static uint32_t *place_of(const reading *r, int64_t id)
{
	size_t low = 0, high = r->points->count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (r->points->point[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < r->points->count && r->points->point[low].id == id ? &r->f->of[low] : NULL;
}

/* Items come in order of path, so that a folder is either the last one or new, but for folders within folders. */
static bool folder_number(folders *f, const char *path, uint32_t *out)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	for (size_t i = f->n; i-- > 0;)
		if (!strncmp(f->name[i], path, length) && !f->name[i][length]) {
			*out = (uint32_t)i;
			return true;
		}
	if (f->n == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 64;
		char **more = realloc(f->name, cap * sizeof *more);
		if (!more)
			return false;
		f->name = more;
		f->cap = cap;
	}
	f->name[f->n] = strndup(path, length);
	*out = (uint32_t)f->n;
	return f->name[f->n] && ++f->n;
}

static int read_item(void *user, const imgsearch_item *item)
{
	reading *r = user;
	uint32_t *to = place_of(r, item->id);
	return to && !folder_number(r->f, item->path, to) ? 1 : 0;
}

/* Leaves out what all names begin with, up to a slash. */
static void shorten(folders *f)
{
	size_t common = f->n ? strlen(f->name[0]) : 0;
	for (size_t i = 1; i < f->n; i++) {
		size_t n = 0;
		while (n < common && f->name[i][n] == f->name[0][n])
			n++;
		common = n;
	}
	while (f->n && common && f->name[0][common - 1] != '/')
		common--;
	for (size_t i = 0; i < f->n; i++)
		memmove(f->name[i], f->name[i] + common, strlen(f->name[i] + common) + 1);
}

bool folders_read(folders *f, imgsearch *s, const imgsearch_map_points *points, imgsearch_error *err)
{
	reading r = { f, points };
	*f = (folders){ .of = calloc(points->count + 1, sizeof *f->of) };
	if (!f->of || imgsearch_list(s, IMGSEARCH_INDEXED, read_item, &r, err)) {
		folders_free(f);
		return false;
	}
	shorten(f);
	return true;
}

void folders_free(folders *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->name[i]);
	free(f->name);
	free(f->of);
	*f = (folders){ 0 };
}

int map_write_json(FILE *f, imgsearch *s, const imgsearch_map_points *points, imgsearch_error *err)
{
	folders by;
	json_writer j;
	if (!folders_read(&by, s, points, err)) {
		if (err && !err->code)
			*err = (imgsearch_error){ IMGSEARCH_ENOMEM, 0, "out of memory" };
		return err ? err->code : IMGSEARCH_ENOMEM;
	}
	json_write_begin(&j, f);
	json_write_open(&j, "folders", '[');
	for (size_t i = 0; i < by.n; i++)
		json_write_text(&j, NULL, by.name[i]);
	json_write_close(&j, ']');
	json_write_open(&j, "points", '[');
	for (size_t i = 0; i < points->count; i++) {
		const imgsearch_map_point *p = &points->point[i];
		fprintf(f, "%s[%lld,%.4f,%.4f,%u]", i ? "," : "", (long long)p->id, (double)p->x, (double)p->y, by.of[i]);
	}
	json_write_close(&j, ']');
	json_write_end(&j);
	folders_free(&by);
	return 0;
}
