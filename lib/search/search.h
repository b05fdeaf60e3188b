/*
 * Nearest rows of a row source. Every searcher fills one table of functions; callers use the
 * ims_search_* wrappers. Searchers know no pictures and no database: rows come from a `row_source`,
 * their own state goes to a `chunk_sink` and comes back from a `chunk_source`, all given by the
 * caller (handle/view_searcher.c, build/build.c).
 *
 * Rows are what distances are measured between: the caller has already normalised (and centred)
 * them for cosine. A distance is the squared Euclidean distance for L2 and cosine, minus the dot
 * product for IP. Smaller is nearer; ties by id.
 */
#ifndef IMS_SEARCH_H
#define IMS_SEARCH_H

#include "base/base.h"

enum { ROW_PARTS = 16, EXPECT_MOST = 4096 };

#define NEAR_SCANNED SIZE_MAX

/* One of the nearest rows of a query, by a source that finds them itself. */
typedef struct near_row {
	size_t query;
	int64_t id;
	double bound;
} near_row;

typedef struct near_request {
	const float *queries; /* (n, dim) */
	size_t n, k;
	const int64_t *subset; /* (n_subset) sorted ids; NULL: all */
	size_t n_subset;
	uint32_t ef;  /* 0: all rows are compared; else by the source's index, as wide as this */
	double slack; /* without the index, of IP: see bound */
	size_t sure;  /* by the index: rows beyond so many may be left out, see bound; 0: none */
} near_request;

/* Full-precision rows. Functions are safe on any thread. */
typedef struct row_source {
	void *ctx;
	size_t n; /* rows now */
	uint32_t dim;
	imgsearch_metric metric; /* COSINE: rows have length 1 (a zero row stays zero) */
	bool far;                /* on another machine: to read all takes long */
	/* Every row in order of id, in blocks; stops with each's result when that is not 0. */
	int (*scan)(void *ctx, int (*each)(void *user, const int64_t *ids, const float *rows, size_t n),
		void *user, imgsearch_error *err);
	/* Rows by id into out (n, dim); found[i] = 0 where an id is gone. */
	int (*fetch)(void *ctx, const int64_t *ids, size_t n, float *out, uint8_t *found,
		imgsearch_error *err);
	/*
	 * Every row in no order, in at most ROW_PARTS parts on the threads of a pool: each gets
	 * users[i] of part i. *done is false where that is not possible, and nothing was read. NULL: it
	 * never is.
	 */
	int (*scan_parts)(void *ctx, pool *pool,
		int (*each)(void *user, const int64_t *ids, const float *rows, size_t n),
		void *const *users, size_t parts, bool *done, imgsearch_error *err);
	/*
	 * The next three: of rows on another machine that finds near ones itself; else NULL.
	 *
	 * near: the k rows of each query, in order of their bound, by free. A bound is the distance as
	 * that machine's sum has it: a length (of L2 and cosine), or the negative dot product. Without
	 * the index the one of IP is less by slack times the lengths of row and query, and every row
	 * that is left out has a bound that is not smaller. By the index, rows beyond the first `sure`
	 * are left out where their bound is larger than those of these by more than slack, times itself
	 * and as such. EFORMAT: there is no index.
	 *
	 * near_build: makes the rows ready to be searched, with `index` by an index of its own. Runs
	 * outside of a transaction.
	 *
	 * expect: the rows of an answer are probably among these n, at most EXPECT_MOST.
	 */
	int (*near)(void *ctx, const near_request *q, near_row **out, size_t *n, imgsearch_error *err);
	int (*near_build)(void *ctx, bool index, uint32_t degree, uint32_t beam, job *job,
		imgsearch_error *err);
	int (*expect)(void *ctx, const int64_t *ids, size_t n, imgsearch_error *err);
} row_source;

/* At most `room` rows, evenly taken, into out (room, dim); *n: how many. job may be NULL. */
int ims_search_sample(const row_source *rows, size_t room, float *out, size_t *n, const job *job,
	imgsearch_error *err);

/*
 * Rows by id into out (*n, dim), without those that are gone: the others move to the front, with
 * their ids, and *n is their number. found[i] = 0: the i-th of the ids that were given is gone.
 */
int ims_search_fetch(const row_source *rows, int64_t *ids, size_t *n, float *out, uint8_t *found,
	imgsearch_error *err);

/* State of a searcher as numbered chunks, about 1 MiB each, kept with a checksum by the store. */
typedef struct chunk_sink {
	void *ctx;
	int (*put)(void *ctx, uint32_t number, const void *data, size_t size, imgsearch_error *err);
} chunk_sink;

typedef struct chunk_source {
	void *ctx;
	uint32_t chunks;
	/* Appends chunk `number` to out; EFORMAT when its checksum is wrong. Any thread. */
	int (*get)(void *ctx, uint32_t number, buf *out, imgsearch_error *err);
} chunk_source;

/* Zero: the default of the searcher. */
typedef struct search_params {
	/* of a build */
	double variance;
	uint32_t components, degree, beam, whiten;
	uint64_t seed;
	/* of a query */
	uint32_t ef, checks;
	double recall, epsilon;
} search_params;

typedef struct search_request {
	const float *queries; /* (n, dim) */
	size_t n, k;
	float max_distance;                    /* only rows at most this far; +infinity for all */
	int (*filter)(void *user, int64_t id); /* NULL: all */
	void *filter_user;
	size_t filter_count; /* how many rows pass, where known; else SIZE_MAX */
	/* sorted ids that pass, where they are known; NULL otherwise; it has filter_count ids */
	const int64_t *subset;
	search_params params;
	pool *pool;             /* for a batch; may be NULL */
	const stop_token *stop; /* may be NULL */
} search_request;

typedef struct search_report {
	bool exact;            /* proven for every query of the request */
	const char *plan;      /* static string */
	uint64_t rows_checked; /* full-precision rows read */
} search_report;

typedef struct searcher searcher;

typedef struct searcher_ops {
	const char *name;
	uint32_t version; /* of the chunks; chunks of another version are built again */
	bool approximate;
	bool
		needs_near; /* only for a source that finds near rows itself; the others are listed first */
	/* about how many rows a plain scan compares in the time that one change takes */
	uint32_t change_cost;
	int (*build)(searcher **out, const row_source *rows, const search_params *p, job *job,
		imgsearch_error *err);
	int (*save)(const searcher *s, const chunk_sink *sink, imgsearch_error *err);
	int (*load)(searcher **out, const row_source *rows, const chunk_source *source,
		imgsearch_error *err);
	/*
	 * Into out[n], each with room for k, unsorted. Any number of threads at once. No add or remove
	 * runs meanwhile.
	 */
	int (*query)(const searcher *s, const search_request *q, topk *out, search_report *report,
		imgsearch_error *err);
	/* NULL: the wrapper keeps added rows in an exactly scanned tail and masks removed ones. */
	int (*add)(searcher *s, const int64_t *ids, const float *rows, size_t n, job *job,
		imgsearch_error *err);
	int (*remove)(searcher *s, const int64_t *ids, size_t n, imgsearch_error *err);
	/* Leading m components of n rows (pca); NULL elsewhere. */
	int (*reduce)(const searcher *s, const float *rows, size_t n, float *out, size_t m,
		imgsearch_error *err);
	uint64_t (*memory)(const searcher *s);
	/* what building measured, in words; NULL: nothing */
	void (*describe)(const searcher *s, char *out, size_t size);
	void (*free)(searcher *s);
} searcher_ops;

/* The first member of every implementation. */
struct searcher {
	const searcher_ops *ops;
	const row_source *rows; /* borrowed; outlives the searcher */
};

/* ------------------------------------------- a searcher with its tail: what a caller holds ---- */

/*
 * Built part + rows added since + ids removed since. Any thread may call; queries run side by side,
 * and a change runs alone, under the write lock.
 */
typedef struct search_index search_index;

const searcher_ops *ims_search_find(const char *name); /* NULL: unknown */
const searcher_ops *const *ims_search_all(void);       /* NULL-terminated */

int ims_search_build(search_index **out, const char *name, const row_source *rows,
	const search_params *p, job *job, imgsearch_error *err);
int ims_search_save(search_index *s, const chunk_sink *sink, imgsearch_error *err);
/*
 * EFORMAT: damaged, EVERSION: another version of the chunks: build anew. source outlives *out,
 * which may read on.
 */
int ims_search_load(search_index **out, const char *name, const row_source *rows,
	const chunk_source *source, imgsearch_error *err);
/* Sorted results, final distances from full-precision rows in one fixed order. */
int ims_search_query(search_index *s, const search_request *q, topk *out, search_report *report,
	imgsearch_error *err);
/* False: there is such a searcher, and these rows do not find near ones themselves, as it needs. */
bool ims_search_takes(const char *name, const row_source *rows);
/* Whether a searcher of that name must be told of changes; not where the source finds near rows. */
bool ims_search_follows(const char *name, const row_source *rows);
/* also replaces */
int ims_search_add(search_index *s, const int64_t *ids, const float *rows, size_t n,
	imgsearch_error *err);
int ims_search_remove(search_index *s, const int64_t *ids, size_t n, imgsearch_error *err);
/* Changed rows / built rows. build/build.c builds again above 0.2. */
double ims_search_drift(const search_index *s);
/* Of a searcher that was loaded: the rows it was built over, where its source has others by now. */
void ims_search_set_built(search_index *s, uint64_t rows);
int ims_search_reduce(search_index *s, const float *rows, size_t n, float *out, size_t m,
	imgsearch_error *err);
uint64_t ims_search_memory(const search_index *s);
const char *ims_search_name(const search_index *s);
void ims_search_describe(const search_index *s, char *out,
	size_t size); /* what building measured, or "" */
void ims_search_free(search_index *s);

/* ---------------------------------------------------------------------------------- auto.c ---- */

enum { SEARCH_CANDIDATES = 3 };

/* What a searcher is chosen by. */
typedef struct search_facts {
	size_t n;
	uint32_t dim;
	bool near;     /* the source finds near rows */
	double spread; /* effective dimension, by the spectrum of a sample; 0: unknown */
	float *sample; /* (sampled, dim): rows of the source */
	size_t sampled;
} search_facts;

int ims_search_look(search_facts *out, const row_source *rows, imgsearch_error *err);
void ims_search_facts_free(search_facts *f);

/*
 * The searchers to choose from, the usual one first. A single one: why says why; else measure and
 * ask for the fastest.
 */
size_t ims_search_candidates(const search_facts *f, const char *name[SEARCH_CANDIDATES], char *why,
	size_t size);
/* a query */
int ims_search_time(search_index *x, const search_facts *f, double *seconds, imgsearch_error *err);
size_t ims_search_fastest(const search_facts *f, const char *const *name, const double *seconds,
	size_t n, char *why, size_t size);
/* Whether auto would take one of this kind, exact or approximate, for so many rows. */
bool ims_search_suits(const char *name, size_t n, uint32_t dim);

/* ------------------------------------------------------------------------------ scan.c ---- */

/*
 * The truth: every row of the source, one after the other. subset and filter respected. Batches
 * share the pass.
 */
int ims_search_scan(const row_source *rows, const search_request *q, topk *out,
	search_report *report, imgsearch_error *err);

/* The one definition of a distance (kernels' fixed order). */
float ims_search_distance(imgsearch_metric metric, const float *a, const float *b, uint32_t dim);

#endif
