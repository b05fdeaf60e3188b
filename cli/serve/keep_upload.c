/* Uploads that are added to the index. */
#include "cli/serve/keep_upload.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/*
 * A new file in the folder of uploads, named by the time and a random number; -1: errno says why.
 */
static int new_file(const server *s, const char *type, char *path, size_t size)
{
	uint64_t random;
	char when[32];
	time_t t = time(NULL);
	struct tm tm;
	if (getrandom(&random, sizeof random, 0) != sizeof random)
		return -1;
	strftime(when, sizeof when, "%Y%m%d-%H%M%S", localtime_r(&t, &tm));
	snprintf(path, size, "%s/%s-%08llx.%s", s->options.uploads, when, (unsigned long long)random,
		type);
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

/*
 * Writes the upload to a new file; path receives its path, also if that fails half-way. 0 or a
 * status.
 */
static int write_upload(const server *s, const void *data, size_t size, char *path,
	size_t path_size, imgsearch_error *err)
{
	bool is_png = size > 1 && *(const unsigned char *)data == 0x89;
	int fd = new_file(s, is_png ? "png" : "jpg", path, path_size);
	bool ok = fd >= 0 && write(fd, data, size) == (ssize_t)size && !fsync(fd);
	int why = errno;
	if (fd >= 0)
		close(fd);
	if (ok)
		return 0;
	if (fd >= 0)
		unlink(path);
	*err = (imgsearch_error){ .code = IMGSEARCH_EIO, .detail = why };
	snprintf(err->message, sizeof err->message, "the upload could not be kept: %s", strerror(why));
	return IMGSEARCH_EIO;
}

/* The file of data that is no picture is deleted. */
int keep_upload(server *sv, imgsearch *s, const void *data, size_t size, int64_t *id,
	imgsearch_error *err)
{
	char path[4200];
	imgsearch_image *picture;
	imgsearch_input in = imgsearch_input_bytes(data, size);
	imgsearch_call call = server_call(sv);
	*id = 0;
	int rc = imgsearch_image_load(s, &in, 64, &call, &picture, err);
	imgsearch_image_free(picture);
	if (!rc)
		rc = write_upload(sv, data, size, path, sizeof path, err);
	if (rc)
		return rc;
	in = imgsearch_input_file(path);
	pthread_mutex_lock(&sv->write_lock);
	rc = imgsearch_index_add(s, &in, NULL, &call, id, err);
	pthread_mutex_unlock(&sv->write_lock);
	if (rc)
		unlink(path);
	return rc;
}
