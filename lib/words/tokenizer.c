/* CLIP's tokenizer: Radford et al., "Learning transferable visual models" (2021). */
#include "words/tokenizer.h"

#include "base/error.h"
#include "base/utf8.h"
#include "words/clean.h"
#include "words/clip_files.h"
#include "words/split.h"
#include "words/token_list.h"
#include "words/unicode.h"

#include <string.h>

struct tokenizer {
	clip_vocabulary v;
};

int ims_tokenizer_open(tokenizer **out, const char *path, imgsearch_error *err)
{
	*out = NULL;
	int rc = ims_unicode_load(err);
	tokenizer *t = rc ? NULL : ims_zalloc(1, sizeof *t);
	if (!rc && !t)
		rc = ims_nomem(err);
	if (!rc)
		rc = ims_clip_vocabulary_read(&t->v, path, err);
	if (rc) {
		ims_tokenizer_free(t);
		return rc;
	}
	*out = t;
	return 0;
}

void ims_tokenizer_free(tokenizer *t)
{
	if (t)
		ims_clip_vocabulary_free(&t->v);
	ims_free(t);
}

/* The tokens of one word: of its bytes, the last of which ends the word, merged. */
static int add_word(const clip_vocabulary *v, token_list *list, const char *word, size_t length,
	imgsearch_error *err)
{
	size_t first = list->n, n = length;
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = (uint8_t)word[i];
		if (!token_add(list, i + 1 < length ? v->byte[byte] : v->last_byte[byte]))
			return ims_nomem(err);
	}
	int rc = ims_merges_apply(&v->merges, list->id + first, &n, err);
	list->n = first + n;
	return rc;
}

/* Words of a cleaned text, until `most` tokens are there. */
static int add_words(const clip_vocabulary *v, token_list *list, const char *text, size_t most,
	imgsearch_error *err)
{
	int rc = 0;
	size_t length, special;
	int32_t id;
	while (!rc && list->n < most && (length = ims_word_next(&text, v->openai))) {
		if ((special = ims_clip_special_at(v, text, &id))) {
			rc = token_add(list, id) ? 0 : ims_nomem(err);
			text += special;
			continue;
		}
		for (size_t i = 1; !v->openai && i < length; i++)
			if (ims_clip_special_at(v, text + i, &id))
				length = i; /* it is found within a word too */
		rc = add_word(v, list, text, length, err);
		text += length;
	}
	return rc;
}

static void copy(const clip_vocabulary *v, const token_list *list, int32_t *out, size_t context,
	size_t *n)
{
	*n = list->n < context - 1 ? list->n : context - 1;
	memcpy(out, list->id, *n * sizeof *out);
	out[(*n)++] = v->end;
	for (size_t i = *n; i < context; i++)
		out[i] = v->pad;
}

int ims_tokenizer_encode(const tokenizer *t, const char *text, int32_t *out, size_t context,
	size_t *n, imgsearch_error *err)
{
	const clip_vocabulary *v = &t->v;
	buf clean = { 0 };
	token_list list = { 0 };
	*n = 0;
	if (context < 2)
		return ims_fail(err, IMGSEARCH_EINVAL, "a text needs room for two tokens");
	if (!ims_utf8_is_valid(text))
		return ims_fail(err, IMGSEARCH_EINVAL, "the text is not UTF-8");
	if (v->openai)
		ims_clean_clip(&clean, text);
	else
		ims_clean_plain(&clean, text);
	int rc = !clean.failed && token_add(&list, v->begin) ? 0 : ims_nomem(err);
	if (!rc)
		rc = add_words(v, &list, (const char *)clean.data, context, err);
	if (!rc)
		copy(v, &list, out, context, n);
	ims_buf_free(&clean);
	ims_free(list.id);
	return rc;
}
