/* imgsearch list, imgsearch failed: the paths of the index, and their states. */
#include "cli/base/list.h"
#include "cli/base/message.h"
#include "cli/base/path.h"
#include "cli/context/context.h"
#include "cli/context/interrupt.h"
#include "cli/output/below.h"
#include "cli/output/item.h"
#include "cli/output/paths.h"
#include "cli/output/record.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct list_args {
	common_args common;
	const char *state;
	uint32_t paths, sort, descending;
	uint64_t offset, limit;
	filter_args filter; /* but for `under`: that is the operand */
} list_args;

typedef struct lister {
	context *c;
	const list_args *args;
	uint64_t shown;
	uint32_t states; /* bit s: show state s */
	bool reasons;    /* state, path, reason instead of id, path, title */
} lister;

static const char *const states[] = {
	"all",
	"indexed",
	"duplicate",
	"unsupported",
	"damaged",
	"too-big",
	"excluded",
	"unreadable",
	"kept-out",
	"link",
	NULL,
};

enum {
	FOUND = 1u << IMGSEARCH_STATE_INDEXED | 1u << IMGSEARCH_STATE_DUPLICATE
		| 1u << IMGSEARCH_STATE_LINK,
	BAD = 1u << IMGSEARCH_STATE_UNSUPPORTED | 1u << IMGSEARCH_STATE_DAMAGED
		| 1u << IMGSEARCH_STATE_TOO_BIG | 1u << IMGSEARCH_STATE_UNREADABLE,
};

static void print_json(const imgsearch_item *i)
{
	json_writer j;
	json_write_begin(&j, stdout);
	json_write_int(&j, "id", i->id);
	json_write_path(&j, "path", i->path);
	json_write_text(&j, "state", item_state_name(i->state));
	if (i->reason)
		json_write_text(&j, "reason", i->reason);
	item_write_relation(&j, i);
	if (i->width) {
		json_write_int(&j, "width", i->width);
		json_write_int(&j, "height", i->height);
	}
	if (i->partial)
		json_write_bool(&j, "partial", true);
	json_write_int(&j, "size", (int64_t)i->bytes);
	json_write_time(&j, "mtime", i->mtime_seconds, i->mtime_nanoseconds);
	if (i->hash[0])
		json_write_text(&j, "hash", i->hash);
	if (i->offline)
		json_write_bool(&j, "offline", true);
	if (i->title)
		json_write_text(&j, "title", i->title);
	json_write_columns(&j, i->columns);
	json_write_end(&j);
}

static void print_text(const lister *l, const imgsearch_item *i)
{
	const char *last = l->reasons ? i->reason : i->title;
	if (l->args->paths) {
		record_path(i->path);
	} else {
		if (l->reasons)
			printf("%s\t", item_state_name(i->state));
		else
			printf("%lld\t", (long long)i->id);
		record_path(i->path);
		if (last || i->same_file_path)
			putchar('\t');
		if (last)
			record_title(last);
		if (i->same_file_path)
			paths_write_link(i->same_file_path);
	}
	record_end(l->c->common->nul);
}

static int each(void *user, const imgsearch_item *item)
{
	lister *l = user;
	l->shown++;
	if (l->c->common->json)
		print_json(item);
	else
		print_text(l, item);
	return ferror(stdout) || interrupt_pending();
}

/* A mistyped name is an error; a folder without pictures is none. */
static int nothing_below(const context *c, const char *folder)
{
	if (access(folder, F_OK))
		return cli_fail("%s: it is not there, and nothing below it is in the index", folder);
	context_print(c, "%s: the index has nothing of it", folder);
	return CLI_DONE;
}

/* *nothing: there is nothing below the folder of the operand. */
static int list(context *c, lister *l, bool *nothing)
{
	imgsearch_error err = { 0 };
	const list_args *a = l->args;
	imgsearch_item_list_options o = IMGSEARCH_INIT(imgsearch_item_list_options);
	filter_args filter = a->filter;
	o.states = l->states;
	o.sort = a->sort;
	o.descending = a->descending;
	o.offset = a->offset;
	o.limit = a->limit;
	filter.under = c->n_operands ? c->operand[0] : NULL;
	int rc = context_filter(c, &filter, &o.filter);
	if (!rc)
		rc = context_open(c, false);
	if (rc)
		return rc;
	rc = imgsearch_item_list(c->s, &o, each, l, &c->call, NULL, &err);
	*nothing = !rc && !l->shown && below_is_nothing(c->s, &c->filter, &c->call);
	if (rc < 0)
		return context_error(c, &err);
	return *nothing ? nothing_below(c, c->under[c->n_under > 1]) : CLI_DONE;
}

static int list_run(context *c, void *args)
{
	const list_args *a = args;
	lister l = { .c = c, .args = a, .states = FOUND };
	bool nothing = false;
	for (uint32_t s = 0; a->state && states[s]; s++)
		if (!strcmp(states[s], a->state))
			l.states = s ? 1u << s : 0;
	return list(c, &l, &nothing);
}

static int failed_run(context *c, void *args)
{
	lister l = { .c = c, .args = args, .states = BAD, .reasons = true };
	bool nothing = false;
	int rc = list(c, &l, &nothing);
	if (rc == CLI_DONE && !l.shown && !c->common->json && !nothing)
		context_print(c, "no file failed");
	return rc;
}

/* In the order of imgsearch_sort. */
static const char *const sorts[] = { "path", "date", "rating", "id", NULL };

#define AT(member) offsetof(list_args, member)
static const option list_options[] = {
	{ "state", 0, OPT_CHOICE, AT(state), "STATE",
		.help = "paths in this state (default: indexed, duplicate, link)", .choices = states },
	{ "paths", 'p', OPT_FLAG, AT(paths), .help = "write paths alone" },
	{ "sort", 0, OPT_ENUM, AT(sort), "BY",
		.help = "order by path (default), date, rating or id; pictures without a date or a rating "
				"come last",
		.choices = sorts },
	{ "reverse", 'r', OPT_FLAG, AT(descending), .help = "the other way round" },
	{ "limit", 0, OPT_U64, AT(limit), "N", .help = "show at most N", .min = 1, .max = 1e15 },
	{ "offset", 0, OPT_U64, AT(offset), "N", .help = "leave out the first N", .min = 0,
		.max = 1e15 },
	CONDITION_OPTIONS(AT),
	OPT_END,
};

const command cmd_list = {
	.name = "list",
	.operands = "[DIR]",
	.summary = "list the pictures of the index",
	.text = "Lists the pictures of the index, or those below DIR, in order of their paths: id, "
			"path and title. Vectors without a name come last, as id:N. A path that is another "
			"name of a file (a hard or symbolic link, a "
			"mount) has a fourth field: \"same file: \" and the path of the picture. --json adds "
			"state, reason, size, time, hash and the columns: those of the CSV, and what the files "
			"say of themselves.\n\n"
			"\timgsearch list --json | jq .path\n"
			"\timgsearch list --sort date --reverse --after 2024 --limit 20\n"
			"\timgsearch list --paths -0 old | imgsearch rm -0 -",
	.options = list_options,
	.groups = GROUP_DB | GROUP_PARTIAL | GROUP_JSON | GROUP_NUL,
	.args_size = sizeof(list_args),
	.run = list_run,
	.max_operands = 1,
};

static const option failed_options[] = {
	{ "paths", 'p', OPT_FLAG, offsetof(list_args, paths), .help = "write paths alone" },
	OPT_END,
};

const command cmd_failed = {
	.name = "failed",
	.operands = "[DIR]",
	.summary = "list the files that could not be indexed, and why",
	.text = "Lists the files that were seen and could not be used: the state "
			"(unsupported, damaged, too big, unreadable), the path and the reason. They are tried "
			"again when they change, or with imgsearch index --retry.",
	.options = failed_options,
	.groups = GROUP_DB | GROUP_PARTIAL | GROUP_JSON | GROUP_NUL,
	.args_size = sizeof(list_args),
	.run = failed_run,
	.max_operands = 1,
};
