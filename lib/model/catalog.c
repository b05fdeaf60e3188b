/*
 * The table of networks, and the search for files. Recipes are those of torchvision's IMAGENET1K_V1
 * weights (the `transforms` of each weights enum in torchvision.models). Weights that were trained
 * with another recipe have a card that says so.
 */
#include "model/catalog.h"

#include "model/card.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const model_network networks[] = {
	/* name            dim resize crop bicubic batch */
	{ "resnet18", 512, 256, 224, 0, 16 },
	{ "resnet34", 512, 256, 224, 0, 16 },
	{ "resnet50", 2048, 256, 224, 0, 8 },
	{ "resnet101", 2048, 256, 224, 0, 8 },
	{ "resnet152", 2048, 256, 224, 0, 8 },
	{ "mobilenet_v2", 1280, 256, 224, 0, 16 },
	{ "efficientnet_b0", 1280, 256, 224, 1, 8 },
	{ "efficientnet_b1", 1280, 256, 240, 1, 8 },
	{ "efficientnet_b2", 1408, 288, 288, 1, 4 },
	{ "efficientnet_b3", 1536, 320, 300, 1, 4 },
	{ "efficientnet_b4", 1792, 384, 380, 1, 4 },
	{ "efficientnet_b5", 2048, 456, 456, 1, 2 },
	{ "efficientnet_b6", 2304, 528, 528, 1, 2 },
	{ "efficientnet_b7", 2560, 600, 600, 1, 2 },
};

const model_network *ims_model_list(size_t *n)
{
	*n = sizeof networks / sizeof *networks;
	return networks;
}

const model_network *ims_model_find(const char *name)
{
	for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
		if (!strcmp(networks[i].name, name))
			return &networks[i];
	return NULL;
}

/* The folder of the library, or of the program that it is linked into; ims_free. */
static char *own_folder(void)
{
	static const char here;
	Dl_info info;
	if (!dladdr(&here, &info) || !info.dli_fname)
		return NULL;
	char *real = realpath(strchr(info.dli_fname, '/') ? info.dli_fname : "/proc/self/exe", NULL);
	char *slash = real ? strrchr(real, '/') : NULL;
	char *folder = slash ? ims_strndup(real, (size_t)(slash - real)) : NULL;
	free(real);
	return folder;
}

/* The path of folder + under + file where it can be read, else NULL. */
static char *file_in(const char *folder, const char *under, const char *file)
{
	char *path = folder && *folder ? ims_format("%s%s/%s", folder, under, file) : NULL;
	if (path && access(path, R_OK) == 0)
		return path;
	ims_free(path);
	return NULL;
}

char *ims_model_find_file(const char *file)
{
	static const char *const under[] = { "", "/imgsearch", "/../lib/imgsearch" };
	char *path = file_in(getenv("IMGSEARCH_LIBDIR"), "", file);
	char *folder = path ? NULL : own_folder();
	for (size_t i = 0; !path && i < sizeof under / sizeof *under; i++)
		path = file_in(folder, under[i], file);
	ims_free(folder);
	return path;
}

char *ims_model_find_weights(const char *name)
{
	static const char *const types[] = { "safetensors", "pth", "pt" };
	char *path = NULL;
	for (size_t i = 0; !path && i < sizeof types / sizeof *types; i++) {
		char *file = ims_format("%s.%s", name, types[i]);
		if (!file)
			return NULL;
		path = ims_model_find_file(file);
		if (!path)
			path = file_in(getenv("XDG_DATA_HOME"), "/imgsearch/models", file);
		const char *xdg = getenv("XDG_DATA_HOME");
		if (!path && !(xdg && *xdg))
			path = file_in(getenv("HOME"), "/.local/share/imgsearch/models", file);
		ims_free(file);
	}
	return path;
}

static int one(const char *name, const model_network *net,
	int (*each)(void *user, const imgsearch_model_info *m), void *user)
{
	model_card card;
	char *weights = ims_model_find_weights(name),
		 note[sizeof card.descent + sizeof card.licence + 16];
	imgsearch_model_info info = { .name = name, .weights = weights };
	if (weights && ims_card_read(&card, weights, NULL) == 0) {
		snprintf(note, sizeof note, "%s%s%s", card.descent,
			card.descent[0] && card.licence[0] ? "; " : "", card.licence);
		info.note = note[0] ? note : NULL;
		info.dim = card.dim, info.resize = card.recipe.resize, info.crop = card.recipe.crop;
		info.interpolation = card.recipe.bicubic ? IMGSEARCH_BICUBIC : IMGSEARCH_BILINEAR;
	} else if (net) {
		info.dim = net->dim, info.resize = net->resize, info.crop = net->crop;
		info.interpolation = net->bicubic ? IMGSEARCH_BICUBIC : IMGSEARCH_BILINEAR;
	}
	int rc = net || info.dim ? each(user, &info) : 0;
	ims_free(weights);
	return rc;
}

int ims_model_each(int (*each)(void *user, const imgsearch_model_info *m), void *user)
{
	int rc = one("default", NULL, each, user);
	for (size_t i = 0; !rc && i < sizeof networks / sizeof *networks; i++)
		rc = one(networks[i].name, &networks[i], each, user);
	return rc;
}
