/*
 * Exit codes of the command. A function that returns one other than CLI_DONE has printed the
 * reason.
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
