/* What a user can do about an error of the library: it states facts, the command adds its flags. */
#ifndef IMGSEARCH_CLI_ADVICE_H
#define IMGSEARCH_CLI_ADVICE_H

#include "cli/context/context.h"

/* A clause to follow the error's sentence; static or part of c. NULL: none. c->s may be NULL. */
const char *advice_find(const context *c, const imgsearch_error *err);

#endif
