/*
 * The networks that the shim has, by name, and the folders that files of models lie in. Any thread.
 */
#ifndef IMS_MODEL_CATALOG_H
#define IMS_MODEL_CATALOG_H

#include "image/image.h"

/* A network with torchvision's own recipe, that of its first ImageNet weights. */
typedef struct model_network {
	const char *name;       /* "resnet50" */
	uint32_t dim;           /* of the pooled feature */
	uint32_t resize, crop;  /* pixels */
	uint32_t bicubic;
	uint32_t batch;         /* pictures at once that it runs best with on a CPU */
} model_network;

const model_network *ims_model_find(const char *name); /* NULL: unknown */
const model_network *ims_model_list(size_t *n);

/* The recipe of a network; of NULL: 256, 224 and the means of ImageNet. */
image_recipe ims_network_recipe(const model_network *net);

/*
 * Each network of the catalogue, and the default model, with the weights that are found. Non-zero
 * from each stops.
 */
int ims_model_each(int (*each)(void *user, const imgsearch_model_info *m), void *user);

/*
 * Path of `file` in the first folder that has it: $IMGSEARCH_LIBDIR, the library's own, imgsearch/
 * in it, and ../lib/imgsearch from it. ims_free; NULL: nowhere, or memory is short.
 */
char *ims_model_find_file(const char *file);

/*
 * Path of NAME.safetensors, .pth or .pt in those folders or in imgsearch/models of the XDG data
 * folder. As above.
 */
char *ims_model_find_weights(const char *name);

#endif
