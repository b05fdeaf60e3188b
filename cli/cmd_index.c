/*
 * imgsearch index: brings the index up to date with folders and files, then builds the searcher if
 * it is due, so that `index` and `query` are all that is needed.
 */
#include "cli/base/list.h"
#include "cli/base/message.h"
#include "cli/base/path.h"
#include "cli/client/client_index.h"
#include "cli/context/context.h"
#include "cli/context/input.h"
#include "cli/output/counts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct index_args {
	common_args common;
	option_list include, exclude;
	const char *csv, *key, *title;
	uint32_t follow_links, no_follow_links, prune, retry, no_build, no_server;
	uint32_t reread, partial, no_exclude, no_include, no_default_excludes;
	const char *formats, *add_model;
	uint32_t video, regions, no_regions;
} index_args;

#define AT(member) offsetof(index_args, member)
static const option options[] = {
	{ "exclude", 'x', OPT_LIST, AT(exclude), "PATTERN",
		.help = "leave out what matches, now and in later runs (may be repeated)" },
	{ "no-exclude", 0, OPT_FLAG, AT(no_exclude),
		.help = "forget the patterns of --exclude of earlier runs" },
	{ "include", 'i', OPT_LIST, AT(include), "PATTERN",
		.help = "index only files that match, now and in later runs (may be repeated)" },
	{ "no-include", 0, OPT_FLAG, AT(no_include),
		.help = "forget the patterns of --include of earlier runs" },
	{ "no-default-excludes", 0, OPT_FLAG, AT(no_default_excludes),
		.help = "for this run alone: take in system folders, such as #recycle, unless they are "
				"hidden" },
	{ "follow-links", 'L', OPT_FLAG, AT(follow_links),
		.help = "follow symbolic links, now and in later runs" },
	{ "no-follow-links", 0, OPT_FLAG, AT(no_follow_links), .help = "follow them no longer" },
	{ "formats", 0, OPT_TEXT, AT(formats), "LIST",
		.help = "also read formats that are off by default, now and in later runs: +tiff,+video; "
				"no longer: -tiff,-video" },
	{ "video", 0, OPT_FLAG, AT(video), .help = "the same as --formats +video" },
	{ "add-model", 0, OPT_FILE, AT(add_model), "NAME",
		.help = "keep the vectors of a second model beside those of the index, from now on: "
				"imgsearch query --model NAME asks by it" },
	{ "prune", 0, OPT_FLAG, AT(prune),
		.help = "let this run remove more than 30 % of a folder's pictures" },
	{ "flip", 0, OPT_FLAG, AT(common.recipe.flip),
		.help = "average each feature with that of the mirrored picture: better results for "
				"twice the work of the network; stored in the index" },
	{ "regions", 0, OPT_FLAG, AT(regions),
		.help = "also keep features of parts of pictures, now and in later runs, so that a small "
				"crop finds its picture: a run takes four to eight times as long" },
	{ "no-regions", 0, OPT_FLAG, AT(no_regions), .help = "drop them, and keep none any more" },
	{ "retry", 0, OPT_FLAG, AT(retry),
		.help = "try damaged, unsupported and too big files again, even if they did not change" },
	{ "partial", 0, OPT_FLAG, AT(partial),
		.help =
			"take what is there of damaged pictures, and mark them (shards must all be there)" },
	{ "reread", 0, OPT_FLAG, AT(reread),
		.help = "read every file and compare its bytes, even if size and times did not change" },
	{ "csv", 0, OPT_FILE, AT(csv), "FILE",
		.help = "attach the columns of this CSV (UTF-8, with a header row)" },
	{ "key", 0, OPT_TEXT, AT(key), "COLUMN",
		.help = "column with the file name or path (default: file)" },
	{ "title", 0, OPT_TEXT, AT(title), "COLUMN",
		.help = "column that is shown with results (default: title)" },
	{ "no-server", 0, OPT_FLAG, AT(no_server), .help = "do not use a running imgsearch serve" },
	{ "no-build", 0, OPT_FLAG, AT(no_build), .help = "do not build the searcher afterwards" },
	OPT_END,
};

static void print_json(const imgsearch_index_update_report *r)
{
	json_writer j;
	json_write_begin(&j, stdout);
	counts_write_json(&j, r);
	json_write_end(&j);
}

typedef struct part {
	const char *name;
	uint64_t value;
} part;

/*
 * Lists the parts of n that are not zero: lead, "3 damaged", ", 1 new" ... Returns the length of
 * the text.
 */
static size_t list_parts(char *text, size_t size, const char *lead, const part *parts, size_t n)
{
	size_t at = 0;
	for (size_t i = 0; i < n && at < size; i++)
		if (parts[i].value)
			at += (size_t)snprintf(text + at, size - at, "%s%llu %s", at ? ", " : lead,
				(unsigned long long)parts[i].value, parts[i].name);
	return at < size ? at : size - 1;
}

/* One line, however many patterns there are. */
static void say_unmatched(const context *c, const imgsearch_strings *patterns)
{
	char text[400] = "";
	size_t n = 0, i = 0;
	for (; i < patterns->count && n + strlen(patterns->items[i]) + 3 < sizeof text; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? ", " : "", patterns->items[i]);
	context_print(c, "matched nothing: %s%s", text, i < patterns->count ? " ..." : "");
}

/* With a second model what is made is what one of the two lacked. */
static const char *remade_text(context *c, const imgsearch_index_update_report *r)
{
	imgsearch_info *info = NULL;
	if (r->remade)
		imgsearch_info_get(c->s, NULL, &info, NULL);
	bool second = info && info->second;
	imgsearch_info_free(info);
	if (second)
		return r->remade == 1 ? "lacking feature made" : "lacking features made";
	return r->remade == 1 ? "feature made anew" : "features made anew";
}

static void summarise(context *c, const imgsearch_index_update_report *r)
{
	const imgsearch_counts *n = r->counts;
	const part states[] = {
		{ "indexed", n->indexed },
		{ n->duplicate == 1 ? "duplicate" : "duplicates", n->duplicate },
		{ "unsupported", n->unsupported },
		{ "damaged", n->damaged },
		{ "too big", n->too_big },
		{ "excluded", n->excluded },
		{ "unreadable", n->unreadable },
		{ "kept out", n->deleted },
		{ n->link == 1 ? "link" : "links", n->link },
	};
	const part done[] = {
		{ "new", r->added },
		{ "changed", r->changed },
		{ "unchanged", r->unchanged },
		{ "re-hashed", r->rehashed },
		{ remade_text(c, r), r->remade },
		{ "decoded anew", r->redecoded },
		{ "with metadata read again", r->described },
		{ "moved", r->moved },
		{ "removed", r->removed },
		{ "offline", r->offline },
	};
	char text[512] = "";
	size_t at = list_parts(text, sizeof text, ": ", states, sizeof states / sizeof *states);
	list_parts(text + at, sizeof text - at, "; ", done, sizeof done / sizeof *done);
	context_print(c, "%llu path%s seen%s (%.1f s)", (unsigned long long)n->seen,
		n->seen == 1 ? "" : "s", text, r->seconds);
	if (r->unmatched->count)
		say_unmatched(c, r->unmatched);
	if (n->unsupported + n->damaged + n->too_big + n->unreadable)
		context_print(c, "for the reasons: imgsearch failed%s", context_db_option(c));
	if (r->offline)
		context_print(c, "if a folder lies elsewhere now: imgsearch root mv%s OLD NEW",
			context_db_option(c));
}

static int build_for(context *c, const char *model)
{
	imgsearch_build_options o = IMGSEARCH_INIT(imgsearch_build_options);
	imgsearch_error err;
	o.if_stale = 1;
	o.model = model;
	return imgsearch_build(c->s, &o, &c->call, NULL, &err) ? context_error(c, &err) : CLI_DONE;
}

/* Builds searchers that are due, of both models. Queries use the old ones meanwhile. */
static int build_if_due(context *c)
{
	imgsearch_info *info;
	imgsearch_error err;
	if (imgsearch_info_get(c->s, &c->call, &info, &err))
		return context_error(c, &err);
	int rc = build_for(c, info->second ? info->model : NULL);
	if (!rc && info->second)
		rc = build_for(c, info->second->model);
	imgsearch_info_free(info);
	return rc;
}

/* Whether only files were named: one that is no picture is then a failure. */
static bool only_files(const path_list *p)
{
	struct stat st;
	for (size_t i = 0; i < p->n; i++)
		if (stat(p->item[i], &st) == 0 && S_ISDIR(st.st_mode))
			return false;
	return p->n > 0;
}

/* The paths made absolute for a server, which may run in another folder; NULL: out of memory. */
static char **absolute_paths(const path_list *p)
{
	char **out = calloc(p->n + 1, sizeof *out);
	for (size_t i = 0; out && i < p->n; i++)
		if (!(out[i] = path_absolute(p->item[i]))) {
			text_list_free(out, p->n);
			return NULL;
		}
	return out;
}

/* The same of a model, which is a path where its name looks like one. */
static char *model_absolute(const char *name)
{
	return strchr(name, '/') || strstr(name, ".json") ? path_absolute(name) : strdup(name);
}

/*
 * Indexes by the running server of this index, which has loaded the network. False: there is none,
 * the options rule it out, or it did not run it.
 */
static bool index_by_server(context *c, const index_args *a, const path_list *p,
	const imgsearch_index_update_options *o, client_index_result *r)
{
	client *server = !a->no_server && context_db(c) ? client_connect(context_db(c)) : NULL;
	if (!server)
		return false;
	char **paths = absolute_paths(p), *csv = o->csv ? path_absolute(o->csv) : NULL;
	char *model = a->add_model ? model_absolute(a->add_model) : NULL;
	imgsearch_index_update_options there = *o;
	there.csv = csv;
	bool done = paths && (!o->csv || csv) && (!a->add_model || model)
		&& client_index(server, (const char *const *)paths, p->n, &there, model, context_progress,
			c, r);
	text_list_free(paths, p->n);
	free(csv);
	free(model);
	client_disconnect(server);
	return done;
}

/* -------------------------------------------------------------------------------- patterns ---- */

/* Patterns as they go to the library: some are copies. */
typedef struct pattern_list {
	const char **item;
	char **owned; /* NULL where an item is borrowed */
	size_t n;
} pattern_list;

static void free_patterns(pattern_list *p)
{
	text_list_free(p->owned, p->n);
	free(p->item);
}

static bool exists(const char *folder, const char *path, size_t length)
{
	struct stat st;
	char *first = strndup(path, length), *inside = first ? path_join(folder, first) : NULL;
	bool there = inside && stat(inside, &st) == 0;
	free(inside);
	free(first);
	return there;
}

/*
 * Whether a path from the current folder names something below a folder that is indexed, and names
 * nothing when it is read from there. One with ".." is from here in any case. Where it does not
 * exist, as it may be spelt otherwise or be a pattern, its beginning decides.
 */
static bool is_from_here(const char *pattern, const char *absolute, const char *folder)
{
	struct stat st;
	size_t length = stat(pattern, &st) ? strcspn(pattern, "/") : strlen(pattern);
	return path_is_below(absolute, folder) && !path_is_below(folder, absolute)
		&& exists(".", pattern, length)
		&& (path_has_up(pattern) || !exists(folder, pattern, length));
}

/* Whether a pattern is of folders alone: it ends with a slash. */
static bool is_folders(const char *pattern)
{
	return *pattern && pattern[strlen(pattern) - 1] == '/';
}

/*
 * A path of the current folder, made absolute where it names something below a folder that is
 * indexed. NULL: it is a pattern from that folder.
 */
static char *from_here(const char *pattern, const path_list *p, const imgsearch_roots *roots)
{
	struct stat st;
	const char *slash = strchr(pattern, '/');
	bool from_root = pattern[0] == '.' && pattern[1] == '/' && stat(pattern, &st);
	if (*pattern == '/' || from_root || !slash || !slash[strspn(slash, "/")])
		return NULL;
	char *absolute = path_absolute(pattern);
	bool here = false;
	for (size_t i = 0; absolute && !here && i < p->n; i++) {
		char *folder = path_absolute(p->item[i]);
		here = folder && is_from_here(pattern, absolute, folder);
		free(folder);
	}
	for (size_t i = 0; absolute && !here && roots && i < roots->count; i++)
		here = is_from_here(pattern, absolute, roots->items[i]->path);
	char *full = !here ? NULL : is_folders(pattern) ? path_join(absolute, "") : strdup(absolute);
	free(absolute);
	return full;
}

/* The same, of a path in another spelling of letters with accents. */
static char *from_here_respelt(const char *pattern, const path_list *p,
	const imgsearch_roots *roots)
{
	char *respelt = path_respelt(pattern), *absolute = NULL;
	if (respelt && strcmp(respelt, pattern))
		absolute = from_here(respelt, p, roots);
	free(respelt);
	return absolute;
}

/* composed: spellings of letters with accents are the same. False: out of memory. */
static bool make_patterns(pattern_list *out, const option_list *given, const path_list *p,
	const imgsearch_roots *roots, bool composed)
{
	*out = (pattern_list){ calloc(given->n + 1, sizeof *out->item),
		calloc(given->n + 1, sizeof *out->owned), given->n };
	for (size_t i = 0; out->item && out->owned && i < given->n; i++) {
		out->owned[i] = from_here(given->item[i], p, roots);
		if (!out->owned[i] && composed)
			out->owned[i] = from_here_respelt(given->item[i], p, roots);
		out->item[i] = out->owned[i] ? out->owned[i] : given->item[i];
	}
	return out->item && out->owned;
}

/*
 * Puts the patterns of the command line into o: paths of the current folder as absolute ones. The
 * lists own them. False: out of memory.
 */
static bool resolve_patterns(context *c, const path_list *p, imgsearch_index_update_options *o,
	const index_args *a, pattern_list *include, pattern_list *exclude)
{
	imgsearch_info *info = NULL;
	if (a->include.n + a->exclude.n)
		imgsearch_info_get(c->s, &c->call, &info, NULL);
	const imgsearch_roots *roots = info ? info->roots : NULL;
	bool composed = info && info->names_composed;
	bool made = make_patterns(include, &a->include, p, roots, composed)
		&& make_patterns(exclude, &a->exclude, p, roots, composed);
	imgsearch_info_free(info);
	if (made && include->n)
		o->include = include->item;
	if (made && exclude->n)
		o->exclude = exclude->item;
	return made;
}

static imgsearch_index_update_options index_options(const index_args *a)
{
	static const char *const none[1];
	return (imgsearch_index_update_options){
		.struct_size = sizeof(imgsearch_index_update_options),
		.include = a->include.n ? a->include.item
			: a->no_include     ? none
								: NULL,
		.n_include = a->include.n,
		.exclude = a->exclude.item,
		.n_exclude = a->exclude.n,
		.csv = a->csv,
		.csv_key = a->key,
		.csv_title = a->title,
		.follow_links = a->follow_links,
		.no_follow_links = a->no_follow_links,
		.prune = a->prune,
		.retry = a->retry,
		.reread = a->reread,
		.partial = a->partial,
		.no_default_excludes = a->no_default_excludes,
		.forget_exclude = a->no_exclude,
		.add_model = a->add_model != NULL,
		.regions = a->no_regions ? 2 : a->regions,
	};
}

/* Builds, and reports the run. */
static int finish(context *c, const index_args *a, const path_list *p,
	const imgsearch_index_update_report *r)
{
	const imgsearch_counts *n = r->counts;
	int rc = a->no_build ? CLI_DONE : build_if_due(c);
	if (c->common->json)
		print_json(r);
	summarise(c, r);
	if (rc)
		return rc;
	bool named = only_files(p) && n->damaged + n->too_big + n->unreadable + n->unsupported;
	return named || r->failed ? CLI_SOME_FAILED : CLI_DONE;
}

static int run_error(const context *c, const index_args *a, const imgsearch_error *err)
{
	if (a->csv && err->code == IMGSEARCH_EINVAL)
		return cli_error_advice(err, "--key and --title name other columns");
	return context_error(c, err);
}

static int update(context *c, const index_args *a, const path_list *p,
	const imgsearch_index_update_options *o)
{
	client_index_result there;
	imgsearch_index_update_report *here = NULL;
	imgsearch_error err;
	bool by_server = index_by_server(c, a, p, o, &there);
	if (by_server && there.rc)
		return run_error(c, a, &there.err);
	if (!by_server && imgsearch_index_update(c->s, p->item, p->n, o, &c->call, &here, &err)) {
		if (here)
			summarise(c, here);
		imgsearch_index_update_report_free(here);
		return run_error(c, a, &err);
	}
	int rc = finish(c, a, p, by_server ? &there.report : here);
	if (by_server)
		client_index_result_free(&there);
	imgsearch_index_update_report_free(here);
	return rc;
}

static int index_paths(context *c, const index_args *a, const path_list *p)
{
	imgsearch_index_update_options o = index_options(a);
	o.formats = context_formats(c, a->formats, a->video);
	pattern_list include = { 0 }, exclude = { 0 };
	bool made = resolve_patterns(c, p, &o, a, &include, &exclude);
	int rc = made ? update(c, a, p, &o) : cli_nomem();
	free_patterns(&include);
	free_patterns(&exclude);
	return rc;
}

/* Before a new index is created: refuses paths and models that do not exist. */
static int check_first(context *c, const path_list *p)
{
	imgsearch_options o = context_options(c);
	imgsearch_error err;
	const char *db = context_db(c);
	struct stat st;
	if (!db || context_refuse_memory(db) != CLI_DONE)
		return CLI_FAILED;
	if (stat(db, &st) == 0)
		return CLI_DONE;
	for (size_t i = 0; i < p->n; i++)
		if (stat(p->item[i], &st))
			return cli_fail("%s: %s", p->item[i], strerror(errno));
	int rc = context_open_at(c, ":memory:", &o);
	/* Extracts no picture: fails where the network cannot be loaded. */
	if (rc == CLI_DONE && imgsearch_extract(c->s, NULL, 0, NULL, &c->call, NULL, 0, NULL, &err))
		rc = context_error(c, &err);
	imgsearch_close(c->s);
	c->s = NULL;
	return rc;
}

static int index_list(context *c, const index_args *a, const path_list *p)
{
	bool given = c->n_operands > 0; /* else the folders of the index */
	if (given && !p->n) {
		context_print(c, "no paths on standard input: nothing to do");
		return CLI_DONE;
	}
	int rc = given && !a->add_model ? check_first(c, p) : CLI_DONE;
	if (rc == CLI_DONE)
		rc = context_open(c, !a->add_model && (given || c->common->roots.n));
	return rc ? rc : index_paths(c, a, p);
}

static int run(context *c, void *args)
{
	const index_args *a = args;
	path_list p;
	if (a->follow_links && a->no_follow_links)
		return command_usage(c->command, "-L and --no-follow-links exclude each other");
	if (a->add_model && c->common->open.model)
		return command_usage(c->command, "--model and --add-model exclude each other");
	((index_args *)args)->no_server |= context_has_open_options(c);
	if (a->add_model) /* with --weights and the like, which are said of it */
		((index_args *)args)->common.open.model = a->add_model;
	if (a->regions && a->no_regions)
		return command_usage(c->command, "--regions and --no-regions exclude each other");
	int rc = path_list_read(c, &p);
	if (rc == CLI_DONE)
		rc = index_list(c, args, &p);
	path_list_free(&p);
	return rc;
}

const command cmd_index = {
	.name = "index",
	.operands = "[DIR|FILE|-...]",
	.summary = "bring the index up to date with folders of pictures",
	.text =
		"Adds the pictures of folders and files to the index, which is created "
		"if need be. Files that have not changed since the last run (size and times) are not read "
		"again; of one whose inode alone changed (ctime) the bytes are compared; moved "
		"files keep their vectors; deleted files are removed from the index. The pictures of a "
		"folder that is not there (a disk that is not mounted) stay. Without an argument: "
		"refreshes all folders of the index. \"-\" reads paths from standard input, one a "
		"line.\n\n"
		"Pictures are recognised by content, whatever their name. A file that cannot be used is "
		"counted and stored with its reason (imgsearch failed), and is not tried again until it "
		"changes; it never ends the run. Hidden folders, system folders (trash, snapshots, "
		"previews of a NAS) and what .ignore and .imgsearchignore name are left out.\n\n"
		"A pattern of --exclude or --include is a name (private, '*.png'), a name of folders alone "
		"(private/), or a path from the indexed folder (./private, or an absolute path). The index "
		"remembers them for that folder, and imgsearch info lists them: --exclude adds to those "
		"remembered, --include replaces them.\n\n"
		"If --model, --weights, --precision, --resize, --crop, --squash, --mean, --std, "
		"--interpolation, --crops, --pooling or --flip differ from those of the index, everything "
		"is indexed again; "
		"queries use the old "
		"vectors until that is done. With --add-model instead of --model the index keeps the "
		"vectors of both from then on; imgsearch model switch and model drop change that.\n\n"
		"\timgsearch index ~/Pictures\n"
		"\tfind . -name '*.jpg' -print0 | imgsearch index -0 -\n"
		"\timgsearch index paintings --csv paintings.csv --title name",
	.options = options,
	.groups = GROUP_DB | GROUP_MODEL | GROUP_RECIPE | GROUP_JSON | GROUP_NUL,
	.args_size = sizeof(index_args),
	.run = run,
	.max_operands = CLI_MANY,
};
