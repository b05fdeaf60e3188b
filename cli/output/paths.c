/* Other paths, as JSON and as text. */
#include "cli/output/paths.h"

#include "cli/output/record.h"

#include <string.h>

/* Whether a path is the next one of the links, which are in the order of the paths. */
static bool take_link(const imgsearch_strings *links, size_t *next, const char *path)
{
	bool is = links && *next < links->count && !strcmp(links->items[*next], path);
	*next += is;
	return is;
}

/* The copy that path i is another name of; NULL: none. */
static const char *copy_of(const imgsearch_strings *linked, size_t i)
{
	return linked && *linked->items[i] ? linked->items[i] : NULL;
}

void paths_write_json(json_writer *j, const imgsearch_strings *paths,
	const imgsearch_strings *links, const imgsearch_strings *linked)
{
	size_t next = 0;
	if (!paths)
		return;
	json_write_open(j, "also", '[');
	for (size_t i = 0; i < paths->count; i++) {
		json_write_open(j, NULL, '{');
		json_write_path(j, "path", paths->items[i]);
		json_write_bool(j, "link", take_link(links, &next, paths->items[i]));
		if (copy_of(linked, i))
			json_write_path(j, "same_file", copy_of(linked, i));
		json_write_close(j, '}');
	}
	json_write_close(j, ']');
}

void paths_write_text(const imgsearch_strings *paths, const imgsearch_strings *links,
	const imgsearch_strings *linked)
{
	size_t next = 0;
	for (size_t i = 0; paths && i < paths->count; i++) {
		bool link = take_link(links, &next, paths->items[i]);
		printf("\t%s: ", link ? "same file" : "copy");
		record_path(paths->items[i]);
		if (copy_of(linked, i)) {
			printf("\tsame file as: ");
			record_path(copy_of(linked, i));
		}
	}
}
