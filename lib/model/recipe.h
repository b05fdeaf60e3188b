/* Recipes, part by part: who names a part replaces that of the network. */
#ifndef IMS_MODEL_RECIPE_H
#define IMS_MODEL_RECIPE_H

#include "image/image.h"
#include "model/json.h"

/* The parts of a recipe that a text sets; the others are the network's. */
typedef struct recipe_parts {
	image_recipe recipe;
	bool resize, crop, mean, std, interpolation, squash, crops;
} recipe_parts;

/* Whether a key of a JSON object is one of a recipe. */
bool ims_recipe_has_key(const char *key);
/* Reads the value of such a key; false: it is none that the key may have. */
bool ims_recipe_value(json *j, const char *key, recipe_parts *p);
/* Replaces the parts of r that are set. EFORMAT: they do not fit together; `what` is before it. */
int ims_recipe_merge(image_recipe *r, const recipe_parts *p, const char *what,
	imgsearch_error *err);

/* The same by the members that a caller sets. EINVAL: the result cannot be a recipe. */
int ims_recipe_ask(image_recipe *r, const imgsearch_recipe *asked, imgsearch_error *err);

/* "mean", "max", "gem", "class"; "default" of 0. */
const char *ims_pooling_name(uint32_t pooling);
/* Its number; 0: it is none of them. */
uint32_t ims_pooling_find(const char *name);

bool ims_recipe_same(const image_recipe *a, const image_recipe *b);

/* How they differ, for a sentence: "recipe 232/224 bilinear, not 256/224 bilinear". */
void ims_recipe_difference(char *text, size_t size, const image_recipe *a, const image_recipe *b);

#endif
