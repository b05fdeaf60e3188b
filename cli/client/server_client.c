/*
 * HTTP over the unix socket of a running server: a query is a form with the pictures' bytes and their roles as JSON, an
 * index run is a JSON object answered by lines of JSON. docs/http.md describes both.
 */
#include "cli/client/server_client.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct client {
	int fd;
};

#define BOUNDARY "imgsearch-7d1f0c5a93e84b26"
enum { LARGEST = 64 << 20 };

client *client_connect(const char *db)
{
	int fd = socket_connect(db);
	client *l = fd >= 0 ? malloc(sizeof *l) : NULL;
	if (l)
		l->fd = fd;
	else if (fd >= 0)
		close(fd);
	return l;
}

void client_disconnect(client *l)
{
	if (l)
		close(l->fd);
	free(l);
}

/* ------------------------------------------------------------------------------------------------------ HTTP ---- */

static bool send_all(int fd, const char *data, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		data += sent;
		n -= (size_t)sent;
	}
	return true;
}

/* Status line and headers; *length: of the body, or -1. Reads no byte further. */
static int read_head(int fd, long *length)
{
	char head[8192];
	size_t n = 0;
	int status = 0;
	*length = -1;
	while (n + 1 < sizeof head) { /* answers are short and local: peek, then take up to the empty line */
		ssize_t got = recv(fd, head + n, sizeof head - 1 - n, MSG_PEEK);
		if (got <= 0)
			return 0;
		head[n + (size_t)got] = 0;
		char *end = strstr(head, "\r\n\r\n");
		size_t take = end ? (size_t)(end + 4 - head) - n : (size_t)got;
		if (recv(fd, head + n, take, 0) != (ssize_t)take)
			return 0;
		n += take;
		if (end)
			break;
	}
	head[n] = 0;
	for (char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
		if (!strncasecmp(line + 2, "content-length:", 15))
			*length = strtol(line + 17, NULL, 10);
	return sscanf(head, "HTTP/1.%*d %d", &status) == 1 ? status : 0;
}

static char *read_body(int fd, long length)
{
	char *body = length >= 0 && length < LARGEST ? malloc((size_t)length + 1) : NULL;
	for (size_t n = 0; body && n < (size_t)length;) {
		ssize_t got = recv(fd, body + n, (size_t)length - n, 0);
		if (got <= 0) {
			free(body);
			return NULL;
		}
		n += (size_t)got;
	}
	if (body)
		body[length] = 0;
	return body;
}

/* ----------------------------------------------------------------------------------------------------- query ---- */

static bool file_part(FILE *f, const char *path)
{
	static const size_t block = 1 << 16;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool ok = fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size < LARGEST;
	char *data = ok ? malloc(block) : NULL;
	ssize_t got = 0;
	while (data && (got = read(fd, data, block)) > 0)
		fwrite(data, 1, (size_t)got, f);
	free(data);
	if (fd >= 0)
		close(fd);
	return ok && data && got == 0;
}

static json_t *options_json(const imgsearch_query_options *o)
{
	json_t *q = json_object();
	const struct {
		const char *name;
		double value;
		bool set;
	} number[] = {
		{ "k", o->k, o->k > 0 }, { "no_self", 1, o->no_self }, { "min_score", (double)o->min_score, o->has_min_score },
		{ "max_chance", o->max_chance, o->max_chance > 0 }, { "recall", o->recall, o->recall > 0 }, { "ef", o->ef, o->ef },
		{ "checks", o->checks, o->checks }, { "epsilon", o->epsilon, o->epsilon > 0 }, { "plain", 1, o->plain },
		{ "expand", o->expand, o->expand }, { "expand_power", (double)o->expand_power, o->expand_power > 0 },
		{ "reciprocal", o->reciprocal, o->reciprocal }, { "views", o->views, o->views },
	};
	for (size_t i = 0; i < sizeof number / sizeof *number; i++)
		if (number[i].set && floor(number[i].value) == number[i].value)
			json_object_set_new(q, number[i].name, json_integer((json_int_t)number[i].value));
		else if (number[i].set)
			json_object_set_new(q, number[i].name, json_pack("f", number[i].value));
	if (o->under)
		json_object_set_new(q, "under", json_string(o->under));
	if (o->searcher)
		json_object_set_new(q, "searcher", json_string(o->searcher));
	return q;
}

/* The form, with the pictures' bytes; false: something in it cannot be sent. */
static bool write_form(FILE *f, const imgsearch_input *in, size_t n, const imgsearch_query_options *o)
{
	json_t *q = options_json(o), *inputs = json_array();
	bool ok = q && inputs && (!o->under || json_object_get(q, "under"));
	for (size_t i = 0; i < n && ok; i++) {
		json_t *one = json_object();
		char name[24];
		snprintf(name, sizeof name, "p%zu", i);
		if (in[i].kind == IMGSEARCH_KIND_STORED)
			json_object_set_new(one, "id", json_integer(in[i].id));
		else
			json_object_set_new(one, "part", json_string(name));
		if (in[i].weight != 0)
			json_object_set_new(one, "weight", json_pack("f", (double)in[i].weight));
		if (in[i].crop[2])
			json_object_set_new(one, "crop", json_pack("[iiii]", in[i].crop[0], in[i].crop[1], in[i].crop[2], in[i].crop[3]));
		json_array_append_new(inputs, one);
		if (in[i].kind == IMGSEARCH_KIND_STORED)
			continue;
		fprintf(f, "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n", name);
		if (in[i].kind == IMGSEARCH_KIND_MEMORY)
			fwrite(in[i].data, 1, in[i].size, f);
		else
			ok = in[i].kind == IMGSEARCH_KIND_FILE && file_part(f, in[i].path);
		fputs("\r\n", f);
	}
	json_object_set_new(q, "inputs", inputs);
	char *text = ok ? json_dumps(q, JSON_COMPACT) : NULL;
	if (text)
		fprintf(f, "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\n%s\r\n--" BOUNDARY "--\r\n", text);
	free(text);
	json_decref(q);
	return text != NULL;
}

/* The hits, and the JSON that their strings live in. */
typedef struct server_hits {
	imgsearch_hits hits;
	imgsearch_hit *hit;
	json_t *json;
	char **paths; /* that are not UTF-8 */
} server_hits;

static int digit_of(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' ? 62 : c == '/' ? 63 : -1;
}

static char *from_base64(const char *text)
{
	char *out = calloc(strlen(text) + 1, 1);
	uint32_t v = 0;
	size_t n = 0;
	for (int bits = 0; out && *text && digit_of(*text) >= 0; text++) {
		v = v << 6 | (uint32_t)digit_of(*text);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (char)(v >> bits);
		}
	}
	return out;
}

static const char *text_of(json_t *value)
{
	return json_is_string(value) ? json_string_value(value) : "";
}

static imgsearch_column *columns_of(json_t *object, size_t *n)
{
	const char *name;
	json_t *value;
	size_t i = 0;
	imgsearch_column *c = json_object_size(object) ? calloc(json_object_size(object), sizeof *c) : NULL;
	if (c)
		json_object_foreach(object, name, value)
			c[i++] = (imgsearch_column){ name, text_of(value) };
	*n = i;
	return c;
}

static bool read_hits(server_hits *h)
{
	json_t *results = json_object_get(h->json, "results");
	size_t n = json_array_size(results);
	h->hit = calloc(n + 1, sizeof *h->hit);
	h->paths = calloc(n + 1, sizeof *h->paths);
	if (!h->hit || !h->paths || !json_is_array(results))
		return false;
	h->hits.count = n; /* also of an answer that turns out to be none: all of it is freed */
	for (size_t i = 0; i < n; i++) {
		json_t *from = json_array_get(results, i), *chance = json_object_get(from, "chance");
		const char *bytes = json_string_value(json_object_get(from, "path_b64"));
		imgsearch_hit *hit = &h->hit[i];
		hit->id = json_integer_value(json_object_get(from, "id"));
		hit->path = bytes ? (h->paths[i] = from_base64(bytes)) : json_string_value(json_object_get(from, "path"));
		hit->title = json_string_value(json_object_get(from, "title"));
		hit->score = (float)json_number_value(json_object_get(from, "score"));
		hit->chance = chance ? json_number_value(chance) : NAN;
		hit->columns = columns_of(json_object_get(from, "columns"), &hit->n_columns);
		if (!hit->path)
			return false;
	}
	h->hits.hit = h->hit;
	h->hits.searcher = text_of(json_object_get(h->json, "searcher"));
	h->hits.plan = text_of(json_object_get(h->json, "plan"));
	h->hits.exact = json_is_true(json_object_get(h->json, "exact"));
	h->hits.reranked = json_is_true(json_object_get(h->json, "reranked"));
	h->hits.better_than_chance = (size_t)json_integer_value(json_object_get(h->json, "better_than_chance"));
	return true;
}

void client_hits_free(imgsearch_hits *hits)
{
	server_hits *h = (server_hits *)hits; /* its first member */
	if (!h)
		return;
	for (size_t i = 0; h->paths && h->hit && i < h->hits.count; i++) {
		free(h->paths[i]);
		free((void *)(uintptr_t)h->hit[i].columns);
	}
	free(h->paths);
	free(h->hit);
	json_decref(h->json);
	free(h);
}

bool client_query(client *l, const imgsearch_input *in, size_t n, const imgsearch_query_options *o, imgsearch_hits **out)
{
	char *form = NULL, head[256];
	size_t size = 0;
	long length;
	FILE *f = open_memstream(&form, &size);
	*out = NULL;
	if (!f)
		return false;
	bool ok = write_form(f, in, n, o);
	ok = fclose(f) == 0 && ok;
	snprintf(head, sizeof head, "POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=" BOUNDARY
		"\r\nContent-Length: %zu\r\n\r\n", size);
	ok = ok && send_all(l->fd, head, strlen(head)) && send_all(l->fd, form, size);
	free(form);
	int status = ok ? read_head(l->fd, &length) : 0;
	char *body = status ? read_body(l->fd, length) : NULL;
	server_hits *h = body && status == 200 ? calloc(1, sizeof *h) : NULL;
	if (h) {
		h->json = json_loads(body, 0, NULL);
		if (read_hits(h))
			*out = &h->hits;
		else
			client_hits_free(&h->hits);
	}
	free(body);
	return *out != NULL;
}

/* ----------------------------------------------------------------------------------------------------- index ---- */

/* Text that is not UTF-8 goes in hexadecimal digits. */
static json_t *byte_text(const char *text)
{
	json_t *value = json_string(text);
	if (value)
		return value;
	size_t n = strlen(text);
	char *hex = calloc(2 * n + 1, 1);
	for (size_t i = 0; hex && i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", (unsigned char)text[i]);
	value = hex ? json_pack("{ss}", "hex", hex) : NULL;
	free(hex);
	return value;
}

static json_t *text_list(const char *const *text, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, byte_text(text[i]));
	return list;
}

static char *index_request(const char *const *paths, size_t n, const imgsearch_index_options *o)
{
	json_t *q = json_object();
	json_object_set_new(q, "paths", text_list(paths, n));
	json_object_set_new(q, "include", text_list(o->include, o->n_include));
	json_object_set_new(q, "exclude", text_list(o->exclude, o->n_exclude));
	json_object_set_new(q, "follow_links", json_boolean(o->follow_links));
	json_object_set_new(q, "prune", json_boolean(o->prune));
	json_object_set_new(q, "retry", json_boolean(o->retry));
	if (o->csv)
		json_object_set_new(q, "csv", byte_text(o->csv));
	if (o->csv_key)
		json_object_set_new(q, "csv_key", byte_text(o->csv_key));
	if (o->csv_title)
		json_object_set_new(q, "csv_title", byte_text(o->csv_title));
	char *text = json_dumps(q, JSON_COMPACT);
	json_decref(q);
	return text;
}

static uint64_t number(json_t *object, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(object, name));
}

static void read_counts(json_t *from, imgsearch_counts *n)
{
	if (!n)
		return;
	*n = (imgsearch_counts){ .seen = number(from, "seen"), .indexed = number(from, "indexed"), .duplicate = number(from, "duplicate"),
		.unsupported = number(from, "unsupported"), .damaged = number(from, "damaged"), .too_big = number(from, "too_big"),
		.excluded = number(from, "excluded"), .unreadable = number(from, "unreadable"), .added = number(from, "added"),
		.unchanged = number(from, "unchanged"), .moved = number(from, "moved"), .removed = number(from, "removed"), .offline = number(from, "offline") };
	n->seconds = json_number_value(json_object_get(from, "seconds"));
	n->walk_s = json_number_value(json_object_get(from, "walk_s"));
	n->decode_s = json_number_value(json_object_get(from, "decode_s"));
	n->network_s = json_number_value(json_object_get(from, "network_s"));
	n->store_s = json_number_value(json_object_get(from, "store_s"));
}

/* One line of the answer; true: it was the last one. */
static bool index_line(json_t *line, int (*progress)(void *user, const imgsearch_progress *p), void *user, imgsearch_counts *counts,
	int *rc, imgsearch_error *err, bool *cancel)
{
	json_t *now = json_object_get(line, "progress"), *done = json_object_get(line, "counts"), *error = json_object_get(line, "error");
	if (now) {
		imgsearch_progress p = { .stage = json_string_value(json_object_get(now, "stage")), .done = number(now, "done"),
			.total = number(now, "total"), .failed = number(now, "failed"), .loss = NAN, .accuracy = NAN };
		*cancel = progress && progress(user, &p);
		return false;
	}
	if (done) {
		read_counts(done, counts);
		*rc = 0;
	} else if (error) {
		const char *message = json_string_value(json_object_get(error, "message"));
		*rc = err->code = (int)json_integer_value(json_object_get(error, "status"));
		snprintf(err->message, sizeof err->message, "%s", message ? message : "");
	}
	return done || error;
}

bool client_index(client *l, const char *const *paths, size_t n, const imgsearch_index_options *o,
	int (*progress)(void *user, const imgsearch_progress *p), void *user, imgsearch_counts *counts, int *rc, imgsearch_error *err)
{
	char head[200], *line = NULL, *body = index_request(paths, n, o);
	size_t size = 0;
	long length;
	bool ended = false, cancel = false;
	errno = 0;
	snprintf(head, sizeof head, "POST /api/index HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		body ? strlen(body) : 0);
	bool ok = body && send_all(l->fd, head, strlen(head)) && send_all(l->fd, body, strlen(body)) && read_head(l->fd, &length) == 200;
	free(body);
	FILE *f = ok ? fdopen(dup(l->fd), "r") : NULL;
	while (f && !ended && !cancel && getline(&line, &size, f) > 0) {
		json_t *one = json_loads(line, 0, NULL);
		ended = one && index_line(one, progress, user, counts, rc, err, &cancel);
		json_decref(one);
	}
	free(line);
	cancel = cancel || (!ended && errno == EINTR);
	if (!ended && (f || cancel)) { /* it was begun, so it is not tried again without the server */
		*rc = err->code = cancel ? IMGSEARCH_ECANCELED : IMGSEARCH_EIO;
		snprintf(err->message, sizeof err->message, "%s", cancel ? "interrupted; what was done is kept" :
			"the server went away; what it had done is kept: run it again");
	}
	bool answered = f != NULL;
	if (f)
		fclose(f);
	return answered || cancel;
}
