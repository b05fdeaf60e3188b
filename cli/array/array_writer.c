/* Writing of array files. */
#include "cli/array/array_writer.h"

#include "cli/array/half.h"
#include "cli/base/message.h"
#include "cli/base/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NPY_HEADER = 128 };

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
	int n = snprintf(text + 10, sizeof text - 10,
		"{'descr': '%s', 'fortran_order': False, 'shape': (%zu,%s), }", descr, w->n, dim);
	text[10 + n] = ' ';
	text[NPY_HEADER - 1] = '\n';
	return fwrite(text, 1, sizeof text, w->file) == sizeof text;
}

/*
 * Opens the file that is written: one beside the target, links followed, or the target itself where
 * that is a device. 0 or an errno.
 */
static int open_part(array_writer *w)
{
	struct stat st;
	if (!stat(w->path, &st) && !S_ISREG(st.st_mode))
		return (w->file = fopen(w->path, "wbe")) ? 0 : errno;
	w->target = path_absolute(w->path);
	int why = !w->target ? ENOMEM : file_part_name(w->part, w->target);
	if (!why && !(w->file = fopen(w->part, "wbxe")))
		why = errno;
	return why;
}

bool array_writer_open(array_writer *w, const char *path, array_type type, size_t dim, size_t ndim)
{
	*w = (array_writer){ .path = path,
		.type = type,
		.dim = dim,
		.ndim = ndim,
		.fvecs = array_is_fvecs(path) };
	int why = open_part(w);
	if (why) {
		free(w->target);
		return cli_fail("%s: cannot write: %s", path, strerror(why)), false;
	}
	if (w->fvecs || write_header(w))
		return true;
	cli_fail("%s: cannot write: %s", path, strerror(errno));
	array_writer_close(w, false);
	return false;
}

static bool write_row(array_writer *w, const void *row)
{
	int32_t dim = (int32_t)w->dim;
	if (w->fvecs && fwrite(&dim, 4, 1, w->file) != 1)
		return false;
	if (w->type != ARRAY_F16 || w->fvecs)
		return fwrite(row, array_type_size(w->fvecs ? ARRAY_F32 : w->type), w->dim, w->file)
			== w->dim;
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
	for (size_t i = 0; i < n; i++)
		if (!write_row(w, (const char *)rows + i * step))
			return cli_fail("%s: cannot write: %s", w->path, strerror(errno)), false;
	w->n += n;
	return true;
}

bool array_writer_close(array_writer *w, bool keep)
{
	bool good = keep;
	if (!w->file)
		return false;
	if (good && !w->fvecs)
		good = fseek(w->file, 0, SEEK_SET) == 0 && write_header(w);
	if (fclose(w->file) != 0)
		good = false;
	w->file = NULL;
	if (good && w->target)
		good = rename(w->part, w->target) == 0;
	if (keep && !good)
		cli_fail("%s: cannot write: %s", w->path, strerror(errno));
	if (!good && w->target)
		unlink(w->part);
	free(w->target);
	w->target = NULL;
	return good;
}
