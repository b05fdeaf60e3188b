/* Writing of array files. */
#include "cli/array/array_writer.h"

#include "cli/array/half.h"
#include "cli/base/message.h"

#include <errno.h>
#include <string.h>

enum { NPY_HEADER = 128 };

static bool write_npy_header(const array_writer *w)
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
	int n = snprintf(text + 10, sizeof text - 10,
		"{'descr': '%s', 'fortran_order': False, 'shape': (%zu,%s), }", descr, w->n, dim);
	text[10 + n] = ' ';
	text[NPY_HEADER - 1] = '\n';
	return fwrite(text, 1, sizeof text, w->file) == sizeof text;
}

static bool write_header(const array_writer *w)
{
	uint32_t sizes[2] = { (uint32_t)w->n, (uint32_t)w->dim };
	if (w->layout == ARRAY_FVECS)
		return true;
	if (w->layout == ARRAY_FBIN)
		return fwrite(sizes, sizeof sizes, 1, w->file) == 1;
	return write_npy_header(w);
}

bool array_writer_open(array_writer *w, const char *path, array_type type, size_t dim, size_t ndim)
{
	*w = (array_writer){ .type = type, .dim = dim, .ndim = ndim, .layout = array_layout_of(path) };
	if (!file_part_open(&w->out, path))
		return false;
	w->file = w->out.file;
	if (write_header(w))
		return true;
	cli_fail("%s: cannot write: %s", path, strerror(errno));
	array_writer_close(w, false);
	return false;
}

static bool write_row(array_writer *w, const void *row)
{
	int32_t dim = (int32_t)w->dim;
	array_type type = w->layout == ARRAY_NPY ? w->type : ARRAY_F32;
	if (w->layout == ARRAY_FVECS && fwrite(&dim, 4, 1, w->file) != 1)
		return false;
	if (type != ARRAY_F16)
		return fwrite(row, array_type_size(type), w->dim, w->file) == w->dim;
	for (size_t d = 0; d < w->dim; d++) {
		uint16_t h = half_from_float(((const float *)row)[d]);
		if (fwrite(&h, 2, 1, w->file) != 1)
			return false;
	}
	return true;
}

bool array_writer_add(array_writer *w, const void *rows, size_t n)
{
	size_t step = w->dim * (w->type == ARRAY_I64 ? 8 : 4);
	if (w->layout == ARRAY_FBIN && n > UINT32_MAX - w->n)
		return cli_fail("%s: .fbin holds %u rows at most", w->out.path, UINT32_MAX), false;
	for (size_t i = 0; i < n; i++)
		if (!write_row(w, (const char *)rows + i * step))
			return cli_fail("%s: cannot write: %s", w->out.path, strerror(errno)), false;
	w->n += n;
	return true;
}

bool array_writer_close(array_writer *w, bool keep)
{
	bool good = keep;
	if (!w->file)
		return false;
	if (good)
		good = w->layout == ARRAY_FVECS || (fseek(w->file, 0, SEEK_SET) == 0 && write_header(w));
	if (keep && !good)
		cli_fail("%s: cannot write: %s", w->out.path, strerror(errno));
	w->file = NULL;
	return file_part_close(&w->out, good);
}
