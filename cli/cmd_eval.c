/*
 * imgsearch eval: how good the answers are, measured against folders, groups, a CSV, or copies that
 * it makes itself.
 */
#include "cli/base/json_writer.h"
#include "cli/base/message.h"
#include "cli/context/context.h"
#include "cli/output/record.h"

#include <math.h>

typedef struct eval_args {
	common_args common;
	imgsearch_eval_options options;
} eval_args;

#define AT(member) offsetof(eval_args, member)

static const option options[] = {
	{ "queries", 0, OPT_DIR, AT(options.queries), "DIR",
		.help = "ask with the pictures of this folder, instead of those of the index" },
	{ "truth", 0, OPT_FILE, AT(options.truth), "FILE",
		.help = "CSV of queries and what belongs to them, instead of folder names" },
	{ "groups", 0, OPT_FLAG, AT(options.groups),
		.help = "groups of near-duplicates belong together, instead of folders" },
	{ "duplicates", 0, OPT_UINT, AT(options.duplicates), "N",
		.help = "make near-duplicates of N pictures and look for their originals",
		.min = 1, .max = 1000000 },
	{ "sample", 0, OPT_UINT, AT(options.sample), "N",
		.help = "ask at most N queries, evenly taken", .min = 1, .max = 4294967295.0 },
	{ "threshold", 0, OPT_FLOAT, AT(options.threshold), "S",
		.help = "print the F1 of this score too", .given = AT(options.has_threshold) },
	{ "plain", 0, OPT_FLAG, AT(options.plain),
		.help = "the features as they are, without any improvement" },
	{ "whiten", 0, OPT_UINT, AT(options.whiten), "N",
		.help = "on N principal components of equal variance", .min = 1, .max = 65536 },
	{ "expand", 0, OPT_UINT, AT(options.expand), "N",
		.help = "ask again with the mean of the query and its first N results (query expansion)",
		.min = 1, .max = 10000 },
	{ "expand-power", 0, OPT_FLOAT, AT(options.expand_power), "A",
		.help = "weigh those results by their score to the power of A", .min = 0, .max = 100 },
	{ "reciprocal", 0, OPT_UINT, AT(options.reciprocal), "K",
		.help = "re-rank the first 500 by common k-reciprocal neighbours", .min = 1, .max = 499 },
	{ "views", 0, OPT_UINT, AT(options.views), "N",
		.help = "ask with the mean feature of N views: the picture, its middle, its corners",
		.min = 1, .max = 6 },
	{ "seed", 0, OPT_U64, AT(options.seed), "N", .help = "of the random numbers" },
	OPT_END
};

static void put_scores(json_writer *j, const imgsearch_eval_scores *s)
{
	static const char *const cuts[] = { "1", "5", "10", "100" };
	const double *const lists[] = { s->precision, s->recall, s->ndcg };
	static const char *const names[] = { "precision", "recall", "ndcg" };
	json_write_int(j, "queries", (int64_t)s->queries);
	json_write_real(j, "map", s->map);
	json_write_open(j, "ci", '[');
	json_write_real(j, NULL, s->ci[0]);
	json_write_real(j, NULL, s->ci[1]);
	json_write_close(j, ']');
	json_write_real(j, "accuracy", s->accuracy);
	for (int l = 0; l < 3; l++) {
		json_write_open(j, names[l], '{');
		for (int c = 0; c < IMGSEARCH_CUTS; c++)
			json_write_real(j, cuts[c], lists[l][c]);
		json_write_close(j, '}');
	}
}

static void print_json(const imgsearch_eval_report *r, const imgsearch_eval_options *o)
{
	json_writer j;
	json_write_begin(&j, stdout);
	put_scores(&j, &r->all);
	json_write_int(&j, "pictures", (int64_t)r->pictures);
	json_write_int(&j, "failed", (int64_t)r->failed);
	json_write_real(&j, "best_threshold", r->best_threshold);
	json_write_real(&j, "best_f1", r->best_f1);
	if (o->has_threshold)
		json_write_real(&j, "threshold_f1", r->threshold_f1);
	json_write_seconds(&j, "seconds", r->seconds);
	json_write_seconds(&j, "seconds_query", r->seconds_query);
	json_write_open(&j, "classes", '[');
	for (size_t i = 0; i < r->n_classes; i++) {
		json_write_open(&j, NULL, '{');
		json_write_path(&j, "name", r->classes[i].name);
		put_scores(&j, &r->classes[i].scores);
		json_write_close(&j, '}');
	}
	json_write_close(&j, ']');
	json_write_end(&j);
}

static void row(const imgsearch_eval_scores *s, const char *name)
{
	printf("%7.4f %7.4f %7.4f %7.4f %7.4f %8llu  ", s->map, s->accuracy, s->precision[2],
		s->recall[2], s->ndcg[2], (unsigned long long)s->queries);
	record_path(name);
	putchar('\n');
}

static void print_table(const imgsearch_eval_report *r, const imgsearch_eval_options *o)
{
	printf("%7s %7s %7s %7s %7s %8s\n", "mAP", "1-NN", "P@10", "R@10", "NDCG@10", "queries");
	for (size_t i = 0; i < r->n_classes; i++)
		row(&r->classes[i].scores, r->classes[i].name);
	row(&r->all, "all");
	printf("mAP %.4f, 95 %% interval %.4f to %.4f\n", r->all.map, r->all.ci[0], r->all.ci[1]);
	printf("best threshold %.3f: F1 %.4f\n", r->best_threshold, r->best_f1);
	if (o->has_threshold)
		printf("threshold %.3f: F1 %.4f\n", (double)o->threshold, r->threshold_f1);
	printf("%llu pictures, %.3f ms a query\n", (unsigned long long)r->pictures,
		r->seconds_query * 1e3);
}

static int run(context *c, void *args)
{
	eval_args *a = args;
	imgsearch_eval_report *report;
	imgsearch_error err;
	a->options.struct_size = sizeof a->options;
	int rc = context_open(c, false);
	if (rc)
		return rc;
	if (imgsearch_eval(c->s, &a->options, &report, &err))
		return cli_error(&err);
	if (c->common->json)
		print_json(report, &a->options);
	else
		print_table(report, &a->options);
	rc = report->failed ? CLI_SOME_FAILED : CLI_DONE;
	if (report->failed)
		cli_warn("%llu pictures could not be read", (unsigned long long)report->failed);
	imgsearch_eval_free(report);
	return rc;
}

const command cmd_eval = {
	.name = "eval", .operands = "", .summary = "measure how good the answers are",
	.text = "Ranks every picture for every query and says how well what belongs together comes "
		"together: mean average precision (as scikit-learn's) with its 95 % interval, the share of "
		"queries whose first result is right, precision, recall and NDCG of the first ten, and the "
		"score that best tells pairs apart. Pictures of one folder belong together, and each is "
		"left out of its own answer. A CSV (--truth) has a header row, the query's file in its "
		"first column and what belongs to it in the others.\n\n"
		"\timgsearch eval\n"
		"\timgsearch eval --queries asked/ --truth answers.csv --json\n"
		"\timgsearch eval --duplicates 100",
	.options = options, .groups = GROUP_DB | GROUP_MODEL | GROUP_JSON,
	.args_size = sizeof(eval_args), .run = run
};
