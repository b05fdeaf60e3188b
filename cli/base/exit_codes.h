/*
 * Exit codes of the command. Functions that return one of them have said on standard error why it
 * is not CLI_DONE.
 */
#ifndef IMGSEARCH_CLI_EXIT_CODES_H
#define IMGSEARCH_CLI_EXIT_CODES_H

enum {
	CLI_DONE = 0,
	CLI_NOTHING = 1,     /* query, dups: nothing found */
	CLI_USAGE = 2,
	CLI_FAILED = 3,
	CLI_SOME_FAILED = 4, /* done, but some files failed */
	CLI_INTERRUPTED = 130
};

#endif
