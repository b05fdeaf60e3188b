/*
 * imgsearch dups: near-duplicates of three kinds, and pairs that are marked as different. Deletes
 * no file.
 */
#include "cli/base/message.h"
#include "cli/base/path.h"
#include "cli/context/context.h"
#include "cli/context/input.h"
#include "cli/output/group.h"
#include "cli/output/paths.h"
#include "cli/output/record.h"

#include <stdlib.h>
#include <string.h>

typedef struct dups_args {
	common_args common;
	const char *kind;
	filter_args filter;
	float min_score;
	uint32_t reject;
} dups_args;

static const char *const kinds[] = { "bytes", "picture", "scene", NULL };

#define AT(member) offsetof(dups_args, member)
static const option options[] = {
	{ "kind", 0, OPT_CHOICE, AT(kind), "KIND", .help = "only this kind", .choices = kinds },
	{ "min-score", 0, OPT_FLOAT, AT(min_score), "S",
		.help = "score from which two pictures show the same scene (default: scene_score of the "
				"model's card, else " OPTION_TEXT(IMGSEARCH_SCENE_SCORE_DEFAULT) ")",
		.min = 0.01, .max = 1 },
	UNDER_OPTION(AT),
	CONDITION_OPTIONS(AT),
	{ "reject", 0, OPT_FLAG, AT(reject),
		.help = "record, by content, that the two given pictures are different" },
	OPT_END,
};

/* The id of a picture that is named by its path or as id:N. Returns an exit code. */
static int find(context *c, const char *text, int64_t *id)
{
	imgsearch_error err;
	imgsearch_input in;
	input_bytes none = { 0 };
	if (!strncmp(text, "id:", 3)) {
		int rc = input_parse(&in, c, text, &none);
		*id = in.id;
		return rc;
	}
	return path_find_item(c->s, text, id, &err) ? cli_fail("%s is not in the index", text)
												: CLI_DONE;
}

static int reject(context *c)
{
	int64_t id[2];
	imgsearch_error err;
	if (c->n_operands != 2)
		return command_usage(c->command, "--reject takes two pictures");
	for (int i = 0; i < 2; i++) {
		int rc = find(c, c->operand[i], &id[i]);
		if (rc)
			return rc;
	}
	return imgsearch_groups_reject(c->s, id[0], id[1], &err) ? context_error(c, &err) : CLI_DONE;
}

static void show_json(context *c, const imgsearch_group *g)
{
	json_writer j;
	json_write_begin(&j, stdout);
	group_write_json(&j, c->s, g);
	json_write_end(&j);
}

/* The other names of the file of an item of a group. */
static void show_links(const imgsearch_group *g, int64_t id)
{
	for (size_t k = 0; g->links && k < g->links->count; k++)
		if (g->links->items[k]->same_file == id)
			paths_write_link(g->links->items[k]->path);
}

/*
 * A line of kind, number of the group, path, and other names of its file. With -0: paths alone, and
 * an empty record after each group.
 */
static void show_text(context *c, const imgsearch_group *g, size_t number)
{
	size_t n;
	group_picture *pictures = group_read(c->s, g, &n);
	for (size_t i = 0; i < n; i++) {
		if (!c->common->nul)
			printf("%s\t%zu\t", group_kind(g->kind), number + 1);
		record_path(pictures[i].path);
		if (!c->common->nul)
			show_links(g, pictures[i].id);
		record_end(c->common->nul);
	}
	group_free(pictures, n);
	if (c->common->nul)
		record_end(c->common->nul);
}

static void summarise(const context *c, const imgsearch_groups *list)
{
	static const char *const name[] = { "same bytes", "same picture", "same scene" };
	size_t groups[3] = { 0 }, pictures[3] = { 0 };
	for (size_t i = 0; i < list->count; i++) {
		groups[list->items[i]->kind - 1]++;
		pictures[list->items[i]->kind - 1] += list->items[i]->count;
	}
	for (int k = 0; k < 3; k++)
		if (groups[k])
			context_print(c, "%s: %zu group%s of %zu pictures", name[k], groups[k],
				groups[k] == 1 ? "" : "s", pictures[k]);
	if (!list->count)
		context_print(c, "no near-duplicates");
	if (list->unread)
		context_print(c,
			"%llu picture%s could not be compared by pixels: the files are missing or changed",
			(unsigned long long)list->unread, list->unread == 1 ? "" : "s");
	if (list->changed)
		context_print(c, "`imgsearch index` reads what changed");
}

static int show_groups(context *c, const dups_args *a, const imgsearch_filter *filter)
{
	imgsearch_groups *list;
	imgsearch_error err;
	imgsearch_groups_options o = { .struct_size = sizeof o,
		.model = c->common->of_model,
		.filter = filter,
		.min_score = a->min_score };
	for (uint32_t k = 0; a->kind && kinds[k]; k++)
		if (!strcmp(a->kind, kinds[k]))
			o.kinds = 1u << (k + 1);
	if (imgsearch_groups_find(c->s, &o, &c->call, &list, &err))
		return context_error(c, &err);
	for (size_t i = 0; i < list->count && !ferror(stdout); i++) {
		if (c->common->json)
			show_json(c, list->items[i]);
		else
			show_text(c, list->items[i], i);
	}
	summarise(c, list);
	int rc = list->count ? CLI_DONE : CLI_NOTHING;
	imgsearch_groups_free(list);
	return rc;
}

static int run(context *c, void *args)
{
	const dups_args *a = args;
	int rc = context_open(c, false);
	if (rc)
		return rc;
	if (a->reject)
		return reject(c);
	if (c->n_operands)
		return command_usage(c->command, "pictures go with --reject A B only");
	const imgsearch_filter *filter;
	rc = context_filter(c, &a->filter, &filter);
	return rc ? rc : show_groups(c, a, filter);
}

const command cmd_dups = {
	.name = "dups",
	.operands = "[A B]",
	.summary = "find near-duplicates among the pictures of the index",
	.text =
		"Groups near-duplicates of three kinds. bytes: the files are equal. "
		"picture: one picture, resized, recompressed, turned by quarters, mirrored or grey; the "
		"pixels "
		"are compared. scene: features and layout are so similar that the pictures most likely "
		"show the same thing. Each looser kind counts one picture of every group of a stricter "
		"kind. A line is the kind, the number of the group and a path; with -0 paths alone, and "
		"an empty record after each group. The first of a group is the one to keep: no symbolic "
		"link, not damaged, in colour where another is grey, with more pixels than the others, "
		"then with more bytes, then first by path. One file under several names (hard and "
		"symbolic links, mounts) is no copy of itself: it has one line, with \"same file: PATH\" "
		"behind it for each other name. A file that changed or went since it was indexed is in no "
		"group. No file is ever deleted.\n\n"
		"Exit status 1: there are no near-duplicates.\n\n"
		"\timgsearch dups\n"
		"\timgsearch dups --kind picture --json\n"
		"\timgsearch dups --reject a.jpg b.jpg",
	.options = options,
	.groups = GROUP_DB | GROUP_PARTIAL | GROUP_JSON | GROUP_NUL | GROUP_THREADS | GROUP_VECTORS,
	.args_size = sizeof(dups_args),
	.run = run,
	.max_operands = 2,
};
