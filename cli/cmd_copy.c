/* imgsearch copy: copies an index into another place, a file or a server. */
#include "cli/base/json_writer.h"
#include "cli/base/message.h"
#include "cli/base/text.h"
#include "cli/context/context.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct copy_args {
	common_args common;
	uint32_t restart;
} copy_args;

static const option options[] = {
	{ "restart", 0, OPT_FLAG, offsetof(copy_args, restart),
		.help = "drop what an incomplete copy has, and start over" },
	OPT_END,
};

static uint64_t rows_of(const imgsearch_index_copy_report *r, const char *table)
{
	for (size_t i = 0; i < r->tables->count; i++)
		if (!strcmp(r->tables->items[i]->name, table))
			return r->tables->items[i]->rows;
	return 0;
}

static void print_json(const imgsearch_index_copy_report *r)
{
	json_writer j;
	json_write_begin(&j, stdout);
	json_write_bool(&j, "resumed", r->resumed);
	json_write_open(&j, "tables", '[');
	for (size_t i = 0; i < r->tables->count; i++) {
		const imgsearch_index_copy_table *t = r->tables->items[i];
		char checksum[20];
		snprintf(checksum, sizeof checksum, "%016" PRIx64, t->checksum);
		json_write_open(&j, NULL, '{');
		json_write_text(&j, "name", t->name);
		json_write_int(&j, "rows", (int64_t)t->rows);
		json_write_text(&j, "checksum", checksum);
		json_write_close(&j, '}');
	}
	json_write_close(&j, ']');
	json_write_end(&j);
}

static int run(context *c, void *args)
{
	const char *from = c->operand[0], *to = c->operand[1];
	imgsearch_index_copy_options o = {
		.struct_size = sizeof o,
		.restart = ((const copy_args *)args)->restart,
	};
	imgsearch_options open = context_options(c);
	imgsearch_index_copy_report *report;
	imgsearch_error err;
	if (!*from || !*to)
		return command_usage(c->command, "the name of an index is empty");
	open.must_exist = 1;
	int rc = context_refuse_memory(from);
	if (rc == CLI_DONE)
		rc = context_refuse_missing_list(to);
	if (rc == CLI_DONE)
		rc = context_open_at(c, from, &open);
	if (rc)
		return rc;
	if (imgsearch_index_copy(c->s, to, &o, &c->call, &report, &err)) {
		if (err.code != IMGSEARCH_ECANCELED)
			return context_error(c, &err);
		cli_warn("interrupted; the same command goes on where it was");
		return CLI_INTERRUPTED;
	}
	progress_clear(c->progress);
	if (c->common->json)
		print_json(report);
	context_print(c,
		"%" PRIu64 " pictures, %" PRIu64 " vectors; the copy was read again and is the same",
		rows_of(report, "picture"), rows_of(report, "vector"));
	imgsearch_index_copy_report_free(report);
	return CLI_DONE;
}

const command cmd_copy = {
	.name = "copy",
	.operands = "FROM TO",
	.summary = "copy an index into another file or server",
	.text =
		"Copies the index FROM into the index TO: each is a file, the address of a server "
		"(postgresql://...), or a text file with those of shards, but not both of shards. All of "
		"it is copied: ids, pictures in all states, columns, "
		"vectors, models, folders, settings, searchers, history. Other programs may search and "
		"change FROM meanwhile; the copy is of the moment when it begins.\n\n"
		"TO is made where it does not exist; otherwise it must be empty. Interrupted or killed, "
		"the same command goes on where it was, or starts over where FROM has changed since. "
		"Until then no other command opens TO. At the end both are read again and "
		"compared.\n\n"
		"\timgsearch copy photos.db postgresql://user@host/photos\n"
		"\timgsearch copy postgresql://user@host/photos photos.db",
	.options = options,
	.groups = GROUP_JSON,
	.args_size = sizeof(copy_args),
	.run = run,
	.min_operands = 2,
	.max_operands = 2,
};
