/* Tells drawings (pages of text, forms, screens) from photographs, by their signatures. */
#include "analysis/detail.h"
#include "analysis/detail_code.h"

#include <math.h>
#include <stdlib.h>

/* What of a picture tells drawings from photographs. */
typedef struct drawing {
	float background; /* share of the coarse cells without any detail, as light as most such */
	float even;       /* share of neighbours along rows that are equally light */
	float detail;     /* variance of the finer cells as a share of that of the coarse ones */
} drawing;

enum { NEAR = 2 }; /* luminances that differ by no more count as one background */

/* The most cells whose luminance is near one value; count[v + NEAR]: those of luminance v. */
static uint32_t most_near(const uint32_t count[256 + 2 * NEAR])
{
	uint32_t most = 0;
	for (int v = 0; v < 256; v++) {
		uint32_t near = 0;
		for (int u = v; u <= v + 2 * NEAR; u++)
			near += count[u];
		most = near > most ? near : most;
	}
	return most;
}

/* The sum of squares of the fine differences in coarse cell c. */
static double fine_squares(const full_signature *s, int c)
{
	enum { N = IMS_SIGNATURE_SIDE };
	double sum = 0;
	for (int i = 0; i < 9; i++) {
		int x = c % N * 3 + i % 3, y = c / N * 3 + i / 3;
		float d = ims_detail_step_size(ims_detail_step(s, y * IMS_DETAIL_SIDE + x));
		sum += (double)d * d;
	}
	return sum;
}

static drawing measure_drawing(const full_signature *s)
{
	enum { N = IMS_SIGNATURE_SIDE };
	uint32_t count[256 + 2 * NEAR] = { 0 }, even = 0;
	double sum = 0, square = 0, fine = 0;
	for (int c = 0; c < N * N; c++) {
		int luma = s->coarse.luma[c];
		double squares = fine_squares(s, c);
		fine += squares / (9 * N * N);
		count[luma + NEAR] += squares == 0;
		even += c % N && abs(luma - s->coarse.luma[c - 1]) <= 1;
		sum += luma, square += luma * luma;
	}
	double mean = sum / (N * N), variance = fmax(1, square / (N * N) - mean * mean);
	return (drawing){
		.background = (float)most_near(count) / (N * N),
		.even = (float)even / (N * (N - 1)),
		.detail = (float)(fine / variance),
	};
}

/* A text has much detail, a screen large areas. */
bool ims_detail_is_drawing(const full_signature *s)
{
	drawing d = measure_drawing(s);
	return d.background >= 0.1f && (d.even >= 0.6f || d.detail >= 0.15f);
}
