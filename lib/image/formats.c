/* The names of formats that are read only where asked for. */
#include "image/image.h"

#include <string.h>

/* The bit of a name of n bytes; 0: there is none of that name. */
static uint32_t bit_of(const char *name, size_t n)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} formats[] = { { "tiff", IMAGE_ALSO_TIFF }, { "video", IMAGE_ALSO_VIDEO } };
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
		if (n == strlen(formats[i].name) && !memcmp(name, formats[i].name, n))
			return formats[i].bit;
	return 0;
}

int ims_image_formats(uint32_t *on, uint32_t *off, const char *list, imgsearch_error *err)
{
	uint32_t unwanted = 0;
	*on = 0;
	for (size_t n; list && *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		bool sign = *list == '+' || (off && *list == '-');
		uint32_t bit = sign ? bit_of(list + 1, n - 1) : 0;
		if (!bit)
			return ims_fail(err, IMGSEARCH_EINVAL,
				"formats: \"%.*s\" is not one that is read where asked for: +tiff, +video%s",
				(int)n, list, off ? "; -tiff, -video: no longer" : "");
		*(*list == '+' ? on : &unwanted) |= bit;
	}
	if (*on & unwanted)
		return ims_fail(err, IMGSEARCH_EINVAL, "formats: one cannot be both on and off");
	if (off)
		*off = unwanted;
	return 0;
}
