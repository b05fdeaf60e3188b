/* Answers to requests. */
#include "cli/serve/answer.h"

#include "cli/base/json_writer.h"
#include "cli/serve/number.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void add_header(struct MHD_Response *r, const char *name, const char *value)
{
	MHD_add_response_header(r, name, value);
}

enum MHD_Result answer(exchange *x, unsigned status, struct MHD_Response *r)
{
	if (!r)
		return MHD_NO;
	add_header(r, "Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
		"connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
		"frame-ancestors 'none'");
	add_header(r, "X-Content-Type-Options", "nosniff");
	add_header(r, "X-Frame-Options", "DENY");
	add_header(r, "Referrer-Policy", "no-referrer");
	add_header(r, "Cross-Origin-Resource-Policy", "same-origin");
	add_header(r, "Cross-Origin-Opener-Policy", "same-origin");
	if (*x->etag && status < 400)
		add_header(r, "ETag", x->etag);
	if (x->closes || atomic_load(&x->server->stopping))
		add_header(r, "Connection", "close");
	x->status = status;
	enum MHD_Result result = MHD_queue_response(x->connection, status, r);
	MHD_destroy_response(r);
	return result;
}

enum MHD_Result answer_bytes(exchange *x, unsigned status, const char *type, const char *cache,
	const void *data, size_t size)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(size, (void *)(uintptr_t)data,
		MHD_RESPMEM_MUST_COPY);
	x->answer_size = size;
	if (r) {
		add_header(r, "Content-Type", type);
		add_header(r, "Cache-Control", cache);
	}
	return answer(x, status, r);
}

bool answer_not_modified(exchange *x, const char *cache, enum MHD_Result *result)
{
	const char *known = exchange_header(x, "If-None-Match");
	if (!known || !*x->etag || (!strstr(known, x->etag) && strcmp(known, "*")))
		return false;
	struct MHD_Response *r = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
	if (r)
		add_header(r, "Cache-Control", cache);
	*result = answer(x, 304, r);
	return true;
}

FILE *reply_open(reply *r)
{
	*r = (reply){ 0 };
	r->file = open_memstream(&r->text, &r->size);
	return r->file ? r->file : (r->file = fopen("/dev/null", "w"));
}

static enum MHD_Result send_reply(exchange *x, reply *r, unsigned status, const char *type,
	const char *name, const char *value)
{
	bool failed = ferror(r->file);
	struct MHD_Response *response = NULL;
	x->answer_size = r->size;
	if (fclose(r->file) == 0 && !failed && r->text)
		response = MHD_create_response_from_buffer(r->size, r->text, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(r->text);
	else {
		add_header(response, "Content-Type", type);
		add_header(response, "Cache-Control", "no-store");
		if (name)
			add_header(response, name, value);
	}
	return answer(x, status, response);
}

enum MHD_Result reply_send_with(exchange *x, reply *r, unsigned status, const char *name,
	const char *value)
{
	return send_reply(x, r, status, "application/json", name, value);
}

enum MHD_Result reply_send_as(exchange *x, reply *r, unsigned status, const char *type)
{
	return send_reply(x, r, status, type, NULL, NULL);
}

enum MHD_Result reply_send(exchange *x, reply *r, unsigned status)
{
	return reply_send_with(x, r, status, NULL, NULL);
}

void reply_drop(reply *r)
{
	fclose(r->file);
	free(r->text);
}

/* With a further header; name may be NULL. */
static enum MHD_Result send_error_with(exchange *x, unsigned status, const char *code,
	const char *message, const char *name, const char *value)
{
	reply r;
	json_writer j;
	json_write_begin(&j, reply_open(&r));
	json_write_open(&j, "error", '{');
	json_write_text(&j, "code", code);
	json_write_text(&j, "message", message);
	json_write_close(&j, '}');
	json_write_end(&j);
	return reply_send_with(x, &r, status, name, value);
}

static enum MHD_Result send_error(exchange *x, unsigned status, const char *code,
	const char *message)
{
	const char *name = status == 401 ? "WWW-Authenticate" : status == 503 ? "Retry-After" : NULL;
	return send_error_with(x, status, code, message, name, status == 401 ? "Bearer" : "1");
}

enum MHD_Result answer_method(exchange *x, const char *methods)
{
	char message[100];
	snprintf(message, sizeof message, "this address accepts %s", methods);
	return send_error_with(x, 405, "EMETHOD", message, "Allow", methods);
}

enum MHD_Result answer_error(exchange *x, unsigned status, const char *code, const char *format,
	...)
{
	char message[600];
	va_list list;
	va_start(list, format);
	vsnprintf(message, sizeof message, format, list);
	va_end(list);
	return send_error(x, status, code, message);
}

bool answer_unless_whole(exchange *x, const char *name, int64_t min, int64_t max, int64_t *value,
	enum MHD_Result *result)
{
	char why[200];
	const char *text = "";
	if (!exchange_find(x, name, &text)
		|| number_whole(name, text, min, max, value, why, sizeof why))
		return true;
	*result = answer_error(x, 400, "EINVAL", "%s", why);
	return false;
}

enum MHD_Result answer_library_error(exchange *x, const imgsearch_error *err)
{
	static const struct {
		int code;
		unsigned status;
	} errors[] = {
		{ IMGSEARCH_EINVAL, 400 },
		{ IMGSEARCH_ENOTFOUND, 404 },
		{ IMGSEARCH_EFORMAT, 422 },
		{ IMGSEARCH_EUNSUPPORTED, 415 },
		{ IMGSEARCH_ELIMIT, 413 },
		{ IMGSEARCH_EBUSY, 409 },
		{ IMGSEARCH_EVERSION, 409 },
		{ IMGSEARCH_EMODEL, 503 },
		{ IMGSEARCH_ECANCELED, 503 },
		{ IMGSEARCH_EDEADLINE, 503 },
		{ IMGSEARCH_ENOMEM, 503 },
	};
	open_index_note(x->server->index, err);
	bool may_not = err->detail == EACCES || err->detail == EROFS;
	unsigned status = err->code == IMGSEARCH_EIO && may_not ? 403 : 500;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (errors[i].code == err->code)
			status = errors[i].status;
	return send_error(x, status, imgsearch_status_name(err->code), err->message);
}
