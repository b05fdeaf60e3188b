/* Totals of an index. */
#ifndef IMS_HANDLE_INFO_H
#define IMS_HANDLE_INFO_H

#include "handle/handle.h"

/* imgsearch_info_get. *out is freed by imgsearch_info_free. Errors: see there. */
int ims_info(imgsearch *s, const job *j, imgsearch_info **out, imgsearch_error *err);

#endif
