/* Turns the options of a query into a request to the searchers. */
#ifndef IMS_QUERY_REQUEST_H
#define IMS_QUERY_REQUEST_H

#include "handle/feature.h"
#include "handle/filter.h"
#include "handle/view.h"
#include "query/chance.h"
#include "query/improve.h"

typedef struct query {
	imgsearch_query_options options;
	search_request request;  /* the search sets its queries and n */
	imgsearch_filter filter; /* a complete copy; zero: every item */
	filter_folders folders;  /* those of the filter, widened */
	job *job;
	int64_t *subset; /* owned: the ids that all but `accept` allows, sorted; NULL: all */
	improvement improve;
	const space *space; /* of the view */
	/* (request.n, dim): what the queries are compared with regions by; NULL: as with wholes */
	float *region_rows;
	int64_t *own; /* owned: the stored rows of positive weight that the query is made of */
	size_t n_own;
	int64_t self; /* the one of `own` that is the whole query, or NO_PICTURE */
	query_kind kind;
	bool away;  /* has texts, and only moves away from its inputs: no chance is known */
	pool *pool; /* owned: of ims_query_threads; or NULL */
} query;

/*
 * ims_query_free is needed also on error. *q must not be copied or moved. EINVAL: the options
 * contradict each other, or a condition has a column that no picture has. EDB, EIO, ENOMEM.
 */
int ims_query_make(query *q, imgsearch *s, const view *v, const imgsearch_query_options *options,
	job *j, imgsearch_error *err);
void ims_query_free(query *q);

/*
 * Sets what the query is of, from its inputs. The mean of an index is one of pictures, so it is
 * subtracted from no text: with texts, vectors are compared as they are.
 */
void ims_query_settle(query *q, const view *v, const imgsearch_input *in, size_t n);

/*
 * row (dim), the feature of input i, becomes its row in the space of the index: checked, moved,
 * with the mean over the views that the options ask for. EINVAL: it can be in no answer. The errors
 * of ims_improve_views.
 */
int ims_query_row(imgsearch *s, const query *q, const imgsearch_input *in, size_t i, float *row,
	imgsearch_error *err);

/* Of many queries: searches with as many threads as the options say. ENOMEM. */
int ims_query_threads(query *q, imgsearch_error *err);

#endif
