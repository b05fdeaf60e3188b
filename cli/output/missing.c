#include "cli/output/missing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *missing_names(imgsearch *s)
{
	imgsearch_shards *shards;
	char *names = NULL;
	size_t size;
	if (imgsearch_shards_list(s, &shards, NULL))
		return NULL;
	FILE *f = open_memstream(&names, &size);
	for (size_t i = 0; f && i < shards->count; i++)
		if (shards->items[i]->missing)
			fprintf(f, "%s%s", ftell(f) ? "\n" : "", shards->items[i]->name);
	imgsearch_shards_free(shards);
	if (f && !fclose(f) && *names)
		return names;
	free(names);
	return NULL;
}

void missing_write_json(json_writer *j, const char *lines)
{
	if (!lines)
		return;
	json_write_open(j, "missing", '[');
	while (*lines) {
		size_t n = strcspn(lines, "\n");
		char *name = strndup(lines, n);
		json_write_text(j, NULL, name);
		free(name);
		lines += n + (lines[n] == '\n');
	}
	json_write_close(j, ']');
}
