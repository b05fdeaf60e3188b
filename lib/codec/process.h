/* Other processes that decode: waiting for them with a limit, and how they end. */
#ifndef IMS_CODEC_PROCESS_H
#define IMS_CODEC_PROCESS_H

#include "base/base.h"

#include <sys/types.h>

/*
 * Waits until fd is ready for the events of poll, for a tenth of a second at most, and takes the
 * time from *left. Time in which this process itself was stopped (Ctrl-Z) does not count. True: it
 * is ready, or its other end is closed.
 */
bool ims_process_wait(int fd, short events, double *left);

/* Whether a child was stopped, and waits for a signal to go on. */
bool ims_process_is_stopped(pid_t pid);

/*
 * Ends a child. Returns the signal that had ended it; 0: none; -1: that is not known, as the
 * program waited for it. One that runs is killed, which is the signal then.
 */
int ims_process_end(pid_t pid);

/* Whether a signal that ended a child is that of a crash of it. */
bool ims_process_is_crash(int signal);
/* Whether it came from outside: it is of no fault of the child, and of no limit that it has. */
bool ims_process_is_outside(int signal);

#endif
