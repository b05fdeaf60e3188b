/*
 * imgsearch train: fine-tunes a network on a folder of classes, or to imitate other networks
 * (--distill). Needs no index.
 */
#include "cli/base/file.h"
#include "cli/base/json_writer.h"
#include "cli/base/message.h"
#include "cli/base/text.h"
#include "cli/context/context.h"
#include "imgsearch/train.h"

#include <math.h>
#include <stdlib.h>

typedef struct train_args {
	common_args common;
	const char *out, *teachers, *name, *descent, *licence, *note;
	uint32_t loss, layers, dim, epochs, steps, batch, views, patience, resume, restart, f32, int8,
		posteriors, size;
	float rate, validation, min_crop, jitter, anchor, blend, relational, label_weight, whiten,
		decay;
	uint64_t seed;
	option_list holdout;
	const char *teach;
	uint32_t whole, together, fold;
	float probabilities, inner, own, power;
} train_args;

static const char *const losses[] = { "ce", "supcon", "arcface", NULL };

/* Two defaults: of training on labels, and of --distill. */
#define WITH_DISTILL(labels, distill) \
	OPTION_TEXT(labels) "; " OPTION_TEXT(distill) " with --distill"

#define AT(member) offsetof(train_args, member)
static const option options[] = {
	{ "out", 'o', OPT_FILE, AT(out), "FILE",
		.help = "the weights to write (.safetensors); the card is put beside it" },
	{ "distill", 0, OPT_TEXT, AT(teachers), "NAME=FILE,...",
		.help = "imitate these networks (or weights files with a card)" },
	{ "loss", 0, OPT_ENUM, AT(loss), "LOSS", .help = "cross entropy, or one made for retrieval",
		.def = "ce", .choices = losses },
	{ "layers", 0, OPT_UINT, AT(layers), "N", .help = "only the last N layers learn; 0: all",
		.min = 0, .max = 100000, .def = "0" },
	{ "size", 0, OPT_UINT, AT(size), "PIXELS",
		.help = "side of the input; resized to 8/7 of it before (default: the network's)",
		.min = IMGSEARCH_CROP_MIN, .max = 1024 },
	{ "dim", 0, OPT_UINT, AT(dim), "N", .help = "add a linear layer with N outputs at the end",
		.shown = "none; " OPTION_TEXT(IMGSEARCH_DISTILL_DIM_DEFAULT) " with --distill", .min = 1,
		.max = IMGSEARCH_DIM_MAX },
	{ "posteriors", 0, OPT_FLAG, AT(posteriors),
		.help = "the layer of --dim also sees the probabilities of the classes that the network "
				"knows" },
	{ "inner", 0, OPT_FLOAT, AT(inner), "WEIGHT",
		.help = "the layer of --dim also sees the means of inner blocks' maps, each of this length "
				"beside the last mean of length 1",
		.min = 0, .max = 1000, .def = "0" },
	{ "power", 0, OPT_FLOAT, AT(power), "P",
		.help = "the layer of --dim sees the last mean raised to P: few strong channels count less",
		.min = 0, .max = 1, .def = "1" },
	{ "fold", 0, OPT_FLAG, AT(fold),
		.help = "batch norms become part of their convolutions before anything is learned" },
	{ "epochs", 0, OPT_UINT, AT(epochs), "N", .help = "times that each picture is seen", .min = 1,
		.max = 1000000, .def = OPTION_TEXT(IMGSEARCH_TRAIN_EPOCHS_DEFAULT) },
	{ "steps", 0, OPT_UINT, AT(steps), "N", .help = "steps, instead of epochs", .min = 1,
		.max = 100000000 },
	{ "batch", 0, OPT_UINT, AT(batch), "N", .help = "pictures a step", .min = 2,
		.max = IMGSEARCH_TRAIN_BATCH_MAX, .def = OPTION_TEXT(IMGSEARCH_TRAIN_BATCH_DEFAULT) },
	{ "lr", 0, OPT_FLOAT, AT(rate), "RATE", .help = "peak learning rate",
		.shown = WITH_DISTILL(IMGSEARCH_TRAIN_RATE_DEFAULT, IMGSEARCH_DISTILL_RATE_DEFAULT),
		.min = 1e-8, .max = 10 },
	{ "val", 0, OPT_FLOAT, AT(validation), "SHARE",
		.help = "share of the pictures held out for validation; negative: none", .min = -1,
		.max = 0.9, .def = OPTION_TEXT(IMGSEARCH_TRAIN_VALIDATION_DEFAULT) },
	{ "holdout", 0, OPT_LIST, AT(holdout), "DIR",
		.help = "a folder that is never trained on, also where it is below DIR: how the network "
				"does on it is measured at the start and after each epoch (may be repeated)" },
	{ "patience", 0, OPT_UINT, AT(patience), "N", .help = "stop after N validations without a gain",
		.min = 1, .max = 4294967295.0, .def = OPTION_TEXT(IMGSEARCH_TRAIN_PATIENCE_DEFAULT) },
	{ "min-crop", 0, OPT_FLOAT, AT(min_crop), "SHARE",
		.help = "smallest share of a picture in a crop",
		.shown = WITH_DISTILL(IMGSEARCH_TRAIN_MIN_CROP_DEFAULT, IMGSEARCH_DISTILL_MIN_CROP_DEFAULT),
		.min = 0.01, .max = 1 },
	{ "jitter", 0, OPT_FLOAT, AT(jitter), "SHARE",
		.help = "how much brightness, contrast and saturation vary; negative: none", .min = -1,
		.max = 0.9, .def = OPTION_TEXT(IMGSEARCH_TRAIN_JITTER_DEFAULT) },
	{ "anchor", 0, OPT_FLOAT, AT(anchor), "PULL",
		.help = "pull of the weights towards the starting ones", .min = 0, .max = 1000,
		.def = "0" },
	{ "blend", 0, OPT_FLOAT, AT(blend), "SHARE",
		.help = "share of the starting weights in the network that is validated and written",
		.min = 0, .max = 1, .def = "0" },
	{ "decay", 0, OPT_FLOAT, AT(decay), "DECAY",
		.help = "weight decay of new layers; negative: none", .min = -1, .max = 10,
		.def = OPTION_TEXT(IMGSEARCH_TRAIN_DECAY_DEFAULT) },
	{ "views", 0, OPT_UINT, AT(views), "N",
		.help = "--distill: crops of each picture that the teachers see", .min = 1,
		.max = IMGSEARCH_TRAIN_VIEWS_MAX, .def = OPTION_TEXT(IMGSEARCH_TRAIN_VIEWS_DEFAULT) },
	{ "teach", 0, OPT_FILE, AT(teach), "FILE",
		.help = "--distill: keep what the teachers say in this file; runs with the same teachers, "
				"--seed, --min-crop and --whole share it" },
	{ "whole", 0, OPT_FLAG, AT(whole),
		.help = "--distill: the first view is the whole picture, as when it is indexed" },
	{ "together", 0, OPT_UINT, AT(together), "N",
		.help = "--distill: N views of a picture side by side in a batch", .min = 1, .max = 1024,
		.def = OPTION_TEXT(IMGSEARCH_TRAIN_TOGETHER_DEFAULT) },
	{ "probabilities", 0, OPT_FLOAT, AT(probabilities), "WEIGHT",
		.help = "--distill: weight of the teachers' class probabilities beside their features; "
				"negative: none",
		.min = -1, .max = 1000, .def = OPTION_TEXT(IMGSEARCH_TRAIN_PROBABILITIES_DEFAULT) },
	{ "own", 0, OPT_FLOAT, AT(own), "WEIGHT",
		.help = "--distill: weight of the starting network's own features beside the teachers' in "
				"what is imitated",
		.min = 0, .max = 1000, .def = "0" },
	{ "relational", 0, OPT_FLOAT, AT(relational), "WEIGHT",
		.help = "--distill: weight of the similarities within a batch; negative: none", .min = -1,
		.max = 1000, .def = OPTION_TEXT(IMGSEARCH_TRAIN_RELATIONAL_DEFAULT) },
	{ "labels", 0, OPT_FLOAT, AT(label_weight), "WEIGHT",
		.help = "--distill: weight of the folders' classes", .min = 0, .max = 1000, .def = "0" },
	{ "whiten", 0, OPT_FLOAT, AT(whiten), "POWER",
		.help = "--distill: damp strong components by this power; negative: not", .min = -1,
		.max = 1, .def = OPTION_TEXT(IMGSEARCH_TRAIN_WHITEN_DEFAULT) },
	{ "seed", 0, OPT_U64, AT(seed), "N", .help = "seed of the random numbers", .def = "0" },
	{ "resume", 0, OPT_FLAG, AT(resume),
		.help = "go on from the checkpoint that an unfinished run left" },
	{ "restart", 0, OPT_FLAG, AT(restart), .help = "discard that checkpoint" },
	{ "f32", 0, OPT_FLAG, AT(f32), .help = "write 32-bit weights instead of 16-bit ones" },
	{ "int8", 0, OPT_FLAG, AT(int8),
		.help = "write large matrices in 8 bits, with a scale for each row; not with --f32" },
	{ "name", 0, OPT_TEXT, AT(name), "NAME",
		.help = "in the card: what the model is called (default: from --out)" },
	{ "descent", 0, OPT_TEXT, AT(descent), "TEXT", .help = "in the card: where it comes from" },
	{ "licence", 0, OPT_TEXT, AT(licence), "TEXT", .help = "in the card: its terms" },
	{ "note", 0, OPT_TEXT, AT(note), "TEXT", .help = "in the card: anything else" },
	OPT_END,
};

static imgsearch_train_options train_options(const train_args *a)
{
	return (imgsearch_train_options){
		.struct_size = sizeof(imgsearch_train_options),
		.out = a->out,
		.teachers = a->teachers,
		.name = a->name,
		.descent = a->descent,
		.licence = a->licence,
		.note = a->note,
		.loss = a->loss + 1,
		.layers = a->layers,
		.dim = a->dim,
		.posteriors = a->posteriors,
		.epochs = a->epochs,
		.steps = a->steps,
		.batch = a->batch,
		.views = a->views,
		.rate = a->rate,
		.validation = a->validation,
		.patience = a->patience,
		.min_crop = a->min_crop,
		.jitter = a->jitter,
		.anchor = a->anchor,
		.decay = a->decay,
		.blend = (double)a->blend,
		.relational = a->relational,
		.label_weight = a->label_weight,
		.whiten = a->whiten,
		.seed = a->seed,
		.resume = a->resume,
		.restart = a->restart,
		.f32 = a->f32,
		.int8 = a->int8,
		.holdout = a->holdout.item,
		.n_holdout = a->holdout.n,
		.teach = a->teach,
		.whole = a->whole,
		.together = a->together,
		.fold = a->fold,
		.inner = a->inner,
		.power = a->power,
		.own = a->own,
		.probabilities = a->probabilities,
	};
}

static void write_holdout(json_writer *j, const imgsearch_train_report *r)
{
	json_write_open(j, "holdout", '[');
	for (size_t i = 0; i < r->count; i++) {
		const imgsearch_train_holdout *h = r->items[i];
		json_write_open(j, NULL, '{');
		json_write_path(j, "folder", h->folder);
		json_write_int(j, "step", (int64_t)h->step);
		json_write_int(j, "queries", (int64_t)h->queries);
		json_write_real(j, "map", h->map);
		json_write_real(j, "accuracy", h->accuracy);
		json_write_int(j, "copies", (int64_t)h->copies);
		json_write_real(j, "duplicates", h->duplicates);
		json_write_close(j, '}');
	}
	json_write_close(j, ']');
}

static void print_json(const train_args *a, const imgsearch_train_report *r)
{
	json_writer j;
	json_write_begin(&j, stdout);
	json_write_text(&j, "out", a->out);
	json_write_int(&j, "pictures", (int64_t)r->pictures);
	json_write_int(&j, "classes", (int64_t)r->classes);
	json_write_int(&j, "held_out", (int64_t)r->held_out);
	json_write_int(&j, "failed", (int64_t)r->failed);
	json_write_int(&j, "steps", (int64_t)r->steps);
	json_write_int(&j, "dim", r->dim);
	json_write_real(&j, "loss", r->loss);
	json_write_real(&j, "accuracy", r->accuracy);
	json_write_real(&j, "validation_loss", r->validation_loss);
	json_write_real(&j, "validation_accuracy", r->validation_accuracy);
	json_write_real(&j, "seconds", r->seconds);
	json_write_real(&j, "images_per_second", r->images_per_second);
	json_write_bool(&j, "stopped_early", r->stopped_early);
	write_holdout(&j, r);
	json_write_end(&j);
}

/* Of the last step; --json and --verbose have the others. */
static void print_holdout(const context *c, const imgsearch_train_report *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const imgsearch_train_holdout *h = r->items[i];
		char classes[80] = "";
		if (h->step != r->items[r->count - 1]->step)
			continue;
		if (h->queries)
			snprintf(classes, sizeof classes, "mAP %.4f, first result right %.4f, ", h->map,
				h->accuracy);
		context_print(c, "held-out folder %s: %snear-duplicates found %.4f", h->folder, classes,
			h->duplicates);
	}
}

static void summarise(const context *c, const train_args *a, const imgsearch_train_report *r)
{
	const char *what = a->teachers ? "cosine to the teachers" : "accuracy";
	char speed[64] = "";
	if (r->images_per_second > 0) /* of the steps after the first */
		snprintf(speed, sizeof speed, ", %.1f images/s in the network", r->images_per_second);
	context_print(c,
		"%s: %llu step%s over %llu pictures of %llu classes (%llu held out) in %.0f s%s%s", a->out,
		(unsigned long long)r->steps, r->steps == 1 ? "" : "s", (unsigned long long)r->pictures,
		(unsigned long long)r->classes, (unsigned long long)r->held_out, r->seconds, speed,
		r->stopped_early ? "; stopped early" : "");
	context_print(c, "loss %.4f, %s %.4f", r->loss, what, r->accuracy);
	if (!isnan(r->validation_loss))
		context_print(c, "held out: loss %.4f, %s %.4f", r->validation_loss, what,
			r->validation_accuracy);
	print_holdout(c, r);
	if (r->failed)
		cli_warn("%llu files could not be used", (unsigned long long)r->failed);
	char *model = text_shell_word(a->out);
	context_print(c, "use it: imgsearch index DIR --model %s", model ? model : a->out);
	free(model);
}

static int run(context *c, void *args)
{
	train_args *a = args;
	imgsearch_train_report *report;
	imgsearch_error err;
	if (!a->out)
		return command_usage(c->command, "--out FILE is missing");
	if (a->size) {
		imgsearch_recipe *recipe = &a->common.recipe;
		recipe->crop = a->size;
		if (!recipe->resize && !recipe->squash)
			recipe->resize = (a->size * 8 + 3) / 7;
	}
	if (!file_may_write(NULL, a->out))
		return CLI_FAILED;
	imgsearch_options open = context_options(c);
	int rc = context_open_at(c, ":memory:", &open);
	if (rc)
		return rc;
	imgsearch_train_options o = train_options(a);
	if (imgsearch_train(c->s, c->operand[0], &o, &c->call, &report, &err))
		return context_error(c, &err);
	if (c->common->json)
		print_json(a, report);
	summarise(c, a, report);
	rc = report->failed ? CLI_SOME_FAILED : CLI_DONE;
	imgsearch_train_report_free(report);
	return rc;
}

const command cmd_train = {
	.name = "train",
	.operands = "DIR",
	.summary = "fine-tune a network on classes, or to imitate other networks",
	.text =
		"Trains on the pictures below DIR, whose classes are its first-level "
		"folders, and writes weights and their card, which --model accepts at once. The network "
		"that does best on the pictures held out is written.\n\n"
		"With --distill the network learns to give the features of one or more teacher networks "
		"on the same crops. No labels are needed: the features of the teachers are centred and "
		"projected onto their principal components, and a linear layer onto them is fitted before "
		"the rest is tuned.\n\n"
		"A run that was stopped or killed leaves FILE.checkpoint, at most about a minute old: "
		"--resume goes on from there.\n\n"
		"\timgsearch train landscapes --model efficientnet_b5 --weights b5.pth -o "
		"landscapes.safetensors\n"
		"\timgsearch train photos --model resnet152 --weights r152.pth --layers 2 --loss arcface "
		"-o mine.safetensors\n"
		"\timgsearch train photos --model mobilenet_v2 --weights m.pth --size 168 --distill "
		"resnet50=r50.pth -o small.safetensors",
	.options = options,
	.groups = GROUP_MODEL | GROUP_FORMATS | GROUP_RECIPE | GROUP_JSON,
	.args_size = sizeof(train_args),
	.run = run,
	.min_operands = 1,
	.max_operands = 1,
};
