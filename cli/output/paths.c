/* Other paths, as JSON and as text. */
#include "cli/output/paths.h"

#include "cli/output/record.h"

#include <string.h>

/* Whether a path is another name of the file of the path `own`. */
static bool is_link(const imgsearch_path *p, const char *own)
{
	return p->same_file_path && !strcmp(p->same_file_path, own);
}

void paths_write_json(json_writer *j, const char *own, const imgsearch_paths *paths)
{
	if (!paths)
		return;
	json_write_open(j, "also", '[');
	for (size_t i = 0; i < paths->count; i++) {
		const imgsearch_path *p = paths->items[i];
		json_write_open(j, NULL, '{');
		json_write_path(j, "path", p->path);
		json_write_bool(j, "link", is_link(p, own));
		if (p->same_file_path && !is_link(p, own))
			json_write_path(j, "same_file", p->same_file_path);
		json_write_close(j, '}');
	}
	json_write_close(j, ']');
}

void paths_write_link(const char *path)
{
	printf("\tsame file: ");
	record_path(path);
}

static void write_copy(const imgsearch_path *p)
{
	printf("\tcopy: ");
	record_path(p->path);
	if (!p->same_file_path)
		return;
	printf("\tsame file as: ");
	record_path(p->same_file_path);
}

void paths_write_text(const char *own, const imgsearch_paths *paths)
{
	for (size_t i = 0; paths && i < paths->count; i++)
		if (is_link(paths->items[i], own))
			paths_write_link(paths->items[i]->path);
		else
			write_copy(paths->items[i]);
}
