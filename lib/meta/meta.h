/*
 * What a picture says of itself: from the blocks of Exif, XMP and IPTC to facts. docs/metadata.md
 * has the tables. Everything here reads untrusted bytes: what is damaged, or no valid value, is
 * absent, and no call fails but for memory, of which facts.nomem tells.
 *
 * A fact that is known already stays, so blocks are added from the strongest to the weakest. Any
 * thread.
 */
#ifndef IMS_META_META_H
#define IMS_META_META_H

#include "base/base.h"
#include "image/image.h"
#include "image/metadata.h"

/* Raised when the readers find other facts in the same bytes: an index then reads them again. */
enum { META_VERSION = 4 };

void ims_facts_add_exif(facts *f, const void *data, size_t size); /* from its TIFF header on */
/* UTF-8. sidecar: the origin of the date says that a sidecar has it. */
void ims_facts_add_xmp(facts *f, const void *data, size_t size, bool sidecar);
void ims_facts_add_iptc(facts *f, const void *data, size_t size);
/* Files of QuickTime and MP4, of Matroska and WebM, of AVI. */
void ims_facts_add_quicktime(facts *f, const void *data, size_t size);
void ims_facts_add_matroska(facts *f, const void *data, size_t size);
void ims_facts_add_avi(facts *f, const void *data, size_t size);

/* All three, in the order XMP, Exif, IPTC. */
void ims_facts_from_blocks(facts *f, const metadata *blocks);

/*
 * Finds the blocks of a file in a container that is read here (JPEG, PNG, GIF, WebP, TIFF, videos)
 * and adds their facts. False: they may stand behind `size` bytes of a longer file.
 */
bool ims_facts_from_file(facts *f, const void *data, size_t size);

/* The same from a path, of which no more is read than it takes. False: it cannot be read. */
bool ims_facts_read(facts *f, const char *path);

/*
 * The sidecars of a picture: PATH.xmp, then the path with "xmp" instead of its extension; also
 * ".XMP". sidecars_stamp is a number that changes with their names, sizes and times; 0: none.
 */
void ims_facts_add_sidecars(facts *f, const char *path);
bool ims_is_sidecar_name(const char *path);
uint64_t ims_sidecars_stamp(const char *path);
/* The stamp of the sidecars beside n paths of one picture; for n = 1 that of the path. */
uint64_t ims_sidecars_stamp_of(const char *const *path, size_t n);

/* ------------------------------------------------------------------------- within the room ---- */

/*
 * A text of a block: to its first NUL, without blanks around it, control characters as blanks, cut
 * off behind 4 KiB, in NFC. NULL: it is empty, or no UTF-8, or memory is short (f->nomem).
 */
char *ims_fact_text(facts *f, const void *data, size_t size);

/*
 * Appends a character of Windows-1252 as UTF-8. Bytes that it leaves out are a replacement
 * character.
 */
void ims_fact_put_1252(buf *out, uint8_t c);

/* Appends a keyword to those in *list (base/list_text.h), unless it is among them. */
void ims_fact_add_keyword(facts *f, char **list, const void *data, size_t size);

/* Sets the camera: make and model, without a make that the model repeats. Either may be NULL. */
void ims_fact_set_camera(facts *f, const char *make, const char *model);

/* Sets a rating of -1 to 5. */
void ims_fact_set_rating(facts *f, double rating);

#endif
