#include "words/pieces_model.h"

#include "base/error.h"
#include "model/json.h"
#include "words/bpe_json.h"

#include <math.h>
#include <string.h>

typedef struct reading {
	const char *path;
	pieces *p;
	json vocabulary, normaliser; /* where they begin */
	double unknown;
} reading;

static int damaged(const char *path, const json *j, imgsearch_error *err)
{
	return ims_fail(err, IMGSEARCH_EFORMAT, "%s: %s", path,
		j->why ? j->why : "not JSON to its end");
}

/* Walks to the value of a member of an object; false: there is none. */
static bool find_member(json *j, const char *name)
{
	char key[64];
	if (ims_json_peek(j) != '{' || !ims_json_begin(j, '{'))
		return false;
	for (size_t i = 0; ims_json_more(j, '}', i); i++) {
		if (!ims_json_key(j, key, sizeof key))
			return false;
		if (!strcmp(key, name))
			return true;
		if (!ims_json_skip(j))
			return false;
	}
	return false;
}

bool ims_pieces_is_json(const buf *text)
{
	json j = ims_json(text->data, text->len);
	char type[40];
	return find_member(&j, "model") && find_member(&j, "type")
		&& ims_json_string(&j, type, sizeof type) && !strcmp(type, "Unigram");
}

/* ----------------------------------------------------------------------------------- rules ---- */

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* False: not base64 (RFC 4648). */
static bool decode_base64(buf *out, const char *text)
{
	uint32_t bits = 0;
	unsigned have = 0;
	for (; *text && *text != '='; text++) {
		int digit = base64_digit(*text);
		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t)digit;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		ims_buf_u8(out, (uint8_t)(bits >> have));
		bits &= (1U << have) - 1;
	}
	return !text[strspn(text, "=")];
}

/* The rules are SentencePiece's own, in base64; they may stand in a sequence of steps. */
static int read_rules(reading *r, imgsearch_error *err)
{
	static const char name[] = "\"precompiled_charsmap\"";
	const char *begin = r->normaliser.at;
	json j = r->normaliser;
	if (!begin || !ims_json_skip(&j))
		return 0;
	const char *at = memmem(begin, (size_t)(j.at - begin), name, strlen(name));
	size_t left = at ? (size_t)(j.at - at) - strlen(name) : 0;
	char *text = at ? ims_alloc(left + 1, 1) : NULL;
	if (!at)
		return 0;
	if (!text)
		return ims_nomem(err);
	j = ims_json(at + strlen(name), left);
	bool good = ims_json_peek(&j) == ':';
	j.at += good;
	good = good && ims_json_string(&j, text, left + 1) && decode_base64(&r->p->file, text);
	ims_free(text);
	if (r->p->file.failed)
		return ims_nomem(err);
	return good && ims_pieces_take_rules(r->p, r->p->file.data, r->p->file.len)
		? 0
		: ims_fail(err, IMGSEARCH_EFORMAT, "%s: its rules of normalisation are damaged", r->path);
}

/* ------------------------------------------------------------------------------ vocabulary ---- */

/* ["piece", score] */
static bool read_piece(json *j, char *text, size_t size, double *score)
{
	return ims_json_begin(j, '[') && ims_json_more(j, ']', 0) && ims_json_string(j, text, size)
		&& ims_json_more(j, ']', 1) && ims_json_number(j, score) && !ims_json_more(j, ']', 2)
		&& !j->why;
}

static int read_vocabulary(reading *r, imgsearch_error *err)
{
	json *j = &r->vocabulary;
	char text[TOKEN_MOST];
	double score;
	if (!j->at || !ims_json_begin(j, '['))
		return ims_fail(err, IMGSEARCH_EFORMAT, "%s: it has no list \"vocab\"", r->path);
	for (size_t i = 0; ims_json_more(j, ']', i); i++) {
		if (!read_piece(j, text, sizeof text, &score) || !isfinite((float)score))
			return ims_fail(err, IMGSEARCH_EFORMAT, "%s: piece %zu has no text and score", r->path,
				i + 1);
		bool end = !strcmp(text, "</s>"), unknown = r->unknown == (double)i;
		piece one = { (float)score, unknown ? PIECE_UNKNOWN : end ? PIECE_CONTROL : PIECE_NORMAL };
		if (!ims_pieces_add(r->p, text, strlen(text), one))
			return ims_nomem(err);
	}
	return j->why ? damaged(r->path, j, err) : 0;
}

static int read_model(reading *r, json model, imgsearch_error *err)
{
	json j = model;
	r->unknown = -1;
	if (find_member(&j, "unk_id") && ims_json_peek(&j) != 'n' && !ims_json_number(&j, &r->unknown))
		return damaged(r->path, &j, err);
	r->vocabulary = model;
	if (!find_member(&r->vocabulary, "vocab"))
		r->vocabulary.at = NULL;
	int rc = read_rules(r, err);
	if (!rc)
		rc = read_vocabulary(r, err);
	if (!rc && (r->p->unknown < 0 || !r->p->texts.n))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "%s: it has no token for what is unknown", r->path);
	return rc;
}

int ims_pieces_read_json(pieces **out, const char *path, const buf *text, imgsearch_error *err)
{
	reading r = { .path = path, .p = ims_pieces_new(&(buf){ 0 }) };
	json whole = ims_json(text->data, text->len), model = whole;
	*out = NULL;
	if (!r.p)
		return ims_nomem(err);
	r.p->hugging_face = true;
	r.normaliser = whole;
	if (!find_member(&r.normaliser, "normalizer"))
		r.normaliser.at = NULL;
	int rc = ims_json_skip(&whole) && ims_json_done(&whole) && find_member(&model, "model")
		? read_model(&r, model, err)
		: damaged(path, &whole, err);
	if (rc)
		ims_pieces_free(r.p);
	else
		*out = r.p;
	return rc;
}
