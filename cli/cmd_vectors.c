/*
 * imgsearch vectors import, imgsearch vectors export: vectors of the caller in and out of an index,
 * as array files. Both work in blocks, so the memory does not depend on the number of rows.
 */
#include "cli/array/array_writer.h"
#include "cli/base/file.h"
#include "cli/base/json_writer.h"
#include "cli/base/message.h"
#include "cli/context/context.h"
#include "cli/context/interrupt.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 32 << 20 };

typedef struct vectors_args {
	common_args common;
	const char *ids, *metric;
	uint32_t f16;
} vectors_args;

static void print_json(const context *c, const char *file, size_t rows, size_t dim)
{
	json_writer j;
	if (!c->common->json)
		return;
	json_write_begin(&j, stdout);
	json_write_path(&j, "path", file);
	json_write_int(&j, "rows", (int64_t)rows);
	json_write_int(&j, "dim", (int64_t)dim);
	json_write_end(&j);
}

/* ---------------------------------------------------------------------------------- import ---- */

typedef struct importer {
	context *c;
	const char *file;
	array rows, ids;
	bool with_ids;
	float *row; /* a block of them */
	int64_t *id;
	size_t at_once;
} importer;

static int import_block(importer *m, size_t first, size_t n)
{
	imgsearch_error err;
	array_rows(&m->rows, first, n, m->row);
	for (size_t i = 0; m->with_ids && i < n; i++)
		m->id[i] = array_id(&m->ids, first + i);
	imgsearch_vectors_add_options o = {
		.struct_size = sizeof o,
		.ids = m->with_ids ? m->id : NULL,
	};
	if (imgsearch_vectors_add(m->c->s, m->row, n, m->rows.dim, &o, &m->c->call, NULL, &err))
		return err.code == IMGSEARCH_ECANCELED
			? CLI_INTERRUPTED
			: cli_fail("%s: from row %zu on: %s", m->file, first, err.message);
	return CLI_DONE;
}

static int import_all(importer *m)
{
	size_t total = m->rows.n;
	int rc = CLI_DONE;
	m->row = malloc(m->at_once * m->rows.dim * sizeof(float));
	m->id = malloc(m->at_once * sizeof(int64_t));
	if (!m->row || !m->id)
		rc = cli_nomem();
	for (size_t first = 0; rc == CLI_DONE && first < total; first += m->at_once) {
		size_t n = total - first < m->at_once ? total - first : m->at_once;
		rc = interrupt_pending() ? CLI_INTERRUPTED : import_block(m, first, n);
		imgsearch_progress p = { .stage = "import", .done = first + n, .total = total };
		progress_show(m->c->progress, &p);
	}
	free(m->row);
	free(m->id);
	if (rc == CLI_DONE) {
		print_json(m->c, m->file, total, m->rows.dim);
		context_print(m->c, "%s: vectors (%zu, %zu) imported; for fast queries: imgsearch build%s",
			m->file, total, m->rows.dim, context_db_option(m->c));
	}
	return rc;
}

static int check_files(const importer *m, const char *ids)
{
	if (m->rows.type == ARRAY_I64)
		return cli_fail("%s: vectors must be float32 or float16, not integers", m->file);
	if (m->with_ids && (m->ids.type != ARRAY_I64 || m->ids.dim != 1))
		return cli_fail("%s: ids must be one column of int64", ids);
	if (m->with_ids && m->ids.n != m->rows.n)
		return cli_fail("%s: %zu ids for %zu rows", ids, m->ids.n, m->rows.n);
	return CLI_DONE;
}

static const char *const metrics[] = { "cosine", "l2", "ip", NULL };

static uint32_t metric_of(const char *name)
{
	uint32_t metric = 0;
	while (name && strcmp(name, metrics[metric]))
		metric++;
	return metric;
}

/* An index that is there has the metric that was asked for, if any was. */
static int check_metric(context *c, const char *asked)
{
	imgsearch_info *info = NULL;
	imgsearch_error err;
	if (asked && imgsearch_info_get(c->s, &c->call, &info, &err))
		return context_error(c, &err);
	uint32_t own = info ? info->metric : 0;
	imgsearch_info_free(info);
	return !asked || own == metric_of(asked)
		? CLI_DONE
		: cli_fail("%s: the index has the metric %s; leave --metric out, or name another file with "
				   "--db FILE",
			context_shown(c), metrics[own]);
}

/* A new index takes its space from here; one that is there has its own. */
static int open_target(const importer *m, const char *db, const char *metric)
{
	context *c = m->c;
	imgsearch_options o = context_options(c);
	imgsearch_error err;
	o.must_exist = 1;
	if (!imgsearch_open(db, &o, &c->call, &c->s, &err))
		return check_metric(c, metric);
	if (err.code != IMGSEARCH_ENOTFOUND && err.code != IMGSEARCH_EDB) /* an empty file is EDB */
		return context_error(c, &err);
	o.must_exist = 0;
	o.dim = (uint32_t)m->rows.dim;
	o.metric = metric_of(metric);
	return context_open_at(c, db, &o);
}

static int import_run(context *c, void *args)
{
	const vectors_args *a = args;
	importer m = { .c = c, .file = c->operand[0] };
	const char *db = context_db(c);
	if (!db || !array_open(&m.rows, c->operand[0]))
		return CLI_FAILED;
	m.with_ids = a->ids != NULL;
	int rc = !a->ids || array_open(&m.ids, a->ids) ? check_files(&m, a->ids) : CLI_FAILED;
	m.at_once = BLOCK_BYTES / (4 * m.rows.dim) + 1;
	if (rc == CLI_DONE)
		rc = context_refuse_memory(db);
	if (rc == CLI_DONE)
		rc = open_target(&m, db, a->metric);
	if (rc == CLI_DONE)
		rc = import_all(&m);
	array_close(&m.rows);
	array_close(&m.ids);
	return rc;
}

/* ---------------------------------------------------------------------------------- export ---- */

typedef struct exporter {
	const vectors_args *args;
	const char *file;
	array_writer rows, ids;
	imgsearch_progress progress;
	context *c;
} exporter;

static int export_block(void *user, const imgsearch_vectors_export_block *b)
{
	exporter *x = user;
	if (!x->rows.file
		&& !array_writer_open(&x->rows, x->file, x->args->f16 ? ARRAY_F16 : ARRAY_F32, b->dim, 2))
		return 1;
	if (x->args->ids && !x->ids.file && !array_writer_open(&x->ids, x->args->ids, ARRAY_I64, 1, 1))
		return 1;
	if (!array_writer_add(&x->rows, b->rows, b->count)
		|| (x->args->ids && !array_writer_add(&x->ids, b->ids, b->count)))
		return 1;
	x->progress.done += b->count;
	x->progress.total = b->total;
	progress_show(x->c->progress, &x->progress);
	return interrupt_pending();
}

static int export_run(context *c, void *args)
{
	exporter x = { .args = args, .file = c->operand[0], .c = c, .progress = { .stage = "export" } };
	imgsearch_vectors_export_options o = { sizeof o, .model = c->common->of_model };
	imgsearch_error err;
	int rc = context_open(c, false);
	if (rc)
		return rc;
	if (!file_may_write(c->s, x.file) || (x.args->ids && !file_may_write(c->s, x.args->ids)))
		return CLI_FAILED;
	int stopped = imgsearch_vectors_export(c->s, &o, export_block, &x, &c->call, &err);
	bool good = stopped == 0 && x.rows.file;
	if (stopped < 0)
		rc = context_error(c, &err);
	else if (stopped > 0)
		rc = CLI_FAILED;
	else if (!x.rows.file)
		rc = cli_fail("%s: the index holds no vectors; nothing was written", x.file);
	if (!array_writer_close(&x.rows, good) && good)
		rc = CLI_FAILED;
	if (x.ids.file && !array_writer_close(&x.ids, good) && good)
		rc = CLI_FAILED;
	if (rc == CLI_DONE) {
		print_json(c, x.file, x.rows.n, x.rows.dim);
		context_print(c, "%s: vectors (%zu, %zu)", x.file, x.rows.n, x.rows.dim);
	}
	return rc;
}

#define AT(member) offsetof(vectors_args, member)
static const option import_options[] = {
	{ "ids", 0, OPT_FILE, AT(ids), "FILE.npy",
		.help =
			"ids of the rows, int64 (default: counted on from the largest id ever given, from 0 in "
			"a new index)" },
	{ "metric", 0, OPT_CHOICE, AT(metric), "NAME",
		.help = "metric of a new index (default: cosine)", .choices = metrics },
	OPT_END,
};

const command cmd_vectors_import = {
	.name = "vectors import",
	.operands = "FILE.npy",
	.summary = "add your own vectors to an index",
	.text = "Adds the rows of a .npy (float32 or float16), .fvecs or .fbin file to an "
			"index, which is created if need be. Such an index needs no network and no pictures. A "
			"row with the id of a stored vector replaces it.\n\n"
			"\timgsearch vectors import features.npy --ids ids.npy --metric l2 --db features.db\n"
			"\timgsearch query --vectors queries.npy -k 10 --ids found.npy --db features.db",
	.options = import_options,
	.groups = GROUP_DB | GROUP_THREADS | GROUP_JSON,
	.args_size = sizeof(vectors_args),
	.run = import_run,
	.min_operands = 1,
	.max_operands = 1,
};

static const option export_options[] = {
	{ "ids", 0, OPT_FILE, AT(ids), "FILE.npy", .help = "write the ids here, int64" },
	{ "f16", 0, OPT_FLAG, AT(f16), .help = "write float16 (.npy only)" },
	OPT_END,
};

const command cmd_vectors_export = {
	.name = "vectors export",
	.operands = "FILE.npy",
	.summary = "write the vectors of the index as an array file",
	.text = "Writes all vectors of the index in order of their ids, as they were extracted "
			"(not normalised), to a .npy, .fvecs or .fbin file of float32.\n\n"
			"\timgsearch vectors export features.npy --ids ids.npy",
	.options = export_options,
	.groups = GROUP_DB | GROUP_PARTIAL | GROUP_VECTORS | GROUP_JSON,
	.args_size = sizeof(vectors_args),
	.run = export_run,
	.min_operands = 1,
	.max_operands = 1,
};
