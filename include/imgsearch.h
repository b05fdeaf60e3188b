/*
 * imgsearch — index folders of pictures, query with a picture, get the most similar ones.
 *
 *	imgsearch *s;
 *	imgsearch_error err;
 *	if (imgsearch_open(&s, "photos.db", NULL, &err)) return puts(err.message), 1;
 *	const char *dirs[] = { "photos" };
 *	imgsearch_index_tree(s, dirs, 1, NULL, NULL, &err);
 *	imgsearch_input in = imgsearch_file("query.jpg");
 *	imgsearch_hits *hits;
 *	if (imgsearch_query(s, &in, 1, NULL, &hits, &err) == 0)
 *		for (size_t i = 0; i < hits->count; i++)
 *			printf("%.3f %s\n", hits->hit[i].score, hits->hit[i].path);
 *	imgsearch_hits_free(hits);
 *	imgsearch_close(s);
 *
 * Rules that hold everywhere
 *
 * Errors. Every fallible function returns 0 or a negative imgsearch_status and, when the caller
 * gives one, fills
 *           an imgsearch_error with a sentence that names the file, tensor or row and the reason.
 *           err may be NULL.
 *           The library never prints, never exits, and keeps no global state.
 * Ownership. An out-pointer comes first; what it receives is the caller's and has exactly one free
 * function, which
 *           accepts NULL. On error *out is NULL. Inputs are never kept after the call. A `const
 *           char *` inside a
 *           result lives as long as the result.
 * Options. Structs whose first member is struct_size: initialise with IMGSEARCH_INIT(type) or zero
 * everything and
 *           set struct_size to sizeof. Zero means the default; NULL for the struct means all
 *           defaults.
 * Threads. One handle serves any number of threads: the functions under "Query" run in parallel
 * with each other and
 *           with a writer. One writer (index_*, build, set_*) at a time in this process and in any
 *           other: the second
 *           gets IMGSEARCH_EBUSY. Callbacks run on the thread that called the library, never under
 *           a lock
 *           (but for a query's filter, see there).
 * Numbers. Features are f32, row-major, one row a picture. Picture ids are positive (those of the
 * caller's own
 *           vectors may be 0), stable, and never used again. Scores: cosine similarity (metric
 *           cosine), inner product
 *           (ip) or minus the Euclidean distance (l2): higher is always more similar. Equal scores
 *           are ordered by id.
 * Text. UTF-8. Paths are bytes as the file system has them, NUL-terminated, absolute in results.
 * ABI. Within a soname, names, numbers and layouts stay; structs grow only at their end; see
 * docs/abi.md.
 */
#ifndef IMGSEARCH_H
#define IMGSEARCH_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define IMGSEARCH_API
#else
#define IMGSEARCH_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define IMGSEARCH_VERSION_MAJOR 0
#define IMGSEARCH_VERSION_MINOR 1
#define IMGSEARCH_VERSION_PATCH 0

/* ---------------------------------------------------------------------------------- errors ---- */

/* X(name, number, short text). Numbers never change. */
#define IMGSEARCH_STATUS_MAP(X) \
	X(OK, 0, "no error") \
	X(EINVAL, -1, "invalid argument") \
	X(ENOMEM, -2, "out of memory") \
	X(EIO, -3, "input/output error") \
	X(ENOTFOUND, -4, "not found") \
	X(EFORMAT, -5, "damaged or malformed data") \
	X(ELIMIT, -6, "over a limit") \
	X(EMODEL, -7, "no usable model") \
	X(EDB, -8, "database error") \
	X(EVERSION, -9, "made by another version") \
	X(EUNSUPPORTED, -10, "not supported") \
	X(EBUSY, -11, "busy: another writer is at work") \
	X(ECANCELED, -12, "cancelled")

typedef enum imgsearch_status {
#define IMGSEARCH_X(name, number, text) IMGSEARCH_##name = number,
	IMGSEARCH_STATUS_MAP(IMGSEARCH_X)
#undef IMGSEARCH_X
		IMGSEARCH_STATUS_LAST = -13 /* never returned */
} imgsearch_status;

typedef struct imgsearch_error {
	int code;          /* imgsearch_status */
	int detail;        /* errno, SQLite result code, or 0 */
	char message[504]; /* one sentence, no newline at its end */
} imgsearch_error;

/* The short text of a status; a static string, never NULL. */
IMGSEARCH_API const char *imgsearch_strerror(int status);

/* "0.1.0" of the library that is running; a static string. */
IMGSEARCH_API const char *imgsearch_version(void);

/* --------------------------------------------------------------------- open, close, events ---- */

/* an open index: database, searcher, and (loaded when first needed) the network */
typedef struct imgsearch imgsearch;

#ifdef __cplusplus
#define IMGSEARCH_INIT(type) \
	[] { \
		type imgsearch_o = {}; \
		imgsearch_o.struct_size = sizeof(type); \
		return imgsearch_o; \
	}()
#else
#define IMGSEARCH_INIT(type) \
	{ \
		.struct_size = sizeof(type) \
	}
#endif

enum {
	IMGSEARCH_LOG_ERROR = 1,
	IMGSEARCH_LOG_WARNING = 2,
	IMGSEARCH_LOG_INFO = 3,
	IMGSEARCH_LOG_DEBUG = 4
};

typedef struct imgsearch_progress {
	const char *stage;     /* "walk", "index", "build", "train" ...: a static string */
	const char *path;      /* what is at work now, or NULL; valid during the callback */
	uint64_t done, total;  /* total is 0 while unknown */
	uint64_t failed;       /* bad files so far */
	double loss, accuracy; /* stage "train": of the last steps; NaN otherwise */
} imgsearch_progress;

typedef struct imgsearch_events {
	void *user;
	void (*log)(void *user, int level, const char *text);
	/*
	 * At most some ten calls a second. Non-zero cancels: what was done is committed, the call
	 * returns ECANCELED.
	 */
	int (*progress)(void *user, const imgsearch_progress *p);
} imgsearch_events;

typedef enum imgsearch_metric {
	IMGSEARCH_COSINE = 0,
	IMGSEARCH_L2 = 1,
	IMGSEARCH_IP = 2
} imgsearch_metric;
typedef enum imgsearch_precision {
	IMGSEARCH_PRECISION_AUTO = 0,
	IMGSEARCH_F32 = 1,
	IMGSEARCH_BF16 = 2
} imgsearch_precision;
typedef enum imgsearch_interpolation {
	IMGSEARCH_INTERPOLATION_DEFAULT = 0,
	IMGSEARCH_BILINEAR = 1,
	IMGSEARCH_BICUBIC = 2
} imgsearch_interpolation;

/*
 * How a picture becomes the network's input. Zero fields take the network's own values. Stored in
 * the index.
 */
typedef struct imgsearch_recipe {
	uint32_t resize;        /* short side after the resize, pixels */
	uint32_t crop;          /* side of the centre crop, pixels */
	float mean[3], std[3];  /* RGB, for values in 0..1; all of std zero: the network's own */
	uint32_t interpolation; /* imgsearch_interpolation */
} imgsearch_recipe;

typedef struct imgsearch_options {
	size_t struct_size;
	imgsearch_events events;
	/*
	 * network by name ("resnet50"), or a weights file with a card beside it; NULL: what the index
	 * was made with, for a new index the default model
	 */
	const char *model;
	/* .pth, .safetensors or TorchScript .pt for `model`; NULL: looked for, see docs/models.md */
	const char *weights;
	const char *device; /* "auto" (default), "cpu", "cuda", "cuda:1" */
	uint32_t precision; /* imgsearch_precision */
	uint32_t threads;   /* of decoders, network, searchers together; 0: one per available CPU */
	imgsearch_recipe recipe;
	/* a new index of the caller's own vectors: their dimension, 1..65536; 0: the network's */
	uint32_t dim;
	uint32_t metric; /* imgsearch_metric of a new index; default cosine */
	uint32_t
		max_megapixels; /* pictures above are "too big", and so are sides of over a million pixels; default 200 */
	uint32_t must_exist; /* 1: ENOTFOUND instead of making a new index */
	uint32_t read_only;  /* 1: never write, not even a journal */
	/* 1: no DCT scaling of JPEGs: slower, exactly the reference transform */
	uint32_t full_decode;
	/*
	 * of a new index: 1: features are the mean of the picture's and its mirror image's, for twice
	 * the network's work; stored with the recipe
	 */
	uint32_t flip;
} imgsearch_options;

/*
 * Opens the index `path` (":memory:" for one that is not kept), making it if need be. Does not load
 * the network: that happens at the first picture. Errors: EINVAL, EIO, EDB (not a database,
 * damaged), EVERSION (made by a newer version), ENOTFOUND (must_exist), EMODEL (a new file, and the
 * options name a model that there is not: none is made). That they name another model than the
 * index was made by is noticed by the first picture (EMODEL), while imgsearch_index_tree takes it
 * as the wish to index anew.
 */
IMGSEARCH_API int imgsearch_open(imgsearch **out, const char *path,
	const imgsearch_options *options, imgsearch_error *err);

/* Waits for nothing: no other call may be running on the handle. NULL is fine. */
IMGSEARCH_API void imgsearch_close(imgsearch *s);

/*
 * Makes the running long calls (index, build, train ...) return ECANCELED soon; without effect when
 * none runs. Safe from any thread and signal handler.
 */
IMGSEARCH_API void imgsearch_cancel(imgsearch *s);

/* ---------------------------------------------------------------------------------- inputs ---- */

typedef enum imgsearch_kind {
	IMGSEARCH_KIND_FILE = 1,   /* path */
	IMGSEARCH_KIND_MEMORY = 2, /* data, size: the bytes of a picture file */
	/* data: RGB, 8 bits, upright; width, height; size: bytes a row, 0 for 3 * width */
	IMGSEARCH_KIND_PIXELS = 3,
	IMGSEARCH_KIND_VECTOR = 4, /* data: f32, size: how many values; must be the index's dimension */
	IMGSEARCH_KIND_STORED = 5  /* id of a picture in the index */
} imgsearch_kind;

/* A picture, wherever it is. This struct never grows; make one with the functions below. */
typedef struct imgsearch_input {
	uint32_t kind;
	float weight; /* in a combined query; 0 means 1, negative pushes away */
	const char *path;
	const void *data;
	size_t size;
	int64_t id;
	int32_t width, height;
	int32_t crop[4]; /* x, y, width, height in the upright picture; width 0: all of it */
} imgsearch_input;

static inline imgsearch_input imgsearch_file(const char *path)
{
	imgsearch_input in = { IMGSEARCH_KIND_FILE, 0, path, NULL, 0, 0, 0, 0, { 0, 0, 0, 0 } };
	return in;
}

static inline imgsearch_input imgsearch_memory(const void *bytes, size_t size)
{
	imgsearch_input in = { IMGSEARCH_KIND_MEMORY, 0, NULL, bytes, size, 0, 0, 0, { 0, 0, 0, 0 } };
	return in;
}

static inline imgsearch_input imgsearch_pixels(const void *rgb, int32_t width, int32_t height,
	size_t row_bytes)
{
	imgsearch_input in = { IMGSEARCH_KIND_PIXELS, 0, NULL, rgb, row_bytes, 0, width, height,
		{ 0, 0, 0, 0 } };
	return in;
}

static inline imgsearch_input imgsearch_vector(const float *values, size_t dim)
{
	imgsearch_input in = { IMGSEARCH_KIND_VECTOR, 0, NULL, values, dim, 0, 0, 0, { 0, 0, 0, 0 } };
	return in;
}

static inline imgsearch_input imgsearch_stored(int64_t id)
{
	imgsearch_input in = { IMGSEARCH_KIND_STORED, 0, NULL, NULL, 0, id, 0, 0, { 0, 0, 0, 0 } };
	return in;
}

/* --------------------------------------------------------------------------------- extract ---- */

/*
 * The feature of each of n inputs into out: (n, dim) f32, dim as imgsearch_info says; L2-normalised
 * unless raw is 1. A picture that fails gives a row of NaN, and its reason in errors[i] where
 * errors is not NULL; the call then still returns 0. Any thread; the network itself runs one batch
 * at a time. Errors: EMODEL (no network), ECANCELED, ENOMEM.
 */
IMGSEARCH_API int imgsearch_extract(imgsearch *s, const imgsearch_input *in, size_t n, int raw,
	float *out, imgsearch_error *errors, imgsearch_error *err);

/* ----------------------------------------------------------------------------------- index ---- */

typedef enum imgsearch_state {
	IMGSEARCH_INDEXED = 1,
	IMGSEARCH_DUPLICATE = 2,   /* the same bytes as an indexed picture; found through it */
	IMGSEARCH_UNSUPPORTED = 3, /* no picture, or one of a kind that this build cannot read */
	IMGSEARCH_DAMAGED = 4,
	IMGSEARCH_TOO_BIG = 5,
	IMGSEARCH_EXCLUDED = 6, /* by a rule, see the reason */
	/* permission, vanished, input/output error: tried again at the next run */
	IMGSEARCH_UNREADABLE = 7,
	IMGSEARCH_DELETED = 8 /* on purpose: it is in no answer and is not taken in again */
} imgsearch_state;

typedef struct imgsearch_index_options {
	size_t struct_size;
	/* patterns (fnmatch) of names or relative paths; NULL: every picture */
	const char *const *include;
	size_t n_include;
	const char *const *exclude;
	size_t n_exclude;
	const char *csv;       /* attach the columns of this CSV (RFC 4180, UTF-8, header row) */
	const char *csv_key;   /* column with file name or path; default "file" */
	const char *csv_title; /* column shown as title; default "title" */
	uint32_t follow_links; /* 1: follow symbolic links (loops are noticed) */
	uint32_t prune;        /* 1: allow one run to drop more than 30 % of a root */
	uint32_t retry;        /* 1: try bad files again even if unchanged */
	uint32_t reserved;     /* 0 */
} imgsearch_index_options;

/* Paths seen = indexed + duplicate + unsupported + damaged + too_big + excluded + unreadable. */
typedef struct imgsearch_counts {
	uint64_t seen, indexed, duplicate, unsupported, damaged, too_big, excluded, unreadable;
	/* what this run did; offline: pictures of absent roots, kept */
	uint64_t added, unchanged, moved, removed, offline;
	/* the last four: time of work, decode and network summed over threads */
	double seconds, walk_s, decode_s, network_s, store_s;
} imgsearch_counts;

/*
 * Brings the index up to date with the files and folders `paths` (n = 0: the roots it knows).
 * Unchanged files are not read; moved ones keep their vector; deleted ones drop out; a root that is
 * not there is offline and kept. A bad file is counted and remembered with its reason and never
 * fails the run. Commits every few seconds. counts may be NULL. Errors: EBUSY, EMODEL, ENOTFOUND (a
 * path that does not exist), EINVAL (CSV), EIO, EDB, ECANCELED.
 */
IMGSEARCH_API int imgsearch_index_tree(imgsearch *s, const char *const *paths, size_t n,
	const imgsearch_index_options *options, imgsearch_counts *counts, imgsearch_error *err);

/*
 * Adds or replaces one picture or vector under `name` (a path or any text that is unique in the
 * index; NULL: the input's path, else "id:N"). *id, when not NULL, receives its id; a positive *id
 * on entry asks for that id for a vector. Visible to the next query. Errors: as index_tree, and
 * EFORMAT, EUNSUPPORTED, ELIMIT for a bad picture.
 */
IMGSEARCH_API int imgsearch_index_add(imgsearch *s, const imgsearch_input *in, const char *name,
	int64_t *id, imgsearch_error *err);

/*
 * Adds n vectors, rows of dim f32; ids: n numbers, not negative, or NULL to count on from the
 * largest one (from 0 in an empty index, so that row numbers are ids). An existing id is replaced.
 */
IMGSEARCH_API int imgsearch_index_vectors(imgsearch *s, const float *rows, size_t n, size_t dim,
	const int64_t *ids, imgsearch_error *err);

/* Removes pictures by id; unknown ids are ENOTFOUND and nothing is removed. */
IMGSEARCH_API int imgsearch_index_remove(imgsearch *s, const int64_t *ids, size_t n,
	imgsearch_error *err);

/* Says that a root lies elsewhere now; pictures keep ids and vectors. ENOTFOUND: no such root. */
IMGSEARCH_API int imgsearch_root_move(imgsearch *s, const char *from, const char *to,
	imgsearch_error *err);

/* ----------------------------------------------------------------------------------- build ---- */

typedef struct imgsearch_build_options {
	size_t struct_size;
	const char *searcher; /* "auto" (default), "exact", "kdtree", "pca", "graph" */
	double variance;      /* pca: share of the variance kept, 0..1 */
	uint32_t components;  /* pca, kdtree: number kept; 0: by variance */
	uint32_t degree;      /* graph: neighbours of a node */
	uint32_t beam;        /* graph: beam while building */
	uint32_t whiten;      /* pca: 1 */
	uint64_t seed;
	/* 1: only where no searcher is built or more than 20 % of the rows changed since */
	uint32_t if_stale;
	uint32_t reserved; /* 0 */
} imgsearch_build_options;

typedef struct imgsearch_build_report {
	const char *searcher; /* static string: what was built */
	uint64_t rows, bytes; /* bytes: of the searcher's state in the index */
	double seconds;
	char why[256]; /* auto: the reason */
} imgsearch_build_report;

/*
 * Trains a searcher over all vectors and keeps it in the index beside the others; queries go on
 * with the old one until it is done. Also fits the distribution of chance scores. Needed only for
 * speed: without it queries scan exactly.
 */
IMGSEARCH_API int imgsearch_build(imgsearch *s, const imgsearch_build_options *options,
	imgsearch_build_report *report, imgsearch_error *err);

/* ----------------------------------------------------------------------------------- query ---- */

typedef struct imgsearch_query_options {
	size_t struct_size;
	uint32_t k; /* how many, default 10; more than there are gives all */
	/*
	 * 1: leave out the stored pictures that were the query (same id or same bytes), each input with
	 * a positive weight
	 */
	uint32_t no_self;
	float min_score; /* with has_min_score: leave out what scores lower */
	uint32_t has_min_score;
	/* > 0: cut where more pictures than this would score as high by chance */
	double max_chance;
	const char *
		searcher; /* NULL: the index's own choice; else "exact", "kdtree", "pca", "graph", "scan" */
	double recall; /* graph: aim at this recall@k; 0: its default of 0.95 */
	uint32_t ef;   /* graph: beam, instead of recall */
	/* kdtree, pca: rows looked at, at most; 0: until the answer is proven */
	uint32_t checks;
	double epsilon;     /* kdtree: answers within (1 + epsilon) of the true distance */
	const char *under;  /* only pictures below this folder */
	const int64_t *ids; /* only these ids ... */
	size_t n_ids;
	int (*filter)(void *user, int64_t id); /* ... and only those it returns non-zero for; on query
	                           threads and under the searcher's lock: it must not call the library */
	void *filter_user;
	uint32_t threads; /* of a batch; 0: the handle's */
	/* 1: cosine of the features as they are: no mean subtracted, and none of what follows */
	uint32_t plain;
	/* Better answers for more work, see docs/quality.md; all off by default. */
	/*
	 * > 0: query expansion: ask again with the mean of the query and so many of its first results;
	 * scores are then those of that mean. At most 10000
	 */
	uint32_t expand;
	float expand_power; /* weights of that mean: score to this power; 0: all equal */
	/*
	 * > 0: k-reciprocal re-ranking of the first 500 results with this k, at most 499; cosine only
	 */
	uint32_t reciprocal;
	/*
	 * > 1: each picture asks with the mean feature of so many views: itself, its middle and its
	 * four corners (three quarters of each side); at most 6. Needs the network
	 */
	uint32_t views;
} imgsearch_query_options;

typedef struct imgsearch_column {
	const char *name, *value;
} imgsearch_column;

typedef struct imgsearch_hit {
	int64_t id;
	/* absolute; the name it was added under for memory, pixels and vectors */
	const char *path;
	const char *title;               /* or NULL */
	const imgsearch_column *columns; /* of the CSV */
	size_t n_columns;
	float score;
	float distance; /* Euclidean, between the (for cosine: normalised) features */
	/*
	 * how many pictures of the index would score as high by chance; 0: the query itself; NaN before
	 * a build
	 */
	double chance;
} imgsearch_hit;

typedef struct imgsearch_hits {
	size_t count;
	const imgsearch_hit *hit;
	/*
	 * as far as the list has more hits than would score as high by chance (the last rank r with
	 * chance < r; in a re-ranked list: the last one with chance < 1); count where it is unknown
	 */
	size_t better_than_chance;
	const char *searcher; /* that answered: static string */
	const char *plan;     /* how: "codes", "graph", "filter: subset scanned" ...: static string */
	int exact;            /* 1: these are provably the nearest ones */
	/*
	 * 1: the order is that of re-ranking; score, distance and chance are each hit's own, as ever,
	 * and need not fall along the list
	 */
	int reranked;
	double seconds_feature, seconds_search;
} imgsearch_hits;

/*
 * The pictures most like the inputs. Several inputs are combined into one query: the weighted sum
 * of their normalised features, normalised. A picture whose bytes are in the index is recognised
 * and costs no network. Any number of threads. No hit is no error: count is 0. Errors: ENOTFOUND
 * (unknown id, empty index path), EINVAL (k, dimension, NaN), EMODEL,
 * EFORMAT/EUNSUPPORTED/ELIMIT/EIO for a bad picture.
 */
IMGSEARCH_API int imgsearch_query(imgsearch *s, const imgsearch_input *in, size_t n,
	const imgsearch_query_options *options, imgsearch_hits **out, imgsearch_error *err);
IMGSEARCH_API void imgsearch_hits_free(imgsearch_hits *hits);

/*
 * n queries by vector at once: queries (n, dim) f32; ids (n, k) int64, -1 where there are fewer;
 * scores (n, k) f32 or NULL, NaN where there are fewer. k = options->k. Far cheaper than one by
 * one: the queries share the pass over memory. no_self, max_chance and views have no effect here.
 */
IMGSEARCH_API int imgsearch_query_vectors(imgsearch *s, const float *queries, size_t n, size_t dim,
	const imgsearch_query_options *options, int64_t *ids, float *scores, imgsearch_error *err);

/*
 * All pictures scoring at least min_score for one input, best first; options->k then bounds the
 * number (0: none). Exact.
 */
IMGSEARCH_API int imgsearch_range(imgsearch *s, const imgsearch_input *in, float min_score,
	const imgsearch_query_options *options, imgsearch_hits **out, imgsearch_error *err);

/*
 * Projects n rows (n, dim) onto the m leading principal components of the built "pca" searcher: out
 * (n, m).
 */
IMGSEARCH_API int imgsearch_reduce(imgsearch *s, const float *rows, size_t n, size_t dim,
	float *out, size_t m, imgsearch_error *err);

/* ----------------------------------------------------------------------------------- check ---- */

#define IMGSEARCH_CHECK_SEARCHERS 8

typedef struct imgsearch_check_searcher {
	const char *name; /* static string */
	double recall[3]; /* of the 1, 10 and 100 nearest */
	double seconds;   /* a query, asked one by one */
	uint64_t memory;  /* bytes */
} imgsearch_check_searcher;

typedef struct imgsearch_check_report {
	uint64_t problems;   /* told to the callback */
	uint64_t queries;    /* asked of every searcher */
	double scan_seconds; /* of the plain scan, a query, asked in batches */
	size_t n_searchers;  /* built and up to date */
	imgsearch_check_searcher searcher[IMGSEARCH_CHECK_SEARCHERS];
} imgsearch_check_report;

/*
 * Looks at the whole file: its structure, references between tables, checksums. Each problem is a
 * sentence to `problem` (may be NULL; non-zero stops and is returned). queries > 0: asks so many
 * stored vectors of every searcher and compares with a plain scan. Found problems are no error of
 * the call. Errors: EDB, EIO, ENOMEM, ECANCELED.
 */
IMGSEARCH_API int imgsearch_check(imgsearch *s, uint32_t queries,
	int (*problem)(void *user, const char *text), void *user, imgsearch_check_report *report,
	imgsearch_error *err);

/* ------------------------------------------------------------------------------------ info ---- */

typedef struct imgsearch_info {
	const char *path;
	uint64_t bytes; /* of the database file */
	uint32_t dim, metric;
	uint64_t vectors;
	imgsearch_counts counts;  /* totals; the fields of a run are 0 */
	const char *model;        /* name, or NULL for an index of vectors alone */
	const char *weights;      /* where they came from */
	const char *weights_hash; /* hexadecimal BLAKE2b-256 */
	const char *precision;    /* "f32", "bf16" */
	imgsearch_recipe recipe;
	const char *searcher; /* that the next query uses */
	const char *searcher_why;
	const char *kernels; /* "avx512" ... */
	/* libtorch version, BLAS, device; NULL until the network was loaded */
	const char *network;
	const char *const *roots; /* n_roots paths */
	const uint8_t *root_offline;
	size_t n_roots;
	const char *const *searchers; /* built ones: "graph: 200000 rows, 64 MB, fresh" */
	size_t n_searchers;
	uint32_t flip; /* 1: features are means of the picture's and its mirror image's */
	uint32_t reserved;
	const char *
		next; /* of a re-index under way: "default, resize 200, crop 190: 512 of 1080 vectors"; or NULL */
} imgsearch_info;

IMGSEARCH_API int imgsearch_info_get(imgsearch *s, imgsearch_info **out, imgsearch_error *err);
IMGSEARCH_API void imgsearch_info_free(imgsearch_info *info);

typedef struct imgsearch_item {
	int64_t id;
	const char *path, *title, *reason; /* reason: of a state other than indexed, or NULL */
	const imgsearch_column *columns;
	size_t n_columns;
	uint32_t state;         /* imgsearch_state */
	uint32_t width, height; /* upright; 0 when unknown */
	uint32_t offline;
	uint64_t size; /* bytes */
	int64_t mtime_ns;
	int64_t same_as; /* duplicate: the id of its twin */
	char hash[65];   /* hexadecimal BLAKE2b-256 of the bytes, or "" */
	char reserved[7];
} imgsearch_item;

/*
 * Every path the index knows in order of path, or those in one state (0: all). Non-zero from each
 * stops, and is returned.
 */
IMGSEARCH_API int imgsearch_list(imgsearch *s, uint32_t state,
	int (*each)(void *user, const imgsearch_item *item), void *user, imgsearch_error *err);

/* One picture by id. ENOTFOUND. Free with imgsearch_item_free. */
IMGSEARCH_API int imgsearch_item_get(imgsearch *s, int64_t id, imgsearch_item **out,
	imgsearch_error *err);
IMGSEARCH_API void imgsearch_item_free(imgsearch_item *item);

/* The id that a path has; ENOTFOUND. */
IMGSEARCH_API int imgsearch_find(imgsearch *s, const char *path, int64_t *id, imgsearch_error *err);

/*
 * Stored vectors (as extracted, not normalised) in id order: each gets blocks of ids (n) and rows
 * (n, dim).
 */
IMGSEARCH_API int imgsearch_vectors(imgsearch *s,
	int (*each)(void *user, const int64_t *ids, const float *rows, size_t n, size_t dim),
	void *user, imgsearch_error *err);

/* ----------------------------------------------------------------------------- collections ---- */

/*
 * The ways of being the same, from strict to loose. A pair is counted in the strictest one that
 * holds.
 */
typedef enum imgsearch_sameness {
	IMGSEARCH_SAME_BYTES = 1, /* the files' content is equal */
	/* resized, recompressed, turned by quarters or mirrored: compared on the pixels */
	IMGSEARCH_SAME_PICTURE = 2,
	/* features so near, and so alike in layout, that it is most likely the same thing again */
	IMGSEARCH_SAME_SCENE = 3
} imgsearch_sameness;

typedef struct imgsearch_groups_options {
	size_t struct_size;
	const char *under; /* only pictures below this folder */
	float min_score;   /* of two pictures of one scene; 0: the default of 0.92 */
	uint32_t kinds;    /* bits 1 << imgsearch_sameness; 0: all */
} imgsearch_groups_options;

typedef struct imgsearch_group {
	const int64_t *ids; /* ascending */
	size_t count;       /* at least 2 */
	uint32_t kind;      /* imgsearch_sameness */
	float score;        /* SAME_SCENE: the lowest score that holds the group together; else 1 */
} imgsearch_group;

typedef struct imgsearch_group_list {
	size_t count;
	const imgsearch_group *group; /* by kind, then by their first id */
	/* pictures that could not be compared by pixels: their files are away or changed */
	uint64_t unread;
} imgsearch_group_list;

/*
 * Groups of near-duplicates. The kinds are never mixed: each one looks at one picture (the one with
 * the smallest id) of every group of the stricter kind. Pairs that were rejected are left out.
 * Pictures met for the first time have their pixels read, and remembered where the index can be
 * written. Errors: ENOMEM, EDB, ECANCELED.
 */
IMGSEARCH_API int imgsearch_groups(imgsearch *s, const imgsearch_groups_options *options,
	imgsearch_group_list **out, imgsearch_error *err);
IMGSEARCH_API void imgsearch_group_list_free(imgsearch_group_list *list);

/* Remembers, by content, that two pictures are different ones. A writer. ENOTFOUND, EBUSY. */
IMGSEARCH_API int imgsearch_reject(imgsearch *s, int64_t a, int64_t b, imgsearch_error *err);

typedef struct imgsearch_map_options {
	size_t struct_size;
	const char *under;   /* only pictures below this folder */
	uint64_t max_points; /* of a larger index an even choice is taken; default 50000 */
	uint64_t seed;
	float perplexity; /* default 30 */
	uint32_t pca;     /* 1: the two leading principal components instead of t-SNE */
} imgsearch_map_options;

typedef struct imgsearch_map_point {
	int64_t id;
	float x, y; /* 0..1, y downwards; the longer side of the picture fills its range */
} imgsearch_map_point;

typedef struct imgsearch_map_points {
	size_t count;
	const imgsearch_map_point *point; /* by id */
} imgsearch_map_points;

/*
 * Places the pictures on a plane, like ones near each other. ENOMEM, EDB, ECANCELED; progress stage
 * "map".
 */
IMGSEARCH_API int imgsearch_map(imgsearch *s, const imgsearch_map_options *options,
	imgsearch_map_points **out, imgsearch_error *err);
IMGSEARCH_API void imgsearch_map_free(imgsearch_map_points *points);

/*
 * A cell (row * columns + column) for each point, near its place, none shared. EINVAL: fewer cells
 * than points.
 */
IMGSEARCH_API int imgsearch_map_grid(const imgsearch_map_points *points, uint32_t columns,
	uint32_t rows, uint32_t *cell, imgsearch_error *err);

/* --------------------------------------------------------------------------------- quality ---- */

typedef struct imgsearch_eval_options {
	size_t struct_size;
	/* a folder of query pictures; NULL: every picture of the index, left out of its own answer */
	const char *queries;
	/*
	 * CSV with a header row: query, relevant, relevant ...; NULL: pictures of one folder belong
	 * together
	 */
	const char *truth;
	uint64_t seed;   /* of the bootstrap, and of what duplicates are made of */
	uint32_t sample; /* ask at most so many queries, evenly taken; 0: all */
	/* instead: make near-duplicates of so many pictures and look for their originals */
	uint32_t duplicates;
	/* 1: instead of folders, groups of near-duplicates (imgsearch_groups) belong together */
	uint32_t groups;
	/* 1: cosine of the features as they are: no mean subtracted; with none of what follows */
	uint32_t plain;
	/* > 0: on so many principal components of the index, scaled to equal variance */
	uint32_t whiten;
	/* as in imgsearch_query_options: the measured answers are those that a query gives */
	uint32_t expand;
	float expand_power;
	float threshold; /* with has_threshold: its F1 too */
	uint32_t has_threshold;
	/* > 0: k-reciprocal re-ranking of the first 500 with this k; cosine only */
	uint32_t reciprocal;
	/* > 1: queries are the mean feature of so many views; pictures of the index are read again */
	uint32_t views;
	uint32_t reserved; /* 0 */
} imgsearch_eval_options;

enum { IMGSEARCH_CUTS = 4 };

typedef struct imgsearch_eval_scores {
	uint64_t queries; /* that have something to find */
	double map;       /* mean average precision, as scikit-learn's */
	double ci[2];     /* its 95 % interval, by bootstrap over the queries */
	double accuracy;  /* share of queries whose first result belongs to them (1-NN) */
	/* of the first 1, 5, 10, 100 results */
	double precision[IMGSEARCH_CUTS], recall[IMGSEARCH_CUTS], ndcg[IMGSEARCH_CUTS];
} imgsearch_eval_scores;

typedef struct imgsearch_eval_class {
	const char *name; /* folder, or kind of near-duplicate */
	imgsearch_eval_scores scores;
} imgsearch_eval_class;

typedef struct imgsearch_eval_report {
	uint64_t pictures; /* of the index, that answers are ranked from */
	imgsearch_eval_scores all;
	const imgsearch_eval_class *classes;
	size_t n_classes;
	/* of taking every pair that scores as high as belonging together */
	double best_threshold, best_f1;
	double threshold_f1;           /* of options->threshold; NaN without one */
	double seconds, seconds_query; /* all; ranking all pictures for one query */
	uint64_t failed;               /* query pictures that could not be read */
} imgsearch_eval_report;

/*
 * How good the answers are: every picture is ranked for every query, exactly. Errors: ENOTFOUND (a
 * folder, nothing that belongs together), EFORMAT (CSV), EMODEL (query pictures without a network),
 * EINVAL, ENOMEM, ECANCELED; progress stage "eval".
 */
IMGSEARCH_API int imgsearch_eval(imgsearch *s, const imgsearch_eval_options *options,
	imgsearch_eval_report **out, imgsearch_error *err);
IMGSEARCH_API void imgsearch_eval_free(imgsearch_eval_report *report);

/* -------------------------------------------------------------------------------- pictures ---- */

typedef struct imgsearch_picture {
	const uint8_t *rgb; /* upright, 8 bits, rows without padding */
	uint32_t width, height;
} imgsearch_picture;

/*
 * The pixels of an input (file, memory, pixels, stored id; its crop is cut out), made smaller where
 * a side is longer than max_side (0: as large as it is). EFORMAT, EUNSUPPORTED, ELIMIT, EIO,
 * ENOTFOUND, EINVAL (a vector).
 */
IMGSEARCH_API int imgsearch_picture_load(imgsearch *s, const imgsearch_input *in, uint32_t max_side,
	imgsearch_picture **out, imgsearch_error *err);
IMGSEARCH_API void imgsearch_picture_free(imgsearch_picture *picture);

/* A JPEG of quality 1..100, or a PNG (quality 0). *bytes are freed with imgsearch_bytes_free. */
IMGSEARCH_API int imgsearch_picture_encode(const imgsearch_picture *picture, int quality,
	void **bytes, size_t *size, imgsearch_error *err);
IMGSEARCH_API void imgsearch_bytes_free(void *bytes);

/* -------------------------------------------------------------------------------- training ---- */

typedef enum imgsearch_loss {
	IMGSEARCH_LOSS_CROSS_ENTROPY = 1,
	/* made for retrieval: pictures of a class near each other, others apart */
	IMGSEARCH_LOSS_SUPCON = 2,
	/* made for retrieval: angles to the centres of classes, with a margin */
	IMGSEARCH_LOSS_ARCFACE = 3
} imgsearch_loss;

typedef struct imgsearch_train_options {
	size_t struct_size;
	/* the file to write, which must end in .safetensors, and its card beside it; required */
	const char *out;
	/* distillation: NAME=FILE or files with a card, separated by commas; NULL: learn from labels */
	const char *teachers;
	/* in the card: of the model, default the stem of out; where it comes from; terms; remarks */
	const char *name;
	const char *descent, *licence, *note;
	uint32_t loss;   /* imgsearch_loss; default cross entropy */
	uint32_t layers; /* only the last so many layers learn; 0: all */
	/* a linear layer to so many values behind the pooling; 0: none (distillation: 256) */
	uint32_t dim;
	uint32_t epochs; /* default 10 */
	uint32_t steps;  /* instead of epochs */
	uint32_t batch;  /* default 32; IMGSEARCH_LOSS_SUPCON needs 8 or more */
	/* distillation: crops of each picture that the teachers see; default 2 */
	uint32_t views;
	/* stop after so many validations without a gain; default 5; 0xffffffff: never */
	uint32_t patience;
	uint32_t resume;  /* 1: go on from out.checkpoint, refusing that of another run */
	uint32_t restart; /* 1: throw an old checkpoint away; with neither, there may be none */
	uint32_t f32;     /* 1: keep f32 weights; default f16 */
	float rate;       /* peak learning rate; default 5e-5, distillation 2e-4 */
	float validation; /* share of the pictures held out; default 0.1; negative: none */
	/* smallest share of the picture in a crop; default 0.35, distillation 0.7 */
	float min_crop;
	/* brightness, contrast, saturation vary by this; default 0.2; negative: none */
	float jitter;
	float anchor; /* pull of the weights towards the starting ones; default 0 */
	/* distillation: weight of the relations beside the features; default 1; negative: none */
	float relational;
	float label_weight; /* distillation: weight of the labels' loss; default 0 */
	/* distillation: power by which strong components are damped; default 0.15; negative: none */
	float whiten;
	float decay; /* weight decay of new layers; default 0.01; negative: none */
	uint64_t seed;
	/*
	 * 1: the layer of dim (required) also sees the class probabilities by the starting weights'
	 * classifier; EMODEL where they have none. They learn, whatever layers is
	 */
	uint32_t posteriors;
	/*
	 * 1: matrices of 16 384 elements and more are written in int8, a scale for each row; not with
	 * f32
	 */
	uint32_t int8;
	/*
	 * share of the starting weights in the network that is judged and written (WiSE-FT), 0..1;
	 * default 0
	 */
	double blend;
} imgsearch_train_options;

typedef struct imgsearch_train_report {
	uint64_t pictures, classes, held_out, failed, steps;
	/* of the last steps; accuracy: right answers, or the mean cosine to the teachers */
	double loss, accuracy;
	double validation_loss, validation_accuracy; /* best; NaN without validation */
	double seconds, images_per_second;
	uint32_t dim, stopped_early;
} imgsearch_train_report;

/*
 * Trains the network that the handle was opened with (model, weights, device, precision, threads,
 * recipe) on the pictures below dir, whose classes are its first-level folders, or towards the
 * features of teachers, and writes a weights file with its card that `model` of imgsearch_options
 * takes at once. Needs no index. Progress stages: "teach" (the teachers look at the pictures) and
 * "train". A checkpoint out.checkpoint is written about once a minute and when cancelled, and
 * removed at the end. The best network by validation is what is kept in out. Errors: EINVAL
 * (options; fewer than two classes; too few pictures), EMODEL, EFORMAT (the loss stopped being a
 * number: out and checkpoint are the last good ones), EVERSION (a checkpoint of another run), EBUSY
 * (one left over, neither resume nor restart), EIO, ECANCELED.
 */
IMGSEARCH_API int imgsearch_train(imgsearch *s, const char *dir,
	const imgsearch_train_options *options, imgsearch_train_report *report, imgsearch_error *err);

/* ---------------------------------------------------------------------------------- models ---- */

/* What this build knows: networks by name. */
typedef struct imgsearch_model_info {
	const char *name; /* "resnet50" */
	uint32_t dim, resize, crop, interpolation;
	const char *weights; /* path of weights that were found, or NULL */
	const char *note;    /* descent, licence; or NULL */
} imgsearch_model_info;

IMGSEARCH_API int imgsearch_models(int (*each)(void *user, const imgsearch_model_info *m),
	void *user, imgsearch_error *err);

#ifdef __cplusplus
}
#endif
#endif
