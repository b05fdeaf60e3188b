/* imgsearch info: what an index holds, which model made its vectors, how it is searched. */
#include "cli/base/message.h"
#include "cli/base/text.h"
#include "cli/context/context.h"
#include "cli/output/counts.h"
#include "cli/output/missing.h"
#include "cli/output/record.h"

#include <stdlib.h>

typedef struct info_args {
	common_args common;
} info_args;

static const option options[] = { OPT_END };

static const char *const metrics[] = { "cosine", "l2", "ip" };

static const char *const poolings[] = { "default", "mean", "max", "gem", "class" };

static const char *metric_name(uint32_t metric)
{
	return metric < 3 ? metrics[metric] : "?";
}

/* Bytes of a text that the functions below write and return. */
enum { LINE = 1024, RECIPE = 100 };

static const char *recipe_text(const imgsearch_recipe *r, char text[RECIPE])
{
	snprintf(text, RECIPE, "resize %u, %s %u%s%s%s%s", r->resize,
		r->crops > 1 ? "five crops of" : "crop", r->crop, r->squash ? ", squashed" : "",
		r->pooling ? ", pooling " : "", r->pooling ? poolings[r->pooling] : "",
		r->flip ? ", averaged with the mirror image" : "");
	return text;
}

/* NULL: no re-index is under way. */
static const char *reindex_text(const imgsearch_reindex *r, char text[LINE])
{
	char recipe[RECIPE];
	if (!r)
		return NULL;
	snprintf(text, LINE, "%s, %s: %llu of %llu vectors", r->model, recipe_text(r->recipe, recipe),
		(unsigned long long)r->done, (unsigned long long)r->total);
	return text;
}

static const char *searcher_text(const imgsearch_searcher *s, char text[LINE])
{
	const char *state = s->stale ? "stale: build again"
		: s->changed             ? "catches up with changes"
								 : "up to date";
	char size[TEXT_SIZE];
	snprintf(text, LINE, "%s: %llu rows, %s, %s%s%s", s->name, (unsigned long long)s->rows,
		text_size(size, s->bytes), state, s->note ? "; " : "", s->note ? s->note : "");
	return text;
}

static void patterns_json(json_writer *j, const char *name, const imgsearch_strings *patterns)
{
	json_write_open(j, name, '[');
	for (size_t i = 0; i < patterns->count; i++)
		json_write_text(j, NULL, patterns->items[i]);
	json_write_close(j, ']');
}

static void write_second(json_writer *j, const imgsearch_info *i)
{
	char text[LINE];
	if (!i) {
		json_write_text(j, "second", NULL);
		return;
	}
	json_write_open(j, "second", '{');
	json_write_text(j, "model", i->model);
	json_write_path(j, "weights", i->weights);
	json_write_text(j, "weights_hash", i->weights_hash);
	json_write_text(j, "precision", i->precision);
	json_write_int(j, "dim", i->dim);
	json_write_int(j, "vectors", (int64_t)i->vectors);
	json_write_int(j, "with_regions", (int64_t)i->with_regions);
	json_write_text(j, "searcher", i->searcher);
	json_write_open(j, "searchers", '[');
	for (size_t r = 0; r < i->searchers->count; r++)
		json_write_text(j, NULL, searcher_text(i->searchers->items[r], text));
	json_write_close(j, ']');
	json_write_close(j, '}');
}

static void print_json(const imgsearch_info *i, const char *missing)
{
	static const imgsearch_recipe none;
	const imgsearch_recipe *recipe = i->recipe ? i->recipe : &none;
	char text[LINE];
	json_writer j;
	json_write_begin(&j, stdout);
	json_write_path(&j, "path", i->path);
	missing_write_json(&j, missing);
	json_write_int(&j, "bytes", (int64_t)i->bytes);
	json_write_int(&j, "stored_bytes", (int64_t)i->stored_bytes);
	json_write_int(&j, "regions", i->regions);
	json_write_int(&j, "with_regions", (int64_t)i->with_regions);
	json_write_int(&j, "dim", i->dim);
	json_write_text(&j, "metric", metric_name(i->metric));
	json_write_int(&j, "vectors", (int64_t)i->vectors);
	json_write_open(&j, "pictures", '{');
	counts_write_states(&j, i->counts);
	json_write_int(&j, "offline", (int64_t)i->offline);
	json_write_close(&j, '}');
	json_write_text(&j, "model", i->model);
	json_write_path(&j, "weights", i->weights);
	json_write_text(&j, "weights_hash", i->weights_hash);
	json_write_text(&j, "precision", i->precision);
	json_write_open(&j, "recipe", '{');
	json_write_int(&j, "resize", recipe->resize);
	json_write_int(&j, "crop", recipe->crop);
	json_write_text(&j, "interpolation",
		recipe->interpolation == IMGSEARCH_INTERPOLATION_BICUBIC ? "bicubic" : "bilinear");
	json_write_bool(&j, "squash", recipe->squash);
	json_write_int(&j, "crops", recipe->crops);
	json_write_text(&j, "pooling", poolings[recipe->pooling]);
	json_write_bool(&j, "flip", recipe->flip);
	json_write_close(&j, '}');
	json_write_text(&j, "next", reindex_text(i->reindex, text));
	write_second(&j, i->second);
	json_write_text(&j, "searcher", i->searcher);
	json_write_text(&j, "searcher_why", i->searcher_why);
	json_write_text(&j, "kernels", i->kernels);
	json_write_text(&j, "server", i->server);
	json_write_text(&j, "server_faults", i->server_faults);
	json_write_bool(&j, "colours_converted", i->colours);
	json_write_int(&j, "unconverted", (int64_t)i->unconverted);
	json_write_int(&j, "dated", (int64_t)i->dated);
	json_write_text(&j, "names", i->names_composed ? "NFC" : "bytes");
	json_write_open(&j, "roots", '[');
	for (size_t r = 0; r < i->roots->count; r++) {
		json_write_open(&j, NULL, '{');
		json_write_path(&j, "path", i->roots->items[r]->path);
		json_write_bool(&j, "offline", i->roots->items[r]->offline);
		patterns_json(&j, "exclude", i->roots->items[r]->exclude);
		patterns_json(&j, "include", i->roots->items[r]->include);
		patterns_json(&j, "follow_links", i->roots->items[r]->follow);
		patterns_json(&j, "tiff", i->roots->items[r]->tiff);
		patterns_json(&j, "video", i->roots->items[r]->video);
		json_write_close(&j, '}');
	}
	json_write_close(&j, ']');
	json_write_open(&j, "searchers", '[');
	for (size_t r = 0; r < i->searchers->count; r++)
		json_write_text(&j, NULL, searcher_text(i->searchers->items[r], text));
	json_write_close(&j, ']');
	json_write_end(&j);
}

static void line(const char *name, const char *value)
{
	if (!value)
		return;
	printf("%-12s ", name);
	record_path(value);
	putchar('\n');
}

static void count(const char *name, uint64_t value)
{
	if (value)
		printf("  %-12s %llu\n", name, (unsigned long long)value);
}

static void print_root(const imgsearch_root *r)
{
	line(r->offline ? "root, absent" : "root", r->path);
	for (size_t i = 0; i < r->exclude->count; i++)
		line("  exclude", r->exclude->items[i]);
	for (size_t i = 0; i < r->include->count; i++)
		line("  include", r->include->items[i]);
	for (size_t i = 0; i < r->follow->count; i++)
		line("  links in", r->follow->items[i]);
	for (size_t i = 0; i < r->tiff->count; i++)
		line("  TIFF in", r->tiff->items[i]);
	for (size_t i = 0; i < r->video->count; i++)
		line("  video in", r->video->items[i]);
}

static void print_second(const imgsearch_info *i)
{
	char recipe[RECIPE], text[LINE];
	line("second model", i->model);
	printf("  %-10s %llu of %u values; %llu pictures\n", "vectors", (unsigned long long)i->vectors,
		i->dim, (unsigned long long)i->counts->indexed);
	if (i->regions)
		printf("  %-10s %u a picture, %llu pictures\n", "regions", i->regions,
			(unsigned long long)i->with_regions);
	line("  weights", i->weights);
	if (i->recipe)
		line("  recipe", recipe_text(i->recipe, recipe));
	line("  searcher", i->searcher);
	for (size_t r = 0; r < i->searchers->count; r++)
		line("  built", searcher_text(i->searchers->items[r], text));
}

static void print_text(context *c, const imgsearch_info *i)
{
	const imgsearch_counts *n = i->counts;
	char text[LINE], size[TEXT_SIZE];
	line("index", i->path);
	printf("%-12s %s\n", "size", text_size(size, i->bytes));
	if (i->stored_bytes)
		printf("%-12s %s of pictures without a file\n", "stored", text_size(size, i->stored_bytes));
	printf("%-12s %llu vectors of %u values, %s\n", "vectors", (unsigned long long)i->vectors,
		i->dim, metric_name(i->metric));
	if (i->regions)
		printf("%-12s %u a picture, %llu pictures\n", "regions", i->regions,
			(unsigned long long)i->with_regions);
	printf("%-12s %llu\n", "paths seen", (unsigned long long)n->seen);
	count("indexed", n->indexed);
	count("duplicate", n->duplicate);
	count("unsupported", n->unsupported);
	count("damaged", n->damaged);
	count("too big", n->too_big);
	count("excluded", n->excluded);
	count("unreadable", n->unreadable);
	count("kept out", n->deleted);
	count("link", n->link);
	if (i->offline)
		printf("%-12s %llu picture%s below folders that are not there now\n", "offline",
			(unsigned long long)i->offline, i->offline == 1 ? "" : "s");
	if (!i->colours)
		line("colours", "profiles are ignored: Little CMS is absent (liblcms2-2)");
	if (i->unconverted)
		printf("%-12s %llu picture%s: the colour profile was ignored%s\n", "unconverted",
			(unsigned long long)i->unconverted, i->unconverted == 1 ? "" : "s",
			i->colours ? "; imgsearch index reads them again" : "");
	if (i->dated)
		printf("%-12s %llu picture%s with a date\n", "dated", (unsigned long long)i->dated,
			i->dated == 1 ? "" : "s");
	line("model", i->model);
	line("weights", i->weights);
	line("precision", i->precision);
	if (i->recipe)
		line("recipe", recipe_text(i->recipe, text));
	line("re-index", reindex_text(i->reindex, text));
	printf("%-12s %s%s%s", "searcher", i->searcher ? i->searcher : "none",
		i->searcher_why ? ": " : "", i->searcher_why ? i->searcher_why : "");
	if (!i->searchers->count)
		printf(" (imgsearch build%s makes one)", context_db_option(c));
	putchar('\n');
	for (size_t r = 0; r < i->searchers->count; r++)
		line("  built", searcher_text(i->searchers->items[r], text));
	if (i->second)
		print_second(i->second);
	line("kernels", i->kernels);
	if (i->server)
		line("server", i->server);
	if (i->server_faults)
		line("  note", i->server_faults);
	line("names",
		i->names_composed ? "spelt in NFC or NFD: the same"
						  : "compared by bytes: libutf8proc is not there");
	for (size_t r = 0; r < i->roots->count; r++)
		print_root(i->roots->items[r]);
}

static int run(context *c, void *args)
{
	imgsearch_info *info;
	imgsearch_error err;
	(void)args;
	int rc = context_open(c, false);
	if (rc)
		return rc;
	if (imgsearch_info_get(c->s, &c->call, &info, &err))
		return context_error(c, &err);
	char *missing = missing_names(c->s);
	if (c->common->json)
		print_json(info, missing);
	else
		print_text(c, info);
	free(missing);
	imgsearch_info_free(info);
	return CLI_DONE;
}

const command cmd_info = {
	.name = "info",
	.operands = "",
	.summary = "show what the index holds, and how it is searched",
	.text =
		"Shows the size of the index, its model, its searcher, its folders, and "
		"the number of paths in each state: every path that was seen is indexed, a duplicate (the "
		"same bytes as another file), unsupported, damaged, too big, excluded, unreadable, kept "
		"out on purpose or a link.",
	.options = options,
	.groups = GROUP_DB | GROUP_PARTIAL | GROUP_JSON,
	.args_size = sizeof(info_args),
	.run = run,
};
