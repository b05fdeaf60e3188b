/*
 * imgsearch query: each picture of the command line is one query, answered in turn; with --combine,
 * or with a text, all of them are one. Rows of an array file as queries (--vectors) are in
 * query_vectors.c.
 */
#include "cli/query.h"

#include "cli/improve_options.h"
#include "cli/base/file.h"
#include "cli/base/json_writer.h"
#include "cli/base/message.h"
#include "cli/base/path.h"
#include "cli/client/client_query.h"
#include "cli/context/input.h"
#include "cli/context/interrupt.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const searchers[] = { "exact", "kdtree", "pca", "graph", "pgvector", "scan",
	NULL };

#define AT(member) offsetof(query_args, member)
static const option options[] = {
	{ "k", 'k', OPT_UINT, AT(options.k), "N", .help = "how many pictures to show", .min = 1,
		.max = 100000000, .def = OPTION_TEXT(IMGSEARCH_K_DEFAULT) },
	{ "min-score", 0, OPT_FLOAT, AT(options.min_score), "S",
		.help = "leave out pictures with a lower score", .given = AT(options.has_min_score) },
	{ "max-chance", 0, OPT_DOUBLE, AT(options.max_chance), "X",
		.help = "end the list where more than X pictures would score as high by chance",
		.min = 1e-12, .max = 1e12 },
	{ "no-self", 0, OPT_FLAG, AT(options.no_self),
		.help = "leave out the query itself (with --combine: all its pictures) when it is in the "
				"index" },
	UNDER_OPTION(AT),
	CONDITION_OPTIONS(AT),
	{ "crop", 0, OPT_RECT, AT(crop), "X,Y,W,H",
		.help = "search with this part of each picture, in pixels of the upright picture" },
	{ "combine", 'c', OPT_FLAG, AT(combine), .help = "all pictures together are one query" },
	{ "text", 0, OPT_INPUT_TEXT, AT(inputs), "TEXT",
		.help = "search for what a text says; with pictures or other texts they are one query (may "
				"be repeated)" },
	{ "not", 'n', OPT_INPUT_NOT, AT(inputs),
		.help = "move the query away from the next picture or text" },
	{ "weight", 0, OPT_INPUT_WEIGHT, AT(inputs), "W",
		.help = "how much the next picture or text counts; 1 is usual, after --not 0.5",
		.min = 0.001, .max = 1000 },
	{ "template", 0, OPT_TEXT, AT(options.text_template), "T",
		.help =
			"the sentence that each text is put into, in the place of its {} (default: the model's "
			"own)" },
	{ "paths", 'p', OPT_FLAG, AT(paths), .help = "write paths alone, without score and title" },
	{ "html", 0, OPT_FILE, AT(html), "FILE",
		.help = "also write queries and results as a page with the pictures in it" },
	{ "sheet", 0, OPT_FILE, AT(sheet_file), "FILE.png",
		.help = "also write them as a contact sheet (PNG or JPEG)" },
	{ "preview", 0, OPT_FLAG, AT(preview), .help = "show the pictures in the terminal" },
	{ "no-server", 0, OPT_FLAG, AT(no_server), .help = "do not use a running imgsearch serve" },
	{ "searcher", 's', OPT_CHOICE, AT(options.searcher), "NAME",
		.help = "search with this searcher, not with the one that the index chose",
		.choices = searchers },
	{ "recall", 0, OPT_DOUBLE, AT(options.recall), "R", .help = "graph, pgvector: recall to aim at",
		.shown = OPTION_TEXT(IMGSEARCH_RECALL_DEFAULT), .min = 0.01, .max = 1 },
	{ "ef", 0, OPT_UINT, AT(options.ef), "N",
		.help = "graph, pgvector: width of the beam, instead of --recall", .min = 1,
		.max = 1000000 },
	{ "checks", 0, OPT_UINT, AT(options.checks), "N", .help = "kdtree, pca: compare at most N rows",
		.min = 1, .max = 4294967295.0 },
	{ "epsilon", 0, OPT_DOUBLE, AT(options.epsilon), "E",
		.help = "kdtree: distances within (1 + E) of the true ones", .min = 0, .max = 1000 },
	{ "plain", 0, OPT_FLAG, AT(options.plain),
		.help = "use the features as they are: no mean subtracted, no other improvement" },
	{ "whole", 0, OPT_FLAG, AT(options.whole),
		.help = "compare whole pictures alone, where the index keeps features of their parts" },
	IMPROVE_OPTIONS(AT),
	{ "vectors", 0, OPT_FILE, AT(vectors), "FILE",
		.help = "queries are the rows of this .npy, .fvecs or .fbin file" },
	{ "ids", 0, OPT_FILE, AT(ids), "FILE.npy",
		.help = "with --vectors: write ids (n, k) as int64, -1 where there are fewer" },
	{ "distances", 0, OPT_FILE, AT(distances), "FILE.npy",
		.help = "with --vectors: write distances (n, k) as f32, NaN where there are fewer" },
	{ "batch", 0, OPT_UINT, AT(batch), "N",
		.help = "with --vectors: queries in a batch; 1: one by one", .min = 1, .max = 1000000,
		.def = "1024" },
	{ "stats", 0, OPT_FLAG, AT(stats),
		.help = "with --vectors: write times and memory as one JSON line" },
	OPT_END,
};

static void show_error(const context *c, const char *query, const char *path,
	const imgsearch_input *in, const imgsearch_error *err)
{
	json_writer j;
	if (in->kind == IMGSEARCH_INPUT_KIND_BYTES)
		cli_fail("%s: %s", strcmp(query, "-") ? query : "standard input", err->message);
	else
		context_error(c, err);
	if (!c->common->json)
		return;
	json_write_begin(&j, stdout);
	hits_write_query(&j, query, path);
	json_write_text(&j, "error", err->message);
	json_write_end(&j);
}

/* --------------------------------------------------------------------------------- queries ---- */

typedef struct totals {
	size_t queries, failed, found;
	bool wrong; /* the condition: no query can be answered */
} totals;

/*
 * Searches by the server, or in this process. After a failure, or where nothing is found below a
 * folder, the server is not used again, since this process can report what is wrong.
 */
static int search(context *c, query_args *a, const imgsearch_input *in, size_t n,
	imgsearch_hits **hits, imgsearch_error *err)
{
	if (a->server && client_query(a->server, in, n, &a->options, hits)) {
		if ((*hits)->count || !c->filter.n_folders)
			return 0;
		client_hits_free(*hits); /* this process tells where nothing lies in the folder */
	}
	client_disconnect(a->server);
	a->server = NULL;
	*err = (imgsearch_error){ 0 };
	if (interrupt_pending())
		return IMGSEARCH_ECANCELED;
	if (!c->s && context_open(c, false))
		return IMGSEARCH_EIO; /* context_open has said why; err has no code */
	return imgsearch_query(c->s, in, n, &a->options, &c->call, hits, err);
}

/* Answers one query and counts it. */
static void answer_query(context *c, query_args *a, const char *name, const imgsearch_input *in,
	size_t n, totals *t)
{
	imgsearch_error err;
	imgsearch_hits *hits = NULL;
	bool is_file = in->kind == IMGSEARCH_INPUT_KIND_FILE && !strcmp(name, in->path);
	char *path = is_file ? path_absolute(name) : NULL;
	int rc = search(c, a, in, n, &hits, &err);
	bool shown = rc || !(a->html || a->sheet_file)
		|| sheet_add(&a->sheet, path ? path : name, in, hits);
	t->queries++;
	if (rc || !shown) {
		t->failed++;
		t->wrong = rc && context_is_wrong_condition(c, &err);
		if (rc && rc != IMGSEARCH_ECANCELED && err.code)
			show_error(c, name, path, in, &err);
	} else {
		t->found += hits->count > 0;
		query_show(c, a, name, path, &(hits_inputs){ in, n }, hits);
	}
	if (a->server)
		client_hits_free(hits);
	else
		imgsearch_hits_free(hits);
	free(path);
}

static int outcome(const totals *t)
{
	if (t->wrong)
		return CLI_USAGE;
	if (t->failed)
		return t->failed < t->queries ? CLI_SOME_FAILED : CLI_FAILED;
	return t->found ? CLI_DONE : CLI_NOTHING;
}

/* Weight of what to move away from, where one of the query has 1. */
static const float away = -0.5f;

static int make_input(const context *c, const query_args *a, const option_input *from,
	imgsearch_input *in, input_bytes *bytes)
{
	int rc = CLI_DONE;
	if (from->is_text)
		*in = imgsearch_input_text(from->value);
	else
		rc = input_parse(in, c, from->value, bytes);
	if (!from->is_text && !from->minus)
		memcpy(in->crop, a->crop, sizeof in->crop);
	in->weight = from->minus ? away : 1;
	if (from->weight > 0)
		in->weight = from->minus ? -from->weight : from->weight;
	return rc;
}

/* What a query of several inputs is called: "sofa.jpg + red leather - people". NULL: no memory. */
static char *combined_name(const query_args *a)
{
	char *name = NULL;
	size_t size;
	FILE *f = open_memstream(&name, &size);
	if (!f)
		return NULL;
	for (int minus = 0; minus < 2; minus++)
		for (size_t i = 0; i < a->inputs.n; i++) {
			const option_input *in = &a->inputs.item[i];
			if (in->minus != minus)
				continue;
			fprintf(f, "%s%s", minus ? " - " : ftell(f) ? " + " : "", in->value);
		}
	return fclose(f) ? free(name), NULL : name;
}

/*
 * in has space for all inputs: in[0] is the first of this query; what to move away from follows,
 * and then, where all of them are one query, the others.
 */
static int all_queries(context *c, query_args *a, bool combine, imgsearch_input *in,
	input_bytes *bytes)
{
	size_t n = 1;
	bool first = true;
	totals t = { 0 };
	int rc = CLI_DONE;
	for (size_t i = 0; !rc && i < a->inputs.n; i++)
		if (a->inputs.item[i].minus)
			rc = make_input(c, a, &a->inputs.item[i], &in[n++], bytes);
	for (size_t i = 0;
		 !rc && i < a->inputs.n && !t.wrong && !interrupt_pending() && !ferror(stdout); i++) {
		const option_input *from = &a->inputs.item[i];
		if (from->minus)
			continue;
		rc = make_input(c, a, from, &in[combine && !first ? n++ : 0], bytes);
		first = false;
		if (!rc && !combine)
			answer_query(c, a, from->value, in, n, &t);
	}
	if (rc)
		return rc;
	if (combine) {
		char *name = combined_name(a);
		if (!name)
			return cli_nomem();
		answer_query(c, a, name, in, n, &t);
		free(name);
	}
	return outcome(&t);
}

/*
 * Connects to the server if it can be used, and opens the index if this process needs it, also to
 * show pictures.
 */
static int open_for_query(context *c, query_args *a)
{
	if (!a->no_server && !a->vectors && !context_has_open_options(c) && context_db(c))
		a->server = client_connect(context_db(c));
	bool shows_pictures = a->html || a->sheet_file || a->preview;
	return a->server && !shows_pictures ? CLI_DONE : context_open(c, false);
}

/* Whether path (may be NULL) may be written: it is no input and nothing of the index. */
static bool may_write(const context *c, const query_args *a, const char *path)
{
	if (!path)
		return true;
	for (size_t i = 0; i < a->inputs.n; i++)
		if (!a->inputs.item[i].is_text && file_is_input(path, &a->inputs.item[i].value, 1))
			return false;
	return !file_is_input(path, &a->vectors, a->vectors != NULL) && file_may_write(c->s, path);
}

static bool may_write_all(const context *c, const query_args *a)
{
	return may_write(c, a, a->html) && may_write(c, a, a->sheet_file) && may_write(c, a, a->ids)
		&& may_write(c, a, a->distances);
}

static int write_files(const query_args *a, int rc)
{
	bool ok = !a->html || sheet_write_html(&a->sheet, a->html);
	ok = (!a->sheet_file || sheet_write_image(&a->sheet, a->sheet_file)) && ok;
	return ok ? rc : CLI_FAILED;
}

/* Whether one of the inputs is a text, or a picture. */
static bool has_input(const query_args *a, bool text)
{
	bool has = false;
	for (size_t i = 0; i < a->inputs.n; i++)
		has |= a->inputs.item[i].is_text == text;
	return has;
}

static size_t count_queries(const query_args *a)
{
	size_t n = 0;
	for (size_t i = 0; i < a->inputs.n; i++)
		n += !a->inputs.item[i].minus;
	return n > 1 && (a->combine || has_input(a, true)) ? 1 : n;
}

/* Refuses options that exclude each other. */
static int check_args(const context *c, const query_args *a)
{
	const command *self = c->command;
	bool arrays = a->ids || a->distances || a->stats;
	if (!a->vectors && !a->inputs.n)
		return command_usage(self, "no argument: imgsearch query IMG..., or --text TEXT");
	if (!a->vectors && !a->queries)
		return command_usage(self, "nothing to search for: --not only says what to move away from");
	if (!a->vectors && arrays)
		return command_usage(self, "--ids, --distances and --stats go with --vectors FILE");
	if (a->vectors && (a->inputs.n || a->combine))
		return command_usage(self,
			"--vectors FILE takes its queries from the file alone: no pictures, no texts, "
			"no --combine, no --not");
	if (a->vectors
		&& (a->html || a->sheet_file || a->preview || a->options.views || a->options.no_self))
		return command_usage(self,
			"--html, --sheet, --preview, --views and --no-self go with pictures");
	if (!a->vectors && !has_input(a, false) && (a->crop[2] || a->options.views))
		return command_usage(self, "--crop and --views go with pictures");
	if (a->options.text_template && !has_input(a, true))
		return command_usage(self, "--template goes with --text");
	if (arrays && a->options.max_chance > 0)
		return command_usage(self, "--max-chance does not go with --ids, --distances and --stats");
	return CLI_DONE;
}

/* Refuses outputs that are not possible. */
static int check_outputs(const context *c, const query_args *a)
{
	const char *term = getenv("TERM");
	file_kind sheet = a->sheet_file ? file_kind_of(a->sheet_file) : FILE_PNG;
	if (sheet != FILE_PNG && sheet != FILE_JPEG)
		return command_usage(c->command, "--sheet %s: the name must end in .png or .jpg",
			a->sheet_file);
	if (a->html && file_kind_of(a->html) != FILE_HTML)
		return command_usage(c->command, "--html %s: the name must end in .html", a->html);
	if (a->preview && (!isatty(STDOUT_FILENO) || c->common->json || !term || !strcmp(term, "dumb")))
		return command_usage(c->command, "--preview needs a terminal that can show pictures");
	return CLI_DONE;
}

static int query_pictures(context *c, query_args *a)
{
	input_bytes bytes = { 0 };
	imgsearch_input *in = calloc(a->inputs.n + 1, sizeof *in);
	bool combine = a->combine || has_input(a, true);
	int rc = in ? write_files(a, all_queries(c, a, combine, in, &bytes)) : cli_nomem();
	free(in);
	input_bytes_free(&bytes);
	return rc;
}

static int run(context *c, void *args)
{
	query_args *a = args;
	a->queries = count_queries(a);
	int rc = check_args(c, a);
	if (rc == CLI_DONE)
		rc = check_outputs(c, a);
	if (rc)
		return rc;
	a->options.struct_size = sizeof a->options;
	a->options.threads = c->common->open.threads;
	rc = context_filter(c, &a->filter, &a->options.filter);
	if (rc == CLI_DONE)
		rc = open_for_query(c, a);
	a->sheet = (sheet){ .s = c->s, .call = &c->call };
	if (rc == CLI_DONE && !may_write_all(c, a))
		rc = CLI_FAILED;
	if (rc == CLI_DONE)
		rc = a->vectors ? query_vectors(c, a) : query_pictures(c, a);
	client_disconnect(a->server);
	sheet_free(&a->sheet);
	return rc;
}

const command cmd_query = {
	.name = "query",
	.operands = "[IMG...]",
	.summary = "find the pictures most like a picture or a text",
	.text =
		"Finds the pictures of the index that are most like IMG: score, path "
		"and title, best first. Scores are cosine similarities (or those of the metric of the "
		"index): higher is more alike. Several pictures are several queries; --combine makes them "
		"one. IMG is a file or a pipe, \"-\" for a picture on standard input, or id:N for a "
		"picture of "
		"the index. A picture that is in the index finds itself first, unless --no-self is given, "
		"and "
		"needs no network.\n\n"
		"--text searches for what a text says, where the model of the index compares texts with "
		"pictures (see docs/words.md). Texts and pictures of one command line are one query. --not "
		"and --weight are about the picture or the text that comes next.\n\n"
		"--expand, --reciprocal and --views give better answers and take longer; imgsearch eval "
		"has the same options and measures the gain. --reciprocal changes the order of the "
		"results, not their scores.\n\n"
		"Exit status 1: nothing was found.\n\n"
		"\timgsearch query photo.jpg\n"
		"\timgsearch query -k 50 --crop 100,80,300,300 photo.jpg\n"
		"\timgsearch query --combine beach.jpg sunset.jpg --not people.jpg\n"
		"\timgsearch query --text \"red car at night\"\n"
		"\timgsearch query car.jpg --text \"in the snow\" --not --text \"people\"\n"
		"\timgsearch query --paths -0 photo.jpg | xargs -0 feh",
	.options = options,
	.groups = GROUP_DB | GROUP_PARTIAL | GROUP_MODEL | GROUP_FORMATS | GROUP_JSON | GROUP_NUL,
	.args_size = sizeof(query_args),
	.run = run,
	.max_operands = CLI_MANY,
};
