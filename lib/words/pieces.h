/*
 * SentencePiece's unigram model: Kudo, "Subword regularization" (2018), and Kudo and Richardson,
 * "SentencePiece" (2018). A text is normalised by the rules that the model holds, and cut into the
 * pieces whose probabilities multiply to the most. Constant once it is open: any thread.
 */
#ifndef IMS_WORDS_PIECES_H
#define IMS_WORDS_PIECES_H

#include "base/buf.h"
#include "words/token_list.h"

#include <stdbool.h>

typedef struct pieces pieces;

/*
 * Of a model file (spiece.model), whose bytes are taken over. EFORMAT: damaged; EUNSUPPORTED: of
 * another kind than unigram; path is for the message.
 */
int ims_pieces_read(pieces **out, const char *path, buf *file, imgsearch_error *err);

/*
 * Of a text that is tokenizer.json of Hugging Face's tokenizers with a model of this kind
 * (ims_pieces_is_json). Rules of normalisation beside those of SentencePiece are not read, and
 * texts have one space for several. Errors likewise.
 */
int ims_pieces_read_json(pieces **out, const char *path, const buf *text, imgsearch_error *err);
bool ims_pieces_is_json(const buf *text);

void ims_pieces_free(pieces *p); /* NULL is fine */

size_t ims_pieces_count(const pieces *p);
int32_t ims_pieces_end(const pieces *p); /* the token "</s>"; -1: there is none */

/*
 * Appends the pieces of a text, which is valid UTF-8 and terminated. A lead (or NULL) is put before
 * it, and its pieces are left out: the mark for a space that the model puts before a text is
 * there. ENOMEM.
 */
int ims_pieces_cut(const pieces *p, const char *lead, const char *text, token_list *out,
	imgsearch_error *err);

#endif
