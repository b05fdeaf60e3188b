/*
 * The networks that the shim has, by name, and the folders that files of models lie in. Any thread.
 */
#ifndef IMS_MODEL_CATALOG_H
#define IMS_MODEL_CATALOG_H

#include "image/image.h"

/* How the values 0..1 of a picture become those that a network expects. */
typedef enum value_range {
	VALUES_IMAGENET, /* less ImageNet's mean, by its deviation */
	VALUES_127,      /* (x - 127) / 128 of 0..255 */
	VALUES_HALF,     /* (x - 0.5) / 0.5 */
	VALUES_CLIP      /* less the mean of CLIP's pictures, by their deviation */
} value_range;

/* A network with the recipe of its first ImageNet weights. */
typedef struct model_network {
	const char *name;      /* "resnet50" */
	uint32_t dim;          /* of the pooled feature; 0: the weights' */
	uint32_t resize, crop; /* pixels; resize 0: squashed */
	uint32_t bicubic;
	uint32_t batch; /* best batch size on a CPU */
	value_range values;
	/* what tells it from a network of the same tensors, in transformers' words; NULL: none has */
	const char *activation;
} model_network;

const model_network *ims_model_find(const char *name); /* NULL: unknown */
const model_network *ims_model_list(size_t *n);

/*
 * The text around a query by words that a network's family is used with, "{}" in the place of the
 * query; NULL: the family has no text tower.
 */
const char *ims_network_text_template(const char *network);

/* The recipe of a network; of NULL: 256, 224 and the means of ImageNet. */
image_recipe ims_network_recipe(const model_network *net);

/*
 * Path of `file` in the first folder that has it: $IMGSEARCH_LIBDIR, the library's own, imgsearch/
 * in it, and ../lib/imgsearch from it. The caller frees *out by ims_free. ENOTFOUND leaves err
 * alone; ENOMEM. On failure *out is NULL.
 */
int ims_model_find_file(char **out, const char *file, imgsearch_error *err);

/*
 * Path of NAME.safetensors, .pth, .pt or .safetensors.index.json in those folders, in
 * imgsearch/models of the XDG data folder, or in the folder NAME there. The rest as above.
 */
int ims_model_find_weights(char **out, const char *name, imgsearch_error *err);

/*
 * Path of the weights of an earlier default model, by the hash of the file (hexadecimal). The rest
 * as above.
 */
int ims_model_find_earlier(char **out, const char *weights_hash, imgsearch_error *err);

/*
 * The path of `file` in imgsearch/models of the XDG data folder; "": that folder. Nothing is
 * looked for. The caller frees *out by ims_free. ENOTFOUND, with no sentence: no home folder is
 * known; ENOMEM.
 */
int ims_model_data_path(char **out, const char *file, imgsearch_error *err);

/* Where ims_model_find_weights (weights), or ims_model_find_file, looks, for a sentence. */
void ims_model_places(char *text, size_t size, bool weights);

#endif
