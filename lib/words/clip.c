#include "words/clip.h"

#include "base/error.h"
#include "words/split.h"

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

int ims_clip_cut(const clip_vocabulary *v, const char *text, size_t most, token_list *list,
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
