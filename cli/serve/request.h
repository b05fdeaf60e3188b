/*
 * What a request asks for: parameters and body become a search_call. Knows no sockets and no files, so that a fuzzer
 * can feed it: every byte here comes from a stranger.
 *
 *	search_call call;
 *	search_call_init(&call);
 *	ok = search_param(&call, "k", "10") && ... && search_body(&call, "image/jpeg", body, size) && search_ready(&call);
 *	... call.input, call.n, call.options; on !ok call.why ...
 *	search_call_free(&call);
 */
#ifndef IMGSEARCH_SERVE_REQUEST_H
#define IMGSEARCH_SERVE_REQUEST_H

#include "imgsearch.h"

#include <stdbool.h>

enum { REQUEST_INPUTS = 32, REQUEST_PARTS = 32, REQUEST_IDS = 100000, REQUEST_DIM = 65536, REQUEST_HELD = 33 };

typedef struct search_call {
	imgsearch_input input[REQUEST_INPUTS]; /* data points into the body, or to vectors of ours */
	char held[REQUEST_INPUTS][REQUEST_HELD]; /* not "": the picture that the server holds under this name */
	size_t n;
	imgsearch_query_options options;       /* its strings and ids are ours */
	bool hold;                             /* keep uploaded pictures for a while */
	int32_t crop[4];                       /* for a raw body, which takes it */
	char *under;
	int64_t *ids;
	float *vectors[REQUEST_INPUTS];
	char why[256];                         /* the first thing that is wrong */
} search_call;

void search_call_init(search_call *c);
void search_call_free(search_call *c);

/* One parameter of the query string; value may be NULL. */
bool search_param(search_call *c, const char *name, const char *value);

/* The body: a picture, a form with pictures and perhaps a "query" part of JSON, or JSON. It must outlive the call. */
bool search_body(search_call *c, const char *content_type, const char *body, size_t size);

/* There is something to search with, and no crop that nothing took. */
bool search_ready(search_call *c);

/* A file of a form. */
typedef struct form_part {
	char name[64];
	const char *data;
	size_t size;
} form_part;

/* The parts of multipart/form-data; how many (at most max), or -1: malformed. Data points into the body. */
int form_parse(form_part *part, int max, const char *content_type, const char *body, size_t size);

/* {"a": 1, "b": 2}, both positive. */
bool request_pair(const char *body, size_t size, int64_t *a, int64_t *b);

/* What `imgsearch index` asks of a server. */
typedef struct index_call {
	char **paths, **include, **exclude;
	size_t n_paths, n_include, n_exclude;
	char *csv, *csv_key, *csv_title;
	bool follow_links, prune, retry;
} index_call;

bool request_index(index_call *c, const char *body, size_t size);
void index_call_free(index_call *c);

#endif
