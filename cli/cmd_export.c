/*
 * imgsearch export: what an index holds, as files that other programs import. Three files with one
 * name: the vectors, their ids, and a description; JSON Lines hold the ids themselves.
 */
#include "cli/array/array_writer.h"
#include "cli/base/file.h"
#include "cli/base/json_writer.h"
#include "cli/base/message.h"
#include "cli/context/context.h"
#include "cli/context/interrupt.h"
#include "cli/output/item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct export_args {
	common_args common;
	uint32_t compared;
} export_args;

typedef struct exporter {
	const export_args *args;
	context *c;
	const char *file;
	bool lines; /* JSON Lines */
	char *ids_file, *about_file;
	array_writer rows, ids;
	file_part text;
	uint64_t n;
	size_t dim;
	imgsearch_progress progress;
	/* of the blocks, copied */
	char *model, *weights_hash;
	float *mean;
	uint32_t metric;
} exporter;

static const char *const metrics[] = { "cosine", "l2", "ip" };

/* --------------------------------------------------------------------------------- files ---- */

static bool ends_in(const char *text, const char *ending)
{
	size_t n = strlen(text), m = strlen(ending);
	return n > m && !strcmp(text + n - m, ending);
}

/* The file's name with another ending; NULL: no memory. */
static char *beside(const char *file, const char *ending)
{
	char *name;
	int n = (int)(strrchr(file, '.') - file);
	return asprintf(&name, "%.*s%s", n, file, ending) < 0 ? NULL : name;
}

static bool open_files(exporter *x, size_t dim)
{
	return x->lines ? file_part_open(&x->text, x->file)
					: array_writer_open(&x->rows, x->file, ARRAY_F32, dim, 2)
			&& array_writer_open(&x->ids, x->ids_file, ARRAY_I64, 1, 1);
}

static bool close_files(exporter *x, bool good)
{
	if (x->text.file)
		good = file_part_close(&x->text, good) && good;
	if (x->rows.file)
		good = array_writer_close(&x->rows, good) && good;
	if (x->ids.file)
		good = array_writer_close(&x->ids, good) && good;
	return good;
}

static void write_numbers(json_writer *j, const char *key, const float *v, size_t n)
{
	json_write_open(j, key, '[');
	for (size_t i = 0; i < n; i++)
		json_write_float(j, NULL, v[i]);
	json_write_close(j, ']');
}

/* What the vectors are; the last file to be written. */
static bool write_about(const exporter *x)
{
	file_part f;
	json_writer j;
	if (!file_part_open(&f, x->about_file))
		return false;
	json_write_begin(&j, f.file);
	json_write_path(&j, "vectors", x->file);
	if (x->ids_file)
		json_write_path(&j, "ids", x->ids_file);
	json_write_int(&j, "rows", (int64_t)x->n);
	json_write_int(&j, "dim", (int64_t)x->dim);
	json_write_text(&j, "metric", metrics[x->metric]);
	json_write_text(&j, "model", x->model);
	json_write_text(&j, "weights_hash", x->weights_hash);
	json_write_bool(&j, "compared", x->args->compared);
	if (x->mean)
		write_numbers(&j, "mean", x->mean, x->dim);
	json_write_end(&j);
	bool good = !ferror(f.file);
	if (!good)
		cli_fail("%s: cannot write", x->about_file);
	return file_part_close(&f, good) && good;
}

/* -------------------------------------------------------------------------------- blocks ---- */

static bool begin(exporter *x, const imgsearch_vectors_export_block *b)
{
	x->dim = b->dim;
	x->metric = b->metric;
	x->progress.total = b->total;
	x->model = b->model ? strdup(b->model) : NULL;
	x->weights_hash = b->weights_hash ? strdup(b->weights_hash) : NULL;
	x->mean = b->mean ? malloc(b->dim * sizeof *x->mean) : NULL;
	if ((b->model && !x->model) || (b->weights_hash && !x->weights_hash) || (b->mean && !x->mean))
		return cli_nomem() == CLI_DONE;
	if (b->mean)
		memcpy(x->mean, b->mean, b->dim * sizeof *x->mean);
	return open_files(x, b->dim);
}

static void write_line(FILE *f, const imgsearch_item *item, const float *row, size_t dim)
{
	json_writer j;
	json_write_begin(&j, f);
	item_write_members(&j, item);
	write_numbers(&j, "vector", row, dim);
	json_write_end(&j);
}

static bool write_lines(exporter *x, const imgsearch_vectors_export_block *b)
{
	for (size_t i = 0; i < b->count; i++)
		write_line(x->text.file, b->items[i], b->rows + i * b->dim, b->dim);
	return !ferror(x->text.file) || cli_fail("%s: cannot write", x->file) == CLI_DONE;
}

static int export_block(void *user, const imgsearch_vectors_export_block *b)
{
	exporter *x = user;
	if (!x->n && !begin(x, b))
		return 1;
	bool good = x->lines ? write_lines(x, b)
						 : array_writer_add(&x->rows, b->rows, b->count)
			&& array_writer_add(&x->ids, b->ids, b->count);
	if (!good)
		return 1;
	x->n += b->count;
	return interrupt_pending() ? 2 : 0;
}

/* ----------------------------------------------------------------------------------- run ---- */

static int check_names(exporter *x)
{
	x->lines = ends_in(x->file, ".jsonl");
	if (!x->lines && !ends_in(x->file, ".npy") && !ends_in(x->file, ".fbin"))
		return command_usage(x->c->command, "%s: the name ends in none of .npy, .fbin and .jsonl",
			x->file);
	x->ids_file = x->lines ? NULL : beside(x->file, ".ids.npy");
	x->about_file = beside(x->file, ".json");
	if (!x->about_file || (!x->lines && !x->ids_file))
		return cli_nomem();
	return file_may_write(x->c->s, x->file) && file_may_write(x->c->s, x->about_file)
			&& (x->lines || file_may_write(x->c->s, x->ids_file))
		? CLI_DONE
		: CLI_FAILED;
}

static void report(const exporter *x)
{
	json_writer j;
	if (x->c->common->json) {
		json_write_begin(&j, stdout);
		json_write_path(&j, "path", x->file);
		json_write_int(&j, "rows", (int64_t)x->n);
		json_write_int(&j, "dim", (int64_t)x->dim);
		json_write_end(&j);
	}
	context_print(x->c, "%s: vectors (%llu, %zu), described in %s", x->file,
		(unsigned long long)x->n, x->dim, x->about_file);
}

static int export_all(exporter *x)
{
	imgsearch_vectors_export_options o = {
		.struct_size = sizeof o,
		.model = x->c->common->of_model,
		.with_items = x->lines,
		.compared = x->args->compared,
	};
	imgsearch_error err;
	int stopped = imgsearch_vectors_export(x->c->s, &o, export_block, x, &x->c->call, &err), rc;
	rc = stopped < 0   ? context_error(x->c, &err)
		: stopped == 2 ? CLI_INTERRUPTED
		: stopped      ? CLI_FAILED
		: x->n         ? CLI_DONE
					   : cli_fail("%s: the index holds no vectors; nothing was written", x->file);
	if (!close_files(x, rc == CLI_DONE) && rc == CLI_DONE)
		rc = CLI_FAILED;
	if (rc == CLI_DONE && !write_about(x))
		rc = CLI_FAILED;
	if (rc == CLI_DONE)
		report(x);
	return rc;
}

static int run(context *c, void *args)
{
	exporter x = { .args = args, .c = c, .file = c->operand[0] };
	int rc = context_open(c, false);
	if (rc == CLI_DONE)
		rc = check_names(&x);
	if (rc == CLI_DONE)
		rc = export_all(&x);
	free(x.ids_file);
	free(x.about_file);
	free(x.model);
	free(x.weights_hash);
	free(x.mean);
	return rc;
}

static const option options[] = {
	{ "compared", 0, OPT_FLAG, offsetof(export_args, compared),
		.help = "write the vectors as queries compare them: the mean of all subtracted where the "
				"index does so, and of length 1 for cosine" },
	OPT_END,
};

const command cmd_export = {
	.name = "export",
	.operands = "FILE",
	.summary = "write the index for other programs",
	.text =
		"Writes all vectors of the index in order of their ids, from one state of it. FILE ends "
		"in .npy (NumPy), in .fbin (numbers of rows and values as uint32, then float32 rows) or "
		"in .jsonl: there a line is an object with id, path, columns and vector. Beside "
		"features.npy lie features.ids.npy, the ids as int64, and features.json: the number of "
		"rows and values, the metric, the name of the model and the hash of its weights.\n\n"
		"The vectors are as they were extracted. With --compared they give other programs the "
		"same order of results as a query.\n\n"
		"\timgsearch export --compared photos.npy\n"
		"\timgsearch export photos.jsonl --db postgresql://user@host/photos",
	.options = options,
	.groups = GROUP_DB | GROUP_PARTIAL | GROUP_JSON | GROUP_VECTORS,
	.args_size = sizeof(export_args),
	.run = run,
	.min_operands = 1,
	.max_operands = 1,
};
