/*
 * An index run, in six files: plan.c (which folders), index.c (their walks, by which model, what has gone), run.c (the
 * caller's thread: what the walk meets goes to workers and is retired in order, and committed), item.c (one file on a
 * worker thread: bytes, hash, pixels, network input), batch.c (many of them through the network), known.c (the table of
 * paths that the index holds).
 */
#ifndef IMS_INGEST_INDEX_H
#define IMS_INGEST_INDEX_H

#include "analysis/signature.h"
#include "handle/handle.h"

/* ----------------------------------------------------------------------------------------------- known.c ---- */

/* A path by a 128-bit checksum of it. */
typedef struct known_key {
	uint64_t word[2];
} known_key;

known_key ims_path_key(int64_t root, const char *path);

/* A path that the index knows: 56 bytes each, whatever its length. */
typedef struct known {
	known_key key;
	int64_t id; /* 0: free slot */
	uint64_t size;
	int64_t mtime_ns;
	uint32_t state;
	bool seen;
} known;

typedef struct known_table {
	known *slot;
	size_t cap, n;
} known_table;

int ims_known_add(known_table *t, const known *k); /* 0 or ENOMEM */
known *ims_known_find(const known_table *t, known_key key); /* NULL: new */
void ims_known_free(known_table *t);

/* ------------------------------------------------------------------------------------------------ item.c ---- */

typedef struct index_run index_run;

/* One file on its way through a worker. */
typedef struct item {
	index_run *run;
	int64_t root;
	char *root_path, *path; /* path: relative to the root */
	uint64_t size;
	int64_t mtime_ns;
	int64_t id;           /* of the known path, or 0 */
	bool vector_only;     /* re-index by another model: the picture's row stays as it is */
	/* what the worker found */
	uint32_t state;       /* imgsearch_state */
	imgsearch_error why;
	hash256 hash;
	int64_t twin;         /* id of an indexed picture with these bytes, or 0 */
	bool decoded;         /* else its bytes were known, and no pixels were needed */
	bool decode_anyway;
	image_head head;
	signature pixels;
	float *input;         /* (crop, crop, 3), kept from item to item */
	double seconds;
	bool done;
} item;

/* Pictures that go through the network together, on a worker. */
typedef struct index_batch {
	index_run *run;
	float *in, *out;
	int64_t *id;
	size_t n;
	int rc;
	imgsearch_error err;
	double seconds;
	bool done;
} index_batch;

/* What a worker needs of the run. */
typedef struct item_context {
	imgsearch *s;
	image_recipe recipe;
	bool next;
	pthread_mutex_t lock;
	pthread_cond_t finished;
} item_context;

struct index_run {
	item_context context;
	imgsearch *s;
	imgsearch_index_options options;
	imgsearch_counts counts;
	imgsearch_error *err;
	job job;
	known_table known;     /* paths of the index */
	model_identity identity; /* who makes the vectors of this run */
	bool next;             /* they go into the re-index under way */
	model *network;        /* NULL: not needed yet, and neither are the batch and the ring */
	item *ring;            /* in the order of the walk: head is the oldest, `flying` of them are with workers */
	size_t cap, head, flying;
	index_batch *lane;     /* a ring: from `first` on `running` of them are with workers, the next one is being filled */
	size_t lanes, first, running, batch; /* batch: pictures in one */
	double waited;         /* seconds that this thread did nothing */
	bool in_transaction;
	double last_commit;
	int64_t root;          /* of the walk that is on; 0: single files, by absolute path */
	const char *root_path;
	int failed;            /* what an entry ended the walk with; what the walk itself ends with is not in it */
	uint64_t expected;     /* by a walk ahead; 0: unknown */
	char **unreadable;     /* folders that could not be read: what lies below them is kept */
	size_t n_unreadable;
};

/* On a worker thread: reads, hashes, decodes and fits one item, then signals. */
void ims_item_work(void *item);

/* ------------------------------------------------------------------------------------------------ plan.c ---- */

/* A root of the store, or a part of one. */
typedef struct index_start {
	int64_t root;      /* 0: one file, by absolute path */
	char *root_path;   /* "" for root 0 */
	char *prefix;      /* below the root, "" for all; root 0: the file */
	bool file;
} index_start;

typedef struct index_plan {
	index_start *start;
	size_t n;
	char **root;       /* all known roots */
	int64_t *root_id;
	size_t n_roots;
	imgsearch *s;
	imgsearch_error *err;
} index_plan;

/* paths: folders and files; none: all that the index knows. p has s and err. */
int ims_plan_make(index_plan *p, const char *const *paths, size_t n);
void ims_plan_free(index_plan *p);

/* ----------------------------------------------------------------------------------------------- batch.c ---- */

int ims_batch_open(index_run *r);  /* the network, and the batches, whose size it decides */
int ims_batch_join(index_run *r, const item *it, int64_t id); /* the item's input, of the picture with this id */
int ims_batch_flush(index_run *r); /* all that joined has its vector after this */
void ims_batch_free(index_run *r);

/* ------------------------------------------------------------------------------------------------- run.c ---- */

void ims_run_init(index_run *r, imgsearch *s, imgsearch_error *err);
void ims_run_free(index_run *r);

/* One path that the walk met. */
int ims_run_entry(index_run *r, const walk_entry *e);

/* Waits for what is with the workers and retires it. */
int ims_run_drain(index_run *r);

/* Waits for all items, runs the last batch, commits. */
int ims_run_finish(index_run *r);

/* A transaction is open after this. */
int ims_run_transaction(index_run *r);

/* Work for the pool, and the wait until a worker has done with an item or a batch; both count as waiting. */
void ims_run_give(index_run *r, void (*work)(void *), void *arg);
void ims_run_wait(index_run *r, const bool *done);

#endif
