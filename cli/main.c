/*
 * The command: finds the command, parses its options, runs it, and is the only place that decides the exit status.
 *
 * SIGINT and SIGTERM cancel what the library does (which commits what is done) and make the status 130; a second one
 * ends the process at once. SIGPIPE is ignored: a reader that went away shows as a failed write, like a full disk.
 */
#include "cli/base/cli.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMANDS(X) \
	X(index) X(query) X(info) X(list) X(failed) X(rm) X(build) X(extract) X(models) X(root_mv) X(vectors_import) \
	X(vectors_export) X(eval) X(check) X(dups) X(map) X(train) X(serve) X(help) X(complete)

#define X(name) extern const command cmd_##name;
COMMANDS(X)
#undef X

#define X(name) &cmd_##name,
const command *const commands[] = { COMMANDS(X) NULL };
#undef X

/* --------------------------------------------------------------------------------------------- signals ---- */

static volatile sig_atomic_t interrupted;
static imgsearch *volatile cancel_target; /* the one thing that a signal handler has to reach */

static void on_signal(int number)
{
	(void)number;
	imgsearch *s = cancel_target;
	interrupted = 1;
	if (s)
		imgsearch_cancel(s);
}

static void catch_signals(void)
{
	struct sigaction a = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void interrupt_set_target(imgsearch *s)
{
	cancel_target = s;
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

/* ----------------------------------------------------------------------------------------- finding a command ---- */

int command_usage(const command *c, const char *format, ...)
{
	char line[1024];
	va_list list;
	va_start(list, format);
	vsnprintf(line, sizeof line, format, list);
	va_end(list);
	cli_warn("%s%s%s (see: imgsearch help%s%s)", c ? c->name : "", c ? ": " : "", line, c ? " " : "", c ? c->name : "");
	return CLI_USAGE;
}

static void say_unknown(const char *name)
{
	const char *names[64];
	size_t n = 0, length = strlen(name);
	char list[256] = "";
	for (size_t i = 0, at = 0; commands[i] && n < 64 && at < sizeof list; i++) {
		names[n++] = commands[i]->name;
		if (!strncmp(commands[i]->name, name, length) && commands[i]->name[length] == ' ')
			at += (size_t)snprintf(list + at, sizeof list - at, "%simgsearch %s", at ? ", " : "", commands[i]->name);
	}
	const char *near = nearest_word(name, names, n);
	if (*list)
		command_usage(NULL, "say what to do with \"%s\": %s", name, list);
	else if (near)
		command_usage(NULL, "no command \"%s\"; did you mean \"%s\"?", name, near);
	else
		command_usage(NULL, "no command \"%s\"", name);
}

const command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	say_unknown(name);
	return NULL;
}

/* The command that argv[1] (and, for "root mv", argv[2]) names; *used words were taken. */
static const command *find_command(int argc, char **argv, int *used)
{
	char two[64];
	for (size_t i = 0; argc > 2 && commands[i]; i++)
		if (snprintf(two, sizeof two, "%s %s", argv[1], argv[2]) < (int)sizeof two && !strcmp(commands[i]->name, two)) {
			*used = 3;
			return commands[i];
		}
	*used = 2;
	return command_find(argv[1]);
}

/* ------------------------------------------------------------------------------------------------ running ---- */

/* stdout is only done when its last byte has been taken. A reader that has seen enough (a pipe's POLLERR) needs no message. */
static int finish_output(int status)
{
	struct pollfd reader = { .fd = STDOUT_FILENO };
	errno = 0;
	if (!ferror(stdout) && fflush(stdout) == 0 && !ferror(stdout))
		return status;
	int why = errno ? errno : EIO; /* that of an earlier write is lost */
	if (poll(&reader, 1, 0) != 1 || !(reader.revents & POLLERR))
		cli_fail("standard output: cannot write: %s", strerror(why));
	return CLI_FAILED;
}

static int run_command(const command *c, int argc, char **argv)
{
	context run = { .command = c, .operand = argv };
	void *args = calloc(1, c->args_size);
	if (!args)
		return cli_nomem();
	run.common = args;
	int status = command_parse(c, argc, argv, args, &run.n_operands);
	if (status == CLI_DONE && run.common->help) {
		help_command(stdout, c);
	} else if (status == CLI_DONE) {
		run.progress = progress_new(run.common->quiet);
		status = c->run(&run, args);
		interrupt_set_target(NULL);
		imgsearch_close(run.s);
		progress_free(run.progress);
	}
	if (interrupt_pending())
		status = CLI_INTERRUPTED;
	free(run.db);
	command_free_args(c, args);
	return status;
}

/* Memory that was given back is kept for the next use: half of a cold query's time would go into the pages of short-lived buffers. */
#ifdef __GLIBC__
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	mallopt(M_TOP_PAD, 4 << 20);
}
#else
static void keep_memory(void) {}
#endif

int main(int argc, char **argv)
{
	int used, status;
	keep_memory();
	catch_signals();
	/* libtorch's OpenMP threads spin while they wait and starve the decoders, 13 x slower on a busy machine; training is all theirs */
	if (argc < 2 || strcmp(argv[1], "train"))
		setenv("OMP_WAIT_POLICY", "passive", 0);
	/* so do OpenBLAS's, from its loading on: 0.2 s of a short run; 2^4 cycles is the least it takes */
	setenv("OPENBLAS_THREAD_TIMEOUT", "4", 0);
	if (argc < 2) {
		help_all(stderr);
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("imgsearch %s\n", imgsearch_version());
		return finish_output(CLI_DONE);
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		help_all(stdout);
		return finish_output(CLI_DONE);
	}
	const command *c = find_command(argc, argv, &used);
	status = c ? run_command(c, argc - used, argv + used) : CLI_USAGE;
	return finish_output(status);
}
