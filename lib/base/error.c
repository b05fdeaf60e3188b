/* Errors: a code, a detail and one sentence in the caller's struct. */
#include "base/error.h"

#include "base/c_locale.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void write_message(imgsearch_error *err, int code, int detail, const char *format,
	va_list args)
{
	err->code = code;
	err->detail = detail;
	ims_vprint(err->message, sizeof err->message, format, args);
}

int ims_fail(imgsearch_error *err, int code, const char *format, ...)
{
	if (err) {
		va_list args;
		va_start(args, format);
		write_message(err, code, 0, format, args);
		va_end(args);
	}
	return code;
}

int ims_fail_errno(imgsearch_error *err, int code, const char *format, ...)
{
	int number = errno;
	if (err) {
		va_list args;
		va_start(args, format);
		write_message(err, code, number, format, args);
		va_end(args);
		size_t n = strlen(err->message);
		snprintf(err->message + n, sizeof err->message - n, ": %s", ims_errno_text(number));
	}
	return code;
}

void ims_error_prefix(imgsearch_error *err, const char *format, ...)
{
	if (!err)
		return;
	imgsearch_error tail = *err;
	va_list args;
	va_start(args, format);
	ims_vprint(err->message, sizeof err->message, format, args);
	va_end(args);
	size_t n = strlen(err->message);
	snprintf(err->message + n, sizeof err->message - n, ": %s", tail.message);
}

int ims_nomem(imgsearch_error *err)
{
	return ims_fail(err, IMGSEARCH_ENOMEM, "out of memory");
}

const char *imgsearch_status_text(int status)
{
	switch (status) {
#define TEXT(name, number, text) \
	case number: \
		return text;
		IMGSEARCH_STATUS_MAP(TEXT)
#undef TEXT
	}
	return "unknown status";
}

const char *imgsearch_status_name(int status)
{
	switch (status) {
#define NAME(name, number, text) \
	case number: \
		return &#name[sizeof "IMGSEARCH_" - 1];
		IMGSEARCH_STATUS_MAP(NAME)
#undef NAME
	}
	return "unknown";
}
