/* Rows of one byte a value: see the header. */
#include "base/regions.h"

#include "base/floats.h"
#include "base/reader.h"

#include <math.h>

void ims_region_box(uint32_t i, double box[4])
{
	const double step = (1 - IMS_REGION_SHARE) / (IMS_REGIONS_ACROSS - 1);
	box[0] = step * (i % IMS_REGIONS_ACROSS);
	box[1] = step * (i / IMS_REGIONS_ACROSS);
	box[2] = fmin(box[0] + IMS_REGION_SHARE, 1);
	box[3] = fmin(box[1] + IMS_REGION_SHARE, 1);
}

size_t ims_regions_count(size_t size, uint32_t dim)
{
	size_t row = ims_region_row_size(dim);
	return size % row ? 0 : size / row;
}

static void encode_row(buf *out, const float *row, uint32_t dim)
{
	double step = (double)ims_floats_largest(row, dim) / IMS_REGION_MOST;
	ims_buf_f32(out, (float)step);
	for (uint32_t i = 0; i < dim; i++)
		ims_buf_u8(out, (uint8_t)(int8_t)(step > 0 ? lrint((double)row[i] / step) : 0));
}

void ims_regions_encode(buf *out, const float *rows, size_t n, uint32_t dim)
{
	for (size_t i = 0; i < n; i++)
		encode_row(out, rows + i * dim, dim);
}

void ims_region_decode(float *out, const void *data, size_t i, uint32_t dim)
{
	const uint8_t *row = (const uint8_t *)data + i * ims_region_row_size(dim);
	reader r = { .data = row, .len = sizeof(float) };
	float scale = ims_read_f32(&r);
	for (uint32_t k = 0; k < dim; k++)
		out[k] = scale * (float)(int8_t)row[sizeof scale + k];
}
