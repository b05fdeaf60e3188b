/* imgsearch check: looks for damage and measures the recall of the searchers. */
#include "cli/base/json_writer.h"
#include "cli/base/message.h"
#include "cli/context/context.h"

typedef struct check_args {
	common_args common;
	uint32_t recall;
} check_args;

static const option options[] = {
	{ "recall", 0, OPT_UINT, offsetof(check_args, recall), "N",
		.help = "also search for N stored vectors with every searcher and compare with a scan",
		.min = 1, .max = 100000 },
	OPT_END,
};

enum { SHOWN = 20 }; /* problems */

typedef struct problem_printer {
	const context *c;
	uint64_t n;
} problem_printer;

static void print_line(const context *c, const char *text)
{
	if (!c->common->json)
		puts(text);
	else
		cli_warn("%s", text);
}

static int print_problem(void *user, const char *text)
{
	problem_printer *p = user;
	if (p->n++ < SHOWN || p->c->common->verbose)
		print_line(p->c, text);
	return 0;
}

static void print_more(const problem_printer *p)
{
	char text[80];
	if (p->n <= SHOWN || p->c->common->verbose)
		return;
	snprintf(text, sizeof text, "and %llu more (-v shows them)", (unsigned long long)p->n - SHOWN);
	print_line(p->c, text);
}

static void print_json(const imgsearch_check_report *r)
{
	json_writer j;
	json_write_begin(&j, stdout);
	json_write_int(&j, "problems", (int64_t)r->problems);
	json_write_int(&j, "queries", (int64_t)r->queries);
	json_write_seconds(&j, "seconds_scan", r->scan_seconds);
	json_write_open(&j, "searchers", '[');
	for (size_t i = 0; i < r->count; i++) {
		const imgsearch_check_searcher *s = r->items[i];
		json_write_open(&j, NULL, '{');
		json_write_text(&j, "searcher", s->name);
		json_write_real(&j, "recall_1", s->recall1);
		json_write_real(&j, "recall_10", s->recall10);
		json_write_real(&j, "recall_100", s->recall100);
		json_write_seconds(&j, "seconds_query", s->seconds);
		json_write_int(&j, "memory", (int64_t)s->memory);
		json_write_close(&j, '}');
	}
	json_write_close(&j, ']');
	json_write_end(&j);
}

static void print_table(const context *c, const imgsearch_check_report *r)
{
	if (!r->problems)
		puts(c->told_missing ? "no problem found in the shards that were reached"
							 : "no problem found");
	if (!r->queries)
		return;
	printf("%-8s %8s %9s %10s %12s %10s\n", "searcher", "recall@1", "recall@10", "recall@100",
		"ms a query", "memory MB");
	for (size_t i = 0; i < r->count; i++) {
		const imgsearch_check_searcher *s = r->items[i];
		printf("%-8s %8.4f %9.4f %10.4f %12.3f %10.1f\n", s->name, s->recall1, s->recall10,
			s->recall100, s->seconds * 1e3, (double)s->memory / 1e6);
	}
	printf("%-8s %8.4f %9.4f %10.4f %12.3f\n", "scan", 1.0, 1.0, 1.0, r->scan_seconds * 1e3);
}

static int run(context *c, void *args)
{
	const check_args *a = args;
	problem_printer printer = { c, 0 };
	imgsearch_check_options o = {
		.struct_size = sizeof o,
		.problem = print_problem,
		.user = &printer,
		.queries = a->recall,
	};
	imgsearch_check_report *report;
	imgsearch_error err;
	int rc = context_open(c, false);
	if (rc)
		return rc;
	if (imgsearch_check(c->s, &o, &c->call, &report, &err))
		return context_error(c, &err);
	print_more(&printer);
	if (c->common->json)
		print_json(report);
	else
		print_table(c, report);
	rc = report->problems ? CLI_FAILED : CLI_DONE;
	imgsearch_check_report_free(report);
	return rc;
}

const command cmd_check = {
	.name = "check",
	.operands = "",
	.summary = "look for damage, and measure the recall of the searchers",
	.text =
		"Reads the whole file: its structure, the references between its tables, every checksum. "
		"Problems are printed, one a line, and the exit status is 3; of more than 20 the number, "
		"and all with -v. With --recall, every searcher that is built answers N stored vectors, "
		"and a scan gives the true answers. Printed are the recall among the 1, 10 and 100 "
		"nearest, the time of a query as query asks it (of one picture, for 10 results) and the "
		"memory of the searcher.\n\n"
		"\timgsearch check\n"
		"\timgsearch check --recall 200",
	.options = options,
	.groups = GROUP_DB | GROUP_PARTIAL | GROUP_JSON,
	.args_size = sizeof(check_args),
	.run = run,
};
