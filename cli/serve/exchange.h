/* One request, from its first byte to its answer. */
#ifndef IMGSEARCH_CLI_EXCHANGE_H
#define IMGSEARCH_CLI_EXCHANGE_H

#include "cli/serve/server.h"

typedef struct exchange {
	server *server;
	struct MHD_Connection *connection;
	const char *method, *path;
	int64_t id;       /* the number in the path, where its route has one */
	const char *rest; /* the end of the path, where its route has one */
	bool local;       /* came over the unix socket, from the same user */
	char *body;       /* NULL: empty */
	size_t size, cap;
	size_t most; /* bytes that its body may have */
	double started;
	imgsearch_cancel_token *cancel; /* set when the client leaves, and when the server ends */
	size_t route;                   /* its number, as metrics count it */
	unsigned status;                /* of the answer; 0: none yet */
	size_t answer_size;             /* bytes of the answer's body */
	char etag[100];                 /* of what is answered, with its quotes; "": none */
	bool streams;                   /* the answer goes on after the handler */
	bool closes;                    /* the connection ends with the answer */
	bool refused;                   /* an answer is queued; the rest of the body is dropped */
	bool too_large, no_memory;      /* the body is dropped, and answered so at its end */
	size_t dropped;
} exchange;

/* A parameter of the query string, a header; NULL: not there. */
const char *exchange_param(const exchange *x, const char *name);
const char *exchange_header(const exchange *x, const char *name);

/*
 * A call of the library for the client: it is cancelled when that leaves, and ends at a deadline.
 */
imgsearch_call exchange_call(const exchange *x);
/* Whether the query string has a parameter; *value may become NULL: "?name". */
bool exchange_find(const exchange *x, const char *name, const char **value);

/* The body as text; never NULL. */
const char *exchange_body(const exchange *x);

#endif
