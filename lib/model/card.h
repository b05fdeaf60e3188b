/*
 * Model cards: a flat JSON object beside a weights file (x.safetensors: x.json) that says what the
 * file holds and how pictures are prepared for it. docs/models.md describes the keys.
 */
#ifndef IMS_MODEL_CARD_H
#define IMS_MODEL_CARD_H

#include "image/image.h"

typedef struct model_card {
	char name[64];       /* of the model, for display */
	char network[32];    /* name in the catalogue, or "script" */
	image_recipe recipe; /* complete: what the file leaves out is the network's own */
	uint32_t dim;        /* of the feature */
	uint32_t projection; /* 1: "project.weight", "project.bias" follow the pooling */
	uint32_t pooling;    /* imgsearch_pooling; 0: the network's own */
	char template[128];  /* of texts: "a photo of {}"; "": the network's own */
	float scene_score;   /* from which two pictures show one scene; 0: the card has none */
	char descent[512], licence[128], note[512];
} model_card;

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
