/*
 * The open index of a server: used by many threads at once. It is opened again when another file
 * stands at its path, or its list of addresses changed. So it is when it has more shards, or when a
 * shard that could not be reached can be.
 *
 *	imgsearch *s = open_index_acquire(ix, &err);
 *	if (!s)
 *		... err says why ...
 *	... imgsearch_query(s, ...) ...
 *	open_index_release(ix);
 */
#ifndef IMGSEARCH_CLI_OPEN_INDEX_H
#define IMGSEARCH_CLI_OPEN_INDEX_H

#include "imgsearch.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

typedef struct open_index open_index;

/*
 * path is borrowed, and what the options point to. The index is opened with a copy of the call.
 * Errors: see imgsearch_open; open_index_free is needed in either case.
 */
int open_index_new(open_index **out, const char *path, const imgsearch_options *o,
	const imgsearch_call *call, imgsearch_error *err);
void open_index_free(open_index *ix); /* NULL is fine */

/*
 * The handle, until it is released by the same thread. NULL: err says why, and there is nothing to
 * release.
 */
imgsearch *open_index_acquire(open_index *ix, imgsearch_error *err);
void open_index_release(open_index *ix);

/*
 * Opens the index once more, with the options that it has but for a model of that name. Errors: see
 * imgsearch_open. The caller closes *out.
 */
int open_index_by_model(const open_index *ix, const char *model, imgsearch **out,
	imgsearch_error *err);

/* The file that was opened, before another thread uses ix; false: the index lies on a server. */
bool open_index_file(const open_index *ix, struct stat *out);

/* Notes an error of a call on the handle: the index may have to be opened again. */
void open_index_note(open_index *ix, const imgsearch_error *err);

/*
 * How often the index was opened. When this changes, results computed from the handle are out of
 * date.
 */
uint64_t open_index_openings(const open_index *ix);

#endif
