/*
 * Threads that may call exit. exit first runs the destructors of the variables of its thread, and
 * then handlers, the newest first. While a library is being loaded and set up, the newest are
 * its own, which must not run under the thread that is at it. A watched thread therefore waits in
 * such a destructor. No other thread can.
 */
#ifndef IMS_BASE_ENDING_H
#define IMS_BASE_ENDING_H

#include <stdbool.h>

/* The end of this thread waits for ims_ending_set_wait. Cheap when it is called again. */
void ims_ending_watch(void);

/* What the end of a watched thread calls first. */
void ims_ending_set_wait(void (*wait)(void));

#endif
