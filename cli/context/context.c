/*
 * What commands do before their own work: find and open the index, read inputs and lists of paths.
 */
#include "cli/base/cli.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --------------------------------------------------------------------------------------------- the index ---- */

static char *join(const char *folder, const char *file)
{
	size_t size = strlen(folder) + strlen(file) + 2;
	char *path = malloc(size);
	if (path)
		snprintf(path, size, "%s/%s", folder, file);
	return path;
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
		c->db = join(data, "imgsearch/index.db");
	else if (home && *home)
		c->db = join(home, ".local/share/imgsearch/index.db");
	else
		cli_fail("no place for an index: HOME is not set; say where with --db FILE");
	return c->db;
}

/* The folders above the default index. A failure shows when the index is opened. */
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

static int on_progress(void *user, const imgsearch_progress *now)
{
	progress_show(((context *)user)->progress, now);
	return interrupt_pending();
}

static void on_log(void *user, int level, const char *text)
{
	context *c = user;
	if (level > (c->common->verbose ? IMGSEARCH_LOG_DEBUG : c->common->quiet ? IMGSEARCH_LOG_ERROR : IMGSEARCH_LOG_WARNING))
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
	o.events.progress = on_progress;
	return o;
}

int context_open_at(context *c, const char *path, const imgsearch_options *o)
{
	imgsearch_error err;
	int rc = imgsearch_open(&c->s, path, o, &err);
	if (rc == IMGSEARCH_ENOTFOUND && o->must_exist)
		return cli_fail("%s: there is no index; make one with: imgsearch index %s%s%sDIR", path,
			c->common->db ? "--db " : "", c->common->db ? c->common->db : "", c->common->db ? " " : "");
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

/* ------------------------------------------------------------------------------------------------ inputs ---- */

/* All of standard input, with a NUL behind it. */
static char *read_stdin(size_t *size)
{
	size_t cap = 1 << 16, n = 0;
	char *data = malloc(cap);
	while (data) {
		n += fread(data + n, 1, cap - n, stdin);
		if (n < cap)
			break;
		char *more = cap > SIZE_MAX / 2 ? NULL : realloc(data, cap *= 2);
		if (!more)
			free(data);
		data = more;
	}
	if (!data) {
		cli_nomem();
		return NULL;
	}
	if (ferror(stdin)) {
		cli_fail("standard input: cannot read: %s", strerror(errno));
		free(data);
		return NULL;
	}
	data[n] = 0;
	*size = n;
	return data;
}

int input_parse(imgsearch_input *in, const context *c, const char *text, void **bytes)
{
	if (!strcmp(text, "-")) {
		size_t size;
		if (*bytes)
			return command_usage(c->command, "standard input (-) can be given only once");
		*bytes = read_stdin(&size);
		if (*bytes)
			*in = imgsearch_memory(*bytes, size);
		return *bytes ? CLI_DONE : CLI_FAILED;
	}
	if (!strncmp(text, "id:", 3)) {
		char *end;
		errno = 0;
		long long id = strtoll(text + 3, &end, 10);
		if (end == text + 3 || *end || errno || id < 0)
			return command_usage(c->command, "%s: not the id of a picture, such as id:7 (a file of that name: ./%s)", text, text);
		*in = imgsearch_stored(id);
		return CLI_DONE;
	}
	*in = imgsearch_file(text);
	return CLI_DONE;
}

static bool path_list_add(path_list *p, size_t *cap, const char *path)
{
	if (p->n == *cap) {
		size_t more = *cap ? *cap * 2 : 64;
		const char **item = realloc(p->item, more * sizeof *item);
		if (!item)
			return false;
		p->item = item;
		*cap = more;
	}
	p->item[p->n++] = path;
	return true;
}

int path_list_read(context *c, path_list *out)
{
	size_t cap = 0, size;
	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < c->n_operands; i++) {
		if (!*c->operand[i])
			return command_usage(c->command, "a path is empty");
		if (strcmp(c->operand[i], "-") != 0) {
			if (!path_list_add(out, &cap, c->operand[i]))
				return cli_nomem();
			continue;
		}
		if (out->text)
			return command_usage(c->command, "standard input (-) can be given only once");
		out->text = read_stdin(&size);
		if (!out->text)
			return CLI_FAILED;
		for (char *at = out->text, *end = out->text + size; at < end;) {
			char *stop = memchr(at, c->common->nul ? 0 : '\n', (size_t)(end - at));
			if (!stop)
				stop = end;
			*stop = 0;
			if (*at && !path_list_add(out, &cap, at))
				return cli_nomem();
			at = stop + 1;
		}
	}
	return CLI_DONE;
}

void path_list_free(path_list *p)
{
	free(p->item);
	free(p->text);
}

/* Where the last part does not exist, the part before it still may, behind symbolic links. */
char *path_absolute(const char *path)
{
	char *real = realpath(path, NULL), *copy, *slash, *folder, *result = NULL;
	if (real)
		return real;
	copy = strdup(path);
	if (!copy)
		return NULL;
	for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = 0;
	slash = strrchr(copy, '/');
	if (slash)
		*slash = 0;
	folder = realpath(!slash ? "." : slash == copy ? "/" : copy, NULL);
	if (folder)
		result = join(strcmp(folder, "/") != 0 ? folder : "", slash ? slash + 1 : copy);
	else if (slash)
		*slash = '/';
	free(folder);
	if (result) {
		free(copy);
		return result;
	}
	return copy;
}

bool path_is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);
	while (length && folder[length - 1] == '/')
		length--;
	return !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}
