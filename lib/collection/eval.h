#ifndef IMS_COLLECTION_EVAL_H
#define IMS_COLLECTION_EVAL_H

#include "base/base.h"

int ims_eval(imgsearch *s, const imgsearch_eval_options *o, job *job, imgsearch_eval_report **out, imgsearch_error *err);

#endif
