/* imgsearch model switch, model drop: which models an index has. */
#include "cli/base/message.h"
#include "cli/context/context.h"

typedef struct model_index_args {
	common_args common;
} model_index_args;

static const option options[] = { OPT_END };

typedef int change_models(imgsearch *s, const char *name, const imgsearch_call *call,
	imgsearch_error *err);

static int run(context *c, change_models *change, const char *done)
{
	imgsearch_error err;
	const char *name = c->operand[0];
	int rc = context_open(c, false);
	if (rc)
		return rc;
	if (change(c->s, name, &c->call, &err))
		return context_error(c, &err);
	context_print(c, "%s: %s", name, done);
	return CLI_DONE;
}

static int run_switch(context *c, void *args)
{
	(void)args;
	return run(c, imgsearch_index_model_switch, "queries and new pictures use it");
}

static int run_drop(context *c, void *args)
{
	(void)args;
	return run(c, imgsearch_index_model_drop, "its vectors and searchers are gone from the index");
}

const command cmd_model_switch = {
	.name = "model switch",
	.operands = "NAME",
	.summary = "make the second model of an index the current one",
	.text = "Of an index with two models (imgsearch index --add-model): queries use the one "
			"of that name from now on, and the other one stays beside it. Nothing is made anew, "
			"and it is done in one step.\n\n"
			"\timgsearch model switch dinov2_vits14",
	.options = options,
	.groups = GROUP_DB,
	.args_size = sizeof(model_index_args),
	.run = run_switch,
	.min_operands = 1,
	.max_operands = 1,
};

const command cmd_model_drop = {
	.name = "model drop",
	.operands = "NAME",
	.summary = "remove the second model from an index",
	.text = "Removes the vectors and searchers of a second model from the index, and frees their "
			"space; a re-index under way by that model ends likewise. Vectors of the current model "
			"stay. The model itself stays on this machine: imgsearch model rm deletes that."
			"\n\n"
			"\timgsearch model drop clip_vit_b32",
	.options = options,
	.groups = GROUP_DB,
	.args_size = sizeof(model_index_args),
	.run = run_drop,
	.min_operands = 1,
	.max_operands = 1,
};
