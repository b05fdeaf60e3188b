/* How good the answers of an index are. */
#ifndef IMS_COLLECTION_EVAL_H
#define IMS_COLLECTION_EVAL_H

#include "base/base.h"

/* imgsearch_eval; options are a complete copy. */
int ims_eval(imgsearch *s, const imgsearch_eval_options *options, job *job,
	imgsearch_eval_report **out, imgsearch_error *err);

#endif
