/* Uploads that are added to the index. */
#include "cli/serve/keep_upload.h"

#include "cli/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* ---------------------------------------------------------------------------- in a folder ---- */

/* Of formats that every browser shows; others are taken for a JPEG. */
static const char *ending(const void *data, size_t size)
{
	return size > 1 && *(const unsigned char *)data == 0x89 ? "png" : "jpg";
}

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
	int fd = new_file(s, ending(data, size), path, path_size);
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

/*
 * The picture whose bytes the item has, where its file is there; 0: the item is the first with
 * them.
 */
static int64_t same_picture(imgsearch *s, int64_t id)
{
	imgsearch_item *item = NULL, *same = NULL;
	int64_t found = 0;
	if (!imgsearch_item_get(s, id, &item, NULL) && item->state == IMGSEARCH_STATE_DUPLICATE
		&& !imgsearch_item_get(s, item->same_as, &same, NULL) && !access(same->path, R_OK))
		found = same->id;
	imgsearch_item_free(item);
	imgsearch_item_free(same);
	return found;
}

/* The file of data that is no picture, or that another file has, is deleted. */
static int keep_in_folder(const server *sv, imgsearch *s, const void *data, size_t size,
	const imgsearch_call *call, int64_t *id, imgsearch_error *err)
{
	char path[4200];
	int rc = write_upload(sv, data, size, path, sizeof path, err);
	if (rc)
		return rc;
	imgsearch_input in = imgsearch_input_file(path);
	rc = imgsearch_index_add(s, &in, NULL, call, id, err);
	int64_t same = rc ? 0 : same_picture(s, *id);
	if (same)
		rc = imgsearch_index_remove(s, id, 1, NULL, call, err);
	if (same && !rc)
		*id = same;
	if (rc || same)
		unlink(path);
	return rc;
}

/* --------------------------------------------------------------------------- in the index ---- */

static const char *last_part(const char *name)
{
	for (const char *c = name; *c; c++)
		if (*c == '/' || *c == '\\')
			name = c + 1;
	return name;
}

/* The first n bytes of a name, with "_" for what no line of text has; at most size - 1 bytes. */
static void copy_name(char *out, size_t size, const char *name, size_t n)
{
	size_t length = 0;
	for (const char *end = name + n; name < end;) {
		uint32_t code;
		size_t bytes = text_char(name, &code);
		bool fits = bytes && !text_is_control(code);
		size_t more = fits ? bytes : 1;
		if (length + more >= size)
			break;
		memcpy(out + length, fits ? name : "_", more);
		length += more;
		name += bytes ? bytes : 1;
	}
	out[length] = 0;
}

/*
 * "uploads/NAME-NUMBER.ENDING", after the file that the sender names, or the time. It is the name
 * of an item: no file has it. False: there are no random numbers.
 */
static bool make_name(char *out, size_t size, const char *given, const char *type)
{
	enum { LONGEST = 100 };
	char name[LONGEST] = "";
	uint64_t random;
	const char *last = last_part(given ? given : ""), *dot = strrchr(last, '.');
	copy_name(name, sizeof name, last, dot ? (size_t)(dot - last) : strlen(last));
	if (!*name) {
		time_t now = time(NULL);
		struct tm tm;
		strftime(name, sizeof name, "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	}
	if (getrandom(&random, sizeof random, 0) != sizeof random)
		return false;
	snprintf(out, size, "uploads/%s-%016llx.%s", name, (unsigned long long)random, type);
	return true;
}

static int keep_in_index(imgsearch *s, const imgsearch_input *in, const char *given,
	const imgsearch_call *call, int64_t *id, imgsearch_error *err)
{
	char name[200];
	imgsearch_index_add_options o = IMGSEARCH_INIT(imgsearch_index_add_options);
	if (!make_name(name, sizeof name, given, ending(in->data, in->size))) {
		*err = (imgsearch_error){ .code = IMGSEARCH_EIO, .detail = errno };
		snprintf(err->message, sizeof err->message, "the upload gets no name: %s", strerror(errno));
		return IMGSEARCH_EIO;
	}
	o.name = name;
	o.store_bytes = 1;
	return imgsearch_index_add(s, in, &o, call, id, err);
}

int keep_upload(server *sv, imgsearch *s, const upload *u, const imgsearch_call *call, int64_t *id,
	imgsearch_error *err)
{
	imgsearch_input in = imgsearch_input_bytes(u->data, u->size);
	*id = 0;
	return sv->options.store_uploads ? keep_in_index(s, &in, u->name, call, id, err)
									 : keep_in_folder(sv, s, u->data, u->size, call, id, err);
}
