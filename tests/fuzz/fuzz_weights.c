/*
 * Weights files of every format, told apart by content as the library does. What is accepted is
 * read to its last byte.
 */
#include "model/weights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	weights w = { 0 };
	volatile uint8_t sum = 0;
	if (ims_weights_parse(&w, data, size, NULL))
		return 0;
	for (size_t i = 0; i < w.n; i++) {
		size_t n = ims_dtype_size(w.tensor[i].dtype);
		for (uint32_t d = 0; d < w.tensor[i].ndim; d++)
			n *= (size_t)w.tensor[i].shape[d];
		for (size_t k = 0; k < n; k++)
			sum ^= ((const uint8_t *)w.tensor[i].data)[k];
	}
	ims_weights_free(&w);
	return 0;
}
