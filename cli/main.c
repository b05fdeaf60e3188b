/*
 * The command: finds the command, parses its options, and runs it. This is the only place that
 * decides the exit status. A signal cancels the call of the library, which commits finished work;
 * the status is then 130.
 */
#include "cli/base/message.h"
#include "cli/context/context.h"
#include "cli/context/interrupt.h"
#include "cli/option/help.h"
#include "cli/option/parse.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* clang-format off */
#define COMMANDS(X) \
	X(index) X(query) X(info) X(list) X(failed) X(rm) X(readmit) X(backup) X(copy) X(export) X(build) X(extract) \
	X(model_list) X(model_info) X(model_pull) X(model_add) X(model_verify) X(model_rm) X(model_switch) X(model_drop) X(root_mv) X(shard_list) X(shard_add) X(shard_move) X(vectors_import) X(vectors_export) X(eval) X(check) X(dups) X(map) \
	X(train) X(serve) X(help) X(complete)
/* clang-format on */

#define X(name) extern const command cmd_##name;
COMMANDS(X)
#undef X

#define X(name) &cmd_##name,
static const command *const commands[] = { COMMANDS(X) NULL };
#undef X

/*
 * The command that argv[1] (and, for "root mv", argv[2]) names; *used receives the number of words.
 */
static const command *find_command(int argc, char **argv, int *used)
{
	char two[64];
	for (size_t i = 0; argc > 2 && commands[i]; i++)
		if (snprintf(two, sizeof two, "%s %s", argv[1], argv[2]) < (int)sizeof two
			&& !strcmp(commands[i]->name, two)) {
			*used = 3;
			return commands[i];
		}
	*used = 2;
	return command_find(commands, argv[1]);
}

/* --------------------------------------------------------------------------------- running ---- */

/*
 * Why an earlier write to stdout failed: stdio keeps no errno, so another byte is written behind
 * what is incomplete already. EIO where that works.
 */
static int output_error(void)
{
	return write(STDOUT_FILENO, "\n", 1) < 0 ? errno : EIO;
}

/*
 * Flushes stdout; a failure makes the command fail. If the reader has closed its pipe (POLLERR),
 * there is no message.
 */
static int finish_output(int rc)
{
	struct pollfd reader = { .fd = STDOUT_FILENO };
	errno = 0;
	if (!ferror(stdout) && fflush(stdout) == 0 && !ferror(stdout))
		return rc;
	int why = errno;
	if (poll(&reader, 1, 0) == 1 && reader.revents & POLLERR)
		return CLI_FAILED;
	return cli_fail("standard output: cannot write: %s", strerror(why ? why : output_error()));
}

static int run_command(const command *c, int argc, char **argv)
{
	context run = { .command = c, .commands = commands, .operand = argv };
	void *args = calloc(1, c->args_size);
	if (!args)
		return cli_nomem();
	run.common = args;
	int rc = parse_command_line(c, argc, argv, args, &run.n_operands);
	if (rc == CLI_DONE && run.common->help) {
		help_command(stdout, c);
	} else if (rc == CLI_DONE) {
		context_start(&run);
		rc = c->run(&run, args);
	}
	context_close(&run);
	parse_free(c, args);
	return interrupt_pending() ? CLI_INTERRUPTED : rc;
}

/*
 * Keeps freed memory for reuse: returning the pages of short-lived buffers would cost half of the
 * time of a cold query. Each arena keeps its own: a server's many threads share a few.
 */
#ifdef __GLIBC__
static void tune_malloc(void)
{
	mallopt(M_ARENA_MAX, 2 * (int)sysconf(_SC_NPROCESSORS_ONLN));
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	mallopt(M_TOP_PAD, 4 << 20);
}
#else
static void tune_malloc(void) {}
#endif

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

int main(int argc, char **argv)
{
	int used, rc, helper = imgsearch_decoder_serve(argc, argv);
	if (helper >= 0)
		return helper;
	tune_malloc();
	interrupt_catch();
	/*
	 * Waiting OpenMP threads of libtorch spin, which makes decoding 13 times slower on a busy
	 * machine. Training needs them.
	 */
	if (argc < 2 || strcmp(argv[1], "train"))
		setenv("OMP_WAIT_POLICY", "passive", 0);
	/*
	 * Threads of OpenBLAS also spin after they are loaded, for 0.2 s of a short run; 2^4 cycles is
	 * the minimum.
	 */
	setenv("OPENBLAS_THREAD_TIMEOUT", "4", 0);
	if (argc < 2) {
		help_all(stderr, commands);
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("imgsearch %s\n", imgsearch_version_text());
		return finish_output(CLI_DONE);
	}
	if (is_help(argv[1])) {
		help_all(stdout, commands);
		return finish_output(CLI_DONE);
	}
	if (argc == 3 && is_help(argv[2]) && help_below(stdout, commands, argv[1]))
		return finish_output(CLI_DONE);
	const command *c = find_command(argc, argv, &used);
	rc = c ? run_command(c, argc - used, argv + used) : CLI_USAGE;
	return finish_output(rc);
}
