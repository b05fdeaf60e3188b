/*
 * Makes signatures. A cell is the mean of the pixels that it covers, parts of pixels included. R, G
 * and B are summed to the cells of the fine luminance, a band of six rows of cells at a time, and
 * all else is made from these sums.
 */
#include "analysis/detail.h"

#include <math.h>
#include <string.h>

#define SIDE IMS_DETAIL_SIDE
#define FINER (IMS_DETAIL_SIDE / IMS_SIGNATURE_SIDE)
#define BAND (IMS_DETAIL_SIDE / IMS_CHROMA_SIDE) /* rows of cells; a cell of chroma is as high */

/* Of the columns of cells; rounded up to what vectors hold. */
enum { BORDERS = SIDE + 4 };

/* A band of cells: means of R, G, B. */
typedef struct cell_band {
	float mean[3][BAND][SIDE];
} cell_band;

/* The part of the pixels that is the picture, and the size of a cell in pixels. */
typedef struct cell_grid {
	const uint8_t *rgb;
	uint32_t width, height;
	double left, top, cell_width, cell_height;
	/* borders of the columns of cells: whole pixels on their left, and a part of the next one */
	uint32_t whole[BORDERS];
	double part[BORDERS];
} cell_grid;

static void set_borders(cell_grid *g)
{
	for (int c = 0; c < BORDERS; c++) {
		double border = fmin(g->left + c * g->cell_width, g->width);
		g->whole[c] = border < g->width ? (uint32_t)border : g->width - 1;
		g->part[c] = border - g->whole[c];
	}
}

/*
 * At each border of cells, of each channel of a row: the sum of the whole pixels on the left, and
 * the next pixel. A sum fits 31 bits, since a side has a million pixels at most.
 */
typedef struct border_sums {
	int32_t sum[3][BORDERS], next[3][BORDERS];
} border_sums;

static void sum_pixels(border_sums *out, const cell_grid *g, uint32_t y)
{
	const uint8_t *rgb = g->rgb + 3 * (size_t)g->width * y;
	int32_t sum[3] = { 0 };
	uint32_t x = 0;
	for (int c = 0; c < BORDERS; c++) {
		for (; x < g->whole[c]; x++)
			sum[0] += rgb[3 * x], sum[1] += rgb[3 * x + 1], sum[2] += rgb[3 * x + 2];
		for (int k = 0; k < 3; k++) {
			out->sum[k][c] = sum[k];
			out->next[k][c] = rgb[3 * (size_t)x + (size_t)k];
		}
	}
}

/* SIDE sums of each channel of a row: differences of the sums up to the borders. */
static void squeeze_row(float out[3][SIDE], const cell_grid *g, uint32_t y)
{
	border_sums s;
	double up_to[BORDERS];
	sum_pixels(&s, g, y);
	for (int k = 0; k < 3; k++) {
		for (int c = 0; c < BORDERS; c++)
			up_to[c] = s.sum[k][c] + g->part[c] * s.next[k][c];
		for (int c = 0; c < SIDE; c++)
			out[k][c] = (float)(up_to[c + 1] - up_to[c]);
	}
}

/* Adds row number y of the pixels to the rows of the band, of which the first is row `first`. */
static void add_row(cell_band *out, const cell_grid *g, uint32_t y, int first)
{
	float row[3][SIDE];
	double top = (y - g->top) / g->cell_height - first,
		   bottom = (y + 1 - g->top) / g->cell_height - first;
	squeeze_row(row, g, y);
	for (int c = top > 0 ? (int)top : 0; c < BAND && c < bottom; c++) {
		float share = (float)((fmin(bottom, c + 1) - fmax(top, c)) / g->cell_width);
		for (int k = 0; k < 3; k++)
			for (int x = 0; x < SIDE; x++)
				out->mean[k][c][x] += share * row[k][x];
	}
}

static void make_band(cell_band *out, const cell_grid *g, int first)
{
	double top = g->top + first * g->cell_height, bottom = top + BAND * g->cell_height;
	memset(out, 0, sizeof *out);
	for (uint32_t y = (uint32_t)top; y < g->height && y < bottom; y++)
		add_row(out, g, y, first);
}

static float luma_of(const cell_band *s, int x, int y)
{
	return (77 * s->mean[0][y][x] + 150 * s->mean[1][y][x] + 29 * s->mean[2][y][x]) / 256;
}

static uint8_t to_byte(float v)
{
	return (uint8_t)fmaxf(0, fminf(v + 0.5f, 255));
}

/* Column x, row y of the coarse luminance, and the differences of the finer cells from it. */
static void put_luma(full_signature *out, const cell_band *s, int x, int y)
{
	float fine[FINER * FINER], mean = 0;
	for (int i = 0; i < FINER * FINER; i++) {
		fine[i] = luma_of(s, FINER * x + i % FINER, FINER * y % BAND + i / FINER);
		mean += fine[i] / (FINER * FINER);
	}
	uint8_t coarse = out->coarse.luma[y * IMS_SIGNATURE_SIDE + x] = to_byte(mean);
	for (int i = 0; i < FINER * FINER; i++) {
		int at = (FINER * y + i / FINER) * SIDE + FINER * x + i % FINER;
		out->detail.luma[at / 2] |= (uint8_t)(ims_detail_code(fine[i] - coarse)
			<< (at % 2 ? 4 : 0));
	}
}

static void put_chroma(full_signature *out, const cell_band *s, int x, int y)
{
	float mean[3] = { 0 };
	for (int i = 0; i < BAND * BAND; i++)
		for (int k = 0; k < 3; k++)
			mean[k] += s->mean[k][i / BAND][BAND * x + i % BAND] / (BAND * BAND);
	float luma = (77 * mean[0] + 150 * mean[1] + 29 * mean[2]) / 256;
	out->detail.chroma[0][y * IMS_CHROMA_SIDE + x] = to_byte(128 + 0.564f * (mean[2] - luma));
	out->detail.chroma[1][y * IMS_CHROMA_SIDE + x] = to_byte(128 + 0.713f * (mean[0] - luma));
}

void ims_signature_make(full_signature *out, const uint8_t *rgb, uint32_t width, uint32_t height,
	const float box[4])
{
	const float all[4] = { 0, 0, (float)width, (float)height };
	const float *part = box && box[2] > 0 ? box : all;
	cell_grid g = { rgb, width, height, part[0], part[1], (double)(part[2] - part[0]) / SIDE,
		(double)(part[3] - part[1]) / SIDE, { 0 }, { 0 } };
	cell_band band;
	set_borders(&g);
	*out = (full_signature){ 0 };
	for (int y = 0; y < IMS_CHROMA_SIDE; y++) {
		make_band(&band, &g, BAND * y);
		for (int x = 0; x < IMS_CHROMA_SIDE; x++)
			put_chroma(out, &band, x, y);
		for (int i = 0; i < BAND / FINER * IMS_SIGNATURE_SIDE; i++)
			put_luma(out, &band, i % IMS_SIGNATURE_SIDE, BAND / FINER * y + i / IMS_SIGNATURE_SIDE);
	}
}
