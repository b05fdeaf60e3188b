/*
 * Prepares a picture: bytes, content hash, size, signature, input of the network. Index runs and
 * single adds share this code. It needs no writer lock, and any number of threads may run it.
 */
#ifndef IMS_INGEST_PREPARE_H
#define IMS_INGEST_PREPARE_H

#include "analysis/signature.h"
#include "handle/handle.h"

typedef struct prepared {
	hash256 hash;  /* of a whole file; zero for pixels and crops */
	uint64_t size; /* bytes; 0 for pixels */
	uint32_t width,
		height;          /* upright, of the crop if there is one; as far as the header was read */
	bool sidecar;        /* it is no picture, but a file of metadata beside one */
	bool decoded;        /* false: the index has the bytes; signature and input were not made */
	uint32_t pixels;     /* how they were made: see IMAGE_DECODING */
	bool bad_profile;    /* as ims_image_has_bad_profile */
	buf signature;       /* as it is stored; ims_prepared_clear; empty unless decoded */
	buf regions;         /* likewise; empty where none were wanted */
	bool network_failed; /* the error is the network's, and tells nothing of the picture */
	double network_s;    /* seconds that the regions took */
	bool has_facts;      /* its bytes and sidecars were read for the two that follow */
	facts facts;
	uint64_t sidecars; /* of ims_sidecars_stamp */
} prepared;

void ims_prepared_clear(prepared *p);

typedef struct prepare_request {
	imgsearch *s;
	const image_recipe *recipe;
	uint32_t also; /* formats that are read beside those of the handle: IMAGE_ALSO_... */
	/* Of a single picture, which waits for one of the handle's decoders; NULL: no bound. */
	const job *single;
	bool partial;                     /* what is there of a damaged picture is taken */
	const model_identity *regions_of; /* whose regions are made; NULL: none are */
	imgsearch *by;                    /* the handle that has its network */
	bool known; /* the index has bytes of the file, perhaps these: it is read in any case */
	/* Whether the index has these bytes, so the pixels are not needed; NULL: never. */
	bool (*has_content)(void *user, const hash256 *hash);
	void *user;
} prepare_request;

/* What the row of a sidecar says of it. */
extern const char ims_prepare_sidecar[];

/*
 * Prepares a FILE, BYTES or PIXELS input. *input receives the input of the network, (crop, crop,
 * 3) floats, if the pixels are needed; it is allocated if it is NULL, and the caller frees it by
 * ims_free. A file is read once, so its hash and its pixels belong to the same bytes. Of a file
 * that is no picture only the first bytes are read. EUNSUPPORTED, EFORMAT, ELIMIT, EIO, ENOTFOUND,
 * EINVAL, ENOMEM; *out then holds what was found before the error. The caller clears *out.
 */
int ims_prepare(const prepare_request *request, const imgsearch_input *in, prepared *out,
	float **input, imgsearch_error *err);

/*
 * Reads the facts of a file alone, paths[0], and of the sidecars beside all n of its paths, into
 * *out, which the caller clears. A file that cannot be read has none: has_facts is false.
 */
void ims_prepare_facts(imgsearch *s, const char *const *paths, size_t n, prepared *out);
void ims_prepare_facts_of(imgsearch *s, const imgsearch_input *in, prepared *out); /* or of BYTES */

/*
 * Whether the pixels of a FILE or BYTES input that `made` tells of (see image.h) are those that
 * decoding it gives now, by its header, of which *traits are set. also: as in prepare_request. What
 * cannot be read counts as current.
 */
bool ims_prepare_is_current(imgsearch *s, const imgsearch_input *in, uint32_t made, uint32_t also,
	uint32_t *traits);

#endif
