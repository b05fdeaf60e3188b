/* The mean feature of an index, which is subtracted from every row under the cosine. */
#ifndef IMS_BUILD_MEAN_H
#define IMS_BUILD_MEAN_H

#include "handle/view.h"

/* The share of rows that may change before the mean or a searcher is made anew. */
static const double stale_drift = 0.2;

/*
 * Fits and stores the mean where there are enough rows and their number changed by stale_drift
 * since the last fit, for every searcher depends on it. *changed: a new one was stored, and the
 * view is to be acquired anew. The caller holds the writer's right. EDB, EIO, ENOMEM.
 */
int ims_mean_fit(imgsearch *s, view *v, bool *changed, imgsearch_error *err);

#endif
