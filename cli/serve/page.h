/* The page: files of cli/serve/page and cli/draw/plane.js, compiled in. */
#ifndef IMGSEARCH_CLI_PAGE_H
#define IMGSEARCH_CLI_PAGE_H

typedef struct page_file {
	const char *path, *type; /* of the address; Content-Type */
	const char *data, *end;
} page_file;

const page_file *page_find(const char *path); /* NULL: no such file */

#endif
