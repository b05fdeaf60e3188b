/* Things that people search pictures for. Chance is measured with them (build/chance.h). */
#ifndef IMS_WORDS_COMMON_H
#define IMS_WORDS_COMMON_H

#include <stddef.h>

/* The list, in an order that does not change; *n receives its length. */
const char *const *ims_common_words(size_t *n);

#endif
