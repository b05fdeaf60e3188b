/* The names of formats that are read only where asked for. */
#include "image/image.h"

#include <string.h>

int ims_image_formats(uint32_t *also, const char *list, imgsearch_error *err)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} formats[] = { { "+tiff", IMAGE_ALSO_TIFF }, { "+video", IMAGE_ALSO_VIDEO } };
	*also = 0;
	for (size_t n; list && *list; list += n + (list[n] == ',')) {
		uint32_t bit = 0;
		n = strcspn(list, ",");
		for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
			if (n == strlen(formats[i].name) && !memcmp(list, formats[i].name, n))
				bit = formats[i].bit;
		if (!bit)
			return ims_fail(err, IMGSEARCH_EINVAL,
				"formats: \"%.*s\" is not one that is read where asked for: +tiff, +video", (int)n,
				list);
		*also |= bit;
	}
	return 0;
}
