/* Half precision: IEEE 754 binary16, as bits. */
#include "cli/array/half.h"

#include <string.h>

float half_to_float(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 0x3ff,
			 bits;
	float f;
	if (exponent == 31)
		bits = sign | 0x7f800000 | mantissa << 13;
	else if (exponent)
		bits = sign | (exponent + 112) << 23 | mantissa << 13;
	else {
		f = (float)mantissa * 0x1p-24f;
		return sign ? -f : f;
	}
	memcpy(&f, &bits, 4);
	return f;
}

uint16_t half_from_float(float f)
{
	uint32_t bits, magnitude;
	memcpy(&bits, &f, 4);
	uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
	magnitude = bits & 0x7fffffff;
	if (magnitude > 0x7f800000)
		return sign | 0x7e00;
	if (magnitude >= 0x477ff000)
		return sign | 0x7c00;
	if (magnitude < 0x38800000) { /* subnormal: let the FPU round at the last place of a half */
		float scaled;
		memcpy(&scaled, &magnitude, 4);
		scaled += 0.5f;
		memcpy(&magnitude, &scaled, 4);
		return (uint16_t)(sign | (magnitude - 0x3f000000));
	}
	return (uint16_t)(sign | ((magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13));
}
