/* Half precision: IEEE 754 binary16, as bits. */
#ifndef IMGSEARCH_CLI_HALF_H
#define IMGSEARCH_CLI_HALF_H

#include <stdint.h>

float half_to_float(uint16_t h);
uint16_t half_from_float(float f); /* to nearest, ties to even; NaN stays NaN */

#endif
