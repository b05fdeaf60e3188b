/*
 * An index run over folders and files. The plan says what is walked (plan.h), start by start
 * (start.h). Each path is compared with its row (entry.h), the pipeline adds the files
 * (pipeline.h), pictures that the walk no longer finds are removed (missing.h), paths that lead to
 * one file become one picture (same_files.h), and sidecars of copies are read (twins.h).
 */
#ifndef IMS_INGEST_INDEX_RUN_H
#define IMS_INGEST_INDEX_RUN_H

#include "handle/offline.h"
#include "handle/model_choice.h"
#include "ingest/counts.h"
#include "ingest/parts.h"
#include "ingest/path_table.h"
#include "ingest/pipeline.h"
#include "ingest/plan.h"
#include "ingest/rules.h"
#include "ingest/same_files.h"
#include "ingest/switches.h"

/* State of the walk of one start. */
typedef struct walk_state {
	const index_start *start;
	char **unreadable; /* owned: folders that could not be read; the rows below them stay */
	size_t n_unreadable;
	path_table excluded;    /* folders that a rule excludes: what lies below them is removed */
	uint64_t same, touched; /* files with size and mtime of their rows; of them: another ctime */
	bool linked;            /* the path of the root leads through a symbolic link */
	store_lists *lists;     /* of the root: of the plan */
	text_list mounts;       /* from which files came in */
	uint64_t files, left;   /* files that came in; paths that patterns or ignore files left out */
	bool told;              /* that the start is left out */
	uint64_t offline;       /* files that are kept, since folders on their way are offline */
	int failed;             /* the status with which an entry ended the walk */
} walk_state;

/* Pictures with several paths: see twins.h. */
typedef struct run_twins {
	int64_t *id; /* owned: of those that had them before, once each where sorted */
	size_t n, cap;
	bool sorted;
	path_table folders; /* that have sidecars, as the walks found */
} run_twins;

/* Whose a file is that is to be read: see claims.h. */
typedef enum file_claim {
	CLAIM_NONE, /* nobody was asked yet */
	CLAIM_OURS,
	CLAIM_THEIRS, /* another program reads it */
} file_claim;

/* Files that are not read yet, since they may be another program's: see claims.h. */
typedef struct run_claims {
	struct claimed_file *block, *put_off; /* owned */
	size_t n_block, size, n_put_off, cap_put_off;
	bool wanted;      /* the file that is looked at again is read, or put off */
	double last_send; /* when the last block was claimed */
} run_claims;

typedef struct index_run {
	imgsearch *s;
	bool second; /* makes vectors of the second model of the index alone */
	const imgsearch_index_update_options *options;
	run_counts *counts;
	imgsearch_error *err;
	job job;
	identity identity;
	path_table paths;   /* the paths that the index held before */
	path_table singles; /* files without a root, which the walk of one around them passes over */
	/* ids, ascending: of a re-index, those that have a vector already; else those that lack one */
	int64_t *made, *lacking;
	size_t n_made, n_lacking;
	run_twins twins;
	seen_files files; /* those that the walks found */
	pipeline pipeline;
	run_claims claims;
	run_rules rules;
	offline_folders offline;
	walk_state walk;
	uint64_t warned_device; /* 1 + the device of the last warning that every ctime moved; 0: none */
	uint64_t expected;      /* number of paths, counted by a first walk; 0: unknown */
} index_run;

/*
 * imgsearch_index_update; options are a complete copy. Acquires the writer lock. The caller frees
 * what counts owns, also on failure.
 */
int ims_index_run(imgsearch *s, const char *const *paths, size_t n,
	const imgsearch_index_update_options *options, job *j, run_counts *counts,
	imgsearch_error *err);

#endif
