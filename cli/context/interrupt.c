/* SIGINT and SIGTERM. */
#include "cli/context/interrupt.h"

#include <signal.h>
#include <stddef.h>

/* A signal handler can use only globals. */
static volatile sig_atomic_t interrupted;
static imgsearch_cancel_token *token;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
	imgsearch_cancel_token_set(token);
}

void interrupt_catch(void)
{
	struct sigaction a = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
	if (imgsearch_cancel_token_new(&token, NULL))
		token = NULL;
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

imgsearch_cancel_token *interrupt_token(void)
{
	return token;
}

bool interrupt_pending(void)
{
	return interrupted != 0;
}

void interrupt_clear(void)
{
	interrupted = 0;
}
