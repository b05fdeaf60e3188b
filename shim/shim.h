/*
 * The wall between C and libtorch: one exported symbol that returns a table of plain C functions, or NULL when it
 * does not speak the asked ABI. Only numbers, sizes and the caller's message buffer cross; every exception is caught.
 * Loaded with dlopen(RTLD_LOCAL), never closed. Functions return 0 or a negative imgsearch_status.
 */
#ifndef IMS_SHIM_H
#define IMS_SHIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IMS_SHIM_ABI 1

typedef enum shim_dtype { SHIM_F32 = 1, SHIM_F16 = 2, SHIM_BF16 = 3, SHIM_I64 = 4, SHIM_I8 = 5 } shim_dtype;

/* One named array of a weights file, row-major, aligned for its type; borrowed for the call. */
typedef struct shim_tensor {
	const char *name;
	const void *data;
	uint32_t dtype, ndim;
	int64_t shape[8];
} shim_tensor;

typedef struct shim_config {
	const char *network; /* catalogue name, or "script": the TorchScript program is the network */
	const char *device;  /* "auto", "cpu", "cuda:0" */
	uint32_t bf16;       /* 1: run in bfloat16 */
	uint32_t threads;    /* that the network may use; 0: libtorch's own choice */
	uint32_t crop;       /* side of the input */
	uint32_t dim;        /* of the feature, which must come out so; 0: whatever it is (script) */
} shim_config;

typedef struct shim_message {
	char text[400];
} shim_message;

typedef struct shim_net shim_net;

typedef struct shim_table {
	uint32_t abi, size; /* size: sizeof(shim_table) of the shim */
	/*
	 * Builds a network. Weights come as named tensors in torchvision's names and shapes (any float type; "project.weight"
	 * (dim, features) and "project.bias" (dim) put one linear layer behind the pooled feature; the classifier's are
	 * passed over), or as the path of a TorchScript file, whose parameters are taken instead. Missing, unknown and misshaped
	 * tensors are EMODEL, by name.
	 */
	int (*net_new)(shim_net **out, const shim_config *c, const shim_tensor *tensors, size_t n, const char *script, shim_message *msg);
	void (*net_free)(shim_net *net);
	uint32_t (*net_dim)(const shim_net *net);
	/* (n, crop, crop, 3) channels last into (n, dim). Any thread, one at a time. */
	int (*net_run)(shim_net *net, const float *in, size_t n, float *out, shim_message *msg);
	size_t (*net_batch)(const shim_net *net); /* the batch it runs best at */
	/* "libtorch 1.13.1, OpenBLAS, cpu, bf16" into text. */
	void (*net_describe)(const shim_net *net, char *text, size_t size);
} shim_table;

typedef const shim_table *ims_shim_entry(uint32_t abi);

#ifdef IMS_SHIM_IMPLEMENTATION
__attribute__((visibility("default"))) const shim_table *ims_shim(uint32_t abi);
#endif

#ifdef __cplusplus
}
#endif
#endif
