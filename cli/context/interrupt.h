/*
 * SIGINT and SIGTERM. The first one is remembered and cancels what the target does; a second one
 * ends the process. SIGPIPE is ignored: a reader that went away shows as a failed write, like a
 * full disk.
 */
#ifndef IMGSEARCH_CLI_INTERRUPT_H
#define IMGSEARCH_CLI_INTERRUPT_H

#include "imgsearch.h"

#include <stdbool.h>

void interrupt_catch(void); /* once, by main */

/* The index whose work a signal cancels from now on; NULL: none. */
void interrupt_set_target(imgsearch *s);

bool interrupt_pending(void);
void interrupt_clear(void); /* the signal was the wanted end, not an interruption */

#endif
