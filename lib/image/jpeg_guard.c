/* The error handler of libjpeg, and its sentences. */
#include "image/jpeg_guard.h"

static int code_of(int message)
{
	switch (message) {
	case JERR_OUT_OF_MEMORY:
		return IMGSEARCH_ENOMEM;
	case JERR_IMAGE_TOO_BIG:
	case JERR_WIDTH_OVERFLOW:
		return IMGSEARCH_ELIMIT;
	case JERR_ARITH_NOTIMPL:
	case JERR_BAD_PRECISION:
	case JERR_SOF_UNSUPPORTED:
	case JERR_CONVERSION_NOTIMPL:
	case JERR_CCIR601_NOTIMPL:
	case JERR_FRACT_SAMPLE_NOTIMPL:
	case JERR_NOT_COMPILED:
		return IMGSEARCH_EUNSUPPORTED;
	default:
		return IMGSEARCH_EFORMAT;
	}
}

_Noreturn void ims_jpeg_jump(jpeg_guard *g, int code, const char *message)
{
	g->code = code;
	if (message)
		snprintf(g->message, sizeof g->message, "%s", message);
	longjmp(g->jump, 1);
}

_Noreturn void ims_jpeg_error(j_common_ptr c)
{
	jpeg_guard *g = (jpeg_guard *)c->err;
	int first = c->err->msg_parm.i[0];
	char said[JMSG_LENGTH_MAX];
	c->err->format_message(c, said);
	if (c->err->msg_code == JERR_BAD_PRECISION)
		snprintf(g->message, sizeof g->message, "JPEG of %d bits a sample is not supported", first);
	else if (c->err->msg_code == JERR_SOF_UNSUPPORTED)
		snprintf(g->message, sizeof g->message, "%s JPEG (SOF%d) is not supported",
			first == 0xC3 || first == 0xCB ? "lossless" : "hierarchical", first - 0xC0);
	else
		snprintf(g->message, sizeof g->message, "%s: %s",
			code_of(c->err->msg_code) == IMGSEARCH_EFORMAT ? "the JPEG is damaged"
														   : "the JPEG cannot be decoded",
			said);
	ims_jpeg_jump(g, code_of(c->err->msg_code), NULL);
}

static void ignore(j_common_ptr c, int level)
{
	(void)c, (void)level;
}

int ims_jpeg_run(jpeg_guard *g, void (*work)(void *job), void *job, imgsearch_error *err)
{
	jpeg_std_error(&g->manager);
	g->manager.error_exit = g->on_error ? g->on_error : ims_jpeg_error;
	g->manager.emit_message = g->on_message ? g->on_message : ignore;
	if (setjmp(g->jump))
		return g->code == IMGSEARCH_ENOMEM ? ims_nomem(err)
										   : ims_fail(err, g->code, "%s", g->message);
	work(job);
	return 0;
}
