/* The codes of the fine luminance of a signature, read. Within the room. */
#ifndef IMS_ANALYSIS_DETAIL_CODE_H
#define IMS_ANALYSIS_DETAIL_CODE_H

#include "analysis/signature.h"

enum { IMS_DETAIL_ZERO = 7 }; /* the code of no difference */

/* The differences of luminance that a code can stand for; the sign is part of the code. */
static const float ims_luma_step[] = { 0, 4, 9, 16, 26, 40, 60, 90 };

/* The index in ims_luma_step of cell `at`, with the sign of its difference. */
static inline int ims_detail_step(const full_signature *s, int at)
{
	int i = (s->detail.luma[at / 2] >> (at % 2 ? 4 : 0) & 15) - IMS_DETAIL_ZERO;
	return i > IMS_DETAIL_ZERO ? IMS_DETAIL_ZERO : i;
}

static inline float ims_detail_step_size(int i)
{
	return i < 0 ? -ims_luma_step[-i] : ims_luma_step[i];
}

#endif
