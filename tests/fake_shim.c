/*
 * A shim without libtorch for tests: whatever the network and weights, the feature is the mean
 * colour of the cells of a grid over the input, as many as the dimension needs. Cheap, the same for
 * every batch size, alike for alike pictures. Point IMGSEARCH_LIBDIR at build/tests/lib to use it;
 * its default model takes 32 x 32 inputs and gives 48 values.
 *
 * A test of the command sets FAKE_RUN and FAKE_SIGNAL: the process raises this signal at the
 * beginning of that run of the network, counted from 1. With FAKE_REFUSES no network can be loaded.
 * FAKE_FITS names the networks that any tensors fit.
 * The number of inputs of every run is appended to the file FAKE_COUNT, a line each. A run takes
 * FAKE_MS (0) milliseconds.
 * It has every device but "cuda:99".
 *
 * Its text tower takes texts of FAKE_CONTEXT tokens (64) out of FAKE_VOCABULARY (400). A token
 * from 300 on is a colour, which all cells of the feature have: bits 0, 1 and 2 of id - 300 are
 * red, green and blue, 1 where they are set, else -1. Any other token adds a little of its own, but
 * for 0 to 3. Every text is FAKE_GAP (0) away from all pictures, on an axis that no picture of one
 * colour has. With FAKE_WORDLESS there is no such tower.
 */
#define IMS_SHIM_IMPLEMENTATION
#include "shim/shim.h"

#include <signal.h>
#include <unistd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tests find this by dlsym: called at the beginning of every run, with the number of inputs. */
__attribute__((visibility("default"))) void (*ims_fake_on_run)(size_t n);

/* The same for texts. */
__attribute__((visibility("default"))) void (*ims_fake_on_words)(size_t n);

struct shim_net {
	uint32_t crop, dim, grid;
	uint32_t context, vocabulary; /* 0: no text tower */
};

static uint32_t number(const char *variable, uint32_t otherwise)
{
	const char *text = getenv(variable);
	return text ? (uint32_t)atoi(text) : otherwise;
}

static int net_new(shim_net **out, const shim_config *c, const shim_tensor *tensors, size_t n,
	const char *script, shim_message *msg)
{
	(void)tensors, (void)n, (void)script;
	if (!strcmp(c->device, "cuda:99")) {
		snprintf(msg->text, sizeof msg->text, "device %s: not there", c->device);
		return -7;
	}
	const char *refuses = getenv("FAKE_REFUSES");
	if (refuses) {
		if (strcmp(refuses, "silently"))
			snprintf(msg->text, sizeof msg->text, "the weights belong to another network");
		return -7;
	}
	if (c->words && getenv("FAKE_WORDLESS")) {
		snprintf(msg->text, sizeof msg->text, "there is no text tower among the tensors");
		return -10;
	}
	shim_net *net = malloc(sizeof *net);
	if (!net || !c->crop) {
		free(net);
		snprintf(msg->text, sizeof msg->text, "the fake network got no crop");
		return -7;
	}
	*net = (shim_net){ .crop = c->crop, .dim = c->dim ? c->dim : 48, .grid = 1 };
	if (c->words) {
		net->context = number("FAKE_CONTEXT", 64);
		net->vocabulary = number("FAKE_VOCABULARY", 400);
	}
	while (net->grid * net->grid * 3 < net->dim)
		net->grid++;
	*out = net;
	return 0;
}

static void net_free(shim_net *net)
{
	free(net);
}

/* Those that FAKE_FITS names, with a space behind each; all where it is not set. */
static int net_find(const char *const *names, size_t n_names, const shim_tensor *tensors, size_t n,
	const char *script, uint8_t *fits, shim_message *msg)
{
	const char *list = getenv("FAKE_FITS");
	char name[80];
	int found = 0;
	(void)tensors, (void)n, (void)script;
	for (size_t i = 0; i < n_names; i++) {
		snprintf(name, sizeof name, "%s ", names[i]);
		const char *at = list ? strstr(list, name) : name;
		fits[i] = at && (!list || at == list || at[-1] == ' ');
		found += fits[i];
	}
	if (!found)
		snprintf(msg->text, sizeof msg->text, "resnet18: missing fc.weight");
	return found ? 0 : -7;
}

static uint32_t net_dim(const shim_net *net)
{
	return net->dim;
}

static float cell_mean(const shim_net *net, const float *in, uint32_t cell, uint32_t channel)
{
	uint32_t g = net->grid, crop = net->crop, row = cell / g, column = cell % g;
	uint32_t y0 = row * crop / g, y1 = (row + 1) * crop / g, x0 = column * crop / g,
			 x1 = (column + 1) * crop / g;
	double sum = 0;
	if (y1 <= y0)
		y1 = y0 + 1;
	if (x1 <= x0)
		x1 = x0 + 1;
	for (uint32_t y = y0; y < y1; y++)
		for (uint32_t x = x0; x < x1; x++)
			sum += in[((size_t)y * crop + x) * 3 + channel];
	return (float)(sum / ((double)(y1 - y0) * (x1 - x0)));
}

static void raise_in_time(void)
{
	static atomic_int runs;
	const char *run = getenv("FAKE_RUN"), *number = getenv("FAKE_SIGNAL");
	if (run && number && atomic_fetch_add(&runs, 1) + 1 == atoi(run))
		kill(getpid(), atoi(number));
}

static void count(size_t n)
{
	const char *path = getenv("FAKE_COUNT");
	FILE *f = path ? fopen(path, "ae") : NULL;
	if (!f)
		return;
	fprintf(f, "%zu\n", n);
	fclose(f);
}

static int net_run(shim_net *net, const float *in, size_t n, uint32_t threads, float *out,
	shim_message *msg)
{
	(void)msg, (void)threads;
	if (ims_fake_on_run)
		ims_fake_on_run(n);
	raise_in_time();
	count(n);
	usleep(1000 * number("FAKE_MS", 0));
	for (size_t i = 0; i < n; i++)
		for (uint32_t d = 0; d < net->dim; d++)
			out[i * net->dim + d] = cell_mean(net, in + i * net->crop * net->crop * 3, d / 3,
				d % 3);
	return 0;
}

static float word_value(int32_t token, uint32_t d)
{
	uint32_t mixed = ((uint32_t)token * 2654435761u) ^ (d * 2246822519u);
	if (token >= 300)
		return (token - 300) >> d % 3 & 1 ? 1 : -1;
	mixed = (mixed ^ mixed >> 15) * 2246822519u;
	return token < 4 ? 0 : 0.02f * ((float)(mixed >> 8) / (1 << 23) - 1);
}

static int net_run_words(shim_net *net, const int32_t *tokens, const uint32_t *used, size_t n,
	float *out, shim_message *msg)
{
	if (ims_fake_on_words)
		ims_fake_on_words(n);
	for (size_t d = 0; d < n * net->dim; d++) /* a cell has three values */
		out[d] = d % net->dim / 3 % 2 ? (float)number("FAKE_GAP", 0)
									  : -(float)number("FAKE_GAP", 0);
	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < used[i]; k++) {
			int32_t token = tokens[i * net->context + k];
			if (token < 0 || (uint32_t)token >= net->vocabulary) {
				snprintf(msg->text, sizeof msg->text, "token %d", token);
				return -1;
			}
			for (uint32_t d = 0; d < net->dim; d++)
				out[i * net->dim + d] += word_value(token, d);
		}
	return 0;
}

static uint32_t net_context(const shim_net *net)
{
	return net->context;
}

static uint32_t net_vocabulary(const shim_net *net)
{
	return net->vocabulary;
}

static uint32_t net_concurrency(const shim_net *net)
{
	(void)net;
	return 3;
}

static size_t net_batch(const shim_net *net)
{
	(void)net;
	return 4;
}

static void net_describe(const shim_net *net, char *text, size_t size)
{
	(void)net;
	snprintf(text, size, "fake");
}

const shim_table *ims_shim(uint32_t abi)
{
	static const shim_table table = {
		IMS_SHIM_ABI,
		sizeof table,
		net_new,
		net_free,
		net_find,
		net_dim,
		net_run,
		net_run_words,
		net_context,
		net_vocabulary,
		net_concurrency,
		net_batch,
		net_describe,
		NULL,
	};
	return abi == IMS_SHIM_ABI ? &table : NULL;
}
