/*
 * The size at which HEIF shows its primary image, by its boxes. libheif before 1.18 says that of
 * the stored picture where `ispe` is listed behind what turns or cuts it.
 */
#ifndef IMS_CODEC_HEIF_SIZE_H
#define IMS_CODEC_HEIF_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False: the boxes do not say. They are a stranger's bytes. */
bool ims_heif_size(const void *data, size_t size, uint32_t *width, uint32_t *height);

#endif
