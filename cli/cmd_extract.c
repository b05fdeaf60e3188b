/*
 * imgsearch extract: features of pictures and texts as an array file, in the order of the command
 * line.
 */
#include "cli/array/array_writer.h"
#include "cli/base/file.h"
#include "cli/base/json_writer.h"
#include "cli/base/message.h"
#include "cli/context/context.h"
#include "cli/context/input.h"
#include "cli/context/interrupt.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { AT_ONCE = 64 };

typedef struct extract_args {
	common_args common;
	const char *output, *text_template;
	uint32_t raw;
	option_inputs inputs; /* pictures and texts */
} extract_args;

static const option options[] = {
	{ "output", 'o', OPT_FILE, offsetof(extract_args, output), "FILE.npy",
		.help = "write the features here (.npy or .fvecs)" },
	{ "raw", 0, OPT_FLAG, offsetof(extract_args, raw),
		.help = "features as the network gives them, not normalised" },
	{ "text", 0, OPT_INPUT_TEXT, offsetof(extract_args, inputs), "TEXT",
		.help = "also a row for this text (may be repeated)" },
	{ "template", 0, OPT_TEXT, offsetof(extract_args, text_template), "T",
		.help =
			"each text is within this one, in the place of its {}, not within the model's own" },
	OPT_END,
};

static int open_model(context *c)
{
	imgsearch_options o = context_options(c);
	imgsearch_error err;
	if (c->common->db.n)
		return context_open(c, false);
	/* Where the command line names no model, that of the index is used, if there is an index. */
	if (!o.model && !o.weights && !o.recipe && context_db(c)) {
		o.must_exist = 1;
		if (imgsearch_open(c->db, &o, &c->call, &c->s, &err) == 0)
			return CLI_DONE;
		if (err.code != IMGSEARCH_ENOTFOUND)
			return context_error(c, &err);
		o.must_exist = 0;
	}
	return context_open_at(c, ":memory:", &o);
}

typedef struct block {
	imgsearch_input in[AT_ONCE];
	imgsearch_error error[AT_ONCE];
	float *rows;
	uint32_t dim;
	size_t failed;
	input_bytes bytes; /* of standard input and pipes */
} block;

static int extract_block(context *c, const extract_args *a, block *b, size_t first, size_t n,
	array_writer *w)
{
	imgsearch_error err;
	for (size_t i = 0; i < n; i++) {
		const option_input *from = &a->inputs.item[first + i];
		int rc = CLI_DONE;
		if (from->is_text)
			b->in[i] = imgsearch_input_text(from->value);
		else
			rc = input_parse(&b->in[i], c, from->value, &b->bytes);
		if (rc)
			return rc;
	}
	imgsearch_extract_options o = { .struct_size = sizeof o,
		.raw = a->raw,
		.text_template = a->text_template };
	memset(b->error, 0, sizeof b->error);
	if (imgsearch_extract(c->s, b->in, n, &o, &c->call, b->rows, n * b->dim, b->error, &err))
		return context_error(c, &err);
	for (size_t i = 0; i < n; i++)
		if (b->error[i].code) {
			progress_clear(c->progress);
			context_error(c, &b->error[i]);
			b->failed++;
		}
	return array_writer_add(w, b->rows, n) ? CLI_DONE : CLI_FAILED;
}

static void print_json(const extract_args *a, const block *b, size_t total)
{
	json_writer j;
	json_write_begin(&j, stdout);
	json_write_path(&j, "path", a->output);
	json_write_int(&j, "rows", (int64_t)total);
	json_write_int(&j, "dim", b->dim);
	json_write_int(&j, "failed", (int64_t)b->failed);
	json_write_end(&j);
}

static int extract_all(context *c, const extract_args *a, block *b)
{
	array_writer w;
	size_t done = 0, total = a->inputs.n;
	int rc = CLI_DONE;
	if (!array_writer_open(&w, a->output, ARRAY_F32, b->dim, 2))
		return CLI_FAILED;
	while (rc == CLI_DONE && done < total) {
		size_t n = total - done < AT_ONCE ? total - done : AT_ONCE;
		rc = interrupt_pending() ? CLI_INTERRUPTED : extract_block(c, a, b, done, n, &w);
		done += n;
		imgsearch_progress p = { .stage = "extract",
			.done = done,
			.total = total,
			.failed = b->failed };
		progress_show(c->progress, &p);
	}
	if (!array_writer_close(&w, rc == CLI_DONE) && rc == CLI_DONE)
		rc = CLI_FAILED;
	if (rc)
		return rc;
	if (c->common->json)
		print_json(a, b, total);
	context_print(c, "%s: features (%zu, %u)%s", a->output, total, b->dim,
		b->failed ? "; rows of NaN for what failed" : "");
	return !b->failed ? CLI_DONE : b->failed < total ? CLI_SOME_FAILED : CLI_FAILED;
}

/* Of the second model of the index where that is named, else of the network. */
static int find_dim(context *c, uint32_t *dim, imgsearch_error *err)
{
	const char *name = c->common->open.model;
	imgsearch_network *network;
	imgsearch_info *info;
	int rc = imgsearch_network_get(c->s, &network, err);
	if (rc)
		return rc;
	*dim = network->dim;
	imgsearch_network_free(network);
	rc = name ? imgsearch_info_get(c->s, &c->call, &info, err) : 0;
	if (rc || !name)
		return rc;
	if (info->second && info->second->model && !strcmp(info->second->model, name))
		*dim = info->second->dim;
	imgsearch_info_free(info);
	return 0;
}

static int run(context *c, void *args)
{
	const extract_args *a = args;
	uint32_t dim;
	struct stat st;
	imgsearch_error err;
	if (!a->inputs.n)
		return command_usage(c->command,
			"no argument: imgsearch extract IMG... -o FILE.npy, or --text TEXT");
	if (!a->output)
		return command_usage(c->command, "no output: -o FILE.npy");
	for (size_t i = 0; i < c->n_operands; i++)
		if (stat(c->operand[i], &st) == 0 && S_ISDIR(st.st_mode))
			return cli_fail("%s is a folder: name the pictures in it", c->operand[i]);
	int rc = open_model(c);
	if (rc)
		return rc;
	if (file_is_input(a->output, (const char *const *)c->operand, c->n_operands)
		|| !file_may_write(c->s, a->output))
		return CLI_FAILED;
	/* Extracts no picture: fails if the network is missing. */
	if (c->n_operands && imgsearch_extract(c->s, NULL, 0, NULL, &c->call, NULL, 0, NULL, &err))
		return context_error(c, &err);
	if (find_dim(c, &dim, &err))
		return context_error(c, &err);
	block *b = calloc(1, sizeof *b);
	if (b) {
		b->dim = dim;
		b->rows = calloc(AT_ONCE, 4 * (size_t)dim);
	}
	rc = b && b->rows ? extract_all(c, a, b) : cli_nomem();
	if (b) {
		free(b->rows);
		input_bytes_free(&b->bytes);
	}
	free(b);
	return rc;
}

const command cmd_extract = {
	.name = "extract",
	.operands = "[IMG...] -o FILE.npy",
	.summary = "write the features of pictures and texts as an array file",
	.text =
		"Writes one row of float32 for each IMG and each text, in their order, normalised to "
		"length 1; a row of NaN for one that failed. IMG is a file, or \"-\" for a picture on "
		"standard "
		"input. The network is that of the index, or the one that --model and --weights name.\n\n"
		"\timgsearch extract *.jpg -o features.npy\n"
		"\timgsearch extract --model resnet50 --weights resnet50.pth a.jpg b.jpg -o features.npy",
	.options = options,
	.groups = GROUP_DB | GROUP_MODEL | GROUP_FORMATS | GROUP_RECIPE | GROUP_JSON,
	.args_size = sizeof(extract_args),
	.run = run,
	.max_operands = CLI_MANY,
};
