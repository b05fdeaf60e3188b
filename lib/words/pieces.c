#include "words/pieces_model.h"

#include "base/error.h"
#include "base/utf8.h"
#include "words/unicode.h"

#include <string.h>

/* --------------------------------------------------------------------------- normalisation ---- */

static uint32_t unit_at(const pieces *p, size_t i)
{
	if (i >= p->units)
		return 0;
	const uint8_t *u = p->trie + 4 * i;
	return (uint32_t)u[0] | (uint32_t)u[1] << 8 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
}

static size_t offset_of(uint32_t unit)
{
	return (size_t)(unit >> 10) << ((unit & 0x200) >> 6);
}

/*
 * The longest start of n bytes that a rule replaces, or the shortest one, and by what: a walk
 * through a double array (Yata et al., "A compact static double-array keeping character codes",
 * 2007). 0: none.
 */
static size_t find_rule(const pieces *p, const char *text, size_t n, bool shortest, const char **by)
{
	enum { HAS_LEAF = 0x100, VALUE = 0x7fffffff };
	size_t found = 0, at = offset_of(unit_at(p, 0));
	for (size_t i = 0; i < n && !(found && shortest); i++) {
		at ^= (uint8_t)text[i];
		uint32_t unit = unit_at(p, at);
		if ((unit & 0x800000ff) != (uint8_t)text[i])
			break;
		at ^= offset_of(unit);
		if (!(unit & HAS_LEAF))
			continue;
		size_t value = unit_at(p, at) & VALUE;
		if (value < p->replacements_size) {
			found = i + 1;
			*by = p->replacements + value;
		}
	}
	return found;
}

static const char space_mark[] = "\u2581";

/* Appends a normalised text in which a mark stands for a space, and for several. */
static void put_marked(const pieces *p, buf *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool again = i ? text[i - 1] == ' ' : !p->hugging_face;
		if (text[i] == ' ' && !p->keeps_spaces && again)
			continue;
		if (text[i] == ' ' && !p->no_mark)
			ims_buf_put(out, space_mark, strlen(space_mark));
		else
			ims_buf_u8(out, (uint8_t)text[i]);
	}
}

/* SentencePiece: the longest rule at every place. */
static void apply_rules(const pieces *p, buf *out, const char *text)
{
	const char *by;
	for (size_t left = strlen(text), n; left; text += n, left -= n) {
		n = find_rule(p, text, left, false, &by);
		uint32_t c;
		if (n) {
			ims_buf_text(out, "%s", by);
			continue;
		}
		n = (size_t)(ims_unicode_next(text, &c) - text);
		ims_buf_put(out, text, n);
	}
}

/* Replaces the n bytes by what the shortest rule at their beginning says. False: there is none. */
static bool replace(const pieces *p, buf *out, const char *text, size_t n)
{
	const char *by;
	if (!find_rule(p, text, n, true, &by))
		return false;
	ims_buf_text(out, "%s", by);
	return true;
}

/* Hugging Face's tokenizers: a short cluster of letters by one rule, else each of its letters. */
static void apply_rules_to_clusters(const pieces *p, buf *out, const char *text)
{
	enum { SHORT = 6 /* bytes */ };
	while (*text) {
		const char *end = ims_unicode_cluster(text), *next;
		uint32_t c;
		if (end - text < SHORT && replace(p, out, text, (size_t)(end - text)))
			text = end;
		for (; text < end; text = next) {
			next = ims_unicode_next(text, &c);
			if (!replace(p, out, text, (size_t)(next - text)))
				ims_buf_put(out, text, (size_t)(next - text));
		}
	}
}

/* Whether a text begins with what becomes a mark. */
static bool has_mark(const buf *text)
{
	size_t n = strlen(space_mark);
	return text->data[0] == ' ' || (text->len >= n && !memcmp(text->data, space_mark, n));
}

/*
 * Hugging Face's tokenizers keep one space at the beginning, which stands for the mark before a
 * text, and one at the end.
 */
static void normalise(const pieces *p, buf *out, const char *text)
{
	buf flat = { 0 };
	if (p->hugging_face)
		apply_rules_to_clusters(p, &flat, text);
	else
		apply_rules(p, &flat, text);
	while (!p->keeps_spaces && !p->hugging_face && flat.len && flat.data[flat.len - 1] == ' ')
		flat.len--;
	if (flat.len && !p->no_prefix && !(p->hugging_face && has_mark(&flat)))
		ims_buf_text(out, "%s", p->no_mark ? " " : space_mark);
	put_marked(p, out, (const char *)flat.data, flat.len);
	out->failed |= flat.failed;
	ims_buf_free(&flat);
}

/* --------------------------------------------------------------------------------- cutting ---- */

/* The best way to cut a text up to a place: its last piece, and the sum of scores. */
typedef struct best {
	double score;
	int32_t id;
	size_t from; /* SIZE_MAX: the place was not reached */
} best;

/* SentencePiece adds in f32, Hugging Face's tokenizers in f64. */
static void offer(const pieces *p, best *b, double score, int32_t id, size_t from)
{
	if (!p->hugging_face)
		score = (float)score;
	if (b->from == SIZE_MAX || score > b->score)
		*b = (best){ score, id, from };
}

/* User-defined pieces are always preferred. */
static double score_of(const pieces *p, int32_t id, size_t length)
{
	const piece *one = &p->piece[id];
	return (
		double)(one->type == PIECE_USER_DEFINED ? (float)length * p->highest - 0.1F : one->score);
}

/* All pieces that begin at a place. */
static void extend(const pieces *p, const char *text, size_t n, size_t at, best *b)
{
	const float unknown = 10; /* below the least score of a piece */
	size_t left = n - at;
	uint32_t c;
	size_t letter = ims_utf8_read(text + at, &c);
	bool single = false;
	letter = letter ? letter : 1;
	for (size_t length = letter; length <= left && length <= p->longest; length++) {
		if (((uint8_t)text[at + length] & 0xc0) == 0x80)
			continue;
		int32_t id = ims_vocabulary_find(&p->texts, text + at, length);
		if (id < 0 || p->piece[id].type == PIECE_UNUSED)
			continue;
		offer(p, &b[at + length], b[at].score + score_of(p, id, length), id, at);
		single |= length == letter;
	}
	if (!single)
		offer(p, &b[at + letter], b[at].score + (double)(p->lowest - unknown), p->unknown, at);
}

/* The pieces from the end to the begin; unknown ones beside each other are one. */
static int collect(const pieces *p, const best *b, size_t n, token_list *out, imgsearch_error *err)
{
	size_t first = out->n;
	for (size_t at = n; at > 0; at = b[at].from) {
		bool again = out->n > first && out->id[out->n - 1] == p->unknown;
		if (!(again && b[at].id == p->unknown) && !token_add(out, b[at].id))
			return ims_nomem(err);
	}
	for (size_t i = first, j = out->n; i + 1 < j; i++) {
		int32_t id = out->id[i];
		out->id[i] = out->id[--j];
		out->id[j] = id;
	}
	return 0;
}

static int cut(const pieces *p, const char *text, token_list *out, imgsearch_error *err)
{
	buf flat = { 0 };
	normalise(p, &flat, text);
	ims_buf_u8(&flat, 0);
	size_t n = flat.failed ? 0 : flat.len - 1;
	best *b = flat.failed ? NULL : ims_alloc(n + 1, sizeof *b);
	int rc = b ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i <= n; i++)
		b[i].from = SIZE_MAX;
	if (!rc)
		b[0] = (best){ 0 };
	for (size_t at = 0; !rc && at < n; at++)
		if (b[at].from != SIZE_MAX)
			extend(p, (const char *)flat.data, n, at, b);
	if (!rc)
		rc = collect(p, b, n, out, err);
	ims_free(b);
	ims_buf_free(&flat);
	return rc;
}

/* Hugging Face's tokenizer cuts "<unk>" before the text, to keep the mark for a space there. */
static int cut_behind(const pieces *p, const char *lead, const char *text, token_list *out,
	imgsearch_error *err)
{
	token_list first = { 0 }, all = { 0 };
	buf both = { 0 };
	ims_buf_text(&both, "%s%s", lead, text);
	int rc = both.failed ? ims_nomem(err) : cut(p, lead, &first, err);
	if (!rc)
		rc = cut(p, (const char *)both.data, &all, err);
	for (size_t i = all.n < first.n ? 0 : first.n; !rc && i < all.n; i++)
		rc = token_add(out, all.id[i]) ? 0 : ims_nomem(err);
	ims_free(first.id);
	ims_free(all.id);
	ims_buf_free(&both);
	return rc;
}

int ims_pieces_cut(const pieces *p, const char *lead, const char *text, token_list *out,
	imgsearch_error *err)
{
	return lead ? cut_behind(p, lead, text, out, err) : cut(p, text, out, err);
}
