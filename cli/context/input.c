/* Pictures and paths that a command line names. */
#include "cli/context/input.h"

#include "cli/base/message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char only_once[] = "standard input (-) can be given only once";

/* Reads all of standard input and appends a NUL; NULL: failed, with a message. */
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

int input_parse(imgsearch_input *in, const context *c, const char *text, void **bytes)
{
	int64_t id = 0;
	size_t size;
	if (!strcmp(text, "-")) {
		if (*bytes)
			return command_usage(c->command, "%s", only_once);
		*bytes = read_stdin(&size);
		if (!*bytes)
			return CLI_FAILED;
		*in = imgsearch_input_bytes(*bytes, size);
		return CLI_DONE;
	}
	if (!strncmp(text, "id:", 3)) {
		int rc = parse_id(c, text, &id);
		*in = imgsearch_input_item(id);
		return rc;
	}
	*in = imgsearch_input_file(text);
	return CLI_DONE;
}

static bool add_path(path_list *p, const char *path)
{
	if (p->n == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 64;
		const char **more = realloc(p->item, cap * sizeof *more);
		if (!more)
			return false;
		p->item = more;
		p->cap = cap;
	}
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
