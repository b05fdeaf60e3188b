/* What the fuzz targets of codecs share: a file as a helper decodes it. */
#ifndef IMS_TESTS_FUZZ_CODEC_H
#define IMS_TESTS_FUZZ_CODEC_H

#include "codec/codec.h"

/* What a library leaks of a damaged file is not ours; a helper ends after 200 pictures. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libheif.so\nleak:libdav1d.so\nleak:libde265.so\nleak:libaom.so\nleak:libjxl.so\n"
		   "leak:libtiff.so\nleak:libwebp.so\n";
}

/* The last byte chooses `partial`. Files of other formats are passed over. */
static inline void fuzz_codec(const uint8_t *data, size_t size, image_format one,
	image_format another)
{
	image_head head;
	image im;
	image_blocks blocks;
	image_format f = ims_image_sniff(data, size);
	if (f != one && f != another)
		return;
	image_limits limits = {
		.max_pixels = 1 << 18,
		.partial = data[size - 1] & 1,
		.codecs = ims_codec_local(),
		.also = UINT32_MAX,
	};
	int bad = ims_image_head(&head, data, size, &limits, NULL);
	if (ims_image_decode(&im, NULL, data, size, &limits, NULL, NULL) == 0 && bad)
		__builtin_trap(); /* a picture whose head is bad */
	ims_image_free(&im);
	if (ims_image_blocks(&blocks, data, size, &limits, NULL) == 0
		&& (blocks.exif.len > IMAGE_MAX_BLOCK || blocks.xmp.len > IMAGE_MAX_BLOCK))
		__builtin_trap();
	ims_image_blocks_free(&blocks);
}

#endif
