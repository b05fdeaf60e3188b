/*
 * imgsearch map: draws the pictures of an index on a plane, as an image of points or of the
 * pictures, or as a page.
 */
#include "cli/map.h"

#include "cli/base/file.h"
#include "cli/base/message.h"
#include "cli/output/map.h"

#define AT(member) offsetof(map_args, member)
static const option options[] = {
	{ "output", 'o', OPT_FILE, AT(output), "FILE", .help = "write map.png, map.jpg or map.html" },
	{ "tiles", 0, OPT_FLAG, AT(tiles),
		.help = "draw the pictures themselves in an image, each in a cell near its point" },
	{ "pca", 0, OPT_FLAG, AT(pca),
		.help = "the two leading principal components instead of t-SNE" },
	{ "size", 0, OPT_UINT, AT(size), "N", .help = "pixels of the longer side", .min = 200,
		.max = 16000, .def = "2000" },
	UNDER_OPTION(AT),
	CONDITION_OPTIONS(AT),
	{ "perplexity", 0, OPT_FLOAT, AT(perplexity), "P",
		.help = "t-SNE: effective number of neighbours", .min = 2, .max = 200,
		.def = OPTION_TEXT(IMGSEARCH_PERPLEXITY_DEFAULT) },
	{ "max-points", 0, OPT_U64, AT(max_points), "N",
		.help = "use at most N pictures, evenly spaced", .min = 2, .max = 1000000,
		.def = OPTION_TEXT(IMGSEARCH_MAP_POINTS_DEFAULT) },
	{ "seed", 0, OPT_U64, AT(seed), "N", .help = "t-SNE: seed of the random numbers", .min = 0,
		.max = 9007199254740991.0 },
	OPT_END,
};

static bool draw(const map_args *a, context *c, const imgsearch_map *m)
{
	if (file_kind_of(a->output) == FILE_HTML)
		return map_write_page(a, c, m);
	return a->tiles ? map_draw_tiles(a, c, m) : map_draw_points(a, c, m);
}

static int run(context *c, void *args)
{
	map_args *a = args;
	imgsearch_map *m = NULL;
	imgsearch_error err = { 0 };
	file_kind kind = a->output ? file_kind_of(a->output) : FILE_OTHER;
	if (!a->output && !c->common->json)
		return command_usage(c->command, "no output: -o map.png, -o map.html, or --json");
	if (a->output && kind == FILE_OTHER)
		return command_usage(c->command, "-o %s: the name must end in .png, .jpg or .html",
			a->output);
	if (a->tiles && kind != FILE_PNG && kind != FILE_JPEG)
		return command_usage(c->command, "--tiles draws an image: -o map.png or -o map.jpg");
	imgsearch_map_options o = {
		.struct_size = sizeof o,
		.model = c->common->of_model,
		.max_points = a->max_points,
		.seed = a->seed,
		.perplexity = a->perplexity,
		.pca = a->pca,
	};
	int rc = context_filter(c, &a->filter, &o.filter);
	if (rc == CLI_DONE)
		rc = context_open(c, false);
	if (rc == CLI_DONE && a->output && !file_may_write(c->s, a->output))
		rc = CLI_FAILED;
	if (rc == CLI_DONE && imgsearch_map_compute(c->s, &o, &c->call, &m, &err))
		rc = context_error(c, &err);
	if (rc == CLI_DONE && !m->count)
		rc = cli_fail("there are no pictures to show");
	if (rc == CLI_DONE && c->common->json
		&& map_write_json(stdout, c->s, m, o.filter, &c->call, &err))
		rc = context_error(c, &err);
	if (rc == CLI_DONE && a->output)
		rc = draw(a, c, m) ? CLI_DONE : CLI_FAILED;
	imgsearch_map_free(m);
	return rc;
}

const command cmd_map = {
	.name = "map",
	.operands = "",
	.summary = "draw a map on which similar pictures lie near each other",
	.text =
		"Lays the pictures of the index out on a plane by t-SNE (Barnes-Hut) or "
		"by their principal components, and draws them as points coloured by folder, as the "
		"pictures themselves on a grid (--tiles), or as a page to zoom into (.html) that needs no "
		"other file. The same index gives the same map.\n\n"
		"\timgsearch map -o map.png\n"
		"\timgsearch map --tiles -o tiles.png\n"
		"\timgsearch map -o map.html",
	.options = options,
	.groups = GROUP_DB | GROUP_PARTIAL | GROUP_JSON | GROUP_THREADS | GROUP_VECTORS,
	.args_size = sizeof(map_args),
	.run = run,
};
