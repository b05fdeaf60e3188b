/* Help on the terminal, from the tables of options. */
#ifndef IMGSEARCH_CLI_HELP_H
#define IMGSEARCH_CLI_HELP_H

#include "cli/option/command.h"

#include <stdio.h>

/* Of one command; of all commands of a NULL-terminated table. */
void help_command(FILE *f, const command *c);
void help_all(FILE *f, const command *const *commands);

/* Of each command of two words that begins with this one; false: there is none. */
bool help_below(FILE *f, const command *const *commands, const char *word);

#endif
