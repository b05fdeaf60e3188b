/* imgsearch shard: the servers that an index is spread over. */
#include "cli/base/json_writer.h"
#include "cli/base/message.h"
#include "cli/context/context.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct shard_args {
	common_args common;
	uint32_t from, to, buckets;
} shard_args;

static const option no_options[] = { OPT_END };
static const option move_options[] = {
	{ "from", 0, OPT_UINT, offsetof(shard_args, from), "N",
		.help = "out of shard N, all of it (default: those that have most)", .min = 1, .max = 64 },
	{ "to", 0, OPT_UINT, offsetof(shard_args, to), "N",
		.help = "into shard N, until it has as many as the others, or --buckets (default: those "
				"that have least)",
		.min = 1, .max = 64 },
	{ "buckets", 0, OPT_UINT, offsetof(shard_args, buckets), "N",
		.help = "at most N of the 1024 parts", .min = 1, .max = 1024 },
	OPT_END,
};

/* --------------------------------------------------------------------------------- listing ---- */

static void print_json(const imgsearch_shard *s)
{
	json_writer j;
	json_write_begin(&j, stdout);
	json_write_int(&j, "number", s->number);
	json_write_text(&j, "name", s->name);
	json_write_bool(&j, "missing", s->missing);
	json_write_int(&j, "buckets", s->buckets);
	json_write_int(&j, "pictures", (int64_t)s->pictures);
	json_write_int(&j, "vectors", (int64_t)s->vectors);
	json_write_int(&j, "bytes", (int64_t)s->bytes);
	json_write_end(&j);
}

static void print(const imgsearch_shard *s)
{
	printf("%u\t%s\t%u buckets", s->number, s->name, s->buckets);
	if (s->missing)
		puts("\tcannot be reached");
	else
		printf("\t%" PRIu64 " pictures\t%" PRIu64 " vectors\t%.1f MB\n", s->pictures, s->vectors,
			(double)s->bytes / 1e6);
}

static int run_list(context *c, void *args)
{
	imgsearch_shards *shards;
	imgsearch_error err;
	(void)args;
	int rc = context_open(c, false);
	if (rc)
		return rc;
	if (imgsearch_shards_list(c->s, &shards, &err))
		return context_error(c, &err);
	for (size_t i = 0; i < shards->count; i++)
		(c->common->json ? print_json : print)(shards->items[i]);
	if (!shards->count)
		rc = cli_fail("index %s has no shards", context_shown(c));
	imgsearch_shards_free(shards);
	return rc;
}

const command cmd_shard_list = {
	.name = "shard list",
	.operands = "",
	.summary = "list the servers that an index is spread over",
	.text = "Lists the shards of an index: number, address, how many of the 1024 buckets of "
			"content it has, what is in it.\n\n"
			"\timgsearch shard list --db postgresql://one/photos --db postgresql://two/photos",
	.options = no_options,
	.groups = GROUP_DB | GROUP_PARTIAL | GROUP_JSON,
	.args_size = sizeof(shard_args),
	.run = run_list,
};

/* ---------------------------------------------------------------------------------- adding ---- */

static int run_add(context *c, void *args)
{
	imgsearch_error err;
	(void)args;
	int rc = context_open(c, false);
	if (rc)
		return rc;
	if (imgsearch_shards_add(c->s, c->operand[0], &c->call, &err))
		return context_error(c, &err);
	context_print(c,
		"from now on the index is opened by all its addresses, also by programs that have it open; "
		"imgsearch shard move moves a part of it into the new one");
	return CLI_DONE;
}

const command cmd_shard_add = {
	.name = "shard add",
	.operands = "ADDRESS",
	.summary = "spread an index over one more server",
	.text = "Makes the database ADDRESS, which holds no index, one more shard of the index. It has "
			"nothing at first. From then on the index is opened by all addresses: a --db for each, "
			"or a text file that has them, one a line.\n\n"
			"\timgsearch shard add --db postgresql://one/photos postgresql://two/photos\n"
			"\timgsearch shard move --db postgresql://one/photos --db postgresql://two/photos",
	.options = no_options,
	.groups = GROUP_DB,
	.args_size = sizeof(shard_args),
	.run = run_add,
	.min_operands = 1,
	.max_operands = 1,
};

/* ---------------------------------------------------------------------------------- moving ---- */

static int run_move(context *c, void *args)
{
	const shard_args *a = args;
	imgsearch_shards_move_options o = {
		.struct_size = sizeof o,
		.from = a->from,
		.to = a->to,
		.buckets = a->buckets,
	};
	imgsearch_error err;
	uint32_t moved;
	int rc = context_open(c, false);
	if (rc)
		return rc;
	if (imgsearch_shards_move(c->s, &o, &c->call, &moved, &err)) {
		if (moved)
			context_print(c, "%u %s moved; the same command goes on", moved,
				moved == 1 ? "bucket was" : "buckets were");
		return err.code == IMGSEARCH_ECANCELED ? CLI_INTERRUPTED : context_error(c, &err);
	}
	context_print(c, "%u %s moved%s", moved, moved == 1 ? "bucket was" : "buckets were",
		!moved && !a->from ? ": no shard has fewer than the others" : "");
	return CLI_DONE;
}

const command cmd_shard_move = {
	.name = "shard move",
	.operands = "",
	.summary = "move a part of an index to another server",
	.text =
		"Moves pictures between the shards of an index, with all that belongs to them; their ids "
		"stay. Without options it goes on until all shards have the same number of buckets; with "
		"--from N shard N becomes empty. Other programs may search and index meanwhile. "
		"Interrupted or killed, it leaves what it moved, and the same command goes on.\n\n"
		"\timgsearch shard move --db shards.txt\n"
		"\timgsearch shard move --db shards.txt --from 3",
	.options = move_options,
	.groups = GROUP_DB,
	.args_size = sizeof(shard_args),
	.run = run_move,
};
