/*
 * Regions: features of parts of a picture (base/regions.h), by which a crop of it is found. The
 * parts are the tiles, which overlap, of a 3 x 3 tiling of the upright picture. Each goes through
 * the network as an input of its own.
 */
#ifndef IMS_INGEST_REGIONS_H
#define IMS_INGEST_REGIONS_H

#include "handle/handle.h"
#include "image/image.h"

/* Whether the index keeps regions: the setting. */
int ims_regions_kept(imgsearch *s, bool *kept, imgsearch_error *err);

/*
 * Within a transaction, as the option of an index run says: 0: as it was; 1: they are kept from now
 * on; 2: not any more, and those that there are go.
 */
int ims_regions_choose(imgsearch *s, uint32_t option, imgsearch_error *err);

/* The short side of a decoded picture from which its parts have all pixels that they use. */
uint32_t ims_regions_least_side(const image_recipe *recipe);

/*
 * Appends the regions of a picture to out; a part of which the network gives no feature has zeros.
 * ENOMEM, or the status of the network.
 */
int ims_regions_make(const image *im, const image_recipe *recipe, model *m, buf *out,
	imgsearch_error *err);

#endif
