/*
 * A view is what queries read: the space, the searchers and the chance model. Views are shared by
 * reference count. A view does not change, except that its searchers apply changed rows. Two
 * numbers of the file keep it current, whichever process changes the file:
 * - the epoch, which every change of the space or of a searcher state raises: a new view is made;
 * - the change log, ids whose vector was added, replaced or removed: a loaded searcher applies them
 *   before it answers.
 */
#ifndef IMS_HANDLE_VIEW_H
#define IMS_HANDLE_VIEW_H

#include "analysis/chance.h"
#include "handle/handle.h"
#include "handle/regions.h"
#include "handle/space.h"

typedef struct chance_cohort chance_cohort;

enum { VIEW_SEARCHERS = 5 };

/*
 * How the scores of unrelated pictures are distributed, and the cohort by whose scores those of a
 * query are normalised (handle/cohort.h).
 */
typedef struct chance_model {
	uint32_t parts;     /* rows of a picture of the cohort; its best one counts */
	const char *suffix; /* of the names of the settings */
	chance pictures;
	bool has;
	chance words; /* of the scores of texts, with the same cohort */
	bool has_words;
	uint32_t rows; /* rows of the cohort, and their checksum */
	uint64_t sum;
	chance_cohort *cohort; /* NULL: not loaded, or the stored one belongs to another view */
	bool tried;
} chance_model;

/*
 * A searcher of a view. It is loaded when it is first needed, and then kept current. Where more
 * changes wait than a scan costs, a query scans. The first one loads nothing; each of the others
 * also applies as many changes as take about the time of its scan, until the searcher is current.
 */
typedef struct view_searcher {
	search_index *index; /* NULL: none is built, or it is stale */
	store *store;
	int64_t state;       /* the store's state that was loaded */
	int64_t change;      /* the last change that it holds */
	chunk_source chunks; /* of that state; the searcher may read from it later */
	uint64_t rows;       /* of that state */
	bool looked;         /* the state was looked for; 0 in `state`: none is usable */
	bool lagged;         /* a query has scanned because of the changes that it lacks */
} view_searcher;

/* Rows of one kind, and the searchers over them. */
typedef struct row_set {
	const row_source *rows;
	uint32_t parts;  /* rows of a picture: 1 of its whole, else those of its regions */
	char suffix[12]; /* of the names of its searchers in the file */
	char chosen[16]; /* the searcher of the index, or "" */
	view_searcher searcher[VIEW_SEARCHERS];
} row_set;

struct view {
	atomic_int references;
	space space, plain; /* plain: no mean is subtracted */
	bool has_model;     /* it holds pictures' features; otherwise no mean is subtracted */
	char model[64];     /* its name; "": none */
	bool has_words;     /* its model can compare them with texts; a build fits no mean then */
	float scene_score;  /* from which two rows show one scene; see handle/model_choice.h */
	float *mean;
	uint64_t mean_sum; /* checksum of mean; a searcher built with another mean is stale */
	space_rows rows_ctx, plain_ctx;
	row_source rows, plain_rows;
	bool has_regions; /* the index keeps features of parts of its pictures, too */
	row_source region_rows, plain_region_rows;
	chance_model chance, region_chance; /* of the scores of wholes; of the best part, too */
	uint32_t epoch;                     /* of the space and the searcher states */
	pthread_mutex_t lock;               /* protects the searchers and the cohorts */
	row_set wholes, regions;            /* regions: without rows where there are none */
};

/*
 * The current view, with a reference that ims_view_release drops. A view of an index without
 * vectors has dim 0. EDB, EIO, ENOMEM. Any thread.
 */
int ims_view_acquire(imgsearch *s, view **out, imgsearch_error *err);
/* The same, and its rows.n is the current number of rows. */
int ims_view_acquire_counted(imgsearch *s, view **out, imgsearch_error *err);
void ims_view_release(view *v); /* NULL is fine */

/*
 * Runs a query in the current view and in one snapshot of the store; again, in the new one, where
 * it failed only because a build replaced the state of the searcher while it was read, or where the
 * snapshot turns out to be newer than the view; once where the server went away meanwhile. Errors
 * as ims_view_acquire and the query.
 */
typedef struct view_query {
	const char *model; /* EBUSY where the view is of another one, since two were exchanged; NULL */
	int (*run)(void *arg, view *v, imgsearch_error *err);
	void (*discard)(void *arg); /* frees the answer of a run; NULL: there is nothing to free */
} view_query;
int ims_view_query(imgsearch *s, const view_query *query, void *arg, imgsearch_error *err);

/* EBUSY, detail ESTALE, with the sentence: the two models were exchanged during a query. */
int ims_view_exchanged(imgsearch *s, imgsearch_error *err);

/*
 * Within a transaction: after the commit, the next ims_view_acquire of every process makes a new
 * view. EDB, EIO, ENOMEM.
 */
int ims_view_renew(imgsearch *s, imgsearch_error *err);

/* EINVAL: vectors have `got` values instead of `have`. The sentence names the index's model. */
int ims_view_refuse_dim(imgsearch *s, size_t got, uint32_t have, imgsearch_error *err);

/* Within a transaction: stores the dimension of the vectors, and renews the view. */
int ims_view_set_dim(imgsearch *s, uint32_t dim, imgsearch_error *err);
/* The same for the first vectors; EINVAL where the index has vectors of another dimension. */
int ims_view_settle_dim(imgsearch *s, uint32_t dim, imgsearch_error *err);
/* That EINVAL alone, outside of a transaction too. */
int ims_view_check_dim(imgsearch *s, uint32_t dim, imgsearch_error *err);

/* EINVAL, with its number, for a row of rows (n, dim) that can be in no answer. */
int ims_view_check_rows(imgsearch *s, const float *rows, size_t n, uint32_t dim,
	imgsearch_error *err);

/*
 * The parameters with which a state of the searcher must have been built to be usable in this view.
 * name: of the searcher, or of its state. The caller frees the text by ims_free. NULL: out of
 * memory.
 */
char *ims_view_params(const view *v, const char *name);

enum { STATE_NAME = 28 };
/* The name that the state of a searcher over these rows has in the file. */
void ims_view_state_name(const row_set *set, const char *searcher, char name[STATE_NAME]);

/*
 * The searcher of that name over the rows of a set of the view, with all changes applied. *out is
 * borrowed from the view; it is NULL when none is built or it is stale or damaged (which is
 * logged). EINVAL: there is no such searcher. EDB, EIO, ENOMEM. Any thread.
 */
int ims_view_searcher(imgsearch *s, view *v, row_set *set, const char *name, job *j,
	search_index **out, imgsearch_error *err);

/*
 * The same for so many queries. *lags, and *out is NULL: the changes that it lacks take longer than
 * a scan for these queries.
 */
int ims_view_searcher_for(imgsearch *s, view *v, row_set *set, const char *name, size_t queries,
	job *j, search_index **out, bool *lags, imgsearch_error *err);

/*
 * The share of rows that changed since the searcher of that name was built, without applying
 * changes; INFINITY: none is usable. Errors as ims_view_searcher.
 */
int ims_view_drift(imgsearch *s, view *v, row_set *set, const char *name, job *j, double *drift,
	imgsearch_error *err);

/* Enclose the use of a mutex, of handle or view, under which the store is read: see store_hold. */
void ims_view_lock(imgsearch *s, pthread_mutex_t *mutex, store_hold *hold);
void ims_view_unlock(imgsearch *s, pthread_mutex_t *mutex, store_hold *hold);

#endif
