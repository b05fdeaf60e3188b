/* imgsearch model list, model info: what there is, and what is known of it. */
#include "cli/base/json_writer.h"
#include "cli/base/message.h"
#include "cli/base/text.h"
#include "cli/context/context.h"
#include "cli/output/record.h"

#include <string.h>
#include <sys/stat.h>

typedef struct model_args {
	common_args common;
	uint32_t all;
} model_args;

/*
 * The bytes of a model: as stated, else of the weights that are here; 0: not known. Small files
 * beside the weights are often stated without a size.
 */
static uint64_t size_of(const imgsearch_model *m)
{
	uint64_t bytes = 0;
	struct stat st;
	for (size_t i = 0; i < m->n_files && m->files[0]->bytes; i++)
		bytes += m->files[i]->bytes;
	if (!m->n_files && m->weights && stat(m->weights, &st) == 0)
		bytes = (uint64_t)st.st_size;
	return bytes;
}

static const char *interpolation(const imgsearch_model *m)
{
	return m->interpolation == IMGSEARCH_INTERPOLATION_BICUBIC ? "bicubic" : "bilinear";
}

/* ---------------------------------------------------------------------------------- json ---- */

static void write_file(json_writer *j, const imgsearch_model_file *f)
{
	json_write_open(j, NULL, '{');
	json_write_text(j, "name", f->name);
	json_write_text(j, "url", f->url);
	if (f->bytes)
		json_write_int(j, "bytes", (int64_t)f->bytes);
	else
		json_write_text(j, "bytes", NULL);
	json_write_int(j, "bytes_off", (int64_t)f->bytes_off);
	json_write_text(j, "sha256", f->sha256);
	json_write_text(j, "sha256_from", f->sha256_from);
	json_write_text(j, "kept_sha256", f->kept_sha256);
	json_write_text(j, "checked", f->checked);
	json_write_text(j, "added", f->added);
	json_write_close(j, '}');
}

static void write_three(json_writer *j, const char *key, const float v[3])
{
	json_write_open(j, key, '[');
	for (int i = 0; i < 3; i++)
		json_write_float(j, NULL, v[i]);
	json_write_close(j, ']');
}

static void write_model(const imgsearch_model *m)
{
	json_writer j;
	json_write_begin(&j, stdout);
	json_write_text(&j, "name", m->name);
	json_write_text(&j, "network", m->network);
	json_write_text(&j, "publisher", m->publisher);
	json_write_text(&j, "licence", m->licence);
	json_write_text(&j, "terms", m->terms);
	json_write_text(&j, "good_at", m->good_at);
	json_write_bool(&j, "suggested", m->suggested);
	json_write_int(&j, "dim", m->dim);
	json_write_int(&j, "resize", m->resize);
	json_write_int(&j, "crop", m->crop);
	json_write_text(&j, "interpolation", interpolation(m));
	json_write_bool(&j, "squash", m->squash);
	write_three(&j, "mean", m->mean);
	write_three(&j, "std", m->std);
	json_write_path(&j, "weights", m->weights);
	json_write_bool(&j, "added", m->added);
	json_write_text(&j, "note", m->note);
	json_write_open(&j, "files", '[');
	for (size_t i = 0; i < m->n_files; i++)
		write_file(&j, m->files[i]);
	json_write_close(&j, ']');
	json_write_end(&j);
}

/* ---------------------------------------------------------------------------------- list ---- */

typedef struct listing {
	const context *c;
	bool rest; /* those that are not to choose from first */
	unsigned n, others;
} listing;

static const char *state_of(const imgsearch_model *m)
{
	return m->weights ? "here" : m->publisher ? "pull" : "-";
}

/* 80 columns for the models of the list that comes along. */
static void print_row(const imgsearch_model *m)
{
	char size[16] = "-";
	uint64_t bytes = size_of(m);
	if (bytes)
		snprintf(size, sizeof size, "%.0f", (double)bytes / 1e6);
	printf("%-25s %-26s %4s %4u %-12s %s\n", m->name, m->good_at ? m->good_at : "-", size, m->dim,
		m->licence ? m->licence : "-", state_of(m));
}

static int list_one(void *user, const imgsearch_model *m)
{
	listing *l = user;
	bool first = m->suggested || m->weights;
	l->others += !first;
	if (first == l->rest)
		return 0;
	if (l->c->common->json) {
		write_model(m);
		return 0;
	}
	if (l->n++ == 0 && !l->rest)
		printf("%-25s %-26s %4s %4s %s\n", "NAME", "GOOD AT", "MB", "DIM", "LICENCE");
	print_row(m);
	return 0;
}

static int run_list(context *c, void *args)
{
	listing l = { .c = c };
	imgsearch_error err;
	bool all = ((const model_args *)args)->all;
	int rc = imgsearch_model_each(list_one, &l, &err);
	if (rc == 0 && all) {
		l.rest = true;
		rc = imgsearch_model_each(list_one, &l, &err);
	}
	if (rc < 0)
		return context_error(c, &err);
	if (c->common->json)
		return CLI_DONE;
	if (!all)
		context_print(c, "%u more with --all", l.others);
	context_print(c,
		"to get one: imgsearch model pull NAME; then: imgsearch index --model NAME FOLDER");
	return CLI_DONE;
}

static const option list_options[] = {
	{ "all", 'a', OPT_FLAG, offsetof(model_args, all),
		.help = "every model and network, not only some to choose from and those that are here" },
	OPT_END,
};

const command cmd_model_list = {
	.name = "model list",
	.operands = "",
	.summary = "list the models, and which are here",
	.text =
		"Lists models to choose from: name, what it is good at, megabytes to fetch, values of a "
		"feature (what the index keeps of each picture, 4 bytes a value), licence, and \"here\" or "
		"\"pull\" (imgsearch model pull NAME fetches it). \"-\": a network of which no weights are "
		"published; give them with --weights FILE. With --all these come first, then the others."
		"\n\n"
		"\timgsearch model list --all\n"
		"\timgsearch model pull dinov2_vits14\n"
		"\timgsearch index --model dinov2_vits14 ~/Pictures",
	.options = list_options,
	.groups = GROUP_JSON,
	.args_size = sizeof(model_args),
	.run = run_list,
};

/* ---------------------------------------------------------------------------------- info ---- */

static void print_text(const char *title, const char *text)
{
	if (text)
		printf("%-14s%s\n", title, text);
}

static void print_file(const imgsearch_model_file *f)
{
	printf("\nfile          %s\n", f->name);
	print_text("  address", f->url);
	if (f->bytes)
		printf("  bytes       %s%llu\n", f->bytes_off ? "about " : "",
			(unsigned long long)f->bytes);
	if (f->sha256_from)
		printf("  SHA-256     %s (from: %s)\n", f->sha256, f->sha256_from);
	else
		print_text("  SHA-256",
			f->kept_sha256 ? "the publisher states none"
						   : "the publisher states none; the server may");
	if (f->kept_sha256) {
		printf("  here        %s\n", f->kept_sha256);
		printf("  checked     %s\n",
			f->checked ? f->checked : "by nothing: nobody states its hash");
		print_text("  since", f->added);
	}
}

static void print_model(const imgsearch_model *m)
{
	print_text("name", m->name);
	print_text("network", m->network);
	print_text("publisher", m->publisher);
	print_text("licence", m->licence);
	print_text("terms", m->terms);
	print_text("good at", m->good_at);
	print_text("note", m->note);
	printf("feature       %u values\n", m->dim);
	printf("resize, crop  %u, %u pixels, %s%s\n", m->resize, m->crop, interpolation(m),
		m->squash ? ", both sides resized" : "");
	printf("mean          %g %g %g\n", (double)m->mean[0], (double)m->mean[1], (double)m->mean[2]);
	printf("deviation     %g %g %g\n", (double)m->std[0], (double)m->std[1], (double)m->std[2]);
	printf("weights       ");
	record_path(m->weights ? m->weights
			: m->publisher ? "not here, and never downloaded here"
						   : "not here; no weights are published");
	putchar('\n');
	for (size_t i = 0; i < m->n_files; i++)
		print_file(m->files[i]);
}

typedef struct asked {
	const context *c;
	const char *name;
} asked;

static int show_if_asked(void *user, const imgsearch_model *m)
{
	const asked *a = user;
	if (strcmp(m->name, a->name))
		return 0;
	if (a->c->common->json)
		write_model(m);
	else
		print_model(m);
	return 1;
}

static int run_info(context *c, void *args)
{
	imgsearch_error err;
	asked a = { c, c->operand[0] };
	(void)args;
	int rc = imgsearch_model_each(show_if_asked, &a, &err);
	if (rc < 0)
		return context_error(c, &err);
	return rc ? CLI_DONE
			  : cli_fail("%s: no such model; `imgsearch model list --all` lists them", a.name);
}

static const option info_options[] = { OPT_END };

const command cmd_model_info = {
	.name = "model info",
	.operands = "NAME",
	.summary = "show what is known of a model",
	.text = "Shows a model: publisher, licence, recipe, and its files with their addresses, sizes "
			"and hashes, and where the hashes were read. Of a model that is here it also shows "
			"what was downloaded, and what that was checked against.\n\n"
			"\timgsearch model info resnet50_v2",
	.options = info_options,
	.groups = GROUP_JSON,
	.args_size = sizeof(model_args),
	.run = run_info,
	.min_operands = 1,
	.max_operands = 1,
};
