/* Sentences on standard error. */
#include "cli/base/message.h"

#include "cli/base/text.h"

static int log_level = IMGSEARCH_LOG_WARNING;

void cli_warn_list(const char *format, va_list list)
{
	char line[8192];
	vsnprintf(line, sizeof line, format, list);
	fputs("imgsearch: ", stderr);
	text_write_escaped(stderr, line);
	putc('\n', stderr);
}

void cli_warn(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	cli_warn_list(format, list);
	va_end(list);
}

int cli_fail(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	cli_warn_list(format, list);
	va_end(list);
	return CLI_FAILED;
}

int cli_nomem(void)
{
	return cli_fail("out of memory");
}

void cli_log_level(int level)
{
	log_level = level;
}

void cli_log(int level, const char *text)
{
	if (level <= log_level)
		cli_warn("%s%s", level == IMGSEARCH_LOG_WARNING ? "warning: " : "", text);
}

int cli_error(const imgsearch_error *err)
{
	return cli_error_advice(err, NULL);
}

int cli_error_advice(const imgsearch_error *err, const char *advice)
{
	const char *text = err->message[0] ? err->message : imgsearch_status_text(err->code);
	if (err->code == IMGSEARCH_ECANCELED) {
		cli_warn("interrupted; finished work is kept");
		return CLI_INTERRUPTED;
	}
	return cli_fail("%s%s%s", text, advice ? "; " : "", advice ? advice : "");
}
