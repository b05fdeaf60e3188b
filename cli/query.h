/* Shared by the parts of imgsearch query. */
#ifndef IMGSEARCH_CLI_QUERY_H
#define IMGSEARCH_CLI_QUERY_H

#include "cli/client/client.h"
#include "cli/context/context.h"
#include "cli/draw/sheet.h"
#include "cli/output/hits.h"

typedef struct query_args {
	common_args common;
	imgsearch_query_options options;
	filter_args filter;
	int32_t crop[4];
	uint32_t combine, paths;
	option_inputs inputs;                  /* pictures and texts */
	size_t queries;                        /* how many there are */
	const char *vectors, *ids, *distances; /* --vectors and its outputs */
	uint32_t stats, batch;
	uint32_t no_server, preview;
	const char *html, *sheet_file;
	client *server; /* NULL: none is running, or it must not be used */
	sheet sheet;    /* what --html and --sheet will show */
} query_args;

/*
 * Hits on stdout: score, path and title, or with --json an object. name: the picture that was
 * searched for, as it was given; path: its absolute path, or NULL; inputs: as in hits_write_json.
 */
void query_show(const context *c, const query_args *a, const char *name, const char *path,
	const hits_inputs *inputs, const imgsearch_hits *hits);

/* --vectors: the rows of an array file are the queries. */
int query_vectors(context *c, query_args *a);

#endif
