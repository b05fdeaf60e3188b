/*
 * Views of the index as JSON (the map, the groups) that take long to compute and are valid until
 * the index changes, of all pictures or of some. The first request about these pictures starts a
 * thread, or waits while two are at work. Requests that arrive meanwhile get the last view where
 * there is one, else the progress, and their clients ask again. Eight are kept of each view. Any
 * thread may call.
 */
#ifndef IMGSEARCH_CLI_CACHED_VIEW_H
#define IMGSEARCH_CLI_CACHED_VIEW_H

#include "cli/serve/exchange.h"
#include "cli/serve/filter_request.h"

#include <stdio.h>

/* Computes a view of the index and writes its JSON to f. filter NULL: of all. 0 or a status. */
typedef int cached_view_make(imgsearch *s, const imgsearch_filter *filter,
	const imgsearch_call *call, FILE *f, imgsearch_error *err);

typedef struct cached_view cached_view;

cached_view *cached_view_new(server *s, cached_view_make *make); /* NULL: out of memory */
void cached_view_free(cached_view *v); /* NULL is fine; no thread may be computing it */

/* Marks the view as old after a change of the index: the next requests compute it again. */
void cached_view_invalidate(cached_view *v);

/*
 * asked: after filter_request_make; its contents may be taken over. refresh: the view is computed
 * anew. Answers 200 with the JSON. While another one is computed that is the last one, and the
 * header Imgsearch-Working has the share done. Where there is no last one it answers 202 with the
 * share done. An error is reported once; the next request starts the computation again.
 */
enum MHD_Result cached_view_answer(exchange *x, cached_view *v, filter_request *asked,
	bool refresh);

#endif
