/*
 * Files from HTTP servers, by libcurl: redirects are followed, but never from https to http; an
 * interrupted file goes on where it was. Sent is the request for the file alone, with the proxies
 * that the environment names (http_proxy, https_proxy, no_proxy), and the certificates
 * (CURL_CA_BUNDLE, SSL_CERT_FILE, SSL_CERT_DIR). One thread.
 */
#ifndef IMGSEARCH_CLI_FETCH_H
#define IMGSEARCH_CLI_FETCH_H

#include <stdbool.h>
#include <stdint.h>

/* done and total in bytes; total is 0 while it is unknown. Non-zero stops. */
typedef int (*fetch_progress)(void *user, uint64_t done, uint64_t total);

typedef struct fetch_file {
	const char *url;
	const char *path;          /* of the complete file; beside it are PATH.part, .tag, .stated */
	uint64_t bytes, bytes_off; /* the size that is stated, and how much it may be off; 0: none */
	const char *sha256;        /* the first digits, or all, that are stated; NULL: none */
	unsigned timeout;          /* seconds without a byte after which the server is given up */
	/* Results: what the server states of the whole file, "": nothing; what it has. */
	char server_sha256[65], got_sha256[65];
	uint64_t got_bytes;
} fetch_file;

/* Whether libcurl is there. */
bool fetch_possible(void);

/*
 * Fetches a file, unless it is there as stated. CLI_DONE; or CLI_FAILED or CLI_INTERRUPTED, said:
 * what has come stays in PATH.part, unless it is wrong.
 */
int fetch_run(fetch_file *f, fetch_progress progress, void *user);

#endif
