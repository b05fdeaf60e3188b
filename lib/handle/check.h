/* The check of an index. */
#ifndef IMS_HANDLE_CHECK_H
#define IMS_HANDLE_CHECK_H

#include "handle/handle.h"

typedef int problem_each(void *user, const char *text);

/*
 * imgsearch_check. problem may be NULL; a result of it other than 0 stops the check and is
 * returned. EDB, EIO, ENOMEM, ECANCELED.
 */
int ims_check(imgsearch *s, uint32_t queries, problem_each *problem, void *user,
	imgsearch_check_report *report, job *j, imgsearch_error *err);

#endif
