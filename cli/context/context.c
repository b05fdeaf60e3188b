/* A command that runs: finding and opening its index, and its messages. */
#include "cli/context/context.h"

#include "cli/base/address.h"
#include "cli/base/list.h"
#include "cli/base/message.h"
#include "cli/base/path.h"
#include "cli/base/text.h"
#include "cli/context/advice.h"
#include "cli/context/interrupt.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void context_close(context *c)
{
	imgsearch_close(c->s);
	progress_free(c->progress);
	free(c->db);
	free(c->db_option);
	free(c->shown);
	free(c->cache);
	text_list_free(c->under, c->n_under);
	free(c->condition);
}

/* The addresses of shards, one a line. */
static char *join_lines(const option_list *db)
{
	size_t size = 1, at = 0;
	for (size_t i = 0; i < db->n; i++) {
		if (db->n > 1 && !address_is(db->item[i])) {
			cli_fail("--db %s: only the addresses of servers can be several", db->item[i]);
			return NULL;
		}
		size += strlen(db->item[i]) + 1;
	}
	char *all = malloc(size);
	for (size_t i = 0; all && i < db->n; i++)
		at += (size_t)snprintf(all + at, size - at, "%s%s", i ? "\n" : "", db->item[i]);
	if (!all)
		cli_nomem();
	return all;
}

const char *context_db(context *c)
{
	const char *given = getenv("IMGSEARCH_DB");
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	if (c->db)
		return c->db;
	if (c->common->db.n)
		c->db = join_lines(&c->common->db);
	else if (given && *given)
		c->db = strdup(given);
	else if (data && *data == '/')
		c->db = path_join(data, "imgsearch/index.db");
	else if (home && *home)
		c->db = path_join(home, ".local/share/imgsearch/index.db");
	else
		cli_fail("no path for the index: HOME is not set; give one with --db FILE");
	return c->db;
}

const char *context_shown(context *c)
{
	const char *db = context_db(c);
	if (!c->shown && db)
		c->shown = address_public(db);
	return c->shown ? c->shown : "the index";
}

const char *context_db_option(context *c)
{
	const option_list *db = &c->common->db;
	for (size_t i = c->db_option ? db->n : 0; i < db->n; i++) {
		char *shown = address_public(db->item[i]), *word = shown ? text_shell_word(shown) : NULL;
		char *all = NULL;
		if (!word || asprintf(&all, "%s --db %s", c->db_option ? c->db_option : "", word) < 0)
			all = NULL;
		free(c->db_option);
		c->db_option = all;
		free(shown);
		free(word);
	}
	return c->db_option ? c->db_option : "";
}

/* Creates the folders above the default index. Opening the index reports a failure. */
static void make_folders(const char *path)
{
	char folder[PATH_MAX];
	for (size_t i = 1; path[i] && i < sizeof folder; i++)
		if (path[i] == '/') {
			memcpy(folder, path, i);
			folder[i] = 0;
			mkdir(folder, 0700);
		}
}

int context_progress(void *user, const imgsearch_progress *now)
{
	progress_show(((context *)user)->progress, now);
	return interrupt_pending();
}

static void on_log(void *user, int level, const char *text)
{
	static const char *const options[][2] = { { "the option prune", "--prune" },
		{ "the option roots", "--root NAME=DIR" } };
	char *line = NULL;
	progress_clear(((context *)user)->progress);
	for (size_t i = 0; !line && i < sizeof options / sizeof *options; i++) {
		const char *at = strstr(text, options[i][0]); /* as the command line spells it */
		if (at
			&& asprintf(&line, "%.*s%s%s", (int)(at - text), text, options[i][1],
				   at + strlen(options[i][0]))
				< 0)
			line = NULL;
	}
	cli_log(level, line ? line : text);
	free(line);
}

void context_start(context *c)
{
	if (c->common->verbose)
		cli_log_level(IMGSEARCH_LOG_DEBUG);
	else if (c->common->quiet)
		cli_log_level(IMGSEARCH_LOG_ERROR);
	c->progress = progress_new(c->common->quiet);
	c->call = (imgsearch_call){
		.struct_size = sizeof c->call,
		.user = c,
		.log = on_log,
		.progress = context_progress,
		.cancel = interrupt_token(),
	};
}

static bool has_recipe(const context *c)
{
	static const imgsearch_recipe none;
	return memcmp(&c->common->recipe, &none, sizeof none) != 0;
}

const char *context_formats(context *c, const char *list, bool video)
{
	if (!video)
		return list;
	snprintf(c->formats, sizeof c->formats, "%s%s+video", list ? list : "",
		list && *list ? "," : "");
	return c->formats;
}

imgsearch_options context_options(context *c)
{
	imgsearch_options o = c->common->open;
	o.struct_size = sizeof o;
	o.decoder = "/proc/self/exe";
	o.roots = c->common->roots.item;
	o.n_roots = c->common->roots.n;
	o.formats = context_formats(c, o.formats, c->common->video);
	if (has_recipe(c)) {
		c->recipe = c->common->recipe;
		c->recipe.struct_size = sizeof c->recipe;
		o.recipe = &c->recipe;
	}
	return o;
}

bool context_has_open_options(const context *c)
{
	static const imgsearch_options none;
	return memcmp(&c->common->open, &none, sizeof none) != 0 || has_recipe(c) || c->common->video
		|| c->common->roots.n;
}

/* Of a text file with addresses, as documented. */
static bool is_list_name(const char *path)
{
	size_t n = strlen(path);
	return n > 4 && !strcmp(path + n - 4, ".txt");
}

void context_cache(context *c, const char *path, imgsearch_options *o)
{
	if (!address_is(path) && !is_list_name(path))
		return;
	c->cache = c->cache ? c->cache : path_in_cache("states");
	o->cache = c->cache;
}

void context_tell_missing(context *c, imgsearch *s)
{
	imgsearch_shards *shards;
	if (imgsearch_shards_list(s, &shards, NULL))
		return;
	for (size_t i = 0; i < shards->count; i++)
		if (shards->items[i]->missing) {
			cli_warn("shard %u (%s) cannot be reached; what it has is left out",
				shards->items[i]->number, shards->items[i]->name);
			c->told_missing = true;
		}
	imgsearch_shards_free(shards);
}

int context_refuse_missing_list(const char *path)
{
	struct stat st;
	if (!is_list_name(path))
		return CLI_DONE;
	if (stat(path, &st))
		return cli_fail("%s: there is no such file; a name in .txt is that of a list of addresses",
			path);
	return !S_ISREG(st.st_mode) || st.st_size
		? CLI_DONE
		: cli_fail("%s: it has no address in it; a name in .txt is that of a list of addresses",
			path);
}

int context_open_at(context *c, const char *path, const imgsearch_options *o)
{
	imgsearch_options options = *o;
	imgsearch_error err;
	if (context_refuse_missing_list(path) != CLI_DONE)
		return CLI_FAILED;
	context_cache(c, path, &options);
	int rc = imgsearch_open(path, &options, &c->call, &c->s, &err);
	if (rc && o->must_exist)
		return context_open_error(c, path, &err);
	if (!rc && o->partial)
		context_tell_missing(c, c->s);
	return rc ? context_error(c, &err) : CLI_DONE;
}

int context_open_error(context *c, const char *path, const imgsearch_error *err)
{
	if (err->code != IMGSEARCH_ENOTFOUND || err->detail) /* such as a schema that is not there */
		return context_error(c, err);
	char *shown = address_public(path);
	int rc = cli_fail("%s: there is no index; make one with: imgsearch index%s DIR",
		shown ? shown : "the index", context_db_option(c));
	free(shown);
	return rc;
}

int context_refuse_memory(const char *path)
{
	return strcmp(path, ":memory:")
		? CLI_DONE
		: cli_fail("an index in memory would not be kept; name a file with --db FILE");
}

int context_open(context *c, bool make)
{
	imgsearch_options o = context_options(c);
	const char *path = context_db(c);
	if (!path || context_refuse_memory(path) != CLI_DONE)
		return CLI_FAILED;
	o.must_exist = !make;
	if (make && !c->common->db.n && !getenv("IMGSEARCH_DB"))
		make_folders(path);
	return context_open_at(c, path, &o);
}

int context_filter(context *c, const filter_args *a, const imgsearch_filter **out)
{
	c->asked = (condition){
		.after = a->after,
		.before = a->before,
		.camera = a->camera,
		.near = a->near,
		.where = a->where,
		.keywords = a->keyword.item,
		.n_keywords = a->keyword.n,
	};
	const char *why = condition_text(&c->asked, &c->condition);
	*out = NULL;
	if (why)
		return command_usage(c->command, "--%s", why);
	c->filter = (imgsearch_filter){ .struct_size = sizeof c->filter, .columns = c->condition };
	if (a->under) {
		c->under = path_ways(a->under, &c->n_under);
		if (!c->under)
			return cli_nomem();
		c->filter.folders = (const char *const *)c->under;
		c->filter.n_folders = c->n_under;
	}
	if (a->under || c->condition)
		*out = &c->filter;
	return CLI_DONE;
}

bool context_is_wrong_condition(const context *c, const imgsearch_error *err)
{
	static const char lead[] = "condition: ";
	return c->condition && err->code == IMGSEARCH_EINVAL
		&& !strncmp(err->message, lead, sizeof lead - 1);
}

int context_error(const context *c, const imgsearch_error *err)
{
	bool wrong = context_is_wrong_condition(c, err);
	const char *says, *option = wrong ? condition_fault(&c->asked, err->message, &says) : NULL;
	if (option)
		return command_usage(c->command, "--%s: %s", option, says);
	char *advice = advice_make((context *)(uintptr_t)c, err);
	int rc = cli_error_advice(err, advice);
	free(advice);
	return wrong ? CLI_USAGE : rc;
}

void context_print(const context *c, const char *format, ...)
{
	va_list list;
	if (c->common->quiet)
		return;
	progress_clear(c->progress);
	va_start(list, format);
	cli_warn_list(format, list);
	va_end(list);
}
