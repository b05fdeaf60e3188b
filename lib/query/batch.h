/* Many queries in one call, one per input. */
#ifndef IMS_QUERY_BATCH_H
#define IMS_QUERY_BATCH_H

#include "handle/handle.h"

/*
 * imgsearch_batch_query; options are a complete copy. Errors: see there. *out is freed by
 * imgsearch_answers_free.
 */
int ims_batch_query(imgsearch *s, const imgsearch_input *in, size_t n,
	const imgsearch_query_options *options, job *j, imgsearch_answers **out, imgsearch_error *err);

#endif
