/*
 * Parses command lines by the table of options of a command. Long options (--name VALUE,
 * --name=VALUE) and short ones (-k 5, -k5, -qL bundled) may stand anywhere; "--" ends them; a lone
 * "-" is an operand. The value of an option is the next word, whatever it begins with, so that
 * negative numbers work.
 */
#ifndef IMGSEARCH_CLI_PARSE_H
#define IMGSEARCH_CLI_PARSE_H

#include "cli/option/command.h"

/*
 * Fills args (zeroed, c->args_size bytes) from argv, and moves the operands to the front of argv.
 * Texts in args point into argv. Returns CLI_DONE, or CLI_USAGE with the reason printed.
 */
int parse_command_line(const command *c, int argc, char **argv, void *args, size_t *n_operands);

/* Frees args and the lists in it; NULL is fine. */
void parse_free(const command *c, void *args);

#endif
