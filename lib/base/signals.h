/* Signals belong to the program: threads of the library and of libtorch take none. */
#ifndef IMS_BASE_SIGNALS_H
#define IMS_BASE_SIGNALS_H

#include <signal.h>

/*
 * Enclose what may create threads, which inherit the mask. Blocks all signals on this thread but
 * those that an instruction raises (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS) and SIGABRT.
 * *old receives the mask for ims_signals_restore, on the same thread. Both keep errno.
 */
void ims_signals_block(sigset_t *old);
void ims_signals_restore(const sigset_t *old);

#endif
