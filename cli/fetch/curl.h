/*
 * libcurl, loaded when it is first needed. Nothing of it is needed to build: what is used is
 * declared here, by the numbers that its interface keeps.
 */
#ifndef IMGSEARCH_CLI_CURL_H
#define IMGSEARCH_CLI_CURL_H

#include <stdbool.h>

/* Options (curl.h: CURLOPT_...), by the type of their value: long, pointer, function. */
enum {
	OPTION_LOW_SPEED_LIMIT = 19,
	OPTION_LOW_SPEED_TIME = 20,
	OPTION_NOPROGRESS = 43,
	OPTION_FOLLOWLOCATION = 52,
	OPTION_MAXREDIRS = 68,
	OPTION_CONNECTTIMEOUT = 78,
	OPTION_NOSIGNAL = 99,
	OPTION_PROTOCOLS = 181,
	OPTION_REDIR_PROTOCOLS = 182,
	OPTION_WRITEDATA = 10001,
	OPTION_URL = 10002,
	OPTION_RANGE = 10007,
	OPTION_ERRORBUFFER = 10010,
	OPTION_USERAGENT = 10018,
	OPTION_HTTPHEADER = 10023,
	OPTION_HEADERDATA = 10029,
	OPTION_PROGRESSDATA = 10057,
	OPTION_CAINFO = 10065,
	OPTION_CAPATH = 10097,
	OPTION_WRITEFUNCTION = 20011,
	OPTION_HEADERFUNCTION = 20079,
	OPTION_XFERINFOFUNCTION = 20219
};

enum { PROTOCOL_HTTP = 1, PROTOCOL_HTTPS = 2 };
enum { CURL_WORD_SIZE = 256 }; /* bytes of the error buffer */

/* Results (CURLE_...). */
enum {
	RESULT_OK = 0,
	RESULT_UNSUPPORTED_PROTOCOL = 1,
	RESULT_CUT_OFF = 18,
	RESULT_WRITE_ERROR = 23,
	RESULT_TIMED_OUT = 28,
	RESULT_ABORTED = 42
};

struct curl_slist;

typedef struct curl_functions {
	void *(*init)(void);
	void (*cleanup)(void *handle);
	int (*setopt)(void *handle, int option, ...);
	int (*perform)(void *handle);
	const char *(*strerror)(int result);
	struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
	void (*slist_free)(struct curl_slist *list);
	int (*global_init)(long flags);
} curl_functions;

/* The library; NULL: it is not installed. One thread. */
const curl_functions *curl_load(void);

#endif
