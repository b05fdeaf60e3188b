/* The constructors of inputs. */
#include "imgsearch.h"

imgsearch_input imgsearch_input_file(const char *path)
{
	return (imgsearch_input){ .kind = IMGSEARCH_INPUT_KIND_FILE, .path = path };
}

imgsearch_input imgsearch_input_bytes(const void *bytes, size_t size)
{
	return (imgsearch_input){ .kind = IMGSEARCH_INPUT_KIND_BYTES, .data = bytes, .size = size };
}

imgsearch_input imgsearch_input_pixels(const void *rgb, int32_t width, int32_t height,
	size_t row_bytes)
{
	return (imgsearch_input){
		.kind = IMGSEARCH_INPUT_KIND_PIXELS,
		.data = rgb,
		.size = row_bytes,
		.width = width,
		.height = height,
	};
}

imgsearch_input imgsearch_input_vector(const float *values, size_t dim)
{
	return (imgsearch_input){ .kind = IMGSEARCH_INPUT_KIND_VECTOR, .data = values, .size = dim };
}

imgsearch_input imgsearch_input_item(int64_t id)
{
	return (imgsearch_input){ .kind = IMGSEARCH_INPUT_KIND_ITEM, .id = id };
}

imgsearch_input imgsearch_input_text(const char *utf8)
{
	return (imgsearch_input){ .kind = IMGSEARCH_INPUT_KIND_TEXT, .text = utf8 };
}
