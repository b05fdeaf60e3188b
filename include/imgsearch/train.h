/*
 * Training a network on one's own pictures. The rules of imgsearch.h hold here. This header is
 * younger: until 1.0 a minor version may change it, and then the soname changes.
 */
#ifndef IMGSEARCH_TRAIN_H
#define IMGSEARCH_TRAIN_H

#include "../imgsearch.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum imgsearch_loss {
	IMGSEARCH_LOSS_CROSS_ENTROPY = 1,
	/* for retrieval: pictures of a class near each other, others apart */
	IMGSEARCH_LOSS_SUPCON = 2,
	IMGSEARCH_LOSS_ARCFACE = 3 /* for retrieval: angles to the centres of classes, with a margin */
} imgsearch_loss;

/* Limits: beyond them a value is EINVAL. */
#define IMGSEARCH_TRAIN_BATCH_MAX 4096
#define IMGSEARCH_TRAIN_VIEWS_MAX 1024

/* What 0 means in the options: IMGSEARCH_DISTILL_... with teachers, where there is one. */
#define IMGSEARCH_TRAIN_EPOCHS_DEFAULT 10
#define IMGSEARCH_TRAIN_BATCH_DEFAULT 32
#define IMGSEARCH_TRAIN_VIEWS_DEFAULT 2
#define IMGSEARCH_TRAIN_TOGETHER_DEFAULT 1
#define IMGSEARCH_TRAIN_PATIENCE_DEFAULT 5
#define IMGSEARCH_TRAIN_RATE_DEFAULT 0.00005
#define IMGSEARCH_DISTILL_RATE_DEFAULT 0.0002
#define IMGSEARCH_TRAIN_MIN_CROP_DEFAULT 0.35
#define IMGSEARCH_DISTILL_MIN_CROP_DEFAULT 0.7
#define IMGSEARCH_DISTILL_DIM_DEFAULT 256
#define IMGSEARCH_TRAIN_VALIDATION_DEFAULT 0.1
#define IMGSEARCH_TRAIN_JITTER_DEFAULT 0.2
#define IMGSEARCH_TRAIN_DECAY_DEFAULT 0.01
#define IMGSEARCH_TRAIN_RELATIONAL_DEFAULT 1
#define IMGSEARCH_TRAIN_WHITEN_DEFAULT 0.15
#define IMGSEARCH_TRAIN_PROBABILITIES_DEFAULT 1

typedef struct imgsearch_train_options {
	size_t struct_size;
	/* the file to write, ending in .safetensors, its card beside it; required */
	const char *out;
	/*
	 * distillation: NAME=FILE, or files with a card, separated by commas; NULL: learn from labels
	 */
	const char *teachers;
	const char *name;                     /* of the model, in its card; NULL: the stem of out */
	const char *descent, *licence, *note; /* for the card */
	uint32_t loss;                        /* imgsearch_loss; default cross entropy */
	uint32_t layers;                      /* only the last so many layers learn; 0: all */
	/*
	 * a linear layer to so many values behind the pooling; 0: none (distillation:
	 * IMGSEARCH_DISTILL_DIM_DEFAULT)
	 */
	uint32_t dim;
	uint32_t epochs;
	uint32_t steps; /* instead of epochs */
	uint32_t batch; /* supcon needs 8 or more */
	/* distillation: crops of each picture that the teachers see */
	uint32_t views;
	/* stop after so many validations without a gain; UINT32_MAX: never */
	uint32_t patience;
	uint32_t resume;  /* 1: go on from out.checkpoint; that of another run is refused */
	uint32_t restart; /* 1: delete an old checkpoint; where neither is set, one is EEXIST */
	uint32_t f32;     /* 1: write f32 weights; default f16 */
	float rate;       /* peak learning rate */
	float validation; /* share of the pictures held out; negative: none */
	/* smallest share of the picture in a crop */
	float min_crop;
	float jitter;       /* of brightness, contrast, saturation; negative: none */
	float anchor;       /* pull of the weights towards the starting ones; default 0 */
	float relational;   /* distillation: weight of the relations; negative: none */
	float label_weight; /* distillation: weight of the labels' loss; default 0 */
	/* distillation: power that damps strong components; negative: none */
	float whiten;
	float decay; /* weight decay of new layers; negative: none */
	uint64_t seed;
	/*
	 * 1: the layer of dim (required) also sees the class probabilities of the starting weights'
	 * classifier, which learns; EMODEL without one
	 */
	uint32_t posteriors;
	/* 1: matrices of 16384 elements and more in int8, one scale per row; not with f32 */
	uint32_t int8;
	/* share of the starting weights in what is judged and written (WiSE-FT), 0..1; default 0 */
	double blend;
	/*
	 * n_holdout folders that are never trained on, also where they lie below the folder of the
	 * pictures. The network is judged on each at the start and after each epoch; what is written
	 * does not depend on that. Their classes are their first-level folders.
	 */
	const char *const *holdout;
	size_t n_holdout;
	/*
	 * distillation: the file of what the teachers say of views of pictures; kept, and shared by
	 * runs with the same teachers, seed, min_crop and whole on any pictures, one at a time (EBUSY).
	 * NULL: out.teach, which is removed at the end
	 */
	const char *teach;
	uint32_t whole;    /* distillation: 1: the first view of each picture is its centre crop */
	uint32_t together; /* distillation: views of a picture side by side in a batch */
	/* distillation: weight of class probabilities beside features; negative: none */
	float probabilities;
	/* 1: batch norms become part of their convolutions, with the statistics that they start with */
	uint32_t fold;
	/*
	 * above 0: the layer of dim (required) also sees the means of the maps of inner blocks, each of
	 * this length beside the last mean of length 1; MobileNetV2 and EfficientNet-Lite, else EMODEL
	 */
	float inner;
	/*
	 * distillation: above 0: the starting network's own features, of this length, are part of the
	 * targets, beside the teachers' of length 1; default 0
	 */
	float own;
	/*
	 * in 0..1: the layer of dim (required) sees the last mean raised to this power (power
	 * normalisation), so that few strong channels count less; default 1
	 */
	float power;
	uint32_t reserved; /* 0 */
} imgsearch_train_options;

/* How the network does on a folder of `holdout` after so many steps: plain features, cosine. */
typedef struct imgsearch_train_holdout {
	const char *folder;
	uint64_t step;
	uint64_t queries;     /* pictures with another one of their class */
	double map, accuracy; /* over these: mean average precision, first result right; NaN: none */
	uint64_t copies;      /* of up to 60 of its pictures, in each way of imgsearch_eval_run */
	double duplicates;    /* share of the copies whose first result is their original */
} imgsearch_train_holdout;

typedef struct imgsearch_train_report {
	uint64_t pictures, classes, held_out, failed, steps;
	/* of the last steps; accuracy: right answers, or the mean cosine to the teachers */
	double loss, accuracy;
	double validation_loss, validation_accuracy; /* the best; NaN without validation */
	double seconds, images_per_second;
	uint32_t dim, stopped_early;
	/* of each held-out folder, step by step; of a resumed run from where it went on */
	size_t count;
	const imgsearch_train_holdout *const *items;
} imgsearch_train_report;

/*
 * Trains the network of the handle's options (model, weights, device, precision, threads, recipe)
 * on the pictures below `folder`: on its classes, which are its first-level folders, or to imitate
 * the vectors of teachers. Writes the network that does best in validation as a weights file with
 * its card, which `model` of imgsearch_options accepts at once. Reads no index: a handle of
 * ":memory:" will do. A checkpoint, out.checkpoint, is written about once a minute and when the
 * call is stopped; it is removed at the end. report may be NULL. Progress stages: "teach"
 * (teachers), "train" and "judge" (held-out folders). Errors: EINVAL (options; fewer than two
 * classes; too few pictures; a folder of holdout that holds all pictures), EMODEL, EFORMAT (the
 * loss became NaN: out and checkpoint are the last good ones), EVERSION (a checkpoint of another
 * run), EEXIST (a checkpoint, and neither resume nor restart).
 */
IMGSEARCH_API int imgsearch_train(imgsearch *s, const char *folder,
	const imgsearch_train_options *options, const imgsearch_call *call,
	imgsearch_train_report **report, imgsearch_error *err);
IMGSEARCH_API void imgsearch_train_report_free(imgsearch_train_report *report);

#ifdef __cplusplus
}
#endif
#endif
