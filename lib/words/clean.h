/*
 * How texts are cleaned before they are cut into tokens. Texts are valid UTF-8, terminated;
 * ims_unicode_load was 0. Any thread.
 */
#ifndef IMS_WORDS_CLEAN_H
#define IMS_WORDS_CLEAN_H

#include "base/buf.h"

/*
 * As OpenAI's and OpenCLIP's programs do for CLIP: what ftfy mends but text in a wrong encoding,
 * references of HTML, white space, lower case.
 */
void ims_clean_clip(buf *out, const char *text);

/*
 * SigLIP's: no punctuation of ASCII, one space for white space of any length, lower case; as
 * OpenCLIP does it (like ims_clean_clip before that), or as Hugging Face's tokenizer does: then a
 * mark for a space leads.
 */
void ims_clean_siglip(buf *out, const char *text, bool open_clip);

/* NFC, one space for white space of any length, lower case: as Hugging Face's tokenizer of CLIP. */
void ims_clean_plain(buf *out, const char *text);

#endif
