/*
 * Queries: features of the inputs, one vector in the space of the index, the searcher or a scan,
 * paths of the ids. A query never writes. Expansion searches twice; re-ranking asks for more
 * results than are wanted and changes their order (improve.h). A query uses one view from beginning
 * to end. Any number of threads at once.
 */
#ifndef IMS_QUERY_QUERY_H
#define IMS_QUERY_QUERY_H

#include "handle/handle.h"

/*
 * imgsearch_query; options are a complete copy. Errors: see there. *out is freed by
 * imgsearch_hits_free.
 */
int ims_query(imgsearch *s, const imgsearch_input *in, size_t n,
	const imgsearch_query_options *options, job *j, imgsearch_hits **out, imgsearch_error *err);

#endif
