/*
 * imgsearch eval: measures how good the answers are, by folders, groups, a CSV, or altered copies
 * that it makes.
 */
#include "cli/base/json_writer.h"
#include "cli/base/message.h"
#include "cli/context/context.h"
#include "cli/improve_options.h"
#include "cli/output/record.h"
#include "imgsearch/eval.h"

#include <errno.h>
#include <math.h>
#include <string.h>

typedef struct eval_args {
	common_args common;
	imgsearch_eval_options options;
	filter_args filter;
} eval_args;

#define AT(member) offsetof(eval_args, member)

static const option options[] = {
	{ "queries", 0, OPT_DIR, AT(options.queries), "DIR",
		.help = "use the pictures of this folder as queries, instead of those of the index" },
	{ "truth", 0, OPT_FILE, AT(options.truth), "FILE",
		.help = "CSV of queries and their relevant pictures, instead of folders" },
	{ "text", 0, OPT_FILE, AT(options.texts), "FILE",
		.help = "CSV of texts and their relevant pictures: the texts are the queries" },
	{ "template", 0, OPT_TEXT, AT(options.text_template), "T",
		.help =
			"the sentence that each text is put into, in the place of its {} (default: the model's "
			"own)" },
	{ "groups", 0, OPT_FLAG, AT(options.groups),
		.help = "use groups of near-duplicates as classes, instead of folders" },
	{ "duplicates", 0, OPT_UINT, AT(options.duplicates), "N",
		.help = "make altered copies of N pictures and search for their originals", .min = 1,
		.max = 1000000 },
	{ "sample", 0, OPT_UINT, AT(options.sample), "N",
		.help = "use at most N queries, evenly spaced", .min = 1, .max = 4294967295.0 },
	{ "threshold", 0, OPT_FLOAT, AT(options.threshold), "S",
		.help = "also print the F1 score at this threshold", .given = AT(options.has_threshold) },
	{ "plain", 0, OPT_FLAG, AT(options.plain),
		.help = "use the features as they are: no mean subtracted, no other improvement" },
	{ "whiten", 0, OPT_UINT, AT(options.whiten), "N",
		.help = "measure on N principal components of equal variance (PCA whitening)", .min = 1,
		.max = IMGSEARCH_DIM_MAX },
	UNDER_OPTION(AT),
	CONDITION_OPTIONS(AT),
	IMPROVE_OPTIONS(AT),
	{ "seed", 0, OPT_U64, AT(options.seed), "N", .help = "seed of the random numbers" },
	OPT_END,
};

/* One number of each cut: {"1": ..., "5": ...}. member: where it is in an imgsearch_eval_cut. */
static void put_cuts(json_writer *j, const char *name, const imgsearch_eval_scores *s,
	size_t member)
{
	json_write_open(j, name, '{');
	for (size_t i = 0; i < s->count; i++) {
		char k[16];
		snprintf(k, sizeof k, "%u", s->items[i]->k);
		json_write_real(j, k, *(const double *)((const char *)s->items[i] + member));
	}
	json_write_close(j, '}');
}

static void put_scores(json_writer *j, const imgsearch_eval_scores *s)
{
	json_write_int(j, "queries", (int64_t)s->queries);
	json_write_real(j, "map", s->map);
	json_write_open(j, "ci", '[');
	json_write_real(j, NULL, s->map_low);
	json_write_real(j, NULL, s->map_high);
	json_write_close(j, ']');
	json_write_real(j, "accuracy", s->accuracy);
	put_cuts(j, "precision", s, offsetof(imgsearch_eval_cut, precision));
	put_cuts(j, "recall", s, offsetof(imgsearch_eval_cut, recall));
	put_cuts(j, "ndcg", s, offsetof(imgsearch_eval_cut, ndcg));
}

static void print_json(const imgsearch_eval_report *r, const imgsearch_eval_options *o)
{
	json_writer j;
	json_write_begin(&j, stdout);
	put_scores(&j, r->all);
	json_write_int(&j, "pictures", (int64_t)r->pictures);
	json_write_int(&j, "failed", (int64_t)r->failed);
	json_write_real(&j, "best_threshold", r->best_threshold);
	json_write_real(&j, "best_f1", r->best_f1);
	if (o->has_threshold)
		json_write_real(&j, "threshold_f1", r->threshold_f1);
	json_write_seconds(&j, "seconds", r->seconds);
	json_write_seconds(&j, "seconds_query", r->query_seconds);
	json_write_open(&j, "classes", '[');
	for (size_t i = 0; i < r->count; i++) {
		json_write_open(&j, NULL, '{');
		json_write_path(&j, "name", r->items[i]->name);
		put_scores(&j, r->items[i]);
		json_write_close(&j, '}');
	}
	json_write_close(&j, ']');
	json_write_end(&j);
}

static void row(const imgsearch_eval_scores *s, const char *name)
{
	static const imgsearch_eval_cut none;
	const imgsearch_eval_cut *ten = &none;
	for (size_t i = 0; i < s->count; i++)
		if (s->items[i]->k == 10)
			ten = s->items[i];
	printf("%7.4f %7.4f %7.4f %7.4f %7.4f %8llu  ", s->map, s->accuracy, ten->precision,
		ten->recall, ten->ndcg, (unsigned long long)s->queries);
	record_path(name);
	putchar('\n');
}

static void print_table(const imgsearch_eval_report *r, const imgsearch_eval_options *o)
{
	printf("%7s %7s %7s %7s %7s %8s\n", "mAP", "1-NN", "P@10", "R@10", "NDCG@10", "queries");
	for (size_t i = 0; i < r->count; i++)
		row(r->items[i], r->items[i]->name);
	row(r->all, "all");
	printf("mAP %.4f, 95 %% interval %.4f to %.4f\n", r->all->map, r->all->map_low,
		r->all->map_high);
	printf("best threshold %.3f: F1 %.4f\n", r->best_threshold, r->best_f1);
	if (o->has_threshold)
		printf("threshold %.3f: F1 %.4f\n", (double)o->threshold, r->threshold_f1);
	printf("%llu pictures, %.3f ms a query\n", (unsigned long long)r->pictures,
		r->query_seconds * 1e3);
}

static int run_error(const context *c, const imgsearch_eval_options *o, const imgsearch_error *err)
{
	bool by_folder = !o->truth && !o->texts && !o->queries && !o->groups && !o->duplicates;
	bool no_model = err->detail == ESRCH;
	return by_folder && err->code == IMGSEARCH_ENOTFOUND && !no_model
		? cli_error_advice(err, "put related pictures into one folder, or give --truth FILE")
		: context_error(c, err);
}

static int run(context *c, void *args)
{
	eval_args *a = args;
	imgsearch_eval_report *report;
	imgsearch_error err;
	const char *model = c->common->open.model;
	a->options.struct_size = sizeof a->options;
	if (model && !c->common->open.weights && !strchr(model, '/')) /* by name: one of the index's */
		a->options.model = model;
	int rc = context_filter(c, &a->filter, &a->options.filter);
	if (!rc)
		rc = context_open(c, false);
	if (rc)
		return rc;
	if (imgsearch_eval_run(c->s, &a->options, &c->call, &report, &err))
		return run_error(c, &a->options, &err);
	if (c->common->json)
		print_json(report, &a->options);
	else
		print_table(report, &a->options);
	rc = report->failed ? CLI_SOME_FAILED : CLI_DONE;
	if (report->failed)
		cli_warn("%llu pictures could not be read", (unsigned long long)report->failed);
	imgsearch_eval_report_free(report);
	return rc;
}

const command cmd_eval = {
	.name = "eval",
	.operands = "",
	.summary = "measure how good the answers are",
	.text =
		"Ranks every picture for every query and measures where the relevant "
		"ones stand: mean average precision (as scikit-learn's) with its 95 % interval, the share "
		"of queries whose first result is relevant, precision, recall and NDCG of the first ten, "
		"and the score that best separates relevant pairs from others. Pictures of one folder are "
		"relevant to each other; a query is left out of its own ranking. A CSV (--truth) has a "
		"header row, the file of the query in its first column and the relevant files in the "
		"others; one of --text has a text in its first column, and several lines of one text are "
		"one query.\n\n"
		"\timgsearch eval\n"
		"\timgsearch eval --queries asked/ --truth answers.csv --json\n"
		"\timgsearch eval --duplicates 100\n"
		"\timgsearch eval --after 2024",
	.options = options,
	.groups = GROUP_DB | GROUP_PARTIAL | GROUP_MODEL | GROUP_FORMATS | GROUP_JSON,
	.args_size = sizeof(eval_args),
	.run = run,
};
