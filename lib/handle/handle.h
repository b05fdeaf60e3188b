/*
 * The room that sees all the others and implements imgsearch.h. One handle is: a store, the view that queries read
 * (the space that distances live in, and the searchers), and the network, loaded when the first picture needs it.
 *
 * Locks, in the order they may be taken: writer (one long change at a time) > model_lock (which network) > a view's lock >
 * lock (the pointer to the view; held for moments only). Readers hold a reference to a view and never wait for a writer.
 */
#ifndef IMS_HANDLE_H
#define IMS_HANDLE_H

#include "analysis/chance.h"
#include "base/base.h"
#include "image/image.h"
#include "model/model.h"
#include "search/search.h"
#include "store/store.h"

#include <semaphore.h>

/* How stored features become the rows that distances are measured between. */
typedef struct space {
	imgsearch_metric metric;
	uint32_t dim;
	const float *centre; /* subtracted before normalising; NULL: none. dim floats */
} space;

void ims_space_apply(const space *sp, const float *in, float *out); /* (dim); in may be out */

/* The rows of an index in one space: what row_source.ctx points to. */
typedef struct space_rows {
	store *store;
	const space *space;
} space_rows;

typedef struct chance_cohort chance_cohort;

enum { VIEW_SEARCHERS = 4 };

/* A searcher of a view: loaded when first asked for, then kept up to date with the changes of the store. */
typedef struct view_searcher {
	search_index *index; /* NULL: none built, or stale */
	store *store;
	int64_t state;       /* the store's state that was loaded */
	int64_t change;      /* the last change it holds */
	chunk_source chunks; /* of that state; the searcher may read on while it lives */
	bool tried;
} view_searcher;

/* What queries read: shared by reference count, replaced when the space or a searcher was built anew. */
typedef struct view {
	atomic_int references;
	space space, plain;         /* plain: without centre */
	float *centre;
	uint64_t centre_sum;        /* of centre: searchers built with another one are stale */
	space_rows rows_ctx, plain_ctx;
	row_source rows, plain_rows;
	chance chance;              /* of scores in the space */
	bool has_chance;
	uint32_t cohort_rows;       /* that scores are normalised by, and their checksum */
	uint64_t cohort_sum;
	char chosen[16];            /* the index's own searcher, or "" */
	uint32_t epoch;             /* of the space and the searchers' states */
	int64_t version;            /* data version of the file that it was last compared with */
	pthread_mutex_t lock;       /* of what follows */
	chance_cohort *cohort;      /* read when first needed; NULL: not that of this view */
	bool cohort_tried;
	view_searcher searcher[VIEW_SEARCHERS];
} view;

struct imgsearch {
	store *store;
	imgsearch_options options;  /* strings are ours */
	pool *pool;
	unsigned threads;
	atomic_int cancel, writing;

	pthread_mutex_t lock;
	view *view;

	pthread_mutex_t model_lock; /* of what follows */
	model *model;               /* loaded for `identity`; its users hold it */
	model_identity identity;
	sem_t decoders;             /* who asks for single pictures decodes at most `threads` at a time: each may be large */
};

/* ------------------------------------------------------------------------------------------------ open.c ---- */

/* A zeroed copy of a caller's options of any age; EVERSION when a newer caller asks for what we do not know. */
int ims_options_copy(void *ours, size_t size, const void *theirs, imgsearch_error *err);

/* The writer's right, in this process and others: every change lies between them. Clears an old cancel. */
int ims_engine_write_begin(imgsearch *s, job *j, imgsearch_error *err);
void ims_engine_write_end(imgsearch *s);
job ims_engine_job(imgsearch *s);       /* of a call's progress and log */
job ims_engine_job_begin(imgsearch *s); /* of a long call that reads: forgets a cancel that came too late for the last one */

/* ------------------------------------------------------------------------------------------------ view.c ---- */

/* The current view, with a reference. An empty index has one of dim 0. */
int ims_view_get(imgsearch *s, view **out, imgsearch_error *err);
/* The same, made anew where rows came or went since: its rows.n is what there is now. */
int ims_view_counted(imgsearch *s, view **out, imgsearch_error *err);
void ims_view_release(view *v);
/* Within a transaction: once it is committed, every process's next ims_view_get makes a new view. */
int ims_view_renew(imgsearch *s, imgsearch_error *err);

/* What a searcher's state must have been built with to be of use in this view; ims_free. */
char *ims_view_params(const view *v);

/* The searcher of that name, up to date; *out NULL when none is built or it is stale. Lives as long as the view. */
int ims_view_searcher(imgsearch *s, view *v, const char *name, search_index **out, imgsearch_error *err);

/* --------------------------------------------------------------------------------------------- feature.c ---- */

/* Who made the index's vectors (next: the re-index under way). ENOTFOUND: nobody yet; the error is left alone. */
int ims_engine_identity_stored(imgsearch *s, bool next, model_identity *out, imgsearch_error *err);
/* Who would make a feature now: what the options ask for, else the stored identity's network. */
int ims_engine_identify(imgsearch *s, const model_identity *stored, model_identity *out, imgsearch_error *err);
/* Who makes a feature for this index now; EMODEL when the options ask for somebody else. */
int ims_engine_identity_same(imgsearch *s, model_identity *out, imgsearch_error *err);
/* Within a transaction: from now on vectors are made by that model, and have that dimension. */
int ims_engine_model_keep(imgsearch *s, const model_identity *id, bool next, imgsearch_error *err);
int ims_engine_set_dim(imgsearch *s, uint32_t dim, imgsearch_error *err);
bool ims_engine_model_asked(const imgsearch *s); /* do the options name a model, weights, recipe or precision? */

/* The network of that identity, loaded if need be; ims_model_free gives it back. */
int ims_engine_network(imgsearch *s, const model_identity *id, model **out, imgsearch_error *err);

image_limits ims_engine_limits(const imgsearch *s, const image_recipe *r);

/* Around the decoding of a single picture: waits for one of the handle's decoders. */
void ims_engine_decoder_take(imgsearch *s);
void ims_engine_decoder_give(imgsearch *s);
/* The bytes of a FILE or MEMORY input (PIXELS: none); held keeps them where they had to be read. */
int ims_input_bytes(const imgsearch_input *in, buf *held, const void **data, size_t *size, imgsearch_error *err);
/* A PIXELS input as a picture of its own, its crop cut out. */
int ims_input_pixels(const imgsearch_input *in, image *im, imgsearch_error *err);

/*
 * Raw feature of one input for a query into out (dim): the stored vector where the bytes are known, else the
 * network's. *self: the id of the stored picture, or NOBODY.
 */
enum { NOBODY = -1 };
int ims_feature(imgsearch *s, const imgsearch_input *in, uint32_t dim, float *out, int64_t *self, imgsearch_error *err);

/*
 * Raw features of n inputs by network `id`, n x id->dim; a bad one is a row of NaN with its reason in errors[i]. j: the
 * long work that this is a part of, or NULL.
 */
int ims_features(imgsearch *s, job *j, const model_identity *id, const imgsearch_input *in, size_t n, float *out,
	imgsearch_error *errors, imgsearch_error *err);

/* --------------------------------------------------------------------------------------------- improve.c ---- */

/* What a query or an evaluation asks for, see imgsearch_query_options. */
typedef struct improvement {
	uint32_t expand, reciprocal, views, plain;
	float expand_power;
} improvement;

enum { EXPAND_MOST = 10000, RERANK_DEPTH = 500 /* results that are re-ranked */, VIEWS_MOST = 6 };

int ims_improve_check(const improvement *o, const space *sp, imgsearch_error *err);
/* The query becomes its mean with its n first results: rows (n, dim), score (n). */
void ims_improve_expand(const improvement *o, const space *sp, float *query, const float *rows, const float *score, size_t n);
/* order[i]: which of the n first results comes i-th after re-ranking. pool may be NULL. */
int ims_improve_rank(const improvement *o, const space *sp, const float *query, const float *rows, size_t n, uint32_t *order,
	pool *pool, imgsearch_error *err);
/* row: the picture's feature in the space; becomes the mean over its views. */
int ims_improve_views(imgsearch *s, const space *sp, const imgsearch_input *in, uint32_t views, float *row, imgsearch_error *err);

/* ------------------------------------------------------------------------------------------------ walk.c ---- */

typedef enum walk_kind { WALK_FILE, WALK_EXCLUDED, WALK_SPECIAL, WALK_UNREADABLE } walk_kind;

typedef struct walk_entry {
	walk_kind kind;
	const char *path;   /* relative to the root; valid during the call */
	const char *reason; /* of the other kinds */
	bool folder;        /* an excluded or unreadable folder */
	uint64_t size;
	int64_t mtime_ns;
} walk_entry;

typedef struct walk_rules {
	const char *const *include, *const *exclude;
	size_t n_include, n_exclude;
	bool follow_links;
	const char *own;    /* absolute path of the index: it and its companions are no pictures */
	const char *const *roots; /* folders that are roots of their own, not to be entered from above */
	size_t n_roots;
} walk_rules;

/*
 * Everything below root/prefix ("" for all) in order of name. Stops with each's result when that is not 0. EIO when the
 * start itself cannot be read.
 */
int ims_walk(const char *root, const char *prefix, const walk_rules *rules,
	int (*each)(void *user, const walk_entry *e), void *user, imgsearch_error *err);

/* ------------------------------------------------------------------------------------------------- csv.c ---- */

/* Before anything is done: can o->csv be read, has it the columns? */
int ims_csv_check(imgsearch *s, const imgsearch_index_options *o, imgsearch_error *err);

/* Attaches the columns of o->csv to the pictures it names; within a write. */
int ims_csv_attach(imgsearch *s, const imgsearch_index_options *o, job *j, imgsearch_error *err);

/* RFC 4180: row gets each record (the first is the header); fields are valid during the call. EFORMAT names the line. */
int ims_csv_parse(char *text, size_t size, int (*row)(void *user, size_t line, char **fields, size_t n), void *user, imgsearch_error *err);

/* ------------------------------------------------------------------------------------------------ hits.c ---- */

/* The caller's form of sorted neighbours: paths, titles, columns by id; ids that are gone are left out. */
int ims_hits_make(imgsearch *s, imgsearch_metric metric, const topk *found, imgsearch_hits **out, imgsearch_error *err);
float ims_score(imgsearch_metric metric, float distance);
bool ims_id_among(int64_t id, const int64_t *ids, size_t n); /* is it one of those, in any order? */
float ims_score_distance(imgsearch_metric metric, float score); /* the largest distance that scores so */

#endif
