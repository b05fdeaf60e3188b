/*
 * How good the answers of an index are. The rules of imgsearch.h hold here. This header is younger:
 * until 1.0 a minor version may change it, and then the soname changes.
 */
#ifndef IMGSEARCH_EVAL_H
#define IMGSEARCH_EVAL_H

#include "../imgsearch.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct imgsearch_eval_options {
	size_t struct_size;
	/* folder of query pictures; NULL: every picture of the index, left out of its own answer */
	const char *queries;
	/*
	 * CSV with a header row: query, relevant, relevant ...; NULL: pictures of one folder belong
	 * together
	 */
	const char *truth;
	uint64_t seed;   /* of the bootstrap, and of made near-duplicates */
	uint32_t sample; /* ask at most so many queries, evenly chosen; 0: all */
	/* > 0: make near-duplicates of so many pictures, look for the originals */
	uint32_t duplicates;
	uint32_t groups; /* 1: groups of near-duplicates belong together, instead of folders */
	/*
	 * 1: cosine of the vectors as they are: no mean subtracted; not with whiten, expand,
	 * reciprocal, views
	 */
	uint32_t plain;
	uint32_t whiten; /* > 0: on so many principal components, scaled to equal variance */
	uint32_t expand; /* as in imgsearch_query_options: the answers measured are a query's */
	float expand_power;
	float threshold; /* with has_threshold: its F1 too */
	uint32_t has_threshold;
	/* > 0: k-reciprocal re-ranking of the first results with this k; cosine only */
	uint32_t reciprocal;
	/* > 1: a query is the mean vector of so many views; files are read again */
	uint32_t views;
	uint32_t reserved; /* 0 */
	/* only these pictures of the index, as queries and as answers; accept is EINVAL; NULL: all */
	const imgsearch_filter *filter;
	/*
	 * CSV with a header row: text, relevant, relevant ...; texts are the queries, several lines of
	 * one text are one query; not with whiten; views have no effect on them. NULL: pictures are
	 */
	const char *texts;
	const char *text_template; /* as in imgsearch_query_options */
	const char *model;         /* by which of two models, as in imgsearch_query_options */
} imgsearch_eval_options;

/* Of the first k results, as means over the queries. */
typedef struct imgsearch_eval_cut {
	uint32_t k;
	uint32_t reserved;
	double precision, recall, ndcg;
} imgsearch_eval_cut;

typedef struct imgsearch_eval_scores {
	const char *name;         /* folder, or kind of near-duplicate; "" for all queries */
	uint64_t queries;         /* that have something to find */
	double map;               /* mean average precision, as scikit-learn's */
	double map_low, map_high; /* its 95 % interval, by bootstrap over the queries */
	double accuracy;          /* share of queries whose first result belongs to them (1-NN) */
	size_t count;
	const imgsearch_eval_cut *const *items; /* k = 1, 5, 10, 100 */
} imgsearch_eval_scores;

typedef struct imgsearch_eval_report {
	uint64_t pictures; /* of the index, that answers are ranked from */
	uint64_t failed;   /* query pictures that could not be read */
	const imgsearch_eval_scores *all;
	size_t count; /* classes */
	const imgsearch_eval_scores *const *items;
	/* of taking every pair that scores as high as one that belongs */
	double best_threshold, best_f1;
	double threshold_f1; /* of options->threshold; NaN without one */
	double seconds;
	double query_seconds; /* ranking all pictures for one query */
} imgsearch_eval_report;

/*
 * Ranks every picture for every query, exactly. Progress stage "eval". Errors: ENOTFOUND (a folder;
 * nothing that belongs together), EFORMAT (CSV), EINVAL (a text in it), EMODEL (query pictures
 * without a network), EUNSUPPORTED (texts, and the model cannot compare them with pictures).
 */
IMGSEARCH_API int imgsearch_eval_run(imgsearch *s, const imgsearch_eval_options *options,
	const imgsearch_call *call, imgsearch_eval_report **report, imgsearch_error *err);
IMGSEARCH_API void imgsearch_eval_report_free(imgsearch_eval_report *report);

#ifdef __cplusplus
}
#endif
#endif
