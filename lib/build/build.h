#ifndef IMS_BUILD_BUILD_H
#define IMS_BUILD_BUILD_H

#include "handle/view.h"

int ims_build(imgsearch *s, const imgsearch_build_options *o, imgsearch_build_report *report, job *job, imgsearch_error *err);

#endif
