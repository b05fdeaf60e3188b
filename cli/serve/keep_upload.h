/*
 * Uploads that are added to the index. No file has a name that comes from a request: in the folder
 * of uploads names are made here, and in the index there are no files.
 */
#ifndef IMGSEARCH_CLI_KEEP_UPLOAD_H
#define IMGSEARCH_CLI_KEEP_UPLOAD_H

#include "cli/serve/server.h"

typedef struct upload {
	const void *data;
	size_t size;
	const char *name; /* of the sender's file, any bytes; NULL or "": not told */
} upload;

/*
 * Adds one picture, and keeps it in the folder of uploads or in the index. *id: of the item; in the
 * index that is the one which has these bytes already. 0 or a status.
 */
int keep_upload(server *sv, imgsearch *s, const upload *u, const imgsearch_call *call, int64_t *id,
	imgsearch_error *err);

#endif
