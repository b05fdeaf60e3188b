/*
 * Pictures for display: thumbnails, the files themselves; uploads. No file name comes from a
 * request: paths come from the index.
 */
#include "cli/serve/pictures.h"

#include "cli/base/json_writer.h"
#include "cli/output/item.h"
#include "cli/serve/answer.h"
#include "cli/serve/collection.h"
#include "cli/serve/keep_upload.h"
#include "cli/serve/search_request.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOREVER "private, max-age=31536000, immutable"
#define CHECKED "private, no-cache" /* kept, and asked for again by its tag */

static const char kept_out[] = "the picture is kept out of the index";

/* ------------------------------------------------------------------------------ thumbnails ---- */

static uint32_t thumb_size(int64_t wanted)
{
	uint32_t size = 128;
	while (size < 1024 && size < wanted)
		size *= 2;
	return size;
}

/* Answers with a file; the answer owns the descriptor. */
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
	x->answer_size = (size_t)st.st_size;
	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "Cache-Control", cache);
	return answer(x, 200, r);
}

/*
 * Tells the bytes of an item's picture apart from others. It is their hash while the file is as the
 * index knows it, or away; else a text made of the file's own facts. *known: it is the hash.
 */
static void name_content(const imgsearch_item *item, char *out, size_t size, bool *known)
{
	struct stat st;
	bool there = item->path[0] == '/' && !stat(item->path, &st);
	bool same = there && (uint64_t)st.st_size == item->bytes
		&& st.st_mtim.tv_sec == item->mtime_seconds
		&& st.st_mtim.tv_nsec == item->mtime_nanoseconds;
	*known = *item->hash && (!there || same);
	if (*known)
		snprintf(out, size, "%s", item->hash);
	else if (there)
		snprintf(out, size, "%llx-%llx-%llx-%lx", (unsigned long long)st.st_ino,
			(unsigned long long)st.st_size, (unsigned long long)st.st_mtim.tv_sec,
			(unsigned long)st.st_mtim.tv_nsec);
	else
		*out = 0;
}

enum { CONTENT = 80 }; /* bytes of its name */

/*
 * Sets the tag of what is answered, "CONTENT-FORM". Returns the value of Cache-Control: a request
 * that names the content by v may be answered from a cache for ever.
 */
static const char *tag_content(exchange *x, const char *content, const char *form)
{
	const char *named = exchange_param(x, "v");
	if (*content)
		snprintf(x->etag, sizeof x->etag, "\"%.70s-%s\"", content, form);
	return named && *content && !strcmp(named, content) ? FOREVER : CHECKED;
}

/* A JPEG of at most size pixels a side. *out: its bytes. 0 or a status. */
static int draw(const exchange *x, imgsearch *s, const imgsearch_input *in, uint32_t size,
	imgsearch_bytes **out, imgsearch_error *err)
{
	imgsearch_image *picture;
	imgsearch_call call = exchange_call(x);
	int rc = imgsearch_image_load(s, in, size, &call, &picture, err);
	if (!rc)
		rc = imgsearch_image_encode(picture, 82, &call, out, err);
	imgsearch_image_free(picture);
	return rc;
}

/* cache: the value of Cache-Control. */
static enum MHD_Result make_jpeg(exchange *x, imgsearch *s, const imgsearch_input *in,
	uint32_t size, const char *cache)
{
	imgsearch_error err = { 0 };
	imgsearch_bytes *bytes = NULL;
	if (draw(x, s, in, size, &bytes, &err))
		return answer_library_error(x, &err);
	enum MHD_Result result = answer_bytes(x, 200, "image/jpeg", cache, bytes->items, bytes->count);
	imgsearch_bytes_free(bytes);
	return result;
}

/* A new thumbnail, which is kept where the file did not change while it was read. */
static enum MHD_Result make_thumb(exchange *x, imgsearch *s, const imgsearch_item *item,
	uint32_t size, const char *content, const char *cache)
{
	char after[CONTENT];
	bool known;
	imgsearch_error err = { 0 };
	imgsearch_bytes *bytes = NULL;
	imgsearch_input in = imgsearch_input_item(item->id);
	if (draw(x, s, &in, size, &bytes, &err))
		return answer_library_error(x, &err);
	name_content(item, after, sizeof after, &known);
	if (strcmp(after, content)) {
		*x->etag = 0;
		cache = "no-store";
	} else if (known) {
		thumb_cache_put(x->server->thumbs, item->hash, size, bytes->items, bytes->count);
	}
	enum MHD_Result result = answer_bytes(x, 200, "image/jpeg", cache, bytes->items, bytes->count);
	imgsearch_bytes_free(bytes);
	return result;
}

static enum MHD_Result show_thumb(exchange *x, imgsearch *s, const imgsearch_item *item)
{
	char content[CONTENT], form[16];
	bool known;
	int64_t wanted = 256;
	enum MHD_Result result;
	if (item->state == IMGSEARCH_STATE_DELETED)
		return answer_error(x, 404, "ENOTFOUND", kept_out);
	if (!answer_unless_whole(x, "size", 1, UINT32_MAX, &wanted, &result))
		return result;
	uint32_t size = thumb_size(wanted);
	snprintf(form, sizeof form, "%u", size);
	name_content(item, content, sizeof content, &known);
	const char *cache = tag_content(x, content, form);
	if (answer_not_modified(x, cache, &result))
		return result;
	int fd = known ? thumb_cache_open(x->server->thumbs, item->hash, size) : -1;
	return fd >= 0 ? answer_file(x, fd, "image/jpeg", cache)
				   : make_thumb(x, s, item, size, content, cache);
}

typedef enum MHD_Result show_item(exchange *x, imgsearch *s, const imgsearch_item *item);

/* Calls show with the item that the path names, or answers with the error. */
static enum MHD_Result with_item(exchange *x, show_item *show)
{
	imgsearch_error err = { 0 };
	imgsearch_item *item = NULL;
	enum MHD_Result result;
	imgsearch *s = open_index_acquire(x->server->index, &err);
	if (!s)
		return answer_library_error(x, &err);
	if (imgsearch_item_get(s, x->id, &item, &err))
		result = answer_library_error(x, &err);
	else
		result = show(x, s, item);
	imgsearch_item_free(item);
	open_index_release(x->server->index);
	return result;
}

enum MHD_Result handle_thumb(exchange *x)
{
	return with_item(x, show_thumb);
}

/* -------------------------------------------------------------------------------- pictures ---- */

enum { PICTURE_HEAD = 8 };

/*
 * The type of a file that every browser shows, by its beginning; NULL: another one. Only pictures
 * are sent: a file that replaced the picture may be secret, or a web page.
 */
static const char *picture_type(const unsigned char *head, size_t size)
{
	if (size >= PICTURE_HEAD) {
		if (head[0] == 0xff && head[1] == 0xd8)
			return "image/jpeg";
		if (!memcmp(head, "\x89PNG\r\n\x1a\n", PICTURE_HEAD))
			return "image/png";
	}
	return NULL;
}

/* For browsers that may not know the format. */
static enum MHD_Result show_large(exchange *x, imgsearch *s, const imgsearch_item *item,
	const char *cache)
{
	enum { LONGEST_SIDE = 4096 };
	imgsearch_input in = imgsearch_input_item(item->id);
	return make_jpeg(x, s, &in, LONGEST_SIDE, cache);
}

/* Of a picture without a file here: what the index stores. */
static enum MHD_Result show_stored(exchange *x, imgsearch *s, const imgsearch_item *item,
	const char *cache)
{
	imgsearch_error err = { 0 };
	imgsearch_bytes *bytes;
	imgsearch_call call = exchange_call(x);
	int rc = imgsearch_item_bytes(s, item->id, &call, &bytes, &err);
	if (rc == IMGSEARCH_ENOTFOUND || rc == IMGSEARCH_EIO)
		return answer_error(x, 404, "ENOTFOUND", "the picture's file is gone");
	if (rc)
		return answer_library_error(x, &err);
	const char *type = picture_type(bytes->items, bytes->count);
	enum MHD_Result result = type ? answer_bytes(x, 200, type, cache, bytes->items, bytes->count)
								  : show_large(x, s, item, cache);
	imgsearch_bytes_free(bytes);
	return result;
}

/* A file that no symbolic link leads to; -1: none. Of others the library decides. */
static int open_plainly(const char *path)
{
	char entry[40], real[4100];
	int fd = path[0] == '/' ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	snprintf(entry, sizeof entry, "/proc/self/fd/%d", fd);
	ssize_t n = fd < 0 ? -1 : readlink(entry, real, sizeof real);
	if (n > 0 && ((size_t)n != strlen(path) || memcmp(real, path, (size_t)n))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The file, or where browsers may not know its format, a JPEG of it. */
static enum MHD_Result show_full(exchange *x, imgsearch *s, const imgsearch_item *item)
{
	unsigned char head[PICTURE_HEAD];
	char content[CONTENT];
	bool known;
	enum MHD_Result result;
	bool picture = item->state <= IMGSEARCH_STATE_DUPLICATE || item->state == IMGSEARCH_STATE_LINK;
	if (item->state == IMGSEARCH_STATE_DELETED)
		return answer_error(x, 404, "ENOTFOUND", kept_out);
	if (!picture)
		return answer_error(x, 404, "ENOTFOUND", "the picture's file is gone");
	name_content(item, content, sizeof content, &known);
	const char *cache = tag_content(x, content, "full");
	int fd = open_plainly(item->path);
	if ((fd >= 0 || item->path[0] != '/') && answer_not_modified(x, cache, &result)) {
		if (fd >= 0)
			close(fd);
		return result;
	}
	if (fd < 0)
		return show_stored(x, s, item, cache);
	ssize_t n = pread(fd, head, sizeof head, 0);
	const char *type = picture_type(head, n > 0 ? (size_t)n : 0);
	if (type)
		return answer_file(x, fd, type, cache);
	close(fd);
	return show_large(x, s, item, cache);
}

enum MHD_Result handle_full(exchange *x)
{
	return with_item(x, show_full);
}

static enum MHD_Result show_members(exchange *x, imgsearch *s, const imgsearch_item *item)
{
	reply r;
	json_writer j;
	(void)s;
	json_write_begin(&j, reply_open(&r));
	item_write_all(&j, item);
	json_write_end(&j);
	return reply_send(x, &r, 200);
}

/* A function of the library that changes some pictures of the index. */
typedef int change(imgsearch *s, const int64_t *ids, size_t n, const imgsearch_call *call,
	imgsearch_error *err);

static int forget(imgsearch *s, const int64_t *ids, size_t n, const imgsearch_call *call,
	imgsearch_error *err)
{
	return imgsearch_index_remove(s, ids, n, NULL, call, err);
}

/* Answers with the item as it is afterwards; one that is gone, as it was. */
static enum MHD_Result change_item(exchange *x, imgsearch *s, const imgsearch_item *item,
	change *apply)
{
	imgsearch_error err = { 0 };
	imgsearch_item *now = NULL;
	int64_t id = item->id;
	imgsearch_call call = exchange_call(x);
	int rc = apply(s, &id, 1, &call, &err);
	if (rc)
		return answer_library_error(x, &err);
	collection_invalidate(x->server);
	thumb_cache_drop(x->server->thumbs, item->hash);
	imgsearch_item_get(s, id, &now, NULL);
	enum MHD_Result result = show_members(x, s, now ? now : item);
	imgsearch_item_free(now);
	return result;
}

static enum MHD_Result remove_item(exchange *x, imgsearch *s, const imgsearch_item *item)
{
	int64_t forgets = 0;
	enum MHD_Result refused;
	return answer_unless_whole(x, "forget", 0, 1, &forgets, &refused)
		? change_item(x, s, item, forgets ? forget : imgsearch_index_keep_out)
		: refused;
}

static enum MHD_Result readmit_item(exchange *x, imgsearch *s, const imgsearch_item *item)
{
	return change_item(x, s, item, imgsearch_index_readmit);
}

static enum MHD_Result change_picture(exchange *x, show_item *apply)
{
	const char *refusal = server_refuses_changes(x->server);
	return refusal ? answer_error(x, 403, "EREADONLY", "%s", refusal) : with_item(x, apply);
}

enum MHD_Result handle_picture(exchange *x)
{
	return strcmp(x->method, "DELETE") ? with_item(x, show_members)
									   : change_picture(x, remove_item);
}

enum MHD_Result handle_readmit(exchange *x)
{
	return change_picture(x, readmit_item);
}

/* --------------------------------------------------------------------------------- uploads ---- */

enum MHD_Result handle_upload(exchange *x)
{
	imgsearch_error err = { 0 };
	size_t size = 0;
	void *data = upload_cache_get(x->server->uploads, x->rest, &size);
	if (!data)
		return answer_error(x, 404, "ENOTFOUND", "this picture is no longer held; send it again");
	imgsearch *s = open_index_acquire(x->server->index, &err);
	imgsearch_input in = imgsearch_input_bytes(data, size);
	enum MHD_Result result = s ? make_jpeg(x, s, &in, 1024, FOREVER)
							   : answer_library_error(x, &err);
	if (s)
		open_index_release(x->server->index);
	free(data);
	return result;
}

/*
 * The result of each part as JSON; returns how many were added. err: of the last one that failed.
 */
static int add_parts(exchange *x, imgsearch *s, const form_part *part, int n, json_writer *j,
	imgsearch_error *err)
{
	int added = 0;
	imgsearch_call call = exchange_call(x);
	json_write_open(j, "added", '[');
	for (int i = 0; i < n; i++) {
		int64_t id;
		json_write_open(j, NULL, '{');
		const upload u = { part[i].data, part[i].size, part[i].file };
		if (keep_upload(x->server, s, &u, &call, &id, err)) {
			json_write_text(j, "error", err->message);
		} else {
			json_write_int(j, "id", id);
			added++;
		}
		json_write_close(j, '}');
	}
	json_write_close(j, ']');
	return added;
}

/* 201 when at least one was added. */
static enum MHD_Result answer_added(exchange *x, const form_part *part, int n)
{
	imgsearch_error err = { 0 };
	reply r;
	json_writer j;
	imgsearch *s = open_index_acquire(x->server->index, &err);
	if (!s)
		return answer_library_error(x, &err);
	json_write_begin(&j, reply_open(&r));
	int added = add_parts(x, s, part, n, &j, &err);
	json_write_end(&j);
	open_index_release(x->server->index);
	if (added) {
		collection_invalidate(x->server);
		return reply_send(x, &r, 201);
	}
	reply_drop(&r);
	return answer_library_error(x, &err);
}

enum MHD_Result handle_add(exchange *x)
{
	form_part part[REQUEST_PARTS] = { { .data = x->body, .size = x->size } };
	const char *type = exchange_header(x, "Content-Type"), *held = exchange_param(x, "held");
	const char *file = exchange_param(x, "name");
	void *kept = NULL;
	int n = 1;
	if (!server_takes_uploads(x->server))
		return answer_error(x, 403, "EREADONLY", "%s",
			x->server->index_read_only
				? server_refuses_changes(x->server)
				: "this server accepts no pictures; start it with --uploads DIR");
	snprintf(part[0].file, sizeof part[0].file, "%s", file ? file : "");
	if (held) {
		if (!(kept = upload_cache_get(x->server->uploads, held, &part[0].size)))
			return answer_error(x, 410, "ENOTHELD", "the picture is no longer held; send it again");
		part[0].data = kept;
	} else if (type && !strncasecmp(type, "multipart/form-data", 19)) {
		n = form_parse(part, REQUEST_PARTS, type, exchange_body(x), x->size);
	}
	enum MHD_Result result = n > 0 && part[0].size
		? answer_added(x, part, n)
		: answer_error(x, 400, "EINVAL", "no picture, or a malformed form");
	free(kept);
	return result;
}
