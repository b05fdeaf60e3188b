/* imgsearch models: the networks that are built in, and the weights that were found for them. */
#include "cli/base/json_writer.h"
#include "cli/base/message.h"
#include "cli/context/context.h"
#include "cli/output/record.h"

typedef struct models_args {
	common_args common;
} models_args;

static const option options[] = { OPT_END };

static int each(void *user, const imgsearch_model *m)
{
	const context *c = user;
	if (c->common->json) {
		json_writer j;
		json_write_begin(&j, stdout);
		json_write_text(&j, "name", m->name);
		json_write_int(&j, "dim", m->dim);
		json_write_int(&j, "resize", m->resize);
		json_write_int(&j, "crop", m->crop);
		json_write_text(&j, "interpolation",
			m->interpolation == IMGSEARCH_INTERPOLATION_BICUBIC ? "bicubic" : "bilinear");
		json_write_bool(&j, "squash", m->squash);
		json_write_path(&j, "weights", m->weights);
		json_write_text(&j, "note", m->note);
		json_write_end(&j);
		return 0;
	}
	printf("%-18s %5u values  %3u %s %3u pixels  ", m->name, m->dim, m->resize,
		m->squash ? " x" : "->", m->crop);
	record_path(m->weights ? m->weights : "-");
	if (m->note)
		printf("  (%s)", m->note);
	putchar('\n');
	return 0;
}

static int run(context *c, void *args)
{
	imgsearch_error err;
	(void)args;
	return imgsearch_model_each(each, c, &err) < 0 ? context_error(c, &err) : CLI_DONE;
}

const command cmd_models = {
	.name = "models",
	.operands = "",
	.summary = "list the networks, and which have weights",
	.text =
		"Lists the networks: name, length of the feature, resize and crop, and "
		"the weights that were found (\"-\": none; give them with --weights FILE: torchvision's "
		".pth files, .safetensors or TorchScript).\n\n"
		"\timgsearch index --model resnet50 --weights resnet50.pth ~/Pictures",
	.options = options,
	.groups = GROUP_JSON,
	.args_size = sizeof(models_args),
	.run = run,
};
