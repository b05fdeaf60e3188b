/* Index runs by the server. */
#ifndef IMGSEARCH_CLI_CLIENT_INDEX_H
#define IMGSEARCH_CLI_CLIENT_INDEX_H

#include "cli/client/client.h"
#include "imgsearch.h"

/* The result of a run. */
typedef struct client_index_result {
	int rc; /* 0 or a status, as imgsearch_index_update returns it; then err says why */
	imgsearch_index_update_report report; /* its counts and lists are those below */
	imgsearch_counts counts;
	imgsearch_strings unmatched;
	char **texts; /* owned: those of the lists */
	imgsearch_error err;
} client_index_result;

void client_index_result_free(client_index_result *r);

/*
 * imgsearch_index_update by the server; paths are absolute. add_model: the model that o
 * wants added, by name or absolute path, else NULL. progress may be NULL; a result other
 * than 0 stops the run. True: the server ran it, and r has the result, which
 * client_index_result_free frees. False: it did not, and nothing was done.
 */
bool client_index(client *l, const char *const *paths, size_t n,
	const imgsearch_index_update_options *o, const char *add_model,
	int (*progress)(void *user, const imgsearch_progress *p), void *user, client_index_result *r);

#endif
