/*
 * Array files: .npy (NumPy's format 1.0 to 3.0; little-endian f32, f16, int64; C order; one or two
 * dimensions), .fvecs (each row: its dimension as int32, then that many f32) and .fbin (the numbers
 * of rows and of values as uint32, then the rows). Files are mapped, so that ten million rows cost
 * no memory of their own. Every size that a file claims is checked against the file's length before
 * it is used.
 *
 *	array a;
 *	if (array_open(&a, "features.npy"))
 *		... array_rows(&a, 0, a.n, rows) or array_id(&a, i) ...
 *	array_close(&a);
 */
#ifndef IMGSEARCH_CLI_ARRAY_H
#define IMGSEARCH_CLI_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum array_type { ARRAY_F32 = 1, ARRAY_F16, ARRAY_I64 } array_type;

typedef struct array {
	array_type type;
	size_t n, dim; /* dim is 1 for one dimension */
	size_t ndim;
	const uint8_t *data; /* row i begins at data + i * stride */
	size_t stride;
	void *map;
	size_t map_size;
} array;

bool array_open(array *a, const char *path); /* false: failed, with a message; nothing to close */
void array_close(array *a);                  /* a zeroed or closed array is fine */

/* Rows first..first+n as f32 (n, dim). Not for ARRAY_I64. */
void array_rows(const array *a, size_t first, size_t n, float *out);
/* The number in row i of one column of ARRAY_I64. */
int64_t array_id(const array *a, size_t i);

/* Parses the bytes of a file, which a then borrows. False: why says what is wrong. */
typedef enum array_layout { ARRAY_NPY, ARRAY_FVECS, ARRAY_FBIN } array_layout;
bool array_parse(array *a, const void *bytes, size_t size, array_layout layout, char *why,
	size_t why_size);

/* For array_writer too: bytes of a number; the layout of a file by the end of its name. */
size_t array_type_size(array_type type);
array_layout array_layout_of(const char *path);

#endif
