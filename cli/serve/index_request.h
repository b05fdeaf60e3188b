/*
 * An index run that `imgsearch index` wants of a server, parsed from JSON. Knows no sockets and no
 * files, so that a fuzzer can feed it.
 */
#ifndef IMGSEARCH_CLI_INDEX_REQUEST_H
#define IMGSEARCH_CLI_INDEX_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct index_request {
	char **paths, **include, **exclude;
	size_t n_paths, n_include, n_exclude;
	char *csv, *csv_key, *csv_title, *formats, *add_model;
	bool follow_links, no_follow_links, prune, retry;
	bool reread, partial, no_default_excludes, no_exclude, no_include;
	bool regions, no_regions;
	char why[256]; /* the first error */
} index_request;

/*
 * False: something is malformed, or memory ran out, as why says. index_request_free is needed in
 * either case.
 */
bool index_request_parse(index_request *q, const char *body, size_t size);
void index_request_free(index_request *q);

#endif
