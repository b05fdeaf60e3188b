/* Advice by command and status; for networks also by what the command line names. */
#include "cli/context/advice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SQLITE_IS_CORRUPT = 11 }; /* SQLITE_CORRUPT */

static const struct {
	const char *command; /* NULL: any */
	int status;
	int detail;       /* errno, or the low byte of SQLite's result code; 0: any */
	const char *text; /* "{db}" stands for the option that names the index; NULL: none */
} table[] = {
	{ "backup", IMGSEARCH_EEXIST, 0, "replace it with --force, or write elsewhere" },
	{ "train", IMGSEARCH_EEXIST, 0, "continue it with --resume, or start over with --restart" },
	{ "train", IMGSEARCH_EVERSION, 0, "start over with --restart, or write elsewhere" },
	{ "backup", IMGSEARCH_EINVAL, 0, "give another name" },
	{ "backup", IMGSEARCH_EBUSY, 0, "give another name" },
	{ "copy", IMGSEARCH_EEXIST, 0, "name a new file or an empty schema" },
	{ "copy", IMGSEARCH_EINVAL, EINPROGRESS, "name another target, or start over with --restart" },
	{ "copy", IMGSEARCH_EIO, ENOSPC, "make room and run it again: it goes on where it was" },
	{ "copy", IMGSEARCH_EIO, EACCES, NULL },
	{ "copy", IMGSEARCH_EIO, 0, "run it again: it goes on where it was" },
	{ "index", IMGSEARCH_ENOTFOUND, 0, "name a folder: imgsearch index{db} DIR" },
	{ "root mv", IMGSEARCH_ENOTFOUND, 0, "imgsearch info{db} lists the folders" },
	{ NULL, IMGSEARCH_EMODEL, ESTALE,
		"put them there, or make all features anew: imgsearch index{db} --model default" },
	{ "model add", IMGSEARCH_EMODEL, ENOEXEC,
		"if you trust it: --network script, or a name in .pt" },
	{ "model add", IMGSEARCH_EMODEL, ENOTUNIQ,
		"say which with --network NAME, or how pictures are prepared with --resize and its like" },
	{ "model add", IMGSEARCH_EMODEL, ELIBACC, "build it with: make setup shim" },
	{ "model add", IMGSEARCH_EMODEL, 0, "say which network it is for with --network NAME" },
	{ "model add", IMGSEARCH_EEXIST, 0, "replace it with --force, or give another name" },
	{ "model pull", IMGSEARCH_EBUSY, 0, "run it again when that is done" },
	{ NULL, IMGSEARCH_EMODEL, ENOEXEC,
		"if you trust it: --model script --weights FILE, or a name in .pt" },
	{ NULL, IMGSEARCH_EMODEL, ENOTUNIQ,
		"say which with --model NAME, or how pictures are prepared with --resize and its like" },
	{ "index", IMGSEARCH_EINVAL, EALREADY,
		"make it the current one: imgsearch model switch{db} NAME" },
	{ "index", IMGSEARCH_EINVAL, ETOOMANYREFS, "drop one first: imgsearch model drop{db} NAME" },
	{ "copy", IMGSEARCH_EUNSUPPORTED, ETOOMANYREFS,
		"drop it with imgsearch model drop, or use imgsearch backup" },
	{ "index", IMGSEARCH_EMODEL, EMEDIUMTYPE, "index pictures into another file with --db FILE" },
	{ NULL, IMGSEARCH_EUNSUPPORTED, ETOOMANYREFS, "name it with --model" },
	{ NULL, IMGSEARCH_EMODEL, ESRCH,
		"leave --model out, or name one that it has; imgsearch index{db} --add-model NAME makes "
		"the vectors of another one" },
	{ "query", IMGSEARCH_EUNSUPPORTED, EOPNOTSUPP,
		"imgsearch model pull openclip_vit_b16_datacomp gets one, and imgsearch index{db} --model "
		"openclip_vit_b16_datacomp makes all features anew with it" },
	{ "eval", IMGSEARCH_EUNSUPPORTED, EOPNOTSUPP,
		"imgsearch model pull openclip_vit_b16_datacomp gets one, and imgsearch index{db} --model "
		"openclip_vit_b16_datacomp makes all features anew with it" },
	{ "extract", IMGSEARCH_EUNSUPPORTED, EOPNOTSUPP,
		"imgsearch model pull openclip_vit_b16_datacomp gets one" },
	{ "query", IMGSEARCH_EMODEL, EMEDIUMTYPE, "query it by vector with --vectors FILE" },
	{ NULL, IMGSEARCH_EMODEL, ELIBACC, "build it with: make setup shim" },
	{ NULL, IMGSEARCH_EIO, ENOSPC, "make room and run it again" },
	{ NULL, IMGSEARCH_EDB, SQLITE_IS_CORRUPT,
		"restore a backup of it, or delete it and index again" },
	{ NULL, IMGSEARCH_EDB, EINPROGRESS, "imgsearch copy FROM TO" },
	{ NULL, IMGSEARCH_EDB, ESTALE, "run imgsearch index as a role that may write" },
	{ "index", IMGSEARCH_EIO, ENOLINK, "all shards are needed to index" },
	{ NULL, IMGSEARCH_EIO, ENOLINK, "--partial answers without it" },
	{ NULL, IMGSEARCH_EDB, 0, "name another file with --db FILE" },
	{ NULL, IMGSEARCH_EVERSION, 0, "use that version, or another file with --db FILE" },
	{ NULL, IMGSEARCH_EINVAL, EXDEV,
		"give a --db for each of them, or one for a text file of their addresses" },
	{ NULL, IMGSEARCH_EBUSY, 0, "try again when it is done" },
};

/* 1: there is a network of that name; 2: a model that can be pulled. */
static int is_known(void *name, const imgsearch_model *m)
{
	if (strcmp(name, m->name))
		return 0;
	return m->publisher && !m->weights ? 2 : 1;
}

/* The command that gets the model; part of c. */
static const char *pull_advice(const context *c, const char *model)
{
	context *mine = (context *)(uintptr_t)c;
	free(mine->advice);
	if (asprintf(&mine->advice, "imgsearch model pull %s", model) < 0)
		mine->advice = NULL;
	return mine->advice;
}

/* The ways out where the network of the index is not on this machine; part of c, or NULL. */
static const char *own_advice(const context *c, const char *model)
{
	context *mine = (context *)(uintptr_t)c;
	int known = imgsearch_model_each(is_known, (void *)(uintptr_t)model, NULL);
	free(mine->advice);
	if (asprintf(&mine->advice,
			"get that model again (imgsearch model %s%s), or make all features anew by another: "
			"imgsearch index%s --model NAME",
			known == 2 ? "pull " : "add FILE --name ", model, context_db_option(mine))
		< 0)
		mine->advice = NULL;
	return mine->advice;
}

/* No network could be chosen. */
static const char *unnamed_network(const context *c, const imgsearch_options *o)
{
	int known = o->model ? imgsearch_model_each(is_known, (void *)(uintptr_t)o->model, NULL) : 0;
	if (!o->model)
		return o->weights ? "say which network it is for with --model NAME"
						  : "name another with --model NAME --weights FILE";
	if (known == 2 && !o->weights)
		return pull_advice(c, o->model);
	if (known > 0)
		return o->weights ? NULL : "give --weights FILE (.pth, .safetensors or TorchScript .pt)";
	if (access(o->model, F_OK) == 0)
		return "say which network it is for with --model NAME --weights FILE";
	return "`imgsearch model list` lists what there is";
}

/* The model of the index; NULL: it has none. The caller frees it. */
static char *model_of(imgsearch *s)
{
	imgsearch_info *info = NULL;
	if (s)
		imgsearch_info_get(s, NULL, &info, NULL);
	char *model = info && info->model ? strdup(info->model) : NULL;
	imgsearch_info_free(info);
	return model;
}

static const char *chosen_advice(const context *c, const char *own)
{
	const imgsearch_options *o = &c->common->open;
	bool other = o->model || o->weights;
	if (!strcmp(c->command->name, "index") && !other && own)
		return "give --model to index all pictures anew";
	if (!strcmp(c->command->name, "query") && other && own)
		return "leave the model out, or index again with it";
	return NULL;
}

static const char *network_advice(const context *c)
{
	const imgsearch_options *o = &c->common->open;
	imgsearch_network *network = NULL;
	if (c->s)
		imgsearch_network_get(c->s, &network, NULL);
	bool chosen = network && network->model, usable = network && network->usable;
	imgsearch_network_free(network);
	if (chosen && !usable)
		return o->device ? "choose another with --device" : NULL;
	char *own = model_of(c->s);
	const char *advice = chosen           ? chosen_advice(c, own)
		: own && !o->model && !o->weights ? own_advice(c, own)
										  : unnamed_network(c, o);
	free(own);
	return advice;
}

/* Another file is no advice where the sentence is about an index on a server. */
static bool names_file(const char *advice, const imgsearch_error *err)
{
	return advice && strstr(advice, "another file with --db")
		&& strstr(err->message, "index postgres");
}

/* An option is advised to commands that have it. */
static bool names_partial(const char *advice, const context *c)
{
	return advice && !strncmp(advice, "--partial", 9) && !(c->command->groups & GROUP_PARTIAL);
}

static bool fits(size_t i, const context *c, const imgsearch_error *err)
{
	const char *command = table[i].command;
	if (names_file(table[i].text, err) || names_partial(table[i].text, c))
		return false;
	if (command && strcmp(command, c->command->name))
		return false;
	if (command && !strcmp(command, "index") && err->code == IMGSEARCH_ENOTFOUND && c->n_operands)
		return false; /* a path that does not exist */
	return !table[i].detail || table[i].detail == (err->detail & 0xff);
}

const char *advice_find(const context *c, const imgsearch_error *err)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].status == err->code && fits(i, c, err))
			return table[i].text;
	bool names = c->command->groups & GROUP_MODEL;
	return names && err->code == IMGSEARCH_EMODEL ? network_advice(c) : NULL;
}
