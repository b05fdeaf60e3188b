#ifndef IMS_BUILD_CHANCE_H
#define IMS_BUILD_CHANCE_H

#include "handle/view.h"

/* Fits the distribution of unrelated scores in the view's space and keeps it; within a write. */
int ims_chance_fit(imgsearch *s, const view *v, imgsearch_error *err);

#endif
