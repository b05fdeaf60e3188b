/*
 * Cancelling the calls that run. A source counts how often it was raised; a token remembers the
 * count at the beginning of a call. So a cancel stops the calls that run at that moment, and none
 * that begins later.
 */
#ifndef IMS_BASE_CANCEL_H
#define IMS_BASE_CANCEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct cancel_source {
	atomic_uint raised;
} cancel_source;

typedef struct cancel_token {
	cancel_source *source; /* NULL: nothing cancels */
	unsigned seen;
} cancel_token;

static inline cancel_token ims_cancel_token(cancel_source *source)
{
	return (cancel_token){ source, atomic_load(&source->raised) };
}

/* Any thread, and in a signal handler. */
static inline void ims_cancel_raise(cancel_source *source)
{
	atomic_fetch_add(&source->raised, 1);
}

/* Any thread; false for NULL. */
static inline bool ims_cancelled(const cancel_token *t)
{
	return t && t->source
		&& atomic_load_explicit(&t->source->raised, memory_order_relaxed) != t->seen;
}

#endif
