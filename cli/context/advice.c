/* Advice by command and status; for networks also by what the command line names. */
#include "cli/context/advice.h"

#include <string.h>
#include <unistd.h>

static const struct {
	const char *command;
	int status;
	const char *text;
} table[] = {
	{ "backup", IMGSEARCH_EEXIST, "replace it with --force, or write elsewhere" },
	{ "train", IMGSEARCH_EEXIST, "continue it with --resume, or start over with --restart" },
	{ "train", IMGSEARCH_EVERSION, "start over with --restart, or write elsewhere" },
};

static int is_network(void *name, const imgsearch_model *m)
{
	return !strcmp(name, m->name);
}

/* No network could be chosen. */
static const char *unnamed_network(const imgsearch_options *o)
{
	if (!o->model)
		return o->weights ? "say which network it is for with --model NAME"
						  : "name another with --model NAME --weights FILE";
	if (imgsearch_model_each(is_network, (void *)(uintptr_t)o->model, NULL) > 0)
		return o->weights ? NULL : "give --weights FILE (.pth, .safetensors or TorchScript .pt)";
	if (access(o->model, F_OK) == 0)
		return "say which network it is for with --model NAME --weights FILE";
	return "`imgsearch models` lists what there is";
}

enum { UNDECIDED, OF_PICTURES, OF_OWN_VECTORS };

/* What the vectors of the index are. */
static int kind_of(imgsearch *s)
{
	imgsearch_info *info = NULL;
	if (s)
		imgsearch_info_get(s, NULL, &info, NULL);
	int kind = !info  ? UNDECIDED
		: info->model ? OF_PICTURES
		: info->dim   ? OF_OWN_VECTORS
					  : UNDECIDED;
	imgsearch_info_free(info);
	return kind;
}

static const char *own_vectors_advice(const context *c)
{
	return !strcmp(c->command->name, "index") ? "index pictures into another file with --db FILE"
		: !strcmp(c->command->name, "query")  ? "query it by vector with --vectors FILE"
											  : NULL;
}

static const char *network_advice(const context *c)
{
	const imgsearch_options *o = &c->common->open;
	imgsearch_network *network = NULL;
	int kind = kind_of(c->s);
	if (kind == OF_OWN_VECTORS)
		return own_vectors_advice(c);
	if (c->s)
		imgsearch_network_get(c->s, &network, NULL);
	bool chosen = network && network->model, usable = network && network->usable;
	imgsearch_network_free(network);
	if (!chosen)
		return unnamed_network(o);
	if (!usable && o->device)
		return "choose another with --device";
	if (!usable)
		return "build it with: make setup shim";
	if (!strcmp(c->command->name, "index") && !o->model && !o->weights && kind == OF_PICTURES)
		return "give --model to index all pictures anew";
	return NULL;
}

const char *advice_find(const context *c, const imgsearch_error *err)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].status == err->code && !strcmp(table[i].command, c->command->name))
			return table[i].text;
	bool names = c->command->groups & GROUP_MODEL;
	return names && err->code == IMGSEARCH_EMODEL ? network_advice(c) : NULL;
}
