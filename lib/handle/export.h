/* All vectors of an index with what other programs need to know of them. */
#ifndef IMS_HANDLE_EXPORT_H
#define IMS_HANDLE_EXPORT_H

#include "handle/handle.h"

/*
 * imgsearch_vectors_export; the options are a complete copy. All from one state of the index.
 * Progress stage "export".
 */
int ims_export(imgsearch *s, const imgsearch_vectors_export_options *options,
	imgsearch_vectors_export_fn each, void *user, job *j, imgsearch_error *err);

#endif
