/* What a file says of its colours, by a profile or by numbers, as a colour_space. */
#include "image/colour.h"

#include <math.h>
#include <string.h>

/* D65 and the primaries of BT.709, which are those of sRGB. */
static const double srgb_xy[8] = { 0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06 };

void ims_colour_clear(colour_space *c)
{
	ims_buf_free(&c->profile);
	*c = (colour_space){ 0 };
}

bool ims_colour_set_profile(colour_space *c, const void *icc, size_t size)
{
	ims_colour_clear(c);
	if (ims_icc_is_srgb(icc, size))
		return true;
	c->kind = COLOUR_PROFILE;
	ims_buf_put(&c->profile, icc, size);
	return !c->profile.failed;
}

static bool is_srgb(const double xy[8])
{
	for (int i = 0; i < 8; i++)
		if (fabs(xy[i] - srgb_xy[i]) > 0.005)
			return false;
	return true;
}

/* Chromaticities that Little CMS can make a matrix of. */
static bool is_possible(const double xy[8])
{
	for (int i = 0; i < 8; i += 2)
		if (!(xy[i] >= 0 && xy[i] <= 1 && xy[i + 1] > 0 && xy[i + 1] <= 1
				&& xy[i] + xy[i + 1] <= 1.001))
			return false;
	return true;
}

void ims_colour_set_gamma(colour_space *c, double gamma, const double xy[8])
{
	static const double tolerance = 0.05; /* libpng takes gammas within 5 % as equal */
	ims_colour_clear(c);
	if (xy && !is_possible(xy))
		xy = NULL;
	bool srgb_gamma = fabs(gamma * 2.2 - 1) < tolerance;
	if ((srgb_gamma && (!xy || is_srgb(xy))) || gamma < 0.05 || gamma > 20)
		return;
	c->kind = COLOUR_CURVE;
	c->gamma = 1 / gamma;
	memcpy(c->xy, xy ? xy : srgb_xy, sizeof c->xy);
}

/* H.273, table 2. */
static const double *cicp_xy(uint8_t primaries)
{
	static const double bt470m[] = { 0.31, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08 },
						bt470bg[] = { 0.3127, 0.329, 0.64, 0.33, 0.29, 0.6, 0.15, 0.06 },
						smpte170[] = { 0.3127, 0.329, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07 },
						bt2020[] = { 0.3127, 0.329, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046 },
						dci_p3[] = { 0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06 },
						display_p3[] = { 0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06 };
	switch (primaries) {
	case 1:
		return srgb_xy;
	case 4:
		return bt470m;
	case 5:
		return bt470bg;
	case 6:
	case 7:
		return smpte170;
	case 9:
		return bt2020;
	case 11:
		return dci_p3;
	case 12:
		return display_p3;
	default:
		return NULL;
	}
}

/* H.273, table 3. */
static bool cicp_transfer(colour_space *c, uint8_t transfer)
{
	c->transfer = TRANSFER_GAMMA;
	switch (transfer) {
	case 1:
	case 6:
	case 14:
	case 15:
		c->transfer = TRANSFER_BT709;
		return true;
	case 4:
		c->gamma = 2.2;
		return true;
	case 5:
		c->gamma = 2.8;
		return true;
	case 8:
		c->gamma = 1;
		return true;
	case 13:
		c->transfer = TRANSFER_SRGB;
		return true;
	default:
		return false;
	}
}

bool ims_colour_set_cicp(colour_space *c, uint8_t primaries, uint8_t transfer, uint8_t matrix,
	uint8_t full_range)
{
	colour_space out = { .kind = COLOUR_CURVE, .narrow_range = !full_range };
	const double *xy = cicp_xy(primaries);
	if (matrix != 0 || !xy || !cicp_transfer(&out, transfer))
		return false;
	memcpy(out.xy, xy, sizeof out.xy);
	if (xy == srgb_xy && out.transfer == TRANSFER_SRGB && full_range)
		out = (colour_space){ 0 };
	ims_colour_clear(c);
	*c = out;
	return true;
}

void ims_colour_set_nclx(colour_space *c, unsigned primaries, unsigned transfer)
{
	const double *xy = primaries < 256 ? cicp_xy((uint8_t)primaries) : NULL;
	ims_colour_set_transfer(c, xy ? xy : srgb_xy, transfer);
}

void ims_colour_set_transfer(colour_space *c, const double xy[8], unsigned transfer)
{
	colour_space out = { .kind = COLOUR_CURVE };
	memcpy(out.xy, is_possible(xy) ? xy : srgb_xy, sizeof out.xy);
	if (transfer == 16 || transfer == 18)
		out.transfer = transfer == 16 ? TRANSFER_PQ : TRANSFER_HLG;
	else if (transfer > 255 || !cicp_transfer(&out, (uint8_t)transfer)
		|| out.transfer == TRANSFER_BT709)
		out.transfer = TRANSFER_SRGB;
	if (out.transfer == TRANSFER_SRGB && is_srgb(out.xy))
		out = (colour_space){ 0 };
	ims_colour_clear(c);
	*c = out;
}
