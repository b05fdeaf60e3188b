#include "words/fallback.h"

#include "base/error.h"
#include "words/unicode.h"

#include <stdio.h>
#include <string.h>

static int32_t byte_token(const bpe_json *b, uint8_t byte)
{
	char name[8];
	snprintf(name, sizeof name, "<0x%02X>", byte);
	return ims_vocabulary_find(&b->tokens, name, strlen(name));
}

/* The token of a letter, else those of its bytes, else the unknown one; beside each other one. */
static bool add_letter(const bpe_json *b, const char *letter, size_t n, token_list *out)
{
	int32_t id = ims_vocabulary_find(&b->tokens, letter, n);
	if (id >= 0)
		return token_add(out, id);
	bool all = b->bytes;
	for (size_t i = 0; all && i < n; i++)
		all = byte_token(b, (uint8_t)letter[i]) >= 0;
	for (size_t i = 0; all && i < n; i++)
		if (!token_add(out, byte_token(b, (uint8_t)letter[i])))
			return false;
	bool again = out->n && out->id[out->n - 1] == b->unknown;
	return all || b->unknown < 0 || again || token_add(out, b->unknown);
}

/* Spaces become marks. */
static bool add_letters(const bpe_json *b, const char *text, token_list *out)
{
	static const char space_mark[] = "\u2581";
	uint32_t c;
	for (const char *next; *text; text = next) {
		next = ims_unicode_next(text, &c);
		if (!(c == ' ' ? add_letter(b, space_mark, strlen(space_mark), out)
					   : add_letter(b, text, (size_t)(next - text), out)))
			return false;
	}
	return true;
}

/* What stands between added tokens. */
static int cut_section(const bpe_json *b, const char *text, size_t size, token_list *out,
	imgsearch_error *err)
{
	buf raw = { 0 }, small = { 0 };
	token_list section = { 0 };
	ims_buf_put(&raw, text, size);
	ims_buf_u8(&raw, 0);
	if (b->lowers && !raw.failed)
		ims_unicode_lower_letters(&small, (const char *)raw.data);
	bool good = !raw.failed && !small.failed
		&& add_letters(b, (const char *)(b->lowers ? small.data : raw.data), &section);
	int rc = good ? ims_merges_apply(&b->merges, section.id, &section.n, err) : ims_nomem(err);
	for (size_t i = 0; !rc && i < section.n; i++)
		rc = token_add(out, section.id[i]) ? 0 : ims_nomem(err);
	ims_free(section.id);
	ims_buf_free(&raw);
	ims_buf_free(&small);
	return rc;
}

int ims_fallback_cut(const bpe_json *b, const char *text, token_list *out, imgsearch_error *err)
{
	const char *begin = text;
	int32_t id;
	int rc = 0;
	while (!rc && *text) {
		size_t added = ims_bpe_json_added_at(b, text, &id);
		if (!added) {
			text++;
			continue;
		}
		if (text > begin)
			rc = cut_section(b, begin, (size_t)(text - begin), out, err);
		if (!rc && !token_add(out, id))
			rc = ims_nomem(err);
		text += added;
		begin = text;
	}
	return !rc && text > begin ? cut_section(b, begin, (size_t)(text - begin), out, err) : rc;
}
