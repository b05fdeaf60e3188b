/* Whether a folder that was asked for is one of the index: a mistyped one finds nothing. */
#ifndef IMGSEARCH_CLI_BELOW_H
#define IMGSEARCH_CLI_BELOW_H

#include "imgsearch.h"

#include <stdbool.h>

/* Whether the folders of a filter, if it has any, hold no path of the index in any state. */
bool below_is_nothing(imgsearch *s, const imgsearch_filter *filter, const imgsearch_call *call);

/* What is said then. */
extern const char below_warning[];

#endif
