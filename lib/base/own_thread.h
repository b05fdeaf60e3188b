/*
 * Work on a thread of its own, so that settings of the thread that it changes (such as the number
 * of OpenMP threads) stay as they are on the thread that called the library.
 */
#ifndef IMS_BASE_OWN_THREAD_H
#define IMS_BASE_OWN_THREAD_H

#include "base/job.h"

typedef int own_thread_work(void *arg, job *j, imgsearch_error *err);

/*
 * Runs work(arg, its job, err) on a thread that ends with it, and returns what that returns. Log
 * and progress of its job arrive at the callbacks of `j`, on the calling thread. ENOMEM.
 */
int ims_run_on_own_thread(job *j, own_thread_work *work, void *arg, imgsearch_error *err);

#endif
