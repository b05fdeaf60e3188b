/* What a user can do about an error of the library: it states facts, the command adds its flags. */
#ifndef IMGSEARCH_CLI_ADVICE_H
#define IMGSEARCH_CLI_ADVICE_H

#include "cli/context/context.h"

/* A clause to follow the error's sentence, which the caller frees. NULL: none. c->s may be NULL. */
char *advice_make(context *c, const imgsearch_error *err);

#endif
