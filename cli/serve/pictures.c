/*
 * Pictures to look at: thumbnails (made once, kept by content hash and size in the cache folder), the files themselves,
 * uploads. No name of a file comes from a request: paths are those of the index, names of uploads are made here.
 */
#include "cli/serve/request.h"
#include "cli/serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOREVER "private, max-age=31536000, immutable"
#define A_WHILE "private, max-age=60"

/* ---------------------------------------------------------------------------------------------- thumbnails ---- */

static uint32_t thumb_size(const exchange *x)
{
	const char *text = param(x, "size");
	long asked = text ? strtol(text, NULL, 10) : 256;
	uint32_t size = 128;
	while (size < 1024 && size < (uint32_t)(asked > 0 ? asked : 0))
		size *= 2;
	return size;
}

static bool cache_path(const server *s, const imgsearch_item *item, uint32_t size, char *path, size_t path_size)
{
	return s->options.cache && item->hash[0] && strspn(item->hash, "0123456789abcdef") == 64
		&& snprintf(path, path_size, "%s/%.2s/%s-%u.jpg", s->options.cache, item->hash, item->hash, size) < (int)path_size;
}

/* Written beside and renamed, so that nobody ever reads half of one. Failing is fine: it is made again. */
static void cache_write(const server *s, const char *path, const void *data, size_t size)
{
	char part[4200], folder[4200];
	snprintf(folder, sizeof folder, "%s", path);
	*strrchr(folder, '/') = 0;
	mkdir(s->options.cache, 0700);
	mkdir(folder, 0700);
	if (snprintf(part, sizeof part, "%s.XXXXXX", path) >= (int)sizeof part)
		return;
	int fd = mkstemp(part);
	if (fd < 0)
		return;
	bool ok = write(fd, data, size) == (ssize_t)size;
	if (close(fd) || !ok || rename(part, path))
		unlink(part);
}

static enum MHD_Result answer_file(exchange *x, int fd, const char *type, const char *cache)
{
	struct stat st;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return answer_error(x, 404, "ENOTFOUND", "the picture's file is gone");
	}
	struct MHD_Response *r = MHD_create_response_from_fd64((uint64_t)st.st_size, fd);
	if (!r) {
		close(fd);
		return MHD_NO;
	}
	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "Cache-Control", cache);
	return answer(x, 200, r);
}

static enum MHD_Result make_thumb(exchange *x, imgsearch *s, const imgsearch_input *in, uint32_t size, const char *cache_as, const char *cache)
{
	imgsearch_picture *picture;
	imgsearch_error err = { 0 };
	void *bytes = NULL;
	size_t n;
	int rc = imgsearch_picture_load(s, in, size, &picture, &err);
	if (!rc)
		rc = imgsearch_picture_encode(picture, 82, &bytes, &n, &err);
	imgsearch_picture_free(picture);
	if (rc)
		return answer_library(x, &err);
	if (cache_as)
		cache_write(x->server, cache_as, bytes, n);
	enum MHD_Result result = answer_bytes(x, 200, "image/jpeg", cache, bytes, n);
	imgsearch_bytes_free(bytes);
	return result;
}

static enum MHD_Result thumb(exchange *x, imgsearch *s, const imgsearch_item *item)
{
	char path[4100];
	uint32_t size = thumb_size(x);
	bool cached = cache_path(x->server, item, size, path, sizeof path);
	const char *cache = param(x, "v") ? FOREVER : A_WHILE; /* a page that names the content may keep it */
	int fd = cached ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0)
		return answer_file(x, fd, "image/jpeg", cache);
	imgsearch_input in = imgsearch_stored(item->id);
	return make_thumb(x, s, &in, size, cached ? path : NULL, cache);
}

/* Runs show with the item, or answers why not. */
static enum MHD_Result with_item(exchange *x, int64_t id, enum MHD_Result (*show)(exchange *, imgsearch *, const imgsearch_item *))
{
	imgsearch_error err = { 0 };
	imgsearch_item *item = NULL;
	enum MHD_Result result;
	imgsearch *s = serve_index_take(x->server->index, &err);
	if (!s)
		return answer_library(x, &err);
	if (imgsearch_item_get(s, id, &item, &err))
		result = answer_library(x, &err);
	else
		result = show(x, s, item);
	imgsearch_item_free(item);
	serve_index_give(x->server->index);
	return result;
}

enum MHD_Result picture_thumb(exchange *x, int64_t id)
{
	return with_item(x, id, thumb);
}

/* ------------------------------------------------------------------------------------------------ pictures ---- */

/* What came to stand at a picture's path meanwhile may be a secret, or a web page: only pictures go out. NULL: none. */
static const char *picture_type(int fd)
{
	unsigned char head[8];
	if (pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head) {
		if (head[0] == 0xff && head[1] == 0xd8)
			return "image/jpeg";
		if (!memcmp(head, "\x89PNG\r\n\x1a\n", 8))
			return "image/png";
	}
	return NULL;
}

static enum MHD_Result full(exchange *x, imgsearch *s, const imgsearch_item *item)
{
	(void)s;
	int fd = item->state <= IMGSEARCH_DUPLICATE && item->path[0] == '/' ? open(item->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	if (fd < 0)
		return answer_error(x, 404, "ENOTFOUND", "the picture's file is gone");
	const char *type = picture_type(fd);
	if (type)
		return answer_file(x, fd, type, A_WHILE);
	close(fd);
	return answer_error(x, 415, "EUNSUPPORTED", "the file is no picture any more");
}

enum MHD_Result picture_full(exchange *x, int64_t id)
{
	return with_item(x, id, full);
}

enum MHD_Result picture_held(exchange *x, const char *name)
{
	imgsearch_error err = { 0 };
	size_t size = 0;
	void *data = held_get(x->server->index, name, &size);
	if (!data)
		return answer_error(x, 404, "ENOTFOUND", "this picture is no longer held; send it again");
	imgsearch *s = serve_index_take(x->server->index, &err);
	imgsearch_input in = imgsearch_memory(data, size);
	enum MHD_Result result = s ? make_thumb(x, s, &in, 1024, NULL, FOREVER) : answer_library(x, &err);
	if (s)
		serve_index_give(x->server->index);
	free(data);
	return result;
}

/* ------------------------------------------------------------------------------------------------- uploads ---- */

/* A new file for an upload in the folder of uploads; its name is the time and a random number. */
static int new_file(const server *s, const char *type, char *path, size_t size)
{
	uint64_t random;
	char when[32];
	time_t t = time(NULL);
	struct tm tm;
	if (getrandom(&random, sizeof random, 0) != sizeof random)
		return -1;
	strftime(when, sizeof when, "%Y%m%d-%H%M%S", localtime_r(&t, &tm));
	snprintf(path, size, "%s/%s-%08llx.%s", s->options.uploads, when, (unsigned long long)random, type);
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

/* Adds one picture; what is no picture leaves no file behind. */
static int add_one(server *sv, imgsearch *s, const void *data, size_t size, int64_t *id, imgsearch_error *err)
{
	char path[4200];
	imgsearch_picture *picture;
	imgsearch_input in = imgsearch_memory(data, size);
	int rc = imgsearch_picture_load(s, &in, 64, &picture, err);
	imgsearch_picture_free(picture);
	if (rc)
		return rc;
	int fd = new_file(sv, size > 1 && *(const unsigned char *)data == 0x89 ? "png" : "jpg", path, sizeof path);
	bool ok = fd >= 0 && write(fd, data, size) == (ssize_t)size && !fsync(fd);
	int why = errno;
	if (fd >= 0)
		close(fd);
	if (!ok) {
		*err = (imgsearch_error){ .code = IMGSEARCH_EIO, .detail = why };
		snprintf(err->message, sizeof err->message, "the upload could not be kept: %s", strerror(why));
		rc = IMGSEARCH_EIO;
	}
	in = imgsearch_file(path);
	*id = 0;
	if (!rc) {
		pthread_mutex_lock(&sv->changing);
		rc = imgsearch_index_add(s, &in, NULL, id, err);
		pthread_mutex_unlock(&sv->changing);
	}
	if (rc && fd >= 0)
		unlink(path);
	return rc;
}

enum MHD_Result picture_add(exchange *x)
{
	form_part part[REQUEST_PARTS] = { { .data = x->body, .size = x->size } };
	const char *type = header(x, "Content-Type"), *name = param(x, "held");
	void *held = NULL;
	imgsearch_error err = { 0 };
	int n = 1;
	if (x->server->options.read_only || !x->server->options.uploads)
		return answer_error(x, 403, "EREADONLY", "this server takes no pictures; start it with --uploads DIR");
	if (name) {
		if (!(held = held_get(x->server->index, name, &part[0].size)))
			return answer_error(x, 410, "ENOTHELD", "the picture is no longer held; send it again");
		part[0].data = held;
	} else if (type && !strncasecmp(type, "multipart/form-data", 19))
		n = form_parse(part, REQUEST_PARTS, type, x->body ? x->body : "", x->size);
	if (n <= 0 || !part[0].size)
		return answer_error(x, 400, "EINVAL", "no picture, or a malformed form");
	imgsearch *s = serve_index_take(x->server->index, &err);
	if (!s) {
		free(held);
		return answer_library(x, &err);
	}
	reply r;
	json_writer j;
	int added = 0;
	json_write_begin(&j, reply_open(&r));
	json_write_open(&j, "added", '[');
	for (int i = 0; i < n; i++) {
		int64_t id;
		json_write_open(&j, NULL, '{');
		if (add_one(x->server, s, part[i].data, part[i].size, &id, &err)) {
			json_write_text(&j, "error", err.message);
		} else {
			json_write_int(&j, "id", id);
			added++;
		}
		json_write_close(&j, '}');
	}
	json_write_close(&j, ']');
	json_write_end(&j);
	serve_index_give(x->server->index);
	free(held);
	if (added) {
		layout_forget(x->server->map);
		layout_forget(x->server->groups);
		return reply_send(x, &r, 201, NULL, NULL);
	}
	fclose(r.file);
	free(r.text);
	return answer_library(x, &err);
}
