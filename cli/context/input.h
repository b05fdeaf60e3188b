/*
 * Pictures and paths that a command line names. "-" is the standard input; it can be given only
 * once.
 */
#ifndef IMGSEARCH_CLI_INPUT_H
#define IMGSEARCH_CLI_INPUT_H

#include "cli/context/context.h"

/* Bytes of pictures that are no files, all zero before. */
typedef struct input_bytes {
	void **item; /* owned */
	size_t n;
	bool has_stdin;
} input_bytes;

/*
 * Parses one picture: "id:N" a stored one, "-" the bytes on standard input, else a file. Of a pipe
 * (/dev/stdin, /dev/fd/63, a FIFO) the bytes are read, too. They go to *bytes, which the caller
 * frees after using in. Returns CLI_DONE, or an exit code with the reason printed.
 */
int input_parse(imgsearch_input *in, const context *c, const char *text, input_bytes *bytes);
void input_bytes_free(input_bytes *b);

/* The paths of a command with many operands. */
typedef struct path_list {
	const char **item; /* operands, and pointers into text */
	size_t n, cap;
	char *text; /* of standard input */
} path_list;

/*
 * Reads the operands; "-" is replaced by the paths on standard input, one a line, or with -0 ended
 * by NUL. Returns CLI_DONE, or an exit code with the reason printed.
 */
int path_list_read(const context *c, path_list *out);
void path_list_free(path_list *p); /* also after a failed read */

#endif
