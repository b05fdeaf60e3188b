#include "store/addresses.h"

#include "store/store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MOST = 1 << 16 };

static int add_line(text_list *out, const char *line, size_t n, size_t number, const char *name,
	imgsearch_error *err)
{
	while (n && (line[n - 1] == ' ' || line[n - 1] == '\t' || line[n - 1] == '\r'))
		n--;
	for (; n && (*line == ' ' || *line == '\t'); line++)
		n--;
	if (!n || *line == '#')
		return 0;
	char *address = ims_strndup(line, n);
	if (address && !ims_store_is_address(address)) {
		ims_free(address);
		return ims_fail(err, IMGSEARCH_EINVAL, "%s: line %zu is not the address of a server", name,
			number);
	}
	return ims_texts_add(out, address) ? ims_nomem(err) : 0;
}

static int add_lines(text_list *out, const char *text, const char *name, imgsearch_error *err)
{
	int rc = 0;
	for (size_t number = 1; !rc && *text; number++) {
		size_t n = strcspn(text, "\n");
		rc = add_line(out, text, n, number, name, err);
		text += n + (text[n] == '\n');
	}
	return rc;
}

/* Whether a file begins as a list of addresses does. That of an index has whole pages. */
static bool is_list(const char *path, bool no_index)
{
	enum { PAGE_LEAST = 512 };
	char start[12] = "";
	struct stat st;
	if (stat(path, &st) || !S_ISREG(st.st_mode) || !st.st_size || st.st_size > FILE_MOST
		|| (st.st_size % PAGE_LEAST == 0 && !no_index))
		return false;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	bool read_it = read(fd, start, sizeof start - 1) > 0;
	close(fd);
	size_t space = read_it ? strspn(start, " \t\r\n") : 0;
	return read_it && (start[space] == '#' || !strncmp(start + space, "postgres", 4));
}

int ims_addresses_read(text_list *out, const char *path, bool no_index, imgsearch_error *err)
{
	buf b = { 0 };
	*out = (text_list){ 0 };
	int rc = 0;
	if (ims_store_is_address(path)) {
		rc = add_lines(out, path, "the addresses of the index", err);
	} else if (is_list(path, no_index)) {
		rc = ims_read_file(&b, path, FILE_MOST, err);
		ims_buf_u8(&b, 0);
		if (!rc)
			rc = b.failed ? ims_nomem(err) : add_lines(out, (const char *)b.data, path, err);
		if (!rc && !out->n)
			rc = ims_fail(err, IMGSEARCH_EINVAL, "%s: no line is the address of a server", path);
	}
	ims_buf_free(&b);
	if (rc)
		ims_texts_free(out);
	return rc;
}
