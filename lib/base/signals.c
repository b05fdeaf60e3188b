/* Blocks signals around the creation of threads. */
#include "base/signals.h"

#include <stddef.h>

void ims_signals_block(sigset_t *old)
{
	static const int open[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };
	sigset_t blocked;
	sigfillset(&blocked);
	for (size_t i = 0; i < sizeof open / sizeof *open; i++)
		sigdelset(&blocked, open[i]);
	pthread_sigmask(SIG_BLOCK, &blocked, old);
}

void ims_signals_restore(const sigset_t *old)
{
	pthread_sigmask(SIG_SETMASK, old, NULL);
}
