/* imgsearch model add, model verify, model rm: models in the folder of models. */
#include "cli/base/json_writer.h"
#include "cli/base/message.h"
#include "cli/context/context.h"

#include <string.h>

typedef struct add_args {
	common_args common;
	const char *name, *network, *licence, *good_at;
	uint32_t force;
} add_args;

#define AT(member) offsetof(add_args, member)
static const option add_options[] = {
	{ "name", 'n', OPT_TEXT, AT(name), "NAME", .help = "what the model is called from now on" },
	{ "network", 0, OPT_TEXT, AT(network), "NAME",
		.help = "the network that the weights are for (see imgsearch model list --all)" },
	{ "licence", 0, OPT_TEXT, AT(licence), "TEXT", .help = "its licence, to be shown" },
	{ "good-at", 0, OPT_TEXT, AT(good_at), "TEXT", .help = "what it is good at, to be shown" },
	{ "force", 'f', OPT_FLAG, AT(force), .help = "replace a model of that name" },
	OPT_END,
};

static int run_add(context *c, void *args)
{
	const add_args *a = args;
	imgsearch_error err;
	imgsearch_options open = context_options(c);
	imgsearch_model_add_options o = IMGSEARCH_INIT(imgsearch_model_add_options);
	if (!a->name)
		return command_usage(c->command, "give the model a name with --name NAME");
	o.network = a->network;
	o.licence = a->licence;
	o.good_at = a->good_at;
	o.replace = a->force;
	o.recipe = open.recipe;
	if (imgsearch_model_add(c->operand[0], a->name, &o, &c->call, &err))
		return context_error(c, &err);
	context_print(c, "%s: added; use it with --model %s", a->name, a->name);
	return CLI_DONE;
}

const command cmd_model_add = {
	.name = "model add",
	.operands = "PATH",
	.summary = "add weights of your own as a model",
	.text = "Copies a weights file, or the files of a folder with one, into imgsearch/models of "
			"the XDG data folder, under a name. Which network they are for is known where they are "
			"those of a published model, or have a card; else --network says it. Tensors are "
			"checked by names and shapes.\n\n"
			"\timgsearch model add --name pets --network resnet50 pets.pth\n"
			"\timgsearch index --model pets ~/Pictures",
	.options = add_options,
	.groups = GROUP_TRANSFORM,
	.args_size = sizeof(add_args),
	.run = run_add,
	.min_operands = 1,
	.max_operands = 1,
};

/* -------------------------------------------------------------------------------- verify ---- */

typedef struct plain_args {
	common_args common;
} plain_args;

static const option plain_options[] = { OPT_END };

typedef struct verification {
	context *c;
	unsigned models, wrong;
	int rc;
} verification;

static int show_check(void *user, const imgsearch_model_check *check)
{
	verification *v = user;
	v->wrong += check->wrong != NULL;
	if (v->c->common->json) {
		json_writer j;
		json_write_begin(&j, stdout);
		json_write_text(&j, "model", check->model);
		json_write_text(&j, "file", check->file);
		json_write_text(&j, "wrong", check->wrong);
		json_write_bool(&j, "published", check->published);
		json_write_end(&j);
	} else {
		printf("%s  %s  %s\n", check->model, check->file,
			check->wrong           ? check->wrong
				: check->published ? "as its publisher states"
								   : "as it was added");
	}
	return 0;
}

static int verify(verification *v, const char *name)
{
	imgsearch_error err;
	int rc = imgsearch_model_verify(name, show_check, v, &v->c->call, &err);
	v->models++;
	if (rc && (rc != IMGSEARCH_EFORMAT || !v->wrong))
		v->rc = context_error(v->c, &err);
	return v->rc ? 1 : 0;
}

static int verify_added(void *user, const imgsearch_model *m)
{
	return m->added ? verify(user, m->name) : 0;
}

static int run_verify(context *c, void *args)
{
	verification v = { .c = c };
	imgsearch_error err;
	(void)args;
	if (c->n_operands)
		verify(&v, c->operand[0]);
	else if (imgsearch_model_each(verify_added, &v, &err) < 0)
		return context_error(c, &err);
	if (v.rc)
		return v.rc;
	if (!v.models)
		context_print(c, "no model was added here");
	return v.wrong ? CLI_SOME_FAILED : CLI_DONE;
}

const command cmd_model_verify = {
	.name = "model verify",
	.operands = "[NAME]",
	.summary = "compare the files of models with their hashes",
	.text = "Reads the files of a model, or of all that were pulled or added, and compares them "
			"with the hashes that were recorded then, and with those that the publisher states. "
			"Status 4: a file differs or is missing.\n\n"
			"\timgsearch model verify",
	.options = plain_options,
	.groups = GROUP_JSON,
	.args_size = sizeof(plain_args),
	.run = run_verify,
	.max_operands = 1,
};

/* ------------------------------------------------------------------------------------ rm ---- */

static int run_rm(context *c, void *args)
{
	imgsearch_error err;
	(void)args;
	for (size_t i = 0; i < c->n_operands; i++)
		if (imgsearch_model_remove(c->operand[i], &err))
			return context_error(c, &err);
	return CLI_DONE;
}

const command cmd_model_rm = {
	.name = "model rm",
	.operands = "NAME...",
	.summary = "delete models that were pulled or added",
	.text = "Deletes the folders of models from imgsearch/models of the XDG data folder. An index "
			"that was made with one keeps its vectors, but cannot take new pictures.\n\n"
			"\timgsearch model rm resnet50",
	.options = plain_options,
	.args_size = sizeof(plain_args),
	.run = run_rm,
	.min_operands = 1,
	.max_operands = CLI_MANY,
};
