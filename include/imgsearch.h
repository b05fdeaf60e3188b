/*
 * imgsearch: index folders of pictures, query with a picture, get the most similar ones.
 *
 *	imgsearch *s;
 *	imgsearch_error err;
 *	if (imgsearch_open("photos.db", NULL, NULL, &s, &err))
 *		return puts(err.message), 1;
 *	const char *folders[] = { "photos" };
 *	if (imgsearch_index_update(s, folders, 1, NULL, NULL, NULL, &err))
 *		return puts(err.message), 1;
 *	imgsearch_input in = imgsearch_input_file("query.jpg");
 *	imgsearch_hits *hits;
 *	if (imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err))
 *		return puts(err.message), 1;
 *	for (size_t i = 0; i < hits->count; i++)
 *		printf("%.3f %s\n", hits->items[i]->score, hits->items[i]->path);
 *	imgsearch_hits_free(hits);
 *	imgsearch_close(s);
 *
 * Training is in imgsearch/train.h, evaluation in imgsearch/eval.h.
 *
 * Rules that hold everywhere
 *
 * Order.      The handle comes first, then what is asked, options, the call, results, the error. A
 *             callback that receives items stands before the call, with its user pointer.
 * Errors.     A function that can fail returns 0 or a negative imgsearch_status. Where the caller
 *             gives an imgsearch_error, a failure puts the same status into it and a sentence that
 *             names the file, argument, tensor or row and the reason. A success leaves it alone.
 *             err may be NULL. Every function may return ENOMEM, EDB and EIO, and EINVAL for
 *             arguments that make no sense. One that accepts a call may return ECANCELED and
 *             EDEADLINE. A writer may return EBUSY, and EINVAL where the handle is read-only. The
 *             functions below name what else they return.
 * Ownership.  The library allocates every result. Each kind of result has one free function, which
 *             accepts NULL. A result stays valid after its handle is closed. On an error the result
 *             is NULL, except the report of an index run that was stopped. All that a result points
 *             to belongs to it and is freed with it. The library keeps no pointer to an input after
 *             the call. A buffer of the caller's has n elements, or is followed by its capacity in
 *             elements; where it is too small, the call is EINVAL and nothing is written.
 * Lists.      A list in a result has `count` and `items`. In a list of structs, items are pointers
 *             to the structs.
 * Options.    Structs with struct_size first: initialise with IMGSEARCH_INIT(type), or zero the
 *             struct and set struct_size to its size. A zero field means the default. NULL instead
 *             of the struct means every default.
 * Calls.      A function that can take more than some milliseconds accepts an imgsearch_call: log,
 *             progress, cancelling and a deadline for this call. NULL means none of them.
 * Threads.    One handle serves any number of threads. Functions that read run in parallel with
 *             each other and with a writer; in ":memory:" they wait while rows are written. The
 *             writers are imgsearch_index_update, _index_add, _index_remove, _index_keep_out,
 *             _index_readmit, imgsearch_vectors_add, imgsearch_transaction_begin (until it is
 *             committed or freed), imgsearch_root_move, imgsearch_groups_reject and
 *             imgsearch_build. One writer at a time works on an index, in all threads and
 *             processes; the next one gets EBUSY at once (imgsearch_options.wait_ms). A callback
 *             that reads ":memory:" cannot write to it: EBUSY.
 * Exit.       A program may end at any time, also while threads are in calls. From then on a call
 *             that needs the network returns ECANCELED.
 * Files.      The file of an open index and its journal (-wal) must stay. Where one of them is
 *             replaced, moved, deleted or written over by another index, calls return EIO until the
 *             file is back. Calls that only read may notice it a millisecond later. See
 *             docs/embedding.md.
 * Forks.      A handle belongs to the process that opened it. In a child its calls are EINVAL, and
 *             closing it does nothing; a handle that the child opens works. See docs/embedding.md.
 * Signals.    Threads of the library block all signals but SIGABRT and those that a fault raises
 *             (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS); callers keep their mask.
 * Callbacks.  They run on the thread that called the library, and no lock of the library is held
 *             meanwhile. They may call the library, except imgsearch_close on the handle of their
 *             call. (A filter is different: see imgsearch_filter_fn.) A callback that returns int
 *             stops the call by returning a number other than 0. The call then returns that number,
 *             even where it equals a status, and leaves err alone. (imgsearch_progress_fn and
 *             imgsearch_filter_fn say what their result does.) A callback must return: an exception
 *             that leaves it, or the end of its thread, aborts the process with a sentence on
 *             standard error. To longjmp out of it is undefined.
 * Numbers.    Vectors are f32, row-major, one row per picture. Ids of pictures are positive; ids of
 *             the caller's own vectors are not negative. An id stays with its item, and the library
 *             never gives it to another one.
 * Scores.     Cosine similarity (metric cosine), inner product (ip), minus the Euclidean distance
 *             (l2). Higher is more similar. Equal scores are in order of id. Under cosine, an index
 *             of pictures (one that has a model) subtracts the mean of its features from both
 *             vectors before they are compared. It does so from its first build over 32 rows or
 *             more on, unless its model compares texts with pictures. The option `plain` turns that
 *             off. An index of the caller's own vectors compares them as they are; own vectors in
 *             an index of pictures count as features. Every finite row has a direction, however
 *             long or short it is, except a row of zeros. That is EINVAL under cosine; where the
 *             file of an older version has one, no answer contains it.
 * Text.       UTF-8. Paths and names of items are any bytes without NUL, as file systems have them.
 *             Paths are absolute in results. Nothing that the library reads or writes depends on
 *             the program's locale, which stays as it is.
 * Traps.      A program may enable floating-point traps (feenableexcept of division by zero,
 *             invalid operation, overflow): a call with finite values raises none, unless squares
 *             of the values overflow a float.
 * State.      The library prints nothing and never exits, but for an exception that leaves a
 *             callback. Outside of handles it keeps the choice of kernels and the libraries that it
 *             has loaded: the network's, libutf8proc, Little CMS, those of picture formats. It
 *             keeps what forks, the end of the program and the calls of a thread need to know. For
 *             its own tests it counts allocations. Settings of the program (OpenMP, floating-point
 *             mode, signal mask, umask, environment, current folder) stay as they are.
 * ABI.        Within a soname, names, numbers and layouts stay, and structs grow at their end.
 *             Callers allocate imgsearch_error, imgsearch_input and imgsearch_image; their layouts
 *             are frozen. See docs/abi.md.
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

/* --------------------------------------------------------------------------------- version ---- */

#define IMGSEARCH_VERSION_MAJOR 0
#define IMGSEARCH_VERSION_MINOR 2
#define IMGSEARCH_VERSION_PATCH 0

/* Grows with every version: major * 10000 + minor * 100 + patch. */
#define IMGSEARCH_VERSION_NUMBER \
	(IMGSEARCH_VERSION_MAJOR * 10000 + IMGSEARCH_VERSION_MINOR * 100 + IMGSEARCH_VERSION_PATCH)

/* The version of the library that runs: as a number, and as static text ("0.2.0"). */
IMGSEARCH_API int imgsearch_version_number(void);
IMGSEARCH_API const char *imgsearch_version_text(void);

/* --------------------------------------------------------------------- limits and defaults ---- */

/* Options and vectors beyond the limits are EINVAL. A later version may allow more. */
#define IMGSEARCH_DIM_MAX 65536 /* values of a vector */
#define IMGSEARCH_THREADS_MAX 4096
#define IMGSEARCH_CROP_MIN 32 /* side of the crop of a recipe, pixels */
#define IMGSEARCH_RESIZE_MAX 4096
#define IMGSEARCH_DEGREE_MIN 4 /* neighbours of a node of the graph */
#define IMGSEARCH_DEGREE_MAX 128
#define IMGSEARCH_BEAM_MIN 8 /* beam width of its construction */
#define IMGSEARCH_BEAM_MAX 1000
#define IMGSEARCH_EXPAND_MAX 10000 /* results of query expansion */
#define IMGSEARCH_RECIPROCAL_MAX 499
#define IMGSEARCH_VIEWS_MAX 6 /* of a query picture */

/* What 0 means in options. A later version may have other defaults. */
#define IMGSEARCH_MAX_MEGAPIXELS_DEFAULT 200
#define IMGSEARCH_TRANSACTION_BYTES_DEFAULT (256 << 20)
#define IMGSEARCH_K_DEFAULT 10
#define IMGSEARCH_RECALL_DEFAULT 0.95
#define IMGSEARCH_VARIANCE_DEFAULT 0.9
#define IMGSEARCH_DEGREE_DEFAULT 32
#define IMGSEARCH_BEAM_DEFAULT 100
#define IMGSEARCH_SCENE_SCORE_DEFAULT 0.92 /* where the model's card has no scene_score */
#define IMGSEARCH_MAP_POINTS_DEFAULT 50000
#define IMGSEARCH_PERPLEXITY_DEFAULT 30

/* ---------------------------------------------------------------------------------- errors ---- */

/*
 * X(name, number, short text). Numbers never change. EINVAL is an argument that cannot be: NULL, a
 * number out of its range, a count that overflows. ELIMIT is data larger than the library accepts:
 * a picture, a text, a transaction, more rows than there are ids.
 */
#define IMGSEARCH_STATUS_MAP(X) \
	X(IMGSEARCH_OK, 0, "no error") \
	X(IMGSEARCH_EINVAL, -1, "invalid argument") \
	X(IMGSEARCH_ENOMEM, -2, "out of memory") \
	X(IMGSEARCH_EIO, -3, "input/output error") \
	X(IMGSEARCH_ENOTFOUND, -4, "not found") \
	X(IMGSEARCH_EFORMAT, -5, "damaged or malformed data") \
	X(IMGSEARCH_ELIMIT, -6, "over a limit") \
	X(IMGSEARCH_EMODEL, -7, "no usable model") \
	X(IMGSEARCH_EDB, -8, "database error") \
	X(IMGSEARCH_EVERSION, -9, "made by another version") \
	X(IMGSEARCH_EUNSUPPORTED, -10, "not supported") \
	X(IMGSEARCH_EBUSY, -11, "another writer is at work") \
	X(IMGSEARCH_ECANCELED, -12, "cancelled") \
	X(IMGSEARCH_EDEADLINE, -13, "past the deadline") \
	X(IMGSEARCH_EEXIST, -14, "already exists")

#define IMGSEARCH_X(name, number, text) name = number,
typedef enum imgsearch_status { IMGSEARCH_STATUS_MAP(IMGSEARCH_X) } imgsearch_status;
#undef IMGSEARCH_X

typedef struct imgsearch_error {
	int code;          /* imgsearch_status */
	int detail;        /* errno, SQLite result code, or 0 */
	char message[504]; /* one sentence without a newline at its end */
} imgsearch_error;

/* The short text of a status, and its name ("EINVAL"): static, never NULL. */
IMGSEARCH_API const char *imgsearch_status_text(int status);
IMGSEARCH_API const char *imgsearch_status_name(int status);

/* ----------------------------------------------------------------------------------- calls ---- */

/*
 * IMGSEARCH_INIT initialises a struct, or is assigned to one. IMGSEARCH_STATIC_INIT initialises
 * one with static storage, also where pedantic C has only constants there.
 */
#ifdef __cplusplus
#define IMGSEARCH_STATIC_INIT(type) IMGSEARCH_INIT(type)
#define IMGSEARCH_INIT(type) \
	[] { \
		type imgsearch_o = {}; \
		imgsearch_o.struct_size = sizeof(type); \
		return imgsearch_o; \
	}()
#else
#define IMGSEARCH_STATIC_INIT(type) \
	{ \
		.struct_size = sizeof(type) \
	}
#define IMGSEARCH_INIT(type) ((type){ .struct_size = sizeof(type) })
#endif

typedef enum imgsearch_log {
	IMGSEARCH_LOG_ERROR = 1,
	IMGSEARCH_LOG_WARNING = 2,
	IMGSEARCH_LOG_INFO = 3,
	IMGSEARCH_LOG_DEBUG = 4
} imgsearch_log;

typedef struct imgsearch_progress {
	const char *stage;     /* for people: "index", "build", "train" ...; static */
	const char *path;      /* the file at work, or NULL; valid during the callback */
	uint64_t done, total;  /* total is 0 while it is unknown */
	uint64_t failed;       /* bad files so far */
	double loss, accuracy; /* stage "train": of the last steps; otherwise NaN */
} imgsearch_progress;

typedef void (*imgsearch_log_fn)(void *user, int level, const char *text);

/* About ten times a second at most. Non-zero cancels the call, which returns ECANCELED. */
typedef int (*imgsearch_progress_fn)(void *user, const imgsearch_progress *progress);

/*
 * Cancels the calls that carry it, from any thread and from a signal handler, before or during the
 * call: for Ctrl-C, for instance. It stays set. It must outlive the calls that carry it.
 * imgsearch_cancel_token_set accepts NULL.
 */
typedef struct imgsearch_cancel_token imgsearch_cancel_token;

IMGSEARCH_API int imgsearch_cancel_token_new(imgsearch_cancel_token **out, imgsearch_error *err);
IMGSEARCH_API void imgsearch_cancel_token_set(imgsearch_cancel_token *token);
IMGSEARCH_API void imgsearch_cancel_token_free(imgsearch_cancel_token *token);

/*
 * What belongs to one call of a function. A cancelled call returns ECANCELED, one past its deadline
 * EDEADLINE. A query then gives no answer; what a writer had committed stays. The loading of the
 * network is not interrupted, nor is a batch in it, which is small before a deadline: docs/api.md
 * states the longest delays that were measured.
 */
typedef struct imgsearch_call {
	size_t struct_size;
	void *user; /* passed to both callbacks */
	imgsearch_log_fn log;
	imgsearch_progress_fn progress;
	imgsearch_cancel_token *cancel;
	uint64_t deadline_ms; /* from the beginning of the call; 0: none */
} imgsearch_call;

/* ----------------------------------------------------------------------------- open, close ---- */

typedef struct imgsearch imgsearch; /* an open index */

typedef enum imgsearch_metric {
	IMGSEARCH_METRIC_COSINE = 0,
	IMGSEARCH_METRIC_L2 = 1,
	IMGSEARCH_METRIC_IP = 2
} imgsearch_metric;

typedef enum imgsearch_precision {
	IMGSEARCH_PRECISION_AUTO = 0, /* bf16 where the CPU is faster with it, else f32 */
	IMGSEARCH_PRECISION_F32 = 1,
	IMGSEARCH_PRECISION_BF16 = 2
} imgsearch_precision;

typedef enum imgsearch_interpolation {
	IMGSEARCH_INTERPOLATION_DEFAULT = 0, /* the network's own */
	IMGSEARCH_INTERPOLATION_BILINEAR = 1,
	IMGSEARCH_INTERPOLATION_BICUBIC = 2
} imgsearch_interpolation;

/*
 * How the last maps of a network, or the tokens of a transformer's patches, become one feature. A
 * network whose feature is projected or attended to has its own alone (EMODEL).
 */
typedef enum imgsearch_pooling {
	IMGSEARCH_POOLING_DEFAULT = 0, /* the network's own */
	IMGSEARCH_POOLING_MEAN = 1,
	IMGSEARCH_POOLING_MAX = 2,
	IMGSEARCH_POOLING_GEM = 3,  /* the cube root of the mean cube (Radenovic et al. 2018) */
	IMGSEARCH_POOLING_CLASS = 4 /* a transformer's class token */
} imgsearch_pooling;

/* How a picture becomes the network's input. Zero fields take the network's values. */
typedef struct imgsearch_recipe {
	size_t struct_size;
	uint32_t resize;        /* short side after resizing, pixels */
	uint32_t crop;          /* side of the centre crop, pixels */
	float mean[3], std[3];  /* RGB, for values in 0..1; std all zero: the network's */
	uint32_t interpolation; /* imgsearch_interpolation */
	uint32_t flip;          /* 1: features are the mean of the picture's and its mirror image's */
	/*
	 * 1: both sides are resized to crop, whatever the aspect, and nothing is cut off; resize is
	 * then crop. A network that squashes by itself does not where a resize alone is given.
	 */
	uint32_t squash;
	/* 5: features are the mean of those of five crops: the centre and the corners; else 0 or 1 */
	uint32_t crops;
	uint32_t pooling; /* imgsearch_pooling */
	uint32_t reserved;
} imgsearch_recipe;

typedef struct imgsearch_options {
	size_t struct_size;
	/*
	 * a network by name ("resnet50"), or a weights file with its card beside it; NULL: the index's;
	 * for a new index the default model
	 */
	const char *model;
	/*
	 * .pth, .safetensors or TorchScript .pt (a program: see docs/SECURITY.md) for `model`; NULL:
	 * looked for, see docs/models.md
	 */
	const char *weights;
	/* "auto" (default), "cpu", "cuda", "cuda:1"; a GPU that is not there is EMODEL when needed */
	const char *device;
	const imgsearch_recipe *recipe; /* NULL: the index's, or the network's */
	uint32_t precision;             /* imgsearch_precision */
	uint32_t threads; /* of decoding, network and searching together; 0: one per CPU */
	/*
	 * dimension of a new index of the caller's own vectors; 0: the network's. Of an existing index
	 * another one than its own is EINVAL
	 */
	uint32_t dim;
	/*
	 * imgsearch_metric of a new index. Of an existing index l2 and ip are EINVAL where it has
	 * another one; 0 accepts any
	 */
	uint32_t metric;
	/*
	 * larger pictures are ELIMIT, as are sides over a million pixels; 0:
	 * IMGSEARCH_MAX_MEGAPIXELS_DEFAULT
	 */
	uint32_t max_megapixels;
	uint32_t must_exist; /* 1: ENOTFOUND instead of a new index */
	uint32_t read_only;  /* 1: never write, not even a journal */
	/* 1: no DCT scaling of JPEGs: slower, exactly the reference transform */
	uint32_t full_decode;
	/*
	 * bytes that pictures may take while they are decoded, on all threads together; a picture that
	 * alone takes more is ELIMIT. 0: a quarter of the memory of the machine or, where that is less,
	 * of the process's control group
	 */
	uint64_t max_memory;
	/*
	 * path of a program that calls imgsearch_decoder_serve first of all, such as the command
	 * imgsearch. Pictures whose format needs an optional library (see docs/decoding.md) are decoded
	 * by child processes that run it, so that a fault of such a library costs one picture. NULL: by
	 * this process
	 */
	const char *decoder;
	/*
	 * formats that are read only where asked for: "+tiff", "+video" (a frame of it, by the program
	 * ffmpeg); several have a comma between them. NULL: none. This counts for the open handle;
	 * imgsearch_index_update_options.formats is remembered
	 */
	const char *formats;
	/*
	 * where this machine has folders that the index knows by a name: n_roots texts NAME=DIR.
	 * Several machines that have an archive at different places index one collection so. Paths
	 * below such a folder are those of this machine; where it is not named, they are NAME:/PATH,
	 * and the folder is offline: its pictures stay
	 */
	const char *const *roots;
	size_t n_roots;
	/*
	 * of an index on a server: for so many seconds a query trusts what this handle knows of the
	 * index's state. It may miss what others wrote meanwhile. 0: it compares
	 */
	double max_stale;
	/*
	 * of an index on a server: a folder (made where it does not exist, in one that does) for the
	 * states of searchers that are searched here, as a graph's, so that each is fetched once. Its
	 * files may be deleted at any time. Where they cannot be written the log has a warning, and
	 * states are fetched. NULL: none is kept
	 */
	const char *cache;
	/*
	 * of an index of shards: 1: what cannot be reached is left out of answers, which name it
	 * (imgsearch_hits.missing), and nothing can be written; 0: it is EIO
	 */
	uint32_t partial;
	/*
	 * a writer waits for another one, at most so many milliseconds, and then gets EBUSY; 0: at
	 * once. index_add reads and embeds before it waits
	 */
	uint32_t wait_ms;
} imgsearch_options;

/*
 * For a program that imgsearch_options.decoder may name, to call before anything else. In a helper
 * process it decodes pictures until it is not needed any more, and returns the exit status. In
 * every other process it returns -1 at once.
 *
 * Helpers are started when they are first needed, at most two for each thread of the handle, and
 * end with it. No signal handler is installed, and the library waits for its own children by id. A
 * host that waits for any child sees them, and gets SIGCHLD; that does no harm.
 */
IMGSEARCH_API int imgsearch_decoder_serve(int argc, char **argv);

/*
 * Opens an index, and makes it where there is none. `location` is a path, ":memory:" (kept
 * nowhere), file:///path, or postgresql://..., a database (docs/scaling.md). The network is loaded
 * by the first picture, not here. An index made by an older version answers as it is; its first
 * writer upgrades it, in one transaction; one on a server is upgraded when its owner opens it. The
 * log tells of either. An index whose files this process cannot write is read without locks: a read
 * during which another process changes it is EBUSY. With another model than the index's, the first
 * picture is EMODEL, except that imgsearch_index_update computes all vectors anew. Errors: EDB (no
 * database, or a damaged one), EVERSION (made by a newer version), ENOTFOUND (must_exist or
 * read_only), EMODEL (a new index, and no such model), EUNSUPPORTED (another scheme; libpq or the
 * server's pgvector is missing; the program set SQLite up for one thread).
 */
IMGSEARCH_API int imgsearch_open(const char *location, const imgsearch_options *options,
	const imgsearch_call *call, imgsearch **out, imgsearch_error *err);

/* No other call may be running on the handle. NULL is fine. */
IMGSEARCH_API void imgsearch_close(imgsearch *s);

/*
 * Cancels the calls that run on the handle at this moment, and none that begins later. Any thread,
 * and a signal handler.
 */
IMGSEARCH_API void imgsearch_cancel(imgsearch *s);

/* ---------------------------------------------------------------------------------- inputs ---- */

typedef enum imgsearch_input_kind {
	IMGSEARCH_INPUT_KIND_FILE = 1,  /* path */
	IMGSEARCH_INPUT_KIND_BYTES = 2, /* data, size: the bytes of a picture file */
	IMGSEARCH_INPUT_KIND_PIXELS =
		3, /* data: RGB, 8 bits, upright; width, height; size: bytes per row */
	IMGSEARCH_INPUT_KIND_VECTOR = 4, /* data: f32; size: their number, the index's dimension */
	IMGSEARCH_INPUT_KIND_ITEM = 5,   /* id of an item of the index */
	IMGSEARCH_INPUT_KIND_TEXT = 6    /* text, UTF-8, at most 64 KiB; see docs/words.md */
} imgsearch_input_kind;

/* What is asked or added. Its layout is frozen. Make one with the functions below. */
typedef struct imgsearch_input {
	uint32_t kind; /* imgsearch_input_kind */
	float weight;  /* in a combined query; 0 means 1, negative pushes away */
	const char *path;
	const char *text;
	const void *data;
	size_t size;
	int64_t id;
	int32_t width, height;
	int32_t crop[4];      /* x, y, width, height in the upright picture; width 0: all of it */
	uint64_t reserved[2]; /* 0 */
} imgsearch_input;

IMGSEARCH_API imgsearch_input imgsearch_input_file(const char *path);
IMGSEARCH_API imgsearch_input imgsearch_input_bytes(const void *bytes, size_t size);
/* row_bytes: from one row to the next; 0: 3 * width. */
IMGSEARCH_API imgsearch_input imgsearch_input_pixels(const void *rgb, int32_t width, int32_t height,
	size_t row_bytes);
IMGSEARCH_API imgsearch_input imgsearch_input_vector(const float *values, size_t dim);
IMGSEARCH_API imgsearch_input imgsearch_input_item(int64_t id);
IMGSEARCH_API imgsearch_input imgsearch_input_text(const char *utf8);

/* --------------------------------------------------------------------------------- extract ---- */

typedef struct imgsearch_extract_options {
	size_t struct_size;
	uint32_t raw;              /* 1: as the network gives it; otherwise divided by its L2 norm */
	uint32_t reserved;         /* 0 */
	const char *text_template; /* as in imgsearch_query_options */
	const char *model;         /* the same */
} imgsearch_extract_options;

/*
 * Writes the vectors of n pictures and texts to rows: (n, dim) f32, dim as in imgsearch_info.
 * capacity: floats that rows has room for; fewer than n * dim is EINVAL, also where another process
 * has just changed the model. An input that fails gives a row of NaN and its reason in errors[i]
 * (errors: n, or NULL), and the call still returns 0. n = 0 loads the network and no more. Errors:
 * EMODEL, EUNSUPPORTED (a text, and the model cannot compare texts with pictures).
 */
IMGSEARCH_API int imgsearch_extract(imgsearch *s, const imgsearch_input *inputs, size_t n,
	const imgsearch_extract_options *options, const imgsearch_call *call, float *rows,
	size_t capacity, imgsearch_error *errors, imgsearch_error *err);

/* ----------------------------------------------------------------------------------- index ---- */

typedef enum imgsearch_state {
	IMGSEARCH_STATE_INDEXED = 1,
	IMGSEARCH_STATE_DUPLICATE = 2,   /* same bytes as an indexed picture; found through it */
	IMGSEARCH_STATE_UNSUPPORTED = 3, /* no picture, or of a kind that this build cannot read */
	IMGSEARCH_STATE_DAMAGED = 4,
	IMGSEARCH_STATE_TOO_BIG = 5,  /* ELIMIT in calls for one picture */
	IMGSEARCH_STATE_EXCLUDED = 6, /* by a rule: see the reason */
	/* permission, vanished, i/o error: tried again by the next run */
	IMGSEARCH_STATE_UNREADABLE = 7,
	IMGSEARCH_STATE_DELETED = 8, /* kept out on purpose: imgsearch_index_keep_out */
	/*
	 * another name of the file of an indexed picture or a duplicate: a hard or symbolic link, a
	 * mount; found through the indexed one
	 */
	IMGSEARCH_STATE_LINK = 9
} imgsearch_state;

/* Items by state. seen is the sum of the others. */
typedef struct imgsearch_counts {
	uint64_t seen, indexed, duplicate, unsupported, damaged, too_big, excluded, unreadable, deleted,
		link;
} imgsearch_counts;

typedef struct imgsearch_strings {
	size_t count;
	const char *const *items;
} imgsearch_strings;

typedef struct imgsearch_index_update_options {
	size_t struct_size;
	/*
	 * Patterns of what is taken in, and of what is left out; see docs/folders.md. Both are
	 * remembered with the roots of the run. NULL: those that are remembered. include replaces what
	 * is remembered, exclude adds to it; an empty list, not NULL, clears it.
	 */
	const char *const *include;
	size_t n_include;
	const char *const *exclude;
	size_t n_exclude;
	const char *csv;       /* attach the columns of this CSV (RFC 4180, UTF-8, header row) */
	const char *csv_key;   /* column with file name or path; default "file" */
	const char *csv_title; /* column that is the title; default "title" */
	/* 1: follow symbolic links, in this run and in later ones over what it covers */
	uint32_t follow_links;
	uint32_t prune;    /* 1: allow this run to drop more than 30 % of a root */
	uint32_t retry;    /* 1: try bad files again, even unchanged ones */
	uint32_t reserved; /* 0 */
	/* 1: system folders come in too (docs/folders.md), but for hidden ones */
	uint32_t no_default_excludes;
	/* 1: what is remembered of exclude goes before those given are added */
	uint32_t forget_exclude;
	uint32_t reread;  /* 1: read and compare the bytes of unchanged files, too */
	uint32_t partial; /* 1: of pictures that lost pixels, what is there is taken, and marked */
	uint32_t no_follow_links; /* 1: what follow_links of earlier runs did ends here */
	uint32_t reserved2;       /* 0 */
	/*
	 * formats that are read only where asked for: "+tiff,+video" reads them in this run and in
	 * later ones over what it covers, "-tiff,-video" no longer. What the index has of them stays.
	 * NULL: as remembered. Those of imgsearch_options.formats are read in any case
	 */
	const char *formats;
	/*
	 * 1: the model that the options of the handle name is kept beside that of the index, which
	 * stays the current one; see docs/models.md. Later runs make the vectors of both
	 */
	uint32_t add_model;
	/*
	 * features of parts of pictures, by which a small crop of one is found. 1: the index keeps them
	 * from now on, and this run makes those that are lacking. 2: it keeps none any more. 0: as it
	 * was
	 */
	uint32_t regions;
} imgsearch_index_update_options;

typedef struct imgsearch_index_update_report {
	const imgsearch_counts *counts; /* of the paths below the folders of this run */
	/* by this run; removed: also files that a rule leaves out from now on */
	uint64_t added, unchanged, moved, removed;
	uint64_t offline; /* items of roots that are absent: kept */
	double seconds;
	/* time of work; decoding and network summed over threads */
	double walk_seconds, decode_seconds, network_seconds, store_seconds;
	const imgsearch_strings *unmatched; /* patterns of the options that matched nothing */
	/* of the unchanged: files whose bytes were compared, since their inode changed or by reread */
	uint64_t rehashed;
	/*
	 * of the unchanged: pictures whose vector is new, since this version or a library on this
	 * machine makes other pixels of them; see docs/decoding.md
	 */
	uint64_t redecoded;
	/*
	 * of the unchanged: pictures whose metadata was read again, since this version reads more of
	 * it, or a sidecar changed; see docs/metadata.md
	 */
	uint64_t described;
	uint64_t changed; /* paths known before whose bytes or state are others now */
	/*
	 * files that this run tried and that are damaged, too big or unreadable. Those that failed
	 * before and have not changed are not tried again. Unreadable ones are; so are too big ones
	 * where the options of the handle name a limit
	 */
	uint64_t failed;
	/* of the unchanged: pictures whose feature this run made, by another model, or with regions */
	uint64_t remade;
} imgsearch_index_update_report;

/*
 * Brings the index up to date with n files and folders. With n = 0 (paths is then not read, and may
 * be NULL) these are the roots that the index knows; ENOTFOUND where it knows none. Unchanged files
 * are not read. A file of which only the change time (ctime) differs is read, and its bytes are
 * compared. Moved files keep their vector. Deleted files drop out. A root that is absent is offline
 * and kept. A bad file is counted and remembered with its reason; it never fails the run. Commits
 * every few seconds. report may be NULL; a run that is stopped (ECANCELED, EDEADLINE) gives the
 * counts so far. Into an index on a server several programs may index at once: each file is read by
 * one of them, and counts as unchanged for the others.
 * Errors: EBUSY (of such an index: the server did not hear of this run for a minute, or another
 * program changed the model; what the run did last is not written), EMODEL (also for an index of
 * the caller's own vectors, even when its last vector was removed), ENOTFOUND (a path that does
 * not exist), EINVAL (CSV; an absolute pattern outside of every root; patterns of include, given,
 * that match no file; this thread began a transaction that is open).
 */
IMGSEARCH_API int imgsearch_index_update(imgsearch *s, const char *const *paths, size_t n,
	const imgsearch_index_update_options *options, const imgsearch_call *call,
	imgsearch_index_update_report **report, imgsearch_error *err);
IMGSEARCH_API void imgsearch_index_update_report_free(imgsearch_index_update_report *report);

/*
 * An index in a file may have two models: the current one, and a second one beside it, which
 * index_update adds. Each has vectors, searchers, mean and chances of its own. To switch makes the
 * model of that name the current one in one step, and the other one the second. Nothing is made
 * anew. It does nothing where that is the current one. To drop removes the second model, or ends a
 * re-index under way by that model; its space is free afterwards. Writers both. ENOTFOUND: the
 * index has no such model; EINVAL: drop, and it is the current one; switch, and it has no vector
 * yet; this thread began a transaction that is open. EBUSY.
 */
IMGSEARCH_API int imgsearch_index_model_switch(imgsearch *s, const char *name,
	const imgsearch_call *call, imgsearch_error *err);
IMGSEARCH_API int imgsearch_index_model_drop(imgsearch *s, const char *name,
	const imgsearch_call *call, imgsearch_error *err);

typedef struct imgsearch_transaction imgsearch_transaction; /* see below */

typedef struct imgsearch_index_add_options {
	size_t struct_size;
	imgsearch_transaction *transaction; /* NULL: the addition is committed by the call */
	/*
	 * unique in the index: an item of this name is replaced; results have it as `path`. NULL: the
	 * input's path, or "id:" and the id
	 */
	const char *name;
	/*
	 * with has_id: the id of a vector, at least 0; an item with it is replaced. EINVAL where `name`
	 * is that of another item
	 */
	int64_t id;
	uint32_t has_id;
	uint32_t reserved; /* 0 */
	/*
	 * 1: the index stores the bytes of the picture, which then needs no file; see docs/storage.md.
	 * They go with the item. The input is IMGSEARCH_INPUT_KIND_BYTES, without a crop, and `name` no
	 * absolute path. Where these bytes are stored already, the call gives the item that has them,
	 * whatever `name` says
	 */
	uint32_t store_bytes;
	uint32_t reserved2; /* 0 */
} imgsearch_index_add_options;

/*
 * Adds or replaces one picture or vector. *id receives its id; id may be NULL. The next query sees
 * it. In a transaction the id is valid at once for that transaction; others know it from the commit
 * on. The first picture in an index of the caller's own vectors makes it one of pictures; EINVAL
 * where its model has another dimension. Errors: EMODEL; EFORMAT, EUNSUPPORTED, ELIMIT, EIO for a
 * bad picture; ELIMIT also for a transaction that is full.
 */
IMGSEARCH_API int imgsearch_index_add(imgsearch *s, const imgsearch_input *in,
	const imgsearch_index_add_options *options, const imgsearch_call *call, int64_t *id,
	imgsearch_error *err);

typedef struct imgsearch_vectors_add_options {
	size_t struct_size;
	imgsearch_transaction *transaction; /* NULL: committed by the call */
	/*
	 * n, not negative; an existing one is replaced. NULL: counted on from the largest id ever
	 * given, from 0 in a new index. Ids near INT64_MAX use up those that can be counted on:
	 * additions without ids, of pictures too, are then ELIMIT
	 */
	const int64_t *ids;
	/* n, as in imgsearch_index_add_options; NULL, or a NULL entry: "id:" and the id */
	const char *const *names;
} imgsearch_vectors_add_options;

/*
 * Adds or replaces n vectors: rows (n, dim) f32. All or none. ids (n, or NULL) receives their ids.
 * EINVAL: the dimension, a value that is not finite, a row of zeros under cosine, an id or a name
 * that comes twice.
 */
IMGSEARCH_API int imgsearch_vectors_add(imgsearch *s, const float *rows, size_t n, size_t dim,
	const imgsearch_vectors_add_options *options, const imgsearch_call *call, int64_t *ids,
	imgsearch_error *err);

typedef struct imgsearch_index_remove_options {
	size_t struct_size;
	imgsearch_transaction *transaction; /* NULL: committed by the call */
} imgsearch_index_remove_options;

/*
 * Forgets items. All or none: ENOTFOUND for an id that does not exist. Equal ids count once, here
 * and in the functions below. A file that is still there is a new one for the next run.
 */
IMGSEARCH_API int imgsearch_index_remove(imgsearch *s, const int64_t *ids, size_t n,
	const imgsearch_index_remove_options *options, const imgsearch_call *call,
	imgsearch_error *err);

/*
 * Keeps items out on purpose, and their duplicates with them. They are in no answer, and no run
 * takes in their paths or their bytes again. Row, content hash and vector are kept. All or none.
 * ENOTFOUND: an id that does not exist.
 */
IMGSEARCH_API int imgsearch_index_keep_out(imgsearch *s, const int64_t *ids, size_t n,
	const imgsearch_call *call, imgsearch_error *err);

/* Undoes imgsearch_index_keep_out. Needs no network. EINVAL: an item is not kept out. */
IMGSEARCH_API int imgsearch_index_readmit(imgsearch *s, const int64_t *ids, size_t n,
	const imgsearch_call *call, imgsearch_error *err);

/*
 * Records that a root has moved. Items keep ids and vectors. Relative paths start at the current
 * folder. ENOTFOUND: no such root.
 */
IMGSEARCH_API int imgsearch_root_move(imgsearch *s, const char *from, const char *to,
	const imgsearch_call *call, imgsearch_error *err);

typedef struct imgsearch_index_backup_options {
	size_t struct_size;
	uint32_t replace;  /* 1: an existing target is replaced; otherwise it is EEXIST */
	uint32_t reserved; /* 0 */
} imgsearch_index_backup_options;

/*
 * Copies the index, as it is committed when the copy begins, into one file that imgsearch_open
 * opens, while others read and write. A reader, no writer. The file appears under its name when it
 * is complete and synced; after an error the target is as before. EINVAL: the target is the index.
 */
IMGSEARCH_API int imgsearch_index_backup(imgsearch *s, const char *path,
	const imgsearch_index_backup_options *options, const imgsearch_call *call,
	imgsearch_error *err);

typedef struct imgsearch_index_copy_options {
	size_t struct_size;
	uint32_t restart;  /* 1: what an incomplete copy has is dropped, of whatever index it is */
	uint32_t reserved; /* 0 */
} imgsearch_index_copy_options;

typedef struct imgsearch_index_copy_table {
	const char *name;
	uint64_t rows;
	uint64_t checksum; /* of all rows in order of their keys; the same on both sides */
} imgsearch_index_copy_table;

typedef struct imgsearch_index_copy_tables {
	size_t count;
	const imgsearch_index_copy_table *const *items;
} imgsearch_index_copy_tables;

typedef struct imgsearch_index_copy_report {
	const imgsearch_index_copy_tables *tables;
	/* 1: an earlier copy, which was stopped, went on; or the target was this copy already */
	uint32_t resumed;
	uint32_t reserved;
} imgsearch_index_copy_report;

/*
 * Copies the index, as it is committed when the copy begins, into the index `location`, of any kind
 * that imgsearch_open opens: a file, a server's address, those of shards. It carries everything:
 * ids, pictures in all states, names, columns, facts, vectors, models, folders, settings, rejected
 * pairs, history, searchers. A reader, no writer; others read and write meanwhile. The target is
 * made where it does not exist. Otherwise it holds nothing, or an incomplete copy of this index.
 * Such a copy goes on where it was stopped or killed, or starts over where this index has changed
 * since. Until it is complete every imgsearch_open of it is EDB. At the end both sides are read
 * again and compared, table by table. report may be NULL. Errors: EEXIST (the target holds
 * something else), EINVAL (it is an incomplete copy of another index, or is this index), EBUSY
 * (another program copies into it), EDB (a table differs), EVERSION, EUNSUPPORTED (as
 * imgsearch_open; both have shards), ELIMIT.
 */
IMGSEARCH_API int imgsearch_index_copy(imgsearch *s, const char *location,
	const imgsearch_index_copy_options *options, const imgsearch_call *call,
	imgsearch_index_copy_report **report, imgsearch_error *err);
IMGSEARCH_API void imgsearch_index_copy_report_free(imgsearch_index_copy_report *report);

/* ---------------------------------------------------------------------------------- shards ---- */

/*
 * An index of shards lies on several servers. It is opened by all their addresses, one a line, or
 * by the path of a text file that has them so. Several empty ones become the shards of a new index.
 * Pictures are spread by their bytes over 1024 buckets, and each bucket lies in one shard. Answers
 * are those of one index with all of them. Ids are those of the whole index, each shard gives some
 * of a range of its own, and a picture that moves keeps its id. So equal scores are in order of id
 * here, too, wherever the pictures lie. docs/scaling.md says more.
 */
typedef struct imgsearch_shard {
	const char *name; /* its address without a password */
	uint32_t number;  /* from 1 */
	uint32_t missing; /* 1: it cannot be reached; the counts are 0 */
	uint32_t buckets; /* of 1024 */
	uint32_t reserved;
	uint64_t pictures, vectors; /* indexed ones; all */
	uint64_t bytes;
} imgsearch_shard;

typedef struct imgsearch_shards {
	size_t count; /* 0: it is no index of shards */
	const imgsearch_shard *const *items;
} imgsearch_shards;

IMGSEARCH_API int imgsearch_shards_list(imgsearch *s, imgsearch_shards **out, imgsearch_error *err);
IMGSEARCH_API void imgsearch_shards_free(imgsearch_shards *shards);

/*
 * The index at an address, which is made where it does not exist and holds nothing otherwise,
 * becomes one more shard, without buckets. An index on one server becomes the first of two so. From
 * then on it is opened by all addresses; close this handle. A writer. Errors: EEXIST (it holds
 * something), EUNSUPPORTED (the index lies in a file), EBUSY.
 */
IMGSEARCH_API int imgsearch_shards_add(imgsearch *s, const char *address,
	const imgsearch_call *call, imgsearch_error *err);

typedef struct imgsearch_shards_move_options {
	size_t struct_size;
	uint32_t from, to; /* numbers of shards; 0: that which has most buckets, or least */
	/*
	 * at most so many; 0: all of `from`; with from 0 until all have the same number, or `to` has as
	 * many as the others
	 */
	uint32_t buckets;
	uint32_t reserved; /* 0 */
} imgsearch_shards_move_options;

/*
 * Moves buckets between shards, one in a transaction, while others search and write. A call that
 * ends early, or was killed, leaves what it moved, and the next one goes on. moved may be NULL. A
 * writer. Errors: EINVAL (no such shard), EBUSY (another program builds or moves), ECANCELED.
 */
IMGSEARCH_API int imgsearch_shards_move(imgsearch *s, const imgsearch_shards_move_options *options,
	const imgsearch_call *call, uint32_t *moved, imgsearch_error *err);

/* ---------------------------------------------------------------------------- transactions ---- */

typedef struct imgsearch_transaction_options {
	size_t struct_size;
	/* of memory that waiting rows may take; 0: IMGSEARCH_TRANSACTION_BYTES_DEFAULT */
	uint64_t max_bytes;
} imgsearch_transaction_options;

/*
 * Adds and removes that are committed together. The transaction holds the writer's right until it
 * is committed or freed: any other write gets EBUSY. (imgsearch_index_update and imgsearch_build
 * are EINVAL on the thread that began it.) Pictures are embedded when they are added; rows wait in
 * memory, and an addition over max_bytes is ELIMIT. No query sees the rows before the commit. What
 * has just been added can be replaced and removed. An add or remove that fails changes nothing in
 * it. A transaction is used by one thread at a time.
 */
IMGSEARCH_API int imgsearch_transaction_begin(imgsearch *s,
	const imgsearch_transaction_options *options, imgsearch_transaction **out,
	imgsearch_error *err);

/*
 * All or nothing. After a success the transaction can only be freed; after an error it can be
 * committed again.
 */
IMGSEARCH_API int imgsearch_transaction_commit(imgsearch_transaction *t, const imgsearch_call *call,
	imgsearch_error *err);

/*
 * Without a commit nothing happened. NULL is fine, and so is a transaction whose handle was closed:
 * that ends it, and adding to it and committing it are EINVAL.
 */
IMGSEARCH_API void imgsearch_transaction_free(imgsearch_transaction *t);

/* ----------------------------------------------------------------------------------- build ---- */

typedef struct imgsearch_build_options {
	size_t struct_size;
	/* "auto" (default), "exact", "kdtree", "pca", "graph"; "pgvector" of an index in PostgreSQL */
	const char *searcher;
	/* pca: share of the variance kept, 0..1; 0: IMGSEARCH_VARIANCE_DEFAULT */
	double variance;
	uint32_t components; /* pca, kdtree: number kept, at most the dimension; 0: by variance */
	uint32_t degree;     /* graph: neighbours of a node; 0: IMGSEARCH_DEGREE_DEFAULT */
	uint32_t beam;       /* graph: beam width of the construction; 0: IMGSEARCH_BEAM_DEFAULT */
	uint32_t whiten;     /* pca: 1: components scaled to equal variance */
	uint64_t seed;
	/*
	 * 1: only where no searcher is built, or over 20 % of the rows changed; then "auto" is the
	 * searcher that was last chosen by name, if one was
	 */
	uint32_t if_stale;
	uint32_t reserved; /* 0 */
	const char *model; /* for which of two models, as in imgsearch_query_options */
} imgsearch_build_options;

typedef struct imgsearch_build_report {
	const char *searcher; /* what was built */
	const char *why;      /* auto: the reason, a sentence; otherwise "" */
	uint64_t rows, bytes; /* bytes: of the searcher's state in the index */
	double seconds;
} imgsearch_build_report;

/*
 * Trains a searcher over all vectors and keeps it in the index beside the others. Queries use the
 * old one until it is done. A searcher is needed for speed only: without one, queries scan,
 * exactly. It takes up later changes of rows before it answers; where so many wait that a scan is
 * cheaper, queries scan, and bring it up to date step by step. A build also fits the distribution
 * of scores by chance. In an index of pictures under cosine it also fits the mean that is
 * subtracted (see Scores), where there are 32 rows and their number changed by a fifth. It never
 * changes the score of the caller's own vectors. report may be NULL.
 */
IMGSEARCH_API int imgsearch_build(imgsearch *s, const imgsearch_build_options *options,
	const imgsearch_call *call, imgsearch_build_report **report, imgsearch_error *err);
IMGSEARCH_API void imgsearch_build_report_free(imgsearch_build_report *report);

/* ----------------------------------------------------------------------------------- query ---- */

/*
 * Non-zero: the item may be in the answer. Runs on query threads, under the searcher's lock: it
 * must not call the library.
 */
typedef int (*imgsearch_filter_fn)(void *user, int64_t id);

/* An item is in the answer when every condition that is given holds. */
typedef struct imgsearch_filter {
	size_t struct_size;
	/*
	 * below one of these folders, by any of its paths: absolute paths, or paths from the current
	 * folder, or the beginnings of names, without parts "." and ".." (EINVAL). NFC and NFD
	 * spellings are the same, with libutf8proc. Where nothing lies below, the log has a warning
	 */
	const char *const *folders;
	size_t n_folders;
	const int64_t *ids; /* one of these */
	size_t n_ids;
	imgsearch_filter_fn accept; /* NULL: no condition */
	void *user;
	/*
	 * taken at or after `since`, and before `until`: seconds from the beginning of 1970 on the wall
	 * clock of where it was taken; 0: no bound
	 */
	int64_t since, until;
	/*
	 * a condition on columns, such as "rating >= 4 and camera ~ 'canon'": see docs/metadata.md. An
	 * item without the value that it asks for is not in the answer. EINVAL: it is malformed, or
	 * names a column that no picture has
	 */
	const char *columns;
} imgsearch_filter;

typedef enum imgsearch_fields {
	IMGSEARCH_FIELDS_ALL = 0,
	IMGSEARCH_FIELDS_IDS = 1,  /* id, score, distance, chance: no look-up */
	IMGSEARCH_FIELDS_PATHS = 2 /* those, and path */
} imgsearch_fields;

typedef struct imgsearch_query_options {
	size_t struct_size;
	/* how many; 0: IMGSEARCH_K_DEFAULT; more than there are gives all */
	uint32_t k;
	uint32_t fields;                /* imgsearch_fields of each hit */
	const imgsearch_filter *filter; /* NULL: every item */
	/*
	 * of an index with two models: by which of them; NULL: by the second one where the options of
	 * the handle name it, else by the current one. ENOTFOUND: the index has none of that name;
	 * EBUSY: the two were exchanged while the query began: ask again
	 */
	const char *model;
	/*
	 * 1: leave out the stored items that are an input of positive weight: by id or by equal bytes
	 */
	uint32_t no_self;
	uint32_t has_min_score;
	float min_score; /* with has_min_score: leave out lower scores */
	/*
	 * 1: cosine of the vectors as they are, no mean subtracted; with expand, reciprocal or views it
	 * is EINVAL
	 */
	uint32_t plain;
	/* > 0: leave out the hits from the first one on whose chance is higher */
	double max_chance;
	/* NULL, "auto": the index's; "exact", "kdtree", "pca", "graph", "pgvector", "scan" */
	const char *searcher;
	/*
	 * graph, pgvector: aim at this recall@k. 0: IMGSEARCH_RECALL_DEFAULT; of a graph less than 0.8
	 * counts as 0.8; 1 is the widest beam, which is not exact
	 */
	double recall;
	double epsilon; /* kdtree: answers within (1 + epsilon) of the true distance */
	uint32_t ef;    /* graph, pgvector: beam width, instead of recall */
	/* kdtree, pca: full rows compared, at most; 0: until the answer is proven */
	uint32_t checks;
	uint32_t threads; /* of a batch; 0: the handle's */
	/* Better answers for more work, all off by default: see docs/quality.md. */
	uint32_t expand;    /* > 0: query expansion with so many first results */
	float expand_power; /* weights of that mean: score to this power; 0: equal */
	/* > 0: k-reciprocal re-ranking of the first results with this k; cosine */
	uint32_t reciprocal;
	/*
	 * > 1: each picture asks with the mean of so many views: itself, its middle, its corners
	 * (three quarters of each side)
	 */
	uint32_t views;
	uint32_t reserved; /* 0 */
	/*
	 * the sentence that each text is put into, "a photo of {}", in the place of the first {}. NULL:
	 * the model's own; "{}": the text as it is; one without {} is EINVAL
	 */
	const char *text_template;
	/*
	 * 1: whole pictures alone are compared; 0: where the index keeps features of parts of its
	 * pictures, each scores by its best part, see imgsearch_query
	 */
	uint32_t whole;
	uint32_t reserved2; /* 0 */
} imgsearch_query_options;

typedef struct imgsearch_column {
	const char *name, *value;
} imgsearch_column;

typedef struct imgsearch_columns {
	size_t count;
	const imgsearch_column *const *items;
} imgsearch_columns;

/* Another path of a picture: that of a copy, or another name of a file. */
typedef struct imgsearch_path {
	const char *path;
	/*
	 * NULL: a copy. Of another name the path of the same file: that of the hit or item itself, or
	 * of a copy in the same list
	 */
	const char *same_file_path;
} imgsearch_path;

typedef struct imgsearch_paths {
	size_t count;
	const imgsearch_path *const *items;
} imgsearch_paths;

typedef struct imgsearch_region {
	int32_t x, y, width, height;           /* in the upright picture, pixels */
	int32_t picture_width, picture_height; /* of the upright picture */
} imgsearch_region;

typedef struct imgsearch_hit {
	int64_t id;
	float score;
	float distance; /* Euclidean; metric cosine: between the normalised vectors */
	/*
	 * how many items are expected to score as high by chance: no probability, may exceed 1. 0: the
	 * query itself; NaN before a build
	 */
	double chance;
	/*
	 * absolute, or the name that it was added under; where the filter has folders and it lies in
	 * none of them, the first of `paths` that does; NULL: not asked for
	 */
	const char *path;
	const char *title; /* or NULL */
	/* of the CSV, then what the file says of itself: docs/metadata.md; NULL: not asked for */
	const imgsearch_columns *columns;
	const imgsearch_paths *paths; /* its other paths; NULL: none, or not asked for */
	/* the part that matched; NULL: the whole picture did, or paths were not asked for */
	const imgsearch_region *region;
} imgsearch_hit;

typedef struct imgsearch_hits {
	size_t count;
	const imgsearch_hit *const *items; /* best first */
	/*
	 * so many hits at the front are better than chance, see docs/quality.md; count where that is
	 * unknown
	 */
	size_t better_than_chance;
	const char *searcher; /* that answered */
	const char *plan;  /* how it was searched, for people: "graph", "filter: subset scanned" ... */
	uint32_t exact;    /* 1: these are the nearest ones, proven */
	uint32_t reranked; /* 1: the order is that of re-ranking; scores need not fall along it */
	double feature_seconds, search_seconds;
	/*
	 * the shards that could not be reached, by their addresses without passwords, one a line: what
	 * they have is not among the hits; NULL: none
	 */
	const char *missing;
} imgsearch_hits;

/*
 * The items most like the inputs, which make one query together: the weighted sum of their
 * normalised vectors, normalised. Scores of texts spread less than those of pictures. Where a query
 * has both, each weight is first divided by the spread of its input's scores with the index's
 * pictures (metrics cosine and ip). So equal weights count alike. A query with texts is compared
 * with the vectors as they are: no mean is subtracted. A picture whose bytes are in the index needs
 * no network. No hit is no error.
 *
 * Where the index keeps features of parts of its pictures (regions), a picture scores by the best
 * of them and its whole, and the hit names the part. k, min_score and filters are of pictures, each
 * of which is at most one hit. Expansion and re-ranking use the row of the part that matched; the
 * picture that the query is, with no_self, is left out with all its parts. The chance is that of so
 * good a best part. `whole` compares whole pictures alone.
 *
 * Errors: ENOTFOUND (an unknown id or file, a searcher that is not built), EINVAL (also a name that
 * no searcher has), EMODEL; EUNSUPPORTED (a text, and the index's model cannot compare it with
 * pictures; a bad picture); EFORMAT, ELIMIT, EIO (a bad picture).
 */
IMGSEARCH_API int imgsearch_query(imgsearch *s, const imgsearch_input *inputs, size_t n,
	const imgsearch_query_options *options, const imgsearch_call *call, imgsearch_hits **out,
	imgsearch_error *err);
IMGSEARCH_API void imgsearch_hits_free(imgsearch_hits *hits);

/*
 * All items that score at least min_score for one input, best first. options->k bounds their
 * number; 0, or options NULL: no bound. Exact, unless options name a searcher. Errors as
 * imgsearch_query.
 */
IMGSEARCH_API int imgsearch_range(imgsearch *s, const imgsearch_input *in, float min_score,
	const imgsearch_query_options *options, const imgsearch_call *call, imgsearch_hits **out,
	imgsearch_error *err);

typedef struct imgsearch_answer {
	const imgsearch_hits *hits;   /* of this input, freed with the answers; NULL: it failed */
	const imgsearch_error *error; /* why; NULL: it did not */
} imgsearch_answer;

typedef struct imgsearch_answers {
	size_t count;                         /* the number of inputs */
	const imgsearch_answer *const *items; /* in their order */
} imgsearch_answers;

/*
 * n queries, one per input. Pictures go through the network together, and the queries share their
 * passes over memory: far cheaper than one by one. An input that fails has its own error, and the
 * call returns 0. Cancelled or past its deadline, the call has no answers at all. Errors: EMODEL.
 */
IMGSEARCH_API int imgsearch_batch_query(imgsearch *s, const imgsearch_input *inputs, size_t n,
	const imgsearch_query_options *options, const imgsearch_call *call, imgsearch_answers **out,
	imgsearch_error *err);
IMGSEARCH_API void imgsearch_answers_free(imgsearch_answers *answers);

/* --------------------------------------------------------------------------------- vectors ---- */

/*
 * n queries by vector: rows (n, dim) f32. ids (n, k) receives ids, -1 where there are fewer; scores
 * (n, k), or NULL, receives scores, NaN where there are fewer. capacity: elements that each of the
 * two has room for. no_self, max_chance, views and fields of the options have no effect.
 */
IMGSEARCH_API int imgsearch_vectors_query(imgsearch *s, const float *rows, size_t n, size_t dim,
	const imgsearch_query_options *options, const imgsearch_call *call, int64_t *ids, float *scores,
	size_t capacity, imgsearch_error *err);

/*
 * Stored vectors by id: rows (n, dim), as extracted, not normalised; capacity: floats that rows has
 * room for. An id without a vector gives a row of NaN; found (n, or NULL) receives 1 or 0.
 */
IMGSEARCH_API int imgsearch_vectors_get(imgsearch *s, const int64_t *ids, size_t n,
	const imgsearch_call *call, float *rows, size_t capacity, uint8_t *found, imgsearch_error *err);

/* A block of n ids and rows (n, dim), valid during the callback. */
typedef int (
	*imgsearch_vectors_fn)(void *user, const int64_t *ids, const float *rows, size_t n, size_t dim);

/* All stored vectors in order of id. */
IMGSEARCH_API int imgsearch_vectors_each(imgsearch *s, imgsearch_vectors_fn each, void *user,
	const imgsearch_call *call, imgsearch_error *err);

/*
 * Projects n rows (n, dim) onto the m leading principal components of the built "pca" searcher: out
 * (n, m); capacity: floats that out has room for. ENOTFOUND: none is built.
 */
IMGSEARCH_API int imgsearch_vectors_reduce(imgsearch *s, const float *rows, size_t n, size_t dim,
	size_t m, const imgsearch_call *call, float *out, size_t capacity, imgsearch_error *err);

/* ----------------------------------------------------------------------------------- items ---- */

/* A path or name that the index knows. */
typedef struct imgsearch_item {
	int64_t id;
	uint32_t state;                   /* imgsearch_state */
	uint32_t offline;                 /* 1: its root, or what a link leads to, is absent or empty */
	const char *path;                 /* absolute, or the name that it was added under */
	const char *title;                /* or NULL */
	const char *reason;               /* of a state other than indexed, or NULL */
	const char *hash;                 /* hexadecimal BLAKE2b-256 of the bytes, or "" */
	const imgsearch_columns *columns; /* as in imgsearch_hit */
	uint32_t width, height;           /* upright; 0 where unknown */
	uint64_t bytes;
	int64_t mtime_seconds;     /* since 1970 */
	int64_t mtime_nanoseconds; /* 0..999999999 */
	int64_t same_as;           /* duplicate, link: the id of the indexed picture */
	uint32_t partial;          /* 1: only a part of the picture could be read */
	uint32_t has_vector;
	int64_t same_file; /* link: the id of the item whose file it is another name of; else 0 */
	const char *same_file_path; /* its path; else NULL */
	/*
	 * its other paths, of imgsearch_item_get: of a duplicate or a link, too; NULL: none, and always
	 * in imgsearch_item_each and imgsearch_item_list
	 */
	const imgsearch_paths *paths;
} imgsearch_item;

/* The item is valid during the callback. */
typedef int (*imgsearch_item_fn)(void *user, const imgsearch_item *item);

/*
 * Every item in order of path; those in one imgsearch_state, or all (0). Vectors without a name
 * come last, in order of id, those that are kept out behind the others.
 */
IMGSEARCH_API int imgsearch_item_each(imgsearch *s, uint32_t state, imgsearch_item_fn each,
	void *user, const imgsearch_call *call, imgsearch_error *err);

/* Equal items are in order of path; those without the value come last, either way. */
typedef enum imgsearch_sort {
	IMGSEARCH_SORT_PATH = 0,
	IMGSEARCH_SORT_DATE = 1, /* when it was taken, by the wall clock */
	IMGSEARCH_SORT_RATING = 2,
	IMGSEARCH_SORT_ID = 3,   /* as they were added */
	IMGSEARCH_SORT_GIVEN = 4 /* as the ids of the filter, which it must have */
} imgsearch_sort;

typedef struct imgsearch_item_list_options {
	size_t struct_size;
	/*
	 * accept is EINVAL. Folders are those of the item's own path; of a duplicate or a link, columns
	 * are those of the indexed picture. NULL: every item
	 */
	const imgsearch_filter *filter;
	uint32_t states; /* bits 1 << imgsearch_state; 0: all */
	uint32_t sort;   /* imgsearch_sort */
	uint32_t descending;
	uint32_t reserved; /* 0 */
	uint64_t offset;   /* so many are left out at the beginning */
	uint64_t limit;    /* at most so many; 0: all */
} imgsearch_item_list_options;

/*
 * Items in a stable order, page by page. An index that does not change gives pages that neither
 * overlap nor leave one out. total (or NULL) receives the number without offset and limit; without
 * it less is read. IMGSEARCH_SORT_GIVEN reads the items of the given ids alone, and an id that is
 * given twice is reported twice. EINVAL: also a condition of the filter.
 */
IMGSEARCH_API int imgsearch_item_list(imgsearch *s, const imgsearch_item_list_options *options,
	imgsearch_item_fn each, void *user, const imgsearch_call *call, uint64_t *total,
	imgsearch_error *err);

/* One item by id. ENOTFOUND. */
IMGSEARCH_API int imgsearch_item_get(imgsearch *s, int64_t id, imgsearch_item **out,
	imgsearch_error *err);
IMGSEARCH_API void imgsearch_item_free(imgsearch_item *item);

typedef struct imgsearch_bytes {
	size_t count;
	const uint8_t *items;
} imgsearch_bytes;

/*
 * The bytes of an item's file as they are now. Where it has none, it cannot be read here, or a
 * symbolic link that the index does not follow leads to another one now, those that the index
 * stores (imgsearch_index_add_options.store_bytes). ENOTFOUND: no such item, or
 * there are no bytes; EIO, ELIMIT; EFORMAT: the stored ones are damaged.
 */
IMGSEARCH_API int imgsearch_item_bytes(imgsearch *s, int64_t id, const imgsearch_call *call,
	imgsearch_bytes **out, imgsearch_error *err);
IMGSEARCH_API void imgsearch_bytes_free(imgsearch_bytes *bytes);

typedef struct imgsearch_vectors_export_options {
	size_t struct_size;
	uint32_t with_items; /* 1: blocks have items */
	/*
	 * 1: rows are as queries compare them: the mean of the features of pictures is subtracted, and
	 * under cosine they have length 1. 0: as they were extracted or added
	 */
	uint32_t compared;
	const char *model; /* those of which of two models, as in imgsearch_query_options */
} imgsearch_vectors_export_options;

/* Vectors in order of id, valid during the callback. */
typedef struct imgsearch_vectors_export_block {
	size_t count, dim;
	const int64_t *ids;                 /* (count) */
	const float *rows;                  /* (count, dim) */
	const imgsearch_item *const *items; /* (count), or NULL: options */
	uint64_t total;                     /* vectors of the index */
	const char *model;                  /* name; NULL: the caller's own vectors */
	const char *weights_hash;           /* hexadecimal BLAKE2b-256 of its weights, or NULL */
	const float *mean;                  /* (dim), which queries subtract; NULL: they do not */
	uint32_t metric;                    /* imgsearch_metric */
	uint32_t reserved;
} imgsearch_vectors_export_block;
typedef int (*imgsearch_vectors_export_fn)(void *user, const imgsearch_vectors_export_block *block);

/*
 * All stored vectors, block by block, with what other programs need to know of them, from one state
 * of the index. No block where there are no vectors. In ":memory:" nobody writes meanwhile.
 */
IMGSEARCH_API int imgsearch_vectors_export(imgsearch *s,
	const imgsearch_vectors_export_options *options, imgsearch_vectors_export_fn each, void *user,
	const imgsearch_call *call, imgsearch_error *err);

/*
 * The id of a path or name, as results have it: also "id:N" of a vector without a name. An item
 * that was added under the name "id:N" comes first. ENOTFOUND.
 */
IMGSEARCH_API int imgsearch_item_find(imgsearch *s, const char *path, int64_t *id,
	imgsearch_error *err);

/* exists[i] receives 1 where ids[i] is the id of an item, otherwise 0. */
IMGSEARCH_API int imgsearch_item_exists(imgsearch *s, const int64_t *ids, size_t n, uint8_t *exists,
	imgsearch_error *err);

/* ------------------------------------------------------------------------------------ info ---- */

typedef struct imgsearch_root {
	const char *path;
	uint32_t offline; /* 1: absent now */
	uint32_t reserved;
	const imgsearch_strings *exclude, *include; /* remembered patterns, see docs/folders.md */
	const imgsearch_strings *follow; /* folders of it in which links are followed, "." for all */
	const imgsearch_strings *tiff, *video; /* the same, of where these formats are read */
} imgsearch_root;

typedef struct imgsearch_roots {
	size_t count;
	const imgsearch_root *const *items;
} imgsearch_roots;

typedef struct imgsearch_searcher {
	const char *name; /* "graph" ... */
	uint64_t rows;    /* when it was built */
	uint64_t bytes;   /* of its state in the index */
	uint64_t changed; /* changes of rows since: added, replaced, removed */
	uint32_t stale;   /* 1: it cannot answer, and must be built again */
	uint32_t reserved;
	const char *note; /* what its build measured, for people; or NULL */
} imgsearch_searcher;

typedef struct imgsearch_searchers {
	size_t count;
	const imgsearch_searcher *const *items;
} imgsearch_searchers;

/* An unfinished computation of all vectors by another model. */
typedef struct imgsearch_reindex {
	const char *model;
	const imgsearch_recipe *recipe;
	uint64_t done, total; /* vectors */
} imgsearch_reindex;

typedef struct imgsearch_info {
	const char *path;
	uint64_t bytes; /* of the database file */
	uint64_t vectors;
	uint32_t dim, metric;
	const imgsearch_counts *counts;
	uint64_t offline;         /* items that are offline */
	const char *model;        /* name; NULL: an index of the caller's own vectors */
	const char *weights;      /* where they came from */
	const char *weights_hash; /* hexadecimal BLAKE2b-256 */
	const char *precision;    /* "f32", "bf16" */
	const imgsearch_recipe *recipe;
	const char *searcher;     /* that the next query uses */
	const char *searcher_why; /* a sentence, for people */
	const char *kernels;      /* "avx512" ... */
	const imgsearch_roots *roots;
	const imgsearch_searchers *searchers; /* built ones */
	const imgsearch_reindex *reindex;     /* or NULL */
	/* 1: colour profiles are converted; 0: they are ignored, since Little CMS is absent */
	uint32_t colours;
	/*
	 * 1: NFC and NFD spellings of a name are the same in patterns and CSV keys; 0: bytes are
	 * compared, for want of libutf8proc
	 */
	uint32_t names_composed;
	uint64_t unconverted; /* pictures whose colours were not converted, since it was absent */
	uint64_t dated;       /* indexed pictures of which it is known when they were taken */
	const char *server;   /* versions of PostgreSQL and pgvector; NULL: the index is a file */
	/* known faults of these versions, and what to do; NULL: none */
	const char *server_faults;
	uint64_t stored_bytes; /* of pictures without a file: see store_bytes */
	/* 1: it was opened for reading only, or the file, or the role on the server, allows no more */
	uint32_t read_only;
	uint32_t words;    /* 1: its model compares texts with pictures; see docs/words.md */
	uint32_t regions;  /* features of parts that are kept of a picture; 0: none */
	uint32_t reserved; /* 0 */
	/* pictures that have them; fewer than are indexed: the next run makes the others */
	uint64_t with_regions;
	/*
	 * what the index holds for its second model: model, weights, recipe, dim, vectors, searchers
	 * are those of that one; NULL: it has one model. It has no second and no reindex
	 */
	const struct imgsearch_info *second;
} imgsearch_info;

/* What the index holds. */
IMGSEARCH_API int imgsearch_info_get(imgsearch *s, const imgsearch_call *call, imgsearch_info **out,
	imgsearch_error *err);
IMGSEARCH_API void imgsearch_info_free(imgsearch_info *info);

/* Whether this handle can turn pictures into vectors, and with which network. */
typedef struct imgsearch_network {
	uint32_t usable; /* 1: pictures can be embedded; see device_known, too */
	uint32_t loaded; /* 1: it is in memory */
	uint32_t dim;
	uint32_t words;      /* 1: its model compares texts with pictures; see docs/words.md */
	const char *model;   /* name, or NULL */
	const char *weights; /* file, or NULL */
	const char *runtime; /* libtorch's version, BLAS, device; NULL before it is loaded */
	const char *why_not; /* not usable: a sentence; otherwise NULL */
	/* 1: the device exists; 0: whether that GPU exists is known when the network is loaded */
	uint32_t device_known;
	uint32_t reserved2;
} imgsearch_network;

/* Loads nothing: it looks for the files. A load that failed before is why_not. */
IMGSEARCH_API int imgsearch_network_get(imgsearch *s, imgsearch_network **out,
	imgsearch_error *err);
IMGSEARCH_API void imgsearch_network_free(imgsearch_network *network);

/* --------------------------------------------------------------------------------- models ---- */

/*
 * A model is a file of weights with the recipe that they were trained with. The list of published
 * models is read from models.jsonl beside the library, then from a second one, the user's own, in
 * the folder imgsearch/models of $XDG_DATA_HOME (else of ~/.local/share). Models that are added lie
 * in that folder, each in one of its own. docs/models.md describes both. The library itself sends
 * nothing and fetches nothing.
 */

/* A file of a model. A text that is not known is NULL. */
typedef struct imgsearch_model_file {
	size_t struct_size;
	const char *name;        /* in the model's folder: without a slash */
	const char *url;         /* where its publisher has it */
	const char *sha256;      /* the first 8 to 64 hexadecimal digits that are stated */
	const char *sha256_from; /* where they were read */
	uint64_t bytes;          /* 0: not known */
	/* 0: bytes is exact; else the size that is stated is rounded, and this is the most it is off */
	uint64_t bytes_off;
	/* What was recorded when the file was added: 64 digits; against what they were checked, */
	const char *kept_sha256, *checked;
	const char *added; /* and when: "2026-05-03T14:05:09Z" */
} imgsearch_model_file;

/*
 * A model, or a network of which no model is published: then publisher is NULL and there are no
 * files. Texts that are not known are NULL.
 */
typedef struct imgsearch_model {
	const char *name; /* "resnet50" */
	uint32_t dim, resize, crop, interpolation;
	const char *weights; /* file that was found, or NULL */
	const char *note;    /* descent and licence, or NULL */
	uint32_t squash;     /* 1: both sides are resized, as in imgsearch_recipe */
	uint32_t reserved;   /* 0 */
	const char *network; /* that its weights are for */
	const char *publisher, *licence;
	const char *terms;                        /* a licence that restricts use: its name */
	const char *good_at;                      /* what it is good at, in a few words */
	const imgsearch_model_file *const *files; /* n_files */
	size_t n_files;
	uint32_t added;        /* 1: it lies in the folder of models, with a record of its files */
	uint32_t suggested;    /* 1: one of the few to choose from first */
	float mean[3], std[3]; /* of the recipe */
} imgsearch_model;

typedef int (*imgsearch_model_fn)(void *user, const imgsearch_model *model);

/*
 * The default model, those that are published, those that were added under other names, and the
 * networks of which there is none. The struct is valid during the call of each. EFORMAT: a line of
 * a list, or a record, is damaged: the sentence names file, line and reason.
 */
IMGSEARCH_API int imgsearch_model_each(imgsearch_model_fn each, void *user, imgsearch_error *err);

typedef struct imgsearch_model_add_options {
	size_t struct_size;
	/*
	 * What the weights are: NULL or zero takes what the published model of that name says, else the
	 * published model that the file is. Otherwise the card or configuration beside it decides, or
	 * the names and shapes of its tensors.
	 */
	const char *network;
	const imgsearch_recipe *recipe; /* flip is 0: it is chosen where the model is used */
	const char *publisher, *licence, *terms, *good_at;
	/*
	 * The files to take, when the source is a folder, the weights (or the index of their shards)
	 * first; NULL: all files in it but hidden ones. What an entry says of bytes and sha256 is
	 * checked.
	 */
	const imgsearch_model_file *const *files;
	size_t n_files;
	uint32_t replace; /* 1: a model of that name that was added before is replaced */
	/* 1: files may be hard links to those of the source, which must not change; 0: copies */
	uint32_t link;
} imgsearch_model_add_options;

/*
 * Adds a model: a weights file, or a folder with one. Its tensors are checked against the network
 * by names and shapes, which needs libtorch. It is there as a whole or not at all. One program at a
 * time adds or removes models; the next one gets EBUSY at once. name: letters, digits and "._-", no
 * dot or hyphen first, at most 63 bytes, no name of another network. EEXIST: there is a model of
 * that name; EFORMAT: a file has not the size or the hash that is stated, or is damaged; EMODEL:
 * the tensors do not fit, or several networks do; ENOTFOUND: a file is not there. Any thread.
 */
IMGSEARCH_API int imgsearch_model_add(const char *path, const char *name,
	const imgsearch_model_add_options *options, const imgsearch_call *call, imgsearch_error *err);

/* A file of a model that was verified. */
typedef struct imgsearch_model_check {
	const char *model, *file; /* names */
	const char *wrong;        /* a clause that says what differs, or NULL */
	uint32_t published;       /* 1: it also agrees with what the publisher states */
	uint32_t reserved;        /* 0 */
} imgsearch_model_check;

typedef int (*imgsearch_model_check_fn)(void *user, const imgsearch_model_check *check);

/*
 * Reads the files of a model that was added, and compares them with its record, then with the list
 * of published models. each (may be NULL) gets every file. EFORMAT: a file differs, or is missing;
 * the sentence names the first. ENOTFOUND: no such model was added. Any thread.
 */
IMGSEARCH_API int imgsearch_model_verify(const char *name, imgsearch_model_check_fn each,
	void *user, const imgsearch_call *call, imgsearch_error *err);

/*
 * Deletes a model that was added, with all files in its folder. ENOTFOUND, EBUSY. Any thread.
 * Handles that have loaded it keep it.
 */
IMGSEARCH_API int imgsearch_model_remove(const char *name, imgsearch_error *err);

/* ----------------------------------------------------------------------------------- check ---- */

/* One problem of the file, a sentence. */
typedef int (*imgsearch_problem_fn)(void *user, const char *text);

typedef struct imgsearch_check_options {
	size_t struct_size;
	imgsearch_problem_fn problem; /* or NULL */
	void *user;
	/*
	 * > 0: query every searcher with so many stored vectors, and compare its answers with a plain
	 * scan
	 */
	uint32_t queries;
	uint32_t reserved; /* 0 */
} imgsearch_check_options;

typedef struct imgsearch_check_searcher {
	const char *name;
	/* of the 1 and 10 nearest, by a query for 10; of the 100 nearest, by one for 100 */
	double recall1, recall10, recall100;
	double seconds;  /* of a query for IMGSEARCH_K_DEFAULT results, one by one */
	uint64_t memory; /* bytes */
} imgsearch_check_searcher;

typedef struct imgsearch_check_report {
	uint64_t problems;
	uint64_t queries;    /* asked of every searcher */
	double scan_seconds; /* the same by a plain scan */
	size_t count;        /* searchers that are built and up to date */
	const imgsearch_check_searcher *const *items;
} imgsearch_check_report;

/*
 * Looks at the whole file: structure, references between tables, checksums. Problems that it finds
 * are no error of the call. report may be NULL.
 */
IMGSEARCH_API int imgsearch_check(imgsearch *s, const imgsearch_check_options *options,
	const imgsearch_call *call, imgsearch_check_report **report, imgsearch_error *err);
IMGSEARCH_API void imgsearch_check_report_free(imgsearch_check_report *report);

/* ----------------------------------------------------------------------------- collections ---- */

/* How two pictures are the same, from strict to loose. */
typedef enum imgsearch_sameness {
	IMGSEARCH_SAMENESS_BYTES = 1, /* the files' content is equal */
	/* resized, recompressed, turned, mirrored, without its colours: compared on the pixels */
	IMGSEARCH_SAMENESS_PICTURE = 2,
	/* vectors so near, and layouts so alike, that it is most likely the same thing again */
	IMGSEARCH_SAMENESS_SCENE = 3
} imgsearch_sameness;

typedef struct imgsearch_groups_options {
	size_t struct_size;
	const imgsearch_filter *filter; /* accept is EINVAL */
	/*
	 * of two pictures of one scene; 0: the scene_score of the card of the index's model, else
	 * IMGSEARCH_SCENE_SCORE_DEFAULT
	 */
	float min_score;
	uint32_t kinds;    /* bits 1 << imgsearch_sameness; 0: all */
	const char *model; /* by which of two models, as in imgsearch_query_options */
} imgsearch_groups_options;

/* Another name of the file of a picture of a group: no copy. */
typedef struct imgsearch_link {
	int64_t id;        /* of its item */
	int64_t same_file; /* id of the picture of the group whose file it is */
	const char *path;
} imgsearch_link;

typedef struct imgsearch_links {
	size_t count;
	const imgsearch_link *const *items;
} imgsearch_links;

typedef struct imgsearch_group {
	uint32_t kind; /* imgsearch_sameness */
	/* scene: the lowest score that holds the group together; otherwise 1 */
	float score;
	size_t count;                 /* at least 2 */
	const int64_t *items;         /* ids, ascending; each of another file */
	const imgsearch_links *links; /* NULL: none */
	/* (count): 1 for each item without colour, as a grey copy is; NULL: all have, or none has */
	const uint8_t *grey;
} imgsearch_group;

typedef struct imgsearch_groups {
	size_t count;
	const imgsearch_group *const *items; /* by kind, then by first id */
	/* pictures whose pixels could not be compared: files away or changed */
	uint64_t unread;
	uint64_t changed; /* files left out of groups: changed or gone since the index read them */
} imgsearch_groups;

/*
 * Groups of near-duplicates. A group of a stricter kind takes part in the looser kinds by its
 * picture with the smallest id whose file is unchanged. Rejected pairs are left out. Files are
 * looked at before they are called copies: paths that lead to one file now are names of it. A file
 * that is gone while its root is there, or that has other bytes now, is in no group; a warning in
 * the log says how many. With folders in the filter, a picture takes part by its path below them,
 * whichever of its paths that is. Pictures that were never compared have their pixels read. What
 * was read is stored where no other writer is at work; the call is never EBUSY.
 */
IMGSEARCH_API int imgsearch_groups_find(imgsearch *s, const imgsearch_groups_options *options,
	const imgsearch_call *call, imgsearch_groups **out, imgsearch_error *err);
IMGSEARCH_API void imgsearch_groups_free(imgsearch_groups *groups);

/* Remembers, by content, that two pictures differ. ENOTFOUND: an id that does not exist. */
IMGSEARCH_API int imgsearch_groups_reject(imgsearch *s, int64_t a, int64_t b, imgsearch_error *err);

typedef struct imgsearch_map_options {
	size_t struct_size;
	const imgsearch_filter *filter; /* accept is EINVAL */
	/* of a larger index an even choice is taken; 0: IMGSEARCH_MAP_POINTS_DEFAULT */
	uint64_t max_points;
	uint64_t seed;
	float perplexity;  /* 0: IMGSEARCH_PERPLEXITY_DEFAULT */
	uint32_t pca;      /* 1: the two leading principal components instead of t-SNE */
	const char *model; /* by which of two models, as in imgsearch_query_options */
} imgsearch_map_options;

typedef struct imgsearch_map_point {
	int64_t id;
	float x, y; /* 0..1, y downwards; the longer side of the map fills its range */
} imgsearch_map_point;

typedef struct imgsearch_map {
	size_t count;
	const imgsearch_map_point *const *items; /* by id */
} imgsearch_map;

/* Places the pictures on a plane, similar ones near each other. Progress stage "map". */
IMGSEARCH_API int imgsearch_map_compute(imgsearch *s, const imgsearch_map_options *options,
	const imgsearch_call *call, imgsearch_map **out, imgsearch_error *err);
IMGSEARCH_API void imgsearch_map_free(imgsearch_map *map);

/*
 * Gives each point a cell (row * columns + column) of its own, near its place. cells has room for
 * capacity elements, at least map->count. EINVAL: fewer cells than points.
 */
IMGSEARCH_API int imgsearch_map_grid(const imgsearch_map *map, uint32_t columns, uint32_t rows,
	const imgsearch_call *call, uint32_t *cells, size_t capacity, imgsearch_error *err);

/* ---------------------------------------------------------------------------------- images ---- */

/* Of imgsearch_image_load, or the caller's own for imgsearch_image_encode. Its layout is frozen. */
typedef struct imgsearch_image {
	const uint8_t *rgb; /* upright, 8 bits, rows without padding */
	uint32_t width, height;
} imgsearch_image;

/*
 * The pixels of an input (its crop is cut out), made smaller where a side is longer than max_side
 * (0: any size). EFORMAT, EUNSUPPORTED, ELIMIT, EIO, ENOTFOUND, EINVAL (a vector).
 */
IMGSEARCH_API int imgsearch_image_load(imgsearch *s, const imgsearch_input *in, uint32_t max_side,
	const imgsearch_call *call, imgsearch_image **out, imgsearch_error *err);
IMGSEARCH_API void imgsearch_image_free(imgsearch_image *image);

/*
 * A JPEG of quality 1..100, or a PNG (quality 0). ELIMIT: a side is longer than the format allows:
 * 65500 pixels in a JPEG.
 */
IMGSEARCH_API int imgsearch_image_encode(const imgsearch_image *image, int quality,
	const imgsearch_call *call, imgsearch_bytes **out, imgsearch_error *err);

#ifdef __cplusplus
}
#endif
#endif
