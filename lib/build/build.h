/* Builds a searcher, and with it the mean and the chance model of an index. */
#ifndef IMS_BUILD_BUILD_H
#define IMS_BUILD_BUILD_H

#include "handle/view.h"

/* imgsearch_build_report while it is made. */
typedef struct build_result {
	const char *searcher; /* static; NULL: nothing was built */
	uint64_t rows, bytes;
	double seconds;
	char why[256];
} build_result;

/*
 * imgsearch_build; options are a complete copy, and the caller holds the writer lock. Queries use
 * the old state until the new one is committed. EINVAL: there is no such searcher. EDB, EIO,
 * ENOMEM, ECANCELED.
 */
int ims_build(imgsearch *s, const imgsearch_build_options *options, build_result *result, job *job,
	imgsearch_error *err);

#endif
