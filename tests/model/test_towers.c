/*
 * CLIP of any size, and text towers: shapes that are read from the tensors, what is found by
 * them, tokens behind the end of a text, and what is refused.
 */
#include "model/shim_load.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST = 400, WIDTH = 64, CONTEXT = 5, VOCABULARY = 10, JOINT = 8, TEXTS = 3 };
enum { EVALUE = IMGSEARCH_EINVAL, EMODEL = IMGSEARCH_EMODEL, ENONE = IMGSEARCH_EUNSUPPORTED };

typedef struct state_dict {
	shim_tensor tensor[MOST];
	size_t n;
} state_dict;

static const shim_table *shim;

/* ------------------------------------------------------------------------------ state dicts --- */

/* Small values that differ; none where there would be too many, and the shape is enough. */
static float *values(size_t n)
{
	float *out = n < 100000 ? ims_alloc(n, sizeof *out) : NULL;
	for (size_t i = 0; out && i < n; i++)
		out[i] = (float)(i * 7919 % 1009) / 5045 - 0.1f;
	return out;
}

/* Ends with a dimension of 0. */
static void add(state_dict *s, const char *prefix, const char *name, const int64_t *shape)
{
	assert_true(s->n < MOST);
	shim_tensor *t = &s->tensor[s->n++];
	size_t n = 1;
	*t = (shim_tensor){ .name = ims_format("%s%s", prefix, name), .dtype = SHIM_F32 };
	assert_non_null(t->name);
	for (; shape[t->ndim]; t->ndim++) {
		t->shape[t->ndim] = shape[t->ndim];
		n *= (size_t)shape[t->ndim];
	}
	t->data = values(n);
}

#define ADD(s, prefix, name, ...) add(s, prefix, name, (const int64_t[]){ __VA_ARGS__, 0 })

static void add_pair(state_dict *s, const char *prefix, const char *name, int64_t out, int64_t in)
{
	char *weight = ims_format("%s.weight", name), *bias = ims_format("%s.bias", name);
	assert_true(weight && bias);
	if (in)
		ADD(s, prefix, weight, out, in);
	else
		ADD(s, prefix, weight, out);
	ADD(s, prefix, bias, out);
	ims_free(weight);
	ims_free(bias);
}

static void add_blocks(state_dict *s, const char *prefix, int64_t width, int depth)
{
	for (int i = 0; i < depth; i++) {
		char *block = ims_format("%stransformer.resblocks.%d.", prefix, i);
		assert_non_null(block);
		add_pair(s, block, "ln_1", width, 0);
		ADD(s, block, "attn.in_proj_weight", 3 * width, width);
		ADD(s, block, "attn.in_proj_bias", 3 * width);
		add_pair(s, block, "attn.out_proj", width, width);
		add_pair(s, block, "ln_2", width, 0);
		add_pair(s, block, "mlp.c_fc", 4 * width, width);
		add_pair(s, block, "mlp.c_proj", width, 4 * width);
		ims_free(block);
	}
}

static void add_pictures(state_dict *s, int64_t width, int depth, int64_t patch, int64_t grid,
	int64_t joint)
{
	ADD(s, "visual.", "class_embedding", width);
	ADD(s, "visual.", "positional_embedding", 1 + grid * grid, width);
	ADD(s, "visual.", "conv1.weight", width, 3, patch, patch);
	add_pair(s, "visual.", "ln_pre", width, 0);
	add_blocks(s, "visual.", width, depth);
	add_pair(s, "visual.", "ln_post", width, 0);
	ADD(s, "visual.", "proj", width, joint);
}

static void add_words(state_dict *s, int64_t width)
{
	ADD(s, "", "token_embedding.weight", VOCABULARY, width);
	ADD(s, "", "positional_embedding", CONTEXT, width);
	add_blocks(s, "", width, 2);
	add_pair(s, "", "ln_final", width, 0);
	ADD(s, "", "text_projection", width, JOINT);
}

static void drop(state_dict *s, size_t i)
{
	ims_free((void *)s->tensor[i].data);
	ims_free((void *)s->tensor[i].name);
	s->tensor[i] = s->tensor[--s->n];
}

static void drop_named(state_dict *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->tensor[i].name, name)) {
			drop(s, i);
			return;
		}
	fail_msg("no tensor %s", name);
}

static void drop_all(state_dict *s)
{
	while (s->n)
		drop(s, 0);
}

/* ------------------------------------------------------------------------------------ nets ---- */

static int make(shim_net **net, const char *network, bool words, const state_dict *s,
	shim_message *msg)
{
	shim_config c = { .network = network, .device = "cpu", .threads = 1, .crop = 16 };
	c.words = words;
	msg->text[0] = 0;
	return shim->net_new(net, &c, s->tensor, s->n, NULL, msg);
}

static shim_net *made(const char *network, bool words, const state_dict *s)
{
	shim_message msg;
	shim_net *net;
	if (make(&net, network, words, s, &msg))
		fail_msg("%s", msg.text);
	return net;
}

static void is_refused(const char *network, bool words, const state_dict *s, int code,
	const char *part)
{
	shim_message msg;
	shim_net *net;
	assert_int_equal(make(&net, network, words, s, &msg), code);
	if (!strstr(msg.text, part))
		fail_msg("\"%s\" does not say \"%s\"", msg.text, part);
}

static void run(shim_net *net, const int32_t *tokens, const uint32_t *used, size_t n, float *out)
{
	shim_message msg;
	if (shim->net_run_words(net, tokens, used, n, out, &msg))
		fail_msg("%s", msg.text);
}

static bool alike(const float *a, const float *b)
{
	for (size_t i = 0; i < JOINT; i++)
		if (!(fabsf(a[i] - b[i]) < 1e-4f))
			return false;
	return true;
}

/* ----------------------------------------------------------------------------------- tests ---- */

static void shapes_are_those_of_the_tensors(void **state)
{
	state_dict s = { .n = 0 };
	float *in = values((size_t)16 * 16 * 3), out[JOINT];
	shim_message msg;
	(void)state;
	add_pictures(&s, WIDTH, 2, 4, 4, JOINT);
	add_words(&s, 2 * WIDTH);
	shim_net *net = made("clip_vit", false, &s);
	assert_int_equal(shim->net_dim(net), JOINT);
	assert_int_equal(shim->net_context(net), 0);
	assert_int_equal(shim->net_vocabulary(net), 0);
	assert_int_equal(shim->net_run(net, in, 1, 1, out, &msg), 0);
	assert_true(isfinite(out[0]));
	shim->net_free(net);
	net = made("openclip_vit", true, &s);
	assert_int_equal(shim->net_dim(net), JOINT);
	assert_int_equal(shim->net_context(net), CONTEXT);
	assert_int_equal(shim->net_vocabulary(net), VOCABULARY);
	shim->net_free(net);
	ims_free(in);
	drop_all(&s);
}

static int find(const state_dict *s, uint8_t fits[4])
{
	static const char *const names[] = { "clip_vit", "clip_vit_b32", "openclip_vit_b32",
		"openclip_vit" };
	shim_message msg;
	return shim->net_find(names, 4, s->tensor, s->n, NULL, fits, &msg);
}

static void any_size_is_the_last_resort(void **state)
{
	state_dict s = { .n = 0 };
	uint8_t fits[4];
	(void)state;
	add_pictures(&s, 768, 12, 32, 7, 512);
	assert_int_equal(find(&s, fits), 0);
	assert_memory_equal(fits, ((uint8_t[]){ 0, 1, 1, 0 }), 4);
	drop_all(&s);
	add_pictures(&s, 768, 12, 32, 8, 512);
	assert_int_equal(find(&s, fits), 0);
	assert_memory_equal(fits, ((uint8_t[]){ 1, 0, 0, 1 }), 4);
	drop_named(&s, "visual.proj");
	assert_int_equal(find(&s, fits), EMODEL);
	drop_all(&s);
	add_pictures(&s, 100, 1, 4, 4, JOINT);
	assert_int_equal(find(&s, fits), EMODEL);
	is_refused("clip_vit", false, &s, EMODEL, "width of 100");
	drop_all(&s);
}

static void only_the_text_counts(void **state)
{
	static const int32_t tokens[TEXTS * CONTEXT] = { 8, 3, 9, 0, 0, 8, 3, 9, 7, 7, 8, 9, 0, 0, 0 };
	static const uint32_t used[TEXTS] = { 3, 3, 2 };
	state_dict s = { .n = 0 };
	float out[TEXTS * JOINT], alone[JOINT];
	(void)state;
	add_words(&s, WIDTH);
	shim_net *net = made("clip_vit", true, &s);
	run(net, tokens, used, TEXTS, out);
	assert_true(alike(out, out + JOINT));
	assert_false(alike(out, out + 2 * JOINT));
	run(net, tokens + 2 * CONTEXT, used + 2, 1, alone);
	assert_true(alike(out + 2 * JOINT, alone));
	shim->net_free(net);
	drop_all(&s);
}

/* Where the padding counts, the number of used tokens does not. */
static void padding_counts_without_a_causal_mask(void **state)
{
	static const int32_t tokens[TEXTS * CONTEXT] = { 8, 3, 9, 0, 0, 8, 3, 9, 7, 7, 8, 3, 9, 0, 0 };
	static const uint32_t used[TEXTS] = { 3, 3, 5 };
	state_dict s = { .n = 0 };
	float out[TEXTS * JOINT];
	(void)state;
	add_words(&s, 96);
	ADD(&s, "", "text_projection.weight", JOINT, 96);
	ADD(&s, "", "text_projection.bias", JOINT);
	drop_named(&s, "text_projection");
	shim_net *net = made("siglip_b16_224", true, &s);
	run(net, tokens, used, TEXTS, out);
	assert_false(alike(out, out + JOINT));
	assert_true(alike(out, out + 2 * JOINT));
	shim->net_free(net);
	drop_named(&s, "text_projection.bias");
	is_refused("siglip_b16_224", true, &s, EMODEL, "missing text_projection.bias");
	drop_all(&s);
}

static void is_no_text(shim_net *net, int32_t token, uint32_t used, const char *part)
{
	int32_t tokens[CONTEXT] = { 8, token };
	float out[JOINT];
	shim_message msg;
	assert_int_equal(shim->net_run_words(net, tokens, &used, 1, out, &msg), EVALUE);
	if (!strstr(msg.text, part))
		fail_msg("\"%s\" does not say \"%s\"", msg.text, part);
}

static void bad_texts_are_refused(void **state)
{
	state_dict s = { .n = 0 };
	float out[JOINT], in[3] = { 0 };
	shim_message msg;
	(void)state;
	add_words(&s, WIDTH);
	shim_net *net = made("openclip_vit", true, &s);
	is_no_text(net, -1, 2, "token -1");
	is_no_text(net, VOCABULARY, 2, "token 10");
	is_no_text(net, VOCABULARY, 1, "token 10");
	is_no_text(net, 1, 0, "a text of 0 tokens");
	is_no_text(net, 1, CONTEXT + 1, "a text of 6 tokens");
	assert_int_equal(shim->net_run(net, in, 1, 1, out, &msg), EVALUE);
	shim->net_free(net);
	drop_all(&s);
	add_pictures(&s, WIDTH, 1, 4, 4, JOINT);
	net = made("openclip_vit", false, &s);
	is_no_text(net, 1, 2, "takes no words");
	shim->net_free(net);
	drop_all(&s);
}

static void what_has_no_words_says_so(void **state)
{
	state_dict s = { .n = 0 };
	(void)state;
	add_pictures(&s, WIDTH, 1, 4, 4, JOINT);
	is_refused("clip_vit", true, &s, ENONE, "the weights have no text tower");
	is_refused("resnet18", true, &s, ENONE, "\"resnet18\" has no text tower");
	is_refused("script", true, &s, ENONE, "no text tower");
	is_refused("nothing", true, &s, ENONE, "\"nothing\" has no text tower");
	add_words(&s, WIDTH);
	drop_named(&s, "ln_final.bias");
	is_refused("clip_vit", true, &s, EMODEL, "missing ln_final.bias");
	drop_all(&s);
	add_words(&s, 96);
	is_refused("clip_vit", true, &s, EMODEL, "width of 96");
	drop_all(&s);
}

/* The real shim, which lies in the build folder. */
static bool find_shim(void)
{
	char path[1000];
	const char *b = getenv("B");
	imgsearch_error err = { 0 };
	snprintf(path, sizeof path, "%s/imgsearch-shim.so", b ? b : "build");
	setenv("OMP_WAIT_POLICY", "passive", 1);
	return !access(path, R_OK) && !setenv("IMGSEARCH_LIBDIR", b ? b : "build", 1)
		&& !ims_shim_load(&shim, &err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes_are_those_of_the_tensors),
		cmocka_unit_test(any_size_is_the_last_resort),
		cmocka_unit_test(only_the_text_counts),
		cmocka_unit_test(padding_counts_without_a_causal_mask),
		cmocka_unit_test(bad_texts_are_refused),
		cmocka_unit_test(what_has_no_words_says_so),
	};
	if (!find_shim()) {
		puts("1..0 # SKIP the shim was not built (libtorch is missing)");
		return 0;
	}
	return cmocka_run_group_tests_name("towers", tests, NULL, NULL);
}
