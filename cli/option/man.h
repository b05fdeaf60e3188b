/* The man page, from the tables of options. */
#ifndef IMGSEARCH_CLI_MAN_H
#define IMGSEARCH_CLI_MAN_H

#include "cli/option/command.h"

#include <stdio.h>

/* One page for all commands of a NULL-terminated table. */
void man_write(FILE *f, const command *const *commands);

#endif
