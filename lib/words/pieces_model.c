#include "words/pieces_model.h"

#include <float.h>
#include <string.h>

pieces *ims_pieces_new(buf *file)
{
	pieces *p = ims_zalloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->unknown = p->end = -1;
	p->lowest = FLT_MAX;
	p->highest = FLT_MIN; /* as SentencePiece has it */
	p->file = *file;
	*file = (buf){ 0 };
	return p;
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

static bool has_text(piece_type t)
{
	return t == PIECE_NORMAL || t == PIECE_USER_DEFINED || t == PIECE_UNUSED;
}

bool ims_pieces_add(pieces *p, const void *text, size_t length, piece one)
{
	static const char end_piece[] = "</s>";
	piece *grown = ims_grow(p->piece, p->n, &p->cap, sizeof *grown);
	if (!grown)
		return false;
	p->piece = grown;
	if (one.type == PIECE_UNKNOWN)
		p->unknown = (int32_t)p->n;
	if (one.type == PIECE_CONTROL && length == strlen(end_piece)
		&& !memcmp(text, end_piece, length))
		p->end = (int32_t)p->n;
	if (one.type == PIECE_NORMAL) {
		p->lowest = one.score < p->lowest ? one.score : p->lowest;
		p->highest = one.score > p->highest ? one.score : p->highest;
	}
	if (has_text(one.type) && length && length <= PIECE_MOST) {
		p->longest = length > p->longest ? length : p->longest;
		if (!ims_vocabulary_add(&p->texts, text, length, (int32_t)p->n))
			return false;
	}
	p->piece[p->n++] = one;
	return true;
}

bool ims_pieces_take_rules(pieces *p, const uint8_t *rules, size_t size)
{
	if (!size)
		return true;
	if (size < 4)
		return false;
	size_t trie = (size_t)rules[0] | (size_t)rules[1] << 8 | (size_t)rules[2] << 16
		| (size_t)rules[3] << 24;
	if (trie % 4 || trie > size - 4 || (trie && (trie == size - 4 || rules[size - 1])))
		return false;
	p->trie = rules + 4;
	p->units = trie / 4;
	p->replacements = (const char *)rules + 4 + trie;
	p->replacements_size = size - 4 - trie;
	return true;
}
