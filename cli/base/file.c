/* Files that the command writes. */
#include "cli/base/file.h"

#include "cli/base/message.h"
#include "cli/base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

file_kind file_kind_of(const char *path)
{
	static const struct {
		const char *end;
		file_kind kind;
	} kinds[] = {
		{ ".png", FILE_PNG },
		{ ".jpg", FILE_JPEG },
		{ ".jpeg", FILE_JPEG },
		{ ".html", FILE_HTML },
		{ ".htm", FILE_HTML },
	};
	const char *dot = strrchr(path, '.');
	for (size_t i = 0; dot && i < sizeof kinds / sizeof *kinds; i++)
		if (!strcasecmp(dot, kinds[i].end))
			return kinds[i].kind;
	return FILE_OTHER;
}

/* All bytes into a new file; 0 or an errno. The file is removed when that fails. */
static int write_new(const char *path, const void *data, size_t size, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode), why = 0;
	if (fd < 0)
		return errno;
	for (const char *at = data; size && !why;) {
		ssize_t n = write(fd, at, size);
		if (n > 0) {
			at += n;
			size -= (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			why = n ? errno : EIO;
		}
	}
	if (close(fd) && !why)
		why = errno;
	if (why)
		unlink(path);
	return why;
}

int file_part_name(char part[FILE_NAME_SIZE], const char *path)
{
	uint64_t random;
	if (getrandom(&random, sizeof random, 0) != sizeof random)
		return errno;
	return snprintf(part, FILE_NAME_SIZE, "%s.%016llx", path, (unsigned long long)random)
			>= FILE_NAME_SIZE
		? ENAMETOOLONG
		: 0;
}

int file_replace(const char *path, const void *data, size_t size, mode_t mode)
{
	char part[FILE_NAME_SIZE];
	int why = file_part_name(part, path);
	if (!why)
		why = write_new(part, data, size, mode);
	if (!why && rename(part, path)) {
		why = errno;
		unlink(part);
	}
	return why;
}

bool file_write(const char *path, const void *data, size_t size)
{
	int why = file_replace(path, data, size, 0666);
	if (why)
		cli_fail("%s: cannot be written: %s", path, strerror(why));
	return !why;
}

/* 0 or an errno. */
static int open_part(file_part *f)
{
	struct stat st;
	if (!stat(f->path, &st) && !S_ISREG(st.st_mode))
		return (f->file = fopen(f->path, "wbe")) ? 0 : errno;
	f->target = path_absolute(f->path);
	int why = !f->target ? ENOMEM : file_part_name(f->part, f->target);
	if (!why && !(f->file = fopen(f->part, "wbxe")))
		why = errno;
	return why;
}

bool file_part_open(file_part *f, const char *path)
{
	f->path = path;
	f->file = NULL;
	f->target = NULL;
	int why = open_part(f);
	if (!why)
		return true;
	free(f->target);
	return cli_fail("%s: cannot write: %s", path, strerror(why)), false;
}

bool file_part_close(file_part *f, bool keep)
{
	bool good = keep;
	if (!f->file)
		return false;
	if (fclose(f->file) != 0)
		good = false;
	f->file = NULL;
	if (good && f->target)
		good = rename(f->part, f->target) == 0;
	if (keep && !good)
		cli_fail("%s: cannot write: %s", f->path, strerror(errno));
	if (!good && f->target)
		unlink(f->part);
	free(f->target);
	f->target = NULL;
	return good;
}

bool file_is_input(const char *path, const char *const *input, size_t n)
{
	struct stat a, b;
	if (stat(path, &a))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!stat(input[i], &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
			return cli_fail("%s: this command reads it; it is not overwritten", path), true;
	return false;
}

/* Whether a file begins as every SQLite database does. */
static bool is_database(const char *path)
{
	char head[16];
	struct stat st;
	FILE *f = !stat(path, &st) && S_ISREG(st.st_mode) ? fopen(path, "rbe") : NULL;
	bool is = f && fread(head, 1, sizeof head, f) == sizeof head
		&& !memcmp(head, "SQLite format 3", sizeof head);
	if (f)
		fclose(f);
	return is;
}

/* Whether path is a database, or what SQLite and the writer lock put beside one. */
static bool belongs_to_database(const char *path)
{
	static const char *const ends[] = { "-wal", "-shm", "-journal", "-lock" };
	if (is_database(path))
		return true;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		size_t length = strlen(path), end = strlen(ends[i]);
		if (length <= end || strcmp(path + length - end, ends[i]))
			continue;
		char *database = strndup(path, length - end);
		bool is = database && is_database(database);
		free(database);
		return is;
	}
	return false;
}

bool file_may_write(imgsearch *s, const char *path)
{
	if (!strcmp(path, "-"))
		return cli_fail("-: a file is written, not standard output (a file of that name: ./-)"),
			   false;
	if (belongs_to_database(path))
		return cli_fail("%s: an index or another database; it is not overwritten", path), false;
	int64_t id;
	imgsearch_item *item = NULL;
	char *full = !s || access(path, F_OK) ? NULL : path_absolute(path);
	bool found = full && !imgsearch_item_find(s, full, &id, NULL)
		&& !imgsearch_item_get(s, id, &item, NULL);
	bool picture = found
		&& (item->state == IMGSEARCH_STATE_INDEXED || item->state == IMGSEARCH_STATE_DUPLICATE
			|| item->state == IMGSEARCH_STATE_LINK);
	if (picture)
		cli_fail("%s: a picture of the index; it is not overwritten", path);
	imgsearch_item_free(item);
	free(full);
	return !picture;
}
