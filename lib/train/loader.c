/* Two batches: the pool fills one while the caller uses the other. */
#include "train/loader.h"

#include <string.h>

typedef struct slot {
	float *in;
	loader_item *items;
	size_t n;
} slot;

struct loader {
	loader_spec spec;
	pool *pool;
	slot slot[2];
	int filling; /* number of the slot that was started last */
	atomic_int failed;
	struct piece {
		loader *loader;
		size_t i;
	} * piece;
};

int ims_loader_new(loader **out, const loader_spec *spec, size_t batch, pool *pool,
	imgsearch_error *err)
{
	*out = NULL;
	loader *f = ims_zalloc(1, sizeof *f);
	if (!f)
		return ims_nomem(err);
	f->spec = *spec;
	f->pool = pool;
	f->piece = ims_alloc(batch, sizeof *f->piece);
	bool ok = f->piece;
	for (int k = 0; k < 2; k++) {
		f->slot[k].in = ims_alloc_aligned(batch,
			3 * sizeof(float) * spec->recipe.side * spec->recipe.side);
		f->slot[k].items = ims_alloc(batch, sizeof(loader_item));
		ok &= f->slot[k].in && f->slot[k].items;
	}
	for (size_t i = 0; ok && i < batch; i++)
		f->piece[i] = (struct piece){ f, i };
	if (!ok) {
		ims_loader_free(f);
		return ims_nomem(err);
	}
	*out = f;
	return 0;
}

void ims_loader_free(loader *f)
{
	if (!f)
		return;
	ims_pool_wait(f->pool);
	for (int k = 0; k < 2; k++) {
		ims_free(f->slot[k].in);
		ims_free(f->slot[k].items);
	}
	ims_free(f->piece);
	ims_free(f);
}

static int whole(const loader_spec *s, const image *im, float *out)
{
	image_recipe r = { .resize = s->resize,
		.crop = s->recipe.side,
		.bicubic = s->recipe.bicubic,
		.squash = s->squash };
	memcpy(r.mean, s->recipe.mean, sizeof r.mean);
	memcpy(r.std, s->recipe.std, sizeof r.std);
	return ims_image_fit(im, &r, false, out, NULL);
}

static int show(const loader_spec *s, const image *im, const loader_item *item, float *out)
{
	double box[4];
	uint64_t random = item->random;
	if (s->views)
		ims_crop_view(box, im, &s->view, s->set->item[item->sample].key, item->view);
	else if (random)
		ims_crop_box(box, im, s->view.min_area, &random);
	else
		return whole(s, im, out);
	return ims_crop_make(out, im, box, &s->recipe, s->jitter, random ? &random : NULL, NULL);
}

/* A damaged picture is replaced by the next one of its part of the dataset that can be decoded. */
static const image *find(dataset *s, size_t *i)
{
	size_t first = *i < s->n_train ? 0 : s->n_train, end = *i < s->n_train ? s->n_train : s->n;
	for (size_t tries = 0; tries < end - first; tries++) {
		const image *im = ims_dataset_image(s, *i);
		if (im)
			return im;
		*i = *i + 1 < end ? *i + 1 : first;
	}
	return NULL;
}

static void fill(void *arg)
{
	struct piece *p = arg;
	loader *f = p->loader;
	slot *s = &f->slot[f->filling];
	size_t side = f->spec.recipe.side;
	const image *im = find(f->spec.set, &s->items[p->i].sample);
	int rc = im ? show(&f->spec, im, &s->items[p->i], s->in + p->i * side * side * 3)
				: IMGSEARCH_EINVAL;
	if (rc)
		f->failed = rc;
}

void ims_loader_start(loader *f, const loader_item *items, size_t n)
{
	ims_pool_wait(f->pool);
	f->filling = !f->filling;
	slot *s = &f->slot[f->filling];
	memcpy(s->items, items, n * sizeof *items);
	s->n = n;
	for (size_t i = 0; i < n; i++)
		ims_pool_run(f->pool, fill, &f->piece[i]);
}

int ims_loader_wait(loader *f, const float **in, const loader_item **items, size_t *n,
	imgsearch_error *err)
{
	ims_pool_wait(f->pool);
	slot *s = &f->slot[f->filling];
	*in = s->in;
	*items = s->items;
	*n = s->n;
	if (f->failed == IMGSEARCH_EINVAL)
		return ims_fail(err, IMGSEARCH_EINVAL, "no picture can be decoded");
	return f->failed ? ims_nomem(err) : 0;
}
