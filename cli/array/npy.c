/*
 * Array files: .npy (NumPy's format 1.0 to 3.0; little-endian f32, f16, int64; C order; one or two dimensions) and
 * .fvecs (each row: its dimension as int32, then that many f32). Files are mapped, so that ten million rows cost no
 * memory of their own; every size that a file claims is checked against the file's length before it is believed.
 *
 * Reading: array_open, array_rows or array_id, array_close. Writing: array_create, array_write..., array_finish.
 * Source: numpy/lib/format.py's description of the format.
 */
#include "cli/base/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NPY_HEADER = 128, ROWS_MAX_DIM = 1 << 20 };

static size_t type_size(array_type type)
{
	return type == ARRAY_F32 ? 4 : type == ARRAY_F16 ? 2 : 8;
}

/* ------------------------------------------------------------------------------------------ half precision ---- */

static float from_half(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 0x3ff, bits;
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

/* Round to nearest, ties to even. */
static uint16_t to_half(float f)
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

/* ------------------------------------------------------------------------------------------------- parsing ---- */

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
	if (dim < 1 || dim > ROWS_MAX_DIM)
		return refuse(why, why_size, "not an .fvecs file: its first row has an impossible dimension");
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

/* The text after 'key': in the header's Python dictionary; NULL: not there. text is NUL-terminated. */
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
	const char *descr = header_value(text, "descr"), *order = header_value(text, "fortran_order"), *shape = header_value(text, "shape");
	if (!descr || !order || !shape)
		return refuse(why, why_size, "its .npy header is damaged");
	if (!strncmp(descr, "'<f4'", 5))
		a->type = ARRAY_F32;
	else if (!strncmp(descr, "'<f2'", 5))
		a->type = ARRAY_F16;
	else if (!strncmp(descr, "'<i8'", 5))
		a->type = ARRAY_I64;
	else
		return refuse(why, why_size, "its numbers are none of float32, float16, int64 (little-endian); convert it with astype");
	if (strncmp(order, "False", 5) != 0)
		return refuse(why, why_size, "its numbers stand in Fortran order; write it with numpy.ascontiguousarray");
	if (!parse_shape(a, shape))
		return refuse(why, why_size, "it has neither one nor two dimensions");
	if (a->dim < 1 || a->dim > ROWS_MAX_DIM)
		return refuse(why, why_size, "its rows have an impossible dimension");
	return true;
}

static bool parse_npy(array *a, const uint8_t *bytes, size_t size, char *why, size_t why_size)
{
	char text[4096];
	if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0)
		return refuse(why, why_size, "not a .npy file");
	size_t at = bytes[6] == 1 ? 10 : 12;
	size_t length = bytes[8] | (size_t)bytes[9] << 8 | (at == 12 ? (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24 : 0);
	if (bytes[6] < 1 || bytes[6] > 3 || length >= sizeof text || length > size - at)
		return refuse(why, why_size, "its .npy header is damaged");
	memcpy(text, bytes + at, length);
	text[length] = 0;
	if (!parse_header(a, text, why, why_size))
		return false;
	a->stride = a->dim * type_size(a->type);
	a->data = bytes + at + length;
	if (a->n > (size - at - length) / a->stride)
		return refuse(why, why_size, "truncated: it holds fewer rows than its header says");
	return true;
}

bool array_parse(array *a, const void *bytes, size_t size, bool fvecs, char *why, size_t why_size)
{
	return fvecs ? parse_fvecs(a, bytes, size, why, why_size) : parse_npy(a, bytes, size, why, why_size);
}

/* ------------------------------------------------------------------------------------------------- reading ---- */

static bool is_fvecs(const char *path)
{
	size_t n = strlen(path);
	return n > 6 && !strcmp(path + n - 6, ".fvecs");
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
	if (array_parse(a, a->map, a->map_size, is_fvecs(path), why, sizeof why))
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
			out[d] = from_half((uint16_t)(row[2 * d] | row[2 * d + 1] << 8));
	}
}

int64_t array_id(const array *a, size_t i)
{
	int64_t id;
	memcpy(&id, a->data + i * a->stride, 8);
	return id;
}

/* ------------------------------------------------------------------------------------------------- writing ---- */

static bool write_header(const array_writer *w)
{
	char text[NPY_HEADER];
	const char *descr = w->type == ARRAY_F32 ? "<f4" : w->type == ARRAY_F16 ? "<f2" : "<i8";
	char dim[24] = "";
	if (w->ndim == 2)
		snprintf(dim, sizeof dim, " %zu", w->dim);
	memset(text, ' ', sizeof text);
	memcpy(text, "\x93NUMPY\x01\x00", 8);
	text[8] = NPY_HEADER - 10;
	text[9] = 0;
	int n = snprintf(text + 10, sizeof text - 10, "{'descr': '%s', 'fortran_order': False, 'shape': (%zu,%s), }", descr, w->n, dim);
	text[10 + n] = ' ';
	text[NPY_HEADER - 1] = '\n';
	return fwrite(text, 1, sizeof text, w->file) == sizeof text;
}

bool array_create(array_writer *w, const char *path, array_type type, size_t dim, size_t ndim)
{
	*w = (array_writer){ .path = path, .type = type, .dim = dim, .ndim = ndim, .fvecs = is_fvecs(path) };
	w->file = fopen(path, "wb");
	if (!w->file)
		return cli_fail("%s: cannot write: %s", path, strerror(errno)), false;
	if (w->fvecs || write_header(w))
		return true;
	cli_fail("%s: cannot write: %s", path, strerror(errno));
	array_finish(w, false);
	return false;
}

static bool write_row(array_writer *w, const void *row)
{
	int32_t dim = (int32_t)w->dim;
	if (w->fvecs && fwrite(&dim, 4, 1, w->file) != 1)
		return false;
	if (w->type != ARRAY_F16 || w->fvecs)
		return fwrite(row, type_size(w->fvecs ? ARRAY_F32 : w->type), w->dim, w->file) == w->dim;
	for (size_t d = 0; d < w->dim; d++) {
		uint16_t h = to_half(((const float *)row)[d]);
		if (fwrite(&h, 2, 1, w->file) != 1)
			return false;
	}
	return true;
}

bool array_write(array_writer *w, const void *rows, size_t n)
{
	size_t step = w->dim * (w->type == ARRAY_I64 ? 8 : 4);
	for (size_t i = 0; i < n; i++)
		if (!write_row(w, (const char *)rows + i * step))
			return cli_fail("%s: cannot write: %s", w->path, strerror(errno)), false;
	w->n += n;
	return true;
}

bool array_finish(array_writer *w, bool keep)
{
	bool good = keep;
	if (!w->file)
		return false;
	if (good && !w->fvecs)
		good = fseek(w->file, 0, SEEK_SET) == 0 && write_header(w);
	if (fclose(w->file) != 0)
		good = false;
	w->file = NULL;
	if (keep && !good)
		cli_fail("%s: cannot write: %s", w->path, strerror(errno));
	if (!good)
		unlink(w->path);
	return good;
}
