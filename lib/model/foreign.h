/* What a file is that holds no weights, for the sentence that refuses it. Any thread. */
#ifndef IMS_MODEL_FOREIGN_H
#define IMS_MODEL_FOREIGN_H

#include "model/zip.h"

/* EFORMAT, with what the file is known to be by its first bytes. */
int ims_foreign_refuse(const uint8_t *data, size_t size, imgsearch_error *err);

/* The same of a zip archive without a state dict, by the names of its entries. */
int ims_foreign_refuse_zip(const zip *z, imgsearch_error *err);

#endif
