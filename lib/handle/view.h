/*
 * What queries read: the space, the searchers, and the chance model. A view is shared by reference
 * count and does not change, but for its searchers, which take up changed rows. Two numbers of the
 * file keep it current, whichever process changes the file:
 * - the epoch, raised by every change of the space or of a searcher's state: a new view is made;
 * - the change log: ids whose vector was added, replaced or removed: a loaded searcher takes them
 *   up before it answers.
 */
#ifndef IMS_HANDLE_VIEW_H
#define IMS_HANDLE_VIEW_H

#include "analysis/chance.h"
#include "handle/handle.h"
#include "handle/space.h"

typedef struct chance_cohort chance_cohort;

enum { VIEW_SEARCHERS = 4 };

/* A searcher of a view: loaded when first asked for, then kept up to date. */
typedef struct view_searcher {
	search_index *index; /* NULL: none is built, or it is stale */
	store *store;
	int64_t state;       /* the store's state that was loaded */
	int64_t change;      /* the last change that it holds */
	chunk_source chunks; /* of that state; the searcher may read from it while it lives */
	bool tried;
} view_searcher;

struct view {
	atomic_int references;
	space space, plain; /* plain: no mean is subtracted */
	float *mean;
	uint64_t mean_sum; /* checksum of mean: searchers that were built with another one are stale */
	space_rows rows_ctx, plain_ctx;
	row_source rows, plain_rows;
	chance chance; /* of the scores in the space */
	bool has_chance;
	uint32_t cohort_rows; /* how many, and their checksum */
	uint64_t cohort_sum;
	char chosen[16];       /* the index's own searcher, or "" */
	uint32_t epoch;        /* of the space and the searchers' states */
	int64_t version;       /* data version of the file that the view was last compared with */
	pthread_mutex_t lock;  /* protects what follows */
	chance_cohort *cohort; /* NULL: not loaded, or the stored one belongs to another view */
	bool cohort_tried;
	view_searcher searcher[VIEW_SEARCHERS];
};

/* The current view, with a reference. An index without vectors has one of dim 0. */
int ims_view_acquire(imgsearch *s, view **out, imgsearch_error *err);
/* The same, made anew where rows came or went: its rows.n is the number of rows now. */
int ims_view_acquire_counted(imgsearch *s, view **out, imgsearch_error *err);
void ims_view_release(view *v); /* NULL is fine */

/*
 * Whether rc, of a query in view v, only says that a build replaced the searcher's state while the
 * searcher read from it: then the query is to be asked again in the view that is current now.
 */
bool ims_view_replaced(imgsearch *s, const view *v, int rc);

/* Within a transaction: every process's next ims_view_acquire after the commit makes a new view. */
int ims_view_renew(imgsearch *s, imgsearch_error *err);

/* Within a transaction: stores the dimension of the vectors, and renews the view. */
int ims_view_set_dim(imgsearch *s, uint32_t dim, imgsearch_error *err);
/* The same for the first vectors; EINVAL where the index has vectors of another dimension. */
int ims_view_settle_dim(imgsearch *s, uint32_t dim, imgsearch_error *err);

/*
 * What a searcher's state must have been built with to be of use in this view; freed by ims_free.
 * NULL: out of memory.
 */
char *ims_view_params(const view *v);

/*
 * The searcher of that name, up to date; *out is NULL when none is built or it is stale or damaged
 * (which is logged). It lives as long as the view. EINVAL: there is no such searcher. EDB, EIO,
 * ENOMEM.
 */
int ims_view_searcher(imgsearch *s, view *v, const char *name, search_index **out,
	imgsearch_error *err);

#endif
