/*
 * Each function has a personality routine of its own in its unwind table, as functions of C++ have.
 * The unwinder asks it first, while it looks for a handler: before any frame is left, and also
 * where there is no handler. The function must keep its own frame, so the callback is not called in
 * place of the return (as a tail call): `depth` is counted down behind it.
 */
#include "base/callback.h"

#include "base/ending.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__ELF__) && !defined(__ARM_EABI_UNWINDER__)
#include <unwind.h>

static void say(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

__attribute__((visibility("hidden"))) _Unwind_Reason_Code ims_callback_unwound(int version,
	_Unwind_Action actions, _Unwind_Exception_Class kind, struct _Unwind_Exception *exception,
	struct _Unwind_Context *context);

_Unwind_Reason_Code ims_callback_unwound(int version, _Unwind_Action actions,
	_Unwind_Exception_Class kind, struct _Unwind_Exception *exception,
	struct _Unwind_Context *context)
{
	(void)version, (void)kind, (void)exception, (void)context;
	say(actions & _UA_FORCE_UNWIND
			? "imgsearch: a callback ended its thread inside a call; the process is aborted\n"
			: "imgsearch: an exception left a callback; the process is aborted\n");
	abort();
}

/* 0x1b: four bytes, relative to their place. */
#define GUARD() __asm__ volatile(".cfi_personality 0x1b, ims_callback_unwound")
#else
#define GUARD() (void)0
#endif

#define KEEPS_FRAME __attribute__((noinline, noclone))

#ifdef __clang__ /* has no noclone, and clones nothing */
#undef KEEPS_FRAME
#define KEEPS_FRAME __attribute__((noinline))
#endif

static _Thread_local unsigned depth;

unsigned ims_call_depth(void)
{
	return depth;
}

KEEPS_FRAME void ims_call_log(imgsearch_log_fn f, void *user, int level, const char *text)
{
	GUARD();
	ims_ending_watch();
	depth++;
	f(user, level, text);
	depth--;
}

KEEPS_FRAME int ims_call_progress(imgsearch_progress_fn f, void *user,
	const imgsearch_progress *progress)
{
	GUARD();
	ims_ending_watch();
	depth++;
	int rc = f(user, progress);
	depth--;
	return rc;
}

KEEPS_FRAME int ims_call_filter(imgsearch_filter_fn f, void *user, int64_t id)
{
	GUARD();
	depth++;
	int accepted = f(user, id);
	depth--;
	return accepted;
}

KEEPS_FRAME int ims_call_item(imgsearch_item_fn f, void *user, const imgsearch_item *item)
{
	GUARD();
	depth++;
	int rc = f(user, item);
	depth--;
	return rc;
}

KEEPS_FRAME int ims_call_model(imgsearch_model_fn f, void *user, const imgsearch_model *model)
{
	GUARD();
	depth++;
	int rc = f(user, model);
	depth--;
	return rc;
}

KEEPS_FRAME int ims_call_model_check(imgsearch_model_check_fn f, void *user,
	const imgsearch_model_check *check)
{
	GUARD();
	depth++;
	int rc = f(user, check);
	depth--;
	return rc;
}

KEEPS_FRAME int ims_call_problem(imgsearch_problem_fn f, void *user, const char *text)
{
	GUARD();
	depth++;
	int rc = f(user, text);
	depth--;
	return rc;
}

KEEPS_FRAME int ims_call_export(imgsearch_vectors_export_fn f, void *user,
	const imgsearch_vectors_export_block *block)
{
	GUARD();
	depth++;
	int rc = f(user, block);
	depth--;
	return rc;
}

KEEPS_FRAME int ims_call_vectors(imgsearch_vectors_fn f, void *user, const int64_t *ids,
	const float *rows, size_t n, size_t dim)
{
	GUARD();
	depth++;
	int rc = f(user, ids, rows, n, dim);
	depth--;
	return rc;
}
