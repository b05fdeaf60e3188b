/*
 * The interface between C and libtorch: one exported symbol, ims_shim, returns a table of C
 * functions, or NULL where the shim implements another ABI. Only numbers, sizes and the caller's
 * message buffer cross it, and no exception does. The library is loaded by dlopen(RTLD_LOCAL) and
 * never closed. Functions return 0 or a negative imgsearch_status with a sentence in msg.
 */
#ifndef IMS_SHIM_H
#define IMS_SHIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IMS_SHIM_ABI 6

typedef enum shim_dtype {
	SHIM_F32 = 1,
	SHIM_F16 = 2,
	SHIM_BF16 = 3,
	SHIM_I64 = 4,
	SHIM_I8 = 5
} shim_dtype;

enum { SHIM_MAX_NDIM = 8 };

/* One named array of a weights file, row-major, aligned for its type; borrowed for the call. */
typedef struct shim_tensor {
	const char *name;
	const void *data;
	uint32_t dtype, ndim;
	int64_t shape[SHIM_MAX_NDIM];
} shim_tensor;

/* Values of imgsearch_pooling. */
typedef enum shim_pooling {
	SHIM_POOLING_OWN = 0,
	SHIM_POOLING_MEAN = 1,
	SHIM_POOLING_MAX = 2,
	SHIM_POOLING_GEM = 3,
	SHIM_POOLING_CLASS = 4
} shim_pooling;

typedef struct shim_config {
	const char *network; /* name in the catalogue, or "script": the TorchScript program is it */
	const char *device;  /* "auto", "cpu", "cuda:0" */
	uint32_t bf16;       /* 1: run in bfloat16 */
	uint32_t threads;    /* 0: libtorch's own choice */
	uint32_t crop;       /* side of the input */
	uint32_t dim;        /* the feature must have it; 0: any (script) */
	uint32_t pooling;    /* shim_pooling; EMODEL: the network has none but its own */
	/*
	 * 1: not the network itself but the text tower that the same tensors have, which gives
	 * features in the space of the pictures'. crop and pooling then have no meaning. EUNSUPPORTED:
	 * the network's family has none, or it is not among the tensors.
	 */
	uint32_t words;
} shim_config;

typedef struct shim_message {
	char text[400];
} shim_message;

typedef struct shim_net shim_net;

/* -------------------------------------------------------------------------------- training ---- */

typedef enum shim_loss {
	SHIM_LOSS_CROSS_ENTROPY = 1, /* with label smoothing */
	SHIM_LOSS_SUPCON = 2,        /* supervised contrastive, Khosla et al. 2020 */
	SHIM_LOSS_ARCFACE = 3        /* Deng et al. 2018 */
} shim_loss;

typedef struct shim_train_config {
	const char *network, *device;
	uint32_t bf16, threads;
	uint32_t crop;
	uint32_t layers;     /* units to train, from the end, and all behind the pooling; 0: all */
	uint32_t loss;       /* shim_loss, of labelled pictures */
	uint32_t classes;    /* 0: no labels */
	uint32_t dim;        /* of a linear layer behind the pooling; 0: none */
	uint32_t posteriors; /* 1: its input has class probabilities beside the feature; needs dim */
	float inner;         /* above 0: its input has means of inner maps, by this weight; needs dim */
	float power;         /* in 0..1: the mean is raised to it first; 0: 1; needs dim */
	uint32_t fold;       /* 1: batch norms become part of their convolutions first */
	uint32_t target_dim; /* distillation: of the targets, equal to dim; 0: no distillation */
	float anchor;        /* decay towards the starting weights, times the learning rate */
	float decay;         /* weight decay of new layers */
	float relational;    /* distillation: weight of the relational loss beside the cosine one */
	float label_weight;  /* distillation: weight of the labels' loss */
	uint64_t seed;
} shim_train_config;

/*
 * (n, crop, crop, 3); labels: n class numbers, -1 for none, or NULL; targets: (n, target_dim) or
 * NULL.
 */
typedef struct shim_batch {
	const float *in;
	const int64_t *labels;
	const float *targets;
	size_t n;
} shim_batch;

/* Sums over a batch of counted pictures. hits: right answers, or cosines to the targets. */
typedef struct shim_score {
	double loss, hits, counted;
} shim_score;

typedef enum shim_part {
	SHIM_PART_NETWORK = 1,  /* the state dict in torchvision's names, "posterior.*", "project.*" */
	SHIM_PART_TRAINING = 2, /* all that a step changes, for a checkpoint, in names of its own */
	SHIM_PART_HALF = 3,     /* as SHIM_PART_NETWORK, matrices in f16 */
	SHIM_PART_INT8 = 4      /* as SHIM_PART_HALF, large matrices in int8, a scale for each row */
} shim_part;

typedef struct shim_train shim_train;

typedef struct shim_training {
	/* A network with its optimiser, from the same tensors as net_new. One thread at a time. */
	int (*create)(shim_train **out, const shim_train_config *c, const shim_tensor *tensors,
		size_t n, shim_message *msg);
	void (*free)(shim_train *t);
	uint32_t (*width)(const shim_train *t); /* of the input of the linear layer */
	/* One step of AdamW. EFORMAT: the loss is not finite, and nothing has changed. */
	int (*step)(shim_train *t, const shim_batch *b, float rate, shim_score *score,
		shim_message *msg);
	/* The same without a step. */
	int (*score)(shim_train *t, const shim_batch *b, shim_score *score, shim_message *msg);
	/* Pooled features (n, width); with project those behind the linear layer (n, dim). */
	int (*features)(shim_train *t, const float *in, size_t n, uint32_t project, float *out,
		shim_message *msg);
	/* Sets the linear layer: weight (dim, width), bias (dim). */
	int (*project)(shim_train *t, const float *weight, const float *bias, shim_message *msg);
	/*
	 * Makes every tensor of the starting network `share` of its starting value and 1 - share of its
	 * trained value, until blend is called again; 0: the trained value. New layers stay as they
	 * are. No step may be made in between.
	 */
	int (*blend)(shim_train *t, float share, shim_message *msg);
	/*
	 * All tensors of a part, borrowed during the callback; non-zero from each stops and is
	 * returned.
	 */
	int (*each)(shim_train *t, uint32_t part, int (*each)(void *user, const shim_tensor *t),
		void *user, shim_message *msg);
	/* The reverse for SHIM_PART_TRAINING. EFORMAT: a tensor is missing or has another shape. */
	int (*restore)(shim_train *t, const shim_tensor *tensors, size_t n, shim_message *msg);
	/*
	 * The linear maps of a distillation. teacher (n, teacher_dim) and student (n, width) are rows
	 * of the same pictures, student only the first n_student; the maps are fitted to the first
	 * n_fit and n_student of them. targets (n, dim): the rows of the teacher, centred and projected
	 * onto their principal components, each divided by its variance to the power `whiten`. weight
	 * (dim, width), bias (dim): ridge regression from student to targets.
	 */
	int (*fit)(const float *teacher, size_t teacher_dim, const float *student, size_t width,
		size_t n, size_t n_fit, size_t n_student, size_t dim, float whiten, float *targets,
		float *weight, float *bias, shim_message *msg);
} shim_training;

typedef struct shim_table {
	uint32_t abi, size; /* size: sizeof(shim_table) of the shim */
	/*
	 * Builds a network from tensors with the names and shapes of docs/models.md, of any float type,
	 * or int8 with a scale for each row in "NAME_scale". "project.weight" (dim, features) and
	 * "project.bias" (dim) are a linear layer behind the pooling, "posterior.weight" (classes,
	 * features) and "posterior.bias" a classifier beside it, "inner.weight" (blocks) and
	 * "mean.power" (1) what else the layer sees. The networks' own classifiers are ignored. With
	 * `script` the tensors are the parameters of that TorchScript file instead. EMODEL: tensors are
	 * missing, unknown, misshaped or not finite, by name.
	 */
	int (*net_new)(shim_net **out, const shim_config *c, const shim_tensor *tensors, size_t n,
		const char *script, shim_message *msg);
	void (*net_free)(shim_net *net);
	/*
	 * Which of the networks names[0..n_names) net_new would make of these tensors (with `script`:
	 * of its parameters), by names and shapes alone: fits[i] becomes 1 or 0. A network that takes
	 * any shape fits only where no other one does. EMODEL: none; msg has the network that lacks the
	 * fewest, and what it lacks.
	 */
	int (*net_find)(const char *const *names, size_t n_names, const shim_tensor *tensors, size_t n,
		const char *script, uint8_t *fits, shim_message *msg);
	uint32_t (*net_dim)(const shim_net *net);
	/*
	 * in (n, crop, crop, 3), channels last, into out (n, dim), with so many threads; 0: all that it
	 * may use. Any number of calls at once.
	 */
	int (*net_run)(shim_net *net, const float *in, size_t n, uint32_t threads, float *out,
		shim_message *msg);
	/*
	 * Of a text tower: tokens (n, net_context), of which the first used[i] are the text's, into
	 * out (n, dim). Any number of calls at once. EINVAL: a token is negative, or net_vocabulary or
	 * above; used[i] is 0 or above net_context.
	 */
	int (*net_run_words)(shim_net *net, const int32_t *tokens, const uint32_t *used, size_t n,
		float *out, shim_message *msg);
	uint32_t (*net_context)(const shim_net *net);     /* tokens of a text; 0: no text tower */
	uint32_t (*net_vocabulary)(const shim_net *net);  /* how many different tokens; likewise */
	uint32_t (*net_concurrency)(const shim_net *net); /* runs at once that keep the device busy */
	size_t (*net_batch)(const shim_net *net);         /* inputs at once that it runs best with */
	/* Writes "libtorch 1.13.1, OpenBLAS, cpu, bf16" into text. */
	void (*net_describe)(const shim_net *net, char *text, size_t size);
	const shim_training *training; /* NULL: this shim cannot train */
} shim_table;

typedef const shim_table *ims_shim_entry(uint32_t abi);

#ifdef IMS_SHIM_IMPLEMENTATION
__attribute__((visibility("default"))) const shim_table *ims_shim(uint32_t abi);
#endif

#ifdef __cplusplus
}
#endif
#endif
