/*
 * Array files: the first byte chooses .npy, .fvecs or .fbin. What is accepted is read to its last
 * row.
 */
#include "cli/array/array.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	array a = { 0 };
	char why[160];
	if (!size || !array_parse(&a, data + 1, size - 1, (array_layout)(data[0] % 3), why, sizeof why))
		return 0;
	float *row = malloc(a.dim * sizeof(float));
	for (size_t i = 0; row && i < a.n; i++) {
		if (a.type == ARRAY_I64)
			array_id(&a, i);
		else
			array_rows(&a, i, 1, row);
	}
	free(row);
	return 0;
}
