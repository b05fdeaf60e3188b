/*
 * What the files say that publishers put beside weights: config.json and preprocessor_config.json
 * of Hugging Face's transformers, config.json of timm, open_clip_config.json of OpenCLIP.
 */
#ifndef IMS_MODEL_BESIDE_H
#define IMS_MODEL_BESIDE_H

#include "model/recipe.h"

typedef struct beside {
	char type[32];       /* "clip", "dinov2": the kind of network, in transformers' words; or "" */
	char activation[24]; /* "gelu", "quick_gelu", "gelu_pytorch_tanh"; or "" */
	/* of a tower whose attention heads are not of 64 values each: its heads and width; or 0 */
	uint32_t odd_heads, odd_width;
	recipe_parts parts;
} beside;

/*
 * Reads the files in the folder of the weights; what none says stays empty. EFORMAT: one of them
 * is damaged, by name; EIO, ELIMIT, ENOMEM.
 */
int ims_beside_read(beside *out, const char *weights_path, imgsearch_error *err);

/* The same from the text of one file. EFORMAT. */
int ims_beside_parse(beside *out, const void *json, size_t n, imgsearch_error *err);

#endif
