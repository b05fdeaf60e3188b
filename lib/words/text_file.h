/* Files of vocabularies. */
#ifndef IMS_WORDS_TEXT_FILE_H
#define IMS_WORDS_TEXT_FILE_H

#include "base/buf.h"
#include "imgsearch.h"

/*
 * A whole file, unpacked where it is gzip's; a zero byte follows it in memory and does not count.
 * ENOTFOUND, EIO, ENOMEM; EFORMAT: damaged or cut off.
 */
int ims_text_file_read(buf *out, const char *path, imgsearch_error *err);

#endif
