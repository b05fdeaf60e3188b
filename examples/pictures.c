/*
 * Pictures and parts of them as inputs: pixels, features, everything that is alike enough, and a
 * query of several inputs. Writes a small JPEG of PICTURE to OUT.
 *
 *	pictures INDEX PICTURE OUT
 */
#include <imgsearch.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int write_small(imgsearch *s, const imgsearch_input *in, const char *path,
	imgsearch_image **image, imgsearch_error *err)
{
	imgsearch_bytes *jpeg;
	int rc = imgsearch_image_load(s, in, 160, NULL, image, err);
	if (rc == 0)
		rc = imgsearch_image_encode(*image, 90, NULL, &jpeg, err);
	if (rc)
		return rc;
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(jpeg->items, 1, jpeg->count, f) != jpeg->count)
		perror(path);
	if (f)
		fclose(f);
	imgsearch_bytes_free(jpeg);
	printf("%u x %u pixels\n", (*image)->width, (*image)->height);
	return 0;
}

/* Of rows of length 1 the inner product is the cosine. */
static float cosine(const float *a, const float *b, size_t dim)
{
	float sum = 0;
	for (size_t i = 0; i < dim; i++)
		sum += a[i] * b[i];
	return sum;
}

/* The whole picture, its left half, and its pixels as they are in memory. */
static int compare(imgsearch *s, const char *path, const imgsearch_image *small,
	imgsearch_error *err)
{
	imgsearch_input in[3] = { imgsearch_input_file(path), imgsearch_input_file(path),
		imgsearch_input_pixels(small->rgb, (int32_t)small->width, (int32_t)small->height, 0) };
	imgsearch_error each[3];
	imgsearch_info *info;
	in[1].crop[2] = (int32_t)small->width / 2; /* x 0, y 0, width, height, in the whole picture */
	in[1].crop[3] = (int32_t)small->height;
	int rc = imgsearch_info_get(s, NULL, &info, err);
	if (rc)
		return rc;
	size_t dim = info->dim;
	imgsearch_info_free(info);
	float *rows = (float *)calloc(3 * dim, sizeof *rows);
	if (!rows)
		return IMGSEARCH_ENOMEM;
	memset(each, 0, sizeof each);
	rc = imgsearch_extract(s, in, 3, NULL, NULL, rows, 3 * dim, each, err);
	for (size_t i = 1; rc == 0 && i < 3; i++)
		if (each[i].code)
			printf("input %zu: %s\n", i, each[i].message);
		else
			printf("input %zu: %.2f like the whole\n", i,
				(double)cosine(rows, rows + i * dim, dim));
	free(rows);
	return rc;
}

static int show_near(imgsearch *s, const char *path, imgsearch_error *err)
{
	imgsearch_input in = imgsearch_input_file(path);
	imgsearch_hits *hits;
	int rc = imgsearch_range(s, &in, 0.9f, NULL, NULL, &hits, err);
	if (rc)
		return rc;
	printf("%zu with a score of 0.9 or more\n", hits->count);
	imgsearch_hits_free(hits);
	return 0;
}

/* Of two queries the second one moves away from what the first one found behind the picture. */
static int show_others(imgsearch *s, const char *path, imgsearch_error *err)
{
	imgsearch_input in[2] = { imgsearch_input_file(path) };
	imgsearch_hits *hits;
	int rc = imgsearch_query(s, in, 1, NULL, NULL, &hits, err);
	if (rc)
		return rc;
	in[1] = imgsearch_input_item(hits->count ? hits->items[hits->count - 1]->id : 1);
	in[1].weight = -0.5f;
	imgsearch_hits_free(hits);
	rc = imgsearch_query(s, in, 2, NULL, NULL, &hits, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < hits->count && i < 3; i++)
		printf("%s\n", hits->items[i]->path);
	imgsearch_hits_free(hits);
	return 0;
}

/* Not every model compares texts with pictures. */
static int show_text(imgsearch *s, imgsearch_error *err)
{
	imgsearch_input in = imgsearch_input_text("a city at night");
	imgsearch_hits *hits;
	int rc = imgsearch_query(s, &in, 1, NULL, NULL, &hits, err);
	if (rc == IMGSEARCH_EUNSUPPORTED)
		return printf("no words: %s\n", err->message), 0;
	if (rc == 0)
		printf("%zu by words\n", hits->count);
	imgsearch_hits_free(hits); /* NULL after a failure */
	return rc;
}

int main(int argc, char **argv)
{
	imgsearch_error err;
	imgsearch_image *small = NULL;
	imgsearch *s = NULL;
	if (argc != 4)
		return fprintf(stderr, "usage: pictures INDEX PICTURE OUT\n"), 2;
	imgsearch_input picture = imgsearch_input_file(argv[2]);
	int rc = imgsearch_open(argv[1], NULL, NULL, &s, &err);
	if (rc == 0)
		rc = write_small(s, &picture, argv[3], &small, &err);
	if (rc == 0)
		rc = compare(s, argv[2], small, &err);
	if (rc == 0)
		rc = show_near(s, argv[2], &err);
	if (rc == 0)
		rc = show_others(s, argv[2], &err);
	if (rc == 0)
		rc = show_text(s, &err);
	if (rc)
		fprintf(stderr, "%s\n", err.message);
	imgsearch_image_free(small);
	imgsearch_close(s);
	return rc != 0;
}
