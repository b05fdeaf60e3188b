#include "image/alpha.h"

void ims_alpha_over(uint8_t *rgb, const uint8_t *rgba, size_t n, uint8_t background,
	alpha_sums *sums)
{
	enum { DARK = 208 }; /* of 255; lighter pixels hardly show on white */
	for (size_t i = 0; i < n; i++, rgb += 3, rgba += 4) {
		unsigned alpha = rgba[3];
		unsigned luma = (77u * rgba[0] + 150u * rgba[1] + 29u * rgba[2]) >> 8;
		sums->drawn += alpha;
		sums->dark += luma < DARK ? alpha : 0;
		sums->clear += 255 - alpha;
		for (int c = 0; c < 3; c++) {
			unsigned t = rgba[c] * alpha + background * (255u - alpha) + 128;
			rgb[c] = (uint8_t)((t + (t >> 8)) >> 8);
		}
	}
}

bool ims_alpha_is_light_drawing(const alpha_sums *s)
{
	return s->drawn && s->dark * 20 < s->drawn && s->clear * 20 > s->clear + s->drawn;
}

void ims_alpha_flatten(uint8_t *rgb, const uint8_t *rgba, size_t n)
{
	alpha_sums sums = { 0 };
	ims_alpha_over(rgb, rgba, n, 255, &sums);
	if (ims_alpha_is_light_drawing(&sums))
		ims_alpha_over(rgb, rgba, n, 0, &sums);
}
