/* Zip archives in memory: entries that are stored, and checks of compressed ones. */
#ifndef IMS_MODEL_ZIP_H
#define IMS_MODEL_ZIP_H

#include "base/base.h"

typedef struct zip_entry {
	const char *name; /* in the archive, not terminated */
	size_t name_len;
	uint64_t header; /* place of its local header */
	uint64_t size;   /* bytes, unpacked */
	uint64_t packed; /* bytes in the archive */
	uint32_t crc;    /* of the unpacked bytes */
	uint32_t method; /* 0: stored, 8: deflated */
} zip_entry;

typedef struct zip {
	const uint8_t *data; /* borrowed */
	size_t size;
	zip_entry *entry; /* n, in order of name */
	size_t n;
} zip;

/* EFORMAT, ENOMEM. */
int ims_zip_open(zip *out, const uint8_t *data, size_t size, imgsearch_error *err);
void ims_zip_free(zip *z);
const zip_entry *ims_zip_find(const zip *z, const char *name, size_t len); /* NULL: there is none */

/*
 * The bytes of an entry (e->size), borrowed from the archive. EFORMAT: it is compressed or out of
 * bounds.
 */
int ims_zip_data(const zip *z, const zip_entry *e, const uint8_t **data, imgsearch_error *err);

/*
 * Checks an entry that another reader unpacks: it lies in the archive, and claims no more bytes
 * than it can hold, nor, where it is compressed, more than most. EFORMAT, ELIMIT.
 */
int ims_zip_check(const zip *z, const zip_entry *e, uint64_t most, imgsearch_error *err);

/* Unpacks an entry that ims_zip_check has passed, and compares its checksum. EFORMAT, ENOMEM. */
int ims_zip_checksum(const zip *z, const zip_entry *e, imgsearch_error *err);

#endif
