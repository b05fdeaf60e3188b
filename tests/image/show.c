/*
 * What the Python tests look at:
 *
 * show check FILE...    a line each: code, width, height, path, message
 * show pixels FILE      the picture as PPM
 * show fit RESIZE CROP BICUBIC AT_LEAST FILE...
 *                       crop * crop * 3 raw f32 each, channels last; NaN for a bad file;
 *                       RESIZE 0: squashed
 * show prepare NETWORK FILE...
 *                       likewise, by the network's recipe, JPEGs decoded at a scale
 */
#include "codec/codec.h"
#include "image/image.h"
#include "model/catalog.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int decode(image *im, const char *path, uint32_t at_least, imgsearch_error *err)
{
	buf file = { 0 };
	image_limits limits = {
		.at_least = at_least,
		.codecs = ims_codec_local(),
		.also = UINT32_MAX,
	};
	int rc = ims_read_file(&file, path, 1u << 30, err);
	if (!rc)
		rc = ims_image_decode(im, NULL, file.data, file.len, &limits, NULL, err);
	ims_buf_free(&file);
	return rc;
}

static void check(const char *path)
{
	imgsearch_error err = { 0 };
	image im = { 0 };
	int rc = decode(&im, path, 0, &err);
	printf("%d\t%u\t%u\t%s\t%s\n", rc, (unsigned)im.width, (unsigned)im.height, path,
		rc ? err.message : "");
	ims_image_free(&im);
}

static void fit(const char *path, const image_recipe *recipe, uint32_t at_least)
{
	image im = { 0 };
	size_t n = (size_t)recipe->crop * recipe->crop * 3;
	float *out = ims_alloc(n, sizeof(float));
	if (!out || decode(&im, path, at_least, NULL) || ims_image_fit(&im, recipe, false, out, NULL))
		for (size_t i = 0; out && i < n; i++)
			out[i] = NAN;
	if (out)
		fwrite(out, sizeof(float), n, stdout);
	ims_free(out);
	ims_image_free(&im);
}

static int pixels(const char *path)
{
	imgsearch_error err = { 0 };
	image im = { 0 };
	if (decode(&im, path, 0, &err)) {
		fprintf(stderr, "%s: %s\n", path, err.message);
		return 1;
	}
	printf("P6\n%u %u\n255\n", (unsigned)im.width, (unsigned)im.height);
	fwrite(im.pixels, 3, (size_t)im.width * im.height, stdout);
	ims_image_free(&im);
	return 0;
}

static int prepare(const char *network, char **files)
{
	const model_network *net = ims_model_find(network);
	if (!net)
		return 2;
	image_recipe recipe = ims_network_recipe(net);
	for (; *files; files++)
		fit(*files, &recipe, recipe.resize);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 3 && strcmp(argv[1], "prepare") == 0)
		return prepare(argv[2], argv + 3);
	if (argc > 1 && strcmp(argv[1], "check") == 0) {
		for (int i = 2; i < argc; i++)
			check(argv[i]);
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "pixels") == 0)
		return pixels(argv[2]);
	if (argc < 6 || strcmp(argv[1], "fit"))
		return 2;
	image_recipe recipe = {
		(uint32_t)atol(argv[2]),
		(uint32_t)atol(argv[3]),
		{ 0.485f, 0.456f, 0.406f },
		{ 0.229f, 0.224f, 0.225f },
		(uint32_t)atol(argv[4]),
		!atol(argv[2]),
		0,
	};
	recipe.resize = recipe.squash ? recipe.crop : recipe.resize;
	for (int i = 6; i < argc; i++)
		fit(argv[i], &recipe, (uint32_t)atol(argv[5]));
	return 0;
}
