#include "words/bpe_json.h"

#include "base/error.h"
#include "model/json.h"

#include <stdio.h>
#include <string.h>

int ims_merge_put(merges *m, vocabulary *tokens, const char *left, size_t left_size,
	const char *right, size_t right_size, bool adds, imgsearch_error *err)
{
	char joined[2 * TOKEN_MOST];
	if (!left_size || !right_size || left_size + right_size > sizeof joined)
		return ims_fail(err, IMGSEARCH_EFORMAT, "is no pair of tokens");
	memcpy(joined, left, left_size);
	memcpy(joined + left_size, right, right_size);
	int32_t a = ims_vocabulary_find(tokens, left, left_size),
			b = ims_vocabulary_find(tokens, right, right_size),
			c = ims_vocabulary_find(tokens, joined, left_size + right_size);
	if (a < 0 || b < 0)
		return ims_fail(err, IMGSEARCH_EFORMAT, "has a token that is not known");
	if (adds != (c < 0))
		return ims_fail(err, IMGSEARCH_EFORMAT,
			adds ? "makes a token that there is already" : "makes no token of the vocabulary");
	if (adds)
		c = (int32_t)tokens->n;
	size_t before = m->n;
	if ((adds && !ims_vocabulary_add(tokens, joined, left_size + right_size, c))
		|| !ims_merges_add(m, a, b, c))
		return ims_nomem(err);
	return m->n > before ? 0 : ims_fail(err, IMGSEARCH_EFORMAT, "has a pair that there is already");
}

static int damaged(const char *path, const json *j, imgsearch_error *err)
{
	return ims_fail(err, IMGSEARCH_EFORMAT, "%s: %s", path,
		j->why ? j->why : "not JSON to its end");
}

static bool is_number(double v)
{
	return v >= 0 && v < VOCABULARY_MOST && v == (double)(int32_t)v;
}

static int bad_number(const char *path, const char *token, imgsearch_error *err)
{
	return ims_fail(err, IMGSEARCH_EFORMAT, "%s: token \"%.80s\" has no valid number", path, token);
}

static int read_tokens(vocabulary *tokens, const char *path, json *j, imgsearch_error *err)
{
	char token[TOKEN_MOST];
	if (!ims_json_begin(j, '{'))
		return damaged(path, j, err);
	for (size_t i = 0; ims_json_more(j, '}', i); i++) {
		double id = -1;
		if (!ims_json_key(j, token, sizeof token) || !ims_json_number(j, &id))
			break;
		if (!is_number(id))
			return bad_number(path, token, err);
		if (!ims_vocabulary_add(tokens, token, strlen(token), (int32_t)id))
			return ims_nomem(err);
	}
	return j->why ? damaged(path, j, err) : 0;
}

int ims_vocabulary_read(vocabulary *tokens, const char *path, const char *text, size_t size,
	imgsearch_error *err)
{
	json j = ims_json(text, size);
	int rc = read_tokens(tokens, path, &j, err);
	return rc || ims_json_done(&j) ? rc : damaged(path, &j, err);
}

/* -------------------------------------------------------------------------- tokenizer.json ---- */

typedef struct reading {
	bpe_json *out;
	const char *path;
	json merges, normaliser; /* where they begin; they may stand before what they need */
	char type[40], suffix[40], unknown[TOKEN_MOST];
	bool ignores_merges;
} reading;

/* A string, or "" for null. */
static bool read_text(json *j, char *out, size_t size)
{
	*out = 0;
	return ims_json_peek(j) == 'n' ? ims_json_skip(j) : ims_json_string(j, out, size);
}

/* One value of an object. */
typedef int member(reading *r, json *j, const char *key, imgsearch_error *err);

static int each_member(reading *r, json *j, member *each, imgsearch_error *err)
{
	char key[64];
	if (!ims_json_begin(j, '{'))
		return damaged(r->path, j, err);
	for (size_t i = 0; ims_json_more(j, '}', i); i++) {
		if (!ims_json_key(j, key, sizeof key))
			break;
		int rc = each(r, j, key, err);
		if (rc)
			return rc;
	}
	return j->why ? damaged(r->path, j, err) : 0;
}

static int model_member(reading *r, json *j, const char *key, imgsearch_error *err)
{
	if (!strcmp(key, "vocab") && ims_json_peek(j) == '{')
		return read_tokens(&r->out->tokens, r->path, j, err);
	if (!strcmp(key, "merges"))
		r->merges = *j;
	if (!strcmp(key, "type"))
		return read_text(j, r->type, sizeof r->type) ? 0 : damaged(r->path, j, err);
	if (!strcmp(key, "end_of_word_suffix"))
		return read_text(j, r->suffix, sizeof r->suffix) ? 0 : damaged(r->path, j, err);
	if (!strcmp(key, "unk_token"))
		return read_text(j, r->unknown, sizeof r->unknown) ? 0 : damaged(r->path, j, err);
	if (!strcmp(key, "byte_fallback"))
		return ims_json_bool(j, &r->out->bytes) ? 0 : damaged(r->path, j, err);
	if (!strcmp(key, "ignore_merges"))
		return ims_json_bool(j, &r->ignores_merges) ? 0 : damaged(r->path, j, err);
	return ims_json_skip(j) ? 0 : damaged(r->path, j, err);
}

/* One of added_tokens. */
static int read_added(reading *r, json *j, imgsearch_error *err)
{
	char key[64], content[TOKEN_MOST] = "";
	double id = -1;
	if (!ims_json_begin(j, '{'))
		return damaged(r->path, j, err);
	for (size_t i = 0; ims_json_more(j, '}', i); i++) {
		if (!ims_json_key(j, key, sizeof key))
			break;
		if (!strcmp(key, "content"))
			ims_json_string(j, content, sizeof content);
		else if (!strcmp(key, "id"))
			ims_json_number(j, &id);
		else
			ims_json_skip(j);
	}
	if (j->why)
		return damaged(r->path, j, err);
	if (!is_number(id))
		return bad_number(r->path, content, err);
	size_t n = strlen(content);
	r->out->longest = n > r->out->longest ? n : r->out->longest;
	return !n || ims_vocabulary_add(&r->out->added, content, n, (int32_t)id) ? 0 : ims_nomem(err);
}

static int top_member(reading *r, json *j, const char *key, imgsearch_error *err)
{
	int rc = 0;
	if (!strcmp(key, "model"))
		return each_member(r, j, model_member, err);
	if (!strcmp(key, "normalizer"))
		r->normaliser = *j;
	if (strcmp(key, "added_tokens") || ims_json_peek(j) != '[')
		return ims_json_skip(j) ? 0 : damaged(r->path, j, err);
	ims_json_begin(j, '[');
	for (size_t i = 0; !rc && ims_json_more(j, ']', i); i++)
		rc = read_added(r, j, err);
	return rc || !j->why ? rc : damaged(r->path, j, err);
}

/* "a b", or ["a", "b"]. */
static bool read_pair(json *j, char text[2 * TOKEN_MOST], size_t *left, const char **right)
{
	if (ims_json_peek(j) == '[') {
		char *second = text + TOKEN_MOST;
		if (!ims_json_begin(j, '[') || !ims_json_more(j, ']', 0)
			|| !ims_json_string(j, text, TOKEN_MOST) || !ims_json_more(j, ']', 1)
			|| !ims_json_string(j, second, TOKEN_MOST) || ims_json_more(j, ']', 2) || j->why)
			return false;
		*left = strlen(text);
		*right = second;
		return true;
	}
	if (!ims_json_string(j, text, 2 * TOKEN_MOST))
		return false;
	const char *space = strchr(text, ' ');
	*left = space ? (size_t)(space - text) : 0;
	*right = space ? space + 1 : "";
	return true;
}

static int read_merges(reading *r, imgsearch_error *err)
{
	json *j = &r->merges;
	char text[2 * TOKEN_MOST];
	const char *right;
	size_t left;
	if (!j->at || !ims_json_begin(j, '['))
		return ims_fail(err, IMGSEARCH_EFORMAT, "%s: it has no list \"merges\"", r->path);
	for (size_t i = 0; ims_json_more(j, ']', i); i++) {
		if (!read_pair(j, text, &left, &right))
			return ims_fail(err, IMGSEARCH_EFORMAT, "%s: merge %zu is no pair of tokens%s%s",
				r->path, i + 1, j->why ? ": " : "", j->why ? j->why : "");
		imgsearch_error why;
		int rc = ims_merge_put(&r->out->merges, &r->out->tokens, text, left, right, strlen(right),
			false, &why);
		if (rc == IMGSEARCH_EFORMAT)
			return ims_fail(err, rc, "%s: merge %zu %s", r->path, i + 1, why.message);
		if (rc)
			return ims_nomem(err);
	}
	return j->why ? damaged(r->path, j, err) : 0;
}

/* Whether there is a step of this type in the normaliser, alone or in a sequence. */
static bool has_step(const reading *r, const char *type)
{
	char text[80];
	const char *end = r->normaliser.at;
	json j = r->normaliser;
	if (!j.at || !ims_json_skip(&j))
		return false;
	snprintf(text, sizeof text, "\"%s\"", type);
	return memmem(end, (size_t)(j.at - end), text, strlen(text)) != NULL;
}

int ims_bpe_json_read(bpe_json *out, const char *path, const char *text, size_t size,
	imgsearch_error *err)
{
	reading r = { .out = out, .path = path };
	json j = ims_json(text, size);
	*out = (bpe_json){ .unknown = -1 };
	int rc = each_member(&r, &j, top_member, err);
	if (!rc && !ims_json_done(&j))
		rc = damaged(path, &j, err);
	if (!rc
		&& (strcmp(r.type, "BPE") || r.ignores_merges || (*r.suffix && strcmp(r.suffix, "</w>"))))
		rc = ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			"%s: a tokenizer of another kind than CLIP's and SigLIP 2's (%s)", path,
			*r.type ? r.type : "no model");
	if (!rc)
		rc = read_merges(&r, err);
	if (!rc) {
		out->ends_words = *r.suffix != 0;
		out->unknown = ims_vocabulary_find(&out->tokens, r.unknown, strlen(r.unknown));
		out->lowers = has_step(&r, "Lowercase");
	}
	return rc;
}

void ims_bpe_json_free(bpe_json *b)
{
	ims_vocabulary_free(&b->tokens);
	ims_vocabulary_free(&b->added);
	ims_merges_free(&b->merges);
}

size_t ims_bpe_json_added_at(const bpe_json *b, const char *text, int32_t *id)
{
	size_t n = strnlen(text, b->longest);
	while (n && (*id = ims_vocabulary_find(&b->added, text, n)) < 0)
		n--;
	return n;
}
