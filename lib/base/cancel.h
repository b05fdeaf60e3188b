/*
 * What stops a call before its end: imgsearch_cancel on its handle, the caller's cancel token, the
 * deadline. A source counts how often it was raised, and a stop_token remembers the count at the
 * beginning of a call: so a cancel stops the calls that run, and none that begins later.
 */
#ifndef IMS_BASE_CANCEL_H
#define IMS_BASE_CANCEL_H

#include "imgsearch.h"

#include <stdatomic.h>
#include <stdbool.h>

typedef struct cancel_source {
	atomic_uint raised;
} cancel_source;

struct imgsearch_cancel_token {
	atomic_bool set;
};

typedef struct stop_token {
	cancel_source *source;               /* of the handle; NULL: none */
	const imgsearch_cancel_token *token; /* of the caller; NULL: none */
	double deadline;                     /* ims_now of it; 0: none */
	unsigned seen;                       /* the source's count when the call began */
} stop_token;

/* Begins a call. source and call may be NULL. */
stop_token ims_stop_token(cancel_source *source, const imgsearch_call *call);

/* Any thread, and in a signal handler. */
static inline void ims_cancel_raise(cancel_source *source)
{
	atomic_fetch_add(&source->raised, 1);
}

/* Whether a status says that the call was stopped. */
static inline bool ims_is_stop(int rc)
{
	return rc == IMGSEARCH_ECANCELED || rc == IMGSEARCH_EDEADLINE;
}

/*
 * 0, ECANCELED or EDEADLINE; what is not 0 stays. ims_stop_check also puts the sentence into err.
 * Any thread; 0 for NULL.
 */
int ims_stopped(const stop_token *t);
int ims_stop_check(const stop_token *t, imgsearch_error *err);

/* The sentence of ECANCELED or EDEADLINE. */
const char *ims_stop_text(int rc);

#endif
