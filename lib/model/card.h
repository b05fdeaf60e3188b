/*
 * Model cards: a flat JSON object beside a weights file (x.safetensors: x.json) that says what the
 * file holds and how pictures are prepared for it. docs/models.md describes the keys.
 */
#ifndef IMS_MODEL_CARD_H
#define IMS_MODEL_CARD_H

#include "image/image.h"
#include "model/json.h"

typedef struct model_card {
	char name[64];       /* of the model, for display */
	char network[32];    /* name in the catalogue, or "script" */
	image_recipe recipe; /* complete: what the file leaves out is the network's own */
	uint32_t dim;        /* of the feature */
	uint32_t projection; /* 1: "project.weight", "project.bias" follow the pooling */
	float scene_score;   /* from which two pictures show one scene; 0: the card has none */
	char descent[512], licence[128], note[512];
} model_card;

/* The parts of a recipe that a text sets; the others are the network's. */
typedef struct recipe_parts {
	image_recipe recipe;
	bool resize, crop, mean, std, interpolation;
} recipe_parts;

/* Whether a key of a JSON object is one of a recipe. */
bool ims_recipe_has_key(const char *key);
/* Reads the value of such a key; false: it is none that the key may have. */
bool ims_recipe_value(json *j, const char *key, recipe_parts *p);
/* Replaces the parts of r that are set. EFORMAT: they do not fit together; `what` is before it. */
int ims_recipe_merge(image_recipe *r, const recipe_parts *p, const char *what,
	imgsearch_error *err);

/* Parses a card. Unknown keys are skipped. EFORMAT with the reason. */
int ims_card_parse(model_card *out, const void *json, size_t n, imgsearch_error *err);

/* The path of the card of a weights file; ims_free. NULL: out of memory. */
char *ims_card_path(const char *weights_path);

/*
 * The card of a weights file. ENOTFOUND: it has none; otherwise as ims_card_parse and
 * ims_read_file.
 */
int ims_card_read(model_card *out, const char *weights_path, imgsearch_error *err);

/* Appends the card as JSON. 0 or ENOMEM. */
int ims_card_text(buf *out, const model_card *card);

#endif
