/* The file is a protocol buffer, ModelProto of sentencepiece_model.proto. */
#include "words/pieces.h"

#include "base/error.h"
#include "base/utf8.h"
#include "words/unicode.h"
#include "words/vocabulary.h"

#include <float.h>
#include <string.h>

enum { PIECE_MOST = 512 /* bytes */ };

typedef enum piece_type {
	PIECE_NORMAL = 1,
	PIECE_UNKNOWN = 2,
	PIECE_CONTROL = 3,
	PIECE_USER_DEFINED = 4,
	PIECE_UNUSED = 5,
	PIECE_BYTE = 6
} piece_type;

typedef struct piece {
	float score;
	piece_type type;
} piece;

struct pieces {
	buf file;
	vocabulary texts; /* of normal and user-defined pieces */
	piece *piece;
	size_t n, cap;
	size_t longest;        /* bytes of a piece */
	float lowest, highest; /* scores of normal pieces */
	int32_t unknown, end;  /* -1: none */
	const uint8_t *trie; /* of the rules: units of 32 bits, little-endian; borrowed from the file */
	size_t units;
	const char *replacements; /* each terminated */
	size_t replacements_size;
	bool keeps_spaces, no_prefix, no_mark;
};

/* ------------------------------------------------------------------------- protocol buffer ---- */

typedef struct message {
	const uint8_t *at, *end;
	bool bad;
} message;

typedef struct field {
	uint64_t number, value; /* value: of a varint, or the bits of a float */
	message bytes;          /* of a string or a message in it */
} field;

static uint64_t read_varint(message *m)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64 && m->at < m->end; shift += 7) {
		uint8_t byte = *m->at++;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	m->bad = true;
	return 0;
}

static uint64_t read_fixed(message *m, size_t size)
{
	uint64_t v = 0;
	if ((size_t)(m->end - m->at) < size) {
		m->bad = true;
		return 0;
	}
	for (size_t i = 0; i < size; i++)
		v |= (uint64_t)*m->at++ << (8 * i);
	return v;
}

/* The next field; false: the end, or m->bad. */
static bool next_field(message *m, field *f)
{
	enum { VARINT = 0, FIXED_64 = 1, BYTES = 2, FIXED_32 = 5 };
	*f = (field){ 0 };
	if (m->bad || m->at == m->end)
		return false;
	uint64_t key = read_varint(m), size;
	f->number = key >> 3;
	switch (key & 7) {
	case VARINT:
		f->value = read_varint(m);
		break;
	case FIXED_64:
		f->value = read_fixed(m, 8);
		break;
	case FIXED_32:
		f->value = read_fixed(m, 4);
		break;
	case BYTES:
		size = read_varint(m);
		if (m->bad || size > (uint64_t)(m->end - m->at)) {
			m->bad = true;
			break;
		}
		f->bytes = (message){ .at = m->at, .end = m->at + size };
		m->at += size;
		break;
	default:
		m->bad = true;
	}
	return !m->bad;
}

static float as_float(uint64_t bits)
{
	uint32_t low = (uint32_t)bits;
	float f;
	memcpy(&f, &low, sizeof f);
	return f;
}

/* ----------------------------------------------------------------------------------- model ---- */

static const char end_piece[] = "</s>";

static bool has_text(piece_type t)
{
	return t == PIECE_NORMAL || t == PIECE_USER_DEFINED || t == PIECE_UNUSED;
}

/* One piece: its text (1), score (2) and type (3). False: out of memory. */
static bool add_piece(pieces *p, message m)
{
	field f;
	message text = { 0 };
	piece one = { .type = PIECE_NORMAL };
	while (next_field(&m, &f)) {
		if (f.number == 1)
			text = f.bytes;
		if (f.number == 2)
			one.score = as_float(f.value);
		if (f.number == 3)
			one.type = (piece_type)f.value;
	}
	size_t length = (size_t)(text.end - text.at);
	piece *grown = ims_grow(p->piece, p->n, &p->cap, sizeof *grown);
	if (!grown)
		return false;
	p->piece = grown;
	if (one.type == PIECE_UNKNOWN)
		p->unknown = (int32_t)p->n;
	if (one.type == PIECE_CONTROL && length == strlen(end_piece)
		&& !memcmp(text.at, end_piece, length))
		p->end = (int32_t)p->n;
	if (one.type == PIECE_NORMAL) {
		p->lowest = one.score < p->lowest ? one.score : p->lowest;
		p->highest = one.score > p->highest ? one.score : p->highest;
	}
	if (has_text(one.type) && length && length <= PIECE_MOST) {
		p->longest = length > p->longest ? length : p->longest;
		if (!ims_vocabulary_add(&p->texts, text.at, length, (int32_t)p->n))
			return false;
	}
	p->piece[p->n++] = one;
	return true;
}

/* The rules: the size of a trie, the trie, the texts that it leads to. */
static bool read_rules(pieces *p, message m)
{
	size_t size = (size_t)(m.end - m.at);
	if (!size)
		return true;
	uint64_t trie = read_fixed(&m, 4);
	if (m.bad || trie % 4 || trie > size - 4 || (trie && (trie == size - 4 || m.end[-1])))
		return false;
	p->trie = m.at;
	p->units = (size_t)(trie / 4);
	p->replacements = (const char *)m.at + trie;
	p->replacements_size = size - 4 - (size_t)trie;
	return true;
}

/* How a text is normalised. False: damaged. */
static bool read_normaliser(pieces *p, message m)
{
	field f;
	bool good = true;
	while (next_field(&m, &f)) {
		if (f.number == 2)
			good = read_rules(p, f.bytes);
		if (f.number == 3)
			p->no_prefix = !f.value;
		if (f.number == 4)
			p->keeps_spaces = !f.value;
		if (f.number == 5)
			p->no_mark = !f.value;
	}
	return good && !m.bad;
}

/* The kind of model (3); unigram where nothing is said. */
static uint64_t model_type(message m)
{
	field f;
	uint64_t type = 1;
	while (next_field(&m, &f))
		if (f.number == 3)
			type = f.value;
	return type;
}

static int read_model(pieces *p, const char *path, imgsearch_error *err)
{
	enum { UNIGRAM = 1 };
	message m = { .at = p->file.data, .end = p->file.data + p->file.len };
	uint64_t type = UNIGRAM;
	bool good = true, memory = true;
	field f;
	while (good && memory && next_field(&m, &f)) {
		if (f.number == 1)
			memory = add_piece(p, f.bytes);
		if (f.number == 2)
			type = model_type(f.bytes);
		if (f.number == 3)
			good = read_normaliser(p, f.bytes);
	}
	if (!memory)
		return ims_nomem(err);
	if (!good || m.bad || !p->texts.n || p->unknown < 0)
		return ims_fail(err, IMGSEARCH_EFORMAT, "%s: no model of SentencePiece, or damaged", path);
	return type == UNIGRAM ? 0
						   : ims_fail(err, IMGSEARCH_EUNSUPPORTED,
							   "%s: a model of SentencePiece of another kind than unigram", path);
}

int ims_pieces_read(pieces **out, const char *path, buf *file, imgsearch_error *err)
{
	*out = NULL;
	pieces *p = ims_zalloc(1, sizeof *p);
	if (!p)
		return ims_nomem(err);
	p->unknown = p->end = -1;
	p->lowest = FLT_MAX;
	p->highest = FLT_MIN; /* as SentencePiece has it */
	p->file = *file;
	*file = (buf){ 0 };
	int rc = read_model(p, path, err);
	if (rc) {
		ims_pieces_free(p);
		return rc;
	}
	*out = p;
	return 0;
}

void ims_pieces_free(pieces *p)
{
	if (!p)
		return;
	ims_vocabulary_free(&p->texts);
	ims_buf_free(&p->file);
	ims_free(p->piece);
	ims_free(p);
}

size_t ims_pieces_count(const pieces *p)
{
	return p->n;
}

int32_t ims_pieces_end(const pieces *p)
{
	return p->end;
}

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
 * The longest start of text that a rule replaces, and by what: a walk through a double array (Yata
 * et al., "A compact static double-array keeping character codes", 2007). 0: none.
 */
static size_t find_rule(const pieces *p, const char *text, const char **by)
{
	enum { HAS_LEAF = 0x100, VALUE = 0x7fffffff };
	size_t longest = 0, at = offset_of(unit_at(p, 0));
	for (size_t i = 0; text[i]; i++) {
		at ^= (uint8_t)text[i];
		uint32_t unit = unit_at(p, at);
		if ((unit & 0x800000ff) != (uint8_t)text[i])
			break;
		at ^= offset_of(unit);
		if (!(unit & HAS_LEAF))
			continue;
		size_t value = unit_at(p, at) & VALUE;
		if (value < p->replacements_size) {
			longest = i + 1;
			*by = p->replacements + value;
		}
	}
	return longest;
}

static const char space_mark[] = "\u2581";

/* Appends a normalised text in which a mark stands for a space, and one before it. */
static void put_marked(const pieces *p, buf *out, const char *text, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		bool again = !kept || text[i - 1] == ' ';
		if (text[i] == ' ' && !p->keeps_spaces && again)
			continue;
		kept++;
		if (text[i] == ' ' && !p->no_mark)
			ims_buf_put(out, space_mark, strlen(space_mark));
		else
			ims_buf_u8(out, (uint8_t)text[i]);
	}
}

static void normalise(const pieces *p, buf *out, const char *text)
{
	buf flat = { 0 };
	const char *by;
	while (*text) {
		size_t n = find_rule(p, text, &by);
		if (n) {
			ims_buf_text(&flat, "%s", by);
			text += n;
			continue;
		}
		uint32_t c;
		const char *next = ims_unicode_next(text, &c);
		ims_buf_put(&flat, text, (size_t)(next - text));
		text = next;
	}
	while (!p->keeps_spaces && flat.len && flat.data[flat.len - 1] == ' ')
		flat.len--;
	if (flat.len && !p->no_prefix)
		ims_buf_text(out, "%s", p->no_mark ? " " : space_mark);
	put_marked(p, out, (const char *)flat.data, flat.len);
	out->failed |= flat.failed;
	ims_buf_free(&flat);
}

/* --------------------------------------------------------------------------------- cutting ---- */

/* The best way to cut a text up to a place: its last piece, and the sum of scores. */
typedef struct best {
	float score;
	int32_t id;
	size_t from; /* SIZE_MAX: the place was not reached */
} best;

static void offer(best *b, float score, int32_t id, size_t from)
{
	if (b->from == SIZE_MAX || score > b->score)
		*b = (best){ score, id, from };
}

/* User-defined pieces are always preferred. */
static float score_of(const pieces *p, int32_t id, size_t length)
{
	const piece *one = &p->piece[id];
	return one->type == PIECE_USER_DEFINED ? (float)length * p->highest - 0.1F : one->score;
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
		offer(&b[at + length], b[at].score + score_of(p, id, length), id, at);
		single |= length == letter;
	}
	if (!single)
		offer(&b[at + letter], b[at].score + p->lowest - unknown, p->unknown, at);
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
