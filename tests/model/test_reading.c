/* What weights without a card hold: networks that fit, files beside, what the caller asks. */
#include "files.h"
#include "test.h"

#include "model/beside.h"
#include "model/identity.h"
#include "model/reading.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/imgsearch-test-XXXXXX";
static const imgsearch_recipe none;

static char *at(const char *name)
{
	return ims_format("%s/%s", folder, name);
}

static void put(const char *name, const void *data, size_t n)
{
	char *path = at(name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, n, f), n);
	fclose(f);
	ims_free(path);
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static void take_away(const char *name)
{
	char *path = at(name);
	unlink(path);
	ims_free(path);
}

static void make_folder(const char *name)
{
	char *path = at(name);
	assert_int_equal(mkdir(path, 0700), 0);
	ims_free(path);
}

static void remove_folder(const char *name)
{
	char *path = at(name);
	assert_int_equal(rmdir(path), 0);
	ims_free(path);
}

static int set_up(void **state)
{
	(void)state;
	static const char empty[] = "\2\0\0\0\0\0\0\0{}";
	const char *b = getenv("B");
	char *libdir = ims_format("%s/tests/lib", b ? b : "build");
	if (!mkdtemp(folder))
		return -1;
	put("w.safetensors", empty, 10);
	setenv("IMGSEARCH_LIBDIR", libdir, 1);
	setenv("XDG_DATA_HOME", folder, 1);
	ims_free(libdir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	take_away("w.safetensors");
	return rmdir(folder);
}

static int decide(reading *out, const char *name, const imgsearch_recipe *asked,
	imgsearch_error *err)
{
	char *path = at("w.safetensors");
	int rc = ims_reading_decide(out, path, name, asked, err);
	ims_free(path);
	return rc;
}

static void one_network_fits(void **state)
{
	(void)state;
	reading r;
	imgsearch_error err;
	setenv("FAKE_FITS", "inception_v3 ", 1);
	assert_int_equal(decide(&r, NULL, &none, &err), 0);
	assert_string_equal(r.name, "inception_v3");
	assert_string_equal(r.network->name, "inception_v3");
	assert_int_equal(r.recipe.resize, 342);
	assert_int_equal(r.recipe.crop, 299);
	assert_int_equal(r.dim, 2048);
}

static void none_fits(void **state)
{
	(void)state;
	reading r;
	imgsearch_error err;
	setenv("FAKE_FITS", "", 1);
	assert_int_equal(decide(&r, NULL, &none, &err), IMGSEARCH_EMODEL);
	assert_non_null(strstr(err.message, "w.safetensors"));
	assert_non_null(strstr(err.message, "the nearest is resnet18: missing fc.weight"));
}

static void two_activations(void **state)
{
	(void)state;
	reading r;
	imgsearch_error err;
	setenv("FAKE_FITS", "clip_vit_b32 openclip_vit_b32 ", 1);
	assert_int_equal(decide(&r, NULL, &none, &err), IMGSEARCH_EMODEL);
	assert_int_equal(err.detail, ENOTUNIQ);
	assert_non_null(strstr(err.message, "clip_vit_b32 or openclip_vit_b32"));
	/* a name decides */
	assert_int_equal(decide(&r, "openclip_vit_b32", &none, &err), 0);
	assert_string_equal(r.network->name, "openclip_vit_b32");
}

/* The activation that the files beside the weights name. */
static void expect_beside(const char *file, const char *text, const char *network)
{
	reading r;
	imgsearch_error err;
	put_text(file, text);
	int rc = decide(&r, NULL, &none, &err);
	take_away(file);
	if (!network) {
		assert_int_equal(rc, IMGSEARCH_EMODEL);
		return;
	}
	assert_int_equal(rc, 0);
	assert_string_equal(r.network->name, network);
}

static void activation_beside(void **state)
{
	(void)state;
	setenv("FAKE_FITS", "clip_vit_b32 openclip_vit_b32 ", 1);
	expect_beside("config.json",
		"{\"model_type\":\"clip\",\"text_config\":{\"hidden_act\":\"gelu\"},"
		"\"vision_config\":{\"hidden_act\":\"quick_gelu\",\"image_size\":224}}",
		"clip_vit_b32");
	expect_beside("config.json",
		"{\"vision_config\":{\"hidden_act\":\"gelu\"},\"model_type\":\"clip\"}",
		"openclip_vit_b32");
	expect_beside("open_clip_config.json",
		"{\"model_cfg\":{\"embed_dim\":512,\"vision_cfg\":{\"image_size\":224}},"
		"\"preprocess_cfg\":{\"mean\":[0.5,0.5,0.5]}}",
		"openclip_vit_b32");
	expect_beside("open_clip_config.json",
		"{\"model_cfg\":{\"quick_gelu\":true,\"vision_cfg\":{}}}", "clip_vit_b32");
	/* of another kind of network: passed over */
	expect_beside("config.json", "{\"model_type\":\"dinov2\",\"hidden_act\":\"gelu\"}", NULL);
	/* what transformers leaves out is usual */
	expect_beside("config.json", "{\"model_type\":\"clip\"}", "clip_vit_b32");
	setenv("FAKE_FITS", "siglip_b16_224 siglip_b16_224_gelu ", 1);
	expect_beside("config.json", "{\"vision_config\":{\"model_type\":\"siglip_vision_model\"}}",
		"siglip_b16_224");
	expect_beside("open_clip_config.json",
		"{\"model_cfg\":{\"vision_cfg\":{\"timm_model_name\":\"vit_base_patch16_siglip_224\"}}}",
		"siglip_b16_224_gelu");
	expect_beside("preprocessor_config.json", "{\"size\":224}", NULL);
}

static void expect_heads(const char *file, const char *text, const char *says)
{
	reading r;
	imgsearch_error err = { 0 };
	put_text(file, text);
	int rc = decide(&r, NULL, &none, &err);
	take_away(file);
	assert_int_equal(rc, says ? IMGSEARCH_EMODEL : 0);
	if (says)
		assert_non_null(strstr(err.message, says));
}

/* The tensors of CLIP do not tell how many heads its attention has. */
static void heads_beside(void **state)
{
	(void)state;
	static const char file[] = "open_clip_config.json";
	setenv("FAKE_FITS", "openclip_vit_b32 ", 1);
	expect_heads(file,
		"{\"model_cfg\":{\"vision_cfg\":{\"width\":768},"
		"\"text_cfg\":{\"width\":512,\"heads\":8}}}",
		NULL);
	expect_heads(file, "{\"model_cfg\":{\"text_cfg\":{\"width\":256,\"heads\":8}}}",
		"8 attention heads over 256 values");
	expect_heads(file, "{\"model_cfg\":{\"text_cfg\":{\"width\":256}}}", "8 attention heads");
	expect_heads(file, "{\"model_cfg\":{\"vision_cfg\":{\"width\":1280,\"head_width\":80}}}",
		"16 attention heads over 1280 values");
	expect_heads("config.json",
		"{\"model_type\":\"clip\",\"vision_config\":"
		"{\"hidden_size\":768,\"num_attention_heads\":16,\"hidden_act\":\"gelu\"}}",
		"16 attention heads over 768 values");
	expect_heads("config.json", /* of no number: not said */
		"{\"model_type\":\"clip\",\"text_config\":{\"hidden_size\":\"wide\"},"
		"\"vision_config\":{\"hidden_act\":\"gelu\"}}",
		NULL);
	setenv("FAKE_FITS", "dinov2_vits14 ", 1); /* others have the heads that they have */
	expect_heads("config.json", "{\"hidden_size\":384,\"num_attention_heads\":12}", NULL);
}

static void damaged_beside(void **state)
{
	(void)state;
	reading r;
	imgsearch_error err;
	setenv("FAKE_FITS", "inception_v3 ", 1);
	put_text("preprocessor_config.json", "{\"size\": {\"height\": 224,");
	assert_int_equal(decide(&r, NULL, &none, &err), IMGSEARCH_EFORMAT);
	assert_non_null(strstr(err.message, "preprocessor_config.json"));
	take_away("preprocessor_config.json");
}

static void recipe_beside(void **state)
{
	(void)state;
	reading r;
	imgsearch_error err;
	setenv("FAKE_FITS", "dinov2_vits14 ", 1);
	put_text("preprocessor_config.json",
		"{\"crop_size\":{\"height\":518,\"width\":518},\"do_center_crop\":true,"
		"\"size\":{\"shortest_edge\":518},\"resample\":2,\"image_mean\":[0.1,0.2,0.3],"
		"\"image_std\":[0.4,0.5,0.6],\"rescale_factor\":0.00392156862745098}");
	int rc = decide(&r, NULL, &none, &err);
	take_away("preprocessor_config.json");
	assert_int_equal(rc, 0);
	assert_int_equal(r.recipe.resize, 518);
	assert_int_equal(r.recipe.crop, 518);
	assert_int_equal(r.recipe.bicubic, 0);
	assert_true(r.recipe.mean[2] == 0.3f && r.recipe.std[0] == 0.4f);
}

static void expect_sides(const char *text, uint32_t resize, uint32_t crop, uint32_t squash)
{
	beside b;
	imgsearch_error err;
	assert_int_equal(ims_beside_parse(&b, text, strlen(text), &err), 0);
	assert_true(b.parts.resize && b.parts.crop);
	assert_int_equal(b.parts.recipe.resize, resize);
	assert_int_equal(b.parts.recipe.crop, crop);
	assert_int_equal(b.parts.recipe.squash, squash);
}

/* The spellings of a size that are in use. */
static void sides(void **state)
{
	(void)state;
	expect_sides("{\"size\":224,\"crop_size\":224}", 224, 224, 0);
	expect_sides("{\"size\":{\"shortest_edge\":256},\"crop_size\":224}", 256, 224, 0);
	expect_sides("{\"pretrained_cfg\":{\"input_size\":[3,224,224],\"crop_pct\":0.95}}", 235, 224,
		0);
	expect_sides("{\"pretrained_cfg\":{\"input_size\":[3,288,288],\"crop_pct\":1.0}}", 288, 288, 0);
	expect_sides("{\"model_cfg\":{\"vision_cfg\":{\"image_size\":[336,336]}}}", 336, 336, 0);
	expect_sides("{\"do_center_crop\":null,\"size\":{\"height\":384,\"width\":384}}", 384, 384, 1);
	expect_sides("{\"image_size\":224,\"size\":{\"height\":256,\"width\":256}}", 256, 256, 1);
	expect_sides("{\"size\":{\"height\":384,\"width\":384},\"crop_size\":224}", 224, 224, 0);
	expect_sides("{\"model_cfg\":{\"vision_cfg\":{\"image_size\":256}},"
				 "\"preprocess_cfg\":{\"resize_mode\":\"squash\"}}",
		256, 256, 1);
}

/* The network's own squash stays where the files say nothing of the resize. */
static void squashes_beside(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint32_t resize, squash;
	} row[] = {
		{ "{\"image_size\":256}", 256, 1 },
		{ "{\"size\":{\"height\":256,\"width\":256}}", 256, 1 },
		{ "{\"size\":{\"shortest_edge\":300},\"crop_size\":256}", 300, 0 },
	};
	setenv("FAKE_FITS", "siglip_b16_256 ", 1);
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		reading r;
		put_text("config.json", row[i].text);
		int rc = decide(&r, NULL, &none, NULL);
		take_away("config.json");
		assert_int_equal(rc, 0);
		assert_int_equal(r.recipe.resize, row[i].resize);
		assert_int_equal(r.recipe.crop, 256);
		assert_int_equal(r.recipe.squash, row[i].squash);
	}
}

static void nonsense_beside(void **state)
{
	(void)state;
	beside b;
	imgsearch_error err;
	const char *const bad[] = { "[]", "{", "{\"size\":tru}", "{\"mean\":[1,2,}", "" };
	const char *const odd[] = { "{}", "{\"size\":-1}", "{\"size\":1e300}", "{\"mean\":[1,2]}",
		"{\"mean\":\"x\"}", "{\"resample\":0}", "{\"hidden_act\":null}", "{\"model_type\":[1]}" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(ims_beside_parse(&b, bad[i], strlen(bad[i]), &err), IMGSEARCH_EFORMAT);
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		assert_int_equal(ims_beside_parse(&b, odd[i], strlen(odd[i]), &err), 0);
		assert_false(b.parts.resize || b.parts.mean || b.parts.interpolation || b.type[0]);
	}
}

/* The published model of that network has another resize: an option, a file or a name decides. */
static void two_recipes(void **state)
{
	(void)state;
	reading r;
	imgsearch_error err;
	const imgsearch_recipe asked = { .struct_size = sizeof asked, .resize = 240, .crop = 224 };
	setenv("FAKE_FITS", "resnet18 ", 1);
	make_folder("imgsearch");
	make_folder("imgsearch/models");
	put_text("imgsearch/models/models.jsonl",
		"{\"name\":\"resnet18_x\",\"network\":\"resnet18\",\"publisher\":\"p\",\"licence\":\"MIT\","
		"\"good_at\":\"x\",\"resize\":232,\"files\":[{\"url\":\"https://example.com/x.pth\"}]}\n");
	assert_int_equal(decide(&r, NULL, &none, &err), IMGSEARCH_EMODEL);
	assert_int_equal(err.detail, ENOTUNIQ);
	assert_non_null(strstr(err.message, "resnet18 or resnet18_x"));
	assert_int_equal(decide(&r, NULL, &asked, &err), 0);
	assert_int_equal(decide(&r, "resnet18", &none, &err), 0);
	assert_int_equal(r.recipe.resize, 256);
	put_text("config.json", "{\"pretrained_cfg\":{\"input_size\":[3,224,224],\"crop_pct\":0.95}}");
	assert_int_equal(decide(&r, "resnet18_x", &none, &err), 0);
	assert_int_equal(r.recipe.resize, 232);
	take_away("config.json");
	assert_string_equal(r.network->name, "resnet18");
	assert_int_equal(decide(&r, "resnet18_y", &none, &err), IMGSEARCH_EMODEL);
	take_away("imgsearch/models/models.jsonl");
	remove_folder("imgsearch/models");
	remove_folder("imgsearch");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_network_fits),
		cmocka_unit_test(none_fits),
		cmocka_unit_test(two_activations),
		cmocka_unit_test(activation_beside),
		cmocka_unit_test(heads_beside),
		cmocka_unit_test(damaged_beside),
		cmocka_unit_test(recipe_beside),
		cmocka_unit_test(sides),
		cmocka_unit_test(squashes_beside),
		cmocka_unit_test(nonsense_beside),
		cmocka_unit_test(two_recipes),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
