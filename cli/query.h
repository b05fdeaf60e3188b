/*
 * What the parts of imgsearch query share: its options, and how hits are written.
 */
#ifndef IMGSEARCH_CLI_QUERY_H
#define IMGSEARCH_CLI_QUERY_H

#include "cli/client/server_client.h"
#include "cli/draw/sheet.h"

typedef struct query_args {
	common_args common;
	imgsearch_query_options options;
	int32_t crop[4];
	uint32_t combine, paths;
	option_list not;
	const char *vectors, *ids, *distances; /* --vectors and its outputs */
	uint32_t stats, batch;
	uint32_t no_server, preview;
	const char *html, *sheet_file;
	client *server;                   /* NULL: none is running, or it is not to be used */
	sheet sheet;                           /* what --html and --sheet will show */
} query_args;

/* The object of `query --json`, with a newline: query is what was asked for, as one word. */
void hits_write_json(FILE *f, const char *query, const imgsearch_hits *hits);

/* Hits as text (score, path, title), or the object above with --json. */
void query_show(const context *c, const query_args *a, const char *query, const imgsearch_hits *hits);

/* --vectors: the rows of an array file as queries. */
int query_vectors(context *c, query_args *a);

#endif
