/*
 * A search, parsed from the parameters and the body of a request. Knows no sockets and no
 * files, so that a fuzzer can feed it.
 *
 *	search_request q;
 *	search_request_init(&q);
 *	ok = search_request_param(&q, "k", "10") && ...
 *		&& search_request_body(&q, "image/jpeg", body, size) && search_request_check(&q);
 *	... q.input, q.n, q.options; or else q.why ...
 *	search_request_free(&q);
 */
#ifndef IMGSEARCH_CLI_SEARCH_REQUEST_H
#define IMGSEARCH_CLI_SEARCH_REQUEST_H

#include "cli/serve/filter_request.h"
#include "cli/serve/form.h"
#include "cli/serve/upload_cache.h"
#include "imgsearch.h"

#include <stdbool.h>

enum {
	REQUEST_INPUTS = 32,
	REQUEST_PARTS = 32,
	REQUEST_IDS = 100000,
	/* What one request may cost: less than the library allows. */
	REQUEST_EXPAND = 100,
	REQUEST_RECIPROCAL = 100,
	REQUEST_K_RERANKED = 1000,
};

typedef struct search_request {
	imgsearch_input input[REQUEST_INPUTS];    /* data and text: in the body, or below */
	char upload[REQUEST_INPUTS][UPLOAD_NAME]; /* not "": the name of a cached upload */
	size_t n;
	imgsearch_query_options options; /* its filter, if any, is the one of the next member */
	filter_request filter;           /* with the ids below */
	bool cache_uploads;              /* pictures of the body are to be cached */
	int32_t crop[4];                 /* of a picture that is the body */
	int64_t *ids;
	size_t n_ids;
	float *vectors[REQUEST_INPUTS];
	char *texts[REQUEST_INPUTS];
	char *text_template, *model;
	char given[512]; /* names of parameters that may not come again */
	char why[256];   /* the first error */
} search_request;

void search_request_init(search_request *q);
void search_request_free(search_request *q);

/* The functions below return false when something is wrong. */

/* One parameter of the query string; value may be NULL. */
bool search_request_param(search_request *q, const char *name, const char *value);

/*
 * The body: a picture, a form with pictures and perhaps a "query" part of JSON, or JSON. It must
 * outlive the request.
 */
bool search_request_body(search_request *q, const char *content_type, const char *body,
	size_t size);

/* At the end: there is something to search with, and every crop belongs to a picture. */
bool search_request_check(search_request *q);

#endif
