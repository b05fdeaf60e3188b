/* Text records on standard output. */
#include "cli/output/record.h"

#include "cli/base/text.h"

#include <unistd.h>

void record_path(const char *path)
{
	if (isatty(STDOUT_FILENO))
		text_write_escaped(stdout, path);
	else
		fputs(path, stdout);
}

void record_title(const char *title)
{
	bool terminal = isatty(STDOUT_FILENO);
	while (*title) {
		uint32_t code = 0;
		size_t n = text_char(title, &code), bytes = n ? n : 1;
		bool breaks = *title == '\n' || *title == '\r' || *title == '\t';
		if (breaks || (terminal && (!n || text_is_control(code))))
			putchar(' ');
		else
			fwrite(title, 1, bytes, stdout);
		title += bytes;
	}
}

void record_end(bool nul)
{
	putchar(nul ? 0 : '\n');
}
