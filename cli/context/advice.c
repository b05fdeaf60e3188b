/*
 * Advice by command and status; for networks also by what the command line names. In a text stand
 * {db} for the option that names the index, {model} and {second} for its models, and {asked} for
 * the model that the command line names. A text with a name that is not known is no advice.
 */
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
	const char *text; /* NULL: none */
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
		"make it the current one: imgsearch model switch{db} {second}" },
	{ "index", IMGSEARCH_EINVAL, ETOOMANYREFS,
		"drop the second one first: imgsearch model drop{db} {second}" },
	{ "model drop", IMGSEARCH_EINVAL, 0,
		"make the other one current first: imgsearch model switch{db} {second}" },
	{ "copy", IMGSEARCH_EUNSUPPORTED, ETOOMANYREFS,
		"drop it with imgsearch model drop, or use imgsearch backup" },
	{ "index", IMGSEARCH_EMODEL, EMEDIUMTYPE, "index pictures into another file with --db FILE" },
	{ NULL, IMGSEARCH_EUNSUPPORTED, ETOOMANYREFS, "name it with --model" },
	{ NULL, IMGSEARCH_EMODEL, ESRCH,
		"leave --model out, or name one that it has; imgsearch index{db} --add-model {asked} makes "
		"the vectors of that one, too" },
	{ NULL, IMGSEARCH_ENOTFOUND, ESRCH, "imgsearch info{db} names its models" },
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

static int knowledge_of(const char *model)
{
	return imgsearch_model_each(is_known, (void *)(uintptr_t)model, NULL);
}

/* Read when first needed: on a server it costs. */
typedef struct index_facts {
	context *c;
	imgsearch_info *info;
	bool read;
} index_facts;

static const imgsearch_info *index_of(index_facts *f)
{
	static const imgsearch_info none;
	if (!f->read && f->c->s)
		imgsearch_info_get(f->c->s, NULL, &f->info, NULL);
	f->read = true;
	return f->info ? f->info : &none;
}

/* The ways out where the network of the index is not on this machine. */
static const char *own_advice(const imgsearch_info *index)
{
	if (index->second)
		return knowledge_of(index->model) == 2
			? "get that model again (imgsearch model pull {model}), or make the other one "
			  "current: imgsearch model switch{db} {second}"
			: "get that model again (imgsearch model add FILE --name {model}), or make the other "
			  "one current: imgsearch model switch{db} {second}";
	return knowledge_of(index->model) == 2
		? "get that model again (imgsearch model pull {model}), or make all features anew by "
		  "another: imgsearch index{db} --model NAME"
		: "get that model again (imgsearch model add FILE --name {model}), or make all features "
		  "anew by another: imgsearch index{db} --model NAME";
}

/* The same for its second model, which is there beside another. */
static const char *second_advice(const char *model)
{
	return knowledge_of(model) == 2
		? "get that model again (imgsearch model pull {second}), or leave its vectors behind: "
		  "imgsearch model drop{db} {second}"
		: "get that model again (imgsearch model add FILE --name {second}), or leave its vectors "
		  "behind: imgsearch model drop{db} {second}";
}

/* No network could be chosen. */
static const char *unnamed_network(const imgsearch_options *o)
{
	int known = o->model ? knowledge_of(o->model) : 0;
	if (!o->model)
		return o->weights ? "say which network it is for with --model NAME"
						  : "name another with --model NAME --weights FILE";
	if (known == 2 && !o->weights)
		return "imgsearch model pull {asked}";
	if (known > 0)
		return o->weights ? NULL : "give --weights FILE (.pth, .safetensors or TorchScript .pt)";
	if (access(o->model, F_OK) == 0)
		return "say which network it is for with --model NAME --weights FILE";
	return "`imgsearch model list` lists what there is";
}

static const char *chosen_advice(const context *c, const imgsearch_info *index)
{
	const imgsearch_options *o = &c->common->open;
	bool other = o->model || o->weights;
	if (!strcmp(c->command->name, "index") && !other && index->model)
		return "give --model to index all pictures anew";
	if (!strcmp(c->command->name, "query") && other && index->model)
		return "leave the model out, or index again with it";
	return NULL;
}

/* Whether the sentence is about a model that has no weights on this machine. */
static bool is_missing(const char *model, const imgsearch_error *err)
{
	static const char lead[] = "no weights for ";
	const char *at = strstr(err->message, lead);
	size_t n = strlen(model);
	at = at ? at + sizeof lead - 1 : NULL;
	return at && !strncmp(at, model, n) && at[n] == ':';
}

static const char *network_advice(const context *c, const imgsearch_info *index,
	const imgsearch_error *err)
{
	const imgsearch_options *o = &c->common->open;
	imgsearch_network *network = NULL;
	if (c->s)
		imgsearch_network_get(c->s, &network, NULL);
	bool chosen = network && network->model, usable = network && network->usable;
	imgsearch_network_free(network);
	if (index->second && is_missing(index->second->model, err))
		return second_advice(index->second->model);
	if (index->model && is_missing(index->model, err) && !o->weights)
		return own_advice(index);
	if (chosen && !usable)
		return o->device ? "choose another with --device" : NULL;
	return chosen                                  ? chosen_advice(c, index)
		: index->model && !o->model && !o->weights ? own_advice(index)
												   : unnamed_network(o);
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

static const char *find(index_facts *f, const imgsearch_error *err)
{
	const context *c = f->c;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].status == err->code && fits(i, c, err))
			return table[i].text;
	bool names = c->command->groups & GROUP_MODEL;
	return names && err->code == IMGSEARCH_EMODEL ? network_advice(c, index_of(f), err) : NULL;
}

/* What stands for the placeholder at the beginning of text; NULL: not known. */
static const char *value_of(const char *text, index_facts *f)
{
	const common_args *o = f->c->common;
	if (!strncmp(text, "{db}", 4))
		return context_db_option(f->c);
	if (!strncmp(text, "{asked}", 7))
		return o->open.model ? o->open.model : o->of_model;
	const imgsearch_info *index = index_of(f), *second = index->second;
	if (!strncmp(text, "{model}", 7))
		return index->model;
	return second ? second->model : NULL;
}

/* The caller frees it. NULL: a value is not known. */
static char *fill(const char *text, index_facts *facts)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);
	const char *value = "";
	while (f && value && *text) {
		size_t n = strcspn(text, "{");
		fwrite(text, 1, n, f);
		text += n;
		if (*text && (value = value_of(text, facts))) {
			fputs(value, f);
			text = strchr(text, '}') + 1;
		}
	}
	if (f && fclose(f) == 0 && value)
		return out;
	free(out);
	return NULL;
}

char *advice_make(context *c, const imgsearch_error *err)
{
	index_facts f = { .c = c };
	const char *text = find(&f, err);
	char *advice = text ? fill(text, &f) : NULL;
	imgsearch_info_free(f.info);
	return advice;
}
