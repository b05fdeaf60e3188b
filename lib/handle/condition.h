/* The condition of a filter: on columns of a CSV, on facts, on dates. */
#ifndef IMS_HANDLE_CONDITION_H
#define IMS_HANDLE_CONDITION_H

#include "handle/handle.h"

/* Whether a filter, a complete copy, has a condition on columns or dates. */
bool ims_filter_has_condition(const imgsearch_filter *filter);

/* EINVAL: its condition is malformed. A column that no picture has is found by the next two. */
int ims_filter_check(const imgsearch_filter *filter, imgsearch_error *err);

/*
 * The ids of the indexed pictures for which the condition of a filter is true, ascending. The
 * filter has one. The caller frees *ids by ims_free. EINVAL: a column that no picture has; EDB,
 * EIO, ENOMEM.
 */
int ims_filter_matching(imgsearch *s, const imgsearch_filter *filter, int64_t **ids, size_t *n,
	imgsearch_error *err);

/*
 * The value of a column of all indexed pictures that have one, in any order: of a CSV, else the
 * fact. The value is valid during the call. A result other than 0 stops and is returned.
 */
typedef int filter_value_each(void *user, int64_t id, const char *value);
int ims_filter_values(imgsearch *s, const char *column, filter_value_each *each, void *user,
	imgsearch_error *err);

#endif
