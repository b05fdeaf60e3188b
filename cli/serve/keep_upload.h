/* Uploads that are added to the index. Names of files are made here: none comes from a request. */
#ifndef IMGSEARCH_CLI_KEEP_UPLOAD_H
#define IMGSEARCH_CLI_KEEP_UPLOAD_H

#include "cli/serve/server.h"

/* Adds one picture, and keeps it in the folder of uploads. 0 or a status. */
int keep_upload(server *sv, imgsearch *s, const void *data, size_t size, int64_t *id,
	imgsearch_error *err);

#endif
