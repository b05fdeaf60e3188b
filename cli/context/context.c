/* A command that runs: finding and opening its index, and its messages. */
#include "cli/context/context.h"

#include "cli/base/message.h"
#include "cli/base/path.h"
#include "cli/context/interrupt.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void context_close(context *c)
{
	interrupt_set_target(NULL);
	imgsearch_close(c->s);
	free(c->db);
}

const char *context_db(context *c)
{
	const char *given = c->common->db ? c->common->db : getenv("IMGSEARCH_DB");
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	if (c->db)
		return c->db;
	if (given && *given)
		c->db = strdup(given);
	else if (data && *data == '/')
		c->db = path_join(data, "imgsearch/index.db");
	else if (home && *home)
		c->db = path_join(home, ".local/share/imgsearch/index.db");
	else
		cli_fail("no path for the index: HOME is not set; give one with --db FILE");
	return c->db;
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
	context *c = user;
	int shown = IMGSEARCH_LOG_WARNING;
	if (c->common->verbose)
		shown = IMGSEARCH_LOG_DEBUG;
	else if (c->common->quiet)
		shown = IMGSEARCH_LOG_ERROR;
	if (level > shown)
		return;
	progress_clear(c->progress);
	cli_warn("%s%s", level == IMGSEARCH_LOG_WARNING ? "warning: " : "", text);
}

imgsearch_options context_options(context *c)
{
	imgsearch_options o = c->common->open;
	o.struct_size = sizeof o;
	o.events.user = c;
	o.events.log = on_log;
	o.events.progress = context_progress;
	return o;
}

bool context_has_open_options(const context *c)
{
	static const imgsearch_options none;
	return memcmp(&c->common->open, &none, sizeof none) != 0;
}

int context_open_at(context *c, const char *path, const imgsearch_options *o)
{
	imgsearch_error err;
	int rc = imgsearch_open(&c->s, path, o, &err);
	if (rc == IMGSEARCH_ENOTFOUND && o->must_exist)
		return cli_fail("%s: there is no index; make one with: imgsearch index %s%s%sDIR", path,
			c->common->db ? "--db " : "", c->common->db ? c->common->db : "",
			c->common->db ? " " : "");
	if (rc)
		return cli_error(&err);
	interrupt_set_target(c->s);
	return CLI_DONE;
}

int context_open(context *c, bool make)
{
	imgsearch_options o = context_options(c);
	const char *path = context_db(c);
	if (!path)
		return CLI_FAILED;
	o.must_exist = !make;
	if (make && !c->common->db && !getenv("IMGSEARCH_DB"))
		make_folders(path);
	return context_open_at(c, path, &o);
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
