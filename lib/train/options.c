/* The options of a run: defaults and limits. */
#include "train/options.h"

#include "train/result.h"

#include <math.h>

static float or_default(float given, double value)
{
	return given != 0 ? given : (float)value;
}

/* A number that is negative for none. */
static float share(float given, double value)
{
	return given < 0 ? 0 : or_default(given, value);
}

void ims_train_defaults(imgsearch_train_options *o)
{
	bool distil = o->teachers != NULL;
	o->loss = o->loss ? o->loss : IMGSEARCH_LOSS_CROSS_ENTROPY;
	o->epochs = o->epochs ? o->epochs : IMGSEARCH_TRAIN_EPOCHS_DEFAULT;
	o->batch = o->batch ? o->batch : IMGSEARCH_TRAIN_BATCH_DEFAULT;
	o->views = !distil ? 0 : o->views ? o->views : IMGSEARCH_TRAIN_VIEWS_DEFAULT;
	o->together = distil && o->together ? o->together : IMGSEARCH_TRAIN_TOGETHER_DEFAULT;
	o->probabilities = share(o->probabilities, IMGSEARCH_TRAIN_PROBABILITIES_DEFAULT);
	o->patience = o->patience ? o->patience : IMGSEARCH_TRAIN_PATIENCE_DEFAULT;
	o->rate = or_default(o->rate,
		distil ? IMGSEARCH_DISTILL_RATE_DEFAULT : IMGSEARCH_TRAIN_RATE_DEFAULT);
	o->validation = share(o->validation, IMGSEARCH_TRAIN_VALIDATION_DEFAULT);
	o->min_crop = or_default(o->min_crop,
		distil ? IMGSEARCH_DISTILL_MIN_CROP_DEFAULT : IMGSEARCH_TRAIN_MIN_CROP_DEFAULT);
	o->jitter = share(o->jitter, IMGSEARCH_TRAIN_JITTER_DEFAULT);
	o->relational = share(o->relational, IMGSEARCH_TRAIN_RELATIONAL_DEFAULT);
	o->whiten = share(o->whiten, IMGSEARCH_TRAIN_WHITEN_DEFAULT);
	o->decay = share(o->decay, IMGSEARCH_TRAIN_DECAY_DEFAULT);
}

int ims_train_check_batch(const imgsearch_train_options *o, imgsearch_error *err)
{
	if (!o->teachers && o->loss == IMGSEARCH_LOSS_SUPCON && o->batch < 2 * TRAIN_CLASS_RUN)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"train: supcon takes %d pictures of a class at a time: a batch needs %d pictures or"
			" more, not %u",
			TRAIN_CLASS_RUN, 2 * TRAIN_CLASS_RUN, o->batch);
	if (o->batch % o->together || o->together > o->views + !o->teachers)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"train: %u views of a picture together: there must be so many views, and a batch of %u"
			" must hold a whole number of pictures",
			o->together, o->batch);
	return 0;
}

int ims_train_check(const imgsearch_train_options *o, imgsearch_error *err)
{
	if (!o->out || !*o->out)
		return ims_fail(err, IMGSEARCH_EINVAL, "train: no file to write to");
	if (o->loss > IMGSEARCH_LOSS_ARCFACE)
		return ims_fail(err, IMGSEARCH_EINVAL, "train: loss %u is unknown", o->loss);
	if (!(o->rate > 0 && o->rate <= 10) || !(o->min_crop > 0 && o->min_crop <= 1)
		|| !(o->validation < 1) || !(o->jitter < 1))
		return ims_fail(err, IMGSEARCH_EINVAL,
			"train: learning rate must be in 0..10, min crop in 0..1, validation and jitter below"
			" 1");
	if (o->batch > IMGSEARCH_TRAIN_BATCH_MAX || o->views > IMGSEARCH_TRAIN_VIEWS_MAX
		|| o->dim > IMGSEARCH_DIM_MAX || !(o->whiten <= 1) || !(o->own >= 0 && o->own <= 1000)
		|| !(o->inner >= 0 && o->inner <= 1000) || !(o->power >= 0 && o->power <= 1)
		|| !(o->anchor >= 0) || !(o->blend >= 0 && o->blend <= 1))
		return ims_fail(err, IMGSEARCH_EINVAL,
			"train: batch at most %d, views %d, dim %d, whiten, blend and power 1; anchor,"
			" own, inner, blend and power not negative",
			IMGSEARCH_TRAIN_BATCH_MAX, IMGSEARCH_TRAIN_VIEWS_MAX, IMGSEARCH_DIM_MAX);
	if (o->f32 && o->int8)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"train: weights are written in f32 or in int8, not in both");
	int rc = ims_train_check_batch(o, err);
	return rc ? rc : ims_result_check(o->out, err);
}
