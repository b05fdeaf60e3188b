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

int file_replace(const char *path, const void *data, size_t size, mode_t mode)
{
	char part[4200];
	uint64_t random;
	if (getrandom(&random, sizeof random, 0) != sizeof random)
		return errno;
	if (snprintf(part, sizeof part, "%s.%016llx", path, (unsigned long long)random)
		>= (int)sizeof part)
		return ENAMETOOLONG;
	int why = write_new(part, data, size, mode);
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

bool file_may_write(imgsearch *s, const char *path)
{
	int64_t id;
	imgsearch_item *item = NULL;
	char *full = access(path, F_OK) ? NULL : path_absolute(path);
	bool found = full && !imgsearch_item_find(s, full, &id, NULL)
		&& !imgsearch_item_get(s, id, &item, NULL);
	bool picture = found
		&& (item->state == IMGSEARCH_STATE_INDEXED || item->state == IMGSEARCH_STATE_DUPLICATE);
	if (picture)
		cli_fail("%s: a picture of the index; it is not overwritten", path);
	imgsearch_item_free(item);
	free(full);
	return !picture;
}
