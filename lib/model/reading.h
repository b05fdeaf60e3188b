/*
 * What a weights file without a card holds: a network by the names and shapes of its tensors, and
 * how pictures are prepared for it. Where the file and what lies beside it leave two readings, that
 * is an error: nothing is guessed.
 */
#ifndef IMS_MODEL_READING_H
#define IMS_MODEL_READING_H

#include "model/catalog.h"

typedef struct reading {
	char name[64]; /* of the published model, or of the network */
	const model_network *network;
	image_recipe recipe; /* complete, before what the caller asks for */
	uint32_t dim;
	bool published; /* the name is a published model's */
} reading;

/*
 * name: of a network or a published model; NULL: libtorch is loaded to find the networks that fit.
 * The recipe comes from the first of these that says one: the published model that is named, or
 * that the file is, by its hash; the files beside it; the network that is named. asked: the parts
 * that the caller sets, so that readings which differ in nothing else are one; where it sets all,
 * no other source is read. EMODEL: the name is unknown; no network fits, with detail ENOEXEC
 * if the file is a TorchScript program; or several readings are left, with detail ENOTUNIQ and two
 * of them in the message. Others as ims_weights_open,
 * ims_published_read, ims_beside_read and ims_shim_load.
 */
int ims_reading_decide(reading *out, const char *path, const char *name,
	const imgsearch_recipe *asked, imgsearch_error *err);

#endif
