/* A model file: a protocol buffer, ModelProto of sentencepiece_model.proto. */
#include "words/pieces_model.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

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

/*
 * One piece: its text (1), score (2) and type (3). *bad: it is damaged, or its score is no number.
 * False: out of memory.
 */
static bool add_piece(pieces *p, message m, bool *bad)
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
	*bad = m.bad || !isfinite(one.score);
	return *bad || ims_pieces_add(p, text.at, (size_t)(text.end - text.at), one);
}

/* How a text is normalised. False: damaged. */
static bool read_normaliser(pieces *p, message m)
{
	field f;
	bool good = true;
	while (next_field(&m, &f)) {
		if (f.number == 2)
			good = ims_pieces_take_rules(p, f.bytes.at, (size_t)(f.bytes.end - f.bytes.at));
		if (f.number == 3)
			p->no_prefix = !f.value;
		if (f.number == 4)
			p->keeps_spaces = !f.value;
		if (f.number == 5)
			p->no_mark = !f.value;
	}
	return good && !m.bad;
}

/* The kind of model (3), which stays where nothing is said. False: damaged. */
static bool read_type(uint64_t *type, message m)
{
	field f;
	while (next_field(&m, &f))
		if (f.number == 3)
			*type = f.value;
	return !m.bad;
}

static int read_model(pieces *p, const char *path, imgsearch_error *err)
{
	enum { UNIGRAM = 1 };
	message m = { .at = p->file.data, .end = p->file.data + p->file.len };
	uint64_t type = UNIGRAM;
	bool good = true, memory = true, bad = false;
	field f;
	while (good && memory && next_field(&m, &f)) {
		if (f.number == 1)
			memory = add_piece(p, f.bytes, &bad);
		if (f.number == 2)
			good = read_type(&type, f.bytes);
		if (f.number == 3)
			good = read_normaliser(p, f.bytes);
		good = good && !bad;
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
	pieces *p = ims_pieces_new(file);
	*out = NULL;
	if (!p)
		return ims_nomem(err);
	int rc = read_model(p, path, err);
	if (rc) {
		ims_pieces_free(p);
		return rc;
	}
	*out = p;
	return 0;
}
