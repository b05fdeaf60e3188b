/* Counts of items by state. */
#ifndef IMS_BASE_COUNTS_H
#define IMS_BASE_COUNTS_H

#include "imgsearch.h"

#include <stdbool.h>

/* Adds n to the count of an imgsearch_state. `seen` is left to the caller. */
void ims_counts_add(imgsearch_counts *c, uint32_t state, uint64_t n);

/* Whether a state is that of a picture that could not be taken in. */
bool ims_counts_is_failure(uint32_t state);

#endif
