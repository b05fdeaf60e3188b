/* The list of models as programs see it. Any thread. */
#ifndef IMS_MODEL_LISTING_H
#define IMS_MODEL_LISTING_H

#include "base/base.h"

/* As imgsearch_model_each. */
int ims_model_each(int (*each)(void *user, const imgsearch_model *m), void *user,
	imgsearch_error *err);

#endif
