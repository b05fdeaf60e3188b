/*
 * SIGINT and SIGTERM. The first signal is recorded and sets a token that cancels the calls of the
 * library which carry it; a second one ends the process. SIGPIPE is ignored: a reader that has
 * closed its pipe shows as a failed write, like a full disk.
 */
#ifndef IMGSEARCH_CLI_INTERRUPT_H
#define IMGSEARCH_CLI_INTERRUPT_H

#include "imgsearch.h"

#include <stdbool.h>

void interrupt_catch(void); /* called once, by main */

/* The token, which stays until the process ends; NULL: there was no memory for it. */
imgsearch_cancel_token *interrupt_token(void);

bool interrupt_pending(void);
void interrupt_clear(void); /* clears the signal, not the token: it was the normal way to stop */

#endif
