/*
 * Regions: features of parts of a picture (base/regions.h), by which a crop of it is found. The
 * parts are a 2 x 2 and a 3 x 3 tiling of the upright picture, whose tiles overlap. Each goes
 * through the network by itself, as an input of its own.
 */
#ifndef IMS_INGEST_REGIONS_H
#define IMS_INGEST_REGIONS_H

#include "handle/handle.h"
#include "image/image.h"

/* Whether the index keeps regions: the setting. */
int ims_regions_kept(imgsearch *s, bool *kept, imgsearch_error *err);

/*
 * Within a transaction, as the option of an index run says: 0: as it was; 1: they are kept from now
 * on; 2: not any more, and those that there are go. EUNSUPPORTED: 1, and the store keeps none.
 */
int ims_regions_choose(imgsearch *s, uint32_t option, imgsearch_error *err);

/* The short side, or crop, from which decoding need make no more pixels for these parts. */
uint32_t ims_regions_least_side(const model *m);

/*
 * Appends the regions of a picture to out; a part of which the network gives no feature has zeros.
 * ENOMEM, or the status of the network.
 */
int ims_regions_make(const image *im, const image_recipe *recipe, model *m, buf *out,
	imgsearch_error *err);

#endif
