/*
 * The identity of a model: network, weights, recipe, precision. Vectors of different identities are
 * never mixed.
 */
#ifndef IMS_MODEL_IDENTITY_H
#define IMS_MODEL_IDENTITY_H

#include "image/image.h"

/* The request of a caller; NULL and 0 mean the default. */
typedef struct model_spec {
	const char *name;    /* in the catalogue, or a path of weights with a card; NULL: the default */
	const char *network; /* of `name`, where an index has stored it; else NULL */
	const char *weights; /* path */
	const char *lost; /* a file of weights that cannot be read any more, for the message; or NULL */
	const char *known_hash; /* of that file, which is then not read for it; else NULL */
	const char *device;     /* "auto", "cpu", "cuda:0" */
	uint32_t precision;     /* imgsearch_precision */
	uint32_t threads;
	imgsearch_recipe recipe; /* zero fields: the network's own */
} model_spec;

typedef struct model_identity {
	char name[64];         /* "resnet50", or the card's name */
	char network[32];      /* name in the catalogue, or "script" */
	char weights_hash[65]; /* BLAKE2b-256 of the weights file */
	char *weights;         /* path, owned */
	uint32_t dim;
	uint32_t precision; /* IMGSEARCH_PRECISION_F32 or IMGSEARCH_PRECISION_BF16 */
	image_recipe recipe;
	uint32_t flip;    /* 1: the mean of the features of the picture and its mirror image */
	uint32_t pooling; /* imgsearch_pooling */
	/*
	 * from which two pictures show one scene: that of the card, else IMGSEARCH_SCENE_SCORE_DEFAULT.
	 * Models of different scores are still the same.
	 */
	float scene_score;
} model_identity;

/*
 * Finds the weights and reads the file once for its hash. libtorch is needed only where the weights
 * have neither name nor card, to find the network, and for a TorchScript program without a card,
 * which is loaded for its dimension. The automatic precision is chosen
 * here, for the CPU. ims_model_identity_free frees *out. EMODEL: the network is unknown or has no
 * weights; the message says what to do. Other errors as ims_card_read and ims_weights_hash.
 */
int ims_model_identify(model_identity *out, const model_spec *spec, imgsearch_error *err);
void ims_model_identity_free(model_identity *id);

/*
 * Whether vectors of both may be compared: same network, weights, recipe and precision. Otherwise
 * why receives the difference.
 */
bool ims_model_same(const model_identity *a, const model_identity *b, char *why, size_t why_size);

#endif
