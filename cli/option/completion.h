/* Completions of command lines by shells, from the tables of options. */
#ifndef IMGSEARCH_CLI_COMPLETION_H
#define IMGSEARCH_CLI_COMPLETION_H

#include "cli/option/command.h"

#include <stdio.h>

/* shell: "bash", "zsh" or "fish"; false: no such shell. commands ends with NULL. */
bool completion_write(FILE *f, const command *const *commands, const char *shell);

#endif
