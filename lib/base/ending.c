/* A destructor for each watched thread, by what glibc offers to C++ compilers. */
#include "base/ending.h"

#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

typedef void destructor(void *arg);

extern int __cxa_thread_atexit_impl(destructor *end, void *arg, void *library)
	__attribute__((weak));
extern void *__dso_handle __attribute__((visibility("hidden")));

static void (*_Atomic wait)(void);
static atomic_bool claimed;
static _Thread_local bool mine;

static void stop(void)
{
	for (;;)
		pause();
}

static void end(void *arg)
{
	void (*call)(void) = atomic_load(&wait);
	(void)arg;
	if (atomic_load(&claimed) && !mine && gettid() == getpid())
		stop();
	if (call)
		call();
}

void ims_ending_watch(void)
{
	static _Thread_local bool watched;
	if (watched || !__cxa_thread_atexit_impl)
		return;
	watched = !__cxa_thread_atexit_impl(end, NULL, &__dso_handle);
}

void ims_ending_watch_main(void)
{
	if (gettid() == getpid())
		ims_ending_watch();
}

void ims_ending_set_wait(void (*call)(void))
{
	atomic_store(&wait, call);
}

void ims_ending_claim(void)
{
	if (!mine && atomic_exchange(&claimed, true))
		stop();
	mine = true;
}

void ims_ending_forget(void)
{
	atomic_store(&claimed, false);
	mine = false;
}
