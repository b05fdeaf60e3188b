/*
 * Calls of the program's callbacks: all of them go through these functions. What unwinds the stack
 * out of a callback (a C++ exception, pthread_exit, the cancelling of the thread) would leave locks
 * held and memory lost behind it; it ends the process at once, with a sentence on standard error.
 */
#ifndef IMS_BASE_CALLBACK_H
#define IMS_BASE_CALLBACK_H

#include "imgsearch.h"

/* How many callbacks this thread is in: 0 in code that no callback called. */
unsigned ims_call_depth(void);

void ims_call_log(imgsearch_log_fn f, void *user, int level, const char *text);
int ims_call_progress(imgsearch_progress_fn f, void *user, const imgsearch_progress *progress);
int ims_call_filter(imgsearch_filter_fn f, void *user, int64_t id);
int ims_call_item(imgsearch_item_fn f, void *user, const imgsearch_item *item);
int ims_call_model(imgsearch_model_fn f, void *user, const imgsearch_model *model);
int ims_call_model_check(imgsearch_model_check_fn f, void *user,
	const imgsearch_model_check *check);
int ims_call_problem(imgsearch_problem_fn f, void *user, const char *text);
int ims_call_export(imgsearch_vectors_export_fn f, void *user,
	const imgsearch_vectors_export_block *block);
int ims_call_vectors(imgsearch_vectors_fn f, void *user, const int64_t *ids, const float *rows,
	size_t n, size_t dim);

#endif
