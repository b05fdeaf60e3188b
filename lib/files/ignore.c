/* Reads ignore files and matches their patterns. */
#include "files/ignore.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_BYTES = 1 << 20 };

/* Removes the carriage return and blanks at the end of a line; returns its length. */
static size_t trim(char *line)
{
	size_t n = strcspn(line, "\r");
	while (n && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	line[n] = 0;
	return n;
}

static int add_pattern(ignore_rules *rules, char *line)
{
	if (!trim(line) || line[0] == '#')
		return 0;
	ignore_pattern p = { .negated = line[0] == '!' };
	line += p.negated;
	size_t n = strlen(line);
	if (n && line[n - 1] == '/') {
		p.folders_only = true;
		line[--n] = 0;
	}
	if (!strncmp(line, "**/", 3))
		line += 3;
	else if (strchr(line, '/'))
		p.anchored = true;
	line += line[0] == '/';
	ignore_pattern *grown = ims_realloc(rules->pattern, rules->n + 1, sizeof *grown);
	if (!grown)
		return IMGSEARCH_ENOMEM;
	rules->pattern = grown;
	p.text = ims_strdup(line);
	if (!p.text)
		return IMGSEARCH_ENOMEM;
	rules->pattern[rules->n++] = p;
	return 0;
}

static int add_lines(ignore_rules *rules, int fd, const char *name)
{
	buf text = { 0 };
	int rc = ims_read_fd(&text, fd, name, MAX_BYTES, NULL);
	if (rc != IMGSEARCH_ENOMEM) /* a read error ends the file there */
		rc = 0;
	ims_buf_u8(&text, 0);
	if (text.failed)
		rc = IMGSEARCH_ENOMEM;
	char *rest = rc ? NULL : (char *)text.data;
	for (char *line; !rc && (line = strsep(&rest, "\n"));)
		rc = add_pattern(rules, line);
	ims_buf_free(&text);
	return rc;
}

int ims_ignore_read(ignore_rules *rules, int dir, const char *name)
{
	struct stat st;
	int rc = 0, fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size <= MAX_BYTES)
		rc = add_lines(rules, fd, name);
	close(fd);
	return rc;
}

void ims_ignore_free(ignore_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		ims_free(rules->pattern[i].text);
	ims_free(rules->pattern);
}

bool ims_ignore_excludes(const ignore_rules *rules, const char *path, const char *name, bool folder)
{
	for (; rules; rules = rules->outer)
		for (size_t i = rules->n; i-- > 0;) {
			const ignore_pattern *p = &rules->pattern[i];
			if (p->folders_only && !folder)
				continue;
			if (ims_pattern_matches(p->text, p->anchored ? path + rules->base : name,
					p->anchored ? FNM_PATHNAME : 0))
				return !p->negated;
		}
	return false;
}
