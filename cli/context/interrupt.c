/* SIGINT and SIGTERM. */
#include "cli/context/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t interrupted;
static imgsearch *volatile target; /* a signal handler can use only globals */

static void on_signal(int number)
{
	(void)number;
	imgsearch *s = target;
	interrupted = 1;
	if (s)
		imgsearch_cancel(s);
}

void interrupt_catch(void)
{
	struct sigaction a = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void interrupt_set_target(imgsearch *s)
{
	target = s;
	if (s && interrupted)
		imgsearch_cancel(s);
}

bool interrupt_pending(void)
{
	return interrupted != 0;
}

void interrupt_clear(void)
{
	interrupted = 0;
}
