/*
 * Both forms spell bytes as letters: printable ones as they are, the others as the code points from
 * 256 on, so that no token has white space inside. "</w>" ends a token that ends a word.
 */
#include "words/clip_files.h"

#include "base/alloc.h"
#include "base/error.h"
#include "words/text_file.h"
#include "words/unicode.h"
#include "words/vocabulary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LETTERS = 256 };

static const char end_of_word[] = "</w>";

static bool stands_for_itself(unsigned byte)
{
	return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte != 0xad);
}

/* The letters of bytes, in the order of OpenAI's vocabulary; which bytes, in `bytes`. */
static void spell_bytes(uint32_t letter[LETTERS], uint8_t bytes[LETTERS])
{
	size_t n = 0;
	for (int own = 1; own >= 0; own--)
		for (unsigned byte = 0, other = LETTERS; byte < LETTERS; byte++) {
			if (stands_for_itself(byte) != own)
				continue;
			bytes[n] = (uint8_t)byte;
			letter[n++] = own ? byte : other++;
		}
}

/* The text of a letter, and of one that ends a word. */
static size_t spell(char out[16], uint32_t letter, bool last)
{
	uint8_t text[16];
	buf b = { .data = text, .cap = sizeof text, .fixed = true };
	ims_unicode_put(&b, letter);
	if (last)
		ims_buf_put(&b, end_of_word, strlen(end_of_word));
	memcpy(out, text, b.len);
	return b.len;
}

/* ---------------------------------------------------------------------------------- merges ---- */

/* A file of merges, a pair a line. */
typedef struct merge_reader {
	const char *path, *at;
	size_t line;
	clip_vocabulary *v;
	vocabulary *tokens;
} merge_reader;

static int bad_line(const merge_reader *r, const char *what, imgsearch_error *err)
{
	return ims_fail(err, IMGSEARCH_EFORMAT, "%s: line %zu %s", r->path, r->line, what);
}

/* Where the next line begins; its text is [*line, *end). False: there is none. */
static bool next_line(merge_reader *r, const char **line, const char **end)
{
	if (!*r->at)
		return false;
	*line = r->at;
	*end = r->at + strcspn(r->at, "\n");
	r->at = *end + (**end == '\n');
	*end -= *end > *line && (*end)[-1] == '\r';
	r->line++;
	return true;
}

static int read_merge(merge_reader *r, const char *line, const char *end, bool adds,
	imgsearch_error *err)
{
	const char *space = memchr(line, ' ', (size_t)(end - line));
	if (!space || memchr(space + 1, ' ', (size_t)(end - space - 1)))
		return bad_line(r, "is no pair of tokens", err);
	imgsearch_error why;
	int rc = ims_merge_put(&r->v->merges, r->tokens, line, (size_t)(space - line), space + 1,
		(size_t)(end - space - 1), adds, &why);
	if (rc == IMGSEARCH_EFORMAT)
		return bad_line(r, why.message, err);
	return rc ? ims_nomem(err) : 0;
}

/* At most `most` merges behind the first line, which is a comment. */
static int read_merges(merge_reader *r, size_t most, bool adds, imgsearch_error *err)
{
	const char *line, *end;
	int rc = 0;
	if (!next_line(r, &line, &end) || !strstr(line, "#version"))
		return bad_line(r, "is not that of a list of merges (\"#version: ...\")", err);
	while (!rc && r->v->merges.n < most && next_line(r, &line, &end))
		if (end > line)
			rc = read_merge(r, line, end, adds, err);
	return rc;
}

/* --------------------------------------------------------------------------- OpenAI's file ---- */

/* Tokens are numbered: letters, letters that end a word, merges, begin, end. */
static int read_numbered(clip_vocabulary *v, vocabulary *tokens, const char *path, const char *text,
	imgsearch_error *err)
{
	enum { TOKENS = 49408, MERGES = TOKENS - 2 * LETTERS - 2 };
	uint32_t letter[LETTERS];
	uint8_t byte[LETTERS];
	char spelt[16];
	merge_reader r = { .path = path, .at = text, .v = v, .tokens = tokens };
	bool good = true;
	spell_bytes(letter, byte);
	for (int32_t i = 0; i < 2 * LETTERS; i++) {
		bool last = i >= LETTERS;
		(last ? v->last_byte : v->byte)[byte[i % LETTERS]] = i;
		size_t n = spell(spelt, letter[i % LETTERS], last);
		good = good && ims_vocabulary_add(tokens, spelt, n, i);
	}
	int rc = good ? read_merges(&r, MERGES, true, err) : ims_nomem(err);
	if (!rc && v->merges.n < MERGES)
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "%s: %zu merges instead of %d: it is cut off", path,
			v->merges.n, MERGES);
	v->begin = TOKENS - 2;
	v->end = TOKENS - 1;
	v->openai = true;
	return rc;
}

/* -------------------------------------------------------------------- Hugging Face's files ---- */

static int need(const vocabulary *tokens, const char *path, const char *token, size_t n,
	int32_t *id, imgsearch_error *err)
{
	*id = ims_vocabulary_find(tokens, token, n);
	return *id >= 0 ? 0
					: ims_fail(err, IMGSEARCH_EFORMAT,
						"%s: no vocabulary of CLIP: it has no token \"%.*s\"", path, (int)n, token);
}

static int find_letters(clip_vocabulary *v, const vocabulary *tokens, const char *path,
	imgsearch_error *err)
{
	uint32_t letter[LETTERS];
	uint8_t byte[LETTERS];
	char spelt[16];
	int rc = 0;
	spell_bytes(letter, byte);
	for (size_t i = 0; !rc && i < 2 * LETTERS; i++) {
		bool last = i >= LETTERS;
		size_t n = spell(spelt, letter[i % LETTERS], last);
		rc = need(tokens, path, spelt, n, &(last ? v->last_byte : v->byte)[byte[i % LETTERS]], err);
	}
	return rc;
}

/* "pets.merges.txt" beside "pets.vocab.json", otherwise "merges.txt" in its folder; ims_free. */
static char *merges_beside(const char *path)
{
	static const char own[] = ".vocab.json";
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t n = strlen(name), behind = strlen(own);
	if (n > behind && !strcmp(name + n - behind, own))
		return ims_format("%.*s.merges.txt", (int)(strlen(path) - behind), path);
	return ims_format("%.*smerges.txt", (int)(name - path), path);
}

static int read_merges_beside(clip_vocabulary *v, vocabulary *tokens, const char *path,
	imgsearch_error *err)
{
	buf text = { 0 };
	char *beside = merges_beside(path);
	int rc = beside ? ims_text_file_read(&text, beside, err) : ims_nomem(err);
	merge_reader r = { .path = beside, .at = (const char *)text.data, .v = v, .tokens = tokens };
	if (!rc)
		rc = read_merges(&r, VOCABULARY_MOST, false, err);
	if (!rc && !v->merges.n)
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "%s: no merges: it is cut off", beside);
	ims_buf_free(&text);
	ims_free(beside);
	return rc;
}

/* What is looked for by its text. */
static int find_tokens(clip_vocabulary *v, const vocabulary *tokens, const char *path,
	imgsearch_error *err)
{
	static const char begin[] = "<|startoftext|>", end[] = "<|endoftext|>";
	int rc = find_letters(v, tokens, path, err);
	if (!rc)
		rc = need(tokens, path, begin, strlen(begin), &v->begin, err);
	if (!rc)
		rc = need(tokens, path, end, strlen(end), &v->end, err);
	v->pad = v->end;
	return rc;
}

/* --------------------------------------------------------------------------------- reading ---- */

int ims_clip_read_merges(clip_vocabulary *v, const char *path, const char *text,
	imgsearch_error *err)
{
	vocabulary tokens = { 0 };
	int rc = read_numbered(v, &tokens, path, text, err);
	ims_vocabulary_free(&tokens);
	return rc;
}

int ims_clip_read_tokens(clip_vocabulary *v, const char *path, const char *text, size_t size,
	imgsearch_error *err)
{
	vocabulary tokens = { 0 };
	int rc = ims_vocabulary_read(&tokens, path, text, size, err);
	if (!rc)
		rc = find_tokens(v, &tokens, path, err);
	if (!rc)
		rc = read_merges_beside(v, &tokens, path, err);
	ims_vocabulary_free(&tokens);
	return rc;
}

int ims_clip_take(clip_vocabulary *v, bpe_json *b, const char *path, imgsearch_error *err)
{
	int rc = find_tokens(v, &b->tokens, path, err);
	v->merges = b->merges;
	b->merges = (merges){ 0 };
	return rc;
}

void ims_clip_vocabulary_free(clip_vocabulary *v)
{
	ims_merges_free(&v->merges);
}

size_t ims_clip_special_at(const clip_vocabulary *v, const char *text, int32_t *id)
{
	const char *const names[] = {
		v->openai ? "<start_of_text>" : "<|startoftext|>",
		v->openai ? "<end_of_text>" : "<|endoftext|>",
	};
	for (int i = 0; i < 2; i++)
		if (!strncmp(text, names[i], strlen(names[i]))) {
			*id = i ? v->end : v->begin;
			return strlen(names[i]);
		}
	return 0;
}
