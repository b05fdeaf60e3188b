/* imgsearch build: builds a searcher and stores it in the index. */
#include "cli/base/json_writer.h"
#include "cli/base/message.h"
#include "cli/base/text.h"
#include "cli/context/context.h"

#include <sys/resource.h>

typedef struct build_args {
	common_args common;
	imgsearch_build_options options;
	uint32_t stats;
} build_args;

static const char *const searchers[] = { "auto", "exact", "kdtree", "pca", "graph", "pgvector",
	NULL };

#define AT(member) offsetof(build_args, member)
static const option options[] = {
	{ "searcher", 's', OPT_CHOICE, AT(options.searcher), "NAME", .help = "searcher to build",
		.choices = searchers },
	{ "variance", 0, OPT_DOUBLE, AT(options.variance), "V",
		.help = "pca: share of the variance that is kept",
		.shown = OPTION_TEXT(IMGSEARCH_VARIANCE_DEFAULT), .min = 0.01, .max = 1 },
	{ "components", 0, OPT_UINT, AT(options.components), "N",
		.help = "pca, kdtree: number of components, instead of --variance", .min = 1,
		.max = IMGSEARCH_DIM_MAX },
	{ "whiten", 0, OPT_FLAG, AT(options.whiten),
		.help = "pca: scale the components to equal variance" },
	{ "degree", 0, OPT_UINT, AT(options.degree), "N", .help = "graph: neighbours of a node",
		.shown = OPTION_TEXT(IMGSEARCH_DEGREE_DEFAULT), .min = IMGSEARCH_DEGREE_MIN,
		.max = IMGSEARCH_DEGREE_MAX },
	{ "beam", 0, OPT_UINT, AT(options.beam), "N", .help = "graph: width of the beam while building",
		.shown = OPTION_TEXT(IMGSEARCH_BEAM_DEFAULT), .min = IMGSEARCH_BEAM_MIN,
		.max = IMGSEARCH_BEAM_MAX },
	{ "seed", 0, OPT_U64, AT(options.seed), "N", .help = "seed of the random numbers" },
	{ "stats", 0, OPT_FLAG, AT(stats), .help = "write time and size as one JSON line" },
	OPT_END,
};

static void print_report(const imgsearch_build_report *r)
{
	struct rusage use;
	json_writer j;
	getrusage(RUSAGE_SELF, &use);
	json_write_begin(&j, stdout);
	json_write_text(&j, "searcher", r->searcher);
	json_write_text(&j, "why", r->why);
	json_write_int(&j, "rows", (int64_t)r->rows);
	json_write_seconds(&j, "build_s", r->seconds);
	json_write_real(&j, "index_mb", (double)r->bytes / 1e6);
	json_write_real(&j, "rss_mb", (double)use.ru_maxrss / 1024);
	json_write_end(&j);
}

static int run(context *c, void *args)
{
	build_args *a = args;
	imgsearch_build_report *report;
	imgsearch_error err;
	char size[TEXT_SIZE];
	a->options.struct_size = sizeof a->options;
	a->options.model = c->common->of_model;
	int rc = context_open(c, false);
	if (rc)
		return rc;
	if (imgsearch_build(c->s, &a->options, &c->call, &report, &err))
		return context_error(c, &err);
	if (a->stats || c->common->json)
		print_report(report);
	context_print(c, "%s: %llu rows, %s, %.1f s%s%s",
		report->searcher ? report->searcher : "nothing to build", (unsigned long long)report->rows,
		text_size(size, report->bytes), report->seconds, report->why[0] ? "; " : "", report->why);
	imgsearch_build_report_free(report);
	return CLI_DONE;
}

const command cmd_build = {
	.name = "build",
	.operands = "",
	.summary = "build a searcher, so that queries are fast",
	.text = "Builds a searcher over all vectors and stores it in the index, beside "
			"those that exist. Queries use the old one until the new one is complete. Without a "
			"searcher every query scans all vectors. imgsearch index builds when it is needed, "
			"by the searcher that was last chosen by name, or else the fastest.\n\n"
			"\timgsearch build\n"
			"\timgsearch build --searcher graph --degree 48",
	.options = options,
	.groups = GROUP_DB | GROUP_THREADS | GROUP_JSON | GROUP_VECTORS,
	.args_size = sizeof(build_args),
	.run = run,
};
