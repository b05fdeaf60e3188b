/*
 * One request a try. The headers of each response are read as they come; the body of the last one
 * goes to PATH.part and through the checksum. PATH.tag keeps the server's name of that version
 * (ETag or Last-Modified), without which a part is fetched anew unless a checksum is stated.
 * PATH.stated keeps what the server states of a complete file.
 */
#include "cli/fetch/fetch.h"

#include "cli/base/file.h"
#include "cli/base/message.h"
#include "cli/base/text.h"
#include "cli/fetch/curl.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { TAG_SIZE = 200, URL_SIZE = 600 };

/* What a response says before its body. */
typedef struct response {
	int status;
	uint64_t length, start, total; /* of the body; of a part: where it begins, the whole file */
	bool has_length, has_range;
	char tag[TAG_SIZE];
} response;

typedef struct transfer {
	fetch_file *f;
	fetch_progress progress;
	void *user;
	char *part, *tag_path, *stated_path;
	int fd;
	GChecksum *sum;
	uint64_t at;               /* bytes in the part */
	uint64_t total;            /* of the whole file; 0: unknown */
	response now;              /* the last one that began */
	bool begun;                /* its body has */
	bool wrong;                /* what is in the part is not the file */
	char why[700];             /* a sentence of ours; "": none */
	char word[CURL_WORD_SIZE]; /* libcurl's */
} transfer;

static const curl_functions *curl;

bool fetch_possible(void)
{
	if (!curl)
		curl = curl_load();
	return curl != NULL;
}

static bool refuse(transfer *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Keeps the first sentence; false. */
static bool refuse(transfer *t, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	if (!t->why[0])
		vsnprintf(t->why, sizeof t->why, format, list);
	va_end(list);
	return false;
}

/* ------------------------------------------------------------------------------- headers ---- */

/* The value of a header, without blanks around it; NULL: it is another one. */
static const char *value_of(char *line, const char *name)
{
	size_t n = strlen(name);
	if (strncasecmp(line, name, n) || line[n] != ':')
		return NULL;
	return g_strstrip(line + n + 1);
}

/* An ETag of 64 hexadecimal digits is the SHA-256 of the file, as Hugging Face states it. */
static void take_sha256(transfer *t, const char *tag)
{
	const char *digits = tag + (*tag == '"');
	if (strspn(digits, "0123456789abcdef") == 64 && strcspn(digits, "\"") == 64)
		snprintf(t->f->server_sha256, sizeof t->f->server_sha256, "%.64s", digits);
}

/* "bytes 5-9/10", "bytes 5-9" with "/" and an asterisk, and the asterisk with "/10" */
static void take_range(response *r, const char *text)
{
	const char *slash = strchr(text, '/');
	r->has_range = sscanf(text, "bytes %" SCNu64, &r->start) == 1;
	if (slash && sscanf(slash, "/%" SCNu64, &r->total) != 1)
		r->total = 0;
}

static void take_header(transfer *t, char *line)
{
	response *r = &t->now;
	const char *v;
	if (!strncmp(line, "HTTP/", 5)) {
		*r = (response){ 0 };
		const char *blank = strchr(line, ' ');
		r->status = blank ? atoi(blank) : 0;
	} else if ((v = value_of(line, "Content-Length"))) {
		r->has_length = sscanf(v, "%" SCNu64, &r->length) == 1;
	} else if ((v = value_of(line, "Content-Range"))) {
		take_range(r, v);
	} else if ((v = value_of(line, "X-Linked-Etag"))) {
		take_sha256(t, v);
	} else if ((v = value_of(line, "ETag"))) {
		if (!t->f->server_sha256[0])
			take_sha256(t, v);
		if (strncmp(v, "W/", 2))
			snprintf(r->tag, sizeof r->tag, "%s", v);
	} else if ((v = value_of(line, "Last-Modified")) && !r->tag[0]) {
		snprintf(r->tag, sizeof r->tag, "%s", v);
	}
}

static size_t on_header(char *data, size_t one, size_t n, void *user)
{
	char *line = g_strndup(data, one * n);
	take_header(user, line);
	g_free(line);
	return one * n;
}

/* ---------------------------------------------------------------------------------- body ---- */

static bool has_stated_size(const fetch_file *f, uint64_t bytes)
{
	uint64_t off = bytes > f->bytes ? bytes - f->bytes : f->bytes - bytes;
	return !f->bytes || off <= f->bytes_off;
}

static bool check_size(transfer *t, uint64_t bytes)
{
	return has_stated_size(t->f, bytes)
		|| refuse(t, "%s: the server has %" PRIu64 " bytes, not %s%" PRIu64, t->f->url, bytes,
			t->f->bytes_off ? "about " : "", t->f->bytes);
}

static bool check_room(transfer *t, uint64_t missing)
{
	struct statvfs v;
	char need[TEXT_SIZE], room[TEXT_SIZE];
	uint64_t left = fstatvfs(t->fd, &v) ? UINT64_MAX : (uint64_t)v.f_bavail * v.f_frsize;
	return missing <= left
		|| refuse(t, "%s: no room: %s are missing, and %s are free", t->part,
			text_size(need, missing), text_size(room, left));
}

/* Begins anew: what is in the part is of another version. */
static bool empty_part(transfer *t)
{
	g_checksum_reset(t->sum);
	t->at = 0;
	return (!ftruncate(t->fd, 0) && lseek(t->fd, 0, SEEK_SET) == 0)
		|| refuse(t, "%s: %s", t->part, strerror(errno));
}

static bool keep_tag(transfer *t)
{
	const char *tag = t->now.tag;
	if (!*tag)
		return unlink(t->tag_path), true;
	int why = file_replace(t->tag_path, tag, strlen(tag), 0666);
	return !why || refuse(t, "%s: %s", t->tag_path, strerror(why));
}

/* Whether the body is the file, or the rest of it. */
static bool begin_body(transfer *t)
{
	const response *r = &t->now;
	t->begun = true;
	if (r->status == 206 && (!r->has_range || r->start != t->at)) {
		t->wrong = true;
		return refuse(t, "%s: the server sent another part than the one that was asked for",
			t->f->url);
	}
	if (r->status == 200 && t->at && !empty_part(t))
		return false;
	t->total = r->status == 206 ? r->total : r->has_length ? r->length : 0;
	if (t->total && !check_size(t, t->total))
		return false;
	uint64_t whole = t->total ? t->total : t->f->bytes;
	return check_room(t, whole > t->at ? whole - t->at : 0) && keep_tag(t);
}

static bool write_all(transfer *t, const char *data, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t wrote = write(t->fd, data + done, n - done);
		if (wrote < 0 && errno != EINTR)
			return refuse(t, "%s: %s", t->part, strerror(errno));
		if (wrote > 0) {
			g_checksum_update(t->sum, (const guchar *)data + done, wrote);
			done += (size_t)wrote;
			t->at += (uint64_t)wrote;
		}
	}
	return true;
}

static size_t on_body(char *data, size_t one, size_t n, void *user)
{
	transfer *t = user;
	size_t size = one * n;
	if (t->now.status != 200 && t->now.status != 206)
		return size; /* the page of an error */
	if (!t->begun && !begin_body(t))
		return 0;
	if (t->f->bytes && t->at + size > t->f->bytes + t->f->bytes_off) {
		t->wrong = true;
		refuse(t, "%s: the server sends more than the %" PRIu64 " bytes that are stated", t->f->url,
			t->f->bytes);
		return 0;
	}
	return write_all(t, data, size) ? size : 0;
}

static int on_progress(void *user, int64_t total, int64_t now, int64_t up_total, int64_t up)
{
	transfer *t = user;
	(void)total, (void)now, (void)up_total, (void)up;
	return t->progress(t->user, t->at, t->total ? t->total : t->f->bytes);
}

/* ------------------------------------------------------------------------------- a try ---- */

/* The first line of a file; "": there is none. */
static void read_line(const char *path, char *line, int size)
{
	FILE *f = fopen(path, "re");
	*line = 0;
	if (f && fgets(line, size, f))
		line[strcspn(line, "\r\n")] = 0;
	if (f)
		fclose(f);
}

/* The checksum of what is in an open file, from its beginning. */
static bool add_bytes(transfer *t, int fd, const char *path)
{
	char piece[1 << 16];
	ssize_t n;
	while ((n = read(fd, piece, sizeof piece)) > 0) {
		g_checksum_update(t->sum, (const guchar *)piece, n);
		t->at += (uint64_t)n;
	}
	return n == 0 || refuse(t, "%s: %s", path, strerror(errno));
}

/* Whether the complete file is there, from an earlier call. */
static bool is_here(transfer *t)
{
	fetch_file *f = t->f;
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool is = add_bytes(t, fd, f->path) && has_stated_size(f, t->at);
	close(fd);
	read_line(t->stated_path, f->server_sha256, sizeof f->server_sha256);
	snprintf(f->got_sha256, sizeof f->got_sha256, "%s", g_checksum_get_string(t->sum));
	f->got_bytes = t->at;
	const char *stated = f->sha256 ? f->sha256 : f->server_sha256;
	is = is && !strncmp(f->got_sha256, stated, strlen(stated));
	g_checksum_reset(t->sum);
	t->at = 0;
	t->why[0] = 0;
	return is;
}

/* The checksum of what is there. A part that could be of another version is emptied. */
static bool open_part(transfer *t, const char *tag)
{
	t->fd = open(t->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (t->fd < 0)
		return refuse(t, "%s: %s", t->part, strerror(errno));
	if (!*tag && !t->f->sha256)
		return empty_part(t);
	return add_bytes(t, t->fd, t->part);
}

/* The certificates to trust, by the names that the curl command and OpenSSL have for them. */
static void set_certificates(void *handle)
{
	const char *file = getenv("CURL_CA_BUNDLE"), *folder = getenv("SSL_CERT_DIR");
	if (!file || !*file)
		file = getenv("SSL_CERT_FILE");
	if (file && *file)
		curl->setopt(handle, OPTION_CAINFO, file);
	if (folder && *folder)
		curl->setopt(handle, OPTION_CAPATH, folder);
}

static void set_options(transfer *t, void *handle)
{
	bool secure = !strncasecmp(t->f->url, "https:", 6);
	long both = PROTOCOL_HTTP | PROTOCOL_HTTPS, timeout = (long)t->f->timeout;
	curl->setopt(handle, OPTION_URL, t->f->url);
	curl->setopt(handle, OPTION_PROTOCOLS, both);
	curl->setopt(handle, OPTION_REDIR_PROTOCOLS, secure ? (long)PROTOCOL_HTTPS : both);
	curl->setopt(handle, OPTION_FOLLOWLOCATION, 1L);
	curl->setopt(handle, OPTION_MAXREDIRS, 10L);
	curl->setopt(handle, OPTION_NOSIGNAL, 1L);
	curl->setopt(handle, OPTION_USERAGENT, "imgsearch");
	curl->setopt(handle, OPTION_ERRORBUFFER, t->word);
	curl->setopt(handle, OPTION_CONNECTTIMEOUT, timeout);
	curl->setopt(handle, OPTION_LOW_SPEED_LIMIT, 1L);
	curl->setopt(handle, OPTION_LOW_SPEED_TIME, timeout);
	curl->setopt(handle, OPTION_WRITEFUNCTION, on_body);
	curl->setopt(handle, OPTION_WRITEDATA, t);
	curl->setopt(handle, OPTION_HEADERFUNCTION, on_header);
	curl->setopt(handle, OPTION_HEADERDATA, t);
	curl->setopt(handle, OPTION_XFERINFOFUNCTION, on_progress);
	curl->setopt(handle, OPTION_PROGRESSDATA, t);
	curl->setopt(handle, OPTION_NOPROGRESS, 0L);
	set_certificates(handle);
}

/* Asks for the rest of the part, if the file is still the same. */
static struct curl_slist *ask_for_rest(const transfer *t, void *handle, const char *tag)
{
	char range[40], header[TAG_SIZE + 16];
	struct curl_slist *headers = NULL;
	if (!t->at)
		return NULL;
	snprintf(range, sizeof range, "%" PRIu64 "-", t->at);
	curl->setopt(handle, OPTION_RANGE, range);
	snprintf(header, sizeof header, "If-Range: %s", tag);
	if (*tag)
		headers = curl->slist_append(NULL, header);
	curl->setopt(handle, OPTION_HTTPHEADER, headers);
	return headers;
}

static int say_failure(transfer *t, int result)
{
	static const char again[] = "run it again: it goes on where it was";
	if (t->why[0])
		return cli_fail("%s", t->why);
	if (result == RESULT_ABORTED) {
		cli_warn("interrupted; %s", again);
		return CLI_INTERRUPTED;
	}
	return cli_fail("%s: %s%s%s", t->f->url, t->word[0] ? t->word : curl->strerror(result),
		t->at ? "; " : "", t->at ? again : "");
}

static int finish(transfer *t)
{
	fetch_file *f = t->f;
	snprintf(f->got_sha256, sizeof f->got_sha256, "%s", g_checksum_get_string(t->sum));
	f->got_bytes = t->at;
	const char *stated = f->sha256 ? f->sha256 : f->server_sha256;
	t->wrong = true;
	if (!has_stated_size(f, t->at))
		return cli_fail("%s: it has %" PRIu64 " bytes, not %" PRIu64, f->url, t->at, f->bytes);
	if (strncmp(f->got_sha256, stated, strlen(stated)))
		return cli_fail("%s: its SHA-256 is %s, not %s as %s states; it was deleted", f->url,
			f->got_sha256, stated, f->sha256 ? "the list of models" : "the server");
	t->wrong = false;
	unlink(t->tag_path);
	int why = file_replace(t->stated_path, f->server_sha256, strlen(f->server_sha256), 0666);
	if (why)
		return cli_fail("%s: %s", t->stated_path, strerror(why));
	return rename(t->part, f->path) ? cli_fail("%s: %s", f->path, strerror(errno)) : CLI_DONE;
}

/* The whole file may be in the part already: then the server has no rest of it. */
static bool is_whole(const transfer *t)
{
	return t->now.status == 416 && t->at && t->now.total == t->at;
}

static int judge(transfer *t, int result)
{
	int status = t->now.status;
	if (result != RESULT_OK || t->why[0])
		return say_failure(t, result);
	if (is_whole(t))
		return finish(t);
	if (status == 416) {
		t->wrong = true;
		return cli_fail("%s: the file is another one than the part of it that is here; run it "
						"again",
			t->f->url);
	}
	if (status != 200 && status != 206)
		return cli_fail("%s: the server answers %d%s", t->f->url, status,
			status == 404                        ? ": it has no such file"
				: status == 401 || status == 403 ? ": it gives the file to some people only"
												 : "");
	if (!t->begun)
		return cli_fail("%s: the server sent an empty file", t->f->url);
	return finish(t);
}

static int try(transfer *t)
{
	char tag[TAG_SIZE];
	read_line(t->tag_path, tag, sizeof tag);
	void *handle = curl->init();
	if (!handle)
		return cli_nomem();
	if (!open_part(t, tag)) {
		curl->cleanup(handle);
		return cli_fail("%s", t->why);
	}
	set_options(t, handle);
	struct curl_slist *headers = ask_for_rest(t, handle, tag);
	int result = curl->perform(handle), rc = judge(t, result);
	curl->slist_free(headers);
	curl->cleanup(handle);
	return rc;
}

int fetch_run(fetch_file *f, fetch_progress progress, void *user)
{
	transfer t = { .f = f, .progress = progress, .user = user, .fd = -1 };
	t.part = g_strconcat(f->path, ".part", NULL);
	t.tag_path = g_strconcat(f->path, ".tag", NULL);
	t.stated_path = g_strconcat(f->path, ".stated", NULL);
	t.sum = g_checksum_new(G_CHECKSUM_SHA256);
	f->server_sha256[0] = 0;
	int rc = is_here(&t) ? CLI_DONE : -1;
	if (rc < 0) {
		f->server_sha256[0] = 0;
		rc = try(&t);
	}
	if (t.fd >= 0)
		close(t.fd);
	if (t.wrong || (rc && !t.at)) {
		unlink(t.part);
		unlink(t.tag_path);
	}
	g_checksum_free(t.sum);
	g_free(t.part);
	g_free(t.tag_path);
	g_free(t.stated_path);
	return rc;
}
