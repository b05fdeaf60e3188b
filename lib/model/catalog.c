/*
 * The table of networks, and the search for files. Recipes are those of torchvision's IMAGENET1K_V1
 * weights (the `transforms` of each weights enum in torchvision.models; V2 where there is no V1),
 * EfficientNet-Lite's those of Google's weights. Weights that were trained with another recipe have
 * a card that says so.
 */
#include "model/catalog.h"

#include "model/weights.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const model_network networks[] = {
	/* name, dim, resize (0: squashed), crop, bicubic, batch, values, activation */
	{ "resnet18", 512, 256, 224, 0, 16, VALUES_IMAGENET, NULL },
	{ "resnet34", 512, 256, 224, 0, 16, VALUES_IMAGENET, NULL },
	{ "resnet50", 2048, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "resnet101", 2048, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "resnet152", 2048, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "resnext50_32x4d", 2048, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "resnext101_32x8d", 2048, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "resnext101_64x4d", 2048, 232, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "wide_resnet50_2", 2048, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "wide_resnet101_2", 2048, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "mobilenet_v2", 1280, 256, 224, 0, 16, VALUES_IMAGENET, NULL },
	{ "mobilenet_v3_small", 576, 256, 224, 0, 16, VALUES_IMAGENET, NULL },
	{ "mobilenet_v3_large", 960, 256, 224, 0, 16, VALUES_IMAGENET, NULL },
	{ "efficientnet_b0", 1280, 256, 224, 1, 8, VALUES_IMAGENET, NULL },
	{ "efficientnet_b1", 1280, 256, 240, 1, 8, VALUES_IMAGENET, NULL },
	{ "efficientnet_b2", 1408, 288, 288, 1, 4, VALUES_IMAGENET, NULL },
	{ "efficientnet_b3", 1536, 320, 300, 1, 4, VALUES_IMAGENET, NULL },
	{ "efficientnet_b4", 1792, 384, 380, 1, 4, VALUES_IMAGENET, NULL },
	{ "efficientnet_b5", 2048, 456, 456, 1, 2, VALUES_IMAGENET, NULL },
	{ "efficientnet_b6", 2304, 528, 528, 1, 2, VALUES_IMAGENET, NULL },
	{ "efficientnet_b7", 2560, 600, 600, 1, 2, VALUES_IMAGENET, NULL },
	{ "efficientnet_lite0", 1280, 256, 224, 1, 16, VALUES_127, NULL },
	{ "efficientnet_lite1", 1280, 272, 240, 1, 16, VALUES_127, NULL },
	{ "efficientnet_lite2", 1280, 292, 260, 1, 8, VALUES_127, NULL },
	{ "efficientnet_v2_s", 1280, 384, 384, 0, 4, VALUES_IMAGENET, NULL },
	{ "efficientnet_v2_m", 1280, 480, 480, 0, 2, VALUES_IMAGENET, NULL },
	{ "efficientnet_v2_l", 1280, 480, 480, 1, 2, VALUES_HALF, NULL },
	{ "densenet121", 1024, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "densenet161", 2208, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "densenet169", 1664, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "densenet201", 1920, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "vgg11", 4096, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "vgg13", 4096, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "vgg16", 4096, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "vgg19", 4096, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "vgg11_bn", 4096, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "vgg13_bn", 4096, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "vgg16_bn", 4096, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "vgg19_bn", 4096, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "inception_v3", 2048, 342, 299, 0, 4, VALUES_HALF, NULL },
	{ "regnet_y_400mf", 440, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "regnet_y_800mf", 784, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "regnet_y_1_6gf", 888, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "regnet_y_3_2gf", 1512, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "regnet_y_8gf", 2016, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "regnet_y_16gf", 3024, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "convnext_tiny", 768, 236, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "convnext_small", 768, 230, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "convnext_base", 1024, 232, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "convnext_large", 1536, 232, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "vit_b_16", 768, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "vit_b_32", 768, 256, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "vit_l_16", 1024, 242, 224, 0, 8, VALUES_IMAGENET, NULL },
	{ "clip_vit_b32", 512, 224, 224, 1, 8, VALUES_CLIP, "quick_gelu" },
	{ "clip_vit_b16", 512, 224, 224, 1, 8, VALUES_CLIP, "quick_gelu" },
	{ "clip_vit_l14", 768, 224, 224, 1, 8, VALUES_CLIP, "quick_gelu" },
	{ "clip_vit_l14_336", 768, 336, 336, 1, 4, VALUES_CLIP, "quick_gelu" },
	{ "openclip_vit_b32", 512, 224, 224, 1, 8, VALUES_CLIP, "gelu" },
	{ "openclip_vit_b16", 512, 224, 224, 1, 8, VALUES_CLIP, "gelu" },
	{ "openclip_vit_l14", 768, 224, 224, 1, 8, VALUES_CLIP, "gelu" },
	{ "clip_vit", 0, 224, 224, 1, 8, VALUES_CLIP, "quick_gelu" },
	{ "openclip_vit", 0, 224, 224, 1, 8, VALUES_CLIP, "gelu" },
	{ "siglip_b16_224", 768, 0, 224, 1, 8, VALUES_HALF, "gelu_pytorch_tanh" },
	{ "siglip_b16_224_gelu", 768, 0, 224, 1, 8, VALUES_HALF, "gelu" },
	{ "siglip_b16_256", 768, 0, 256, 1, 8, VALUES_HALF, "gelu_pytorch_tanh" },
	{ "siglip_b16_256_gelu", 768, 0, 256, 1, 8, VALUES_HALF, "gelu" },
	{ "siglip_b16_384", 768, 0, 384, 1, 4, VALUES_HALF, "gelu_pytorch_tanh" },
	{ "siglip_b16_384_gelu", 768, 0, 384, 1, 4, VALUES_HALF, "gelu" },
	{ "siglip_b16_512", 768, 0, 512, 1, 2, VALUES_HALF, "gelu_pytorch_tanh" },
	{ "siglip_b16_512_gelu", 768, 0, 512, 1, 2, VALUES_HALF, "gelu" },
	{ "siglip_l16_256", 1024, 0, 256, 1, 8, VALUES_HALF, "gelu_pytorch_tanh" },
	{ "siglip_l16_256_gelu", 1024, 0, 256, 1, 8, VALUES_HALF, "gelu" },
	{ "siglip_l16_384", 1024, 0, 384, 1, 4, VALUES_HALF, "gelu_pytorch_tanh" },
	{ "siglip_l16_384_gelu", 1024, 0, 384, 1, 4, VALUES_HALF, "gelu" },
	{ "siglip_so400m14_224", 1152, 0, 224, 1, 8, VALUES_HALF, "gelu_pytorch_tanh" },
	{ "siglip_so400m14_224_gelu", 1152, 0, 224, 1, 8, VALUES_HALF, "gelu" },
	{ "siglip_so400m14_384", 1152, 0, 384, 1, 4, VALUES_HALF, "gelu_pytorch_tanh" },
	{ "siglip_so400m14_384_gelu", 1152, 0, 384, 1, 4, VALUES_HALF, "gelu" },
	{ "siglip_so400m16_256", 1152, 0, 256, 1, 8, VALUES_HALF, NULL },
	/* sizes of SigLIP 2 alone */
	{ "siglip_b32_256", 768, 0, 256, 0, 8, VALUES_HALF, NULL },
	{ "siglip_l16_512", 1024, 0, 512, 0, 2, VALUES_HALF, NULL },
	{ "siglip_so400m16_384", 1152, 0, 384, 0, 4, VALUES_HALF, NULL },
	{ "siglip_so400m16_512", 1152, 0, 512, 0, 2, VALUES_HALF, NULL },
	{ "pe_core_t16_384", 512, 0, 384, 0, 4, VALUES_HALF, NULL },
	{ "pe_core_s16_384", 512, 0, 384, 0, 4, VALUES_HALF, NULL },
	{ "pe_core_b16_224", 1024, 0, 224, 0, 8, VALUES_HALF, NULL },
	{ "pe_core_l14_336", 1024, 0, 336, 0, 4, VALUES_HALF, NULL },
	{ "dinov2_vits14", 384, 256, 224, 1, 8, VALUES_IMAGENET, NULL },
	{ "dinov2_vitb14", 768, 256, 224, 1, 8, VALUES_IMAGENET, NULL },
	{ "dinov2_vitl14", 1024, 256, 224, 1, 8, VALUES_IMAGENET, NULL },
	{ "dinov2_vitg14", 1536, 256, 224, 1, 8, VALUES_IMAGENET, NULL },
	{ "dinov2_vits14_reg", 384, 256, 224, 1, 8, VALUES_IMAGENET, NULL },
	{ "dinov2_vitb14_reg", 768, 256, 224, 1, 8, VALUES_IMAGENET, NULL },
	{ "dinov2_vitl14_reg", 1024, 256, 224, 1, 8, VALUES_IMAGENET, NULL },
	{ "dinov2_vitg14_reg", 1536, 256, 224, 1, 8, VALUES_IMAGENET, NULL },
	{ "dinov3_vits16", 384, 0, 256, 0, 8, VALUES_IMAGENET, NULL },
	{ "dinov3_vits16plus", 384, 0, 256, 0, 8, VALUES_IMAGENET, NULL },
	{ "dinov3_vitb16", 768, 0, 256, 0, 8, VALUES_IMAGENET, NULL },
	{ "dinov3_vitl16", 1024, 0, 256, 0, 8, VALUES_IMAGENET, NULL },
	{ "dinov3_vith16plus", 1280, 0, 256, 0, 8, VALUES_IMAGENET, NULL },
	{ "sscd_resnet50", 512, 0, 320, 0, 4, VALUES_IMAGENET, NULL },
	{ "sscd_resnext101_32x4d", 1024, 0, 320, 0, 4, VALUES_IMAGENET, NULL },
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

/*
 * The templates that the publishers classify pictures with, in the examples beside their models:
 * OpenAI's CLIP and OpenCLIP (README.md), PE-Core (apps/pe), SigLIP (transformers' documentation).
 */
static const struct {
	const char *beginning; /* of the networks' names */
	const char *text_template;
} families[] = {
	{ "clip_", "a photo of {}" },
	{ "openclip_", "a photo of {}" },
	{ "pe_core_", "a photo of {}" },
	{ "siglip_", "This is a photo of {}." },
};

const char *ims_network_text_template(const char *network)
{
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		if (!strncmp(network, families[i].beginning, strlen(families[i].beginning)))
			return families[i].text_template;
	return NULL;
}

/*
 * The folder of the library, or of the program that it is linked into; the caller frees it by
 * ims_free. ENOTFOUND, ENOMEM.
 */
static int own_folder(char **out)
{
	static const char here;
	Dl_info info;
	*out = NULL;
	if (!dladdr(&here, &info) || !info.dli_fname)
		return IMGSEARCH_ENOTFOUND;
	char *real = realpath(strchr(info.dli_fname, '/') ? info.dli_fname : "/proc/self/exe", NULL);
	char *slash = real ? strrchr(real, '/') : NULL;
	if (slash)
		*out = ims_strndup(real, (size_t)(slash - real));
	free(real);
	return *out ? 0 : slash ? IMGSEARCH_ENOMEM : IMGSEARCH_ENOTFOUND;
}

/* The path of folder + under + file where it can be read. ENOTFOUND, ENOMEM; *out is then NULL. */
static int find_in(char **out, const char *folder, const char *under, const char *file)
{
	*out = NULL;
	if (!folder || !*folder)
		return IMGSEARCH_ENOTFOUND;
	char *path = ims_format("%s%s/%s", folder, under, file);
	if (!path)
		return IMGSEARCH_ENOMEM;
	if (access(path, R_OK) == 0) {
		*out = path;
		return 0;
	}
	ims_free(path);
	return IMGSEARCH_ENOTFOUND;
}

/* Places of the library's files: in its folder, or in the one that this lies in. */
static const struct {
	bool above;
	const char *path;
} places[] = { { false, "" }, { false, "/imgsearch" }, { true, "/lib/imgsearch" } };
enum { PLACES = sizeof places / sizeof *places };

/* The i-th place from the library's folder; ims_free. NULL: out of memory. */
static char *place_from(const char *folder, size_t i)
{
	const char *slash = strrchr(folder, '/');
	size_t n = places[i].above && slash ? (size_t)(slash - folder) : strlen(folder);
	return ims_format("%.*s%s", (int)n, folder, places[i].path);
}

static int find_beside_library(char **out, const char *file)
{
	char *folder;
	int rc = own_folder(&folder);
	if (rc)
		return rc;
	rc = IMGSEARCH_ENOTFOUND;
	for (size_t i = 0; rc == IMGSEARCH_ENOTFOUND && i < PLACES; i++) {
		char *place = place_from(folder, i);
		rc = place ? find_in(out, place, "", file) : IMGSEARCH_ENOMEM;
		ims_free(place);
	}
	ims_free(folder);
	return rc;
}

int ims_model_find_file(char **out, const char *file, imgsearch_error *err)
{
	int rc = find_in(out, getenv("IMGSEARCH_LIBDIR"), "", file);
	if (rc == IMGSEARCH_ENOTFOUND)
		rc = find_beside_library(out, file);
	return rc == IMGSEARCH_ENOMEM ? ims_nomem(err) : rc;
}

/* The folder that `under` is below: $XDG_DATA_HOME, or the home; NULL. */
static const char *data_folder(const char **under_it)
{
	const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	bool given = xdg && *xdg;
	*under_it = given ? "/imgsearch/models" : "/.local/share/imgsearch/models";
	return given ? xdg : home && *home ? home : NULL;
}

static int find_in_data_folder(char **out, const char *file)
{
	const char *under_it, *folder = data_folder(&under_it);
	return find_in(out, folder, under_it, file);
}

int ims_model_data_path(char **out, const char *file, imgsearch_error *err)
{
	const char *under_it, *folder = data_folder(&under_it);
	*out = NULL;
	if (!folder)
		return IMGSEARCH_ENOTFOUND;
	*out = ims_format("%s%s%s%s", folder, under_it, *file ? "/" : "", file);
	return *out ? 0 : ims_nomem(err);
}

/* Appends a place to a list of them. */
static void add_place(char *text, size_t size, const char *folder, const char *below)
{
	size_t at = strlen(text);
	if (folder && *folder && at < size)
		snprintf(text + at, size - at, "%s%s%s", at ? ", " : "", folder, below);
}

void ims_model_places(char *text, size_t size, bool weights)
{
	const char *under_it, *data = data_folder(&under_it);
	char *own = NULL;
	*text = 0;
	add_place(text, size, getenv("IMGSEARCH_LIBDIR"), "");
	own_folder(&own);
	for (size_t i = 0; own && i < PLACES; i++) {
		char *place = place_from(own, i);
		add_place(text, size, place, "");
		ims_free(place);
	}
	if (weights)
		add_place(text, size, data, under_it);
	ims_free(own);
}

/* NAME + ending in the library's folders, in the data folder, and there in the folder NAME. */
static int find_ending(char **out, const char *name, const char *ending, imgsearch_error *err)
{
	char *file = ims_format("%s%s", name, ending),
		 *below = ims_format("%s/%s%s", name, name, ending);
	int rc = file && below ? ims_model_find_file(out, file, err) : IMGSEARCH_ENOMEM;
	if (rc == IMGSEARCH_ENOTFOUND)
		rc = find_in_data_folder(out, file);
	if (rc == IMGSEARCH_ENOTFOUND && !strchr(name, '/'))
		rc = find_in_data_folder(out, below);
	ims_free(file);
	ims_free(below);
	return rc;
}

int ims_model_find_weights(char **out, const char *name, imgsearch_error *err)
{
	int rc = IMGSEARCH_ENOTFOUND;
	*out = NULL;
	for (size_t i = 0; rc == IMGSEARCH_ENOTFOUND && ims_weights_endings[i]; i++)
		rc = find_ending(out, name, ims_weights_endings[i], err);
	return rc == IMGSEARCH_ENOMEM ? ims_nomem(err) : rc;
}

/* Earlier default models, which indexes may have been made with. */
static const char *const earlier[] = { "default-0.1" };

/* Whether the file has that hash; one that cannot be read has not. */
static bool has_hash(const char *path, const char *weights_hash)
{
	hash256 hash;
	char hex[65];
	imgsearch_error unread;
	if (ims_weights_hash(&hash, path, &unread))
		return false;
	ims_hash_hex(&hash, hex);
	return !strcmp(hex, weights_hash);
}

int ims_model_find_earlier(char **out, const char *weights_hash, imgsearch_error *err)
{
	for (size_t i = 0; i < sizeof earlier / sizeof *earlier; i++) {
		int rc = ims_model_find_weights(out, earlier[i], err);
		if (!rc && has_hash(*out, weights_hash))
			return 0;
		ims_free(*out);
		*out = NULL;
		if (rc == IMGSEARCH_ENOMEM)
			return rc;
	}
	return IMGSEARCH_ENOTFOUND;
}
