/* Reads the lines of models: a JSON object each, strict about the keys that it has. */
#include "model/published.h"

#include "model/catalog.h"
#include "model/hashed.h"
#include "model/json.h"
#include "model/recipe.h"
#include "model/weights.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_TEXT = 16 << 20, MAX_FILES = 64, SHORTEST_HASH = 8 };

static const double MAX_BYTES = 1e13;

bool ims_published_is_name(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	return name[0] && name[0] != '.' && name[0] != '-' && !name[strspn(name, allowed)];
}

bool ims_published_has_size(const published_file *f, uint64_t bytes)
{
	uint64_t off = bytes > f->bytes ? bytes - f->bytes : f->bytes - bytes;
	return !f->bytes || off <= f->slack;
}

/* -------------------------------------------------------------------------------- a line ---- */

/* What a line sets, and why it is refused; why is NULL: it is not. */
typedef struct line {
	published *model;
	recipe_parts parts;
	bool is_record; /* of a model that was added: its files may have no address */
	const char *why;
} line;

static bool refuse(line *l, const char *why)
{
	l->why = why;
	return false;
}

static bool hash_value(json *j, char out[SHA256_TEXT])
{
	if (!ims_json_string(j, out, SHA256_TEXT))
		return false;
	return strlen(out) >= SHORTEST_HASH && !out[strspn(out, "0123456789abcdef")];
}

static bool size_value(json *j, double unit, uint64_t *out)
{
	double v;
	if (!ims_json_number(j, &v) || !(v * unit >= 1 && v * unit <= MAX_BYTES))
		return false;
	*out = (uint64_t)(v * unit);
	return true;
}

static bool file_value(json *j, const char *key, published_file *f)
{
	if (!strcmp(key, "url"))
		return ims_json_string(j, f->url, sizeof f->url);
	if (!strcmp(key, "name"))
		return ims_json_string(j, f->name, sizeof f->name);
	if (!strcmp(key, "bytes"))
		return size_value(j, 1, &f->bytes);
	if (!strcmp(key, "mib")) { /* three digits behind the point */
		f->slack = 1 << 10;
		return size_value(j, 1 << 20, &f->bytes);
	}
	if (!strcmp(key, "mib_about")) {
		bool fits = size_value(j, 1 << 20, &f->bytes);
		f->slack = f->bytes / 20;
		return fits;
	}
	if (!strcmp(key, "sha256"))
		return hash_value(j, f->sha256);
	if (!strcmp(key, "sha256_from"))
		return ims_json_string(j, f->sha256_from, sizeof f->sha256_from);
	if (!strcmp(key, "checked"))
		return ims_json_string(j, f->checked, sizeof f->checked);
	if (!strcmp(key, "added"))
		return ims_json_string(j, f->added, sizeof f->added);
	return ims_json_skip(j);
}

static published_file *next_file(published *m)
{
	size_t cap = m->n_files;
	published_file *grown = ims_realloc(m->files, cap + 1, sizeof *grown);
	if (!grown)
		return NULL;
	m->files = grown;
	m->files[m->n_files] = (published_file){ 0 };
	return &m->files[m->n_files++];
}

static bool file_entry(line *l, json *j)
{
	char key[32];
	published_file *f = l->model->n_files < MAX_FILES ? next_file(l->model) : NULL;
	if (!f)
		return refuse(l, "more files than a model may have");
	if (ims_json_begin(j, '{'))
		for (size_t i = 0; ims_json_more(j, '}', i) && ims_json_key(j, key, sizeof key); i++)
			if (!file_value(j, key, f))
				return false;
	return !j->why;
}

static bool files_value(line *l, json *j)
{
	if (ims_json_begin(j, '['))
		for (size_t i = 0; ims_json_more(j, ']', i); i++)
			if (!file_entry(l, j))
				return false;
	return !j->why;
}

static bool line_value(line *l, json *j, const char *key)
{
	published *m = l->model;
	const struct {
		const char *key;
		char *out;
		size_t size;
	} texts[] = { { "name", m->name, sizeof m->name }, { "network", m->network, sizeof m->network },
		{ "publisher", m->publisher, sizeof m->publisher },
		{ "licence", m->licence, sizeof m->licence }, { "terms", m->terms, sizeof m->terms },
		{ "good_at", m->good_at, sizeof m->good_at } };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!strcmp(key, texts[i].key))
			return ims_json_string(j, texts[i].out, texts[i].size);
	if (ims_recipe_has_key(key))
		return ims_recipe_value(j, key, &l->parts);
	if (!strcmp(key, "template"))
		return ims_json_string(j, m->template, sizeof m->template) && strstr(m->template, "{}");
	if (!strcmp(key, "suggested"))
		return ims_json_bool(j, &m->suggested);
	return strcmp(key, "files") ? ims_json_skip(j) : files_value(l, j);
}

/* ----------------------------------------------------------------------- what it must say ---- */

static bool is_weights(const char *name)
{
	for (size_t i = 0; ims_weights_endings[i]; i++)
		if (!strcmp(ims_weights_ending(name), ims_weights_endings[i]))
			return true;
	return false;
}

/* The last part of a URL, without what follows "?". */
static void last_part(char *out, size_t size, const char *url)
{
	size_t n = strcspn(url, "?#");
	const char *at = url + n;
	while (at > url && at[-1] != '/')
		at--;
	snprintf(out, size, "%.*s", (int)(url + n - at), at);
}

/* The name of a file that its entry leaves out. */
static void complete_name(const published *m, size_t i)
{
	published_file *f = &m->files[i];
	char last[sizeof f->name];
	if (f->name[0])
		return;
	last_part(last, sizeof last, f->url);
	if (i == 0 && is_weights(last))
		snprintf(f->name, sizeof f->name, "%.63s%.40s", m->name, ims_weights_ending(last));
	else
		memcpy(f->name, last, sizeof last);
}

static bool check_files(line *l)
{
	const published *m = l->model;
	if (!m->n_files)
		return refuse(l, "\"files\" is missing");
	for (size_t i = 0; i < m->n_files; i++) {
		published_file *f = &m->files[i];
		if (!l->is_record && strncmp(f->url, "https://", 8) && strncmp(f->url, "http://", 7))
			return refuse(l, "a \"url\" that does not begin with https:// or http://");
		complete_name(m, i);
		if (!ims_published_is_name(f->name))
			return refuse(l, "a file's name has characters that it may not have");
		for (size_t k = 0; k < i; k++)
			if (!strcmp(f->name, m->files[k].name))
				return refuse(l, "two files of one name");
	}
	return is_weights(m->files[0].name)
		|| refuse(l, "the first file is no .safetensors, .pth, .pt or index of shards");
}

/* A name that means something else where a model is named. */
static bool is_taken(const published *m)
{
	return !strcmp(m->name, "default") || !strcmp(m->name, "script") || is_weights(m->name)
		|| (ims_model_find(m->name) && strcmp(m->name, m->network));
}

static int complete(line *l, imgsearch_error *err)
{
	published *m = l->model;
	const model_network *net = ims_model_find(m->network);
	if (!ims_published_is_name(m->name))
		l->why = "\"name\" is missing, or has characters that it may not have";
	else if (is_taken(m))
		l->why = "a \"name\" that means something else";
	else if (!net && strcmp(m->network, "script"))
		l->why = "\"network\" is missing or unknown";
	else if (check_files(l)) {
		m->dim = net ? net->dim : 0;
		m->recipe = ims_network_recipe(net);
		return ims_recipe_merge(&m->recipe, &l->parts, m->name, err);
	}
	return ims_fail(err, IMGSEARCH_EFORMAT, "%s", l->why);
}

static int parse_line(published *m, bool is_record, const char *text, size_t n,
	imgsearch_error *err)
{
	json j = ims_json(text, n);
	line l = { .model = m, .is_record = is_record };
	char key[64];
	if (ims_json_begin(&j, '{'))
		for (size_t i = 0; ims_json_more(&j, '}', i) && ims_json_key(&j, key, sizeof key); i++)
			if (!line_value(&l, &j, key))
				return ims_fail(err, IMGSEARCH_EFORMAT, "\"%s\": %s", key,
					l.why       ? l.why
						: j.why ? j.why
								: "not a value that it may have");
	if (!ims_json_done(&j))
		return ims_fail(err, IMGSEARCH_EFORMAT, "no JSON object: %s",
			j.why ? j.why : "something follows it");
	return complete(&l, err);
}

int ims_published_record(published *out, const void *text, size_t n, imgsearch_error *err)
{
	*out = (published){ 0 };
	int rc = parse_line(out, true, text, n, err);
	if (rc)
		ims_published_clear(out);
	return rc;
}

static void put(buf *out, const char *before, const char *key, const char *text)
{
	if (!text[0])
		return;
	ims_buf_text(out, "%s\"%s\": ", before, key);
	ims_json_text(out, text);
}

static void put_file(buf *out, const published_file *f)
{
	ims_buf_text(out, "\n\t\t{ ");
	put(out, "", "name", f->name);
	if (f->bytes)
		ims_buf_text(out, ", \"bytes\": %llu", (unsigned long long)f->bytes);
	put(out, ", ", "url", f->url);
	put(out, ", ", "sha256", f->sha256);
	put(out, ", ", "sha256_from", f->sha256_from);
	put(out, ", ", "checked", f->checked);
	put(out, ", ", "added", f->added);
	ims_buf_text(out, " }");
}

void ims_published_text(buf *out, const published *m)
{
	ims_buf_text(out, "{");
	put(out, "\n\t", "name", m->name);
	put(out, ",\n\t", "network", m->network);
	put(out, ",\n\t", "publisher", m->publisher);
	put(out, ",\n\t", "licence", m->licence);
	put(out, ",\n\t", "terms", m->terms);
	put(out, ",\n\t", "good_at", m->good_at);
	ims_buf_text(out, ",\n\t\"files\": [");
	for (size_t i = 0; i < m->n_files; i++) {
		ims_buf_text(out, i ? "," : "");
		put_file(out, &m->files[i]);
	}
	ims_buf_text(out, "\n\t]\n}\n");
}

/* --------------------------------------------------------------------------------- a list ---- */

void ims_published_clear(published *m)
{
	ims_free(m->files);
	m->files = NULL;
}

void ims_published_free(published_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		ims_published_clear(&l->item[i]);
	ims_free(l->item);
	*l = (published_list){ 0 };
}

/* Appends the model, or lets it replace the one of its name. Becomes its owner. */
static int keep(published_list *l, published *m, imgsearch_error *err)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->item[i].name, m->name)) {
			ims_published_clear(&l->item[i]);
			l->item[i] = *m;
			return 0;
		}
	published *grown = ims_grow(l->item, l->n, &l->cap, sizeof *grown);
	if (!grown) {
		ims_published_clear(m);
		return ims_nomem(err);
	}
	l->item = grown;
	l->item[l->n++] = *m;
	return 0;
}

static bool is_blank(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strchr(" \t\r", text[i]) || !text[i])
			return false;
	return true;
}

int ims_published_parse(published_list *l, const void *text, size_t n, const char *path,
	imgsearch_error *err)
{
	const char *at = text, *end = n ? at + n : at;
	int rc = 0;
	for (size_t number = 1; !rc && at < end; number++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t size = (size_t)((newline ? newline : end) - at);
		published m = { 0 };
		if (!is_blank(at, size)) {
			rc = parse_line(&m, false, at, size, err);
			if (rc)
				ims_error_prefix(err, "%s: line %zu", path, number);
			if (rc)
				ims_published_clear(&m);
			else
				rc = keep(l, &m, err);
		}
		at = newline ? newline + 1 : end;
	}
	return rc;
}

static int read_path(published_list *l, const char *path, imgsearch_error *err)
{
	buf text = { 0 };
	imgsearch_error local;
	int rc = ims_read_file(&text, path, MAX_TEXT, &local);
	if (rc && rc != IMGSEARCH_ENOTFOUND && err)
		*err = local;
	if (!rc)
		rc = ims_published_parse(l, text.data, text.len, path, err);
	ims_buf_free(&text);
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
}

int ims_published_read(published_list *out, imgsearch_error *err)
{
	char *shipped = NULL, *own = NULL;
	*out = (published_list){ 0 };
	int rc = ims_model_find_file(&shipped, "models.jsonl", err);
	if (!rc)
		rc = read_path(out, shipped, err);
	if (!rc || rc == IMGSEARCH_ENOTFOUND)
		rc = ims_model_data_path(&own, "models.jsonl", err);
	if (!rc)
		rc = read_path(out, own, err);
	ims_free(shipped);
	ims_free(own);
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
}

const published *ims_published_find(const published_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->item[i].name, name))
			return &l->item[i];
	return NULL;
}

bool ims_published_has(const char *name)
{
	published_list l;
	bool has = ims_published_read(&l, NULL) == 0 && ims_published_find(&l, name);
	ims_published_free(&l);
	return has;
}

/* Whether a hash of the file could tell that it is that of the model. */
static bool may_be(const published_file *f, const char *path, uint64_t bytes)
{
	return f->sha256[0]
		&& (f->bytes ? ims_published_has_size(f, bytes)
					 : !strcmp(ims_weights_ending(f->name), ims_weights_ending(path)));
}

static int sha256_of(char out[SHA256_TEXT], const char *path, const struct stat *st,
	imgsearch_error *err)
{
	struct stat after;
	uint64_t bytes;
	if (ims_hashed_find(HASHED_SHA256, st, out, SHA256_TEXT))
		return 0;
	int rc = ims_sha256_file(out, &bytes, path, err);
	if (!rc && !stat(path, &after))
		ims_hashed_keep(HASHED_SHA256, st, &after, out, SHA256_TEXT);
	return rc;
}

int ims_published_of_file(const published_list *l, const char *path, const published **out,
	imgsearch_error *err)
{
	char hash[SHA256_TEXT] = "";
	struct stat st;
	*out = NULL;
	if (stat(path, &st))
		return ims_fail_errno(err, IMGSEARCH_ENOTFOUND, "%s", path);
	for (size_t i = 0; i < l->n; i++) {
		const published_file *f = &l->item[i].files[0];
		if (!may_be(f, path, (uint64_t)st.st_size))
			continue;
		int rc = hash[0] ? 0 : sha256_of(hash, path, &st, err);
		if (rc)
			return rc;
		if (!strncmp(hash, f->sha256, strlen(f->sha256))) {
			*out = &l->item[i];
			return 0;
		}
	}
	return 0;
}

int ims_published_each(int (*each)(void *user, const published *p), void *user,
	imgsearch_error *err)
{
	published_list l;
	int rc = ims_published_read(&l, err);
	for (size_t i = 0; !rc && i < l.n; i++)
		rc = each(user, &l.item[i]);
	ims_published_free(&l);
	return rc;
}
