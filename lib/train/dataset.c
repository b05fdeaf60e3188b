/* Lists the pictures and their classes, holds some out, and decodes them. */
#include "train/dataset.h"

#include "train/seed.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

/* Whether the file has the header of a picture that can be read. *key: of its content. */
static bool readable(const train_file *f, uint64_t *key, imgsearch_error *err)
{
	image_limits limits = { 0 };
	image_head head;
	buf bytes = { 0 };
	bool ok = ims_read_file(&bytes, f->path, IMS_IMAGE_MAX_FILE, err) == 0
		&& ims_image_head(&head, bytes.data, bytes.len, &limits, err) == 0;
	if (ok) {
		hash256 hash = ims_hash(bytes.data, bytes.len);
		memcpy(key, hash.byte, sizeof *key);
	}
	ims_buf_free(&bytes);
	return ok;
}

/* Files are in order of path, so those of a class follow each other. */
static int collect(dataset *s, const train_file *files, size_t n, job *j, imgsearch_error *err)
{
	const char *last = NULL;
	for (size_t i = 0; i < n; i++) {
		imgsearch_error why;
		int rc = ims_job_step(j, "read", i + 1, n, err);
		if (rc)
			return rc;
		if (!readable(&files[i], &s->item[s->n].key, &why)) {
			bool picture = why.code != IMGSEARCH_EUNSUPPORTED; /* folders also hold other files */
			ims_job_log(j, picture ? IMGSEARCH_LOG_WARNING : IMGSEARCH_LOG_DEBUG,
				"left out: %s: %s", files[i].path, why.message);
			s->failed += picture;
			continue;
		}
		if (files[i].folder && (!last || strcmp(last, files[i].folder)))
			last = files[i].folder, s->n_classes++;
		s->item[s->n].path = files[i].path;
		s->item[s->n++].label = files[i].folder ? (int32_t)s->n_classes - 1 : -1;
	}
	return 0;
}

static void swap(sample *a, sample *b)
{
	sample t = *a;
	*a = *b;
	*b = t;
}

static void shuffle(sample *item, size_t n, uint64_t random)
{
	for (size_t i = n; i > 1; i--)
		swap(&item[i - 1], &item[ims_random(&random) % i]);
}

/* Moves a share of each class behind n_train, but never the only picture of a class. */
static int hold_out(dataset *s, float share, imgsearch_error *err)
{
	size_t classes = s->n_classes + 1;
	double *due = ims_zalloc(classes, sizeof *due);
	size_t *size = ims_zalloc(classes, sizeof *size);
	int rc = due && size ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < s->n; i++)
		size[s->item[i].label + 1]++;
	for (size_t c = 0; !rc && c < classes; c++)
		due[c] = size[c] > 1 && share > 0 ? (double)size[c] * (double)share : 0;
	s->n_train = s->n;
	for (size_t i = s->n; !rc && i-- > 0;) {
		double *d = &due[s->item[i].label + 1];
		if (*d >= 0.5) {
			*d -= 1;
			swap(&s->item[i], &s->item[--s->n_train]);
		}
	}
	ims_free(due);
	ims_free(size);
	return rc;
}

static int hash_set(dataset *s, const train_file *files, size_t n, imgsearch_error *err)
{
	buf text = { 0 };
	for (size_t i = 0; i < n; i++)
		ims_buf_text(&text, "%s %llu\n", strrchr(files[i].path, '/') + 1,
			(unsigned long long)files[i].size);
	if (!text.failed)
		s->hash = ims_hash(text.data, text.len);
	int rc = text.failed ? ims_nomem(err) : 0;
	ims_buf_free(&text);
	return rc;
}

int ims_dataset_open(dataset *out, const train_file *files, size_t n, float validation,
	uint64_t seed, job *j, imgsearch_error *err)
{
	memset(out, 0, sizeof *out);
	out->item = ims_zalloc(n, sizeof *out->item);
	int rc = out->item ? collect(out, files, n, j, err) : ims_nomem(err);
	if (!rc && out->n < 2)
		rc = ims_fail(err, IMGSEARCH_EINVAL,
			"%zu pictures can be read of %zu files: too few to train on", out->n, n);
	if (!rc)
		rc = hash_set(out, files, n, err);
	if (!rc) {
		shuffle(out->item, out->n, ims_seed_derive(seed, 1, 0));
		rc = hold_out(out, validation, err);
	}
	if (rc)
		ims_dataset_free(out);
	return rc;
}

void ims_dataset_free(dataset *s)
{
	for (size_t i = 0; i < s->n; i++)
		ims_image_free(&s->item[i].im);
	ims_free(s->item);
	memset(s, 0, sizeof *s);
}

/* Most crops show most of the picture, so twice the input is large enough. */
static int shrink(image *im, uint32_t side, imgsearch_error *err)
{
	uint32_t least = im->width < im->height ? im->width : im->height;
	if (least <= 2 * side)
		return 0;
	double scale = 2.0 * side / least;
	image small;
	int rc = ims_image_resize(&small, im, (uint32_t)(im->width * scale + 0.5),
		(uint32_t)(im->height * scale + 0.5), false, NULL, err);
	if (!rc) {
		ims_image_free(im);
		*im = small;
	}
	return rc;
}

static void decode(dataset *s, sample *item)
{
	image_limits limits = { .at_least = 2 * s->side };
	image_head head;
	buf bytes = { 0 };
	int rc = ims_read_file(&bytes, item->path, IMS_IMAGE_MAX_FILE, NULL);
	if (!rc)
		rc = ims_image_decode(&item->im, &head, bytes.data, bytes.len, &limits, NULL, NULL);
	if (!rc)
		rc = shrink(&item->im, s->side, NULL);
	ims_buf_free(&bytes);
	if (rc)
		s->failed++;
	item->state = rc ? SAMPLE_BAD : SAMPLE_READY;
}

const image *ims_dataset_image(dataset *s, size_t i)
{
	sample *item = &s->item[i];
	int state = SAMPLE_NEW;
	if (atomic_compare_exchange_strong(&item->state, &state, SAMPLE_BUSY))
		decode(s, item);
	while ((state = item->state) == SAMPLE_BUSY)
		sched_yield();
	return state == SAMPLE_READY ? &item->im : NULL;
}
