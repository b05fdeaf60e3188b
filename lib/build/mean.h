#ifndef IMS_BUILD_MEAN_H
#define IMS_BUILD_MEAN_H

#include "handle/view.h"

static const double stale_drift = 0.2;

int ims_mean_fit(imgsearch *s, view *v, bool *changed, imgsearch_error *err);

#endif
