/*
 * For the golden test: runs a text tower.
 *	text_features NETWORK WEIGHTS f32|bf16 THREADS CONTEXT N IN OUT [REPEAT]
 * IN: for each of the N texts how many tokens it has and CONTEXT tokens, i32; OUT gets (N, dim)
 * f32. Prints how many tokens there are; with REPEAT also the speed.
 */
#include "base/clock.h"
#include "model/shim_load.h"
#include "model/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct texts {
	size_t n, context;
	uint32_t *used;  /* n */
	int32_t *tokens; /* (n, context) */
} texts;

static bool read_texts(texts *t, const char *path)
{
	t->used = ims_alloc(t->n, sizeof *t->used);
	t->tokens = ims_alloc(t->n * t->context, sizeof *t->tokens);
	FILE *f = fopen(path, "rb");
	bool good = f && t->used && t->tokens;
	for (size_t i = 0; good && i < t->n; i++)
		good = fread(&t->used[i], sizeof *t->used, 1, f) == 1
			&& fread(t->tokens + i * t->context, sizeof *t->tokens, t->context, f) == t->context;
	if (f)
		fclose(f);
	return good;
}

static int write_features(const char *path, const float *out, size_t n)
{
	FILE *f = fopen(path, "wb");
	bool good = f && fwrite(out, sizeof *out, n, f) == n;
	return (f && fclose(f)) || !good;
}

static int run(const shim_table *shim, shim_net *net, texts *t, char **argv, shim_message *msg)
{
	int repeat = argv[9] ? atoi(argv[9]) : 0;
	size_t n = t->n * shim->net_dim(net);
	float *out = ims_alloc(n, sizeof *out);
	if (!out || !read_texts(t, argv[7]) || t->context != shim->net_context(net)) {
		snprintf(msg->text, sizeof msg->text, "%s: not texts of %u tokens", argv[7],
			shim->net_context(net));
		ims_free(out);
		return 1;
	}
	int rc = shim->net_run_words(net, t->tokens, t->used, t->n, out, msg);
	double start = ims_now();
	for (int i = 0; !rc && i < repeat; i++)
		rc = shim->net_run_words(net, t->tokens, t->used, t->n, out, msg);
	if (repeat)
		fprintf(stderr, "%.1f texts/s\n", (double)t->n * repeat / (ims_now() - start));
	if (!rc)
		rc = write_features(argv[8], out, n);
	ims_free(out);
	return rc;
}

int main(int argc, char **argv)
{
	imgsearch_error err = { 0 };
	shim_message msg = { "" };
	weights w = { 0 };
	const shim_table *shim;
	shim_net *net = NULL;
	if (argc < 9)
		return 2;
	texts t = { .n = (size_t)atoi(argv[6]), .context = (size_t)atoi(argv[5]) };
	shim_config c = {
		.network = argv[1],
		.device = "auto",
		.bf16 = !strcmp(argv[3], "bf16"),
		.threads = (uint32_t)atoi(argv[4]),
		.words = 1,
	};
	int rc = ims_weights_open(&w, argv[2], &err);
	if (!rc)
		rc = ims_shim_load(&shim, &err);
	if (!rc)
		rc = shim->net_new(&net, &c, w.tensor, w.n, w.script ? argv[2] : NULL, &msg);
	ims_weights_free(&w);
	if (!rc) {
		printf("%u\n", shim->net_vocabulary(net));
		rc = run(shim, net, &t, argv, &msg);
		shim->net_free(net);
	}
	if (rc)
		fprintf(stderr, "%d: %s%s\n", rc, err.message, msg.text);
	ims_free(t.used);
	ims_free(t.tokens);
	return rc != 0;
}
