/* Reads ignore files and matches their patterns. */
#include "files/ignore.h"
#include "files/wildcard.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { MAX_BYTES = 100 << 20 }; /* as git */

/* Cuts off the blanks at the end of a line, but for one behind a backslash. */
static void trim(char *line)
{
	char *end = line;
	for (char *p = line; *p; p++) {
		bool blank = *p == ' ';
		if (*p == '\\' && p[1])
			p++;
		if (!blank)
			end = p + 1;
	}
	*end = 0;
}

static int add_pattern(ignore_rules *rules, char *line)
{
	ignore_pattern p = { .negated = line[0] == '!' };
	line += p.negated;
	size_t n = strlen(line);
	if (n && line[n - 1] == '/') {
		p.folders_only = true;
		line[--n] = 0;
	}
	p.anchored = strchr(line, '/');
	line += line[0] == '/';
	if (!*line)
		return 0;
	ignore_pattern *grown = ims_grow(rules->pattern, rules->n, &rules->cap, sizeof *grown);
	if (!grown)
		return IMGSEARCH_ENOMEM;
	rules->pattern = grown;
	p.text = ims_strdup(line);
	if (!p.text)
		return IMGSEARCH_ENOMEM;
	p.literal = p.anchored ? ims_wildcard_literal(line) : 0;
	rules->pattern[rules->n++] = p;
	return 0;
}

/* One line, without its line feed. */
static int add_line(ignore_rules *rules, char *line, size_t n)
{
	line[n - (n && line[n - 1] == '\r')] = 0;
	if (line[0] == '#')
		return 0;
	trim(line);
	return add_pattern(rules, line);
}

static int add_lines(ignore_rules *rules, buf *text)
{
	ims_buf_u8(text, '\n');
	int rc = text->failed ? IMGSEARCH_ENOMEM : 0;
	char *line = (char *)text->data, *end = line + text->len;
	if (!rc && end - line > 3 && !memcmp(line, "\xEF\xBB\xBF", 3))
		line += 3;
	for (char *stop; !rc && line < end; line = stop + 1) {
		stop = memchr(line, '\n', (size_t)(end - line));
		rc = add_line(rules, line, (size_t)(stop - line));
	}
	return rc;
}

static const char no_link[] = "a link: its patterns do not count";
static const char unreadable[] = "it cannot be read: its patterns do not count";

/* *why: the reason why it could not be read; NULL: it was, or is not there. */
static int read_one(ignore_rules *rules, int dir, const char *name, const char **why)
{
	buf text = { 0 };
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	*why = NULL;
	if (fd < 0) {
		if (errno != ENOENT)
			*why = errno == ELOOP ? no_link : unreadable;
		return 0;
	}
	int rc = ims_read_fd(&text, fd, name, MAX_BYTES, NULL);
	if (!rc)
		rc = add_lines(rules, &text);
	else if (rc != IMGSEARCH_ENOMEM)
		*why = unreadable;
	ims_buf_free(&text);
	close(fd);
	return rc == IMGSEARCH_ENOMEM ? rc : 0;
}

static const char *const names[] = { ".ignore", ".imgsearchignore" };

int ims_ignore_read(ignore_rules *rules, int dir)
{
	int rc = read_one(rules, dir, names[0], &rules->unread[0]);
	return rc ? rc : read_one(rules, dir, names[1], &rules->unread[1]);
}

const char *ims_ignore_unread(const ignore_rules *rules, const char *name)
{
	for (int i = 0; i < 2; i++)
		if (!strcmp(name, names[i]))
			return rules->unread[i];
	return NULL;
}

void ims_ignore_free(ignore_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		ims_free(rules->pattern[i].text);
	ims_free(rules->pattern);
}

static bool matches(const ignore_pattern *p, const char *inside, const char *name)
{
	if (!p->anchored)
		return ims_wildcard_matches(p->text, name, 0);
	return !strncmp(p->text, inside, p->literal)
		&& ims_wildcard_matches(p->text + p->literal, inside + p->literal, WILDCARD_PATH);
}

bool ims_ignore_excludes(const ignore_rules *rules, const char *path, const char *name, bool folder)
{
	for (; rules; rules = rules->outer)
		for (size_t i = rules->n; i-- > 0;) {
			const ignore_pattern *p = &rules->pattern[i];
			if ((folder || !p->folders_only) && matches(p, path + rules->base, name))
				return !p->negated;
		}
	return false;
}
