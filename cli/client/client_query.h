/* Queries by the server. */
#ifndef IMGSEARCH_CLI_CLIENT_QUERY_H
#define IMGSEARCH_CLI_CLIENT_QUERY_H

#include "cli/client/client.h"
#include "imgsearch.h"

/*
 * imgsearch_query by the server. A filter has one folder or a condition on columns, or
 * both, and nothing else. client_hits_free frees
 * *out. False: no answer, or not one of the whole index.
 */
bool client_query(client *l, const imgsearch_input *in, size_t n, const imgsearch_query_options *o,
	imgsearch_hits **out);
void client_hits_free(imgsearch_hits *hits); /* NULL is fine */

#endif
