/* Shared by the parts of imgsearch map. */
#ifndef IMGSEARCH_CLI_MAP_H
#define IMGSEARCH_CLI_MAP_H

#include "cli/context/context.h"

typedef struct map_args {
	common_args common;
	const char *output;
	filter_args filter;
	uint32_t tiles, pca, size;
	uint64_t max_points, seed;
	float perplexity;
} map_args;

/* Each writes a->output. False: failed, with a message unless a signal ended it. */
/* Coloured by folder. */
bool map_draw_points(const map_args *a, context *c, const imgsearch_map *m);
/* The pictures on a grid. */
bool map_draw_tiles(const map_args *a, context *c, const imgsearch_map *m);
/* An HTML page that needs no other file. */
bool map_write_page(const map_args *a, context *c, const imgsearch_map *m);

#endif
