/*
 * imgsearch models: the networks that are built in, and the weights that were found for them.
 */
#include "cli/base/cli.h"

typedef struct models_args {
	common_args common;
} models_args;

static const opt options[] = { OPT_END };

static int each(void *user, const imgsearch_model_info *m)
{
	const cli *c = user;
	if (c->common->json) {
		json j;
		json_begin(&j, stdout);
		json_text(&j, "name", m->name);
		json_int(&j, "dim", m->dim);
		json_int(&j, "resize", m->resize);
		json_int(&j, "crop", m->crop);
		json_text(&j, "interpolation", m->interpolation == IMGSEARCH_BICUBIC ? "bicubic" : "bilinear");
		json_path(&j, "weights", m->weights);
		json_text(&j, "note", m->note);
		json_end(&j);
		return 0;
	}
	printf("%-18s %5u values  %3u -> %3u pixels  ", m->name, m->dim, m->resize, m->crop);
	out_path(m->weights ? m->weights : "-");
	if (m->note)
		printf("  (%s)", m->note);
	putchar('\n');
	return 0;
}

static int run(cli *c, void *args)
{
	imgsearch_error err;
	(void)args;
	return imgsearch_models(each, c, &err) < 0 ? cli_error(&err) : CLI_DONE;
}

const cmd cmd_models = {
	.name = "models", .operands = "", .summary = "the networks that are built in, and which have weights",
	.text = "Lists the networks: name, length of the feature, resize and crop, and the weights that were found (\"-\": none; give "
		"them with --weights FILE, which takes torchvision's .pth files, .safetensors and TorchScript).\n\n"
		"\timgsearch index --model resnet50 --weights resnet50.pth ~/Pictures",
	.options = options, .groups = GROUP_JSON, .args_size = sizeof(models_args), .run = run
};
