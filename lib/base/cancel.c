/* A cancel wins over a deadline that passed at the same time. */
#include "base/cancel.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"

stop_token ims_stop_token(cancel_source *source, const imgsearch_call *call)
{
	stop_token t = { .source = source, .token = call ? call->cancel : NULL };
	if (source)
		t.seen = atomic_load(&source->raised);
	if (call && call->deadline_ms)
		t.deadline = ims_now() + (double)call->deadline_ms / 1000;
	return t;
}

int ims_stopped(const stop_token *t)
{
	if (!t)
		return 0;
	if (t->source && atomic_load_explicit(&t->source->raised, memory_order_relaxed) != t->seen)
		return IMGSEARCH_ECANCELED;
	if (t->token && atomic_load_explicit(&t->token->set, memory_order_relaxed))
		return IMGSEARCH_ECANCELED;
	return t->deadline > 0 && ims_now() > t->deadline ? IMGSEARCH_EDEADLINE : 0;
}

int ims_stop_check(const stop_token *t, imgsearch_error *err)
{
	int rc = ims_stopped(t);
	return rc ? ims_fail(err, rc, "%s", ims_stop_text(rc)) : 0;
}

const char *ims_stop_text(int rc)
{
	return rc == IMGSEARCH_ECANCELED ? "cancelled" : "past the deadline";
}

int imgsearch_cancel_token_new(imgsearch_cancel_token **out, imgsearch_error *err)
{
	if (!out)
		return ims_fail(err, IMGSEARCH_EINVAL, "cancel_token_new: out is NULL");
	*out = ims_zalloc(1, sizeof **out);
	return *out ? 0 : ims_nomem(err);
}

void imgsearch_cancel_token_set(imgsearch_cancel_token *token)
{
	if (token)
		atomic_store(&token->set, true);
}

void imgsearch_cancel_token_free(imgsearch_cancel_token *token)
{
	ims_free(token);
}
