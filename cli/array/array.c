/* Reading of array files. Source: numpy/lib/format.py's description of the format. */
#include "cli/array/array.h"

#include "cli/array/half.h"
#include "cli/base/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIM_MAX = 1 << 20 };

size_t array_type_size(array_type type)
{
	return type == ARRAY_F32 ? 4 : type == ARRAY_F16 ? 2 : 8;
}

/* --------------------------------------------------------------------------------- parsing ---- */

static bool refuse(char *why, size_t size, const char *reason)
{
	snprintf(why, size, "%s", reason);
	return false;
}

static bool parse_fvecs(array *a, const uint8_t *bytes, size_t size, char *why, size_t why_size)
{
	int32_t dim = 0, other;
	if (size < 8)
		return refuse(why, why_size, "too short for .fvecs");
	memcpy(&dim, bytes, 4);
	if (dim < 1 || dim > DIM_MAX)
		return refuse(why, why_size,
			"not an .fvecs file: its first row has an impossible dimension");
	a->stride = 4 + 4 * (size_t)dim;
	if (size % a->stride)
		return refuse(why, why_size, "truncated, or its rows are not of one dimension");
	a->n = size / a->stride;
	for (size_t i = 0; i < a->n; i++) {
		memcpy(&other, bytes + i * a->stride, 4);
		if (other != dim)
			return refuse(why, why_size, "its rows are not of one dimension");
	}
	a->type = ARRAY_F32;
	a->ndim = 2;
	a->dim = (size_t)dim;
	a->data = bytes + 4;
	return true;
}

static bool parse_fbin(array *a, const uint8_t *bytes, size_t size, char *why, size_t why_size)
{
	uint32_t n = 0, dim = 0;
	if (size < 8)
		return refuse(why, why_size, "too short for .fbin");
	memcpy(&n, bytes, 4);
	memcpy(&dim, bytes + 4, 4);
	if (dim < 1 || dim > DIM_MAX)
		return refuse(why, why_size, "not an .fbin file: its rows have an impossible dimension");
	a->stride = 4 * (size_t)dim;
	if (n > (size - 8) / a->stride)
		return refuse(why, why_size, "truncated: it holds fewer rows than its header says");
	a->n = n;
	a->type = ARRAY_F32;
	a->ndim = 2;
	a->dim = dim;
	a->data = bytes + 8;
	return true;
}

/*
 * The text after 'key': in the header's Python dictionary; NULL: not there. text is NUL-terminated.
 */
static const char *header_value(const char *text, const char *key)
{
	char quoted[32];
	snprintf(quoted, sizeof quoted, "'%s':", key);
	const char *at = strstr(text, quoted);
	return at ? at + strlen(quoted) + strspn(at + strlen(quoted), " ") : NULL;
}

static bool parse_shape(array *a, const char *text)
{
	size_t shape[2] = { 0, 1 };
	if (*text++ != '(')
		return false;
	for (a->ndim = 0; *text && *text != ')';) {
		size_t digits = strspn(text, "0123456789");
		if (!digits || digits > 15 || a->ndim == 2)
			return false;
		shape[a->ndim++] = strtoull(text, NULL, 10);
		text += digits;
		text += strspn(text, "L, ");
	}
	a->n = shape[0];
	a->dim = shape[1];
	return *text == ')' && a->ndim > 0;
}

static bool parse_header(array *a, const char *text, char *why, size_t why_size)
{
	const char *descr = header_value(text, "descr"), *order = header_value(text, "fortran_order"),
			   *shape = header_value(text, "shape");
	if (!descr || !order || !shape)
		return refuse(why, why_size, "its .npy header is damaged");
	if (!strncmp(descr, "'<f4'", 5))
		a->type = ARRAY_F32;
	else if (!strncmp(descr, "'<f2'", 5))
		a->type = ARRAY_F16;
	else if (!strncmp(descr, "'<i8'", 5))
		a->type = ARRAY_I64;
	else
		return refuse(why, why_size,
			"its numbers are none of float32, float16, int64 (little-endian); "
			"convert it with astype");
	if (strncmp(order, "False", 5) != 0)
		return refuse(why, why_size,
			"its numbers stand in Fortran order; write it with numpy.ascontiguousarray");
	if (!parse_shape(a, shape))
		return refuse(why, why_size, "it has neither one nor two dimensions");
	if (a->dim < 1 || a->dim > DIM_MAX)
		return refuse(why, why_size, "its rows have an impossible dimension");
	return true;
}

static bool parse_npy(array *a, const uint8_t *bytes, size_t size, char *why, size_t why_size)
{
	char text[4096];
	if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0)
		return refuse(why, why_size, "not a .npy file");
	size_t at = bytes[6] == 1 ? 10 : 12;
	size_t length = bytes[8] | (size_t)bytes[9] << 8
		| (at == 12 ? (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24 : 0);
	if (bytes[6] < 1 || bytes[6] > 3 || length >= sizeof text || length > size - at)
		return refuse(why, why_size, "its .npy header is damaged");
	memcpy(text, bytes + at, length);
	text[length] = 0;
	if (!parse_header(a, text, why, why_size))
		return false;
	a->stride = a->dim * array_type_size(a->type);
	a->data = bytes + at + length;
	if (a->n > (size - at - length) / a->stride)
		return refuse(why, why_size, "truncated: it holds fewer rows than its header says");
	return true;
}

bool array_parse(array *a, const void *bytes, size_t size, array_layout layout, char *why,
	size_t why_size)
{
	return layout == ARRAY_FVECS ? parse_fvecs(a, bytes, size, why, why_size)
		: layout == ARRAY_FBIN   ? parse_fbin(a, bytes, size, why, why_size)
								 : parse_npy(a, bytes, size, why, why_size);
}

/* --------------------------------------------------------------------------------- reading ---- */

static bool ends_in(const char *path, const char *ending)
{
	size_t n = strlen(path), m = strlen(ending);
	return n > m && !strcmp(path + n - m, ending);
}

array_layout array_layout_of(const char *path)
{
	return ends_in(path, ".fvecs") ? ARRAY_FVECS : ends_in(path, ".fbin") ? ARRAY_FBIN : ARRAY_NPY;
}

static bool map_file(array *a, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0) {
		cli_fail("%s: cannot read: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode) || !st.st_size) {
		cli_fail("%s: %s", path, S_ISREG(st.st_mode) ? "empty" : "not a regular file");
	} else {
		void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED) {
			a->map = map;
			a->map_size = (size_t)st.st_size;
		} else {
			cli_fail("%s: cannot map: %s", path, strerror(errno));
		}
	}
	if (fd >= 0)
		close(fd);
	return a->map != NULL;
}

bool array_open(array *a, const char *path)
{
	char why[160];
	memset(a, 0, sizeof *a);
	if (!map_file(a, path))
		return false;
	if (array_parse(a, a->map, a->map_size, array_layout_of(path), why, sizeof why))
		return true;
	cli_fail("%s: %s", path, why);
	array_close(a);
	return false;
}

void array_close(array *a)
{
	if (a->map)
		munmap(a->map, a->map_size);
	a->map = NULL;
}

void array_rows(const array *a, size_t first, size_t n, float *out)
{
	for (size_t i = 0; i < n; i++, out += a->dim) {
		const uint8_t *row = a->data + (first + i) * a->stride;
		if (a->type == ARRAY_F32) {
			memcpy(out, row, 4 * a->dim);
			continue;
		}
		for (size_t d = 0; d < a->dim; d++)
			out[d] = half_to_float((uint16_t)(row[2 * d] | row[2 * d + 1] << 8));
	}
}

int64_t array_id(const array *a, size_t i)
{
	int64_t id;
	memcpy(&id, a->data + i * a->stride, 8);
	return id;
}
