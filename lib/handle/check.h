/* The check of an index. */
#ifndef IMS_HANDLE_CHECK_H
#define IMS_HANDLE_CHECK_H

#include "handle/handle.h"

/*
 * imgsearch_check. problem may be NULL; a result of it other than 0 stops the check and is
 * returned. EDB, EIO, ENOMEM, ECANCELED.
 */
int ims_check(imgsearch *s, const imgsearch_check_options *options, job *j,
	imgsearch_check_report **out, imgsearch_error *err);

#endif
