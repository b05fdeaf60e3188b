/*
 * An index run over folders and files: the plan says what is walked (plan.h), the pipeline brings
 * files in (pipeline.h), and pictures that a walk does not meet any more drop out (missing.h).
 */
#ifndef IMS_INGEST_TREE_H
#define IMS_INGEST_TREE_H

#include "handle/identity.h"
#include "ingest/path_table.h"
#include "ingest/pipeline.h"
#include "ingest/plan.h"

/* What the walk of one start knows. */
typedef struct walk_state {
	const index_start *start;
	char **unreadable; /* owned: folders that could not be read; what lies below them is kept */
	size_t n_unreadable;
	int failed; /* the status with which an entry ended the walk */
} walk_state;

typedef struct tree_run {
	imgsearch *s;
	const imgsearch_index_options *options;
	imgsearch_counts *counts;
	uint64_t deleted; /* paths that were met and are deleted on purpose */
	imgsearch_error *err;
	job job;
	identity identity;
	path_table paths; /* the paths that the index held before */
	pipeline pipeline;
	walk_state walk;
	uint64_t expected; /* paths, by a walk ahead of the run; 0: unknown */
} tree_run;

/*
 * imgsearch_index_tree; options are a complete copy. Acquires the writer's right. *deleted (may be
 * NULL) receives the number of paths that are deleted on purpose; counts->seen includes them.
 */
int ims_index_tree(imgsearch *s, const char *const *paths, size_t n,
	const imgsearch_index_options *options, imgsearch_counts *counts, uint64_t *deleted,
	imgsearch_error *err);

#endif
