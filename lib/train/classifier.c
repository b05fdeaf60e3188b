/*
 * Class probabilities are softened by a temperature (Hinton, Vinyals, Dean, "Distilling the
 * knowledge in a neural network", arXiv:1503.02531, 2015). Their square roots are a row of length
 * 1, and the inner product of two such rows is the Bhattacharyya coefficient of the distributions.
 */
#include "train/classifier.h"

#include "model/weights.h"

#include <math.h>
#include <string.h>

static const float temperature = 2;

/* A tensor of that name and rank in f32 or f16; NULL: there is none. */
static const shim_tensor *find(const weights *w, const char *name, uint32_t ndim)
{
	for (size_t i = 0; i < w->n; i++) {
		const shim_tensor *t = &w->tensor[i];
		if (!strcmp(t->name, name))
			return (t->dtype == SHIM_F32 || t->dtype == SHIM_F16) && t->ndim == ndim ? t : NULL;
	}
	return NULL;
}

static float from_half(uint16_t h)
{
	int exponent = h >> 10 & 31, fraction = h & 1023;
	float size = exponent == 31 ? (fraction ? NAN : INFINITY)
		: exponent              ? ldexpf((float)(1024 + fraction), exponent - 25)
								: ldexpf((float)fraction, -24);
	return h & 0x8000 ? -size : size;
}

/* The first n values of a tensor that `find` gave. */
static void copy_values(float *out, const shim_tensor *t, size_t n)
{
	if (t->dtype == SHIM_F32)
		memcpy(out, t->data, n * sizeof *out);
	else
		for (size_t i = 0; i < n; i++)
			out[i] = from_half(((const uint16_t *)t->data)[i]);
}

int ims_classifier_open(classifier *c, const char *path, size_t dim, imgsearch_error *err)
{
	static const char *const names[][2] = {
		{ "fc.weight", "fc.bias" },
		{ "classifier.1.weight", "classifier.1.bias" },
		{ "classifier.weight", "classifier.bias" },
		{ "_fc.weight", "_fc.bias" },
	};
	weights w = { 0 };
	*c = (classifier){ .dim = dim };
	int rc = ims_weights_open(&w, path, err);
	for (size_t i = 0; !rc && i < sizeof names / sizeof *names; i++) {
		const shim_tensor *weight = find(&w, names[i][0], 2), *bias = find(&w, names[i][1], 1);
		if (!weight || !bias || weight->shape[1] != (int64_t)dim
			|| weight->shape[0] != bias->shape[0] || weight->shape[0] < 2)
			continue;
		c->n = (size_t)weight->shape[0];
		c->weight = ims_alloc(c->n, dim * sizeof *c->weight);
		c->bias = ims_alloc(c->n, sizeof *c->bias);
		if (!c->weight || !c->bias) {
			rc = ims_nomem(err);
			break;
		}
		copy_values(c->weight, weight, c->n * dim);
		copy_values(c->bias, bias, c->n);
		break;
	}
	ims_weights_free(&w);
	return rc;
}

void ims_classifier_close(classifier *c)
{
	ims_free(c->weight);
	ims_free(c->bias);
	*c = (classifier){ 0 };
}

void ims_classifier_run(const classifier *c, const float *feature, float *out)
{
	float most = -INFINITY;
	double sum = 0;
	for (size_t i = 0; i < c->n; i++) {
		const float *w = c->weight + i * c->dim;
		float part[8] = { 0 }; /* eight sums, which the compiler can vectorise */
		size_t k = 0;
		for (; k + 8 <= c->dim; k += 8)
			for (size_t j = 0; j < 8; j++)
				part[j] += w[k + j] * feature[k + j];
		for (; k < c->dim; k++)
			part[0] += w[k] * feature[k];
		out[i] = c->bias[i] + ((part[0] + part[1]) + (part[2] + part[3]))
			+ ((part[4] + part[5]) + (part[6] + part[7]));
		most = out[i] > most ? out[i] : most;
	}
	for (size_t i = 0; i < c->n; i++) {
		/* The root of the probability, up to a factor. */
		out[i] = expf((out[i] - most) / temperature / 2);
		sum += (double)out[i] * (double)out[i];
	}
	for (size_t i = 0; i < c->n; i++)
		out[i] *= (float)(1 / sqrt(sum));
}
