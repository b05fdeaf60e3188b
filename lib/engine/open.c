/* imgsearch_open, close, cancel, extract: they check their arguments and delegate. */
#include "engine/options.h"
#include "handle/feature.h"
#include "handle/handle.h"

static int check_options(const imgsearch_options *o, imgsearch_error *err)
{
	if (o->metric > IMGSEARCH_METRIC_IP)
		return ims_fail(err, IMGSEARCH_EINVAL, "metric %u is unknown", o->metric);
	if (o->precision > IMGSEARCH_PRECISION_BF16)
		return ims_fail(err, IMGSEARCH_EINVAL, "precision %u is unknown", o->precision);
	if (o->dim > 65536)
		return ims_fail(err, IMGSEARCH_EINVAL, "dimension %u is over 65536", o->dim);
	if (o->threads > 4096)
		return ims_fail(err, IMGSEARCH_EINVAL, "%u threads are over 4096", o->threads);
	return 0;
}

int imgsearch_open(imgsearch **out, const char *path, const imgsearch_options *options,
	imgsearch_error *err)
{
	imgsearch_options o;
	if (out)
		*out = NULL;
	if (!out || !path || !*path)
		return ims_fail(err, IMGSEARCH_EINVAL, "open: no path");
	int rc = ims_options_copy(&o, sizeof o, options, err);
	if (!rc)
		rc = check_options(&o, err);
	return rc ? rc : ims_handle_open(out, path, &o, err);
}

void imgsearch_close(imgsearch *s)
{
	ims_handle_close(s);
}

void imgsearch_cancel(imgsearch *s)
{
	if (s)
		ims_cancel_raise(&s->cancel);
}

int imgsearch_extract(imgsearch *s, const imgsearch_input *in, size_t n, int raw, float *out,
	imgsearch_error *errors, imgsearch_error *err)
{
	if (!s || (n && (!in || !out)))
		return ims_fail(err, IMGSEARCH_EINVAL, "extract: no inputs, or out is NULL");
	job j = ims_handle_job(s);
	return ims_extract(s, &j, in, n, raw != 0, out, errors, err);
}
