/*
 * The pipeline of an index run. It is called on the caller's thread. Files pass through a ring of
 * items to the threads of the pool, which prepare them. The oldest item leaves the ring first. It
 * becomes a pending row, and its input joins a batch for the network if no picture has its bytes.
 * Batches also run on the pool, one thread each. Every two seconds, on a server six, the vectors of
 * all pending rows are awaited, and one transaction writes the rows. A kill loses no more than
 * those.
 *
 * All decisions follow the order of the walk, so no thread decides which of two equal files is the
 * duplicate.
 */
#ifndef IMS_INGEST_PIPELINE_H
#define IMS_INGEST_PIPELINE_H

#include "handle/model_choice.h"
#include "ingest/content_table.h"
#include "ingest/counts.h"
#include "ingest/pending.h"

/* One file that a worker prepares. */
typedef struct pipeline_item {
	struct pipeline *pipeline;
	int64_t id, root;  /* id 0: a new path */
	char *path, *full; /* relative to the root; absolute */
	uint64_t size;
	timestamp mtime, ctime;
	uint32_t also;    /* formats that are read for it, as in image_limits */
	bool vector_only; /* the picture's row stays as it is */
	/* of the path's row: its state where the file has the row's size and time; else 0 */
	uint32_t row_state;
	uint32_t tried; /* that state, where the file is read again though it is as it was; else 0 */
	content_key row_content; /* the bytes of the row; zero: not known, or a new path */
	bool compares;           /* if the file has those bytes, the row stays as it is */
	uint32_t row_pixels;     /* with check_header: how its pixels were made (image/image.h) */
	bool force_decode;       /* bytes that the index has are decoded too */
	bool check_header; /* first ask the file's header whether decoding now gives other pixels */
	bool facts_only;   /* only its facts are read */
	bool stored;       /* the index stores its bytes: it has no file */
	/* set by the worker */
	uint32_t state;      /* imgsearch_state */
	imgsearch_error why; /* of a state other than indexed */
	prepared picture;
	float *input; /* reused by the next item */
	double seconds;
	bool skipped;     /* the run was stopped before */
	int failed;       /* the status of reading stored bytes: ENOTFOUND: they are gone, with it */
	bool same_bytes;  /* as the row's */
	bool same_pixels; /* with check_header: decoding gives those of the row, or fails */
	uint32_t traits;  /* with check_header: of the header */
	bool done;
} pipeline_item;

/* A batch of pictures for the network. */
typedef struct pipeline_batch {
	struct pipeline *pipeline;
	float *in, *out;
	size_t *row; /* numbers of pending rows */
	size_t n;
	int rc;
	imgsearch_error err;
	double seconds;
	bool done;
} pipeline_batch;

/* Files that were skipped, since the library of their format is missing. */
enum { PIPELINE_LACKING = 8 };
typedef struct pipeline_lacking {
	uint64_t files;
	imgsearch_error why;
} pipeline_lacking;

typedef struct pipeline {
	/* set before the first call */
	imgsearch *s;
	job *job;
	const identity *identity;
	imgsearch *by; /* whose network makes the vectors: s, or the handle of its second model */
	run_counts *counts;
	/*
	 * Whether the file of a picture is gone, so that the one with its bytes is it, moved. A picture
	 * is gone for the first one that asks.
	 */
	int (*is_gone)(void *user, const store_picture *twin, bool *gone, imgsearch_error *err);
	void *user;
	imgsearch_error *err;

	model *network;       /* NULL: not needed yet; the batches are allocated with it */
	pthread_mutex_t lock; /* protects `done` of items and batches */
	pthread_cond_t finished;
	/* two rings: from `first` on, `out` are with the threads of the pool, or done by them */
	pipeline_item *item;
	size_t items_cap, items_first, items_out;
	pipeline_batch *batch;
	size_t batches_cap, batches_first, batches_out;
	size_t batch_size;   /* pictures, at most */
	double seconds_each; /* of a picture of the last batch; 0: there was none */
	pending_list pending;
	content_table contents; /* what the index has; of a re-index: with a vector of the new model */
	bool regions;           /* of pictures that are decoded they are made */
	bool partial;           /* what is there of a damaged picture is taken */
	uint32_t redecoded_traits; /* of all pictures that were decoded anew */
	pipeline_lacking lacking[PIPELINE_LACKING];
	uint64_t unconverted;      /* pictures whose colours were not converted: Little CMS is absent */
	uint64_t bad_profiles;     /* pictures whose colour profile cannot be used */
	char *bad_profile;         /* owned: the path of the first of them */
	double last_write, waited; /* seconds */
} pipeline;

int ims_pipeline_init(pipeline *p);  /* of a struct whose first part is set; 0 or ENOMEM */
void ims_pipeline_free(pipeline *p); /* waits for the workers; drops what is not written */

/*
 * Sends a file to the workers, and becomes the owner of the strings of *item, whose members before
 * "set by the worker" are set. Errors of admitting an item, of the network and of writing rows:
 * EDB, EIO, EMODEL, ENOMEM, ECANCELED. A damaged picture is no error: its row says so.
 */
int ims_pipeline_submit(pipeline *p, const pipeline_item *item);

/* Adds a row that is not indexed and becomes the owner of its strings. EDB, EIO, ENOMEM. */
int ims_pipeline_record(pipeline *p, const pending_row *row);

/*
 * Writes the pending rows if the last write is two seconds ago, on a server six. EMODEL, EDB, EIO,
 * ENOMEM.
 */
int ims_pipeline_write_if_due(pipeline *p);

/*
 * Waits for all items, runs the last batch and writes all rows. A cancel drops the items that are
 * with the workers: ECANCELED.
 */
int ims_pipeline_drain(pipeline *p);

#endif
