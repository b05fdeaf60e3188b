/*
 * The values of a pickle and the stack of its interpreter: pickle.c runs the opcodes,
 * pickle_stack.c holds the values, pickle_state.c reads them. They are nodes of one arena and refer
 * to each other by number, so cycles and sharing are harmless.
 */
#ifndef IMS_MODEL_PICKLE_NODE_H
#define IMS_MODEL_PICKLE_NODE_H

#include "model/pickle.h"

#include <string.h>

typedef enum node_kind {
	N_NONE,
	N_MARK,
	N_BOOL,
	N_INT,
	N_FLOAT,
	N_TEXT,
	N_LIST,
	N_DICT,
	N_GLOBAL,
	N_STORAGE,
	N_TENSOR
} node_kind;

typedef enum global_kind { G_DICT, G_TENSOR, G_PARAMETER, G_STORAGE, G_SIZE } global_kind;

typedef struct global {
	const char *module, *name;
	global_kind kind;
	uint32_t dtype;
} global;

typedef struct node {
	node_kind kind;
	uint32_t len, cap;
	union {
		int64_t integer;
		const char *text; /* in the pickle; len bytes */
		uint32_t *item;   /* list, tuple: items; dict: key, value, key, value ... */
		const global *global;
		struct {
			uint32_t storage, args; /* tensor: nodes; args of _rebuild_tensor_v2 */
		};
		struct {
			uint32_t type, key; /* storage: nodes */
		};
	};
} node;

/* Growing array of numbers. */
typedef struct numbers {
	uint32_t *item;
	uint32_t len, cap;
} numbers;

struct pickle {
	node *node;
	uint32_t n, cap;
	numbers stack, memo;
	reader *in;
	imgsearch_error *err;
	int failed; /* status of the first failure */
};

static const uint32_t PICKLE_NOTHING = UINT32_MAX; /* the number of no node */

/* Remembers the first failure. */
void ims_pickle_fail(pickle *p, const char *why);

/* A new node; PICKLE_NOTHING, with the failure remembered: there are too many, or no memory. */
uint32_t ims_pickle_make(pickle *p, node value);

/* The stack of node numbers. PICKLE_NOTHING is not pushed; what is not there is a failure. */
void ims_pickle_push(pickle *p, uint32_t i);
void ims_pickle_push_new(pickle *p, node value);
uint32_t ims_pickle_pop(pickle *p);
uint32_t ims_pickle_top(pickle *p);

/* The index of the first value above the last mark, which lies just below it. */
uint32_t ims_pickle_above_mark(pickle *p);

/* Appends to a list or a dict. */
void ims_pickle_append(pickle *p, uint32_t to, uint32_t what);

/* Appends a number; false, with the failure remembered: no memory. */
bool ims_pickle_put(pickle *p, numbers *a, uint32_t v);

/* Frees all nodes. */
void ims_pickle_reset(pickle *p);

/* Node i; NULL: there is none, or it is of another kind. */
static inline const node *ims_pickle_node(const pickle *p, uint32_t i, node_kind kind)
{
	return i < p->n && p->node[i].kind == kind ? &p->node[i] : NULL;
}

static inline bool ims_pickle_same(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(text, word, len);
}

#endif
