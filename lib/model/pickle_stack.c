/* The memory of the interpreter of pickles: its nodes and its stack. */
#include "model/pickle_node.h"

enum { MAX_NODES = 1 << 21 };

/* ---------------------------------------------------------------------------------- memory ---- */

int ims_pickle_new(pickle **out, imgsearch_error *err)
{
	*out = ims_zalloc(1, sizeof **out);
	return *out ? 0 : ims_nomem(err);
}

void ims_pickle_reset(pickle *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->node[i].kind == N_LIST || p->node[i].kind == N_DICT)
			ims_free(p->node[i].item);
	p->n = p->stack.len = p->memo.len = 0;
	p->failed = 0;
}

void ims_pickle_free(pickle *p)
{
	if (!p)
		return;
	ims_pickle_reset(p);
	ims_free(p->node);
	ims_free(p->stack.item);
	ims_free(p->memo.item);
	ims_free(p);
}

void ims_pickle_fail(pickle *p, const char *why)
{
	if (!p->failed)
		p->failed = ims_fail(p->err, IMGSEARCH_EFORMAT, "pickle, byte %zu: %s", p->in->pos, why);
}

static void *grow(pickle *p, void *array, uint32_t *cap, uint32_t len, size_t item)
{
	if (len < *cap)
		return array;
	uint32_t wanted = *cap ? *cap * 2 : 8;
	void *grown = ims_realloc(array, wanted, item);
	if (grown)
		*cap = wanted;
	else if (!p->failed)
		p->failed = ims_nomem(p->err);
	return grown;
}

bool ims_pickle_put(pickle *p, numbers *a, uint32_t v)
{
	uint32_t *grown = grow(p, a->item, &a->cap, a->len, sizeof *grown);
	if (!grown)
		return false;
	a->item = grown;
	a->item[a->len++] = v;
	return true;
}

/* ----------------------------------------------------------------------------------- stack ---- */

uint32_t ims_pickle_make(pickle *p, node value)
{
	if (p->n == MAX_NODES) {
		ims_pickle_fail(p, "more values than any state dict has");
		return PICKLE_NOTHING;
	}
	node *grown = grow(p, p->node, &p->cap, p->n, sizeof *grown);
	if (!grown)
		return PICKLE_NOTHING;
	p->node = grown;
	p->node[p->n] = value;
	return p->n++;
}

void ims_pickle_push(pickle *p, uint32_t i)
{
	if (i != PICKLE_NOTHING)
		ims_pickle_put(p, &p->stack, i);
}

void ims_pickle_push_new(pickle *p, node value)
{
	ims_pickle_push(p, ims_pickle_make(p, value));
}

uint32_t ims_pickle_pop(pickle *p)
{
	if (!p->stack.len) {
		ims_pickle_fail(p, "the stack is empty");
		return PICKLE_NOTHING;
	}
	return p->stack.item[--p->stack.len];
}

uint32_t ims_pickle_top(pickle *p)
{
	if (!p->stack.len)
		ims_pickle_fail(p, "the stack is empty");
	return p->stack.len ? p->stack.item[p->stack.len - 1] : PICKLE_NOTHING;
}

void ims_pickle_append(pickle *p, uint32_t to, uint32_t what)
{
	if (to == PICKLE_NOTHING || what == PICKLE_NOTHING)
		return;
	uint32_t cap = p->node[to].cap;
	uint32_t *grown = grow(p, p->node[to].item, &cap, p->node[to].len, sizeof *grown);
	if (!grown)
		return;
	node *n = &p->node[to];
	n->item = grown;
	n->cap = cap;
	n->item[n->len++] = what;
}

/* The index of the first value above the last mark, which lies just below it. */
uint32_t ims_pickle_above_mark(pickle *p)
{
	for (uint32_t i = p->stack.len; i-- > 0;)
		if (ims_pickle_node(p, p->stack.item[i], N_MARK))
			return i + 1;
	ims_pickle_fail(p, "no mark on the stack");
	return PICKLE_NOTHING;
}
