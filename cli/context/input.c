/* Pictures and paths that a command line names. */
#include "cli/context/input.h"

#include "cli/base/list.h"
#include "cli/base/message.h"
#include "cli/context/interrupt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char only_once[] = "standard input (-) can be given only once";

/* Says why a file was not read: a signal, or errno. */
static void tell_unread(const char *name, const char *what)
{
	if (interrupt_pending())
		cli_warn("interrupted; %s was not read", name);
	else
		cli_fail("%s: %s%s", name, what, strerror(errno));
}

/* Reads all of a file and appends a NUL; NULL: failed, with a message. */
static char *read_all(FILE *f, const char *name, size_t *size)
{
	size_t cap = 1 << 16, n = 0;
	char *data = malloc(cap);
	while (data) {
		n += fread(data + n, 1, cap - n, f);
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
	if (ferror(f) || interrupt_pending()) {
		tell_unread(name, "cannot read: ");
		free(data);
		return NULL;
	}
	data[n] = 0;
	*size = n;
	return data;
}

static int parse_id(const context *c, const char *text, int64_t *id)
{
	char *end;
	errno = 0;
	long long value = strtoll(text + 3, &end, 10);
	if (end == text + 3 || *end || errno || value < 0)
		return command_usage(c->command,
			"%s: not the id of a picture, such as id:7 (a file of that name: ./%s)", text, text);
	*id = value;
	return CLI_DONE;
}

static char *read_stdin(size_t *size)
{
	return read_all(stdin, "standard input", size);
}

/* NULL: failed, with a message. */
static char *read_pipe(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	if (!f) {
		tell_unread(path, "");
		return NULL;
	}
	char *data = read_all(f, path, size);
	fclose(f);
	return data;
}

/* Whether a path leads to the open standard input, by whatever name, and that is no file. */
static bool is_stdin(const struct stat *st)
{
	struct stat in;
	return !S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode) && fstat(STDIN_FILENO, &in) == 0
		&& in.st_dev == st->st_dev && in.st_ino == st->st_ino;
}

/* Keeps data, which may be NULL: reading it failed. */
static int keep(input_bytes *b, char *data, size_t size, imgsearch_input *in)
{
	if (!data)
		return CLI_FAILED;
	void **more = realloc(b->item, (b->n + 1) * sizeof *more);
	if (!more) {
		free(data);
		return cli_nomem();
	}
	b->item = more;
	b->item[b->n++] = data;
	*in = imgsearch_input_bytes(data, size);
	return CLI_DONE;
}

void input_bytes_free(input_bytes *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->item[i]);
	free(b->item);
	*b = (input_bytes){ 0 };
}

int input_parse(imgsearch_input *in, const context *c, const char *text, input_bytes *bytes)
{
	int64_t id = 0;
	size_t size = 0;
	struct stat st = { 0 };
	bool there = stat(text, &st) == 0;
	if (!strcmp(text, "-") || (there && is_stdin(&st))) {
		if (bytes->has_stdin)
			return command_usage(c->command, "%s", only_once);
		bytes->has_stdin = true;
		char *data = read_stdin(&size);
		return keep(bytes, data, size, in);
	}
	if (!strncmp(text, "id:", 3)) {
		int rc = parse_id(c, text, &id);
		*in = imgsearch_input_item(id);
		return rc;
	}
	if (there && S_ISFIFO(st.st_mode)) {
		char *data = read_pipe(text, &size);
		return keep(bytes, data, size, in);
	}
	*in = imgsearch_input_file(text);
	return CLI_DONE;
}

static bool add_path(path_list *p, const char *path)
{
	const char **grown = list_grow(p->item, p->n, &p->cap, sizeof *grown);
	if (!grown)
		return false;
	p->item = grown;
	p->item[p->n++] = path;
	return true;
}

static int add_stdin(path_list *p, char end_of_path)
{
	size_t size;
	p->text = read_stdin(&size);
	if (!p->text)
		return CLI_FAILED;
	for (char *at = p->text, *end = p->text + size; at < end;) {
		char *stop = memchr(at, end_of_path, (size_t)(end - at));
		if (!stop)
			stop = end;
		*stop = 0;
		if (*at && !add_path(p, at))
			return cli_nomem();
		at = stop + 1;
	}
	return CLI_DONE;
}

int path_list_read(const context *c, path_list *out)
{
	*out = (path_list){ 0 };
	for (size_t i = 0; i < c->n_operands; i++) {
		const char *text = c->operand[i];
		int rc = CLI_DONE;
		if (!*text)
			return command_usage(c->command, "a path is empty");
		if (strcmp(text, "-"))
			rc = add_path(out, text) ? CLI_DONE : cli_nomem();
		else if (out->text)
			return command_usage(c->command, "%s", only_once);
		else
			rc = add_stdin(out, c->common->nul ? 0 : '\n');
		if (rc)
			return rc;
	}
	return CLI_DONE;
}

void path_list_free(path_list *p)
{
	free(p->item);
	free(p->text);
}
