/* Evaluation: how well an index answers queries. */
#ifndef IMS_COLLECTION_EVAL_H
#define IMS_COLLECTION_EVAL_H

#include "base/base.h"
#include "imgsearch/eval.h"

/*
 * imgsearch_eval_run; options are a complete copy. Errors: see there. *out is freed by
 * imgsearch_eval_report_free.
 */
int ims_eval(imgsearch *s, const imgsearch_eval_options *options, job *job,
	imgsearch_eval_report **out, imgsearch_error *err);

#endif
