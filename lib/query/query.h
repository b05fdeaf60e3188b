/*
 * Queries: features of the inputs, one vector in the index's space, the searcher or the plain scan,
 * paths of the ids. Nothing here writes. Expansion asks twice; re-ranking asks for more results
 * than are wanted and changes their order (improve.h). A query holds a reference to one view for
 * its whole length.
 */
#ifndef IMS_QUERY_QUERY_H
#define IMS_QUERY_QUERY_H

#include "handle/handle.h"

/* imgsearch_query; options are a complete copy. */
int ims_query(imgsearch *s, const imgsearch_input *in, size_t n,
	const imgsearch_query_options *options, imgsearch_hits **out, imgsearch_error *err);

#endif
