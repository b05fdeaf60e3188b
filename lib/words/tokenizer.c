#include "words/tokenizer.h"

#include "base/error.h"
#include "base/utf8.h"
#include "model/json.h"
#include "words/clean.h"
#include "words/clip.h"
#include "words/fallback.h"
#include "words/pieces.h"
#include "words/text_file.h"
#include "words/unicode.h"

#include <string.h>

typedef enum tokenizer_kind { KIND_CLIP = 1, KIND_FALLBACK, KIND_PIECES } tokenizer_kind;

struct tokenizer {
	tokenizer_kind kind;
	tokenizer_style style;
	clip_vocabulary clip;
	bpe_json bpe; /* KIND_FALLBACK */
	pieces *pieces;
	const char *lead;        /* see ims_pieces_cut */
	int32_t begin, end, pad; /* begin: -1: none */
};

/* ----------------------------------------------------------------------------------- files ---- */

/* Whether a text is an object whose first value is a number: tokens by their text. */
static bool is_token_table(const buf *text)
{
	json j = ims_json(text->data, text->len);
	char key[TOKEN_MOST];
	if (!ims_json_begin(&j, '{') || !ims_json_more(&j, '}', 0)
		|| !ims_json_key(&j, key, sizeof key))
		return false;
	char first = ims_json_peek(&j);
	return first >= '0' && first <= '9';
}

static int read_bpe_json(tokenizer *t, const char *path, const buf *text, imgsearch_error *err)
{
	int rc = ims_bpe_json_read(&t->bpe, path, (const char *)text->data, text->len, err);
	if (rc)
		return rc;
	if (t->bpe.ends_words) {
		t->kind = KIND_CLIP;
		return ims_clip_take(&t->clip, &t->bpe, path, err);
	}
	t->kind = KIND_FALLBACK;
	t->begin = -1;
	t->end = ims_vocabulary_find(&t->bpe.tokens, "<eos>", 5);
	t->pad = ims_vocabulary_find(&t->bpe.tokens, "<pad>", 5);
	return t->end >= 0 && t->pad >= 0 ? 0
									  : ims_fail(err, IMGSEARCH_EUNSUPPORTED,
										  "%s: a tokenizer of another kind than CLIP's and SigLIP "
										  "2's (it has no <eos> or no <pad>)",
										  path);
}

/* file: a model file, or tokenizer.json. */
static int read_pieces(tokenizer *t, const char *path, buf *file, bool json, imgsearch_error *err)
{
	t->kind = KIND_PIECES;
	t->lead = t->style == TOKENIZER_TRANSFORMERS && !json ? "<unk>" : NULL;
	int rc = json ? ims_pieces_read_json(&t->pieces, path, file, err)
				  : ims_pieces_read(&t->pieces, path, file, err);
	t->begin = -1;
	t->end = t->pad = rc ? -1 : ims_pieces_end(t->pieces);
	return rc || t->end >= 0 ? rc
							 : ims_fail(err, IMGSEARCH_EUNSUPPORTED,
								 "%s: no model of SigLIP: it has no piece \"</s>\"", path);
}

static int read_file(tokenizer *t, const char *path, imgsearch_error *err)
{
	buf file = { 0 };
	int rc = ims_text_file_read(&file, path, err);
	const char *text = rc ? "" : (const char *)file.data;
	t->kind = KIND_CLIP;
	if (!rc && strlen(text) < file.len)
		rc = read_pieces(t, path, &file, false, err);
	else if (!rc && text[strspn(text, " \t\r\n")] != '{')
		rc = ims_clip_read_merges(&t->clip, path, text, err);
	else if (!rc && is_token_table(&file))
		rc = ims_clip_read_tokens(&t->clip, path, text, file.len, err);
	else if (!rc && ims_pieces_is_json(&file))
		rc = read_pieces(t, path, &file, true, err);
	else if (!rc)
		rc = read_bpe_json(t, path, &file, err);
	if (!rc && t->kind == KIND_CLIP) {
		t->begin = t->clip.begin;
		t->end = t->clip.end;
		t->pad = t->clip.pad;
	}
	ims_buf_free(&file);
	return rc;
}

int ims_tokenizer_open(tokenizer **out, const char *path, tokenizer_style style,
	imgsearch_error *err)
{
	*out = NULL;
	int rc = ims_unicode_load(err);
	tokenizer *t = rc ? NULL : ims_zalloc(1, sizeof *t);
	if (!rc && !t)
		rc = ims_nomem(err);
	if (!rc) {
		t->style = style;
		rc = read_file(t, path, err);
	}
	if (rc) {
		ims_tokenizer_free(t);
		return rc;
	}
	*out = t;
	return 0;
}

void ims_tokenizer_free(tokenizer *t)
{
	if (!t)
		return;
	ims_clip_vocabulary_free(&t->clip);
	ims_bpe_json_free(&t->bpe);
	ims_pieces_free(t->pieces);
	ims_free(t);
}

static size_t above(size_t n, int32_t id)
{
	return id >= 0 && (size_t)id >= n ? (size_t)id + 1 : n;
}

static size_t above_all(size_t n, const vocabulary *v)
{
	for (size_t i = 0; i < v->n; i++)
		n = above(n, v->entry[i].id);
	return n;
}

size_t ims_tokenizer_size(const tokenizer *t)
{
	size_t n = t->pieces ? ims_pieces_count(t->pieces) : 0;
	n = above_all(above_all(n, &t->bpe.tokens), &t->bpe.added);
	for (size_t i = 0; t->kind == KIND_CLIP && i < t->clip.merges.slots; i++)
		if (t->clip.merges.slot[i].rank)
			n = above(n, t->clip.merges.slot[i].id);
	return above(above(above(n, t->begin), t->end), t->pad);
}

/* -------------------------------------------------------------------------------- encoding ---- */

static void clean(const tokenizer *t, buf *out, const char *text)
{
	bool open_clip = t->style == TOKENIZER_OPEN_CLIP;
	if (t->kind == KIND_PIECES || (t->kind == KIND_FALLBACK && open_clip))
		ims_clean_siglip(out, text, open_clip);
	else if (t->kind == KIND_FALLBACK)
		ims_buf_text(out, "%s", text);
	else if (open_clip)
		ims_clean_clip(out, text);
	else
		ims_clean_plain(out, text);
}

static int cut(const tokenizer *t, const char *text, size_t most, token_list *list,
	imgsearch_error *err)
{
	if (t->kind == KIND_PIECES)
		return ims_pieces_cut(t->pieces, t->lead, text, list, err);
	if (t->kind == KIND_FALLBACK)
		return ims_fallback_cut(&t->bpe, text, list, err);
	return ims_clip_cut(&t->clip, text, most, list, err);
}

/* Cut off, ended and filled up. */
static void copy(const tokenizer *t, const token_list *list, int32_t *out, size_t context,
	size_t *n)
{
	*n = list->n < context - 1 ? list->n : context - 1;
	if (*n)
		memcpy(out, list->id, *n * sizeof *out);
	out[(*n)++] = t->end;
	for (size_t i = *n; i < context; i++)
		out[i] = t->pad;
}

int ims_tokenizer_encode(const tokenizer *t, const char *text, int32_t *out, size_t context,
	size_t *n, imgsearch_error *err)
{
	buf cleaned = { 0 };
	token_list list = { 0 };
	*n = 0;
	if (context < 2)
		return ims_fail(err, IMGSEARCH_EINVAL, "a text needs room for two tokens");
	if (!ims_utf8_is_valid(text))
		return ims_fail(err, IMGSEARCH_EINVAL, "the text is not UTF-8");
	clean(t, &cleaned, text);
	int rc = !cleaned.failed && (t->begin < 0 || token_add(&list, t->begin)) ? 0 : ims_nomem(err);
	if (!rc)
		rc = cut(t, (const char *)cleaned.data, context, &list, err);
	if (!rc)
		copy(t, &list, out, context, n);
	ims_buf_free(&cleaned);
	ims_free(list.id);
	return rc;
}
