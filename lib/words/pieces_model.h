/* What a model of pieces holds, for those who read it and for those who cut by it. */
#ifndef IMS_WORDS_PIECES_MODEL_H
#define IMS_WORDS_PIECES_MODEL_H

#include "words/pieces.h"
#include "words/vocabulary.h"

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
	const uint8_t *trie;   /* of the rules: units of 32 bits, little-endian; in `file` */
	size_t units;
	const char *replacements; /* each terminated */
	size_t replacements_size;
	bool keeps_spaces, no_prefix, no_mark;
	bool hugging_face; /* as tokenizer.json means it: see normalise and offer in pieces.c */
};

/* Without pieces and rules. `file` is taken over. NULL: out of memory. */
pieces *ims_pieces_new(buf *file);

/* False: out of memory. */
bool ims_pieces_add(pieces *p, const void *text, size_t length, piece one);

/*
 * The rules of normalisation: the size of a trie, the trie, the texts that it leads to. Borrowed.
 * False: damaged.
 */
bool ims_pieces_take_rules(pieces *p, const uint8_t *rules, size_t size);

#endif
