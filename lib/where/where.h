/*
 * Conditions on columns: a small language, docs/metadata.md. A condition is parsed once, and tested
 * with the values of one picture after the other. Its logic has three values: what compares a
 * column that has no value is unknown, and so is its negation.
 *
 * A condition that was parsed is constant: any number of threads may test it.
 */
#ifndef IMS_WHERE_WHERE_H
#define IMS_WHERE_WHERE_H

#include "base/base.h"

typedef struct where where;

/* EINVAL: a sentence with the place of the fault; ENOMEM. text is not kept. */
int ims_where_parse(where **out, const char *text, imgsearch_error *err);
void ims_where_free(where *w); /* NULL is fine */

/* The columns that it names, each once, as they are written first. */
size_t ims_where_columns(const where *w);
const char *ims_where_column(const where *w, size_t i);

/* The number of its column of this name, whatever the case; -1: it has none. */
int ims_where_find(const where *w, const char *name);

/*
 * Whether the condition is true, and neither false nor unknown. values: a text for each column; ""
 * and NULL are no value.
 */
bool ims_where_test(const where *w, const char *const *values);

#endif
