/* Kinds of files that are taken for weights: downloads that failed, archives, other formats. */
#include "model/foreign.h"

#include "base/c_locale.h"

#include <string.h>

#define NEEDED "weights are .pth, .safetensors or TorchScript"

static int refuse(imgsearch_error *err, const char *what)
{
	return ims_fail(err, IMGSEARCH_EFORMAT, "not a weights file: %s", what);
}

typedef struct magic {
	size_t at;
	const char *bytes;
	size_t n;
	const char *what;
} magic;

#define MAGIC(at, bytes, what) \
	{ \
		at, bytes, sizeof bytes - 1, what \
	}

static const magic magics[] = {
	MAGIC(0, "\x89HDF\r\n\x1a\n", "HDF5, as Keras writes it; " NEEDED),
	MAGIC(0, "GGUF", "GGUF; " NEEDED),
	MAGIC(0, "\x93NUMPY", "an array of NumPy; " NEEDED),
	MAGIC(4, "TFL3", "TensorFlow Lite; " NEEDED),
	MAGIC(0, "\x1f\x8b", "packed by gzip; unpack it first"),
	MAGIC(0, "BZh", "packed by bzip2; unpack it first"),
	MAGIC(0, "\3757zXZ", "packed by xz; unpack it first"),
	MAGIC(0, "\x28\xb5\x2f\xfd", "packed by zstd; unpack it first"),
	MAGIC(0, "7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
	MAGIC(0, "Rar!", "a RAR archive; unpack it first"),
	MAGIC(257, "ustar", "a tar archive; unpack it first"),
	MAGIC(0, "\177ELF", "a program or a library"),
	MAGIC(0, "\xff\xd8\xff", "a picture"),
	MAGIC(0, "\x89PNG", "a picture"),
};

static const char *known(const uint8_t *p, size_t size)
{
	for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
		const magic *m = &magics[i];
		if (size >= m->at + m->n && !memcmp(p + m->at, m->bytes, m->n))
			return m->what;
	}
	/* ModelProto: the version as field 1, then the producer's name as field 2 or 3 */
	if (size >= 16 && p[0] == 8 && p[1] < 32 && (p[2] == 0x12 || p[2] == 0x1a) && p[3] < 64)
		return "ONNX; " NEEDED;
	return NULL;
}

/* ----------------------------------------------------------------------------------- texts ---- */

enum { SEEN = 1024 };

/* Whether the first bytes are a text; bytes of UTF-8 count as letters. */
static bool is_text(const uint8_t *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((p[i] < ' ' && !strchr("\t\n\r", p[i])) || p[i] == 0x7f || p[i] >= 0xf8 || !p[i])
			return false;
	return true;
}

static const char *skip_space(const char *text)
{
	return text + strspn(text, " \t\r\n");
}

/* What stands between <title> and </title>, else the text. *n: its length. */
static const char *title(const char *text, size_t *n)
{
	static const char tag[] = "<title>";
	const char *start = text;
	while (*start && !ims_same_letters(start, tag, strlen(tag)))
		start++;
	start = skip_space(*start ? start + strlen(tag) : text);
	*n = strcspn(start, "\r\n<");
	if (!*n)
		*n = strcspn(start, "\r\n");
	return start;
}

static int refuse_pointer(const char *text, imgsearch_error *err)
{
	const char *size = strstr(text, "\nsize ");
	size = size ? size + strlen("\nsize ") : "";
	return ims_fail(err, IMGSEARCH_EFORMAT,
		"not the weights, but a Git LFS pointer to them (%.*s%s); `git lfs pull` in its folder "
		"fetches them",
		(int)(strspn(size, "0123456789") > 20 ? 20 : strspn(size, "0123456789")), size,
		*size ? " bytes" : "their size is not stated");
}

static int refuse_text(const uint8_t *data, size_t size, imgsearch_error *err)
{
	char text[SEEN + 1];
	size_t n;
	memcpy(text, data, size);
	text[size] = 0;
	if (!strncmp(text, "version https://git-lfs", 23))
		return refuse_pointer(text, err);
	const char *first = skip_space(text), *shown = title(text, &n);
	bool page = ims_same_letters(first, "<!doctype html", 14)
		|| ims_same_letters(first, "<html", 5);
	return ims_fail(err, IMGSEARCH_EFORMAT, "not a weights file: a %s (\"%.*s\")%s",
		page ? "web page" : "text", (int)(n > 60 ? 60 : n), shown,
		page ? "; what was downloaded is not the file" : "");
}

/* ---------------------------------------------------------------------------------- kinds ----- */

static bool is_zero(const uint8_t *p, size_t size)
{
	return !p[0] && !memcmp(p, p + 1, size - 1);
}

int ims_foreign_refuse(const uint8_t *data, size_t size, imgsearch_error *err)
{
	size_t seen = size < SEEN ? size : SEEN;
	const char *what = known(data, size);
	if (!size)
		return ims_fail(err, IMGSEARCH_EFORMAT, "the file is empty");
	if (what)
		return refuse(err, what);
	if (is_text(data, seen))
		return refuse_text(data, seen, err);
	if (size < 16)
		return ims_fail(err, IMGSEARCH_EFORMAT, "not a weights file: it has only %zu bytes", size);
	return refuse(err,
		is_zero(data, seen) ? "it begins with zeros, as a download does that did not end" : NEEDED);
}

static const zip_entry *entry_ending(const zip *z, const char *end)
{
	size_t n = strlen(end);
	for (size_t i = 0; i < z->n; i++)
		if (z->entry[i].name_len > n
			&& !memcmp(z->entry[i].name + z->entry[i].name_len - n, end, n))
			return &z->entry[i];
	return NULL;
}

int ims_foreign_refuse_zip(const zip *z, imgsearch_error *err)
{
	static const char *const endings[] = { ".pth", ".pt", ".safetensors", ".bin" };
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		const zip_entry *e = entry_ending(z, endings[i]);
		if (e)
			return ims_fail(err, IMGSEARCH_EFORMAT,
				"a zip archive with \"%.*s\" in it; unpack it first",
				(int)(e->name_len > 100 ? 100 : e->name_len), e->name);
	}
	if (entry_ending(z, ".npy"))
		return refuse(err, "arrays of NumPy (.npz); " NEEDED);
	return ims_fail(err, IMGSEARCH_EFORMAT,
		"a zip archive, but not one that torch.save wrote: data.pkl is missing");
}
