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

static void write_weights(const char *name, const char *bias_name)
{
	shim_tensor t[] = {
		{ .name = name, .data = weight, .dtype = SHIM_F32, .ndim = 2, .shape = { CLASSES, DIM } },
		{ .name = bias_name, .data = bias, .dtype = SHIM_F32, .ndim = 1, .shape = { CLASSES } },
	};
	assert_int_equal(ims_safetensors_write(path, t, 2, NULL), 0);
}

static void probabilities(void **state)
{
	static const char *const names[][2] = {
		{ "fc.weight", "fc.bias" },
		{ "classifier.1.weight", "classifier.1.bias" },
	};
	float feature[DIM], out[CLASSES];
	(void)state;
	for (size_t k = 0; k < DIM; k++) {
		feature[k] = (float)k / 7 - 0.4f;
		for (size_t i = 0; i < CLASSES; i++)
			weight[i][k] = (float)((i * 5 + k * 3) % 13) / 4 - 1;
	}
	for (size_t n = 0; n < 2; n++) {
		classifier c;
		double p[CLASSES], sum = 0;
		write_weights(names[n][0], names[n][1]);
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
	write_weights("fc.weight", "fc.bias");
	assert_int_equal(ims_classifier_open(&c, path, DIM + 1, NULL), 0);
	assert_int_equal(c.n, 0);
	write_weights("layer4.weight", "layer4.bias");
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
