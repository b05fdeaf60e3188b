/* Man pages, from the tables of options. */
#ifndef IMGSEARCH_CLI_MAN_H
#define IMGSEARCH_CLI_MAN_H

#include "cli/option/command.h"

#include <stdio.h>

/* imgsearch(1): what all commands share, and which there are. commands ends with NULL. */
void man_write(FILE *f, const command *const *commands);

/* imgsearch-COMMAND(1) */
void man_write_command(FILE *f, const command *c);

/* All of them as files NAME.1 of a folder. False: failed, with a message. */
bool man_write_pages(const char *folder, const command *const *commands);

#endif
