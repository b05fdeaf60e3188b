/*
 * The mean feature of an index of pictures, which is subtracted from every row under the cosine
 * metric; of few pictures a smaller part of it. Vectors of the caller's own are compared as they
 * are: an index without a model has none. Nor has one whose model compares texts with pictures:
 * features of texts lie elsewhere than those of pictures, and less the pictures' mean they would
 * not be compared as the model was trained to.
 */
#ifndef IMS_BUILD_MEAN_H
#define IMS_BUILD_MEAN_H

#include "handle/view.h"

/* The share of rows that may change before the mean or a searcher is made again. */
static const double stale_drift = 0.2;

/*
 * Fits and stores the mean if there are enough rows and their number changed by more than
 * stale_drift since the last fit, because every searcher depends on it; drops one that should not
 * be. *changed: the caller must acquire a new view. The caller holds the writer lock. EDB, EIO,
 * ENOMEM, ECANCELED, EDEADLINE.
 */
int ims_mean_fit(imgsearch *s, view *v, job *j, bool *changed, imgsearch_error *err);

#endif
