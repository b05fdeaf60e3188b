/*
 * SIGINT and SIGTERM. The first signal is recorded and cancels the calls of the target; a second
 * one ends the process. SIGPIPE is ignored: a reader that has closed its pipe shows as a failed
 * write, like a full disk.
 */
#ifndef IMGSEARCH_CLI_INTERRUPT_H
#define IMGSEARCH_CLI_INTERRUPT_H

#include "imgsearch.h"

#include <stdbool.h>

void interrupt_catch(void); /* called once, by main */

/* The index whose work a signal cancels from now on; NULL: none. */
void interrupt_set_target(imgsearch *s);

bool interrupt_pending(void);
void interrupt_clear(void); /* clears the signal: it was the normal way to stop */

#endif
