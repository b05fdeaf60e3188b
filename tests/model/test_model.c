/* Which weights and which recipe a request means, cards, and running through the fake shim. */
#include "files.h"
#include "test.h"

#include "model/card.h"
#include "model/catalog.h"
#include "model/listing.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/imgsearch-test-XXXXXX";

static char *at(const char *name)
{
	return ims_format("%s/%s", folder, name);
}

static void put_file(const char *name, const void *data, size_t n)
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
	put_file(name, text, strlen(text));
}

/* A libdir with the fake shim, a data folder, and weights in both. */
static int set_up(void **state)
{
	(void)state;
	static const char empty[] = "\2\0\0\0\0\0\0\0{}";
	if (!mkdtemp(folder))
		return -1;
	const char *b = getenv("B");
	char *shim = ims_format("%s/tests/lib/imgsearch-shim.so", b ? b : "build"),
		 *real = realpath(shim, NULL), *path = at("imgsearch-shim.so");
	if (!real || symlink(real, path))
		return -1;
	free(real);
	ims_free(path);
	ims_free(shim);
	put_file("default.safetensors", empty, 10);
	put_text("default.json",
		"{\"name\":\"default\",\"network\":\"mobilenet_v2\",\"resize\":40,\"crop\":32,\"dim\":48,"
		"\"projection\":true}");
	put_file("mine.safetensors", empty, 10);
	put_text("mine.json",
		"{\"network\":\"resnet18\",\"name\":\"mine\",\"mean\":[0.5,0.5,0.5],\"std\":[0.25,0.25,0."
		"25],\"interpolation\":\"bicubic\"}");
	put_file("bare.safetensors", empty, 10);
	put_file("wrong.safetensors", empty, 10);
	put_text("wrong.json", "{\"network\":\"alexnet\"}");
	path = at("data");
	mkdir(path, 0755);
	ims_free(path);
	path = at("data/imgsearch");
	mkdir(path, 0755);
	ims_free(path);
	path = at("data/imgsearch/models");
	mkdir(path, 0755);
	ims_free(path);
	put_file("data/imgsearch/models/resnet34.safetensors", empty, 10);
	path = at("data");
	setenv("IMGSEARCH_LIBDIR", folder, 1);
	setenv("XDG_DATA_HOME", path, 1);
	ims_free(path);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	char *command = ims_format("rm -rf '%s'", folder);
	int rc = system(command);
	ims_free(command);
	return rc;
}

static void the_default_model(void **state)
{
	(void)state;
	model_identity id;
	model_spec spec = { 0 };
	assert_int_equal(ims_model_identify(&id, &spec, NULL), 0);
	assert_string_equal(id.name, "default");
	assert_string_equal(id.network, "mobilenet_v2");
	assert_int_equal(id.dim, 48);
	assert_int_equal(id.recipe.resize, 40);
	assert_int_equal(id.recipe.crop, 32);
	assert_int_equal(strlen(id.weights_hash), 64);
	ims_model_identity_free(&id);
}

static void by_name_and_folder(void **state)
{
	(void)state;
	model_identity id;
	assert_int_equal(ims_model_identify(&id, &(model_spec){ .name = "resnet34" }, NULL), 0);
	assert_non_null(strstr(id.weights, "data/imgsearch/models/resnet34.safetensors"));
	assert_int_equal(id.dim, 512);
	assert_int_equal(id.recipe.resize, 256);
	ims_model_identity_free(&id);
	assert_int_equal(ims_model_identify(&id, &(model_spec){ .name = "mine" }, NULL), 0);
	assert_string_equal(id.network, "resnet18");
	assert_int_equal(id.recipe.bicubic, 1);
	assert_true(id.recipe.std[2] == 0.25f);
	ims_model_identity_free(&id);
}

/*
 * A path of weights is a name when they have a card; with a catalogue name the card is not needed.
 */
static void by_path(void **state)
{
	(void)state;
	model_identity id;
	imgsearch_error err;
	char *mine = at("mine.safetensors"), *bare = at("bare.safetensors"),
		 *wrong = at("wrong.safetensors"), *none = at("none.pth");
	assert_int_equal(ims_model_identify(&id, &(model_spec){ .name = mine }, NULL), 0);
	assert_string_equal(id.name, "mine");
	ims_model_identity_free(&id);
	assert_int_equal(ims_model_identify(&id,
						 &(model_spec){ .name = "efficientnet_b5", .weights = bare }, NULL),
		0);
	assert_int_equal(id.recipe.crop, 456);
	assert_int_equal(id.recipe.bicubic, 1);
	assert_int_equal(id.dim, 2048);
	ims_model_identity_free(&id);
	assert_int_equal(ims_model_identify(&id, &(model_spec){ .name = bare }, &err),
		IMGSEARCH_EMODEL);
	assert_non_null(strstr(err.message, "may be resnet18 or"));
	assert_int_equal(ims_model_identify(&id, &(model_spec){ .weights = wrong }, &err),
		IMGSEARCH_EFORMAT);
	assert_non_null(strstr(err.message, "alexnet"));
	assert_int_equal(ims_model_identify(&id, &(model_spec){ .name = "resnet50", .weights = none },
						 &err),
		IMGSEARCH_ENOTFOUND);
	ims_free(mine);
	ims_free(bare);
	ims_free(wrong);
	ims_free(none);
}

/* What a network that squashes makes of each request. */
static void squashed(void **state)
{
	(void)state;
	static const struct {
		imgsearch_recipe asked;
		uint32_t resize, crop, squash;
	} row[] = {
		{ { .resize = 0 }, 64, 64, 1 },
		{ { .crop = 96 }, 96, 96, 1 },
		{ { .resize = 96 }, 96, 64, 0 },
		{ { .resize = 48 }, 48, 48, 0 },
		{ { .resize = 96, .squash = 1 }, 96, 96, 1 },
		{ { .resize = 80, .crop = 80, .squash = 1 }, 80, 80, 1 },
	};
	put_text("squashes.json", "{\"network\":\"resnet18\",\"squash\":true,\"crop\":64}");
	put_file("squashes.safetensors", "\2\0\0\0\0\0\0\0{}", 10);
	char *path = at("squashes.safetensors"), why[200];
	model_identity first = { 0 }, id;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		model_spec spec = { .name = path, .recipe = row[i].asked };
		assert_int_equal(ims_model_identify(&id, &spec, NULL), 0);
		assert_int_equal(id.recipe.resize, row[i].resize);
		assert_int_equal(id.recipe.crop, row[i].crop);
		assert_int_equal(id.recipe.squash, row[i].squash);
		first = i ? first : id;
		ims_model_identity_free(&id);
	}
	assert_int_equal(ims_model_identify(&id,
						 &(model_spec){ .name = path, .recipe = { .crops = 5 } }, NULL),
		IMGSEARCH_EINVAL);
	id = first;
	id.pooling = IMGSEARCH_POOLING_GEM;
	assert_false(ims_model_same(&first, &id, why, sizeof why));
	assert_string_equal(why, "pooling default, not gem");
	id = first;
	id.recipe.crops = 5;
	assert_false(ims_model_same(&first, &id, why, sizeof why));
	assert_string_equal(why, "crops 1, not 5");
	id = first;
	id.recipe.squash = 0;
	assert_false(ims_model_same(&first, &id, why, sizeof why));
	assert_string_equal(why, "recipe 64/64 bilinear squashed, not 64/64 bilinear");
	ims_free(path);
}

static void what_is_missing_is_said(void **state)
{
	(void)state;
	model_identity id;
	imgsearch_error err;
	assert_int_equal(ims_model_identify(&id, &(model_spec){ .name = "resnet152" }, &err),
		IMGSEARCH_EMODEL);
	assert_non_null(strstr(err.message, "none are given"));
	assert_non_null(strstr(err.message, "resnet152.safetensors, .pth or .pt"));
	assert_int_equal(ims_model_identify(&id, &(model_spec){ .name = "resnet5" }, &err),
		IMGSEARCH_EMODEL);
	assert_non_null(strstr(err.message, "unknown network"));
}

/* A TorchScript program runs only where the caller's own words ask for one. */
static void programs_must_be_asked_for(void **state)
{
	(void)state;
	static const struct {
		const char *model, *file;
		int rc;
	} cases[] = {
		{ "resnet18", "program.pth", IMGSEARCH_EMODEL },
		{ "resnet18", "program.safetensors", IMGSEARCH_EMODEL },
		{ "resnet18", "program.pt.pth", IMGSEARCH_EMODEL },
		{ "resnet18", "program", IMGSEARCH_EMODEL },
		{ NULL, "carded.pth", IMGSEARCH_EMODEL }, /* its card says "script" */
		{ "carded", "carded.pth", IMGSEARCH_EMODEL },
		{ "resnet18", "program.pt", 0 },
		{ "script", "program.pth", 0 },
		{ NULL, "carded.pt", 0 },
	};
	made_entry entry[2] = { { "m/data.pkl", { 0 } }, { "m/constants.pkl", { 0 } } };
	buf b = { 0 };
	put_archive(&b, entry, 2);
	put_text("carded.json", "{\"network\":\"script\",\"name\":\"carded\",\"dim\":48}");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		imgsearch_error err = { 0 };
		model_identity id;
		model *m = NULL;
		put_file(cases[i].file, b.data, b.len);
		char *path = at(cases[i].file);
		model_spec spec = { .name = cases[i].model, .weights = path };
		int rc = ims_model_identify(&id, &spec, &err);
		if (!rc)
			rc = ims_model_load(&m, &id, &spec, &err);
		if (rc != cases[i].rc)
			fail_msg("%s, %s: %d %s", cases[i].model ? cases[i].model : "", path, rc, err.message);
		if (rc)
			assert_non_null(strstr(err.message, "a TorchScript program"));
		ims_model_free(m);
		ims_model_identity_free(&id);
		ims_free(path);
	}
	ims_buf_free(&b);
}

static void recipes(void **state)
{
	(void)state;
	model_identity id;
	imgsearch_error err;
	model_spec spec = { .name = "resnet34", .recipe = { .crop = 300 } };
	assert_int_equal(ims_model_identify(&id, &spec, NULL), 0);
	assert_int_equal(id.recipe.resize, 300);
	assert_true(id.recipe.mean[0] == 0.485f && id.recipe.std[2] == 0.225f);
	ims_model_identity_free(&id);
	image_recipe lite = ims_network_recipe(ims_model_find("efficientnet_lite2"));
	assert_true(lite.resize == 292 && lite.crop == 260 && lite.bicubic);
	for (int i = 0; i < 3; i++)
		assert_true(fabsf(lite.mean[i] * 255 - 127) + fabsf(lite.std[i] * 255 - 128) < 1e-4);
	spec.recipe = (imgsearch_recipe){ .resize = 128,
		.interpolation = IMGSEARCH_INTERPOLATION_BICUBIC,
		.mean = { 0.5f, 0.5f, 0.5f },
		.std = { 1, 1, 1 } };
	assert_int_equal(ims_model_identify(&id, &spec, NULL), 0);
	assert_int_equal(id.recipe.crop, 128);
	assert_int_equal(id.recipe.bicubic, 1);
	assert_true(id.recipe.mean[0] == 0.5f);
	ims_model_identity_free(&id);
	spec.recipe = (imgsearch_recipe){ .resize = 100, .crop = 200 };
	assert_int_equal(ims_model_identify(&id, &spec, &err), IMGSEARCH_EINVAL);
	spec.recipe = (imgsearch_recipe){ .std = { 1, 0, 1 } };
	assert_int_equal(ims_model_identify(&id, &spec, &err), IMGSEARCH_EINVAL);
	spec.recipe = (imgsearch_recipe){ .resize = 100000 };
	assert_int_equal(ims_model_identify(&id, &spec, &err), IMGSEARCH_EINVAL);
}

static void identities_differ(void **state)
{
	(void)state;
	char why[128];
	model_identity a, b;
	model_spec spec = { .precision = IMGSEARCH_PRECISION_F32 };
	assert_int_equal(ims_model_identify(&a, &spec, NULL), 0);
	assert_int_equal(ims_model_identify(&b, &spec, NULL), 0);
	assert_true(ims_model_same(&a, &b, why, sizeof why));
	b.precision = IMGSEARCH_PRECISION_BF16;
	assert_false(ims_model_same(&a, &b, why, sizeof why));
	assert_string_equal(why, "precision f32, not bf16");
	b.precision = a.precision, b.recipe.crop++;
	assert_false(ims_model_same(&a, &b, why, sizeof why));
	b.recipe = a.recipe, b.weights_hash[0] ^= 1;
	assert_false(ims_model_same(&a, &b, why, sizeof why));
	ims_model_identity_free(&a);
	ims_model_identity_free(&b);
}

static void runs(void **state)
{
	(void)state;
	model_identity id;
	model *m;
	model_spec spec = { 0 };
	static float in[2 * 32 * 32 * 3], out[2 * 48];
	for (size_t i = 0; i < 32 * 32 * 3; i++)
		in[i] = 1, in[32 * 32 * 3 + i] = -1;
	assert_int_equal(ims_model_identify(&id, &spec, NULL), 0);
	assert_int_equal(ims_model_load(&m, &id, &spec, NULL), 0);
	assert_string_equal(ims_model_describe(m), "fake");
	assert_int_equal(ims_model_batch(m), 4);
	assert_int_equal(ims_model_run(m, in, 2, out, NULL), 0);
	assert_true(out[0] == 1 && out[47] == 1 && out[48] == -1);
	ims_model_free(m);
	ims_model_identity_free(&id);
}

static void known_hash(void **state)
{
	(void)state;
	model_identity id;
	char *path = at("mine.safetensors");
	model_spec spec = { .name = path, .known_hash = "ab12" };
	assert_int_equal(ims_model_identify(&id, &spec, NULL), 0);
	assert_int_equal(strlen(id.weights_hash), 64); /* of the file that `name` is */
	ims_model_identity_free(&id);
	spec = (model_spec){ .weights = path, .known_hash = "ab12" };
	assert_int_equal(ims_model_identify(&id, &spec, NULL), 0);
	assert_string_equal(id.weights_hash, "ab12");
	ims_model_identity_free(&id);
	ims_free(path);
}

/* Five crops, each with its mirror image, are one picture; others do not mix with it. */
static void averages_views(void **state)
{
	(void)state;
	enum { ONE = 32 * 32 * 3 };
	model_identity id;
	model *m;
	model_spec spec = { .recipe = { .crops = 5, .flip = 1 } };
	static float in[2 * 5 * ONE], out[2 * 48], inlined[2 * 48];
	for (size_t i = 0; i < 2 * 5; i++)
		for (size_t j = 0; j < ONE; j++)
			in[i * ONE + j] = (float)(i < 5 ? i * i : 100) + (j / 3 % 32 < 16 ? 0.0f : 8.0f);
	assert_int_equal(ims_model_identify(&id, &spec, NULL), 0);
	assert_int_equal(id.recipe.crops, 5);
	assert_int_equal(ims_model_load(&m, &id, &spec, NULL), 0);
	assert_int_equal(ims_model_run(m, in, 2, out, NULL), 0);
	assert_int_equal(ims_model_run_inline(m, in, 2, inlined, NULL), 0);
	assert_memory_equal(out, inlined, sizeof out);
	for (size_t d = 0; d < 48; d++)
		assert_true(out[d] == 6 + 4 && out[48 + d] == 100 + 4);
	ims_model_free(m);
	ims_model_identity_free(&id);
}

enum { CALLERS = 8, CALLS = 300, SLOT = 32 * 32 * 3 };

typedef struct caller {
	model *m;
	float in[3 * SLOT], out[3 * 48];
	int wrong;
	size_t number;
} caller;

/* One to three inputs a time, each of one value that only this call has. */
static void *call_often(void *arg)
{
	caller *c = arg;
	for (size_t call = 0; call < CALLS; call++) {
		size_t n = 1 + (call + c->number) % 3;
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < SLOT; j++)
				c->in[i * SLOT + j] = (float)(c->number * 1024 + call * 3 + i);
		if (ims_model_run(c->m, c->in, n, c->out, NULL))
			c->wrong++;
		for (size_t i = 0; i < n; i++)
			c->wrong += c->out[i * 48] != (float)(c->number * 1024 + call * 3 + i)
				|| c->out[i * 48 + 47] != c->out[i * 48];
	}
	ims_model_free(c->m);
	return NULL;
}

static void runs_for_many(void **state)
{
	(void)state;
	static caller caller[CALLERS];
	pthread_t thread[CALLERS];
	model_identity id;
	model_spec spec = { 0 };
	model *m;
	assert_int_equal(ims_model_identify(&id, &spec, NULL), 0);
	assert_int_equal(ims_model_load(&m, &id, &spec, NULL), 0);
	assert_int_equal(ims_model_dim(m), 48);
	for (size_t i = 0; i < CALLERS; i++) {
		caller[i] = (struct caller){ .m = ims_model_acquire(m), .number = i };
		assert_int_equal(pthread_create(&thread[i], NULL, call_often, &caller[i]), 0);
	}
	ims_model_free(m); /* the callers keep it */
	for (size_t i = 0; i < CALLERS; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(caller[i].wrong, 0);
	}
	ims_model_identity_free(&id);
}

static int count_one(void *user, const imgsearch_model *m)
{
	int *found = user;
	found[0]++;
	found[1] += m->weights != NULL;
	bool any_size = strstr(m->name, "clip_vit") && !strcmp(strstr(m->name, "clip_vit"), "clip_vit");
	assert_true(m->crop > 0 && (m->dim > 0) == !any_size);
	return 0;
}

static void the_list(void **state)
{
	(void)state;
	int found[2] = { 0, 0 };
	size_t networks;
	ims_model_list(&networks);
	assert_int_equal(ims_model_each(count_one, found, NULL), 0);
	assert_int_equal(found[0], networks + 1); /* and the default model */
	assert_int_equal(found[1], 2);            /* default, resnet34 */
}

static void failing_allocations(void **state)
{
	(void)state;
	model_identity id;
	model_spec spec = { 0 };
	imgsearch_error err;
	int rc = -1;
	for (uint64_t n = 1; rc; n++) {
		model *m = NULL;
		ims_alloc_fail_after(n);
		rc = ims_model_identify(&id, &spec, &err);
		if (!rc && (rc = ims_model_load(&m, &id, &spec, &err)))
			ims_model_identity_free(&id);
		ims_alloc_fail_after(0);
		ims_model_free(m);
		assert_true(!rc || rc == IMGSEARCH_ENOMEM);
		assert_true(n < 100);
	}
	ims_model_identity_free(&id);
}

static void cards(void **state)
{
	(void)state;
	static const struct {
		const char *text, *word;
	} bad[] = {
		{ "", "no JSON" },
		{ "[]", "no JSON" },
		{ "{", "no JSON" },
		{ "{\"network\":\"resnet18\"", "no JSON" },
		{ "{\"network\":\"resnet18\"}x", "follows" },
		{ "{}", "unknown network" },
		{ "{\"network\":7}", "\"network\"" },
		{ "{\"network\":\"resnet18\",\"resize\":0}", "\"resize\"" },
		{ "{\"network\":\"resnet18\",\"resize\":1e99}", "\"resize\"" },
		{ "{\"network\":\"resnet18\",\"crop\":300}", "larger" },
		{ "{\"network\":\"resnet18\",\"mean\":[1,2]}", "\"mean\"" },
		{ "{\"network\":\"resnet18\",\"mean\":[1,2,3,4]}", "\"mean\"" },
		{ "{\"network\":\"resnet18\",\"std\":[1,0,1]}", "\"std\"" },
		{ "{\"network\":\"resnet18\",\"interpolation\":\"nearest\"}", "\"interpolation\"" },
		{ "{\"network\":\"resnet18\",\"projection\":true}", "\"dim\"" },
		{ "{\"network\":\"script\"}", "\"dim\"" },
		{ "{\"network\":\"resnet18\",\"x\":[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]}", "deep" },
		{ "{\"network\":\"resnet18\",\"note\":\"a\nb\"}", "\"note\"" },
		{ "{\"network\":\"resnet18\",\"dim\":01}", "\"dim\"" },
		{ "{\"network\":\"resnet18\",\"squash\":1}", "\"squash\"" },
		{ "{\"network\":\"resnet18\",\"crops\":3}", "\"crops\"" },
		{ "{\"network\":\"resnet18\",\"crops\":5,\"squash\":true}", "one crop" },
		{ "{\"network\":\"resnet18\",\"pooling\":\"sum\"}", "\"pooling\"" },
		{ "{\"network\":\"resnet18\",\"pooling\":\"default\"}", "\"pooling\"" },
		{ "{\"network\":\"resnet18\",\"squash\":true,\"resize\":256,\"crop\":224}", "squashed" },
		{ "{\"network\":\"resnet18\",\"scene_score\":0}", "\"scene_score\"" },
		{ "{\"network\":\"resnet18\",\"scene_score\":1.5}", "\"scene_score\"" },
		{ "{\"network\":\"resnet18\",\"scene_score\":\"low\"}", "\"scene_score\"" },
		{ "{\"network\":\"clip_vit_b32\",\"template\":\"a photo\"}", "\"template\"" },
	};
	model_card card, again;
	imgsearch_error err;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(ims_card_parse(&card, bad[i].text, strlen(bad[i].text), &err),
			IMGSEARCH_EFORMAT);
		if (!strstr(err.message, bad[i].word))
			fail_msg("%s: %s", bad[i].text, err.message);
	}
	static const char good[] = "{\"network\":\"efficientnet_b1\",\"name\":\"two \\\"words\\\""
							   " \\u00e9\\ud83d\\ude00\",\"later\":{\"a\":[null,-1.5e3]},"
							   "\"mean\":[0.481,-0.45,0.5],\"std\":[0.25,1,127.5],\"dim\":256,"
							   "\"projection\":true,\"licence\":\"MIT\",\"scene_score\":0.78,"
							   "\"squash\":true,\"crop\":240,\"pooling\":\"gem\"}";
	assert_int_equal(ims_card_parse(&card, good, sizeof good - 1, NULL), 0);
	assert_string_equal(card.name, "two \"words\" \xc3\xa9\xf0\x9f\x98\x80");
	assert_int_equal(card.recipe.crop, 240);
	assert_true(card.recipe.mean[0] == 0.481f && card.recipe.std[2] == 127.5f);
	buf text = { 0 };
	assert_int_equal(ims_card_text(&text, &card), 0);
	assert_int_equal(ims_card_parse(&again, text.data, text.len, NULL), 0);
	assert_memory_equal(&card, &again, sizeof card);
	ims_buf_free(&text);
}

static void scene_scores(void **state)
{
	(void)state;
	model_card card;
	model_identity id;
	model_spec spec = { 0 };
	assert_int_equal(ims_card_read(&card, "lib/model/default.safetensors", NULL), 0);
	assert_true(card.scene_score == 0.78f); /* the shipped model */
	assert_int_equal(ims_model_identify(&id, &spec, NULL), 0);
	assert_true(id.scene_score == (float)IMGSEARCH_SCENE_SCORE_DEFAULT);
	ims_model_identity_free(&id);
	put_file("spread.safetensors", "\2\0\0\0\0\0\0\0{}", 10);
	put_text("spread.json", "{\"network\":\"resnet18\",\"scene_score\":0.625}");
	char *path = at("spread.safetensors");
	spec.name = path;
	assert_int_equal(ims_model_identify(&id, &spec, NULL), 0);
	assert_true(id.scene_score == 0.625f);
	ims_model_identity_free(&id);
	ims_free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_model),
		cmocka_unit_test(by_name_and_folder),
		cmocka_unit_test(by_path),
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(programs_must_be_asked_for),
		cmocka_unit_test(recipes),
		cmocka_unit_test(identities_differ),
		cmocka_unit_test(runs),
		cmocka_unit_test(known_hash),
		cmocka_unit_test(averages_views),
		cmocka_unit_test(runs_for_many),
		cmocka_unit_test(the_list),
		cmocka_unit_test(failing_allocations),
		cmocka_unit_test(squashed),
		cmocka_unit_test(cards),
		cmocka_unit_test(scene_scores),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
