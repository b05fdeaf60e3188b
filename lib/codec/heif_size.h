/*
 * The size at which HEIF shows its primary image, by its boxes. libheif before 1.18 says that of
 * the stored picture where `ispe` is listed behind what turns or cuts it.
 */
#ifndef IMS_CODEC_HEIF_SIZE_H
#define IMS_CODEC_HEIF_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct heif_size {
	uint32_t width, height;               /* as it is shown */
	uint32_t stored_width, stored_height; /* before it is turned and cut */
} heif_size;

/* False: the boxes do not say. The bytes are untrusted. */
bool ims_heif_size(heif_size *out, const void *data, size_t size);

#endif
