/* What a classifier says of its classes, against the definition. */
#include "test.h"
#include "model/safetensors.h"
#include "train/classifier.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DIM = 11, CLASSES = 3 };

static char path[] = "/tmp/imgsearch-classes-XXXXXX";
static float weight[CLASSES][DIM], bias[CLASSES] = { 0.5f, -1, 2 };

/* Quarters up to 2 are exact in half precision. */
static uint16_t half(float v)
{
	int exponent;
	float fraction = frexpf(fabsf(v), &exponent);
	return (uint16_t)((v < 0 ? 0x8000 : 0)
		+ (v == 0 ? 0 : (exponent + 14) * 1024 + (int)(fraction * 2048) - 1024));
}

static void write_weights(const char *name, const char *bias_name, uint32_t type)
{
	uint16_t half_weight[CLASSES][DIM], half_bias[CLASSES];
	for (size_t i = 0; i < CLASSES; i++) {
		half_bias[i] = half(bias[i]);
		for (size_t k = 0; k < DIM; k++)
			half_weight[i][k] = half(weight[i][k]);
	}
	bool small = type == SHIM_F16;
	const void *w = small ? (void *)half_weight : weight, *b = small ? half_bias : (void *)bias;
	shim_tensor t[] = {
		{ .name = name, .data = w, .dtype = type, .ndim = 2, .shape = { CLASSES, DIM } },
		{ .name = bias_name, .data = b, .dtype = type, .ndim = 1, .shape = { CLASSES } },
	};
	assert_int_equal(ims_safetensors_write(path, t, 2, NULL), 0);
}

static void probabilities(void **state)
{
	static const struct {
		const char *weight, *bias;
		uint32_t type;
	} files[] = {
		{ "fc.weight", "fc.bias", SHIM_F32 },
		{ "classifier.1.weight", "classifier.1.bias", SHIM_F32 },
		{ "classifier.weight", "classifier.bias", SHIM_F32 },
		{ "_fc.weight", "_fc.bias", SHIM_F16 },
	};
	float feature[DIM], out[CLASSES];
	(void)state;
	for (size_t k = 0; k < DIM; k++) {
		feature[k] = (float)k / 7 - 0.4f;
		for (size_t i = 0; i < CLASSES; i++)
			weight[i][k] = (float)((i * 5 + k * 3) % 13) / 4 - 1;
	}
	for (size_t n = 0; n < sizeof files / sizeof *files; n++) {
		classifier c;
		double p[CLASSES], sum = 0;
		write_weights(files[n].weight, files[n].bias, files[n].type);
		assert_int_equal(ims_classifier_open(&c, path, DIM, NULL), 0);
		assert_int_equal(c.n, CLASSES);
		ims_classifier_run(&c, feature, out);
		for (size_t i = 0; i < CLASSES; i++) {
			double logit = bias[i];
			for (size_t k = 0; k < DIM; k++)
				logit += (double)weight[i][k] * feature[k];
			sum += p[i] = exp(logit / 2);
		}
		for (size_t i = 0; i < CLASSES; i++)
			assert_true(fabs(out[i] - sqrt(p[i] / sum)) < 1e-5);
		ims_classifier_close(&c);
	}
}

static void none(void **state)
{
	classifier c;
	(void)state;
	write_weights("fc.weight", "fc.bias", SHIM_F32);
	assert_int_equal(ims_classifier_open(&c, path, DIM + 1, NULL), 0);
	assert_int_equal(c.n, 0);
	write_weights("layer4.weight", "layer4.bias", SHIM_F32);
	assert_int_equal(ims_classifier_open(&c, path, DIM, NULL), 0);
	assert_int_equal(c.n, 0);
	write_weights("fc.weight", "fc.bias", SHIM_BF16);
	assert_int_equal(ims_classifier_open(&c, path, DIM, NULL), 0);
	assert_int_equal(c.n, 0);
	ims_classifier_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(probabilities), cmocka_unit_test(none) };
	int fd = mkstemp(path);
	int failed = fd < 0 || cmocka_run_group_tests(tests, NULL, NULL);
	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
	return failed;
}
