/*
 * The state of an evaluation, shared by the files that make its queries, its ground truth and its
 * ranking. One thread at a time, except where workers only read it. Functions that return int
 * return 0 or a status with its message in err.
 */
#ifndef IMS_COLLECTION_EVAL_STATE_H
#define IMS_COLLECTION_EVAL_STATE_H

#include "analysis/metrics.h"
#include "files/names.h"
#include "handle/view.h"
#include "imgsearch/eval.h"
#include "query/improve.h"

#define NO_LABEL UINT32_MAX
#define NO_ROW SIZE_MAX

/* A query: its feature, and its relevant rows: those of its label, or a list. */
typedef struct eval_query {
	size_t row;      /* row of the query itself; NO_ROW: it has none */
	uint32_t label;  /* of its relevant rows; NO_LABEL: they are listed */
	uint32_t group;  /* class that it is counted in; NO_LABEL: none */
	size_t first, n; /* of `relevant` */
} eval_query;

typedef struct evaluation {
	imgsearch *s;
	view *view;
	const space *space;
	const imgsearch_eval_options *options;
	job *job;

	int64_t *allowed; /* of the filter; NULL: it allows all */
	size_t n_allowed;
	size_t n; /* rows, by id */
	uint32_t dim;
	int64_t *ids;
	float *rows;       /* (n, dim) in the space */
	char **path;       /* of each; NULL: a vector without a picture */
	uint32_t *label;   /* of each; NO_LABEL: no row is relevant to it */
	char **class_name; /* of labels, or of kinds of copies */
	size_t classes;

	eval_query *query;
	size_t n_queries, query_cap;
	float *query_rows; /* (n_queries, dim); NULL: the queries are rows */
	/* of copies, where the index keeps regions; else NULL: (n_queries, dim), for regions */
	float *region_rows;
	buf regions;       /* data of the regions of rows */
	size_t *region_at; /* of each row, in `regions`; NO_ROW: it has none */
	size_t *relevant;  /* rows, query after query */
	size_t n_relevant, relevant_cap;
	uint64_t failed;
	improvement improve;
} evaluation;

/* The feature of query i in the space, borrowed. */
const float *ims_eval_feature(const evaluation *e, size_t i);

/*
 * Fill the labels, and by folder class_name: by folder, by group of near-duplicates. EDB, EIO,
 * ENOMEM, ECANCELED.
 */
int ims_eval_label_folders(evaluation *e, imgsearch_error *err);
int ims_eval_label_groups(evaluation *e, imgsearch_error *err);

/*
 * Fill the queries: each labelled row, the pictures of a folder, the records of a CSV, copies of
 * pictures, texts of a CSV. EFORMAT and ENOTFOUND of the CSV, EMODEL, EIO, ENOMEM, ECANCELED; of
 * texts EUNSUPPORTED.
 */
int ims_eval_fill_from_rows(evaluation *e, imgsearch_error *err);
int ims_eval_fill_from_folder(evaluation *e, imgsearch_error *err);
int ims_eval_fill_from_csv(evaluation *e, imgsearch_error *err);
int ims_eval_fill_from_copies(evaluation *e, imgsearch_error *err);
int ims_eval_fill_from_texts(evaluation *e, imgsearch_error *err);

/*
 * The rows by each path of their pictures: a copy and another name of a file lead to the row of the
 * indexed one. ims_path_names_free frees *out, which is empty before. EDB, EIO, ENOMEM.
 */
int ims_eval_names(evaluation *e, path_names *out, imgsearch_error *err);

/* What the names in a CSV's records say of no picture, for the log. */
typedef struct csv_doubts {
	uint64_t unknown; /* names of no picture of the index */
	size_t line;      /* of the first one */
	char name[1024];  /* the first one */
	bool odd_header;  /* the first line, which is the header, names a picture */
} csv_doubts;

/* Notes fields 1 to n - 1 of a record, or of the header, that are in `pictures`, or are not. */
void ims_eval_note_header(csv_doubts *d, const path_names *pictures, char **field, size_t n);
void ims_eval_note_record(csv_doubts *d, const path_names *pictures, size_t line, char **field,
	size_t n);
void ims_eval_tell_doubts(evaluation *e, const char *csv, const csv_doubts *d);

/* Append a query, or a row to `relevant`. ENOMEM. */
int ims_eval_add_query(evaluation *e, const eval_query *q, imgsearch_error *err);
int ims_eval_add_relevant(evaluation *e, size_t row, imgsearch_error *err);

/*
 * Features of pictures (the mean of their views) into out (n, dim), in the space. bad[i] is set
 * where an input fails. EMODEL, ECANCELED, ENOMEM.
 */
int ims_eval_features(evaluation *e, const imgsearch_input *in, size_t n, float *out, uint8_t *bad,
	imgsearch_error *err);

/*
 * Of an index with regions, where nothing but the features is measured: reads them, and makes room
 * for the rows of so many queries. Then fills in such rows, out (n, dim), of pictures; bad[i]: that
 * one has none. Errors as above, EDB, EIO.
 */
int ims_eval_load_regions(evaluation *e, size_t queries, imgsearch_error *err);
int ims_eval_region_rows(evaluation *e, const imgsearch_input *in, size_t n, float *out,
	const uint8_t *bad, imgsearch_error *err);

/* Raises the scores (n, e->n) of n queries to those of the best regions. scratch: dim floats. */
void ims_eval_score_regions(const evaluation *e, size_t first, size_t n, float *score,
	float *scratch);

float ims_eval_score(const evaluation *e, const float *a, const float *b); /* of two rows */

/*
 * Projects rows and queries on options->whiten principal components, scaled to equal variance.
 * EINVAL: more components than rows. EDB, ECANCELED, ENOMEM.
 */
int ims_eval_whiten(evaluation *e, imgsearch_error *err);

/*
 * Reads the rows of the view that the filter allows, and allocates labels and paths. EINVAL (the
 * condition), EDB, EIO, ENOMEM.
 */
int ims_eval_load_rows(evaluation *e, imgsearch_error *err);

/*
 * Ranks all rows for every query, on all threads, and makes the report, freed by
 * imgsearch_eval_report_free. Reports stage "eval". ECANCELED, ENOMEM.
 */
int ims_eval_rank(evaluation *e, imgsearch_eval_report **out, imgsearch_error *err);

/* Frees all that *e owns, and releases its view. */
void ims_eval_clear(evaluation *e);

#endif
